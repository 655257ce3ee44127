package promexpr

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
	"pgregory.net/rapid"
)

// The store of this file is a list of series in memory, with random lives: series are
// born and die, counters start anew, scrapes come with jitter and are missed for up to four minutes, and
// conditions change.

type point struct {
	t int64
	v float64
}

func (p point) T() int64                      { return p.t }
func (p point) ST() int64                     { return 0 }
func (p point) F() float64                    { return p.v }
func (p point) H() *histogram.Histogram       { return nil }
func (p point) FH() *histogram.FloatHistogram { return nil }
func (p point) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (p point) Copy() chunks.Sample           { return p }

type life struct {
	labels labels.Labels
	points []point
}

type lives []life

func (l lives) Querier(int64, int64) (storage.Querier, error) { return l, nil }

func (l lives) Select(_ context.Context, _ bool, hints *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	set := &seriesSet{at: -1}
	for _, one := range l {
		if slices.ContainsFunc(ms, func(m *labels.Matcher) bool { return !m.Matches(one.labels.Get(m.Name)) }) {
			continue
		}
		var samples []chunks.Sample
		for _, p := range one.points {
			if p.t >= hints.Start && p.t <= hints.End {
				samples = append(samples, p)
			}
		}
		if len(samples) > 0 {
			set.series = append(set.series, storage.NewListSeries(one.labels, samples))
		}
	}
	return set
}

func (lives) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (lives) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}
func (lives) Close() error { return nil }

type seriesSet struct {
	series []*storage.SeriesEntry
	at     int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at < len(s.series) }
func (s *seriesSet) At() storage.Series                { return s.series[s.at] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

const pods = 3

// live makes the series of a random world, an hour before start to end.
func live(seed uint64, start, end time.Time) (out lives) {
	random := rand.New(rand.NewPCG(seed, 1))
	every := []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute}[random.IntN(4)]
	for pod := range pods {
		for _, name := range []string{"a_total/200", "a_total/500", "b_total/200", "b_total/500", "up/", "info/", "g/"} {
			metric, code, _ := strings.Cut(name, "/")
			ls := []string{"__name__", metric, "pod", fmt.Sprint("p", pod)}
			if code != "" {
				ls = append(ls, "code", code)
			}
			if metric == "info" {
				ls = append(ls, "team", []string{"x", "y"}[pod%2])
			}
			from, to := start.Add(-time.Hour), end
			if random.IntN(3) == 0 {
				from = start.Add(time.Duration(random.Int64N(int64(end.Sub(start)))))
			}
			if random.IntN(4) == 0 {
				to = end.Add(-time.Duration(random.Int64N(int64(end.Sub(start)))))
			}
			out = append(out, life{labels.FromStrings(ls...), points(random, metric, from, to, every)})
		}
	}
	slices.SortFunc(out, func(a, b life) int { return labels.Compare(a.labels, b.labels) })
	return out
}

func points(random *rand.Rand, metric string, from, to time.Time, every time.Duration) (out []point) {
	v := 1.0
	for at := from; at.Before(to); at = at.Add(every) {
		switch metric {
		case "up":
			if random.IntN(20) == 0 {
				v = 1 - v
			}
		case "g":
			v = float64(random.IntN(100)) / 10
		case "info":
		default:
			v += float64(random.IntN(8))
			if random.IntN(40) == 0 {
				v = float64(random.IntN(3))
			}
		}
		if random.IntN(60) == 0 {
			at = at.Add(time.Duration(random.Int64N(int64(90 * time.Second)))) // missed
		}
		jitter := time.Duration(random.Int64N(int64(every / 4)))
		out = append(out, point{at.Add(jitter).UnixMilli(), v})
	}
	return out
}

// drawn is a random query, and what the stock engine is asked instead: leaf
// writes one counting function, over the window in question.
type drawn struct {
	query  string
	oracle func(leaf func(fn, selector string) string) string
}

func plainly(text string) drawn {
	return drawn{text, func(func(string, string) string) string { return text }}
}

func join(format string, parts ...drawn) drawn {
	texts := make([]any, len(parts))
	for i, p := range parts {
		texts[i] = p.query
	}
	return drawn{fmt.Sprintf(format, texts...), func(leaf func(string, string) string) string {
		for i, p := range parts {
			texts[i] = p.oracle(leaf)
		}
		return fmt.Sprintf(format, texts...)
	}}
}

