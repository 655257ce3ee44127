package slo_test

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store"
)

// With the race detector a draw takes eight times as long, so there are fewer unless the
// command line says how many; scripts/prove.sh makes many more.
func TestMain(m *testing.M) {
	if raceDetector {
		if err := flag.Set("rapid.checks", "25"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

func availability(objective string) string { return document([]string{objective, "28d"}) }

// From the sample that turns the condition true to the alert in under a second, of
// a clock that stands still while somebody computes: what is held to it is how long the engine waits.
func TestRunSendsAnAlertWithinASecondOfTheSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, availability("99.5"))
		w.now = time.Now().Add(-2 * time.Hour).Truncate(15 * time.Second)
		for w.now.Before(time.Now().Add(-15 * time.Second)) {
			w.traffic(15*time.Second, 15*time.Second, 100, 0)
		}
		arrivals := make(chan struct{}, 1)
		sent := make(chan time.Time, 10)
		engine, err := slo.New(w.cfg, slo.Deps{
			Catalog: w.catalog, Querier: promexpr.NewEvaluator(w.db, 10*time.Second, nil), Results: w.db, Records: w.records,
			Alerts:   senderFunc(func(notify.Alert) { sent <- time.Now() }),
			Arrivals: func() (<-chan struct{}, func()) { return arrivals, func() {} },
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := engine.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		defer wg.Wait()
		defer cancel()
		time.Sleep(30 * time.Second)
		if s, err := engine.SLO(ctx, "edge-ok"); err != nil || s.State != model.SLOOK || len(sent) > 0 {
			t.Fatalf("%+v, %v, %d alerts without a cause", s, err, len(sent))
		}
		w.now = time.Now().Add(-time.Second)
		w.traffic(time.Second, time.Second, 0, 60*60*100) // an hour's worth of failures at once
		began := time.Now()
		arrivals <- struct{}{}
		time.Sleep(time.Second)
		if len(sent) == 0 {
			t.Fatal("no alert within a second")
		}
		t.Logf("the alert came after %s", (<-sent).Sub(began))
	})
}

type senderFunc func(notify.Alert)

func (f senderFunc) Send(_ context.Context, alerts ...notify.Alert) error {
	for _, a := range alerts {
		f(a)
	}
	return nil
}

func TestAnAlertNamesFiguresLinkAndRunbook(t *testing.T) {
	doc := strings.Replace(availability("99.5"), "displayName: Edge answers}", "displayName: Edge answers, labels: {team: a, env: prod, 'not a label': x}, annotations: {runbook: 'https://run/edge'}}", 1)
	w := newWorld(t, doc)
	w.traffic(2*time.Hour, 15*time.Second, 100, 0)
	w.traffic(10*time.Minute, 15*time.Second, 0, 100)
	w.settle()
	var a notify.Alert
	for _, s := range w.sent {
		if s.Labels["alertname"] == "SLOBurnRateFast" {
			a = s
		}
	}
	want := model.Labels{
		"alertname": "SLOBurnRateFast", "slo": "edge-ok", "service": "edge", "severity": "critical", "env": "prod", "team": "a", "not_a_label": "x",
		"long_window": "1h", "short_window": "5m",
	}
	if len(a.Labels) != len(want) {
		t.Errorf("labels %v, want %v", a.Labels, want)
	}
	for k, v := range want {
		if a.Labels[k] != v {
			t.Errorf("label %s is %q, want %q", k, a.Labels[k], v)
		}
	}
	if a.Annotations["link"] != "http://box:4300/slos/edge-ok" || a.Annotations["runbook"] != "https://run/edge" || a.Annotations["threshold"] != "14" ||
		!strings.Contains(a.Annotations["description"], "(limit 14×)") || !strings.HasPrefix(a.Annotations["summary"], "Edge answers burns its budget ") {
		t.Errorf("annotations %v", a.Annotations)
	}
	// Repeated before it would end by itself, never in between.
	n := len(w.sent)
	w.settle()
	if len(w.sent) != n {
		t.Error("sent again at once")
	}
	w.traffic(time.Minute, 15*time.Second, 0, 100)
	w.settle()
	if len(w.sent) == n || !w.sent[len(w.sent)-1].EndsAt.After(w.now.Add(time.Minute)) {
		t.Error("not sent again after a minute")
	}
}

type refusing struct {
	world *world
	left  int
}

func (r *refusing) Send(ctx context.Context, alerts ...notify.Alert) error {
	if r.left--; r.left >= 0 {
		return errors.New("pipeline is full")
	}
	return r.world.Send(ctx, alerts...)
}

func TestAnAlertThatWasNotTakenIsSentAgain(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	engine, err := slo.New(w.cfg, slo.Deps{
		Catalog: w.catalog, Querier: promexpr.NewEvaluator(w.db, 10*time.Second, nil),
		Alerts: &refusing{world: w, left: 1}, Now: func() time.Time { return w.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.engine = engine
	w.traffic(2*time.Hour, 15*time.Second, 100, 0)
	w.traffic(5*time.Minute, 15*time.Second, 0, 100)
	w.settle()
	w.settle()
	if len(w.sent) == 0 {
		t.Error("the alert is lost")
	}
}

func TestResultsAreMetricsAndMakeTheHistory(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	start := w.now
	w.traffic(3*24*time.Hour, 5*time.Minute, 100, 0)
	w.traffic(time.Hour-15*time.Second, 15*time.Second, 99, 1) // 1 %: 2×
	w.settle()
	w.traffic(15*time.Second, 15*time.Second, 99, 1)
	w.settle()
	q := promexpr.NewEvaluator(w.db, time.Second, nil)
	for expr, want := range map[string]float64{
		`signalbox_slo_objective{slo="edge-ok",service="edge"}`:       0.995,
		`signalbox_slo_burn_rate{slo="edge-ok",window="1h"}`:          2,
		`signalbox_slo_error_ratio{slo="edge-ok",window="1h"}`:        0.01,
		`signalbox_slo_budget_left_ratio{slo="edge-ok",window="28d"}`: 1 - 2.0/28/24,
	} {
		got, err := q.Instant(t.Context(), expr, w.now)
		if err != nil || len(got) != 1 || got[0].Value < want*0.97 || got[0].Value > want*1.03 {
			t.Errorf("%s is %v (%v), want %v", expr, got, err, want)
		}
	}
	h, err := w.engine.SLOHistory(t.Context(), "edge-ok", start.Add(-time.Hour), w.now, time.Hour)
	if err != nil || len(h.Points) != 75 {
		t.Fatalf("%d points, %v", len(h.Points), err)
	}
	if p := h.Points[0]; p.Left != nil || p.Burn != nil || p.Error != nil {
		t.Errorf("before the first data there is a figure: %+v", p)
	}
	if p := h.Points[40]; *p.Left != 1 || *p.Burn != 0 {
		t.Errorf("in peace: left %v, burn %v", *p.Left, *p.Burn)
	}
	if p := h.Points[74]; *p.Left > 0.998 || *p.Burn < 1.9 || *p.Burn > 2.1 {
		t.Errorf("at the end: left %v, burn %v", *p.Left, *p.Burn)
	}
	if now, last := w.slo("edge-ok"), h.Points[len(h.Points)-1]; !last.Time.Equal(now.Time) || *last.Left != now.Budget.LeftRatio {
		t.Errorf("the curve ends with %v left at %s, the SLO has %v left at %s", *last.Left, last.Time, now.Budget.LeftRatio, now.Time)
	}
	if _, err := w.engine.SLOHistory(t.Context(), "nobody", start, w.now, time.Hour); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown SLO: %v", err)
	}
	if _, err := w.engine.SLO(t.Context(), "egde-ok"); !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), "did you mean edge-ok?") {
		t.Errorf("a name with a typing mistake: %v", err)
	}
	var bad interface{ BadRequest() }
	if _, err := w.engine.SLOHistory(t.Context(), "edge-ok", start, w.now, time.Second); !errors.As(err, &bad) {
		t.Errorf("too many points: %v", err)
	}
}

func TestTheCurveOfWhatCannotBeJudgedIsAGap(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	start := w.now
	w.traffic(10*time.Minute, 15*time.Second, 100, 0)
	w.settle()
	if s := w.slo("edge-ok"); s.Doubt != model.DoubtYoung {
		t.Fatalf("%s: %s", s.Doubt, s.Reason)
	}
	h, err := w.engine.SLOHistory(t.Context(), "edge-ok", start, w.now, time.Minute)
	if err != nil || len(h.Points) < 10 {
		t.Fatal(h.Points, err)
	}
	for _, p := range h.Points {
		if p.Left != nil {
			t.Errorf("at %s %v is left of a budget that nobody knows", p.Time, *p.Left)
		}
	}
}

func TestHistoryWrittenLaterIsCounted(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	w.settle() // nothing is there yet
	w.traffic(2*time.Hour, 15*time.Second, 50, 50)
	// As if the whole two hours arrived at once: no evaluation in between.
	w.settle()
	s, err := w.engine.SLO(t.Context(), "edge-ok")
	if err != nil || s.State != model.SLOBurning {
		t.Errorf("state %s: %s (%v)", s.State, s.Reason, err)
	}
	w.engine.Recompute()
	w.settle()
	if again, _ := w.engine.SLO(t.Context(), "edge-ok"); again.Budget.Total != s.Budget.Total {
		t.Errorf("reading again changed %v events to %v", s.Budget.Total, again.Budget.Total)
	}
}

func TestAQueryThatFailsMakesTheSLOInsufficient(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	engine, err := slo.New(w.cfg, slo.Deps{Catalog: w.catalog, Querier: broken{}, Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	w.engine = engine
	w.settle()
	w.now = w.now.Add(time.Minute)
	w.settle()
	s, err := engine.SLO(t.Context(), "edge-ok")
	if err != nil || s.State != model.SLOInsufficient || !strings.Contains(s.Reason, "store is on fire") {
		t.Errorf("%s: %s (%v)", s.State, s.Reason, err)
	}
}

type broken struct{}

func (broken) Instant(context.Context, string, time.Time) ([]model.Sample, error) {
	return nil, errors.New("store is on fire")
}

func (broken) Range(context.Context, string, time.Time, time.Time, time.Duration) ([]model.Series, error) {
	return nil, errors.New("store is on fire")
}

func TestSnapshotsAreThoseOfServiceAndEnvironment(t *testing.T) {
	doc := availability("99.5") + "---\n" + strings.NewReplacer("edge-ok", "edge-prod", "displayName: Edge answers}", "labels: {env: prod}}").Replace(availability("99.9")) +
		"---\n" + strings.NewReplacer("edge-ok", "layout-ok", "service: edge", "service: layout").Replace(availability("99"))
	w := newWorld(t, doc)
	w.settle()
	for _, c := range []struct{ service, env, want string }{
		{"edge", "prod", "edge-ok edge-prod"}, {"edge", "test", "edge-ok"}, {"edge", "", "edge-ok edge-prod"}, {"layout", "prod", "layout-ok"}, {"nobody", "", ""},
	} {
		got, err := w.engine.Snapshots(t.Context(), c.service, c.env)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range got {
			names = append(names, s.Status.Name)
		}
		if strings.Join(names, " ") != c.want {
			t.Errorf("%s in %q: %v, want %s", c.service, c.env, names, c.want)
		}
	}
}

func TestABadReloadKeepsTheLastGoodSetAndSaysSo(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	reg := prometheus.NewRegistry()
	c, err := definition.NewCatalog(slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	patterns := []string{filepath.Join(dir, "*.yaml")}
	write(availability("99.5"))
	if err := c.Reload(patterns); err != nil {
		t.Fatal(err)
	}
	write(strings.Replace(availability("99.5"), "99.5", "100", 1))
	err = c.Reload(patterns)
	if err == nil || !strings.Contains(err.Error(), "a.yaml:8: ") {
		t.Errorf("error %v", err)
	}
	if len(c.Definitions()) != 1 {
		t.Error("the last good set is gone")
	}
	if ps := c.Problems(); len(ps) != 1 || ps[0].Severity != "critical" || !strings.Contains(ps[0].Message, "last good load stay in force") || ps[0].Cure == "" {
		t.Errorf("problems %+v", ps)
	}
	if err := testutil.GatherAndCompare(reg, strings.NewReader("# HELP signalbox_slo_load_failed 1 while SLO files have errors and their last good versions are in force.\n# TYPE signalbox_slo_load_failed gauge\nsignalbox_slo_load_failed 1\n"), "signalbox_slo_load_failed"); err != nil {
		t.Error(err)
	}
	write(availability("99.9"))
	if err := c.Reload(patterns); err != nil || len(c.Problems()) != 0 || c.Definitions()[0].Objective != 0.999 {
		t.Errorf("after mending: %v, %+v", err, c.Problems())
	}
}

func TestAChangedObjectiveKeepsItsHistory(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	w.traffic(2*time.Hour, 15*time.Second, 99, 1)
	w.settle()
	before, _ := w.engine.SLO(t.Context(), "edge-ok")
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte(availability("99.9")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.catalog.Reload([]string{file}); err != nil {
		t.Fatal(err)
	}
	w.settle()
	after, _ := w.engine.SLO(t.Context(), "edge-ok")
	if after.Objective != 0.999 || after.Budget.Total != before.Budget.Total || after.Budget.UsedRatio < 4.9*before.Budget.UsedRatio {
		t.Errorf("before %+v, after %+v", before.Budget, after.Budget)
	}
	if err := w.catalog.Reload(nil); err != nil {
		t.Fatal(err)
	}
	n := len(w.sent)
	w.settle()
	if _, err := w.engine.SLO(t.Context(), "edge-ok"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an SLO that is gone: %v", err)
	}
	for _, a := range w.sent[n:] {
		if a.EndsAt.After(w.now) {
			t.Errorf("an alert of an SLO that is gone goes on: %v", a.Labels)
		}
	}
	if len(w.sent) == n {
		t.Error("its alerts were not resolved")
	}
}

func TestDocumentsThatDoNotFitTogetherAreNamed(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"twice.yaml": availability("99.5") + "---\n" + availability("99.9"),
		"ref.yaml": "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: ref}\nspec:\n  service: edge\n  indicatorRef: availibility\n" +
			"  timeWindow: [{duration: 28d, isRolling: true}]\n  objectives: [{target: 0.9}]\n",
		"sli.yaml":     "apiVersion: openslo/v1\nkind: SLI\nmetadata: {name: availability}\nspec: {thresholdMetric: {metricSource: {spec: {query: up}}}}\n",
		"promql.yaml":  strings.NewReplacer("edge-ok", "promql", `sum(requests_total{service="edge",status="ok"})`, "sum(requests_total").Replace(availability("99")),
		"avg.yaml":     strings.NewReplacer("edge-ok", "avg", `sum(requests_total{service="edge",status="ok"})`, "avg(requests_total)").Replace(availability("99")),
		"nothere.yaml": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	defs, problems := definition.Load([]string{filepath.Join(dir, "*.yaml"), filepath.Join(dir, "missing.yaml")})
	var texts []string
	for _, p := range problems {
		texts = append(texts, p.Error())
	}
	all := strings.Join(texts, "\n")
	for _, want := range []string{
		"SLO edge-ok was defined before, in ", "there is no SLI availibility; did you mean \"availability\"?",
		"SLI availability is used by no SLO", "SLO promql: good query: ", "parse error", "SLO avg: good query: avg over counts", "missing.yaml: there is no such file",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	if len(defs) != 1 || defs[0].Name != "edge-ok" {
		t.Errorf("%d definitions", len(defs))
	}
}
