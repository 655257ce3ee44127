package promexpr

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

func TestHowAWindowEntersAQuery(t *testing.T) {
	for _, c := range []struct{ name, query, plain, over string }{
		{
			"a selector without a range is a counter",
			`sum(http_requests_total{code!~"5.."})`,
			`sum(increase(http_requests_total{code!~"5.."}[1h]))`,
			`sum(sum(increase(http_requests_total{code!~"5.."}[3600000ms] anchored)))`,
		},
		{
			"a rate becomes an increase over the window",
			`sum by (service) (rate(x[5m]))`,
			`sum by (service) (increase(x[1h]))`,
			`sum(sum by (service) (increase(x[3600000ms] anchored)))`,
		},
		{"$window stands for the window", `sum(increase(x[$window]))`, `sum(increase(x[1h]))`, `sum(sum(increase(x[3600000ms] anchored)))`},
		{"and so does {{.window}}", `sum(increase(x[{{.window}}]))`, `sum(increase(x[1h]))`, `sum(sum(increase(x[3600000ms] anchored)))`},
		{"offsets are kept", `x offset 1m`, `increase(x[1h] offset 1m)`, `sum(increase(x[3600000ms] anchored offset 1m))`},
		{
			"what is added up counts for itself, so that a piece without the one keeps the other", `sum(a) - 2 * sum(b)`, `sum(increase(a[1h])) - 2 * sum(increase(b[1h]))`,
			`sum(label_replace(sum(sum(increase(a[3600000ms] anchored))), "term", "0", "", "") or label_replace(-2 * sum(sum(increase(b[3600000ms] anchored))), "term", "1", "", ""))`,
		},
		{
			"a filter stays what it is, minute by minute", `sum(rate(x[5m]) and on (pod) (up == 1))`, `sum_over_time(sum(sum((increase(x[5m]) / 5) and on (pod) (up == 1)))[1h:1m])`,
			`sum_over_time(sum(sum((increase(x[1m] anchored) or 0 * x) and on (pod) (up == 1)))[1h:1m])`,
		},
		{
			"an info metric is not counted", `sum(x * on (pod) group_left (team) info{team="a"})`, `sum_over_time(sum(sum((increase(x[5m]) / 5) * on (pod) group_left (team) info{team="a"}))[1h:1m])`,
			`sum_over_time(sum(sum((increase(x[1m] anchored) or 0 * x) * on (pod) group_left (team) info{team="a"}))[1h:1m])`,
		},
		{"samples on fixed steps add up", `sum(count_over_time((g < 0.75)[{{.window}}:]))`, `sum(count_over_time((g < 0.75)[1h:1m]))`, `sum(sum(count_over_time((g < 0.75)[1h:1m])))`},
		{
			"observations of a native histogram", `histogram_count(sum(rate(h[5m])))`, `histogram_count(sum(increase(h[1h])))`, `sum(histogram_count(sum(increase(h[1h] anchored))))`,
		},
		{
			"observations of a native histogram within a limit", `histogram_fraction(0, 0.3, sum(rate(h[5m]))) * histogram_count(sum(rate(h[5m])))`,
			`histogram_fraction(0, 0.3, sum(increase(h[1h]))) * histogram_count(sum(increase(h[1h])))`,
			`sum(histogram_fraction(0, 0.3, sum(increase(h[1h] anchored))) * histogram_count(sum(increase(h[1h] anchored))))`,
		},
		{"sums over time need no anchor", `sum(sum_over_time(g[1m]))`, `sum(sum_over_time(g[1h]))`, `sum(sum(sum_over_time(g[3600000ms])))`},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := ParseCounter(c.query, true)
			if err != nil {
				t.Fatal(err)
			}
			if got := q.Plain("1h"); got != c.plain {
				t.Errorf("plain %s\n want %s", got, c.plain)
			}
			over, err := newParser().ParseExpr(q.Over(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			want, err := newParser().ParseExpr(c.over)
			if err != nil {
				t.Fatal(err)
			}
			if over.String() != want.String() {
				t.Errorf("over %s\n want %s", over, want)
			}
		})
	}
}

