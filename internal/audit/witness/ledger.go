package witness

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Log is the audit log; store/auditlog is one.
type Log interface {
	AuditEntries(ctx context.Context, q store.AuditQuery) ([]model.AuditEntry, error)
	ExportAudit(ctx context.Context, q store.AuditQuery, yield func(line []byte, e model.AuditEntry) error) error
	Note(e model.AuditEntry)
	Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error)
}

// key names a record among those of all tenants.
type key struct {
	tenant string
	kind   evidence.Kind
	id     string
}

// note is the newest entry about a record.
type note struct {
	entry  int64
	time   time.Time
	digest string
}

// Ledger knows what the audit log notes of every record.
type Ledger struct {
	log   Log
	ready chan struct{} // closed when the log was read

	mu     sync.Mutex
	err    error
	notes  map[key]note
	oldest map[string]time.Time // by tenant: what was made before has no note
	// restored is the newest entry that says that a tenant's database was put back to an older state.
	restored map[string]note
}

// NewLedger makes one that knows nothing until Read has ended.
func NewLedger(log Log) *Ledger {
	return &Ledger{log: log, ready: make(chan struct{}), notes: map[key]note{}, oldest: map[string]time.Time{}, restored: map[string]note{}}
}

// The actions of entries that are about evidence alone.
const (
	actionBegins   = "evidence.begins"
	actionRestored = "state.restored"
)

// Run reads the log once. What is written meanwhile comes by Audit.
func (l *Ledger) Run(ctx context.Context) error {
	_ = l.read(ctx) // whoever asks is told what was wrong
	<-ctx.Done()
	return nil
}

func (l *Ledger) read(ctx context.Context) error {
	defer close(l.ready)
	err := l.log.ExportAudit(ctx, store.AuditQuery{Text: evidence.Begins}, func(_ []byte, e model.AuditEntry) error {
		l.take(e)
		return nil
	})
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.err = fmt.Errorf("what the audit log notes of evidence is not known: %w", err)
	}
	return err
}

// wait ends when the log was read.
func (l *Ledger) wait(ctx context.Context) error {
	select {
	case <-l.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Note hands on to the log: entries that nobody waits for are of no evidence.
func (l *Ledger) Note(e model.AuditEntry) { l.log.Note(e) }

// Audit writes to the log, and remembers what the entry notes.
func (l *Ledger) Audit(ctx context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	out, err := l.log.Audit(ctx, e)
	if err == nil {
		l.take(out)
	}
	return out, err
}

func (l *Ledger) take(e model.AuditEntry) {
	tenant, records, ok := evidence.Noted(e)
	if !ok || strings.HasPrefix(e.Tampered, store.AuditChanged) { // such an entry proves nothing
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Action == actionRestored && e.ID > l.restored[tenant].entry {
		l.restored[tenant] = note{entry: e.ID, time: e.Time}
	}
	if t, ok := l.oldest[tenant]; !ok || e.Time.Before(t) {
		l.oldest[tenant] = e.Time
	}
	for _, r := range records {
		k := key{tenant, r.Kind, r.ID}
		if l.notes[k].entry < e.ID {
			l.notes[k] = note{entry: e.ID, time: e.Time, digest: r.Digest}
		}
	}
}

// of is what is noted of a record.
func (l *Ledger) of(k key) (note, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, ok := l.notes[k]
	return n, ok
}

// within are the records of a kind that were noted in a span of time and not taken away, the newest first.
func (l *Ledger) within(tenant string, kind evidence.Kind, from, to time.Time) (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := map[string]time.Time{}
	for k, n := range l.notes {
		if k.tenant != tenant || k.kind != kind || n.digest == "" || !from.IsZero() && n.time.Before(from) || !to.IsZero() && !n.time.Before(to) {
			continue
		}
		out, at[k.id] = append(out, k.id), n.time
	}
	slices.SortFunc(out, func(a, b string) int {
		if c := at[b].Compare(at[a]); c != 0 {
			return c
		}
		return strings.Compare(b, a)
	})
	return out
}
