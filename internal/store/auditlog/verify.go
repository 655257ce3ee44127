package auditlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/signalbox-project/signalbox/internal/model"
)

// maxFaults bounds what a verification lists.
const maxFaults = 50

// walk is one verification.
type walk struct {
	v       model.AuditVerification
	at      end  // the last entry that was seen
	blind   bool // the hash before the next entry is not known: something is missing
	dropped map[end]int64
	missing []missing
}

// missing is entries that are not there, up to the one before a partition that says which hash they ended with.
type missing struct {
	from int64
	to   end
}

func (w *walk) fault(entry int64, format string, args ...any) {
	if len(w.v.Faults) < maxFaults {
		w.v.Faults = append(w.v.Faults, fmt.Sprintf(format, args...))
	}
	if w.v.FirstBad == 0 || entry < w.v.FirstBad {
		w.v.FirstBad, w.v.Fault = entry, fmt.Sprintf(format, args...)
	}
}

// VerifyAudit walks the whole chain, the former log's included, and names what does not fit: entries and months that
// were changed, removed, added or put elsewhere. An error says that it could not be walked.
func (l *Log) VerifyAudit(ctx context.Context) (model.AuditVerification, error) {
	l.retain.RLock() // no month is packed or dropped meanwhile
	defer l.retain.RUnlock()
	w := &walk{dropped: map[end]int64{}}
	if l.former != nil {
		v, err := l.former.VerifyAudit(ctx)
		if err != nil {
			return v, err
		}
		w.at = end{v.Last, v.Hash}
		if w.v.Entries = v.Entries; !v.Intact {
			w.fault(v.FirstBad, "%s", v.Fault)
		}
	}
	parts, size, behind, last := l.snapshot()
	_, bad, err := listPartitions(l.cfg.Dir)
	if err != nil {
		return w.v, l.explain(err)
	}
	for _, b := range bad {
		w.fault(last.ID, "%v", b)
	}
	for i, p := range parts {
		limit := int64(-1)
		if i == len(parts)-1 && size >= 0 {
			limit = size
		}
		if err := w.partition(ctx, p, limit); err != nil {
			return w.v, l.explain(err)
		}
	}
	if w.finish(last); behind > 0 {
		w.fault(last.ID+1, "%d bytes were added behind entry %d, which ends the chain", behind, last.ID)
	}
	w.v.Intact = len(w.v.Faults) == 0
	l.remember(w.v)
	return w.v, nil
}

// snapshot is the chain as it is now: what is added later is not looked at. size is that of the last partition, -1
// where it is not the current one; behind is how much the file has more than was written.
func (l *Log) snapshot() (parts []partition, size, behind int64, last end) {
	l.mu.Lock()
	defer l.mu.Unlock()
	parts = append(parts, l.closed...)
	if l.cur == nil {
		return parts, -1, 0, l.end
	}
	if st, err := os.Stat(l.cur.path); err == nil {
		behind = st.Size() - l.cur.size
	}
	return append(parts, l.cur.partition), l.cur.size, behind, l.end
}

