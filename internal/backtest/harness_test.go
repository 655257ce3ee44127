package backtest

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"go.uber.org/goleak"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/query/promql"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// epoch is the time at which the stories of these tests begin to be told.
var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// past is a stored history and a room over it.
type past struct {
	t       testing.TB
	db      *tsdb.DB
	cfg     slo.Config
	defs    []*slo.Definition
	deploys []model.Deploy
	now     time.Time
}

func newPast(t testing.TB) *past {
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = (200 * 24 * time.Hour).Milliseconds()
	opts.OutOfOrderTimeWindow = (200 * 24 * time.Hour).Milliseconds()
	db, err := tsdb.Open(t.TempDir(), nil, nil, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &past{t: t, db: db, cfg: slo.DefaultConfig(), now: epoch.Add(24 * time.Hour)}
}

func (p *past) room() *Replayer {
	p.t.Helper()
	engine, err := promql.New(promql.DefaultConfig(), promql.Deps{Queryable: p.db})
	if err != nil {
		p.t.Fatal(err)
	}
	r, err := New(Deps{
		SLO: p.cfg, SLOQuerier: promexpr.NewEvaluator(p.db, time.Minute, nil), Querier: engine, Over: func(wrap func(storage.Queryable) storage.Queryable) Querier { return engine.Over(wrap) },
		SLOs: p, Policies: p, Deploys: p, Routing: p, Now: func() time.Time { return p.now },
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *past) Definitions() []*slo.Definition { return p.defs }
func (p *past) Set() gate.Set                  { return gate.Set{Default: gate.DefaultPolicy()} }

func (p *past) Deploys(_ context.Context, q store.DeployQuery) (out []model.Deploy, _ error) {
	for i := len(p.deploys) - 1; i >= 0; i-- { // newest first
		if d := p.deploys[i]; !d.Time.Before(q.Start) && d.Time.Before(q.End) {
			out = append(out, d)
		}
	}
	return out, nil
}

// Destinations is a tree by severity, grouped by SLO and alert name.
func (p *past) Destinations() func(model.Labels) []notify.Destination {
	return func(ls model.Labels) []notify.Destination {
		receiver := map[string]string{"critical": "oncall", "warning": "chat"}[ls["severity"]]
		if receiver == "" {
			receiver = "tickets"
		}
		return []notify.Destination{{Receiver: receiver, Group: model.Labels{"slo": ls["slo"], "alertname": ls["alertname"]}}}
	}
}

// minutes writes one sample a minute of a pair of counters from from on: each
// element is the share of 600 events that were bad in that minute, NaN for no sample.
func (p *past) minutes(service string, from time.Time, bad []float64) {
	p.t.Helper()
	app := p.db.AppenderV2(context.Background())
	var good, failed float64
	write := func(at time.Time) {
		for status, v := range map[string]float64{"ok": good, "error": failed} {
			ls := labels.FromStrings("__name__", "requests_total", "service", service, "status", status)
			if _, err := app.Append(0, ls, 0, at.UnixMilli(), v, nil, nil, storage.AOptions{}); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	write(from)
	for i, share := range bad {
		if !math.IsNaN(share) {
			good, failed = good+600*(1-share), failed+600*share
			write(from.Add(time.Duration(i+1) * time.Minute))
		}
	}
	if err := app.Commit(); err != nil {
		p.t.Fatal(err)
	}
}

// clean is n minutes of share, to be strung together.
func clean(d time.Duration, share float64) []float64 {
	out := make([]float64, d/time.Minute)
	for i := range out {
		out[i] = share
	}
	return out
}

func (p *past) gauge(name string, from time.Time, values []float64) {
	p.t.Helper()
	app := p.db.AppenderV2(context.Background())
	for i, v := range values {
		ls := labels.FromStrings("__name__", name, "service", "edge")
		if math.IsNaN(v) {
			continue
		}
		if _, err := app.Append(0, ls, 0, from.Add(time.Duration(i)*time.Minute).UnixMilli(), v, nil, nil, storage.AOptions{}); err != nil {
			p.t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		p.t.Fatal(err)
	}
}

func document(service, objective, window string) Document {
	return Document{Name: service + ".yaml", Text: fmt.Sprintf(`apiVersion: openslo/v1
kind: SLO
metadata: {name: %[1]s-ok, displayName: %[1]s answers}
spec:
  service: %[1]s
  timeWindow: [{duration: %[3]s, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{targetPercent: %[2]s}]
  indicator:
    spec:
      ratioMetric:
        bad: {metricSource: {spec: {query: 'sum(requests_total{service="%[1]s",status="error"})'}}}
        total: {metricSource: {spec: {query: 'sum(requests_total{service="%[1]s"})'}}}
`, service, objective, window)}
}

// workbook is the table of the SRE workbook for a budget window: factor =
// budget share × window / long.
func workbook(window time.Duration) []slo.BurnAlert {
	row := func(name string, share float64, long, short time.Duration, effect string) slo.BurnAlert {
		return slo.BurnAlert{Name: name, Long: prom.Duration(long), Short: prom.Duration(short), Factor: share * float64(window) / float64(long), Effect: effect}
	}
	return []slo.BurnAlert{
		row("PageFast", 0.02, time.Hour, 5*time.Minute, slo.EffectPage),
		row("PageSlow", 0.05, 6*time.Hour, 30*time.Minute, slo.EffectPage),
		row("TicketFast", 0.1, 24*time.Hour, 2*time.Hour, slo.EffectTicket),
		row("TicketSlow", 0.1, 72*time.Hour, 6*time.Hour, slo.EffectTicket),
	}
}

// result runs a backtest to its end.
func (p *past) result(req Request) *Result {
	p.t.Helper()
	r := p.room()
	plan, err := r.plan(req)
	if err != nil {
		p.t.Fatal(err)
	}
	out, err := r.run(context.Background(), plan, &progress{})
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

const day = 24 * time.Hour
