// Package acked remembers how much of each segment of the TSDB's two logs was acknowledged, and which blocks there are, beside
// them. A newest segment that somebody cut, emptied or deleted looks like one that a crash cut off, which
// lost nothing that anybody was promised, and a block that is gone leaves no trace; with this list they can be told apart.
//
// It neither reads the logs' records nor judges (package mend does), and how entries lie on the disk is package roll's. In: a
// segment, how many of its bytes are acknowledged, always up to the end of a record (End), and when it was written last; blocks. Out: the
// same after a restart.
//
// Invariants: an entry of a segment is written, not synced, after the segment was. So it survives a killed process, and after a
// power cut it says less than was acknowledged, never more. That a block goes is on the disk before it
// goes. Where the list cannot be written it says less, too. Safe for concurrent use.
//
// Start reading at File.
package acked

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb/wlog"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/roll"
)

// Name is the file's name in the folder of the database.
const Name = "ACKED"

// The folders of the two logs.
const (
	Samples = "wal"
	Late    = wlog.WblDirName
)

// Place is one segment of one log.
type Place struct {
	Log     string
	Segment int
}

// Extent is what is known of a segment.
type Extent struct {
	Bytes   int64     // how many are acknowledged
	Written time.Time // when the last of them was written, in whole milliseconds
}

// Span is the time of a block's samples, in Unix ms.
type Span struct{ Min, Max int64 }

// List is what is remembered.
type List struct {
	Segments map[Place]Extent
	Blocks   map[ulid.ULID]Span
}

// An entry is a segment (kind 'a' or 'b', the log's second letter; number, 0, bytes, Unix ms), or a block (kind 'B'; the two
// halves of its name, and its times).
func format() roll.Format {
	return roll.Format{Magic: "SBACK\x00\x03\n", Key: 2, Slack: 32 << 10, Old: old}
}

const block = 'B'

// Read is what an earlier run remembered. Without a file that is nothing; of one that is damaged, roll.ErrDamaged, it is what can be read.
func Read(dir string) (List, error) {
	entries, err := roll.Read(filepath.Join(dir, Name), format())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return listOf(entries), err
}

// Absent reports whether a folder that was in use has no list: it is made before anything else but the lock.
func Absent(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, Name)); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return e.Name() != "lock" && !strings.HasPrefix(e.Name(), Name)
	})
}

// Write replaces what is remembered.
func Write(dir string, l List) error {
	list, _, _ := roll.Open(roll.OS{}, filepath.Join(dir, Name), format()) // what is there is replaced
	return errors.Join(list.Reset(l.entries()), list.Close())
}

func listOf(entries []roll.Entry) List {
	l := List{Segments: map[Place]Extent{}, Blocks: map[ulid.ULID]Span{}}
	for _, e := range entries {
		switch {
		case e.Kind == block:
			l.Blocks[blockOf(e)] = Span{e.N[2], e.N[3]}
		case e.Kind == Samples[1] && e.N[2] > 0:
			l.Segments[Place{Samples, int(e.N[0])}] = extentOf(e)
		case e.Kind == Late[1] && e.N[2] > 0:
			l.Segments[Place{Late, int(e.N[0])}] = extentOf(e)
		}
	}
	return l
}

func (l List) entries() (out []roll.Entry) {
	for p, e := range l.Segments {
		out = append(out, entryOf(p, e))
	}
	for id, s := range l.Blocks {
		out = append(out, entryOfBlock(id, s))
	}
	return out
}

func entryOf(p Place, e Extent) roll.Entry {
	return roll.Entry{Kind: p.Log[1], N: [roll.Numbers]int64{int64(p.Segment), 0, e.Bytes, e.Written.UnixMilli()}}
}

func extentOf(e roll.Entry) Extent { return Extent{Bytes: e.N[2], Written: time.UnixMilli(e.N[3])} }

func entryOfBlock(id ulid.ULID, s Span) roll.Entry {
	return roll.Entry{Kind: block, N: [roll.Numbers]int64{int64(binary.BigEndian.Uint64(id[:8])), int64(binary.BigEndian.Uint64(id[8:])), s.Min, s.Max}} //nolint:gosec // the same bits
}

func blockOf(e roll.Entry) (id ulid.ULID) {
	binary.BigEndian.PutUint64(id[:8], uint64(e.N[0])) //nolint:gosec // the same bits
	binary.BigEndian.PutUint64(id[8:], uint64(e.N[1])) //nolint:gosec // the same bits
	return id
}

// File is the open list. The nil File remembers nothing.
type File struct{ list *roll.Roll }

// Open goes on from what an earlier run remembered.
func Open(dir string) (*File, error) {
	list, entries, err := roll.Open(roll.OS{}, filepath.Join(dir, Name), format())
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, roll.ErrDamaged) {
		return nil, err
	}
	if err := list.Reset(entries); err != nil {
		return nil, err
	}
	return &File{list}, nil
}

// Set remembers that the first bytes of a segment are acknowledged.
func (a *File) Set(p Place, to Extent) {
	if a == nil || to.Bytes <= 0 {
		return
	}
	e := entryOf(p, to)
	if have, known := a.list.Have(e); !known || have.N[2] < e.N[2] {
		_ = a.list.Note([]roll.Entry{e}, nil) // what is not remembered is not missed
	}
}

// Keep forgets the segments that are not there any more, as the TSDB deletes what stands in blocks.
func (a *File) Keep(exists func(Place) bool) {
	if a == nil {
		return
	}
	var gone []roll.Entry
	for p, e := range listOf(a.list.All()).Segments {
		if !exists(p) {
			gone = append(gone, entryOf(p, e))
		}
	}
	if len(gone) > 0 {
		_ = a.list.Note(nil, gone) // then it is excused by the block that holds it
	}
}

// Blocks remembers which blocks stay; what else was known is about to go.
func (a *File) Blocks(stay map[ulid.ULID]Span) error {
	if a == nil {
		return nil
	}
	known := listOf(a.list.All()).Blocks
	var come, gone []roll.Entry
	for id, s := range stay {
		if _, is := known[id]; !is {
			come = append(come, entryOfBlock(id, s))
		}
	}
	for id, s := range known {
		if _, is := stay[id]; !is {
			gone = append(gone, entryOfBlock(id, s))
		}
	}
	if len(come)+len(gone) == 0 {
		return nil
	}
	return a.list.Change(come, gone)
}

// Close closes the file.
func (a *File) Close() error {
	if a == nil {
		return nil
	}
	return a.list.Close()
}
