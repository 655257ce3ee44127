package slo

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Replay judges one SLO over stored history, a minute or more at a time,
// with the ledger, the arithmetic and the alerts of the engine that judges it
// live; only the reading differs, which is in bulk. It sends, stores and logs nothing.
//
// Where it knows more than the engine did: a gap in the data of up to five minutes is known to have
// ended, and a time slice is judged by its whole. It is not safe for concurrent use.
type Replay struct {
	limits    judgement.Limits
	objective *objective
	courier   *courier
	querier   Querier
	outbox    outbox
	log       *slog.Logger
	at        time.Time // full minutes are known up to here
}

// outbox takes what the engine would have sent.
type outbox struct{ alerts []notify.Alert }

// Send is notify.Sender's.
func (o *outbox) Send(_ context.Context, alerts ...notify.Alert) error {
	o.alerts = append(o.alerts, alerts...)
	return nil
}

// NewReplay makes a replay of an SLO whose alerts carry the external labels; Load comes first.
func NewReplay(cfg Config, d *Definition, q Querier, external map[string]string) *Replay {
	if d.Grouping != nil { // a replay counts all groups together: alone they are replayed by what Narrow makes
		whole := *d
		whole.Grouping = nil
		d = &whole
	}
	r := &Replay{limits: cfg.Limits, objective: newObjective(d, nil, store.SLORecord{}), querier: q, log: instrument.Silent()}
	r.courier = &courier{limits: cfg.Limits, resendEvery: time.Duration(cfg.ResendEvery), to: &r.outbox, external: external, log: r.log, metrics: newMetrics()}
	return r
}

// Correct takes spans of time out of the SLO; it comes before Load.
func (r *Replay) Correct(list []model.SLOCorrection) { r.objective.history.Correct(list) }

// Load reads the window of history that ends at start, a full minute.
func (r *Replay) Load(ctx context.Context, start time.Time) error {
	r.at = start
	return r.objective.history.Load(ctx, r.querier, start)
}

// Read reads the minutes of (from, to], both full minutes, for Put.
func (r *Replay) Read(ctx context.Context, from, to time.Time) ([]ledger.Cell, error) {
	return r.objective.def.Measure.Cells(ctx, r.querier, from, to, time.Minute)
}

// Put adds the minutes that follow what was loaded or put before.
func (r *Replay) Put(cells []ledger.Cell) { r.at = r.objective.history.Append(cells) }

// Judge says how the SLO stands after what was put, and which alerts begin
// or end now; those that go on are repeated.
func (r *Replay) Judge(ctx context.Context) (model.SLOStatus, []notify.Alert) {
	r.outbox.alerts = r.outbox.alerts[:0]
	s := r.objective.conclude(r.limits, r.log, r.at)
	r.objective.show(false)
	r.courier.send(ctx, []*objective{r.objective}, r.at)
	slices.SortFunc(r.outbox.alerts, func(a, b notify.Alert) int { return strings.Compare(a.Labels["alertname"], b.Labels["alertname"]) })
	return s, r.outbox.alerts
}

// Snapshot is the SLO as Judge found it last, if a deployment of a service
// to an environment concerns it.
func (r *Replay) Snapshot(service, environment string) (model.SLOSnapshot, bool) {
	return r.objective.snapshot(service, environment)
}
