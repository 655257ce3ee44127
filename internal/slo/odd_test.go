package slo_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

// stock is the error ratio over the last hour as Prometheus' own engine has it.
func (w *world) stock(query string) (float64, bool) {
	w.t.Helper()
	e := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true, Parser: parser.NewParser(parser.Options{})})
	q, err := e.NewInstantQuery(w.t.Context(), w.db, nil, query, w.now)
	if err != nil {
		w.t.Fatal(query, err)
	}
	defer q.Close()
	v, err := q.Exec(w.t.Context()).Vector()
	if err != nil {
		w.t.Fatal(query, err)
	}
	if len(v) != 1 {
		return 0, false
	}
	return v[0].F, true
}

// Definitions that people bring to the trackers of Sloth, Pyrra and OpenSLO: what is judged is what Prometheus' own engine
// answers to what they meant.
func TestOddDefinitionsAreJudgedAsPrometheusCountsThem(t *testing.T) {
	series := func(n float64, ls ...string) given { return given{labels: labels.FromStrings(ls...), n: n} }
	fed := []given{
		series(95, "__name__", "req_total", "code", "200", "cluster", "a"), series(4, "__name__", "req_total", "code", "503", "cluster", "a"),
		series(1, "__name__", "req_total", "code", "429", "cluster", "a"), series(100, "__name__", "req_total", "code", "200", "cluster", "b"),
		series(50, "__name__", "sent_total", "cluster", "a"), series(30, "__name__", "sent_total", "cluster", "b"), series(2, "__name__", "failed_total", "cluster", "a"),
		series(3, "__name__", "http.errors", "code", "500"), series(60, "__name__", "http.requests"),
		series(80, "__name__", "lat_bucket", "le", "0.3"), series(90, "__name__", "lat_bucket", "le", "1"), series(100, "__name__", "lat_bucket", "le", "+Inf"), series(100, "__name__", "lat_count"),
		{labels: labels.FromStrings("__name__", "probe_success", "target", "x"), n: 1, gauge: true},
		{labels: labels.FromStrings("__name__", "probe_success", "target", "y"), n: 0, gauge: true},
		{labels: labels.FromStrings("__name__", "bad_ratio"), n: 0.07, gauge: true},
	}
	for name, c := range map[string]struct{ bad, good, total, want string }{
		"errors of another metric than all":   {bad: `sum(rate(failed_total[5m]))`, total: `sum(rate(sent_total[5m]))`, want: `sum(increase(failed_total[1h])) / sum(increase(sent_total[1h]))`},
		"all is sent and failed":              {bad: `sum(rate(failed_total[5m]))`, total: `sum(rate(sent_total[5m])) + sum(rate(failed_total[5m]))`, want: `sum(increase(failed_total[1h])) / (sum(increase(sent_total[1h])) + sum(increase(failed_total[1h])))`},
		"all but the good":                    {bad: `sum(rate(req_total[5m])) - sum(rate(req_total{code="200"}[5m]))`, total: `sum(rate(req_total[5m]))`, want: `sum(increase(req_total{code!="200"}[1h])) / sum(increase(req_total[1h]))`},
		"none is zero, joined on nothing":     {bad: `sum(rate(req_total{code=~"5.."}[5m])) or on() vector(0)`, total: `sum(rate(req_total[5m]))`, want: `sum(increase(req_total{code=~"5.."}[1h])) / sum(increase(req_total[1h]))`},
		"none is zero, and none there is":     {bad: `sum(rate(req_total{code="999"}[5m])) or vector(0)`, total: `sum(rate(req_total[5m]))`, want: `vector(0)`},
		"a regular expression over names":     {bad: `sum(rate({__name__=~"failed_total|nothing_total"}[5m]))`, total: `sum(rate(sent_total[5m]))`, want: `sum(increase(failed_total[1h])) / sum(increase(sent_total[1h]))`},
		"names with dots":                     {bad: `sum(rate({"http.errors",code="500"}[5m]))`, total: `sum(rate({"http.requests"}[5m]))`, want: `sum(increase({"http.errors"}[1h])) / sum(increase({"http.requests"}[1h]))`},
		"weights":                             {bad: `0.5 * sum(rate(req_total{code="429"}[5m])) + sum(rate(req_total{code="503"}[5m]))`, total: `sum(rate(req_total[5m]))`, want: `(0.5 * sum(increase(req_total{code="429"}[1h])) + sum(increase(req_total{code="503"}[1h]))) / sum(increase(req_total[1h]))`},
		"per minute instead of per second":    {bad: `sum(rate(req_total{code="503"}[5m])) * 60`, total: `sum(rate(req_total[5m])) * 60`, want: `sum(increase(req_total{code="503"}[1h])) / sum(increase(req_total[1h]))`},
		"metrics that come ten minutes late":  {bad: `sum(rate(req_total{code="503"}[5m] offset 10m))`, total: `sum(rate(req_total[5m] offset 10m))`, want: `sum(increase(req_total{code="503"}[1h] offset 10m)) / sum(increase(req_total[1h] offset 10m))`},
		"probes that are down, by a subquery": {bad: `sum(count_over_time((probe_success == 0)[$window:1m]))`, total: `sum(count_over_time(probe_success[$window:1m]))`, want: `sum(count_over_time((probe_success == 0)[1h:1m])) / sum(count_over_time(probe_success[1h:1m]))`},
		"Sloth's window in another spelling":  {bad: `sum(rate(req_total{code="503"}[{{ .window }}]))`, total: `sum(rate(req_total[{{.window}}]))`, want: `sum(increase(req_total{code="503"}[1h])) / sum(increase(req_total[1h]))`},
		"all labels but some are summed over": {bad: `sum without (code, cluster) (rate(req_total{code="503",cluster=~"a|z"}[5m]))`, total: `sum without (code, cluster) (rate(req_total{cluster=~"a|z"}[5m]))`, want: `sum(increase(req_total{code="503",cluster="a"}[1h])) / sum(increase(req_total{cluster="a"}[1h]))`},
		"late metrics of a subquery":          {bad: `sum(count_over_time((probe_success == 0)[$window:1m] offset 10m))`, total: `sum(count_over_time(probe_success[$window:1m] offset 10m))`, want: `sum(count_over_time((probe_success == 0)[1h:1m] offset 10m)) / sum(count_over_time(probe_success[1h:1m] offset 10m))`},
	} {
		t.Run(name, func(t *testing.T) {
			part := queryLine("bad", c.bad)
			if c.good != "" {
				part = queryLine("good", c.good)
			}
			w := newWorld(t, ratioDoc(part, queryLine("total", c.total)))
			w.give(fed)
			s := w.only()
			want, ok := w.stock(c.want)
			if !ok {
				t.Fatalf("%s answers nothing", c.want)
			}
			if s.State == model.SLOInsufficient {
				t.Errorf("%s: %s", s.Reason, s.Action)
			}
			for _, b := range s.Burn {
				if b.Window == "1h" && math.Abs(b.Rate*(1-s.Objective)-want) > 1e-3*max(want, 0.001) {
					t.Errorf("%v of the last hour was bad, Prometheus says %v", b.Rate*(1-s.Objective), want)
				}
			}
		})
	}
}

