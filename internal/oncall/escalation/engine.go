package escalation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// atOnce is how many pages are worked on at a time: each may wait for a channel.
	atOnce = 64
	// resync is how often pages are looked for of which nobody told.
	resync = time.Minute
	// firingAtOnce is how many of them are read at a time.
	firingAtOnce = 1000
	// keep is how long the record of a page that is over is kept.
	keep = 180 * 24 * time.Hour
	// patience is how long a page waits whose record could not be read or written.
	patience = 5 * time.Second
)

// Pages has the pages; store/state does.
type Pages interface {
	Page(ctx context.Context, id string) (model.Page, error)
	Pages(ctx context.Context, q store.PageQuery) ([]model.Page, error)
	AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error)
}

// Room has the roster in force and says who is on call; oncall.Room does.
type Room interface {
	Value() oncall.Roster
	OnCall(ctx context.Context, schedule string, at time.Time) (oncall.Person, bool, error)
}

// Owners says whose a service is, and by which policy they want to be paged for it; "" where nobody says.
type Owners interface {
	Owner(service, namespace string) (team, policy string)
}

// Deps is what an Engine is given.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Pages      Pages
	Documents  store.DocumentStore
	Room       Room
	Courier    notify.Courier // nil: nobody can be told
	// Silences are those of an alert; nil: there are none.
	Silences func(ctx context.Context, labels model.Labels) []string
	Owners   Owners // nil: the label team says it
	// Link is where whom a message goes to acknowledges a page; nil makes no links.
	Link func(page model.Page, to notify.Recipient) (string, error)
	// External is where people see the UI; "" gives no links.
	External string
	// Audit keeps what people did from where they were told.
	Audit func(context.Context, model.AuditEntry)
	Now   func() time.Time // nil means time.Now
}

// Engine escalates. It is safe for concurrent use; Run does the work.
type Engine struct {
	deps    Deps
	log     *slog.Logger
	now     func() time.Time
	limits  limiter
	metrics metrics

	mu      sync.Mutex           // guards what follows
	pending map[string]time.Time // pages to look at, and not before when
	running map[string]func()    // what stops the sending for pages that are worked on
	wake    chan struct{}
}

type metrics struct {
	messages  *prometheus.CounterVec
	unreached *prometheus.CounterVec
	failures  prometheus.Counter
}

// New makes an Engine.
func New(deps Deps) (*Engine, error) {
	if deps.Pages == nil || deps.Documents == nil || deps.Room == nil {
		return nil, errors.New("escalation: it needs pages, documents and the roster")
	}
	e := &Engine{deps: deps, log: instrument.Logger(deps.Logger), pending: map[string]time.Time{}, running: map[string]func(){}, wake: make(chan struct{}, 1)}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	// Without the monotonic clock, so that a wall clock that goes back is seen.
	e.now = func() time.Time { return deps.Now().Round(0) }
	e.metrics = metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_oncall_messages_total", Help: "Messages of escalations by kind of message, channel and outcome (delivered, failed).",
		}, []string{"kind", "channel", "outcome"}),
		unreached: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_oncall_unreached_total", Help: "Pages whose escalation came to its end: nobody could be told (undelivered), or nobody took it (unanswered).",
		}, []string{"reason"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_oncall_escalation_failures_total", Help: "Times that a page could not be worked on because its record could not be read or written; it is tried again.",
		}),
	}
	for _, reason := range []string{undelivered, unanswered} {
		e.metrics.unreached.WithLabelValues(reason)
	}
	return e, instrument.Register(deps.Registerer, "escalation", e.metrics.messages, e.metrics.unreached, e.metrics.failures)
}

// Changed has a page looked at that was saved.
func (e *Engine) Changed(p model.Page) {
	e.mu.Lock()
	if stop := e.running[p.ID]; stop != nil && (p.AckedBy != "" || p.Status == "resolved") {
		stop() // what is under way to somebody else is not wanted any more
	}
	e.mu.Unlock()
	e.nudge(p.ID, time.Time{})
}

