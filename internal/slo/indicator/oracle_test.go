package indicator

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// scrape is what one scrape added to counters that may have begun anew.
type scrape struct {
	at         time.Time
	total, bad float64
}

// scraped is a store with two hours of scrapes that come 15 s to 4 min after one another, and restarts of the sender. Instances
// count apart; the events of both are meant.
func scraped(t *testing.T) (Querier, []scrape) {
	t.Helper()
	db, err := tsdb.Open(t.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	app := db.AppenderV2(t.Context())
	var all []scrape
	for instance := range 2 {
		put := func(name string, at time.Time, v float64) {
			ls := labels.FromStrings("__name__", name, "instance", fmt.Sprint(instance))
			if _, err := app.Append(0, ls, 0, at.UnixMilli(), v, nil, nil, storage.AOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		var total, bad float64
		begun := true
		for n, at := 0, midnight.Add(time.Duration(instance*7)*time.Second); at.Before(midnight.Add(2 * time.Hour)); n++ {
			one := scrape{at, float64((n*n + instance) % 23), float64(n % 3)}
			one.total += one.bad
			if n%29 == 28 {
				total, bad = 0, 0 // a restart: what is counted now came since
			}
			total, bad = total+one.total, bad+one.bad
			put("t_total", at, total)
			put("b_total", at, bad)
			put("g_total", at, total-bad)
			if !begun {
				all = append(all, one)
			}
			begun = false // what a counter shows first is of an unknown past
			at = at.Add(time.Duration(15+(n*n*7+n*13)%226) * time.Second)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	return promexpr.NewEvaluator(db, time.Minute, nil), all
}

// naiveEvents are those whose scrape lies in (from, to].
func naiveEvents(all []scrape, from, to time.Time) (c ledger.Cell) {
	for _, s := range all {
		if s.at.After(from) && !s.at.After(to) {
			c.Bad, c.Total = c.Bad+s.bad, c.Total+s.total
		}
	}
	c.Minutes = to.Sub(from).Minutes()
	return c
}

// Events belong to the slot in which they were scraped; with scrapes no more than five minutes apart no slot is without data.
func TestCountersAreCountedScrapeByScrape(t *testing.T) {
	q, all := scraped(t)
	byBad := &Ratio{Bad: counter(t, "b_total"), Total: counter(t, "t_total")}
	byGood := &Ratio{Good: counter(t, "sum(rate(g_total[5m]))"), Total: counter(t, "sum(rate(t_total[5m]))")}
	rapid.Check(t, func(t *rapid.T) {
		src := rapid.SampledFrom([]*Ratio{byBad, byGood}).Draw(t, "source")
		width := time.Duration(rapid.SampledFrom([]int{1, 5, 30}).Draw(t, "width")) * time.Minute
		from := midnight.Add(10*time.Minute + width).Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "from")) * time.Minute).Truncate(width)
		slots := rapid.IntRange(0, 2).Draw(t, "slots")
		cells, err := src.Cells(t.Context(), q, from, from.Add(time.Duration(slots)*width), width)
		if err != nil || len(cells) != slots {
			t.Fatalf("%d slots, want %d, %v", len(cells), slots, err)
		}
		for i, c := range cells {
			begin := from.Add(time.Duration(i) * width)
			want := naiveEvents(all, begin, begin.Add(width))
			if !slices.ContainsFunc(all, func(s scrape) bool { return s.at.After(begin) && !s.at.After(from.Add(time.Duration(slots)*width)) }) {
				want = ledger.Cell{} // the next scrape, beyond what is asked for, will tell
			}
			if !near(c, want) {
				t.Fatalf("slot %d of %s from %s: %+v, want %+v", i, width, from, c, want)
			}
		}
		to := from.Add(time.Duration(rapid.IntRange(1, 1800).Draw(t, "seconds")) * time.Second)
		live, err := src.Live(t.Context(), q, from, to)
		if want := naiveEvents(all, from, to); err != nil || live.Minutes != 0 && !near(live, want) || live.Minutes == 0 && want.Total > 0 {
			t.Fatalf("live from %s to %s: %+v %v, want %+v", from, to, live, err, want)
		}
		if f, err := FaultOf(t.Context(), src, q, to); f != nil || err != nil {
			t.Fatalf("at %s: %+v %v", to, f, err)
		}
	})
}

// queues answers values of several series by minute; NaN where there is none.
type queues struct{ depth [][]float64 }

func (q *queues) at(series int, t time.Time) (float64, bool) {
	m := int(t.Sub(midnight) / time.Minute)
	if m < 0 || m >= len(q.depth[series]) || math.IsNaN(q.depth[series][m]) {
		return 0, false
	}
	return q.depth[series][m], true
}

func (q *queues) Instant(_ context.Context, _ string, t time.Time) (out []model.Sample, err error) {
	for i := range q.depth {
		if v, ok := q.at(i, t); ok {
			out = append(out, model.Sample{Value: v, Time: t})
		}
	}
	return out, nil
}

func (q *queues) Range(_ context.Context, _ string, start, end time.Time, step time.Duration) (out []model.Series, err error) {
	for i := range q.depth {
		var one model.Series
		for t := start; !t.After(end); t = t.Add(step) {
			if v, ok := q.at(i, t); ok {
				one.Points = append(one.Points, model.Point{Time: t, Value: v})
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// Each series' value at a full minute stands for the minute before; a minute in which any series has one has data.
func TestValuesOfSeveralSeriesAreJudgedOneByOne(t *testing.T) {
	query, err := promexpr.ParseVector("depth")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		q := &queues{}
		for range rapid.IntRange(1, 3).Draw(t, "series") {
			q.depth = append(q.depth, rapid.SliceOfN(rapid.SampledFrom([]float64{math.NaN(), 0, 0.25, 1, 1.5, -2, math.Inf(1), math.Inf(-1)}), 61, 61).Draw(t, "values"))
		}
		s := &Values{Query: query, Op: rapid.SampledFrom([]string{"", "lt", "lte", "gt", "gte"}).Draw(t, "op"), Limit: 0.25, Success: rapid.Bool().Draw(t, "success")}
		bad := func(v float64) (share float64, counts bool) {
			switch s.Op {
			case "lt":
				return map[bool]float64{false: 1}[v < s.Limit], true
			case "lte":
				return map[bool]float64{false: 1}[v <= s.Limit], true
			case "gt":
				return map[bool]float64{false: 1}[v > s.Limit], true
			case "gte":
				return map[bool]float64{false: 1}[v >= s.Limit], true
			}
			if s.Success {
				return 1 - v, v >= 0 && v <= 1
			}
			return v, v >= 0 && v <= 1
		}
		width := rapid.SampledFrom([]int{1, 5, 15}).Draw(t, "width")
		cells, err := s.Cells(t.Context(), q, midnight, at(60), time.Duration(width)*time.Minute)
		if err != nil || len(cells) != 60/width {
			t.Fatal(cells, err)
		}
		for i, c := range cells {
			var want ledger.Cell
			for m := i*width + 1; m <= (i+1)*width; m++ {
				data := 0.0
				for _, series := range q.depth {
					if share, counts := bad(series[m]); counts && !math.IsNaN(series[m]) {
						want.Bad, want.Total, data = want.Bad+share, want.Total+1, 1
					}
				}
				want.Minutes += data
			}
			if !near(c, want) {
				t.Fatalf("%q, slot %d of %d min: %+v, want %+v", s.Op, i, width, c, want)
			}
		}
	})
}
