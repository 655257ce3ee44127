package mend_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/signalbox-project/signalbox/internal/store/metrics/mend"
)

// perKind is how many series there are of each kind.
const perKind = 4

// crashRange is the span of a block of crash tests: small, so that they compact often.
const crashRange = int64(100_000)

// machine runs a database and copies its folder at every line that the database logs, that is
// in the middle of compactions, checkpoints and truncations, as a kill there would
// leave it. It knows which samples were committed by then.
type machine struct {
	t     *testing.T
	dir   string
	db    *tsdb.DB
	known map[string][]int64
	// during is called once, in the middle of the next compaction of late samples.
	during  func()
	crashes []crash
	seen    map[string]int // lines of this life
	paused  bool
}

type crash struct {
	at    string // the line that was logged
	dir   string
	known map[string][]int64
}

func (m *machine) Enabled(context.Context, slog.Level) bool { return true }
func (m *machine) WithAttrs([]slog.Attr) slog.Handler       { return m }
func (m *machine) WithGroup(string) slog.Handler            { return m }

func (m *machine) Handle(_ context.Context, r slog.Record) error {
	if m.paused {
		return nil
	}
	if during := m.during; during != nil && r.Message == "out-of-order compaction started" {
		m.during = nil
		during()
	}
	if m.seen[r.Message]++; m.seen[r.Message] <= 3 {
		m.crash(r.Message)
	}
	return nil
}

func (m *machine) crash(at string) {
	dir := filepath.Join(m.t.TempDir(), "db")
	if err := os.CopyFS(dir, os.DirFS(m.dir)); err != nil {
		m.t.Fatal(err)
	}
	_ = os.Remove(filepath.Join(dir, "lock"))
	m.crashes = append(m.crashes, crash{at: at, dir: dir, known: copied(m.known)})
}

func copied(known map[string][]int64) map[string][]int64 {
	out := map[string][]int64{}
	for key, times := range known {
		out[key] = slices.Clone(times)
	}
	return out
}

