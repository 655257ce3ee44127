package slo_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/slo/tally"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

// keeper is an engine over a real event store and a real state store.
type keeper struct {
	t       *testing.T
	dir     string
	now     time.Time
	events  *events.DB
	state   *state.Store
	tally   *tally.Tally
	engine  *slo.Engine
	catalog *slo.Catalog
	reads   int
	broken  error
	forget  bool
	trace   byte
}

// noMetrics answers every PromQL query with nothing.
type noMetrics struct{}

func (noMetrics) Instant(context.Context, string, time.Time) ([]model.Sample, error) { return nil, nil }

func (noMetrics) Range(context.Context, string, time.Time, time.Time, time.Duration) ([]model.Series, error) {
	return nil, nil
}

// watched counts the questions to the span store.
type watched struct {
	store.SpanReader
	k *keeper
}

func (w watched) SpanHistogram(ctx context.Context, q store.TraceQuery, step time.Duration, field string) (store.Histogram, error) {
	w.k.reads++
	if w.k.broken != nil {
		return store.Histogram{}, w.k.broken
	}
	if w.k.forget {
		return store.Histogram{}, nil
	}
	return w.SpanReader.SpanHistogram(ctx, q, step, field)
}

// eventSLO is a document over one of the sources.
func eventSLO(source, good, total, more string) string {
	return fmt.Sprintf(`apiVersion: openslo/v1
kind: SLO
metadata: {name: promise}
spec:
  service: layout
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.95}]
  indicator:
    metadata: {name: promise}
    spec:
      ratioMetric:
        good: {metricSource: {type: %s, spec: {query: '%s'}}}
        total: {metricSource: {type: %[1]s, spec: {query: '%[3]s'%[4]s}}}
`, source, good, total, more)
}

const fastLoads = `service:layout name:"GET /layouts" duration:<300ms`

