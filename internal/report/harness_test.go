package report

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/report/archive"
	"github.com/signalbox-project/signalbox/internal/report/paper"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "rewrite golden files")

// world is a stored history and the records beside it.
type world struct {
	t         testing.TB
	db        *tsdb.DB
	now       time.Time
	defs      []*slo.Definition
	fixes     []model.SLOCorrection
	gone      func() ([]model.SLOCorrection, error)
	deploys   []model.Deploy // newest first, as all records
	pages     []model.Page
	decisions []model.GateDecision
	retention time.Duration
	lateness  time.Duration
	days      memoryDays
	kept      archive.Days // instead of days
	querier   slo.Querier  // instead of one over db
	room      *Reporter
}

func newWorld(t testing.TB, now time.Time, docs string) *world {
	t.Helper()
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = (1000 * archive.DayWidth).Milliseconds()
	opts.MinBlockDuration = (1000 * archive.DayWidth).Milliseconds() // all in the head
	opts.MaxBlockDuration = opts.MinBlockDuration
	db, err := tsdb.Open(t.TempDir(), nil, nil, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, db: db, now: now, defs: define(t, docs)}
	w.start()
	return w
}

func define(t testing.TB, text string) []*slo.Definition {
	t.Helper()
	docs, problems := openslo.Parse("slos.yaml", []byte(text))
	defs, more := definition.Define(docs)
	for _, p := range append(problems, more...) {
		if !p.Warning {
			t.Fatal(p)
		}
	}
	return defs
}