func (m *machine) open() {
	m.t.Helper()
	o := tsdb.DefaultOptions()
	o.WALSegmentSize = 64 << 10
	o.WALCompression = compression.Snappy
	o.RetentionDuration = 1 << 40
	o.MinBlockDuration, o.MaxBlockDuration = crashRange, 9*crashRange
	o.OutOfOrderTimeWindow = 100 * crashRange
	o.HeadChunksWriteBufferSize = 64 << 10
	o.EnableExemplarStorage, o.MaxExemplars = true, 100_000
	o.EnableMemorySnapshotOnShutdown = true
	paused := m.paused
	m.paused = true
	db, err := tsdb.Open(m.dir, slog.New(m), prometheus.NewRegistry(), o, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	db.DisableCompactions()
	m.db, m.paused = db, paused
}

func (m *machine) close() {
	m.t.Helper()
	m.paused = true
	if err := m.db.Close(); err != nil {
		m.t.Fatal(err)
	}
	m.paused = false
}

// kinds are the values that a series may have; each is told by its time.
var kinds = map[string]func(at int64) (float64, *histogram.Histogram, *histogram.FloatHistogram){
	"float": func(at int64) (float64, *histogram.Histogram, *histogram.FloatHistogram) {
		return float64(at), nil, nil
	},
	"histogram": func(at int64) (float64, *histogram.Histogram, *histogram.FloatHistogram) {
		h := tsdbutil.GenerateTestHistogram(at % 7)
		h.Sum = float64(at)
		return 0, h, nil
	},
	"floathistogram": func(at int64) (float64, *histogram.Histogram, *histogram.FloatHistogram) {
		h := tsdbutil.GenerateTestFloatHistogram(at % 7)
		h.Sum = float64(at)
		return 0, nil, h
	},
	"custom": func(at int64) (float64, *histogram.Histogram, *histogram.FloatHistogram) {
		h := tsdbutil.GenerateTestCustomBucketsHistogram(at % 7)
		h.Sum = float64(at)
		return 0, h, nil
	},
}

// put commits a sample of every kind of each series at each time.
func (m *machine) put(name string, times ...int64) {
	m.t.Helper()
	for _, at := range times {
		app := m.db.AppenderV2(context.Background())
		for kind, value := range kinds {
			for i := range perKind {
				v, h, fh := value(at)
				ex := exemplar.Exemplar{Labels: labels.FromStrings("trace_id", fmt.Sprint(at)), Value: 1, Ts: at, HasTs: true}
				lset := labels.FromStrings("__name__", name, "kind", kind, "i", fmt.Sprint(i))
				if _, err := app.Append(0, lset, 0, at, v, h, fh, storage.AOptions{Exemplars: []exemplar.Exemplar{ex}}); err != nil {
					m.t.Fatal(err)
				}
			}
		}
		if err := app.Commit(); err != nil {
			m.t.Fatal(err)
		}
		for kind := range kinds {
			for i := range perKind {
				key := fmt.Sprint(name, kind, i)
				m.known[key] = append(m.known[key], at)
			}
		}
	}
}

func span(from, to, step int64) (out []int64) {
	for at := from; at < to; at += step {
		out = append(out, at)
	}
	return out
}

// stored reads every sample; each must have the value of its time.
func (m *machine) stored() map[string][]int64 {
	m.t.Helper()
	q, err := m.db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		m.t.Fatal(err)
	}
	defer q.Close()
	out := map[string][]int64{}
	set := q.Select(context.Background(), false, nil, labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+"))
	for set.Next() {
		l := set.At().Labels()
		key := l.Get("__name__") + l.Get("kind") + l.Get("i")
		it := set.At().Iterator(nil)
		for typ := it.Next(); typ != chunkenc.ValNone; typ = it.Next() {
			var at int64
			var v float64
			switch typ {
			case chunkenc.ValFloat:
				at, v = it.At()
			default:
				var h *histogram.FloatHistogram
				at, h = it.AtFloatHistogram(nil)
				v = h.Sum
			}
			if v != float64(at) {
				m.t.Fatalf("%s has %v at %d", key, v, at)
			}
			out[key] = append(out[key], at)
		}
		if err := it.Err(); err != nil {
			m.t.Fatal(err)
		}
	}
	if err := set.Err(); err != nil {
		m.t.Fatal(err)
	}
	return out
}

// check compares what is stored with what was committed, each sample once.
func (m *machine) check(what string, known map[string][]int64) {
	m.t.Helper()
	stored := m.stored()
	lost, twice := 0, 0
	for key, times := range known {
		seen := map[int64]int{}
		for _, at := range stored[key] {
			seen[at]++
		}
		for _, at := range times {
			if seen[at] == 0 {
				lost++
			} else if seen[at] > 1 {
				twice++
			}
		}
	}
	if lost > 0 || twice > 0 {
		m.t.Errorf("%s: %d samples lost, %d twice", what, lost, twice)
	}
	m.checkExemplars(what, known)
}

// life is what the machine does between starts: samples in order and late ones of every
// kind, compactions of both, late samples in the middle, a checkpoint, a clean stop.
func (m *machine) life(base int64) {
	m.seen = map[string]int{}
	m.put("steady", span(base, base+3*crashRange, 5000)...)
	m.put("late", base+3*crashRange)
	m.put("late", span(base+1, base+20_001, 1000)...) // 20 each: no chunk of 32 is full
	m.crash("late samples")
	m.during = func() { m.put("late", span(base+30_001, base+35_001, 1000)...) }
	if err := m.db.Compact(context.Background()); err != nil {
		m.t.Fatal(err)
	}
	m.put("late", span(base+40_001, base+110_001, 1000)...) // two chunks are full
	m.crash("full chunks of late samples")
	m.during = func() { m.put("late", span(base+120_001, base+125_001, 1000)...) }
	if err := m.db.CompactOOOHead(context.Background()); err != nil {
		m.t.Fatal(err)
	}
	m.put("late", span(base+130_001, base+170_001, 1000)...)
	m.crash("late samples after a compaction")
}

// Wherever the process is killed, every committed sample is there once: in order or late,
// a number or a histogram of any kind. What stood in buffers of the operating system may
// be lost with it, too: mapped chunks are not synced.
func TestEverySampleSurvivesAKillAtAnyPoint(t *testing.T) {
	m := &machine{t: t, dir: t.TempDir(), known: map[string][]int64{}}
	m.open()
	m.life(crashRange)
	m.close() // leaves a snapshot
	m.open()
	m.life(8 * crashRange)
	m.paused = true
	defer m.db.Close()
	if len(m.crashes) < 30 {
		t.Fatalf("only %d moments", len(m.crashes))
	}
	for i, c := range m.crashes {
		if raceDetector && i%3 != 0 {
			continue
		}
		for _, power := range []string{"kill", "half", "none", "zeros"} {
			if power != "kill" && i%5 != 0 {
				continue
			}
			again := &machine{t: t, dir: filepath.Join(t.TempDir(), "db"), known: copied(c.known), paused: true}
			if err := os.CopyFS(again.dir, os.DirFS(c.dir)); err != nil {
				t.Fatal(err)
			}
			losePages(t, again.dir, power)
			again.restart(fmt.Sprintf("%d %q %s", i, c.at, power))
		}
	}
}

// losePages leaves the newest file of mapped chunks as a power cut may.
func losePages(t *testing.T, dir, how string) {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(dir, "chunks_head/0*"))
	if how == "kill" || len(found) == 0 {
		return
	}
	change(t, found[len(found)-1], func(b []byte) []byte {
		switch how {
		case "half":
			return b[:len(b)/2]
		case "zeros":
			clear(b[len(b)/3:])
			return b
		}
		return nil
	})
}