func TestQueriesThatDoNotCountAreRefusedWithACure(t *testing.T) {
	for query, want := range map[string]string{
		`sum(`:                                  "parse error",
		`1`:                                     "instant vector",
		`vector(1)`:                             "no metric",
		`avg(x)`:                                "raw",
		`sum(a) / sum(b)`:                       "raw",
		`histogram_quantile(0.95, rate(b[5m]))`: "bucket",
		`max_over_time(x[5m])`:                  "sum_over_time",
		`rate(sum(x)[1h:1m])`:                   "subquery",
		`sum_over_time(sum(x)[1h:10m])`:         "step",
		`x @ 0`:                                 "@",
		`sum(rate(x[5m] @ 0))`:                  "@",
		`sum(rate(x[5m])) > 0.5`:                "thresholdMetric",
		`sum(rate(x[5m])) > bool 0.5`:           "thresholdMetric",
		`sum(x) + 1`:                            "with a number",
		`1 - sum(x)`:                            "with a number",
		`sum(x) % 2`:                            "with a number",
		`clamp_min(sum(rate(x[5m])), 1)`:        "clamp_min of a count",
		`round(sum(x))`:                         "round of a count",
		`abs(sum(x))`:                           "abs of a count",
		`max(rate(x[5m]))`:                      "use sum",
		`topk(3, rate(x[5m]))`:                  "use sum",
		`quantile(0.9, rate(x[5m]))`:            "raw",
		`count(rate(x[5m]))`:                    "count_over_time",
		`sum(rate(a[5m])) + sum(increase(b[5m]))`:   "per second",
		`sum(rate(a[5m]) * rate(b[5m]))`:            "which side",
		`sum(a * b)`:                                "which side",
		`sum(rate(a[5m])) or vector(1)`:             "leave it out",
		`sum(rate(a[5m]) and b @ end())`:            "@",
		`sum(rate(a[5m]) and rate(b[$window]) > 0)`: "$window",
		`sum(rate(a[$window])) * $window`:           "length of the window",
		`sum(rate(a[{{ .windw }}]))`:                ".window only",
		`sum(rate(a[{{ .window ]))`:                 "template",
		`histogram_fraction(0, 1, rate(h[5m]))`:     "histogram_count",
	} {
		if _, err := ParseCounter(query, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", query, err, want)
		}
	}
}

