package slo_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store"
)

// world is an engine over a real metrics store with a clock of its own.
type world struct {
	t        *testing.T
	db       *tsdb.DB
	now      time.Time
	engine   *slo.Engine
	catalog  *slo.Catalog
	records  *memoryRecords
	fixes    *memoryCorrections
	sent     []notify.Alert
	calls    int           // of Send
	pipeline notify.Sender // instead of the world itself
	refuse   string        // the alert name that Send refuses
	cfg      slo.Config
	external map[string]string
	counts   map[string]float64 // by outcome
	minutes  int                // of feeds
	doc      string
	asked    func() []time.Duration // windows that the gate judges by
	during   func()                 // called before each query, and when something is logged
}

func newWorld(t *testing.T, doc string) *world {
	t.Helper()
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = (100 * 24 * time.Hour).Milliseconds()
	db, err := tsdb.Open(t.TempDir(), nil, nil, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{
		t: t, db: db, now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), records: &memoryRecords{by: map[string]store.SLORecord{}},
		fixes: &memoryCorrections{},
		cfg:   slo.DefaultConfig(), counts: map[string]float64{}, doc: doc,
	}
	w.start()
	return w
}

// start makes a new engine over what is stored, as a restart does.
func (w *world) start() {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "slo.yaml")
	if err := os.WriteFile(file, []byte(w.doc), 0o600); err != nil {
		w.t.Fatal(err)
	}
	var err error
	if w.catalog, err = definition.NewCatalog(nil, nil); err != nil {
		w.t.Fatal(err)
	}
	if err := w.catalog.Reload([]string{file}); err != nil {
		w.t.Fatal(err)
	}
	var pipeline notify.Sender = w
	if w.pipeline != nil {
		pipeline = w.pipeline
	}
	w.engine, err = slo.New(w.cfg, slo.Deps{
		Catalog: w.catalog, Querier: onlooker{promexpr.NewEvaluator(w.db, 10*time.Second, nil), w}, Logger: slog.New(onlooker{w: w}), Results: w.db, Alerts: pipeline, Records: w.records, Corrections: w.fixes,
		Asked:       func() []time.Duration { return w.windows() },
		ExternalURL: "http://box:4300", ExternalLabels: w.external, Now: func() time.Time { return w.now },
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// onlooker calls world.during before each query and whenever something is logged.
type onlooker struct {
	*promexpr.Evaluator
	w *world
}

func (q onlooker) call() {
	if q.w.during != nil {
		q.w.during()
	}
}

func (q onlooker) Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error) {
	q.call()
	return q.Evaluator.Instant(ctx, expr, t)
}

func (q onlooker) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	q.call()
	return q.Evaluator.Range(ctx, expr, start, end, step)
}

func (q onlooker) Enabled(context.Context, slog.Level) bool { return true }

func (q onlooker) Handle(context.Context, slog.Record) error {
	q.call()
	return nil
}

func (q onlooker) WithAttrs([]slog.Attr) slog.Handler { return q }

func (q onlooker) WithGroup(string) slog.Handler { return q }

func (w *world) windows() []time.Duration {
	if w.asked == nil {
		return nil
	}
	return w.asked()
}

// Send is notify.Sender's.
func (w *world) Send(_ context.Context, alerts ...notify.Alert) error {
	w.calls++
	if w.refuse != "" && slices.ContainsFunc(alerts, func(a notify.Alert) bool { return a.Labels["alertname"] == w.refuse }) {
		return errors.New("refused")
	}
	w.sent = append(w.sent, alerts...)
	return nil
}

// settle evaluates at the present time.
func (w *world) settle() {
	w.t.Helper()
	if err := w.engine.Settle(w.t.Context(), w.now); err != nil {
		w.t.Fatal(err)
	}
}

// traffic lets time pass with a sample every `every`, counters growing by
// good and bad events a minute.
func (w *world) traffic(d, every time.Duration, good, bad float64) {
	w.t.Helper()
	app := w.db.AppenderV2(context.Background())
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(every)
		w.counts["ok"] += good * every.Minutes()
		w.counts["error"] += bad * every.Minutes()
		for _, status := range []string{"ok", "error"} {
			ls := labels.FromStrings("__name__", "requests_total", "service", "edge", "status", status)
			if _, err := app.Append(0, ls, 0, w.now.UnixMilli(), w.counts[status], nil, nil, storage.AOptions{}); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		w.t.Fatal(err)
	}
}

// gauge lets time pass with a gauge at v.
func (w *world) gauge(d, every time.Duration, v float64) {
	w.t.Helper()
	app := w.db.AppenderV2(context.Background())
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(every)
		ls := labels.FromStrings("__name__", "queue_age_seconds", "service", "edge")
		if _, err := app.Append(0, ls, 0, w.now.UnixMilli(), v, nil, nil, storage.AOptions{}); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		w.t.Fatal(err)
	}
}

type memoryRecords struct{ by map[string]store.SLORecord }

func (m *memoryRecords) SLORecords(context.Context) (out []store.SLORecord, _ error) {
	for _, r := range m.by {
		out = append(out, r)
	}
	return out, nil
}

func (m *memoryRecords) SaveSLORecords(_ context.Context, rs []store.SLORecord) error {
	for _, r := range rs {
		m.by[r.Name] = r
	}
	return nil
}