func (e *Engine) nudge(page string, notBefore time.Time) {
	e.mu.Lock()
	if was, ok := e.pending[page]; !ok || notBefore.Before(was) {
		e.pending[page] = notBefore
	}
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Run escalates until ctx is done.
func (e *Engine) Run(ctx context.Context) error {
	var work sync.WaitGroup
	defer work.Wait()
	last, looked := time.Time{}, time.Time{}
	for ctx.Err() == nil {
		now := e.now()
		if now.Before(last) || now.Sub(looked) >= resync {
			e.find(ctx, now.Before(last) || looked.IsZero(), now)
			looked = now
		}
		last = now
		next := e.start(ctx, now, &work)
		timer := time.NewTimer(min(next, resync))
		select {
		case <-ctx.Done():
		case <-e.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// start begins work on what is due, as far as there is room, and says how long there is nothing to do.
func (e *Engine) start(ctx context.Context, now time.Time, work *sync.WaitGroup) time.Duration {
	wait := resync
	docs, _, err := e.deps.Documents.Documents(ctx, store.DocumentQuery{Kind: kind, Status: activeStatus, Oldest: true, Limit: 4 * atOnce})
	if err != nil && ctx.Err() == nil {
		e.fail("", err)
		wait = patience
	}
	for _, d := range docs {
		if left := d.Time.Sub(now); left > 0 {
			wait = min(wait, left)
			break
		}
		e.mu.Lock()
		if _, known := e.pending[d.ID]; !known {
			e.pending[d.ID] = time.Time{}
		}
		e.mu.Unlock()
	}
	for _, id := range e.take(now, &wait) {
		own, stop := context.WithCancel(ctx)
		e.mu.Lock()
		e.running[id] = stop
		e.mu.Unlock()
		work.Go(func() {
			err := e.reconcile(ctx, own, id)
			stop()
			e.mu.Lock()
			delete(e.running, id)
			e.mu.Unlock()
			if err != nil && ctx.Err() == nil {
				e.fail(id, err)
				e.nudge(id, e.now().Add(patience))
				return
			}
			select { // there is room for another
			case e.wake <- struct{}{}:
			default:
			}
		})
	}
	return wait
}

// take are pages to work on now, which nobody works on yet.
func (e *Engine) take(now time.Time, wait *time.Duration) (out []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, notBefore := range e.pending {
		if left := notBefore.Sub(now); !notBefore.IsZero() && left > 0 && left <= patience {
			*wait = min(*wait, left)
			continue
		}
		if _, busy := e.running[id]; busy || len(e.running)+len(out) >= atOnce {
			continue // its end wakes us
		}
		delete(e.pending, id)
		out = append(out, id)
	}
	return out
}

func (e *Engine) fail(page string, err error) {
	e.metrics.failures.Inc()
	e.log.Error("an escalation could not be worked on and is tried again", "page", page, "err", err)
}

// find looks for pages that fire, and at the start, or after the clock went back, at all records that are not done.
func (e *Engine) find(ctx context.Context, all bool, now time.Time) {
	e.limits.sweep(now)
	pages, err := e.deps.Pages.Pages(ctx, store.PageQuery{Status: "firing", Limit: firingAtOnce})
	for err == nil && len(pages) > 0 {
		for _, p := range pages {
			e.nudge(p.ID, time.Time{})
		}
		if !all || len(pages) < firingAtOnce {
			break
		}
		// Those of the same instant are seen again, unless there is nothing else.
		last := pages[len(pages)-1].Time
		until := last.Add(1)
		if pages[0].Time.Equal(last) {
			until = last
		}
		pages, err = e.deps.Pages.Pages(ctx, store.PageQuery{Status: "firing", Limit: firingAtOnce, End: until})
	}
	if err != nil && ctx.Err() == nil {
		e.fail("", fmt.Errorf("list the pages that fire: %w", err))
	}
	if all {
		for _, status := range []string{idleStatus, activeStatus} {
			e.each(ctx, store.DocumentQuery{Kind: kind, Status: status, Limit: firingAtOnce}, func(d store.Document) { e.nudge(d.ID, time.Time{}) })
		}
	}
	e.each(ctx, store.DocumentQuery{Kind: kind, Status: doneStatus, End: now.Add(-keep), Limit: firingAtOnce}, func(d store.Document) {
		gone := []store.Document{d}
		if ack, err := e.deps.Documents.Document(ctx, ackKind, d.ID); err == nil {
			gone = append(gone, ack)
		}
		for i := range gone {
			gone[i].Gone = true
		}
		if _, err := e.deps.Documents.SaveDocuments(ctx, gone...); err != nil && !errors.Is(err, store.ErrChanged) && ctx.Err() == nil {
			e.fail(d.ID, err)
		}
	})
	e.each(ctx, store.DocumentQuery{Kind: reportKind, End: now.Add(-keep), Limit: firingAtOnce}, func(d store.Document) {
		d.Gone = true
		if _, err := e.deps.Documents.SaveDocuments(ctx, d); err != nil && !errors.Is(err, store.ErrChanged) && ctx.Err() == nil {
			e.fail(d.ID, err)
		}
	})
}

func (e *Engine) each(ctx context.Context, q store.DocumentQuery, do func(store.Document)) {
	for {
		docs, next, err := e.deps.Documents.Documents(ctx, q)
		if err != nil {
			if ctx.Err() == nil {
				e.fail("", err)
			}
			return
		}
		for _, d := range docs {
			do(d)
		}
		if q.Before = next; next == "" {
			return
		}
	}
}
