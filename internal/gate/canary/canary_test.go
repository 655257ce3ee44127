package canary

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
)

var now = time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)

// version is one of which 600 of 1,000 requests took up to 0.1 s, 390 up to
// 0.25 s, 10 up to 0.5 s; 5 failed.
func version(name string, change ...func(*Sample)) Sample {
	s := Sample{
		Version: name, Bounds: []float64{0.1, 0.25, 0.5, 1, math.Inf(1)}, Counts: []float64{600, 390, 10, 0, 0},
		Events: 1000, Errors: 5, Saturation: math.NaN(), LastData: now.Add(-time.Second),
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func counts(c ...float64) func(*Sample) {
	return func(s *Sample) {
		s.Counts, s.Events = c, 0
		for _, n := range c {
			s.Events += n
		}
	}
}

func failed(n float64) func(*Sample)    { return func(s *Sample) { s.Errors = n } }
func saturated(v float64) func(*Sample) { return func(s *Sample) { s.Saturation = v } }

func TestVersionsSideBySide(t *testing.T) {
	saturation := DefaultConfig()
	saturation.Saturation = "cpu"
	for _, c := range []struct {
		name             string
		cfg              Config
		baseline, canary Sample
		want             model.Verdict
		check            string // of the first check, "" for any
		says             string
	}{
		{"the same figures", DefaultConfig(), version("1"), version("2"), model.VerdictAllow, "", "No worse: 2 against 1 over 1,000 and 1,000 requests."},
		{"it is faster", DefaultConfig(), version("1"), version("2", counts(900, 100, 0, 0, 0)), model.VerdictAllow, "", "No worse"},
		// Pairs in which the canary is slower, a tie as half: 300×300 + 600×795 + 100×995 = 666,500 of 1,000,000.
		{"half of its answers are slower", DefaultConfig(), version("1"), version("2", counts(300, 600, 100, 0, 0)), model.VerdictBlock, CheckRank, "Worse: an answer of 2 is slower than one of 1 in 66.6 % of pairs (limit 56 %; p = below 0.001)."},
		{"so it seems of twelve requests, which is chance", chance(), version("1", counts(8, 4, 0, 0, 0), failed(0)), version("2", counts(6, 6, 0, 0, 0), failed(0)), model.VerdictInsufficient, CheckRank, "p = 0.2"},
		{"only its slowest are slower", DefaultConfig(), version("1"), version("2", counts(600, 330, 0, 70, 0)), model.VerdictBlock, CheckP95, "P95 is"},
		{"its slowest lie beyond every class", DefaultConfig(), version("1"), version("2", counts(600, 330, 0, 0, 70)), model.VerdictBlock, "", "more than 1 s"},
		{"the baseline's do and its own do not", DefaultConfig(), version("1", counts(600, 330, 0, 0, 70)), version("2"), model.VerdictAllow, "", "No worse"},
		{"those of both do", DefaultConfig(), version("1", counts(600, 330, 0, 0, 70)), version("2", counts(600, 330, 0, 0, 70)), model.VerdictInsufficient, CheckP95, "cannot be compared"},
		// 3 % of 1,000 against 0.5 %: Newcombe +1.41 to +3.77 points.
		{"more of its requests fail", DefaultConfig(), version("1"), version("2", failed(30)), model.VerdictBlock, CheckErrors, "3 % of 1,000 requests fail, 0.5 % of 1,000 of the baseline"},
		{"a few more fail, which may be chance", DefaultConfig(), version("1", counts(120, 0, 0, 0, 0), failed(0)), version("2", counts(120, 0, 0, 0, 0), failed(1)), model.VerdictInsufficient, CheckErrors, "Not enough data"},
		{"a few more fail, which is within the limit", DefaultConfig(), version("1"), version("2", failed(9)), model.VerdictAllow, "", "No worse"},
		{"all fail", DefaultConfig(), version("1"), version("2", failed(1000)), model.VerdictBlock, CheckErrors, "100 %"},
		{"it is more saturated", saturation, version("1", saturated(0.4)), version("2", saturated(0.6)), model.VerdictBlock, CheckSaturation, "saturation is 0.6 against 0.4, 1.5×"},
		{"how saturated it is nobody knows", saturation, version("1", saturated(0.4)), version("2"), model.VerdictInsufficient, CheckSaturation, "not known"},
		{"it never ran", DefaultConfig(), version("1"), Sample{Version: "2"}, model.VerdictInsufficient, CheckData, "no requests of the canary 2 were seen"},
		{"nor did the baseline", DefaultConfig(), Sample{Version: "1"}, version("2"), model.VerdictInsufficient, CheckData, "baseline 1"},
		{"99 requests", DefaultConfig(), version("1"), version("2", counts(90, 9, 0, 0, 0), failed(0)), model.VerdictInsufficient, CheckData, "had 99 requests only (at least 100 are needed)"},
		{"it stopped ten minutes ago", DefaultConfig(), version("1"), version("2", func(s *Sample) { s.LastData = now.Add(-10 * time.Minute) }), model.VerdictInsufficient, CheckData, "has sent nothing for 10 m (limit 5 m)"},
		{"it stopped before anybody can tell", DefaultConfig(), version("1"), version("2", func(s *Sample) { s.LastData = time.Time{} }), model.VerdictInsufficient, CheckData, "longer than is looked back"},
		{"its counts are no numbers", DefaultConfig(), version("1"), version("2", failed(math.NaN())), model.VerdictInsufficient, CheckData, "no numbers"},
		{"a class of it is no number", DefaultConfig(), version("1"), version("2", func(s *Sample) { s.Counts = []float64{math.NaN(), 1, 1, 1, 1} }), model.VerdictInsufficient, CheckData, "no usable histogram"},
		{"its histogram has other classes", DefaultConfig(), version("1"), version("2", func(s *Sample) { s.Bounds = []float64{0.2, 0.25, 0.5, 1, math.Inf(1)} }), model.VerdictInsufficient, CheckRank, "different classes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Compare(c.cfg, now, c.baseline, c.canary)
			if r.Verdict != c.want || c.check != "" && r.Checks[0].Name != c.check {
				t.Errorf("%s by %s: %s", r.Verdict, r.Checks[0].Name, r.Summary)
			}
			says := []string{r.Summary}
			for _, k := range r.Checks {
				says = append(says, k.Message)
			}
			text := strings.Join(says, "\n")
			if !strings.Contains(text, c.says) {
				t.Errorf("no %q in\n%s", c.says, text)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
		})
	}
}

func chance() Config {
	c := DefaultConfig()
	c.MinEvents, c.MaxLatencyRatio, c.MaxErrorIncrease = 10, 10, 0.9
	return c
}

// anySample is anything that may come.
func anySample() *rapid.Generator[Sample] {
	count := rapid.OneOf(rapid.Float64Range(0, 5000), rapid.SampledFrom([]float64{0, 0, math.NaN(), math.Inf(1), -1}))
	return rapid.Custom(func(t *rapid.T) Sample {
		s := version("v", counts(rapid.SliceOfN(count, 5, 5).Draw(t, "counts")...))
		s.Errors = count.Draw(t, "errors")
		s.Saturation = count.Draw(t, "saturation")
		if rapid.IntRange(0, 9).Draw(t, "stale") == 0 {
			s.LastData = time.Time{}
		}
		return s
	})
}

func TestAnythingIsAnsweredAndNothingIsNoPass(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Saturation = "cpu"
	rapid.Check(t, func(t *rapid.T) {
		a, b := anySample().Draw(t, "baseline"), anySample().Draw(t, "canary")
		r := Compare(cfg, now, a, b)
		if _, err := json.Marshal(r); err != nil {
			t.Fatal(err)
		}
		if again := Compare(cfg, now, a, b); !cmp.Equal(again, r) {
			t.Fatal("the same samples give another result")
		}
		if bad := !(a.Events >= 100) || !(b.Events >= 100) || a.LastData.IsZero() || b.LastData.IsZero(); bad && r.Verdict != model.VerdictInsufficient {
			t.Fatalf("%s of too little: %s", r.Verdict, r.Summary)
		}
		for _, c := range r.Checks {
			if strictness(c.Verdict) < strictness(r.Verdict) {
				t.Fatalf("%s, but %+v", r.Verdict, c)
			}
		}
	})
}

func TestAVersionIsNeverWorseThanItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SliceOfN(rapid.Float64Range(30, 5000), 5, 5).Draw(t, "counts")
		s := version("v", counts(c...))
		s.Errors = s.Events * rapid.Float64Range(0, 1).Draw(t, "failing")
		if r := Compare(DefaultConfig(), now, s, s); r.Verdict == model.VerdictBlock {
			t.Fatal(r.Summary)
		}
		// Moving requests into slower classes never makes it better.
		worse := version("w", counts(c[0]/2, c[1]/2, c[2], c[3]+c[1]/2, c[4]+c[0]/2), failed(s.Errors))
		if a, b := Compare(DefaultConfig(), now, s, worse), Compare(DefaultConfig(), now, worse, s); strictness(a.Verdict) > strictness(b.Verdict) {
			t.Fatalf("slower: %s; faster: %s", a.Summary, b.Summary)
		}
	})
}

