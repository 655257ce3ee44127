package mend_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/wlog"

	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
	"github.com/signalbox-project/signalbox/internal/store/metrics/mend"
)

// killed goes on with what a kill now would leave, mended.
func (m *machine) killed() {
	m.t.Helper()
	m.paused = true
	m.crash("killed")
	if err := m.db.Close(); err != nil {
		m.t.Fatal(err)
	}
	m.dir = m.crashes[len(m.crashes)-1].dir
	if found, err := mend.Folder(m.dir, discard); err != nil || len(found) > 0 {
		m.t.Errorf("%v, %v", found, err)
	}
}

// A series that was made anew has two numbers. After a restart the TSDB goes on with the first, and drops the labels
// of the second with its next checkpoint, which comes before the late samples are in a block; a snapshot of the head has
// the first only.
func TestLateSamplesOutliveTheNumberOfTheirSeries(t *testing.T) {
	for _, c := range []struct {
		what  string
		clean bool // the second life ends with a clean stop
	}{{"killed after a checkpoint", false}, {"stopped", true}} {
		t.Run(c.what, func(t *testing.T) {
			m := &machine{t: t, dir: t.TempDir(), known: map[string][]int64{}, paused: true}
			m.open()
			m.put("steady", span(crashRange, 4*crashRange, 500)...)
			m.put("late", 4*crashRange-500)
			m.put("steady", span(4*crashRange, 5*crashRange, 500)...)
			if err := m.db.Compact(context.Background()); err != nil { // after which nothing of late is in the head
				t.Fatal(err)
			}
			m.put("late", span(2000, 40_000, 1000)...)
			m.killed()
			m.open()
			m.check("after the first kill", m.known)
			m.put("late", 41_000)
			m.put("steady", span(5*crashRange, 12*crashRange, 500)...)
			if c.clean {
				m.close()
				if found, err := mend.Folder(m.dir, discard); err != nil || len(found) > 0 {
					t.Fatal(found, err)
				}
			} else {
				m.paused, m.seen = false, map[string]int{"": 0}
				m.during = func() { m.crash("checkpoint is made, late samples are in no block") }
				before := len(m.crashes)
				if err := m.db.Compact(context.Background()); err != nil {
					t.Fatal(err)
				}
				m.close()
				for _, crash := range m.crashes[before:] {
					if crash.at == "checkpoint is made, late samples are in no block" {
						m.dir, m.known = crash.dir, crash.known
					}
				}
				files(t, m.dir, "wal/checkpoint.*")
				if found, err := mend.Folder(m.dir, discard); err != nil || len(found) > 0 {
					t.Fatal(found, err)
				}
			}
			m.paused = true
			m.open()
			m.check(c.what, m.known)
			m.close()
		})
	}
}

// What a start has to read depends on what was written since late samples were last put into blocks, not on how often
// the process was killed.
func TestKillsInARowDoNotMakeTheNextStartDearer(t *testing.T) {
	m := &machine{t: t, dir: t.TempDir(), known: map[string][]int64{}, paused: true}
	m.open()
	m.put("steady", span(crashRange, 2*crashRange, 1000)...)
	m.put("late", 2*crashRange)
	m.put("late", span(1, crashRange, 100)...) // a thousand a series: thirty full chunks
	m.killed()
	m.open()
	m.killed()
	late, mapped := size(t, m.dir, wlog.WblDirName), size(t, m.dir, "chunks_head")
	kills := int64(20)
	if raceDetector {
		kills = 7
	}
	for i := range kills {
		m.open()
		m.put("late", crashRange+i)
		m.killed()
	}
	if now := size(t, m.dir, wlog.WblDirName); now > late+late/4 {
		t.Errorf("the log of late samples has grown from %d to %d bytes", late, now)
	}
	if now := size(t, m.dir, "chunks_head"); now > mapped+mapped/4 {
		t.Errorf("mapped chunks have grown from %d to %d bytes", mapped, now)
	}
	m.open()
	m.check("many kills", m.known)
	m.close()
}