func drawSelector(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a_total", "b_total"}).Draw(t, "metric") +
		rapid.SampledFrom([]string{"", `{code="500"}`, `{code!="500"}`, `{pod="p0"}`, `{pod=~"p0|p1",code="200"}`}).Draw(t, "matchers")
}

func drawLeaf(t *rapid.T) drawn {
	s := drawSelector(t)
	switch rapid.IntRange(0, 9).Draw(t, "leaf") {
	case 0:
		return drawn{s, func(leaf func(string, string) string) string { return leaf("increase", s) }}
	case 1:
		return drawn{"sum_over_time(g[1m])", func(leaf func(string, string) string) string { return leaf("sum_over_time", "g") }}
	case 2:
		return drawn{"count_over_time(g[$window])", func(leaf func(string, string) string) string { return leaf("count_over_time", "g") }}
	case 3:
		return drawn{"changes(" + s + "[5m])", func(leaf func(string, string) string) string { return leaf("changes", s) }}
	case 4:
		return drawn{"sum by (pod) (count_over_time((g > 5)[{{ .window }}:30s]))", func(leaf func(string, string) string) string {
			return "sum by (pod) (" + leaf("count_over_time", "subquery") + ")"
		}}
	}
	return drawn{"increase(" + s + "[5m])", func(leaf func(string, string) string) string { return leaf("increase", s) }}
}

func drawCondition(t *rapid.T) drawn {
	return plainly(rapid.SampledFrom([]string{
		"(up == 1)", "up", `info{team="x"}`, "(g > 5)", "(rate(a_total[5m]) > 0.05)", "max by (pod) (up)", "(up == bool 1)",
	}).Draw(t, "condition"))
}

// drawCount draws anything that may count, and much that may not.
func drawCount(t *rapid.T, depth int) drawn {
	if depth == 0 {
		return drawLeaf(t)
	}
	sub := func() drawn { return drawCount(t, depth-1) }
	switch rapid.IntRange(0, 27).Draw(t, "node") {
	case 0, 1, 2:
		return join("sum(%s)", sub())
	case 3:
		return join("sum by (pod) (%s)", sub())
	case 4:
		return join("(%s)", sub())
	case 5:
		return join("sum(%s) + sum(%s)", sub(), sub())
	case 6:
		return join("sum(%s) - sum(%s)", sub(), sub())
	case 7:
		return join("(%s) * "+rapid.SampledFrom([]string{"2", "0.5", "(1/3)", "-1"}).Draw(t, "factor"), sub())
	case 8:
		return join("(%s) and on (pod) %s", sub(), drawCondition(t))
	case 9:
		return join("(%s) unless on (pod) %s", sub(), drawCondition(t))
	case 10:
		return join("(%s) * on (pod) group_left () max by (pod) (%s)", sub(), drawCondition(t))
	case 11:
		return join("(%s) or vector(0)", sub())
	case 12:
		return join("sum(%s) or sum(%s) * 0", sub(), sub())
	case 13:
		return join("(%s) or (%s)", sub(), sub())
	case 14:
		return join("(%s) + (%s)", sub(), sub())
	case 15, 19, 20, 21, 22:
		return join(rapid.SampledFrom([]string{"round(%s)", "clamp_min(%s, 2)", "abs(%s)", "ceil(%s)", "max(%s)", "topk(1, %s)", "count(%s)", "avg(%s)", "sgn(%s)", "sqrt(%s)", "-(%s)"}).Draw(t, "function"), sub())
	case 16, 23, 24, 25:
		return join("(%s) "+rapid.SampledFrom([]string{"> 0.1", "> 20", "> 0", "!= 0", "> 0", "== bool 3", "+ 1", "- 2", "% 7", "^ 2"}).Draw(t, "scalar"), sub())
	case 17:
		return join(`label_replace(%s, "zone", "z-$1", "pod", "(.*)")`, sub())
	case 18:
		return join("(%s) / (%s)", sub(), sub())
	}
	return drawLeaf(t)
}

// stock is Prometheus' engine as Prometheus sets it up, with the modifier by
// which windows begin at the sample before them.
func stock(t interface{ Helper() }) *promql.Engine {
	t.Helper()
	return promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return 60_000 }, Parser: newParser(),
	})
}

