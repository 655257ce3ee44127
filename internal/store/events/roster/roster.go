// Package roster remembers which sealed parts the event store has, beside them: a part whose files are gone
// leaves no other trace, and its rows would be missing without a word.
//
// It neither looks for the parts nor judges what is missing (package events does), and how entries lie on the disk is package
// roll's. In: parts that came and went. Out: the parts that an earlier run had.
//
// Start reading at Open.
package roster

import (
	"cmp"
	"slices"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/roll"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// Name is the file's name in the store's folder.
const Name = "PARTS"

// An entry's kind is the signal, and its numbers are id, earliest and latest time and rows.
func format() roll.Format { return roll.Format{Magic: "SBPRT\x00\x01\n", Key: 1, Slack: 4096} }

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

// Roster is the list being written.
type Roster struct{ list *roll.Roll }

// Open reads what an earlier run remembered, by id; errors are those of roll.Open. In each case the Roster is good, and Reset is
// what comes next.
func Open(fs disk.FS, path string) (*Roster, map[uint64]Entry, error) {
	list, found, err := roll.Open(disk.Rolls{FS: fs}, path, format())
	entries := make(map[uint64]Entry, len(found))
	for _, e := range found {
		entries[uint64(e.N[0])] = Entry{Signal: part.Signal(e.Kind), ID: uint64(e.N[0]), MinTime: e.N[1], MaxTime: e.N[2], Rows: e.N[3]}
	}
	return &Roster{list}, entries, err
}

// Reset has the parts that are there, and no others, remembered.
func (r *Roster) Reset(there []Entry) error { return r.list.Reset(slots(there)) }

// Change remembers that parts came and then that others went. A crash may keep a beginning of it.
func (r *Roster) Change(come, gone []Entry) error { return r.list.Change(slots(come), slots(gone)) }

// Flush makes good a write that failed.
func (r *Roster) Flush() error { return r.list.Flush() }

// Close closes the file.
func (r *Roster) Close() error { return r.list.Close() }

func slots(entries []Entry) (out []roll.Entry) {
	for _, e := range entries {
		out = append(out, roll.Entry{Kind: byte(e.Signal), N: [roll.Numbers]int64{int64(e.ID), e.MinTime, e.MaxTime, e.Rows}})
	}
	return out
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