// What has no meaning as a count is refused at the query, with what to do.
func TestOddDefinitionsWithoutAMeaningAreRefused(t *testing.T) {
	for query, want := range map[string]string{
		`avg(rate(req_total[5m]))`:                                     "does not add up",
		`sum(rate(req_total[5m])) > 5`:                                 "compared with",
		`clamp_min(sum(rate(req_total[5m])), 1)`:                       "depends on how long the window is",
		`sum(rate(req_total[5m])) / sum(rate(req_total[5m]))`:          "is a ratio, not a count",
		`sum(rate(req_total[5m] @ end()))`:                             "pins the query",
		`sum(delta(req_total[5m]))`:                                    "does not count events",
		`histogram_quantile(0.99, sum by (le) (rate(lat_bucket[5m])))`: "a latency, not a count",
		`topk(3, rate(req_total[5m]))`:                                 "use sum",
		`max(rate(req_total[5m]))`:                                     "use sum",
		`sum(rate(req_total[5m])) * sum(rate(req_total[5m]))`:          "not clear which side",
		`time()`: "answers a scalar",
	} {
		file := filepath.Join(t.TempDir(), "slo.yaml")
		if err := os.WriteFile(file, []byte(ratioDoc(queryLine("bad", query), queryLine("total", "sum(rate(req_total[5m]))"))), 0o600); err != nil {
			t.Fatal(err)
		}
		defs, problems := definition.Load([]string{file})
		if len(defs) > 0 || len(problems) == 0 || problems[0].Cure == "" || !strings.Contains(problems[0].Message, want) {
			t.Errorf("%s: %d definitions, %v", query, len(defs), problems)
		}
	}
}

// Values that are judged as they stand, from metrics that come late by an offset, in series and in subqueries.
func TestOddValuesAreJudgedAsPrometheusAnswersThem(t *testing.T) {
	gauge := func(v float64, ls ...string) given {
		return given{labels: labels.FromStrings(ls...), n: v, gauge: true}
	}
	for name, c := range map[string]struct{ query, want string }{
		"late":              {`max(age offset 10m)`, `0`},
		"late and bad":      {`max(old offset 10m)`, `1`},
		"late in a range":   {`max(max_over_time(old[5m] offset 10m))`, `1`},
		"late in subquery":  {`max_over_time(max(old)[5m:1m] offset 10m)`, `1`},
		"of the share down": {`1 - avg(probe)`, `0`},
		"a difference":      {`max(old) - max(age)`, `1`},
	} {
		w := newWorld(t, valued("promise", "", "{thresholdMetric: {metricSource: {spec: {query: '"+c.query+"'}}}}", "op: lte, value: 60", "Occurrences"))
		w.give([]given{gauge(10, "__name__", "age"), gauge(90, "__name__", "old"), gauge(1, "__name__", "probe", "t", "x"), gauge(0, "__name__", "probe", "t", "y")})
		s := w.only()
		if want := map[string]float64{"0": 0, "1": 1}[c.want]; s.State == model.SLOInsufficient || math.Abs(1-s.Budget.SLI-want) > 0.02 {
			t.Errorf("%s: %s: %s (%v bad, want %v)", name, s.State, s.Reason, 1-s.Budget.SLI, want)
		}
	}
}
