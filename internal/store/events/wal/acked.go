package wal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"os"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

// AckedName is the file of Acked in the store's folder.
const AckedName = "ACKED"

// A slot is one segment: the signal's first letter, the day as 2006-01-02, the segment's id, how many bytes of
// it are acknowledged (8 bytes each, little-endian) and a CRC-32C. A slot of zeros is free.
const slotSize = 1 + len(time.DateOnly) + 8 + 8 + 4

// Acked remembers how much of each segment was acknowledged, beside the segments. A file that is gone, empty or
// shorter than that lost something; without it a segment that somebody cut looks like one that a crash
// cut off.
//
// A slot is written, not synced, after its segment was: it survives a killed process, and after a power cut it says less
// than was acknowledged, never more. Where it cannot be written it says nothing. Safe for concurrent use.
type Acked struct {
	mu    sync.Mutex // held for one write of a slot
	f     *os.File   // nil when nothing can be remembered
	slots map[Name]int
	free  []int
	next  int
}

// OpenAcked reads what an earlier run remembered and goes on from there. An error leaves an
// Acked that remembers nothing.
func OpenAcked(path string) (*Acked, map[Name]int64, error) {
	a := &Acked{slots: map[Name]int{}}
	text, err := atomicfile.ReadAtMost(path, 16<<20)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return a, nil, err
	}
	sizes := map[Name]int64{}
	for ; (a.next+1)*slotSize <= len(text); a.next++ {
		name, size, ok := parseSlot(text[a.next*slotSize : (a.next+1)*slotSize])
		if !ok || sizes[name] != 0 {
			a.free = append(a.free, a.next)
			continue
		}
		sizes[name], a.slots[name] = size, a.next
	}
	a.f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	return a, maps.Clone(sizes), err
}

// Set remembers that the first size bytes of a segment are acknowledged.
func (a *Acked) Set(name Name, size int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.f == nil {
		return
	}
	i, known := a.slots[name]
	if !known {
		if n := len(a.free); n > 0 {
			i, a.free = a.free[n-1], a.free[:n-1]
		} else {
			i = a.next
			a.next++
		}
		a.slots[name] = i
	}
	_, _ = a.f.WriteAt(slot(name, size), int64(i*slotSize)) // what is not remembered is not missed
}

// Drop forgets a segment; it comes before the segment is deleted.
func (a *Acked) Drop(name Name) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i, known := a.slots[name]
	if !known || a.f == nil {
		return
	}
	if _, err := a.f.WriteAt(make([]byte, slotSize), int64(i*slotSize)); err == nil {
		delete(a.slots, name)
		a.free = append(a.free, i)
	}
}

// Close closes the file.
func (a *Acked) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.f == nil {
		return nil
	}
	err := a.f.Close()
	a.f = nil
	return err
}

func slot(name Name, size int64) []byte {
	b := make([]byte, 0, slotSize)
	b = append(b, name.Signal[0])
	b = append(b, name.Day...)
	b = binary.LittleEndian.AppendUint64(b, name.ID)
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func parseSlot(b []byte) (name Name, size int64, ok bool) {
	body := b[:slotSize-4]
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(b[slotSize-4:]) {
		return name, 0, false
	}
	switch body[0] {
	case 'l':
		name.Signal = "logs"
	case 's':
		name.Signal = "spans"
	default:
		return name, 0, false
	}
	name.Day = string(body[1 : 1+len(time.DateOnly)])
	rest := body[1+len(time.DateOnly):]
	name.ID, size = binary.LittleEndian.Uint64(rest), int64(binary.LittleEndian.Uint64(rest[8:]))
	_, err := time.Parse(time.DateOnly, name.Day)
	return name, size, err == nil && size > 0
}
