// Package acked remembers how much of each segment of the TSDB's two logs was acknowledged, beside the logs. A
// newest segment that somebody cut, emptied or deleted looks like one that a crash cut off, which
// lost nothing that anybody was promised; with this list the two can be told apart.
//
// It neither reads the logs' records nor judges (package mend does). In: a segment and how many of its bytes
// are acknowledged, always up to the end of a record (End). Out: the same after a restart.
//
// The file is slots of 21 bytes: the log (1 byte), the segment's number and the bytes (8 each, little-endian), and
// a CRC-32C. The first says when the folders were last looked at (Keep). A slot that does not fit its checksum is free.
//
// Invariants: a slot is written, not synced, after its segment was. So it survives a killed process, and after a
// power cut it says less than was acknowledged, never more. Where it cannot be written it says less,
// too. Safe for concurrent use.
//
// Start reading at File.
package acked

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/prometheus/tsdb/wlog"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
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

const slotSize = 1 + 8 + 8 + 4

// look is the log of the slot that holds the time of the last look, in Unix ms.
const look = "looked"

// Read is what an earlier run remembered, and when it last looked. Without a file that is nothing.
func Read(dir string) (sizes map[Place]int64, looked time.Time, err error) {
	sizes = map[Place]int64{}
	text, err := atomicfile.ReadAtMost(filepath.Join(dir, Name), 16<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return sizes, looked, nil
	}
	if err != nil {
		return sizes, looked, err
	}
	for ; len(text) >= slotSize; text = text[slotSize:] {
		p, size, ok := parse(text[:slotSize])
		switch {
		case ok && p.Log == look:
			looked = time.UnixMilli(size)
		case ok:
			sizes[p] = max(sizes[p], size)
		}
	}
	return sizes, looked, nil
}

// Write replaces what is remembered.
func Write(dir string, sizes map[Place]int64) error {
	text := slot(Place{Log: look}, time.Now().UnixMilli())
	for p, size := range sizes {
		text = append(text, slot(p, size)...)
	}
	return atomicfile.WriteBytes(filepath.Join(dir, Name), 0o640, text)
}

// File is the open list. The nil File remembers nothing.
type File struct {
	mu    sync.Mutex // guards what follows; held for one write of a slot
	f     *os.File
	slots map[Place]int // where each stands
	sizes map[Place]int64
	free  []int
	next  int
}

// Open goes on from what an earlier run remembered.
func Open(dir string) (*File, error) {
	sizes, _, err := Read(dir)
	if err != nil {
		return nil, err
	}
	if err := Write(dir, sizes); err != nil { // in order, without what was no slot
		return nil, err
	}
	a := &File{slots: map[Place]int{}, sizes: map[Place]int64{}, next: 1}
	if a.f, err = os.OpenFile(filepath.Join(dir, Name), os.O_RDWR, 0); err != nil {
		return nil, err
	}
	for p, size := range sizes {
		a.set(p, size)
	}
	return a, nil
}

// Set remembers that the first size bytes of a segment are acknowledged.
func (a *File) Set(p Place, size int64) {
	if a == nil || size <= 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sizes[p] < size {
		a.set(p, size)
	}
}

func (a *File) set(p Place, size int64) {
	i, known := a.slots[p]
	if n := len(a.free); !known && n > 0 {
		i, a.free = a.free[n-1], a.free[:n-1]
	} else if !known {
		i = a.next
		a.next++
	}
	a.slots[p], a.sizes[p] = i, size
	_, _ = a.f.WriteAt(slot(p, size), int64(i*slotSize)) // what is not remembered is not missed
}

// Keep forgets the segments that are not there any more, as the TSDB deletes what stands in blocks.
func (a *File) Keep(exists func(Place) bool) {
	if a == nil {
		return
	}
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for p, i := range a.slots {
		if exists(p) {
			continue
		}
		if _, err := a.f.WriteAt(make([]byte, slotSize), int64(i*slotSize)); err == nil {
			delete(a.slots, p)
			delete(a.sizes, p)
			a.free = append(a.free, i)
		}
	}
	_, _ = a.f.WriteAt(slot(Place{Log: look}, now.UnixMilli()), 0) // with an older time less is missed
}

// Close closes the file.
func (a *File) Close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.f.Close()
}

func slot(p Place, size int64) []byte {
	b := make([]byte, 0, slotSize)
	b = append(b, p.Log[1]) // 'a', 'b' or 'o'
	b = binary.LittleEndian.AppendUint64(b, uint64(p.Segment))
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	return binary.LittleEndian.AppendUint32(b, sum(b))
}

func parse(b []byte) (p Place, size int64, ok bool) {
	body := b[:slotSize-4]
	if sum(body) != binary.LittleEndian.Uint32(b[slotSize-4:]) {
		return p, 0, false
	}
	switch body[0] {
	case Samples[1]:
		p.Log = Samples
	case Late[1]:
		p.Log = Late
	case look[1]:
		p.Log = look
	default:
		return p, 0, false
	}
	p.Segment, size = int(binary.LittleEndian.Uint64(body[1:])), int64(binary.LittleEndian.Uint64(body[9:]))
	return p, size, p.Segment >= 0 && size > 0
}

func sum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
