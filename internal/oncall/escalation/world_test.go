package escalation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/store"
)

// world is all that an engine has around it, with a clock that a test moves.
type world struct {
	t      testing.TB
	at     time.Time
	engine *Engine
	room   *oncall.Room

	mu       sync.Mutex
	pages    map[string]model.Page
	docs     map[string]store.Document
	saves    int
	crash    int // the save after which nothing is written any more; 0 never
	down     map[string]bool
	refusing map[string]bool
	silenced bool
	sent     []notify.Message
	audit    []model.AuditEntry
}

func newWorld(t testing.TB, at time.Time, text string) *world {
	t.Helper()
	w := &world{t: t, at: at, pages: map[string]model.Page{}, docs: map[string]store.Document{}, down: map[string]bool{}, refusing: map[string]bool{}}
	file := filepath.Join(t.TempDir(), "oncall.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.room, err = oncall.New(oncall.Deps{State: w, Now: w.now}); err != nil {
		t.Fatal(err)
	}
	if err := w.room.Reload([]string{file}); err != nil {
		t.Fatal(err)
	}
	if p := w.room.Problems(); len(p) > 0 {
		t.Fatalf("%+v", p)
	}
	w.restart()
	return w
}

func (w *world) now() time.Time { return w.at }

// restart begins with a new engine on what was written.
func (w *world) restart() {
	var err error
	w.engine, err = New(Deps{
		Pages: w, Documents: w, Room: w.room, Courier: w, Now: w.now,
		Silences: func(context.Context, model.Labels) []string {
			if w.silenced {
				return []string{"maintenance"}
			}
			return nil
		},
		Audit: func(_ context.Context, e model.AuditEntry) { w.audit = append(w.audit, e) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.crash = 0
	w.engine.find(context.Background(), true, w.at)
}

// drain does all that is due now, one page after the other.
func (w *world) drain() {
	w.t.Helper()
	ctx := context.Background()
	for range 100_000 {
		id, at := w.earliest()
		if at.After(w.at) {
			id = ""
		}
		if pending := slices.Sorted(maps.Keys(w.engine.pending)); len(pending) > 0 {
			id = pending[0]
		}
		if id == "" {
			return
		}
		delete(w.engine.pending, id)
		if err := w.engine.reconcile(ctx, ctx, id); err != nil {
			if errors.Is(err, errCrash) {
				return
			}
			w.t.Fatal(err)
		}
	}
	w.t.Fatal("there is always something due")
}

// until moves the clock to a moment, and does on the way what is due when it is.
func (w *world) until(at time.Time) {
	w.t.Helper()
	w.drain()
	for {
		id, due := w.earliest()
		if id == "" || due.After(at) || w.crashed() {
			break
		}
		if due.After(w.at) {
			w.at = due
		}
		w.drain()
	}
	w.at = at
}

// earliest is the page that is due first.
func (w *world) earliest() (id string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.docs {
		if d.Kind == kind && d.Status == activeStatus && (id == "" || cmp.Or(d.Time.Compare(at), strings.Compare(d.ID, id)) < 0) {
			id, at = d.ID, d.Time
		}
	}
	return id, at
}

var errCrash = errors.New("the process is gone")

func (w *world) crashed() bool { return w.crash > 0 && w.saves >= w.crash }

// page makes or changes a page.
func (w *world) page(id string, change func(*model.Page)) {
	w.mu.Lock()
	p, ok := w.pages[id]
	if !ok {
		p = model.Page{ID: id, DedupKey: "key of " + id, Time: w.at, Status: "firing", Title: "alert " + id, GroupLabels: model.Labels{}}
	}
	change(&p)
	w.pages[id] = p
	w.mu.Unlock()
	w.engine.Changed(p)
}

func (w *world) fire(id string, labels model.Labels) {
	w.page(id, func(p *model.Page) {
		p.Service = labels["service"]
		p.Alerts = []model.PageAlert{{Labels: labels, Status: "firing"}}
	})
}

func (w *world) resolve(id string) {
	w.page(id, func(p *model.Page) { p.Status, p.Alerts[0].Status = "resolved", "resolved" })
}

func (w *world) record(id string) Record {
	w.t.Helper()
	rec, _, ok, err := w.engine.load(context.Background(), id)
	if err != nil || !ok {
		w.t.Fatal(id, ok, err)
	}
	return rec
}

// Page implements Pages.
func (w *world) Page(_ context.Context, id string) (model.Page, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.pages[id]
	if !ok {
		return p, store.ErrNotFound
	}
	return p, nil
}

func (w *world) Pages(_ context.Context, q store.PageQuery) (out []model.Page, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.pages {
		if (q.Status == "" || p.Status == q.Status) && (q.End.IsZero() || p.Time.Before(q.End)) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b model.Page) int { return cmp.Or(b.Time.Compare(a.Time), strings.Compare(b.ID, a.ID)) })
	return out[:min(len(out), q.Limit)], nil
}

func (w *world) AckPage(_ context.Context, id, by string, at time.Time) (model.Page, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, ok := w.pages[id]
	if !ok {
		return p, store.ErrNotFound
	}
	if p.AckedBy == "" {
		p.AckedBy, p.AckedAt = by, &at
	}
	w.pages[id] = p
	return p, nil
}

func (w *world) SaveDocuments(_ context.Context, docs ...store.Document) ([]store.Document, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.crashed() {
		return nil, errCrash
	}
	w.saves++
	for i, d := range docs {
		key := d.Kind + "/" + d.ID
		if w.docs[key].Version != d.Version {
			return nil, fmt.Errorf("%s: %w", key, store.ErrChanged)
		}
		d.Version++
		docs[i] = d
		if w.docs[key] = d; d.Gone {
			delete(w.docs, key)
		}
	}
	return docs, nil
}

func (w *world) Document(_ context.Context, kind, id string) (store.Document, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d, ok := w.docs[kind+"/"+id]
	if !ok {
		return d, store.ErrNotFound
	}
	return d, nil
}

// Documents ignores cursors: the tests have fewer than are answered at once.
func (w *world) Documents(_ context.Context, q store.DocumentQuery) (out []store.Document, _ string, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, d := range w.docs {
		if d.Kind == q.Kind && (q.Status == "" || d.Status == q.Status) && strings.HasPrefix(d.ID, q.Prefix) && (q.End.IsZero() || d.Time.Before(q.End)) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b store.Document) int { return cmp.Or(a.Time.Compare(b.Time), strings.Compare(a.ID, b.ID)) })
	if !q.Oldest {
		slices.Reverse(out)
	}
	return out[:min(len(out), q.Limit)], "", nil
}

// Deliver implements notify.Courier.
func (w *world) Deliver(_ context.Context, m notify.Message, _ func(model.Delivery)) (notify.Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down[m.To.Channel] {
		return notify.Receipt{}, errors.New("the service does not answer")
	}
	if w.refusing[m.To.Address] {
		return notify.Receipt{}, notify.Refused(errors.New("no such address"))
	}
	w.sent = append(w.sent, m)
	return notify.Receipt{ID: fmt.Sprintf("r%d", len(w.sent)), Note: "queued"}, nil
}

func (w *world) Channels() []string { return []string{"email", "push", "slack", "sms", "voice"} }