// Every start that maps chunks begins a file: they must not become more than a process may map.
func TestManySmallFilesOfMappedChunksAreMadeAgain(t *testing.T) {
	m := &machine{t: t, dir: t.TempDir(), known: map[string][]int64{}, paused: true}
	m.open()
	m.put("steady", span(crashRange, 3*crashRange, 500)...)
	m.put("late", span(1, 40_000, 1000)...)
	m.close()
	found := files(t, m.dir, "chunks_head/0*")
	for n := len(found) + 1; n < 300; n++ { // as kills leave them, before one with a chunk of a series that is gone
		if err := os.WriteFile(filepath.Join(m.dir, "chunks_head", fmt.Sprintf("%06d", n)), []byte("\x01\x30\xbc\x91\x01\x00\x00\x00"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mapOne(t, filepath.Join(m.dir, "chunks_head"))
	if found, err := mend.Folder(m.dir, discard); err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	m.open()
	m.check("many files", m.known)
	if n := len(files(t, m.dir, "chunks_head/0*")); n > 10 {
		t.Errorf("there are %d files", n)
	}
	m.close()
}

// mapOne writes one chunk in order into a new file, which is not among those that a start removes at either end.
func mapOne(t *testing.T, dir string) {
	t.Helper()
	mapper, err := chunks.NewChunkDiskMapper(nil, dir, chunkenc.NewPool(), chunks.MinWriteBufferSize, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := mapper.IterateAllChunks(func(chunks.HeadSeriesRef, chunks.ChunkDiskMapperRef, int64, int64, uint16, chunkenc.Encoding, bool) error {
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	chunk := chunkenc.NewXORChunk()
	app, err := chunk.Appender()
	if err != nil {
		t.Fatal(err)
	}
	app.Append(0, 1, 1)
	mapper.WriteChunk(1<<40, 1, 1, chunk, false, func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	})
	if err := mapper.Close(); err != nil {
		t.Fatal(err)
	}
}

// size is what the files of a folder hold; zeros at the end of mapped chunks are room made in advance.
func size(t *testing.T, dir, folder string) (n int) {
	t.Helper()
	for _, path := range files(t, dir, folder+"/0*") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for len(text) > 0 && text[len(text)-1] == 0 {
			text = text[:len(text)-1]
		}
		n += len(text)
	}
	return n
}

// Where the log of late samples is damaged, mapped chunks may have what it lost, also at later starts.
func TestMappedChunksStayWhereTheirLogIsDamaged(t *testing.T) {
	m := &machine{t: t, dir: t.TempDir(), known: map[string][]int64{}, paused: true}
	m.open()
	m.put("late", 2*crashRange)
	m.put("late", span(1, 165_000, 5000)...) // one chunk is full and mapped
	m.close()                                // so that it is on the disk
	change(t, files(t, m.dir, "wbl/0*")[0], flip(200))
	for i := range 3 {
		if found, err := mend.Folder(m.dir, discard); err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		m.open()
		lost := 0
		stored := m.stored()
		for key, times := range m.known {
			lost += len(times) - len(stored[key])
		}
		if lost > 0 {
			t.Errorf("start %d: %d samples lost that stand in mapped chunks", i, lost)
		}
		m.close()
	}
}

// What is left of mapped chunks is what came in order.
func TestOnlyLateSamplesAreTakenOutOfMappedChunks(t *testing.T) {
	m := &machine{t: t, dir: t.TempDir(), known: map[string][]int64{}, paused: true}
	m.open()
	for i := range int64(4) { // files of both kinds, of one and of none
		m.put("steady", span((2*i+2)*10_000, (2*i+4)*10_000, 100)...)
		m.put(fmt.Sprint("late", i%2), span(1+i, 5000, 100)...)
		m.killed()
		m.open()
		m.put("late1", span(5000+i, 9000, 100)...)
		m.killed()
		m.open()
		m.check("mixed", m.known)
	}
	m.close()
	if left, _ := filepath.Glob(filepath.Join(m.dir, "chunks_head", "*.kept")); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

// A kill right after late samples were put into blocks, and those were merged with others, is no damage: what was acknowledged of
// the log's first segments is in blocks.
func TestTheLogOfLateSamplesIsNotMissedOnceTheyAreInBlocks(t *testing.T) {
	m := &machine{t: t, dir: t.TempDir(), known: map[string][]int64{}, paused: true}
	m.open()
	m.put("steady", span(crashRange, 5*crashRange, 500)...)
	m.put("late", 5*crashRange)
	m.put("late", span(crashRange+1, crashRange+40_000, 1000)...)
	segment := files(t, m.dir, "wbl/0*")[0]
	info, err := os.Stat(segment)
	if err != nil {
		t.Fatal(err)
	}
	if err := acked.Write(m.dir, acked.List{Segments: map[acked.Place]acked.Extent{{Log: acked.Late}: {Bytes: info.Size(), Written: info.ModTime()}}}); err != nil {
		t.Fatal(err)
	}
	if err := m.db.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(segment); err == nil {
		t.Fatal("the segment is still there")
	}
	for _, b := range m.db.Blocks() {
		if meta := b.Meta(); meta.Compaction.FromOutOfOrder() {
			t.Fatalf("not merged: %+v", meta)
		}
	}
	m.killed()
	m.open()
	m.check("merged", m.known)
	m.close()
}

// A segment of late samples that is deleted is missed unless a block was made after it was written last, however soon.
func TestAnOlderSegmentOfLateSamplesIsMissed(t *testing.T) {
	m := &machine{t: t, dir: t.TempDir(), known: map[string][]int64{}, paused: true}
	m.open()
	m.put("steady", span(crashRange, 5*crashRange, 500)...)
	m.put("late", 5*crashRange)
	m.put("late", span(crashRange+1, crashRange+40_000, 1000)...)
	if err := m.db.CompactOOOHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	m.put("late", span(2*crashRange+1, 2*crashRange+40_000, 1000)...)
	m.close()
	m.open() // begins another segment
	m.put("late", span(3*crashRange+1, 3*crashRange+40_000, 1000)...)
	m.killed()
	acknowledge(t, m.dir)
	all := files(t, m.dir, "wbl/0*")
	if len(all) < 2 {
		t.Fatalf("only %s", all)
	}
	remove(t, all[0])
	found, err := mend.Folder(m.dir, discard)
	if err != nil || len(found) != 1 || found[0].File != filepath.Join("wbl", filepath.Base(all[0])) {
		t.Errorf("%+v, %v", found, err)
	}
}
