package slo

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Replay judges one promise over stored history, a minute or more at a time,
// with the ledger, the arithmetic and the alerts of the engine that judges it
// live; only the reading differs, which is in bulk. It sends, stores and logs nothing.
//
// Where it knows more than the engine did: a gap in the data of up to five minutes is known to have
// ended, and a time slice is judged by its whole. It is not safe for concurrent use.
type Replay struct {
	engine  *Engine
	promise *promise
	querier Querier
	outbox  outbox

	corrections []model.SLOCorrection
}

// outbox takes what the engine would have sent.
type outbox struct{ alerts []notify.Alert }

// Send is notify.Sender's.
func (o *outbox) Send(_ context.Context, alerts ...notify.Alert) error {
	o.alerts = append(o.alerts, alerts...)
	return nil
}

// NewReplay makes a replay of a promise whose alerts carry the external labels; Load comes first.
func NewReplay(cfg Config, d *Definition, q Querier, external map[string]string) *Replay {
	r := &Replay{querier: q}
	if d.Grouping != nil { // a replay counts all groups together: alone they are replayed by what Narrow makes
		whole := *d
		whole.Grouping = nil
		d = &whole
	}
	r.promise = newPromise(d, nil, store.SLORecord{})
	r.engine = &Engine{cfg: cfg, log: slog.New(slog.DiscardHandler), metrics: newMetrics(), promises: []*promise{r.promise}}
	r.engine.deps.Alerts, r.engine.deps.ExternalLabels = &r.outbox, external
	return r
}

// Correct takes spans of time out of the promise; it comes before Load.
func (r *Replay) Correct(list []model.SLOCorrection) { r.corrections = list }

// Load reads the window of history that ends at start, a full minute.
func (r *Replay) Load(ctx context.Context, start time.Time) error {
	p := r.promise
	p.setSealed(start)
	p.rescan(start)
	p.correct(r.corrections)
	for len(p.queue) > 0 {
		if err := p.scan(ctx, r.querier, start); err != nil {
			return err
		}
	}
	if last, ok := p.ledger.Last(); ok {
		p.lastData = last
	}
	return nil
}

// Read reads the minutes of (from, to], both full minutes, for Put.
func (r *Replay) Read(ctx context.Context, from, to time.Time) ([]ledger.Cell, error) {
	return r.promise.def.Measure.Cells(ctx, r.querier, from, to, time.Minute)
}

// Put adds the minutes that follow what was loaded or put before.
func (r *Replay) Put(cells []ledger.Cell) {
	p := r.promise
	p.put(ledger.Minute, p.sealed, cells)
	for i, c := range cells {
		if c.Minutes > 0 {
			p.lastData = p.sealed.Add(time.Duration(i+1) * time.Minute)
		}
	}
	p.setSealed(p.sealed.Add(time.Duration(len(cells)) * time.Minute))
}

// Judge says how the promise stands after what was put, and which alerts begin
// or end now; those that go on are repeated.
func (r *Replay) Judge(ctx context.Context) (model.SLOStatus, []notify.Alert) {
	r.outbox.alerts = r.outbox.alerts[:0]
	now := r.promise.sealed
	s := r.engine.conclude(r.promise, now)
	r.engine.sendAlerts(ctx, r.engine.promises, now)
	slices.SortFunc(r.outbox.alerts, func(a, b notify.Alert) int { return strings.Compare(a.Labels["alertname"], b.Labels["alertname"]) })
	return s, r.outbox.alerts
}

// Snapshots is the promise as Judge found it last, if a deployment of a service
// to an environment concerns it; see Engine.Snapshots.
func (r *Replay) Snapshots(ctx context.Context, service, environment string) ([]model.SLOSnapshot, error) {
	return r.engine.Snapshots(ctx, service, environment)
}
