// Package roster remembers which sealed parts the event store has, beside them: a part whose files are gone
// leaves no other trace, and its rows would be missing without a word.
//
// It neither looks for the parts nor judges what is missing (package events does). In: parts that came and went. Out: the
// parts that an earlier run had. The file is described in docs/formats/events.md.
//
// Invariants: what Change and Reset answered nil for is on the disk. An entry that a crash tore is not an entry. After a
// failed write the file may say less than is true, until Flush or a later change wrote all of it anew. A Roster is not safe for
// concurrent use.
//
// Start reading at Open.
package roster

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// Name is the file's name in the store's folder.
const Name = "PARTS"

const (
	magic    = "SBPRT\x00\x01\n"
	slotSize = 1 + 1 + 8 + 8 + 8 + 8 + 4
	came     = '+'
	went     = '-'
	maxSize  = 256 << 20

	// slack is how many slots more than there are parts the file may have before it is written anew.
	slack = 4096
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrDamaged is the error of a file of which not everything can be read.
var ErrDamaged = errors.New("it is damaged")

// Entry is what is remembered of a part.
type Entry struct {
	Signal           part.Signal
	ID               uint64
	MinTime, MaxTime int64 // Unix ns
	Rows             int64
}

// EntryOf is the entry of a part.
func EntryOf(p *part.Part) Entry {
	return Entry{Signal: p.Signal, ID: p.ID, MinTime: p.MinTime, MaxTime: p.MaxTime, Rows: int64(p.Rows)}
}

// Roster is the file being written.
type Roster struct {
	fs    disk.FS
	path  string
	f     disk.File // nil: the file must be written anew
	live  map[uint64]Entry
	slots int
}

// Open reads what an earlier run remembered, by id. Without a file the error is fs.ErrNotExist, of one
// that is not whole ErrDamaged. In each case the Roster is good, and Reset is what comes next.
func Open(fs disk.FS, path string) (*Roster, map[uint64]Entry, error) {
	r := &Roster{fs: fs, path: path, live: map[uint64]Entry{}}
	text, err := atomicfile.ReadAtMost(path, maxSize)
	if err != nil {
		return r, nil, err
	}
	entries, err := parse(text)
	return r, entries, err
}

// Reset has the parts that are there, and no others, remembered.
func (r *Roster) Reset(there []Entry) error {
	clear(r.live)
	for _, e := range there {
		r.live[e.ID] = e
	}
	return r.rewrite()
}

// Change remembers that parts came and then that others went. A crash may keep a beginning of it.
func (r *Roster) Change(come, gone []Entry) error {
	var b []byte
	for _, e := range come {
		r.live[e.ID] = e
		b = appendSlot(b, came, e)
	}
	for _, e := range gone {
		delete(r.live, e.ID)
		b = appendSlot(b, went, e)
	}
	r.slots += len(come) + len(gone)
	if r.f == nil || r.slots > len(r.live)*2+slack {
		return r.rewrite()
	}
	if len(b) == 0 {
		return nil
	}
	_, err := r.f.Write(b)
	if err == nil {
		err = r.f.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", r.path, err), r.Close())
	}
	return nil
}

// Flush makes good a write that failed.
func (r *Roster) Flush() error { return r.Change(nil, nil) }

// Close closes the file.
func (r *Roster) Close() error {
	if r.f == nil {
		return nil
	}
	err := r.f.Close()
	r.f = nil
	return err
}

func (r *Roster) rewrite() error {
	err := r.Close()
	b := []byte(magic)
	for _, e := range r.live {
		b = appendSlot(b, came, e)
	}
	if err = errors.Join(err, disk.Publish(r.fs, r.path, b)); err != nil {
		return err
	}
	r.slots = len(r.live)
	r.f, err = r.fs.Append(r.path)
	return err
}

func appendSlot(b []byte, kind byte, e Entry) []byte {
	from := len(b)
	b = append(b, kind, byte(e.Signal))
	for _, v := range [...]uint64{e.ID, uint64(e.MinTime), uint64(e.MaxTime), uint64(e.Rows)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

// parse reads a file. What is too short for a slot at its end, and slots at its end that end in zero, are of a write that
// a crash ended.
func parse(b []byte) (map[uint64]Entry, error) {
	entries := map[uint64]Entry{}
	body, ok := b, false
	if len(b) >= len(magic) {
		body, ok = b[len(magic):], string(b[:len(magic)]) == magic
	}
	slots := len(body) / slotSize
	unread, torn := 0, 0
	for slot := range slices.Chunk(body[:slots*slotSize], slotSize) {
		e, kind, good := parseSlot(slot)
		switch {
		case !good && slot[slotSize-1] == 0:
			torn++
			continue
		case !good:
			unread++
		case kind == came:
			entries[e.ID] = e
		default:
			delete(entries, e.ID)
		}
		unread, torn = unread+torn, 0 // something was written after it
	}
	if !ok || unread > 0 {
		return entries, fmt.Errorf("%w: %d of its %d entries cannot be read", ErrDamaged, unread, slots)
	}
	return entries, nil
}

func parseSlot(b []byte) (e Entry, kind byte, ok bool) {
	end := slotSize - 4
	if binary.LittleEndian.Uint32(b[end:]) != crc32.Checksum(b[:end], castagnoli) || b[0] != came && b[0] != went || b[1] > byte(part.Spans) {
		return e, 0, false
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[2+8*i:]) }
	return Entry{Signal: part.Signal(b[1]), ID: at(0), MinTime: int64(at(1)), MaxTime: int64(at(2)), Rows: int64(at(3))}, b[0], true
}

// Missing are the entries whose part is not there, earliest first.
func Missing(entries map[uint64]Entry, there map[uint64]bool) (out []Entry) {
	for id, e := range entries {
		if !there[id] {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Or(cmp.Compare(a.MinTime, b.MinTime), cmp.Compare(a.ID, b.ID)) })
	return out
}
