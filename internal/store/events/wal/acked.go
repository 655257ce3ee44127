package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/roll"
)

// AckedName is the file of Acked in the store's folder.
const AckedName = "ACKED"

// An entry's kind is the signal's first letter; its numbers are the day (since 1970), the segment's id, and how many bytes of it are
// acknowledged.
func ackedFormat() roll.Format {
	return roll.Format{Magic: "SBACK\x00\x02\n", Key: 2, Slack: 32 << 10, Old: oldAcked}
}

// Acked remembers how much of each segment was acknowledged, beside the segments. A file that is gone, empty or
// shorter than that lost something; without it a segment that somebody cut looks like one that a crash
// cut off.
//
// It is written, not synced, after the segment was: it survives a killed process, and after a power cut it says less
// than was acknowledged, never more. Where it cannot be written it says nothing. Safe for concurrent use.
type Acked struct{ list *roll.Roll }

// OpenAcked reads what an earlier run remembered, as far as it can be read, and goes on from there; errors are those of
// roll.Open.
func OpenAcked(fs roll.FS, path string) (*Acked, map[Name]int64, error) {
	list, found, err := roll.Open(fs, path, ackedFormat())
	sizes := map[Name]int64{}
	for _, e := range found {
		if name, ok := nameOf(e); ok {
			sizes[name] = e.N[2]
		}
	}
	return &Acked{list}, sizes, errors.Join(err, list.Reset(found))
}

// Set remembers that the first size bytes of a segment are acknowledged.
func (a *Acked) Set(name Name, size int64) {
	if e, ok := entryOf(name, size); ok {
		_ = a.list.Note([]roll.Entry{e}, nil) // what is not remembered is not missed
	}
}

// Drop forgets a segment; it comes before the segment is deleted.
func (a *Acked) Drop(name Name) {
	if e, ok := entryOf(name, 0); ok {
		_ = a.list.Note(nil, []roll.Entry{e}) // the part that holds its rows names it, too
	}
}

// Flush makes good a write that failed.
func (a *Acked) Flush() error { return a.list.Flush() }

// Close closes the file.
func (a *Acked) Close() error { return a.list.Close() }

const day = 24 * 60 * 60

func entryOf(name Name, size int64) (roll.Entry, bool) {
	at, err := time.Parse(time.DateOnly, name.Day)
	return roll.Entry{Kind: name.Signal[0], N: [roll.Numbers]int64{at.Unix() / day, int64(name.ID), size}}, err == nil
}

func nameOf(e roll.Entry) (name Name, ok bool) {
	signals := map[byte]string{'l': "logs", 's': "spans"}
	name = Name{Signal: signals[e.Kind], Day: time.Unix(e.N[0]*day, 0).UTC().Format(time.DateOnly), ID: uint64(e.N[1])}
	return name, name.Signal != "" && e.N[2] > 0
}

// oldSlot is the size of a slot of the first format, which had no magic: the signal's first letter, the day as text, id, bytes, and
// a CRC-32C. A slot of zeros was free.
const oldSlot = 1 + len(time.DateOnly) + 8 + 8 + 4

func oldAcked(text []byte) (entries []roll.Entry, ok bool) {
	for ; len(text) >= oldSlot; text = text[oldSlot:] {
		body, id := text[:oldSlot-4], 1+len(time.DateOnly)
		if len(bytes.Trim(text[:oldSlot], "\x00")) == 0 {
			ok = true
			continue
		}
		if roll.Sum(body) != binary.LittleEndian.Uint32(text[oldSlot-4:]) {
			continue
		}
		ok = true
		name := Name{Signal: string(body[:1]), Day: string(body[1:id]), ID: binary.LittleEndian.Uint64(body[id:])}
		if e, is := entryOf(name, int64(binary.LittleEndian.Uint64(body[id+8:]))); is {
			entries = append(entries, e)
		}
	}
	return entries, ok
}
