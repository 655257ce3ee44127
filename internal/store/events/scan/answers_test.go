package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

func TestTheNewestOrOldestRowsAreKeptWhoeverOffersThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, oldest := rapid.IntRange(1, 8).Draw(t, "n"), rapid.Bool().Draw(t, "oldest")
		times := rapid.SliceOfN(rapid.Int64Range(0, 12), 0, 60).Draw(t, "times")
		keep := newLatest(n, oldest)
		var wg sync.WaitGroup
		const offering = 3
		for from := range offering {
			wg.Go(func() {
				for i := from; i < len(times); i += offering {
					if keep.wants(times[i]) {
						keep.offer([]ref{{time: times[i], row: int32(i)}})
					}
				}
			})
		}
		wg.Wait()
		var got []int64
		for _, r := range keep.sorted() {
			if times[r.row] != r.time {
				t.Fatalf("row %d has the time %d, not %d", r.row, times[r.row], r.time)
			}
			got = append(got, r.time)
		}
		want := slices.Clone(times)
		slices.Sort(want)
		if !oldest {
			slices.Reverse(want)
		}
		if want = want[:min(n, len(want))]; !slices.Equal(got, want) && len(got)+len(want) > 0 {
			t.Fatalf("kept %v, want %v", got, want)
		}
	})
}

func TestWhatIsLeftBehindAnEdge(t *testing.T) {
	some := store.Range{Start: 10, End: 20}
	for _, c := range []struct {
		name   string
		r      store.Range
		oldest bool
		want   store.Range
	}{
		{"newest first: up to the edge, which is not done", some, false, store.Range{Start: 10, End: 16}},
		{"oldest first: from the edge, which is not done", some, true, store.Range{Start: 15, End: 20}},
		{"all of time, newest first", store.Range{}, false, store.Range{Start: math.MinInt64, End: 16}},
		{"all of time, oldest first", store.Range{}, true, store.Range{Start: 15, End: math.MaxInt64}},
	} {
		if got := behind(c.r, 15, c.oldest); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestAHistogramsBucketsCoverItsRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(-1e6, 1e6).Draw(t, "start")
		r := store.Range{Start: start, End: start + rapid.Int64Range(1, 1e5).Draw(t, "width")}
		g, err := gridOf(r, time.Duration(rapid.Int64Range(3, 1e5).Draw(t, "step")))
		if err != nil {
			t.Fatal(err)
		}
		if g.start > r.Start || g.start%g.step != 0 || r.Start-g.start >= g.step {
			t.Fatalf("begins at %d for %+v by %d", g.start, r, g.step)
		}
		at := rapid.Int64Range(r.Start, r.End-1).Draw(t, "at")
		bucket := g.of(at)
		if from := g.start + int64(bucket)*g.step; bucket < 0 || bucket >= g.buckets || at < from || at >= from+g.step {
			t.Fatalf("%d is in bucket %d of %d, which begins at %d", at, bucket, g.buckets, from)
		}
		if g.of(r.End-1) != g.buckets-1 {
			t.Fatalf("the last bucket is %d of %d", g.of(r.End-1), g.buckets)
		}
	})
}

// What units count apart is what they count together.
func TestCountsOfUnitsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := grid{start: 0, step: 10, buckets: 4}
		total, counted := newSeries("f", g), newCounts("f", maxDistinct)
		want, wantCounts := map[string][]uint64{}, map[string]uint64{}
		for range rapid.IntRange(0, 4).Draw(t, "units") {
			one, few := newSeries("f", g), newCounts("f", maxDistinct)
			for range rapid.IntRange(0, 30).Draw(t, "rows") {
				v, bucket := fmt.Sprint("v", rapid.IntRange(0, 250).Draw(t, "value")), rapid.IntRange(-1, 4).Draw(t, "bucket")
				one.add(one.slots.Of(v), bucket, 1)
				few.add(few.slots.Of(v), 1)
				wantCounts[v]++
				if bucket >= 0 && bucket < g.buckets {
					if want[v] == nil {
						want[v] = make([]uint64, g.buckets)
					}
					want[v][bucket]++
				}
			}
			total.merge(one)
			counted.merge(few)
		}
		h := total.histogram()
		if !slices.IsSortedFunc(h.Series, func(a, b store.HistogramSeries) int {
			return cmp.Or(cmp.Compare(sum(b.Counts), sum(a.Counts)), cmp.Compare(a.Value, b.Value))
		}) {
			t.Fatalf("the value with most rows is not the first: %+v", h.Series)
		}
		for _, s := range h.Series {
			if s.Value != otherSeries && !slices.Equal(s.Counts, want[s.Value]) {
				t.Fatalf("%s: %v, want %v", s.Value, s.Counts, want[s.Value])
			}
			delete(want, s.Value)
		}
		if len(h.Series) < maxSeries && len(want) > 0 {
			t.Fatalf("%d values are missing", len(want))
		}
		for _, c := range counted.top(0) {
			if wantCounts[c.Value] != c.Count {
				t.Fatalf("%s is counted %d times, want %d", c.Value, c.Count, wantCounts[c.Value])
			}
			delete(wantCounts, c.Value)
		}
		if len(wantCounts) > 0 {
			t.Fatalf("not counted: %v", wantCounts)
		}
	})
}

