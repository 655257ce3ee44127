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
		{"arithmetic is kept", `sum(a) - sum(b)`, `sum(increase(a[1h])) - sum(increase(b[1h]))`, `sum(sum(increase(a[3600000ms] anchored)) - sum(increase(b[3600000ms] anchored)))`},
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
		`sum_over_time(sum(x)[1h:1m])`:          "subquery",
		`x @ 0`:                                 "@",
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
