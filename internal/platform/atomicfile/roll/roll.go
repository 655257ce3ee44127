// Package roll keeps the list of what a store has, beside what it has. What is gone leaves no other
// trace: without the list it would be missing without a word.
//
// It neither looks for what is listed nor judges what is missing. In: entries that came, changed and went. Out:
// those that an earlier run had. An entry is a kind and four numbers, of which the first ones name it.
//
// A file is a magic of 8 bytes and slots of 38: '+' (it came, or is other than before) or '-' (it went), the kind, the numbers (8
// bytes each, little-endian), a CRC-32C of the slot before it. It only grows, and is written anew at every start and when it has grown much.
//
// Invariants: what Reset and Change answered nil for is on the disk; Note is written, not synced: it survives a killed process.
// A slot that a crash tore is no slot. After a failed write the file may say less than is true until a later
// write wrote all of it anew. Safe for concurrent use.
//
// Start reading at Open.
package roll

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"sync"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

// Numbers is how many numbers an entry has.
const Numbers = 4

const (
	slotSize = 1 + 1 + 8*Numbers + 4
	came     = '+'
	went     = '-'
	maxSize  = 256 << 20
)

// ErrDamaged is the error of a file of which not everything can be read.
var ErrDamaged = errors.New("it is damaged")

// Entry is something that a store has.
type Entry struct {
	Kind byte
	N    [Numbers]int64
}

// Format says what a file's entries are like.
type Format struct {
	Magic string // 8 bytes
	// Key is how many numbers name an entry together with its kind; the others may change.
	Key int
	// Slack is how many slots more than needed the file may have before it is written anew.
	Slack int
	// Old reads a file of a release that had another format, if it is one; it may be nil.
	Old func(text []byte) (entries []Entry, ok bool)
}

func (f Format) key(e Entry) Entry {
	for i := f.Key; i < Numbers; i++ {
		e.N[i] = 0
	}
	return e
}

// File is a file being written.
type File interface {
	Write(b []byte) (int, error)
	Sync() error
	Close() error
}

// FS is the way of writing the file.
type FS interface {
	// Replace replaces a file; it is durable then.
	Replace(path string, content []byte) error
	// Append opens a file that exists; writes go to its end.
	Append(path string) (File, error)
}

// OS is the real one.
type OS struct{}

// Replace implements FS.
func (OS) Replace(path string, content []byte) error {
	return atomicfile.WriteBytes(path, 0o640, content)
}

// Append implements FS.
func (OS) Append(path string) (File, error) { return os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0) }

// Roll is the list being written.
type Roll struct {
	fs     FS
	path   string
	format Format

	mu    sync.Mutex // guards what follows; held for one write
	f     File       // nil: the file must be written anew
	live  map[Entry]Entry
	slots int
}

// Open reads what an earlier run had. Without a file the error is fs.ErrNotExist, of one that is not whole ErrDamaged, with
// the entries that can be read. In each case the Roll is good, and Reset is what comes next.
func Open(fs FS, path string, format Format) (*Roll, []Entry, error) {
	r := &Roll{fs: fs, path: path, format: format, live: map[Entry]Entry{}}
	entries, err := Read(path, format)
	return r, entries, err
}

// Read is what Open reads.
func Read(path string, format Format) ([]Entry, error) {
	text, err := atomicfile.ReadAtMost(path, maxSize)
	if err != nil {
		return nil, err
	}
	return parse(text, format)
}

// Reset has these entries and no others remembered.
func (r *Roll) Reset(there []Entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.live)
	for _, e := range there {
		r.live[r.format.key(e)] = e
	}
	return r.rewrite()
}

// Change remembers that entries came and then that others went, durably. A crash may keep a beginning of it.
func (r *Roll) Change(come, gone []Entry) error { return r.write(come, gone, true) }

// Note is Change without bringing it to the disk.
func (r *Roll) Note(come, gone []Entry) error { return r.write(come, gone, false) }

// Flush makes good a write that failed.
func (r *Roll) Flush() error { return r.Change(nil, nil) }

// Have answers the entry that is named as e is.
func (r *Roll) Have(e Entry) (Entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	have, ok := r.live[r.format.key(e)]
	return have, ok
}

// All are the entries, in no order.
func (r *Roll) All() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Entry, 0, len(r.live))
	for _, e := range r.live {
		out = append(out, e)
	}
	return out
}

func (r *Roll) write(come, gone []Entry, sync bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b []byte
	for _, e := range come {
		r.live[r.format.key(e)] = e
		b = appendSlot(b, came, e)
	}
	for _, e := range gone {
		delete(r.live, r.format.key(e))
		b = appendSlot(b, went, e)
	}
	r.slots += len(come) + len(gone)
	if r.f == nil || r.slots > len(r.live)*2+r.format.Slack {
		return r.rewrite()
	}
	if len(b) == 0 {
		return nil
	}
	_, err := r.f.Write(b)
	if err == nil && sync {
		err = r.f.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", r.path, err), r.close())
	}
	return nil
}

// Close closes the file.
func (r *Roll) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.close()
}

func (r *Roll) close() error {
	if r.f == nil {
		return nil
	}
	err := r.f.Close()
	r.f = nil
	return err
}

func (r *Roll) rewrite() error {
	err := r.close()
	b := []byte(r.format.Magic)
	for _, e := range r.live {
		b = appendSlot(b, came, e)
	}
	if err = errors.Join(err, r.fs.Replace(r.path, b)); err != nil {
		return err
	}
	r.slots = len(r.live)
	r.f, err = r.fs.Append(r.path)
	if err != nil {
		r.f = nil
	}
	return err
}

func appendSlot(b []byte, op byte, e Entry) []byte {
	from := len(b)
	b = append(b, op, e.Kind)
	for _, n := range e.N {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	return binary.LittleEndian.AppendUint32(b, Sum(b[from:]))
}

// Sum is the checksum of a slot.
func Sum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// parse reads a file. What is too short for a slot at its end, and slots at its end that end in zero, are of a write that
// a crash ended.
func parse(b []byte, format Format) ([]Entry, error) {
	body, ok := b, false
	if n := len(format.Magic); len(b) >= n {
		body, ok = b[n:], string(b[:n]) == format.Magic
	}
	if !ok && format.Old != nil && len(b) > 0 {
		if entries, is := format.Old(b); is {
			return entries, nil
		}
	}
	entries := map[Entry]Entry{}
	slots := len(body) / slotSize
	unread, torn := 0, 0
	for slot := range slices.Chunk(body[:slots*slotSize], slotSize) {
		e, op, good := parseSlot(slot)
		switch {
		case !good && slot[slotSize-1] == 0:
			torn++
			continue
		case !good:
			unread++
		case op == came:
			entries[format.key(e)] = e
		default:
			delete(entries, format.key(e))
		}
		unread, torn = unread+torn, 0 // something was written after it
	}
	out := make([]Entry, 0, len(entries))
	for _, e := range entries {
		out = append(out, e)
	}
	if !ok || unread > 0 {
		return out, fmt.Errorf("%w: %d of its %d entries cannot be read", ErrDamaged, unread, slots)
	}
	return out, nil
}

func parseSlot(b []byte) (e Entry, op byte, ok bool) {
	end := slotSize - 4
	if binary.LittleEndian.Uint32(b[end:]) != Sum(b[:end]) || b[0] != came && b[0] != went {
		return e, 0, false
	}
	e.Kind = b[1]
	for i := range e.N {
		e.N[i] = int64(binary.LittleEndian.Uint64(b[2+8*i:])) //nolint:gosec // the same bits
	}
	return e, b[0], true
}