func sum(list []uint64) (n uint64) {
	for _, one := range list {
		n += one
	}
	return n
}

func TestBeyondItsBoundAHistogramCountsTheRestAsOne(t *testing.T) {
	g := grid{step: 1, buckets: 1}
	s := newSeries("f", g)
	const values = maxSeries + 50
	for i := range values {
		for range values - i {
			s.add(s.slots.Of(fmt.Sprint("v", i)), 0, 1)
		}
	}
	h := s.histogram()
	if len(h.Series) != maxSeries+1 || sum(h.Series[0].Counts) < sum(h.Series[1].Counts) {
		t.Fatalf("%d series", len(h.Series))
	}
	total, rest := uint64(0), uint64(0)
	for _, one := range h.Series {
		total += sum(one.Counts)
		if one.Value == otherSeries {
			rest = sum(one.Counts)
		}
	}
	if want := uint64(values * (values + 1) / 2); total != want || rest != 50*51/2 {
		t.Errorf("%d rows, want %d; %d of them as %s, want %d", total, want, rest, otherSeries, 50*51/2)
	}
}

func TestAQueryEndsWhenItHasEnoughAndReportsWhatCannotBeRead(t *testing.T) {
	units := make([]match.Unit, 9)
	for i := range units {
		units[i].Part = &part.Part{}
	}
	var damaged []error
	v := part.NewView(part.Logs, nil, nil, nil, func(_ *part.Part, err error) { damaged = append(damaged, err) })
	defer v.Release()
	var mu sync.Mutex
	seen := 0
	count := func(last int, err error) func(context.Context, int, *match.Unit) error {
		seen = 0
		return func(_ context.Context, i int, _ *match.Unit) error {
			mu.Lock()
			defer mu.Unlock()
			if seen++; i == last {
				return err
			}
			return nil
		}
	}
	if err := run(t.Context(), v, units, count(-1, nil)); err != nil || seen != 9 {
		t.Errorf("%d of 9 units, %v", seen, err)
	}
	if err := run(t.Context(), v, units, count(2, errStop)); err != nil || seen > 2+workers {
		t.Errorf("%d units were read after the third was enough, %v", seen, err)
	}
	broken := errors.New("page 7 is damaged")
	if err := run(t.Context(), v, units, count(4, broken)); err != nil || seen != 9 || len(damaged) != 1 || !errors.Is(damaged[0], broken) {
		t.Errorf("a damaged part: %d units, %v, reported %v", seen, err, damaged)
	}
	if err := run(t.Context(), v, units[:1], func(context.Context, int, *match.Unit) error { panic("decoder") }); err != nil || len(damaged) != 2 || !strings.Contains(damaged[1].Error(), "decoder") {
		t.Errorf("a decoder's panic: %v, reported %v", err, damaged)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(gone, v, units, count(-1, nil)); !errors.Is(err, context.Canceled) || seen != 0 {
		t.Errorf("for nobody: %d units, %v", seen, err)
	}
}

func TestUnitsAreReadInTheOrderOfTime(t *testing.T) {
	v := part.NewView(part.Logs, nil, nil, nil, nil)
	defer v.Release()
	for i, span := range [][2]int64{{10, 20}, {30, 40}, {15, 35}, {5, 1}} { // the last has no row
		p := &part.Part{}
		p.MinTime, p.MaxTime, p.ID = span[0], span[1], uint64(i)
		v.Parts = append(v.Parts, p)
	}
	defer func() { v.Parts = nil }() // they are no open parts
	ids := func(r store.Range, oldest bool) (out []uint64) {
		for _, u := range unitsOf(v, r, oldest) {
			out = append(out, u.Part.ID)
		}
		return out
	}
	for _, c := range []struct {
		name   string
		r      store.Range
		oldest bool
		want   []uint64
	}{
		{"newest first, by their ends", store.Range{}, false, []uint64{1, 2, 0}},
		{"oldest first, by their beginnings", store.Range{}, true, []uint64{0, 2, 1}},
		{"a range's end is not in it", store.Range{Start: 0, End: 15}, false, []uint64{0}},
		{"its start is", store.Range{Start: 40, End: 41}, false, []uint64{1}},
		{"between", store.Range{Start: 21, End: 30}, false, []uint64{2}},
	} {
		if got := ids(c.r, c.oldest); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRollUpsAnswerOnlyWhatTheyKnow(t *testing.T) {
	level, route := store.Compare{Field: "level", Value: "error"}, store.Compare{Field: "http.route", Value: "/"}
	status := store.Compare{Field: "status", Value: "error"}
	for _, c := range []struct {
		name   string
		signal part.Signal
		e      store.Expr
		want   bool
	}{
		{"everything", part.Logs, nil, true},
		{"a level of logs", part.Logs, level, true},
		{"spans have no level", part.Spans, level, false},
		{"a status of spans", part.Spans, status, true},
		{"logs have no status", part.Logs, status, false},
		{"an attribute", part.Logs, route, false},
		{"an attribute with the name of a field", part.Logs, store.Exists{Field: "attr.tenant"}, false},
		{"a word", part.Logs, store.Text{Phrase: "x"}, false},
		{"a regular expression over the text", part.Logs, store.Regexp{}, false},
		{"all of it", part.Logs, store.And{Exprs: []store.Expr{level, store.Not{Expr: store.Exists{Field: "service"}}}}, true},
		{"one part not", part.Logs, store.Or{Exprs: []store.Expr{level, route}}, false},
	} {
		if got := fromRollups(c.signal, c.e); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	q := match.New(part.Logs, "", store.Range{Start: 10, End: 20}, nil)
	if !useRollups(q, &match.Unit{Part: &part.Part{}, Min: 10, Max: 19}, "level") || useRollups(q, &match.Unit{Part: &part.Part{}, Min: 10, Max: 20}, "level") ||
		useRollups(q, &match.Unit{Min: 10, Max: 19}, "level") || useRollups(q, &match.Unit{Part: &part.Part{}, Min: 10, Max: 19}, "env") {
		t.Error("rows outside of the range, a head or a field without roll-ups are counted by roll-ups")
	}
}

func TestATracesSummaryIsThatOfItsSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) brief {
			start := rapid.Int64Range(0, 20).Draw(t, "start")
			return brief{
				service: rapid.SampledFrom([]string{"edge", "pay", "db"}).Draw(t, "service"), name: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name"),
				start: start, end: start + rapid.Int64Range(0, 9).Draw(t, "took"), root: rapid.IntRange(0, 3).Draw(t, "root") == 0, failed: rapid.Bool().Draw(t, "failed"),
			}
		}), 1, 12).Draw(t, "spans")
		id := model.TraceID{1}
		got := summaryOf(id, slices.Clone(spans))
		start, end, failed, by := int64(math.MaxInt64), int64(math.MinInt64), 0, map[string][2]int{}
		var first *brief // the earliest root, or the earliest of all where there is none
		for i := range spans {
			s := &spans[i]
			start, end = min(start, s.start), max(end, s.end)
			c := by[s.service]
			c[0]++
			if s.failed {
				failed++
				c[1]++
			}
			by[s.service] = c
			if first == nil || s.root && !first.root || s.root == first.root && s.start < first.start {
				first = s
			}
		}
		if got.TraceID != id || got.Start != start || got.Duration != end-start || got.Spans != len(spans) || got.Errors != failed {
			t.Fatalf("%+v of %+v", got, spans)
		}
		if root := slices.ContainsFunc(spans, func(s brief) bool {
			return s.service == got.RootService && s.name == got.RootName && s.root == first.root && s.start == first.start
		}); !root {
			t.Fatalf("the root is %s %s of %+v", got.RootService, got.RootName, spans)
		}
		for i, s := range got.Services {
			if by[s.Service] != [2]int{s.Spans, s.Errors} || i > 0 && s.Spans > got.Services[i-1].Spans {
				t.Fatalf("services %+v of %+v", got.Services, spans)
			}
			delete(by, s.Service)
		}
		if len(by) > 0 {
			t.Fatalf("services %v are missing", by)
		}
	})
}

func TestARangeIsWidenedWithoutRunningOver(t *testing.T) {
	hour := int64(time.Hour)
	for _, c := range []struct{ in, want store.Range }{
		{store.Range{}, store.Range{}},
		{store.Range{Start: 5 * hour, End: 6 * hour}, store.Range{Start: 4 * hour, End: 7 * hour}},
		{store.Range{Start: -2 * hour, End: -hour}, store.Range{Start: -3 * hour, End: 0}},
		{store.Range{Start: math.MinInt64 + 5, End: math.MaxInt64 - 5}, store.Range{Start: math.MinInt64, End: math.MaxInt64}},
	} {
		if got := widen(c.in); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.in, got, c.want)
		}
	}
}
