package diagnose

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/signalbox-project/signalbox/internal/alerting/inforce"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store"
)

// facts is a store of span metrics and everything else a room asks.
type facts struct {
	t       *testing.T
	db      *tsdb.DB
	now     time.Time
	counts  map[string]float64
	deploys []model.Deploy
	slos    []model.SLOStatus
	edges   []model.Edge
	pages   []model.Page
	alerts  []inforce.ActiveAlert
	rules   []inforce.AlertRule
}

func (f *facts) AlertRules() []inforce.AlertRule { return f.rules }

func (f *facts) Silence(_ context.Context, id string) (inforce.Silence, bool) {
	return inforce.Silence{ID: id, CreatedBy: "ada", Comment: "the migration", EndsAt: time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC)}, id == "s1"
}

func (f *facts) Destinations() func(model.Labels) []notify.Destination {
	return func(ls model.Labels) []notify.Destination {
		return []notify.Destination{{Receiver: "team-" + ls["service"]}}
	}
}

func newFacts(t *testing.T) *facts {
	t.Helper()
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = (30 * 24 * time.Hour).Milliseconds()
	db, err := tsdb.Open(t.TempDir(), nil, nil, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &facts{t: t, db: db, now: time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC), counts: map[string]float64{}}
}

func (f *facts) Deploys(_ context.Context, q store.DeployQuery) (out []model.Deploy, _ error) {
	for _, d := range f.deploys {
		if (q.Service == "" || d.Service == q.Service) && !d.Time.Before(q.Start) && d.Time.Before(q.End) {
			out = append(out, d)
		}
	}
	return out, nil
}

func (f *facts) SLOs(context.Context, string) ([]model.SLOStatus, string, error) {
	return f.slos, "", nil
}

func (f *facts) Edges(context.Context, string, store.Range) ([]model.Edge, error) {
	return f.edges, nil
}

func (f *facts) Pages(context.Context, store.PageQuery) ([]model.Page, error) { return f.pages, nil }

func (f *facts) ActiveAlerts(context.Context) ([]inforce.ActiveAlert, error) { return f.alerts, nil }

