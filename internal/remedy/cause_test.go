package remedy

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

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/remedy/gitlab"
	"github.com/signalbox-project/signalbox/internal/remedy/kubernetes"
	"github.com/signalbox-project/signalbox/internal/remedy/webhook"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// The comparison over real PromQL and span metrics as processing makes them.
func TestVersionsAreComparedFromSpanMetrics(t *testing.T) {
	db, err := tsdb.Open(t.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	deployed := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
	now := deployed.Add(20 * time.Minute)
	sums := map[string]float64{}
	for at := deployed.Add(-time.Hour); !at.After(now); at = at.Add(15 * time.Second) {
		app := db.AppenderV2(context.Background())
		add := func(version, env, kind, status string, n float64) {
			l := labels.FromStrings("__name__", "signalbox_span_duration_seconds_count", "service", "edge", "version", version, "env", env, "kind", kind, "status", status, "route", "/open")
			sums[l.String()] += n
			if _, err := app.Append(0, l, 0, at.UnixMilli(), sums[l.String()], nil, nil, storage.AOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		version, failing := "1", 0.0
		if at.After(deployed) {
			version, failing = "2", 30
		}
		add(version, "prod", "server", "ok", 100-failing)
		add(version, "prod", "server", "error", failing)
		add(version, "prod", "client", "error", 100)    // calls that edge makes itself
		add(version, "staging", "server", "error", 100) // and another environment
		if err := app.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{t: t}
	w.markers = []model.Deploy{
		{ID: "a", Service: "edge", Environment: "prod", Version: "1", Kind: "deploy", Time: deployed.Add(-50 * time.Minute)},
		{ID: "b", Service: "edge", Environment: "prod", Version: "2", Kind: "deploy", Time: deployed},
	}
	room, err := New(DefaultConfig(), Deps{SLOs: w, Querier: promexpr.NewEvaluator(db, time.Minute, nil), Deploys: w, Store: w, Audit: w})
	if err != nil {
		t.Fatal(err)
	}
	c, err := room.findCause(t.Context(), model.Remedy{Service: "edge", Environment: "prod", SLO: "edge-ok", Breach: deployed.Add(5 * time.Minute)}, "prod", now)
	if err != nil || c.why != "" || c.previous != "1" || c.deploy.Version != "2" || len(c.evidence) != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	if v := *c.evidence[0].Value; math.Abs(v-0.3) > 0.001 {
		t.Errorf("new version %v", v)
	}
	if v := *c.evidence[1].Value; v != 0 {
		t.Errorf("old version %v", v)
	}
}

// Bounds computed independently from the definition: the p for which
// |p̂ - p| = z √(p(1-p)/n), found by bisection.
func TestWilsonBoundsSolveTheirDefinition(t *testing.T) {
	const z = 2.5758293035489004
	for _, c := range []counts{{50, 0}, {50, 50}, {100, 3}, {3000, 900}, {1e6, 1}} {
		p := c.failed / c.total
		far := func(q float64) float64 { return math.Abs(p-q) - z*math.Sqrt(q*(1-q)/c.total) }
		low, high := bounds(c)
		solve := func(in, out float64) float64 {
			for range 200 {
				if mid := (in + out) / 2; far(mid) > 0 {
					out = mid
				} else {
					in = mid
				}
			}
			return in
		}
		if want := solve(p, 0); math.Abs(low-want) > 1e-9 && p > 0 {
			t.Errorf("%+v: low %v, want %v", c, low, want)
		}
		if want := solve(p, 1); math.Abs(high-want) > 1e-9 && p < 1 {
			t.Errorf("%+v: high %v, want %v", c, high, want)
		}
	}
	if low, high := bounds(counts{}); low != 0 || high != 1 {
		t.Errorf("nothing: %v to %v", low, high)
	}
}

func TestTheConfigurationIsCheckedWhole(t *testing.T) {
	if errs := DefaultConfig().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	c := Config{After: -1, Targets: []Target{
		{Service: "edge"},
		{Service: "edge", Kubernetes: &kubernetes.Config{}, Webhook: &webhook.Config{URL: "x"}},
		{GitLab: &gitlab.Config{URL: "ftp://x", Variables: map[string]string{"a b": ""}}},
		{Service: "a", Argo: &kubernetes.RolloutConfig{}},
	}}
	text := errors.Join(c.Validate()...).Error()
	for _, want := range []string{
		"after: ", "deploy_within: ", "verify_within: ", "evaluate_every: ", "one_per: ", "min_requests: ", "worse_by: ", "recovered_burn: ",
		"targets[0].kubernetes: exactly one", "targets[1].kubernetes: exactly one", "targets[1].kubernetes.namespace: ", "targets[1].webhook.url: ", "targets[1].service: ",
		"targets[2].service: ", "targets[2].gitlab.url: ", "targets[2].gitlab.project: ", "targets[2].gitlab.variables: ", "targets[3].argo.rollout: ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestTheTargetOfTheEnvironmentComesFirst(t *testing.T) {
	c := Config{Targets: []Target{{Service: "edge"}, {Service: "edge", Environment: "prod"}, {Service: "layout", Environment: "prod"}}}
	for _, x := range []struct {
		service, env string
		want         int
	}{{"edge", "prod", 1}, {"edge", "staging", 0}, {"edge", "", 0}, {"layout", "", 2}, {"layout", "staging", -1}, {"files", "prod", -1}} {
		got := c.target(x.service, x.env)
		if x.want < 0 && got != nil || x.want >= 0 && got != &c.Targets[x.want] {
			t.Errorf("%+v: %+v", x, got)
		}
	}
}