// restart mends, opens and checks, and once more after more samples and another kill.
func (m *machine) restart(what string) {
	m.t.Helper()
	found, err := mend.Folder(m.dir, discard)
	if err != nil || len(found) > 0 {
		m.t.Errorf("%s: %+v, %v", what, found, err)
	}
	m.open()
	m.check(what, m.known)
	m.put("late", span(2, 40_002, 1000)...) // a chunk is full
	m.crash("again")
	m.close()
	second := m.crashes[len(m.crashes)-1]
	m.dir = second.dir
	if _, err := mend.Folder(m.dir, discard); err != nil {
		m.t.Fatal(err)
	}
	m.open()
	m.check(what+", and again", second.known)
	m.close()
	if strings.Contains(what, "kill") {
		m.open() // a clean stop is a moment, too
		m.check(what+", and a clean stop", second.known)
		m.close()
	}
}

// A snapshot of the head that an earlier clean stop left is older than the checkpoint that the
// log has by now. The TSDB would read both, and forget the mapped chunks of late samples
// of the series that the checkpoint names once more.
func TestASnapshotOlderThanTheCheckpointIsNotRead(t *testing.T) {
	m := &machine{t: t, dir: t.TempDir(), known: map[string][]int64{}, paused: true}
	m.open()
	m.put("late", 6*crashRange)
	m.close()
	m.paused = true
	m.open()
	m.put("late", span(6*crashRange+1000, 9*crashRange, 500)...)
	if err := m.db.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	m.put("late", span(1, 3*crashRange, 500)...) // enough to fill the buffer of mapped chunks
	snapshots, checkpoints := files(t, m.dir, "chunk_snapshot.*"), files(t, m.dir, "wal/checkpoint.*")
	m.crash("")
	m.close()
	known := m.crashes[0].known
	m.dir = m.crashes[0].dir
	if found, err := mend.Folder(m.dir, discard); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	m.open()
	m.check(fmt.Sprintf("snapshot %s, checkpoint %s", snapshots, checkpoints), known)
	m.close()
}

// With a snapshot of the head that says less than it should, the TSDB skips the log that
// says it all, without a word.
func TestAnIncompleteSnapshotIsNotRead(t *testing.T) {
	m := &machine{t: t, dir: t.TempDir(), known: map[string][]int64{}, paused: true}
	m.open()
	m.put("steady", span(1, crashRange, 1000)...)
	m.close()
	for what, damage := range map[string]func(t *testing.T, file string){
		"empty":        func(t *testing.T, file string) { change(t, file, cut(0)) },
		"no file":      func(t *testing.T, file string) { remove(t, file) },
		"no folder":    func(t *testing.T, file string) { remove(t, filepath.Dir(file)) },
		"half":         func(t *testing.T, file string) { change(t, file, func(b []byte) []byte { return b[:len(b)/2] }) },
		"first page":   func(t *testing.T, file string) { change(t, file, cut(32<<10)) },
		"zeros":        func(t *testing.T, file string) { change(t, file, zero(0, 1<<30)) },
		"a bit":        func(t *testing.T, file string) { change(t, file, flip(1000)) },
		"another name": func(t *testing.T, file string) { rename(t, file, filepath.Join(filepath.Dir(file), "00000001")) },
		"its parts twice": func(t *testing.T, file string) {
			text, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(filepath.Join(filepath.Dir(file), "00000001"), text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		"an empty record": func(t *testing.T, file string) {
			// A header of length 0 whose checksum is right.
			change(t, file, func(b []byte) []byte { return append(b[:len(b)-len(b)%(32<<10)], 1, 0, 0, 0, 0, 0, 0) })
		},
		"a folder in it": func(t *testing.T, file string) { remove(t, file); mkdir(t, file) },
		"a file instead": func(t *testing.T, file string) {
			remove(t, filepath.Dir(file))
			if err := os.WriteFile(filepath.Dir(file), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			hurt := &machine{t: t, dir: clone(t, m.dir), paused: true}
			damage(t, files(t, hurt.dir, "chunk_snapshot.*/0*")[0])
			if found, err := mend.Folder(hurt.dir, discard); err != nil || len(found) > 0 {
				t.Errorf("%v, %v", found, err)
			}
			hurt.open()
			hurt.check(what, m.known)
			hurt.close()
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o750); err != nil {
		t.Fatal(err)
	}
}