// start makes a new room, as a restart does.
func (w *world) start() {
	w.t.Helper()
	var querier slo.Querier = promexpr.NewEvaluator(w.db, time.Minute, nil)
	if w.querier != nil {
		querier = w.querier
	}
	var days archive.Days = &w.days
	if w.kept != nil {
		days = w.kept
	}
	r, err := New(Deps{
		SLO: slo.DefaultConfig(), Querier: querier, SLOs: w, Policies: w, Corrections: w, Records: w,
		Days: days, Retention: w.retention, Lateness: w.lateness, Now: func() time.Time { return w.now },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.room = r
}

func (w *world) Definitions() []*slo.Definition { return w.defs }
func (w *world) Set() gate.Set                  { return gate.Set{Default: gate.DefaultPolicy()} }

func (w *world) SLOCorrections(context.Context) ([]model.SLOCorrection, error) {
	return slices.Clone(w.fixes), nil
}

func (w *world) GoneSLOCorrections(context.Context) ([]model.SLOCorrection, error) {
	if w.gone == nil {
		return nil, nil
	}
	return w.gone()
}

func within(at, start, end time.Time) bool {
	return !at.Before(start) && (end.IsZero() || at.Before(end))
}

func (w *world) Deploys(_ context.Context, q store.DeployQuery) (out []model.Deploy, _ error) {
	for _, d := range w.deploys {
		if within(d.Time, q.Start, q.End) {
			out = append(out, d)
		}
	}
	return out, nil
}

func (w *world) Pages(_ context.Context, q store.PageQuery) (out []model.Page, _ error) {
	for _, p := range w.pages {
		if within(p.Time, q.Start, q.End) {
			out = append(out, p)
		}
	}
	return out, nil
}

// Decisions answers one at a time, so that cursors are followed.
func (w *world) Decisions(_ context.Context, q store.DecisionQuery) (out []model.GateDecision, next string, _ error) {
	for i, d := range w.decisions {
		if q.Before != "" && fmt.Sprint(i) <= q.Before || !within(d.Time, q.Start, q.End) {
			continue
		}
		return []model.GateDecision{d}, fmt.Sprint(i), nil
	}
	return nil, "", nil
}

type dayKey struct {
	slo, counts string
	day         int64
}

// memoryDays is a Days in memory.
type memoryDays struct {
	mu   sync.Mutex
	rows map[dayKey]store.SLODay
}

func (m *memoryDays) SLODays(_ context.Context, name, counts string, from, to time.Time) (out []store.SLODay, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := from; at.Before(to); at = at.Add(archive.DayWidth) {
		if d, ok := m.rows[dayKey{name, counts, at.Unix()}]; ok {
			out = append(out, d)
		}
	}
	return out, nil
}

func (m *memoryDays) SaveSLODays(_ context.Context, days []store.SLODay) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil {
		m.rows = map[dayKey]store.SLODay{}
	}
	for _, d := range days {
		m.rows[dayKey{d.SLO, d.Counts, d.Day.Unix()}] = d
	}
	return nil
}

func (m *memoryDays) DropSLODays(_ context.Context, before time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, d := range m.rows {
		if d.Day.Before(before) {
			delete(m.rows, k)
		}
	}
	return nil
}

// settled counts rows.
func (m *memoryDays) settled() (settled, all int) {
	for _, d := range m.rows {
		if all++; d.Settled {
			settled++
		}
	}
	return settled, all
}

// traffic says which part of the 600 events of the minute that begins at a
// time were bad; NaN for no sample.
type traffic func(at time.Time) float64

// minutes writes one sample a minute of a pair of counters of each service for
// [from, to), in order of time.
func (w *world) minutes(from, to time.Time, services map[string]traffic) {
	w.t.Helper()
	type counters struct{ good, bad float64 }
	names, state := slices.Sorted(maps.Keys(services)), map[string]*counters{}
	app := w.db.AppenderV2(context.Background())
	write := func(service string, at time.Time, c *counters) {
		for status, v := range map[string]float64{"ok": c.good, "error": c.bad} {
			ls := labels.FromStrings("__name__", "requests_total", "service", service, "status", status)
			if _, err := app.Append(0, ls, 0, at.UnixMilli(), v, nil, nil, storage.AOptions{}); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		for _, name := range names {
			s := services[name](at)
			if math.IsNaN(s) {
				continue
			}
			c := state[name]
			if c == nil {
				c = &counters{}
				state[name] = c
				write(name, at, c)
			}
			c.good, c.bad = c.good+600*(1-s), c.bad+600*s
			write(name, at.Add(time.Minute), c)
		}
		if at.Add(time.Minute).Truncate(archive.DayWidth).After(at) || !at.Add(time.Minute).Before(to) {
			if err := app.Commit(); err != nil {
				w.t.Fatal(err)
			}
			app = w.db.AppenderV2(context.Background())
		}
	}
	if err := app.Rollback(); err != nil {
		w.t.Fatal(err)
	}
}

// since is traffic that begins at a time.
func since(from time.Time, then traffic) traffic {
	return func(at time.Time) float64 {
		if at.Before(from) {
			return math.NaN()
		}
		return then(at)
	}
}

func steady(share float64) traffic { return func(time.Time) float64 { return share } }

// during is value in [from, from+d), and what otherwise says elsewhere.
func during(from time.Time, d time.Duration, value float64, otherwise traffic) traffic {
	return func(at time.Time) float64 {
		if !at.Before(from) && at.Before(from.Add(d)) {
			return value
		}
		if otherwise != nil {
			return otherwise(at)
		}
		return 0
	}
}

func (w *world) report(req paper.Request) paper.Report {
	w.t.Helper()
	if req.Audience == "" {
		req.Audience = audienceCustomer
	}
	r, err := w.room.Report(context.Background(), req)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// sloWork is one SLO of a report.
func sloOf(t testing.TB, r paper.Report, name string) paper.SLO {
	t.Helper()
	i := slices.IndexFunc(r.SLOs, func(p paper.SLO) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("there is no %s in the report", name)
	}
	return r.SLOs[i]
}

// golden compares a report in every format with testdata.
func (w *world) golden(name string, r paper.Report) {
	w.t.Helper()
	for _, format := range []string{"md", "csv", "json", "text"} {
		f, err := w.room.ReportFile(r, format)
		if err != nil {
			w.t.Fatal(err)
		}
		path := filepath.Join("testdata", name+"."+format)
		if *update {
			if err := os.WriteFile(path, f.Content, 0o644); err != nil {
				w.t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			w.t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(f.Content)); d != "" {
			w.t.Errorf("%s differs (-committed +now); go test ./internal/report -update:\n%s", path, d)
		}
	}
}

func availability(service, objective string) string {
	return fmt.Sprintf(`apiVersion: openslo/v1
kind: SLO
metadata: {name: %[1]s-ok, displayName: %[1]s answers, labels: {team: %[1]s}}
spec:
  service: %[1]s
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{targetPercent: %[2]s}]
  indicator:
    spec:
      ratioMetric:
        bad: {metricSource: {spec: {query: 'sum(requests_total{service="%[1]s",status="error"})'}}}
        total: {metricSource: {spec: {query: 'sum(requests_total{service="%[1]s"})'}}}
---
`, service, objective)
}

func utc(year int, month time.Month, day, hour, minute int) time.Time {
	return time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
}

func near(a *float64, b float64) bool { return a != nil && math.Abs(*a-b) < 1e-9 }

// gauge writes a sample every 15 s where on says so.
func (w *world) gauge(name string, from, to time.Time, on func(time.Time) bool) {
	w.t.Helper()
	app := w.db.AppenderV2(context.Background())
	for at := from; at.Before(to); at = at.Add(15 * time.Second) {
		if !on(at) {
			continue
		}
		if _, err := app.Append(0, labels.FromStrings("__name__", name, "slo", "x"), 0, at.UnixMilli(), 1, nil, nil, storage.AOptions{}); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		w.t.Fatal(err)
	}
}