func newKeeper(t *testing.T, doc string) *keeper {
	t.Helper()
	k := &keeper{t: t, dir: t.TempDir(), now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	file := filepath.Join(k.dir, "slo.yaml")
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if k.catalog, err = definition.NewCatalog(nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := k.catalog.Reload([]string{file}); err != nil {
		t.Fatal(err)
	}
	k.open()
	t.Cleanup(k.close)
	return k
}

func (k *keeper) clock() time.Time { return k.now }

func (k *keeper) open() {
	k.t.Helper()
	var err error
	if k.state, err = state.Open(k.t.Context(), state.Config{Dir: filepath.Join(k.dir, "state")}, state.Deps{}); err != nil {
		k.t.Fatal(err)
	}
	if k.events, err = events.Open(events.DefaultConfig(), events.Deps{Dir: filepath.Join(k.dir, "events"), Now: k.clock}); err != nil {
		k.t.Fatal(err)
	}
	if k.tally, err = tally.New(tally.Config{Timeout: 10 * time.Second, Lateness: 2 * time.Minute}, tally.Deps{
		Logs: k.events, Spans: watched{k.events, k}, Deploys: k.state, Now: k.clock,
	}); err != nil {
		k.t.Fatal(err)
	}
	if k.engine, err = slo.New(slo.DefaultConfig(), slo.Deps{
		Catalog: k.catalog, Querier: slo.WithEvents(noMetrics{}, k.tally), Changes: slo.Changes{Events: k.tally}, Records: k.state, Ledgers: k.state, Corrections: k.state, Now: k.clock,
	}); err != nil {
		k.t.Fatal(err)
	}
}

func (k *keeper) close() {
	if err := errors.Join(k.events.Close(), k.state.Close()); err != nil {
		k.t.Error(err)
	}
}

// restart closes the stores and opens them again, with a new engine.
func (k *keeper) restart() {
	k.t.Helper()
	k.engine.Keep(k.t.Context())
	k.close()
	k.open()
}

// loads stores n loads of a layout at a time and tells the tally, as the stream does.
func (k *keeper) loads(at time.Time, n int, took time.Duration) {
	k.t.Helper()
	res := &model.Resource{Tenant: "default", Service: "layout", Region: "eu-1"}
	var spans []model.Span
	for i := range n {
		k.trace++
		spans = append(spans, model.Span{
			TraceID: model.TraceID{1, k.trace, byte(i)}, SpanID: model.SpanID{1, k.trace, byte(i)}, Name: "GET /layouts", Kind: model.SpanKindServer,
			Start: at.Add(time.Duration(i) * time.Millisecond).UnixNano(), Duration: int64(took), Resource: res,
		})
	}
	if err := k.events.AppendSpans(k.t.Context(), spans); err != nil {
		k.t.Fatal(err)
	}
	k.tally.TapSpans(spans)
}

// serve lets minutes pass with so many fast and slow loads in each.
func (k *keeper) serve(minutes, fast, slow int) {
	k.t.Helper()
	for range minutes {
		k.loads(k.now.Add(20*time.Second), fast, 120*time.Millisecond)
		k.loads(k.now.Add(40*time.Second), slow, 700*time.Millisecond)
		k.now = k.now.Add(time.Minute)
	}
}

func (k *keeper) status() model.SLOStatus {
	k.t.Helper()
	if err := k.engine.Settle(k.t.Context(), k.now); err != nil {
		k.t.Fatal(err)
	}
	s, err := k.engine.SLO(k.t.Context(), "promise")
	if err != nil {
		k.t.Fatal(err)
	}
	return s
}

func (k *keeper) counted(bad, total float64) model.SLOStatus {
	k.t.Helper()
	s := k.status()
	if math.Abs(s.Budget.Bad-bad) > 1e-9 || math.Abs(s.Budget.Total-total) > 1e-9 {
		k.t.Fatalf("bad %v of %v, want %v of %v (%s)", s.Budget.Bad, s.Budget.Total, bad, total, s.Reason)
	}
	return s
}

func TestSpansAreCountedByTheFilters(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-spans", fastLoads, `service:layout name:"GET /layouts"`, ""))
	if s := k.status(); s.State != model.SLOInsufficient {
		t.Fatalf("before any data it is %s: %s", s.State, s.Reason)
	}
	k.serve(60, 96, 4)
	// 4 of 100 are slow, where 5 may be: a burn rate of 0.8.
	s := k.counted(240, 6000)
	if s.State != model.SLOOK || s.Source != "spans" || s.Queries.Good != fastLoads || math.Abs(s.Budget.SLI-0.96) > 1e-12 {
		t.Errorf("%s of %s, good %q, SLI %v: %s", s.State, s.Source, s.Queries.Good, s.Budget.SLI, s.Reason)
	}
	for _, b := range s.Burn {
		if b.Window == "5m" && math.Abs(b.Rate-0.8) > 1e-9 {
			t.Errorf("burn rate %v, want 0.8", b.Rate)
		}
	}
	// Coverage is what there is: an hour of 28 days.
	if want := 1.0 / (28 * 24); math.Abs(s.Budget.Coverage-want) > 2e-4 {
		t.Errorf("coverage %v, want about %v", s.Budget.Coverage, want)
	}
	// Silence is no good data: after 5 minutes nothing more is covered, and nobody vouches for it.
	k.now = k.now.Add(11 * time.Minute)
	if s := k.counted(240, 6000); s.State != model.SLOInsufficient {
		t.Errorf("after silence it is %s: %s", s.State, s.Reason)
	}
}

func TestAnEvaluationReadsOnlyTheMinutesThatChanged(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-spans", fastLoads, `service:layout name:"GET /layouts"`, ""))
	k.serve(30, 10, 0)
	k.counted(0, 300)
	k.reads = 0
	for range 50 {
		k.engine.Judge(t.Context(), k.now)
	}
	if k.reads != 0 {
		t.Errorf("%d reads though nothing arrived", k.reads)
	}
	k.loads(k.now.Add(-30*time.Second), 5, time.Second)
	k.engine.Judge(t.Context(), k.now)
	if k.reads != 2 {
		t.Errorf("%d reads, want one of good and one of total", k.reads)
	}
	k.counted(5, 305)
}

func TestLateSpansCountInTheirMinutes(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-spans", fastLoads, `service:layout name:"GET /layouts"`, ""))
	k.serve(600, 10, 0)
	k.counted(0, 6000)
	for i, ago := range []time.Duration{90 * time.Second, 8 * time.Minute, 25 * time.Minute, 5 * time.Hour, 9 * time.Hour} {
		k.loads(k.now.Add(-ago), 2, time.Second)
		k.now = k.now.Add(3 * time.Second)
		k.counted(float64(2*(i+1)), 6000+float64(2*(i+1)))
	}
	// And in the hour in which they happened.
	h, err := k.engine.SLOHistory(t.Context(), "promise", k.now.Add(-5*time.Hour+30*time.Minute).Truncate(time.Minute), k.now, 12*time.Hour)
	if err != nil || h.Points[0].Error == nil || math.Abs(*h.Points[0].Error-2.0/602) > 1e-6 {
		t.Errorf("%+v %v", h.Points, err)
	}
}

func TestARestartLosesNothingThatWasCounted(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-spans", fastLoads, `service:layout name:"GET /layouts"`, ""))
	k.serve(45, 9, 1)
	k.counted(45, 450)
	k.restart()
	k.counted(45, 450)
	k.serve(5, 9, 1)
	k.counted(50, 500)
}

func TestWhatWasCountedStaysWhenTheStoreDropsIt(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-spans", fastLoads, `service:layout name:"GET /layouts"`, ""))
	k.serve(45, 9, 1)
	k.counted(45, 450)
	k.forget = true // as after retention
	k.engine.Recompute()
	k.counted(45, 450)
}

func TestACorrectionTakesSpansOut(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-spans", fastLoads, `service:layout name:"GET /layouts"`, ""))
	k.serve(30, 10, 0)
	from := k.now
	k.serve(10, 0, 10)
	k.serve(20, 10, 0)
	k.counted(100, 600)
	if _, err := k.engine.Correct(t.Context(), model.SLOCorrection{SLO: "promise", Author: "ops", Reason: "move", Start: from, End: from.Add(10 * time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if s := k.counted(0, 500); s.Felt == nil || s.Felt.Bad != 100 {
		t.Errorf("felt %+v", s.Felt)
	}
}

func TestAReplayCountsSpansToo(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-spans", fastLoads, `service:layout name:"GET /layouts"`, ""))
	start := k.now
	k.serve(60, 10, 0)
	k.serve(30, 0, 10)
	r := slo.NewReplay(slo.DefaultConfig(), k.catalog.Definitions()[0], slo.WithEvents(noMetrics{}, k.tally), nil)
	if err := r.Load(t.Context(), start.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	cells, err := r.Read(t.Context(), start.Add(time.Hour), start.Add(90*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	r.Put(cells)
	s, alerts := r.Judge(t.Context())
	if s.Budget.Bad != 300 || s.Budget.Total != 900 || len(alerts) == 0 {
		t.Errorf("bad %v of %v, alerts %v", s.Budget.Bad, s.Budget.Total, alerts)
	}
}

func TestAStoreThatDoesNotAnswerIsNoVerdict(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-spans", fastLoads, `service:layout name:"GET /layouts"`, ""))
	k.serve(30, 10, 0)
	k.counted(0, 300)
	k.broken = errors.New("the disk is gone")
	k.serve(1, 10, 0)
	k.status()
	k.now = k.now.Add(40 * time.Second)
	if s := k.status(); s.State != model.SLOInsufficient || !strings.Contains(s.Reason, "the disk is gone") {
		t.Errorf("%s: %s", s.State, s.Reason)
	}
}

func TestLogsAreCountedByTheFilters(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-logs", `service:worker job:* -level:error`, `service:worker job:*`, ""))
	res := &model.Resource{Tenant: "default", Service: "worker"}
	for i := range 40 {
		level := model.LevelInfo
		if i%20 == 7 {
			level = model.LevelError
		}
		records := []model.LogRecord{
			{Time: k.now.Add(time.Second).UnixNano(), Level: level, Message: "job done", Attrs: model.Attrs{{Key: "job", Value: model.StringValue("sync")}}, Resource: res},
			{Time: k.now.Add(time.Second).UnixNano(), Level: model.LevelError, Message: "no job", Resource: res},
		}
		if err := k.events.AppendLogs(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		k.tally.TapLogs(records)
		k.now = k.now.Add(time.Minute)
	}
	if s := k.counted(2, 40); s.Source != "logs" {
		t.Errorf("source %q", s.Source)
	}
}

const inTime = `kind:deploy status:succeeded duration:<=5m`

func TestDeploymentsAreCountedByHowLongTheyTook(t *testing.T) {
	k := newKeeper(t, eventSLO("signalbox-deploys", inTime, `kind:deploy (status:succeeded OR status:failed OR duration:>5m)`, ""))
	report := func(id, status string, at time.Time) {
		t.Helper()
		if _, err := k.tally.AddDeploy(t.Context(), model.Deploy{ID: id, Service: "edge", Version: "1", Status: status, Time: at}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		id := fmt.Sprint("d", i)
		report(id, "started", k.now)
		took := 3 * time.Minute
		if i == 10 {
			took = 9 * time.Minute
		}
		k.now = k.now.Add(took)
		report(id, "succeeded", k.now)
		k.now = k.now.Add(2*time.Hour - took)
	}
	if s := k.counted(1, 40); s.State != model.SLOOK || s.Source != "deploys" {
		t.Errorf("%s of %s: %s", s.State, s.Source, s.Reason)
	}
	// One that fails is no success, however fast.
	report("f", "started", k.now)
	k.now = k.now.Add(time.Minute)
	report("f", "failed", k.now)
	k.now = k.now.Add(time.Minute)
	k.counted(2, 41)
	// One that hangs counts once it is overdue, and once only when it ends.
	report("h", "started", k.now)
	k.now = k.now.Add(4 * time.Minute)
	k.counted(2, 41)
	k.now = k.now.Add(2 * time.Minute)
	k.counted(3, 42)
	report("h", "succeeded", k.now) // moves by a few minutes, all of them read already
	k.now = k.now.Add(3 * time.Second)
	k.counted(3, 42)
	k.now = k.now.Add(2 * time.Minute)
	k.counted(3, 42)
	// One that somebody reports days later counts where it was.
	at := k.now.Add(-50 * time.Hour)
	if _, err := k.tally.AddDeploy(t.Context(), model.Deploy{Service: "edge", Version: "0", Started: at.Add(-6 * time.Minute), Time: at}); err != nil {
		t.Fatal(err)
	}
	k.now = k.now.Add(3 * time.Second)
	k.counted(4, 43)
	k.restart()
	k.counted(4, 43)
}

func TestWhatIsWrongWithAnEventSourceIsNamed(t *testing.T) {
	good := eventSLO("signalbox-spans", fastLoads, "service:layout", "")
	for name, c := range map[string]struct{ doc, line, want string }{
		"a source that is none":         {strings.Replace(good, "signalbox-spans", "signalbox-span", 1), "13", `did you mean "signalbox-spans"`},
		"a filter that does not parse":  {eventSLO("signalbox-logs", "level:(error", "level:*", ""), "13", "good query: filter, position"},
		"two sources in one ratio":      {strings.Replace(good, "signalbox-spans", "signalbox-logs", 1), "13", "give all of them the same type"},
		"good and total are the same":   {eventSLO("signalbox-spans", "service:a", "service:a", ""), "14", "the same filter as total"},
		"a silence that is too long":    {eventSLO("signalbox-spans", "a", "b", ", quiet: 3h"), "14", "give 1m to 2h"},
		"a key that is none":            {eventSLO("signalbox-spans", "a", "b", ", silence: 3h"), "14", "silence"},
		"a threshold over spans":        {threshold(good), "12", "give good and total of a ratioMetric"},
		"a metric's query has no quiet": {eventSLO("Prometheus", "sum(a)", "sum(b)", ", quiet: 1h"), "14", "quiet"},
	} {
		t.Run(name, func(t *testing.T) {
			docs, problems := openslo.Parse("a.yaml", []byte(c.doc))
			_, more := definition.Define(docs)
			var all []string
			for _, p := range append(problems, more...) {
				all = append(all, p.Error())
			}
			if text := strings.Join(all, "\n"); !strings.Contains(text, "a.yaml:"+c.line+":") || !strings.Contains(text, c.want) {
				t.Errorf("no %q at line %s in\n%s", c.want, c.line, text)
			}
		})
	}
}

func threshold(doc string) string {
	head, _, _ := strings.Cut(strings.Replace(doc, "{target: 0.95}", "{target: 0.95, op: lt, value: 1}", 1), "      ratioMetric:")
	return head + "      thresholdMetric: {metricSource: {type: signalbox-spans, spec: {query: 'service:a'}}}\n"
}

func TestPrometheusRulesOfSpansAreRefusedByName(t *testing.T) {
	docs, problems := openslo.Parse("a.yaml", []byte(eventSLO("signalbox-spans", fastLoads, "service:layout", "")))
	defs, more := definition.Define(docs)
	if len(problems)+len(more) > 0 {
		t.Fatal(problems, more)
	}
	if _, err := definition.PrometheusRules(slo.DefaultConfig().BurnAlerts, defs); err == nil || !strings.Contains(err.Error(), "SLO promise counts spans") {
		t.Errorf("%v", err)
	}
}

func TestSlicesOfSpansAreJudged(t *testing.T) {
	doc := strings.Replace(eventSLO("signalbox-spans", fastLoads, `service:layout name:"GET /layouts"`, ""), "Occurrences", "Timeslices", 1)
	k := newKeeper(t, strings.Replace(doc, "{target: 0.95}", "{target: 0.95, timeSliceTarget: 0.9, timeSliceWindow: 1m}", 1))
	k.serve(40, 19, 1) // 95 % are fast: good minutes
	k.serve(3, 8, 2)   // 80 %: bad ones
	k.counted(3, 43)
}