func openDB(t *testing.T) *tsdb.DB {
	t.Helper()
	db, err := tsdb.Open(t.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Samples every 15 s, a scrape missed, a counter reset: windows of a minute
// must add up to the events exactly.
func TestAdjoiningWindowsAddUpExactly(t *testing.T) {
	db := openDB(t)
	start := time.Unix(1_700_000_040, 0)
	app := db.AppenderV2(t.Context())
	ls := labels.FromStrings("__name__", "x_total", "service", "edge")
	var value, events float64
	for i := range 81 {
		inc := float64(i * i % 17)
		if i == 33 {
			value, inc = 0, 5
		}
		value += inc
		if i > 0 {
			events += inc
		}
		if i%11 == 7 {
			continue // a missed scrape
		}
		at := start.Add(time.Duration(i)*15*time.Second - 7*time.Second)
		if _, err := app.Append(0, ls, 0, at.UnixMilli(), value, nil, nil, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	q, err := ParseCounter("sum(x_total)", true)
	if err != nil {
		t.Fatal(err)
	}
	e := NewEvaluator(db, time.Second, nil)
	series, err := e.Range(context.Background(), q.Over(time.Minute), start.Add(time.Minute), start.Add(20*time.Minute), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	first, err := e.Instant(context.Background(), q.Over(time.Minute), start)
	if err != nil {
		t.Fatal(err)
	}
	got := first[0].Value
	for _, p := range series[0].Points {
		got += p.Value
	}
	if math.Abs(got-events) > 1e-9 {
		t.Errorf("windows add up to %v, events were %v", got, events)
	}
	last, err := e.Instant(context.Background(), q.LastSample(), start.Add(21*time.Minute))
	if err != nil || len(last) != 1 || last[0].Value != float64(start.Add(20*time.Minute-7*time.Second).Unix()) {
		t.Errorf("last sample %+v, %v", last, err)
	}
}

func FuzzParseCounter(f *testing.F) {
	for _, s := range []string{"sum(x)", "rate(x[$window])", "sum(a{b=~\"c\"} offset 5m) - b", "x[1h:5m]", "((("} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, s string, counter bool) {
		q, err := ParseCounter(s, counter)
		if err != nil {
			return
		}
		for _, text := range []string{q.Over(time.Minute), q.Plain("1h"), q.LastSample()} {
			if _, err := newParser().ParseExpr(text); err != nil {
				t.Errorf("%q became %q: %v", s, text, err)
			}
		}
	})
}

func FuzzParseVector(f *testing.F) {
	for _, s := range []string{"max(x)", "histogram_quantile(0.95, sum by (le) (rate(b_bucket[5m])))", "x > bool 1", "x[1h:5m]", "time() - x", "((("} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseVector(s)
		if err != nil {
			return
		}
		for _, text := range []string{v.Text, v.LastSample()} {
			if _, err := newParser().ParseExpr(text); err != nil {
				t.Errorf("%q became %q: %v", s, text, err)
			}
		}
	})
}

// The forms of queries in public SLO files: of Sloth's, Pyrra's and OpenSLO's
// examples, and of what people show of their own.
func TestUsualFormsAreTaken(t *testing.T) {
	for _, query := range []string{
		`sum(rate(http_requests_total{job="a",code=~"(5..|429)"}[{{.window}}]))`,
		`sum(rate(http_requests_total[{{ .window}}]))`,
		`sum(rate(http_requests_total[{{.window }}]))`,
		`sum(rate(http_requests_total[{{- .window -}}]))`,
		`sum(rate(http_requests_total[{{	.window	}}]))`,
		`sum(rate(http_requests_total[$window]))`,
		`sum(rate(http_requests_total[${window}]))`,
		"(\n  sum(rate(d_count{verb!=\"WATCH\"}[{{.window}}]))\n  -\n  sum(rate(d_bucket{le=\"0.4\",verb!=\"WATCH\"}[{{.window}}]))\n)",
		`sum(rate(d_count[5m])) - sum(rate(d_bucket{le="1"}[5m])) or vector(0)`,
		`sum_over_time((count(satisfaction < 0.75))[{{.window}}:]) OR on() vector(0)`,
		`sum_over_time((count(satisfaction))[{{.window}}:])`,
		`sum(count_over_time(satisfaction[{{.window}}]))`,
		`sum(count_over_time((satisfaction < 0.75)[{{.window}}:1m])) or vector(0)`,
		`sum(sum_over_time((up == bool 0)[{{.window}}:30s]))`,
		`sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total[1h]))`,
		`sum(rate(a_total{code!~"5.."}[5m])) + sum(rate(b_total{code!~"5.."}[5m]))`,
		`(sum(rate(a_total[5m])) or vector(0)) + (sum(rate(b_total[5m])) or vector(0))`,
		`sum(rate(errors_total[5m])) or sum(rate(requests_total[5m])) * 0`,
		`sum(rate(errors_total[5m])) or 0 * sum(rate(requests_total[5m]))`,
		`sum(increase(requests_total[5m]))`, `sum(irate(requests_total[1m]))`,
		`sum(rate(requests_total[{{.window}}])) > 0`, `(sum(rate(requests_total[5m])) > 0) or vector(0)`, `sum(rate(requests_total[5m]) > 0)`,
		`0 < sum by (route) (rate(requests_total[5m])) * 60`, `sum(rate(a_total[5m]) + rate(b_total[5m])) != 0`,
		`sum(requests_total{code="200"})`, `requests_total`, `-(sum(a) - sum(b))`,
		`sum(rate(requests_total[5m])) * 60`, `sum(rate(requests_total[5m])) / 2`,
		`sum(rate(requests_total[5m] offset 5m))`,
		`sum(rate(requests_total[5m]) * on (pod) group_left (team) kube_pod_labels{label_team="x"})`,
		`sum(kube_pod_info{node="n"} * on (pod) group_right () rate(requests_total[5m]))`,
		`sum(rate(requests_total[5m]) * on (namespace) group_left () (max by (namespace) (kube_namespace_labels)))`,
		`sum(rate(requests_total[5m]) and on (pod) kube_pod_status_ready{condition="true"} == 1)`,
		`sum(rate(requests_total[5m]) unless on () (maintenance == 1))`,
		`sum(rate(errors_total[5m]) and on () (sum(rate(requests_total[5m])) > 1))`,
		`sum(rate(d_count[5m]) - ignoring (le) rate(d_bucket{le="0.5"}[5m]))`,
		`sum(rate(old_total[5m]) or rate(new_total[5m]))`,
		`sum(label_replace(rate(requests_total[5m]), "svc", "$1", "service", "(.*)"))`,
		`sum(probe_success)`, `sum(sum_over_time(probe_success[5m]))`, `sum without (instance) (rate(x_total[5m]))`,
		`histogram_count(sum(rate(d[{{.window}}])))`, `sum(histogram_count(rate(d[5m])))`,
		`histogram_fraction(0, 0.1, sum(rate(d{code!~"5.."}[{{.window}}]))) * histogram_count(sum(rate(d{code!~"5.."}[{{.window}}])))`,
	} {
		c, err := ParseCounter(query, true)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		for _, text := range []string{c.Over(time.Hour), c.Plain("1h"), c.Sum("1h"), c.LastSample()} {
			if _, err := newParser().ParseExpr(text); err != nil {
				t.Errorf("%q became %q: %v", query, text, err)
			}
		}
	}
}
