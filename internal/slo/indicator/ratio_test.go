package indicator

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// asked counts what the engine is asked.
type asked struct {
	Querier
	n int
}

func (a *asked) Instant(ctx context.Context, expr string, t time.Time) ([]model.Sample, error) {
	a.n++
	return a.Querier.Instant(ctx, expr, t)
}

func (a *asked) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]model.Series, error) {
	a.n++
	return a.Querier.Range(ctx, expr, start, end, step)
}

// stored is an engine over a store in which service s counts s+1 events in each of 60 minutes, of which one is
// bad for odd services; even ones have no series of bad events. Scrapes are at half minutes; from minute 30 to
// 45 nothing is scraped.
func stored(t *testing.T, services int) *asked {
	t.Helper()
	db, err := tsdb.Open(t.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	app := db.AppenderV2(t.Context())
	put := func(name string, service int, at time.Time, v float64) {
		ls := labels.FromStrings("__name__", name, "service", fmt.Sprint("s", service))
		if _, err := app.Append(0, ls, 0, at.UnixMilli(), v, nil, nil, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for s := range services {
		for m := range 61 {
			if m > 30 && m < 45 {
				continue
			}
			at := midnight.Add(time.Duration(m)*time.Minute - 30*time.Second)
			put("t_total", s, at, float64(m*(s+1)))
			if s%2 == 1 {
				put("b_total", s, at, float64(m))
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	return &asked{Querier: promexpr.NewEvaluator(db, time.Minute, nil)}
}

func ratios(t *testing.T, services int) (out []Source) {
	t.Helper()
	for s := range services {
		out = append(out, &Ratio{Bad: counter(t, fmt.Sprintf(`b_total{service="s%d"}`, s)), Total: counter(t, fmt.Sprintf(`t_total{service="s%d"}`, s))})
	}
	return out
}

func near(a, b ledger.Cell) bool {
	return math.Abs(a.Bad-b.Bad) < 1e-9 && math.Abs(a.Total-b.Total) < 1e-9 && math.Abs(a.Minutes-b.Minutes) < 1e-9
}

func TestEventsAreCountedWhereTheyWereScrapedAndAGapIsNoData(t *testing.T) {
	q := stored(t, 2)
	src := ratios(t, 2)
	for s, bad := range []float64{0, 1} { // of each minute; no series of bad events is none
		cells, err := src[s].Cells(t.Context(), q, midnight, midnight.Add(time.Hour), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for m, c := range cells {
			want := ledger.Cell{Bad: bad, Total: float64(s + 1), Minutes: 1}
			switch {
			case m == 0: // what a series began with is not known to be new
				continue
			case m >= 30 && m < 44:
				want = ledger.Cell{}
			case m == 44: // beyond five minutes, what came in between is not known to when it belongs
				continue
			}
			if !near(c, want) {
				t.Errorf("s%d, minute %d: %+v, want %+v", s, m, c, want)
			}
		}
	}
	if newest, ok, err := src[1].Newest(t.Context(), q, midnight.Add(time.Hour)); err != nil || !ok || !newest.Equal(midnight.Add(59*time.Minute+30*time.Second)) {
		t.Errorf("newest %s %t %v", newest, ok, err)
	}
	if f, err := FaultOf(t.Context(), src[1], q, midnight.Add(20*time.Minute)); f != nil || err != nil {
		t.Errorf("%+v %v", f, err)
	}
	swapped := &Ratio{Bad: src[1].(*Ratio).Total, Total: src[1].(*Ratio).Bad}
	if f, err := FaultOf(t.Context(), swapped, q, midnight.Add(20*time.Minute)); err != nil || f == nil || f.Kind != BadAboveTotal {
		t.Errorf("twice as many bad events as events: %+v %v", f, err)
	}
}

// Asked together or alone, each source is told the same.
func TestABatchAnswersAsEachAloneWithFewerQuestions(t *testing.T) {
	const services = 9
	q := stored(t, services)
	src := ratios(t, services)
	times := []time.Time{midnight.Add(10 * time.Minute), midnight.Add(31 * time.Minute), midnight.Add(40 * time.Minute), midnight.Add(time.Hour)}
	for _, at := range times {
		var alone, together []ledger.Cell
		q.n = 0
		for _, s := range src {
			c, err := s.Live(t.Context(), q, at.Add(-5*time.Minute), at)
			if err != nil {
				t.Fatal(err)
			}
			cells, err := s.Cells(t.Context(), q, at.Add(-5*time.Minute), at, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			alone = append(append(alone, c), cells...)
		}
		single := q.n
		q.n = 0
		b := NewBatch(q, FamiliesOf(src))
		for _, s := range src {
			c, err := s.Live(t.Context(), b, at.Add(-5*time.Minute), at)
			if err != nil {
				t.Fatal(err)
			}
			cells, err := s.Cells(t.Context(), b, at.Add(-5*time.Minute), at, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			together = append(append(together, c), cells...)
		}
		for i := range alone {
			if !near(alone[i], together[i]) {
				t.Errorf("%s: answer %d is %+v alone and %+v together", at, i, alone[i], together[i])
			}
		}
		if q.n*services > single*2 && single > 2*services {
			t.Errorf("%s: %d questions together, %d alone", at, q.n, single)
		}
	}
}
