package witness

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// grace is how long after a record is stored its note may come.
const grace = time.Minute

// mostGone bounds how many missing records one list names.
const mostGone = 100

// Checker compares the records of a tenant with what the audit log notes of them. A nil one finds nothing.
type Checker struct {
	ledger *Ledger
	tenant string
	now    func() time.Time

	mu      sync.Mutex
	made    []evidence.Record // keys that are to be noted
	touched []string          // by the newest comparison
}

// NewChecker makes one for a tenant; now is time.Now where it is nil.
func NewChecker(l *Ledger, tenant string, now func() time.Time) *Checker {
	if now == nil {
		now = time.Now
	}
	return &Checker{ledger: l, tenant: tenant, now: now}
}

// Check says what is wrong with a record as it is kept, in words that follow its name; "" is nothing.
func (c *Checker) Check(ctx context.Context, r evidence.Record) string {
	if c == nil {
		return ""
	}
	if err := c.ledger.wait(ctx); err != nil {
		return uncompared(err)
	}
	n, known := c.ledger.of(key{c.tenant, r.Kind, r.ID})
	switch {
	case known && n.digest == r.Digest, !known && r.Digest == "":
		return ""
	case known && r.Digest == "":
		return "it was taken out of the database: " + c.lost(n)
	case known && n.digest == "":
		return fmt.Sprintf("it was taken back on %s (entry %d of the audit log) and put into the database again", clock(n.time), n.entry)
	case known:
		return fmt.Sprintf("it was changed in the database: it is not what entry %d of the audit log notes of %s", n.entry, clock(n.time))
	case !c.due(r):
		return ""
	}
	return unknown
}

// named says what is wrong with a record of which only the name is known: that no entry tells of it.
func (c *Checker) named(ctx context.Context, kind evidence.Kind, id string) string {
	if c == nil {
		return ""
	}
	if err := c.ledger.wait(ctx); err != nil {
		return uncompared(err)
	}
	if n, known := c.ledger.of(key{c.tenant, kind, id}); known && n.digest != "" || !c.due(evidence.Record{Kind: kind}) {
		return ""
	}
	return unknown
}

// uncompared is what is said of a record while the log cannot be read.
func uncompared(err error) string { return model.Uncompared + " with the audit log: " + err.Error() }

// unknown is what is said of a record without a note.
const unknown = "no entry of the audit log tells of it: it was put into the database, or the log could not be written when it was made"

// due says whether a record must have a note by now: a key must, as all are noted anew before their notes grow old.
func (c *Checker) due(r evidence.Record) bool {
	c.ledger.mu.Lock()
	oldest, begun := c.ledger.oldest[c.tenant]
	c.ledger.mu.Unlock()
	if t := r.Time; r.Kind != evidence.Key {
		return begun && t.After(oldest) && c.now().Sub(t) > grace
	}
	return begun
}

func (c *Checker) lost(n note) string {
	text := fmt.Sprintf("entry %d of the audit log notes it on %s", n.entry, clock(n.time))
	c.ledger.mu.Lock()
	back, ok := c.ledger.restored[c.tenant]
	c.ledger.mu.Unlock()
	if ok && back.entry > n.entry {
		return text + fmt.Sprintf("; the database was damaged and put back to an older state on %s (entry %d), which may be why", clock(back.time), back.entry)
	}
	return text + "; somebody deleted it, or put an older database in its place"
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Missing is a record that the audit log notes and the database does not have.
type Missing struct {
	ID    string
	Text  string           // what is wrong, in words that follow its name
	Entry model.AuditEntry // that tells of its being written
}

// Gone are the records of a kind that were noted in [from, to), whose zero times are no bounds, and that has does not know. The newest come first.
func (c *Checker) Gone(ctx context.Context, kind evidence.Kind, from, to time.Time, has func(id string) bool) ([]Missing, error) {
	if c == nil {
		return nil, nil
	}
	if err := c.ledger.wait(ctx); err != nil {
		return nil, err
	}
	var out []Missing
	for _, id := range c.ledger.within(c.tenant, kind, from, to) {
		if has(id) {
			continue
		}
		m, err := c.missing(ctx, kind, id)
		if err != nil {
			return out, err
		}
		if out = append(out, m); len(out) == mostGone {
			break
		}
	}
	return out, nil
}

// missing reads the entry that tells of a record that is not there.
func (c *Checker) missing(ctx context.Context, kind evidence.Kind, id string) (Missing, error) {
	n, ok := c.ledger.of(key{c.tenant, kind, id})
	if !ok || n.digest == "" {
		return Missing{}, fmt.Errorf("%s %s: %w", kind, id, store.ErrNotFound)
	}
	list, err := c.ledger.log.AuditEntries(ctx, store.AuditQuery{Before: n.entry + 1, After: n.entry - 1, Limit: 1})
	if err != nil {
		return Missing{}, err
	}
	m := Missing{ID: id, Text: "it was deleted from the database: " + c.lost(n), Entry: model.AuditEntry{ID: n.entry, Time: n.time}}
	if len(list) == 1 {
		m.Entry = list[0]
	}
	return m, nil
}

// begin notes what is kept already, where nothing was noted of a tenant before: of what is older than that nobody can
// say whether it is as it was written, but whoever changes it from now on is found out.
func (c *Checker) begin(ctx context.Context, kept Kept) error {
	if err := c.ledger.wait(ctx); err != nil {
		return err
	}
	c.ledger.mu.Lock()
	_, begun := c.ledger.oldest[c.tenant]
	c.ledger.mu.Unlock()
	if begun {
		return nil
	}
	list, err := records(ctx, kept)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(r evidence.Record) bool { return r.Digest == "" })
	for first := true; first || len(list) > 0; first = false {
		n := min(perEntry, len(list))
		if err := c.say(ctx, actionBegins, nil, list[:n]...); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// perEntry records fit the longest text that an entry keeps.
const perEntry = 80

// say writes an entry that is about evidence alone.
func (c *Checker) say(ctx context.Context, action string, details map[string]string, records ...evidence.Record) error {
	e := model.AuditEntry{Actor: "signalbox", Action: action, Tenant: c.tenant, Subject: "state", Details: details}
	evidence.Note(&e, records...)
	_, err := c.ledger.Audit(ctx, evidence.Stamp(e, c.tenant))
	return err
}

// Stamp says of an entry in whose database the records are that it notes.
func (c *Checker) Stamp(e model.AuditEntry) model.AuditEntry {
	if c == nil {
		return e
	}
	return evidence.Stamp(e, c.tenant)
}