func (f *facts) room() *Diagnoser {
	f.t.Helper()
	r, err := New(Deps{
		Querier: promexpr.NewEvaluator(f.db, 10*time.Second, nil), SLOs: f, Deploys: f, Edges: f, Pages: f, Alerts: f, Rules: f, Routing: f,
		Now: func() time.Time { return f.now },
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// traffic lets time pass: requests a second, error share and latency of a version.
func (f *facts) traffic(d, every time.Duration, version string, rate, errorRatio, seconds float64) {
	f.t.Helper()
	app := f.db.AppenderV2(context.Background())
	add := func(name, status, le string, inc float64) {
		ls := []string{"__name__", name, "service", "edge", "version", version, "route", "/open", "region", "eu", "kind", "server", "status", status}
		if le != "" {
			ls = append(ls, "le", le)
		}
		l := labels.FromStrings(ls...)
		f.counts[l.String()] += inc
		if _, err := app.Append(0, l, 0, f.now.UnixMilli(), f.counts[l.String()], nil, nil, storage.AOptions{}); err != nil {
			f.t.Fatal(err)
		}
	}
	for end := f.now.Add(d); f.now.Before(end); {
		f.now = f.now.Add(every)
		n := rate * every.Seconds()
		cpu := labels.FromStrings("__name__", "process_cpu_utilization_ratio", "service", "edge", "instance", version)
		if _, err := app.Append(0, cpu, 0, f.now.UnixMilli(), 0.4, nil, nil, storage.AOptions{}); err != nil {
			f.t.Fatal(err)
		}
		for status, part := range map[string]float64{"ok": 1 - errorRatio, "error": errorRatio} {
			add(model.MetricSpanDuration+"_count", status, "", n*part)
			add(model.MetricSpanDuration+"_sum", status, "", n*part*seconds)
			for _, b := range []struct {
				le string
				v  float64
			}{{"0.1", 0.1}, {"1", 1}, {"+Inf", math.Inf(1)}} {
				inc := 0.0
				if seconds <= b.v {
					inc = n * part
				}
				add(model.MetricSpanDuration+"_bucket", status, b.le, inc)
			}
		}
	}
	if err := app.Commit(); err != nil {
		f.t.Fatal(err)
	}
}

func TestAServiceSeenForMinutesIsNotCalledUsual(t *testing.T) {
	f := newFacts(t)
	f.traffic(20*time.Minute, time.Minute, "2.4.0", 10, 0.01, 0.05)
	d, err := f.room().Service(t.Context(), "default", "edge", f.now.Add(-time.Hour), f.now)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(d.Summary, "There is less than an hour of history to compare with: ") {
		t.Errorf("summary %q", d.Summary)
	}
}

func TestAServiceThatBehavesAsUsual(t *testing.T) {
	f := newFacts(t)
	f.edges = []model.Edge{{Client: "edge", Server: "layout"}, {Client: "web", Server: "edge"}, {Client: "a", Server: "b"}}
	f.traffic(25*time.Hour, time.Minute, "2.4.0", 10, 0.01, 0.05)
	d, err := f.room().Service(t.Context(), "default", "edge", f.now.Add(-time.Hour), f.now)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(*d.Rate-10) > 0.1 || math.Abs(*d.ErrorRatio-0.01) > 1e-6 || *d.P95Seconds > 0.1 {
		t.Errorf("rate %v, errors %v, p95 %v", *d.Rate, *d.ErrorRatio, *d.P95Seconds)
	}
	if want := "Nothing unusual: 10 requests/s, 1 % errors, P95 95 ms."; d.Summary != want {
		t.Errorf("summary %q, want %q", d.Summary, want)
	}
	if len(d.DependsOn) != 1 || len(d.UsedBy) != 1 || len(d.Versions) != 1 || d.Versions[0].Value != "2.4.0" || d.Routes[0].Value != "/open" || d.Regions[0].Value != "eu" {
		t.Errorf("depends on %v, used by %v, versions %v, routes %v, regions %v", d.DependsOn, d.UsedBy, d.Versions, d.Routes, d.Regions)
	}
	for name, q := range map[string]string{"rate": d.Queries.Rate, "errors": d.Queries.Errors, "p99": d.Queries.P99, "saturation": d.Queries.Saturation} {
		got, err := f.room().deps.Querier.Instant(t.Context(), q, f.now)
		if err != nil || len(got) != 1 {
			t.Errorf("the %s query %s answers %v, %v", name, q, got, err)
		}
	}
}

func TestErrorsAfterADeploymentAreSaidWithTheirOnsetAndCause(t *testing.T) {
	f := newFacts(t)
	f.traffic(25*time.Hour, time.Minute, "2.4.0", 10, 0.01, 0.05)
	onset := f.now
	f.deploys = []model.Deploy{{Service: "edge", Version: "2.4.1", Kind: "deploy", Status: "succeeded", Time: onset.Add(-20 * time.Second)}}
	f.traffic(20*time.Minute, 15*time.Second, "2.4.1", 10, 0.12, 0.05)
	d, err := f.room().Service(t.Context(), "default", "edge", f.now.Add(-time.Hour), f.now)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(d.Summary, "Errors 12× normal since 15:0") || !strings.Contains(d.Summary, "UTC, right after version 2.4.1.") {
		t.Errorf("summary %q", d.Summary)
	}
	if len(d.Versions) != 2 {
		t.Errorf("versions %v", d.Versions)
	}
	list, err := f.room().Services(t.Context(), "default", f.now.Add(-time.Hour), f.now)
	if err != nil || len(list) != 1 || list[0].LastDeploy == nil || list[0].LastDeploy.Version != "2.4.1" || len(list[0].Versions) != 2 || list[0].SLOState != "none" {
		t.Errorf("services %+v, %v", list, err)
	}
}

func TestSlownessAndLostTrafficAreUnusualToo(t *testing.T) {
	f := newFacts(t)
	f.traffic(25*time.Hour, time.Minute, "1", 10, 0, 0.05)
	f.traffic(20*time.Minute, 15*time.Second, "1", 1, 0, 0.5)
	d, err := f.room().Service(t.Context(), "default", "edge", f.now.Add(-time.Hour), f.now)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(d.Summary, "P95 10") || !strings.Contains(d.Summary, "Traffic is down to 10 % of normal") {
		t.Errorf("summary %q", d.Summary)
	}
}

func TestAServiceWithoutTrafficHasNoFiguresAndAnUnknownOneIsNotFound(t *testing.T) {
	f := newFacts(t)
	if _, err := f.room().Service(t.Context(), "default", "edge", f.now.Add(-time.Hour), f.now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown service: %v", err)
	}
	f.slos = []model.SLOStatus{{Name: "edge-ok", Service: "edge", State: model.SLOInsufficient}}
	d, err := f.room().Service(t.Context(), "default", "edge", f.now.Add(-time.Hour), f.now)
	if err != nil || d.Rate != nil || d.ErrorRatio != nil || d.Summary != "No requests were seen in this range." {
		t.Errorf("silent service: %+v, %v", d, err)
	}
	list, err := f.room().Services(t.Context(), "default", f.now.Add(-time.Hour), f.now)
	if err != nil || len(list) != 1 || list[0].SLOState != "insufficient" || list[0].Rate != nil {
		t.Errorf("services %+v, %v", list, err)
	}
}

func TestWhyWasIPaged(t *testing.T) {
	f := newFacts(t)
	since := f.now.Add(-10 * time.Minute)
	alert := inforce.ActiveAlert{
		Fingerprint: "abc", StartsAt: since,
		Labels:      model.Labels{"alertname": "SLOBurnRateFast", "slo": "edge-ok", "service": "edge", "severity": "critical", "long_window": "1h"},
		Annotations: model.Labels{"description": "21× over 1 h (limit 14×).", "threshold": "14"},
	}
	f.alerts = []inforce.ActiveAlert{alert}
	f.slos = []model.SLOStatus{{Name: "edge-ok", Service: "edge", Burn: []model.Burn{{Window: "1h", Rate: 21}}, Queries: model.SLOQueries{Error: "e[$window]"}}}
	f.deploys = []model.Deploy{{Service: "edge", Version: "2.4.1", Kind: "deploy", Status: "succeeded", Time: since.Add(-time.Minute)}}
	acked := since.Add(3 * time.Minute)
	f.pages = []model.Page{{
		ID: "p1", Time: since.Add(time.Second), Receiver: "primary", AckedBy: "ada", AckedAt: &acked,
		Alerts:     []model.PageAlert{{Fingerprint: "abc", Labels: alert.Labels, StartsAt: since}},
		Deliveries: []model.Delivery{{Channel: "webhook[0]", Time: since.Add(time.Second), Status: "delivered"}},
	}, {ID: "other"}}
	for _, name := range []string{"SLOBurnRateFast", "abc"} {
		e, err := f.room().Explain(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		want := "SLOBurnRateFast for edge-ok has been active since 13:50 UTC, right after version 2.4.1: 21× over 1 h (limit 14×). primary was notified at 13:50 UTC; ada has it."
		if e.Summary != want {
			t.Errorf("summary %q\n    want %q", e.Summary, want)
		}
		if e.Query != "e[1h]" || e.Value == nil || *e.Value != 21 || e.Threshold == nil || *e.Threshold != 14 || len(e.Pages) != 1 {
			t.Errorf("explanation %+v", e)
		}
		var events []string
		for _, ev := range e.Timeline {
			events = append(events, ev.Event)
		}
		if got := strings.Join(events, " | "); got != "deploy of edge 2.4.1 (succeeded) | SLOBurnRateFast became active | primary was notified through webhook[0] | ada acknowledged" {
			t.Errorf("timeline %s", got)
		}
	}
	f.alerts = nil // it is over: the page still tells
	e, err := f.room().Explain(t.Context(), "abc")
	if err != nil || !strings.Contains(e.Summary, "became active at 13:50 UTC") {
		t.Errorf("%q, %v", e.Summary, err)
	}
	if _, err := f.room().Explain(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown alert: %v", err)
	}
}

func TestARuleIsExplainedFromItsExpression(t *testing.T) {
	f := newFacts(t)
	f.traffic(10*time.Minute, 15*time.Second, "1", 10, 0.5, 0.05)
	f.alerts = []inforce.ActiveAlert{{
		Fingerprint: "r", StartsAt: f.now.Add(-time.Minute), Labels: model.Labels{"alertname": "HighErrorRate", "service": "edge"},
		GeneratorURL: `http://box/graph?g0.expr=sum+by+(service)+(rate(signalbox_span_duration_seconds_count{status="error"}[5m]))+>+2&g0.tab=1`,
		SilencedBy:   []string{"s1"},
	}}
	e, err := f.room().Explain(t.Context(), "HighErrorRate")
	if err != nil {
		t.Fatal(err)
	}
	if e.Threshold == nil || *e.Threshold != 2 || e.Value == nil || math.Abs(*e.Value-5) > 0.1 {
		t.Errorf("value %v, threshold %v of %s", e.Value, e.Threshold, e.Query)
	}
	if !strings.Contains(e.Summary, "It is silenced by ada until 2 Mar 16:00 UTC: the migration.") {
		t.Errorf("summary %q", e.Summary)
	}
	f.alerts[0].SilencedBy, f.alerts[0].InhibitedBy = nil, []string{"l"}
	f.alerts[0].HeldBack = "edge depends on layout (edge calls layout), whose alert HighErrorRate has fired since 12:00:00 UTC"
	if e, err = f.room().Explain(t.Context(), "HighErrorRate"); err != nil || !strings.Contains(e.Summary, "Nobody was notified of it: edge depends on layout (edge calls layout), whose") {
		t.Errorf("held back: summary %q, %v", e.Summary, err)
	}
}