func ask(t *rapid.T, e *promql.Engine, store storage.Queryable, query string, at time.Time) (sum float64, has bool) {
	t.Helper()
	q, err := e.NewInstantQuery(t.Context(), store, nil, query, at)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer q.Close()
	v, err := q.Exec(t.Context()).Vector()
	if err != nil {
		if strings.Contains(err.Error(), "many-to-many") || strings.Contains(err.Error(), "duplicate") || strings.Contains(err.Error(), "multiple matches") || strings.Contains(err.Error(), "same labelset") {
			t.Skip("the query cannot be answered")
		}
		t.Fatalf("%s: %v", query, err)
	}
	for _, s := range v {
		sum += s.F
	}
	return sum, len(v) > 0
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

// Whatever a query counts over a window is what it counts over the pieces of the
// window, in slots of any width and cut anywhere; and it is what the stock engine
// answers for the query as it is written, over the whole window or, where something filters, added
// up minute by minute. Everything else is refused.
func TestACountIsTheSameHoweverTheWindowIsCut(t *testing.T) {
	taken, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		end := time.Unix(1_700_006_400, 0).Truncate(time.Hour)
		window := time.Duration(rapid.SampledFrom([]int{1, 2}).Draw(t, "hours")) * time.Hour
		start := end.Add(-window)
		store := live(rapid.Uint64().Draw(t, "seed"), start, end)
		d := drawCount(t, rapid.IntRange(1, 5).Draw(t, "depth"))
		c, err := ParseCounter(d.query, true)
		if err != nil {
			refused++
			return
		}
		taken++
		e := stock(t)
		want, asked := oracle(t, e, store, d, c, start, end)
		got, has := ask(t, e, store, c.Over(window), end)
		if asked && (!has && want != 0 || !near(got, want)) {
			t.Fatalf("%s\nover the window: %v (%v), want %v\n%s", d.query, got, has, want, c.Over(window))
		}
		for _, width := range []time.Duration{time.Minute, 5 * time.Minute, time.Hour} {
			sum := 0.0
			for at := start.Add(width); !at.After(end); at = at.Add(width) {
				v, _ := ask(t, e, store, c.Over(width), at)
				sum += v
			}
			if !near(sum, got) {
				t.Fatalf("%s\nin slots of %s: %v, over the window %v\n%s", d.query, width, sum, got, c.Over(width))
			}
		}
		if c.Minutewise() {
			return
		}
		sum := 0.0
		cut := start.Add(time.Duration(rapid.Int64Range(1, window.Milliseconds()-1).Draw(t, "cut")) * time.Millisecond)
		for _, p := range append(c.Pieces(start, cut), c.Pieces(cut, end)...) {
			v, _ := ask(t, e, store, p.Query, p.At)
			sum += v
		}
		if !near(sum, got) {
			t.Fatalf("%s\ncut at %s: %v, over the window %v", d.query, cut, sum, got)
		}
	})
	t.Logf("%d queries taken, %d refused", taken, refused)
	if taken < refused/3 {
		t.Errorf("only %d of %d queries are taken", taken, taken+refused)
	}
}

func oracle(t *rapid.T, e *promql.Engine, store storage.Queryable, d drawn, c *Counter, start, end time.Time) (want float64, asked bool) {
	t.Helper()
	over := func(window string, presence bool) string {
		return d.oracle(func(fn, selector string) string {
			if selector == "subquery" {
				return fn + "((g > 5)[" + window + ":30s])"
			}
			text := fn + "(" + selector + "[" + window + "]"
			if fn != "sum_over_time" && fn != "count_over_time" {
				text += " anchored"
			}
			if text += ")"; presence {
				return "(" + text + " or 0 * " + selector + ")"
			}
			return text
		})
	}
	if !c.Minutewise() {
		// What the stock engine leaves out because the other side of a sum is absent is not
		// comparable: a count that is absent is zero here.
		return ask(t, e, store, over(promDuration(end.Sub(start)), false), end)
	}
	if len(c.terms) > 1 {
		return 0, false
	}
	for at := start.Add(time.Minute); !at.After(end); at = at.Add(time.Minute) {
		v, _ := ask(t, e, store, over("1m", true), at)
		want += v
	}
	return want, true
}
