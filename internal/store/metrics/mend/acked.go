package mend

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/roll"
	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
)

// readAcked reads how much of each segment was acknowledged; a list that cannot be read is moved away.
func (m *mender) readAcked() (err error) {
	m.acked, err = acked.Read(m.dir)
	m.knownBlocks = len(m.acked.Blocks)
	if err == nil {
		return nil
	}
	if errors.Is(err, roll.ErrDamaged) {
		m.note(Damage{File: acked.Name, Reason: err.Error(), List: true})
		return acked.Write(m.dir, m.acked)
	}
	m.note(Damage{File: acked.Name, Reason: "the list of what was acknowledged cannot be read, nothing else is lost: " + err.Error()})
	return m.moveAside(filepath.Join(m.dir, acked.Name))
}

// acknowledged is how many bytes of a segment were acknowledged.
func (m *mender) acknowledged(path string) int64 {
	return m.acked.Segments[m.place(path)].Bytes
}

// place is the segment of a path; one of a checkpoint is none that was acknowledged.
func (m *mender) place(path string) acked.Place {
	var n int
	if _, err := fmt.Sscanf(filepath.Base(path), "%d", &n); err != nil {
		n = -1
	}
	return acked.Place{Log: m.relative(filepath.Dir(path)), Segment: n}
}

// newestAcked is the newest segment of a log of which something was acknowledged, or -1.
func (m *mender) newestAcked(log string) int {
	newest := -1
	for p := range m.acked.Segments {
		if p.Log == log {
			newest = max(newest, p.Segment)
		}
	}
	return newest
}

// allMissing names the segments of a log of which none is there.
func (m *mender) allMissing(log string) {
	for p, e := range m.acked.Segments {
		if p.Log == log {
			m.note(Damage{File: filepath.Join(p.Log, segmentName(p.Segment)), Reason: "the file is missing", Bytes: e.Bytes})
		}
	}
}

// lateMissing names the segments of the log of late samples that were acknowledged and are gone. The TSDB deletes
// older ones, never the newest, after it wrote what they hold to blocks: one that was written last before such a block was made is not
// missed. A block does not say any more that it was of late samples once it was merged with others.
func (m *mender) lateMissing(present []int) {
	inBlocks := maxTime(m.lateWritten, m.merged)
	for p, e := range m.acked.Segments {
		switch {
		case p.Log != acked.Late || slices.Contains(present, p.Segment):
		case len(present) > 0 && p.Segment < present[0] && !inBlocks.Before(e.Written):
		case len(present) > 0 && p.Segment > present[0] && p.Segment < present[len(present)-1]: // oneLog names the gap
		default:
			m.note(Damage{File: filepath.Join(p.Log, segmentName(p.Segment)), Reason: "the file is missing", Bytes: e.Bytes})
		}
	}
}

// blocksMissing names the blocks that were there and are gone. Those that went into others are not missed.
func (m *mender) blocksMissing(present map[ulid.ULID]tsdb.BlockMeta) {
	for _, meta := range present {
		for _, parent := range meta.Compaction.Parents {
			delete(m.acked.Blocks, parent.ULID)
		}
	}
	for id, span := range m.acked.Blocks {
		if _, is := present[id]; is {
			continue
		}
		delete(m.acked.Blocks, id)
		m.note(Damage{
			File: id.String(), Reason: "the block is missing",
			Start: time.UnixMilli(span.Min).UTC(), End: time.UnixMilli(span.Max).UTC(),
		})
	}
}

// wroteLate remembers when a block of late samples was made, and when blocks were merged.
func (m *mender) wroteLate(id ulid.ULID, meta tsdb.BlockMeta) {
	if meta.Compaction.FromOutOfOrder() {
		m.lateWritten = maxTime(m.lateWritten, id.Timestamp())
	}
	if meta.Compaction.Level > 1 {
		m.merged = maxTime(m.merged, id.Timestamp())
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// settle brings the list to what is there, so that the next start does not miss the same again.
func (m *mender) settle() error {
	left := acked.List{Segments: maps.Clone(m.acked.Segments), Blocks: m.acked.Blocks}
	for p, e := range m.acked.Segments {
		info, err := os.Stat(filepath.Join(m.dir, p.Log, segmentName(p.Segment)))
		switch {
		case err != nil || info.Size() == 0:
			delete(left.Segments, p)
		case info.Size() < e.Bytes:
			e.Bytes = info.Size()
			left.Segments[p] = e
		}
	}
	if maps.Equal(left.Segments, m.acked.Segments) && len(left.Blocks) == m.knownBlocks {
		return nil
	}
	if err := acked.Write(m.dir, left); err != nil {
		return fmt.Errorf("write the list of what was acknowledged: %w", err)
	}
	return nil
}