// querier answers by what a query holds.
type querier map[string][]model.Sample

func (q querier) Instant(_ context.Context, expr string, _ time.Time) ([]model.Sample, error) {
	for part, answer := range q {
		if strings.Contains(expr, part) {
			return answer, nil
		}
	}
	return nil, nil
}

type broken struct{ error }

func (b broken) Instant(context.Context, string, time.Time) ([]model.Sample, error) {
	return nil, b.error
}

type auditLog []model.AuditEntry

func (a *auditLog) Audit(_ context.Context, e model.AuditEntry) (model.AuditEntry, error) {
	*a = append(*a, e)
	return e, nil
}

func buckets(cumulative ...float64) []model.Sample {
	var out []model.Sample
	for i, le := range []string{"0.1", "0.25", "+Inf"} {
		out = append(out, model.Sample{Labels: model.Labels{"le": le}, Value: cumulative[i]})
	}
	return out
}

func TestARoomAsksForBothVersions(t *testing.T) {
	value := func(v float64) []model.Sample { return []model.Sample{{Value: v}} }
	q := querier{
		`sum by (le) (increase(signalbox_span_duration_seconds_bucket{service="edge",version="1",kind=~"server|consumer",env="prod"}[1h]))`:        buckets(150, 200, 200),
		`sum by (le) (increase(signalbox_span_duration_seconds_bucket{service="edge",version="2\"",kind=~"server|consumer",env="prod"}[1h]))`:      buckets(20, 150, 150),
		`sum(increase(signalbox_span_duration_seconds_count{service="edge",version="2\"",kind=~"server|consumer",env="prod",status="error"}[1h]))`: value(3),
		"timestamp":        value(float64(now.Unix() - 2)),
		`cpu{v="2\""}[1h]`: value(0.5), `cpu{v="1"}[1h]`: value(0.5),
	}
	cfg := DefaultConfig()
	cfg.Saturation = `cpu{v="$version"}[$window]`
	var log auditLog
	r, err := New(cfg, Deps{Querier: q, Audit: &log, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	req := Request{Service: "edge", Baseline: "1", Canary: `2"`, Environment: "prod", Window: "1h", Actor: "ci"}
	got, err := r.Compare(t.Context(), req)
	if err != nil || got.Verdict != model.VerdictBlock || got.Baseline.Events != 200 || got.Canary.Events != 150 || got.Canary.Errors != 3 || len(got.Queries) != 8 {
		t.Errorf("%+v, %v", got, err)
	}
	if len(log) != 1 || log[0].Action != "gate.canary" || log[0].Actor != "ci" || log[0].Details["verdict"] != "block" {
		t.Errorf("audit %+v", log)
	}
	var bad interface{ BadRequest() }
	for name, change := range map[string]func(*Request){
		"a window of words":    func(r *Request) { r.Window = "soon" },
		"a window of a second": func(r *Request) { r.Window = "1s" },
		"a window of a year":   func(r *Request) { r.Window = "1y" },
		"one version twice":    func(r *Request) { r.Canary = r.Baseline },
		"no service":           func(r *Request) { r.Service = "" },
	} {
		other := req
		change(&other)
		if _, err := r.Compare(t.Context(), other); !errors.As(err, &bad) || !errors.Is(err, ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	fail := errors.New("store is closed")
	if r, err = New(cfg, Deps{Querier: broken{fail}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Compare(t.Context(), req); !errors.Is(err, fail) {
		t.Errorf("a query that fails: %v", err)
	}
}

func TestClassesAreNeverBelowNothing(t *testing.T) {
	bounds, n := classes(buckets(10, 9.99, 20))
	if diff := cmp.Diff([]float64{10, 0, 10}, n); diff != "" || !math.IsInf(bounds[2], 1) {
		t.Errorf("%v %s", bounds, diff)
	}
	if _, n := classes(buckets(math.NaN(), 5, 6)); !math.IsNaN(n[0]) || !math.IsNaN(n[1]) {
		t.Errorf("what is no number became %v", n)
	}
}

func TestAConfigurationIsCheckedWhole(t *testing.T) {
	if errs := DefaultConfig().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	text := fmt.Sprint(Config{MaxErrorIncrease: 1}.Validate())
	for _, want := range []string{"window: ", "min_events: ", "stale_after: ", "confidence: ", "min_effect: ", "max_latency_ratio: ", "max_error_increase: ", "max_saturation_ratio: "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}