func (w *walk) partition(ctx context.Context, p partition, size int64) error {
	w.enter(p)
	r, err := p.open()
	if err != nil {
		w.fault(w.at.ID+1, "partition %s cannot be read: %v", p.name(), err)
		w.blind = true
		return nil
	}
	defer r.Close()
	var read int64
	for first := true; size < 0 || read < size; first = false {
		line, err := r.line()
		if errors.Is(err, io.EOF) {
			if size >= 0 {
				w.fault(w.at.ID+1, "partition %s is shorter than it was written: it ends after entry %d", p.name(), w.at.ID)
			}
			return nil
		}
		if err != nil {
			w.fault(w.at.ID+1, "partition %s cannot be read behind entry %d: %v", p.name(), w.at.ID, err)
			w.blind = true
			return nil
		}
		read += int64(len(line)) + 1
		if first && isHeader(line, p.header) {
			continue
		}
		w.line(p, line)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// enter compares where a partition says that it goes on with where the chain is.
func (w *walk) enter(p partition) {
	begins := end{p.header.First - 1, p.header.Prev}
	switch {
	case begins.ID > w.at.ID:
		w.missing = append(w.missing, missing{w.at.ID + 1, begins})
	case begins.ID < w.at.ID:
		w.fault(p.header.First, "partition %s begins with entry %d, though entries up to %d come before it", p.name(), p.header.First, w.at.ID)
		w.blind = true
		return
	case begins.Hash != w.at.Hash && !w.blind:
		w.fault(begins.ID, "partition %s goes on from another entry %d than there is: that, or the beginning of the partition, was changed", p.name(), begins.ID)
	}
	w.at, w.blind = begins, false
}

func (w *walk) line(p partition, line []byte) {
	hash, text, err := parseLine(line)
	id, ok := numberOf(text)
	if err != nil || !ok {
		w.fault(w.at.ID+1, "audit entry %d, in partition %s, cannot be read", w.at.ID+1, p.name())
		w.blind = true
		return
	}
	next := w.at.ID + 1
	switch {
	case id < next:
		w.fault(id, "audit entry %d, in partition %s, stands behind entry %d: it was put there", id, p.name(), w.at.ID)
		return
	case id > next:
		if !w.blind || id > next+1 {
			w.fault(next, "audit entries %d to %d, in partition %s, are missing", next, id-1, p.name())
		}
		w.blind = true
	}
	if !w.blind && hashOf(w.at.Hash, text) != hash {
		w.fault(id, "audit entry %d, in partition %s, was changed after it was written, or is not the one that followed entry %d%s", id, p.name(), id-1, whose(text))
	}
	w.at, w.blind = end{id, hash}, false
	if w.v.FirstBad == 0 {
		w.v.Entries++
	}
	if bytes.Contains(text, []byte(actionDropped)) {
		w.drop(text)
	}
}

func whose(text []byte) string {
	e, err := decodeEntry(text)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (%s by %s)", e.Action, e.Actor)
}

// drop remembers that a month was let go of by retention.
func (w *walk) drop(text []byte) {
	e, err := decodeEntry(text)
	if err != nil || e.Action != actionDropped {
		return
	}
	first, err1 := strconv.ParseInt(e.Details["first"], 10, 64)
	last, err2 := strconv.ParseInt(e.Details["last"], 10, 64)
	if err1 == nil && err2 == nil {
		w.dropped[end{last, e.Details["hash"]}] = first
	}
}

// finish judges what is missing: what retention dropped may be.
func (w *walk) finish(last end) {
	for _, m := range w.missing {
		for at := m.to; at.ID >= m.from; {
			if first, ok := w.dropped[at]; ok {
				at = w.droppedBefore(first, m.from)
				continue
			}
			known := w.droppedBefore(at.ID, m.from)
			w.fault(known.ID+1, "audit entries %d to %d are missing: no partition has them", known.ID+1, at.ID)
			at = known
		}
	}
	switch {
	case w.at.ID < last.ID:
		w.fault(w.at.ID+1, "audit entries %d to %d, which ended the chain, are missing", w.at.ID+1, last.ID)
	case w.at != last && !w.blind:
		w.fault(w.at.ID, "audit entry %d is not the one that ended the chain", w.at.ID)
	}
	w.v.Last, w.v.Hash = last.ID, last.Hash
}

// droppedBefore is the last entry of the newest dropped month before an entry, or what stands before from.
func (w *walk) droppedBefore(entry, from int64) end {
	out := end{ID: from - 1}
	for e := range w.dropped {
		if e.ID < entry && e.ID > out.ID {
			out = e
		}
	}
	return out
}

// remember is what Problems and the gauge say from now on.
func (l *Log) remember(v model.AuditVerification) {
	l.notes.mu.Lock()
	was := l.notes.fault
	l.notes.fault = v.Fault
	l.notes.mu.Unlock()
	if v.Intact {
		l.met.intact.Set(1)
		return
	}
	l.met.intact.Set(0)
	if was == "" {
		l.log.Error("the audit log was changed behind Signalbox' back", "first", v.FirstBad, "fault", v.Fault, "faults", len(v.Faults))
	}
}
