package scan_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// someStore has drawn logs in parts and a head, many at the same instant.
func someStore(t *testing.T, rt *rapid.T) (*plainStore, []model.LogRecord) {
	s := newPlainStore(t)
	var all []model.LogRecord
	res := []*model.Resource{{Tenant: "default", Service: "edge"}, {Tenant: "blue", Service: "pay"}}
	for range rapid.IntRange(1, 4).Draw(rt, "batches") {
		var batch []model.LogRecord
		for range rapid.SampledFrom([]int{1, 3, 40, 1100}).Draw(rt, "rows") {
			n := len(all) + len(batch)
			batch = append(batch, model.LogRecord{
				Time: int64(time.Hour) + int64(n*7919%13)*1e9, Level: model.Level(n % 7), Message: fmt.Sprintf("row %d of %d", n, n%5), RequestID: fmt.Sprint("r", n), Resource: res[n%2],
			})
		}
		if err := s.AppendLogs(t.Context(), batch); err != nil {
			rt.Fatal(err)
		}
		all = append(all, batch...)
		if rapid.Bool().Draw(rt, "sealed") {
			if err := s.Seal(t.Context()); err != nil {
				rt.Fatal(err)
			}
		}
	}
	return s, all
}

// Whatever lies where, and however many are wanted, the rows come in order, each once.
func TestRowsOfPartsAndHeadsComeInOrderEachOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, all := someStore(t, rt)
		q := store.LogQuery{Limit: rapid.SampledFrom([]int{0, 1, 2, 50, 5000}).Draw(rt, "limit"), Oldest: rapid.Bool().Draw(rt, "oldest"), Tenant: rapid.SampledFrom([]string{"", "default"}).Draw(rt, "tenant")}
		if rapid.Bool().Draw(rt, "filtered") {
			q.Expr = store.Text{Phrase: "of 3"}
		}
		m := store.NewMatcher(q.Expr)
		all = slices.DeleteFunc(all, func(r model.LogRecord) bool { return !m.Log(&r) || q.Tenant != "" && r.Resource.Tenant != q.Tenant })
		slices.SortStableFunc(all, func(a, b model.LogRecord) int {
			if q.Oldest {
				a, b = b, a
			}
			return cmp.Compare(b.Time, a.Time)
		})
		if q.Limit > 0 {
			all = all[:min(q.Limit, len(all))]
		}
		seen, n := map[string]bool{}, 0
		for r, err := range s.Logs(t.Context(), q) {
			switch {
			case err != nil:
				rt.Fatal(err)
			case n >= len(all):
				rt.Fatalf("more than the %d rows that match", len(all))
			case r.Time != all[n].Time:
				rt.Fatalf("row %d has the time %d, want %d", n, r.Time, all[n].Time)
			case seen[r.RequestID]:
				rt.Fatalf("%s comes twice", r.RequestID)
			case !m.Log(&r):
				rt.Fatalf("%q does not match", r.Message)
			}
			seen[r.RequestID] = true
			n++
		}
		if n != len(all) {
			rt.Fatalf("%d rows, want %d", n, len(all))
		}
	})
}

// A histogram by whole minutes is read from roll-ups, one by half minutes from rows.
func TestRollUpsCountAsTheRowsDo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, _ := someStore(t, rt)
		hour := int64(time.Hour)
		q := store.LogQuery{Range: store.Range{Start: hour, End: hour + int64(time.Minute)}, Tenant: rapid.SampledFrom([]string{"", "blue"}).Draw(rt, "tenant")}
		if rapid.Bool().Draw(rt, "filtered") {
			q.Expr = store.Not{Expr: store.Compare{Field: "level", Op: store.OpGe, Value: "warn"}}
		}
		field := rapid.SampledFrom([]string{"", "level", "service", "tenant"}).Draw(rt, "field")
		counts := func(step time.Duration) map[string]uint64 {
			h, err := s.LogHistogram(t.Context(), q, step, field)
			if err != nil {
				rt.Fatal(err)
			}
			out := map[string]uint64{}
			for _, one := range h.Series {
				for _, n := range one.Counts {
					out[one.Value] += n
				}
			}
			return out
		}
		rolled, counted := counts(time.Minute), counts(30*time.Second)
		if fmt.Sprint(rolled) != fmt.Sprint(counted) {
			rt.Fatalf("by roll-ups %v, by rows %v", rolled, counted)
		}
		if field == "" {
			return
		}
		values, err := s.LogValues(t.Context(), q, field, 0)
		if err != nil {
			rt.Fatal(err)
		}
		for _, v := range values {
			if counted[v.Value] != v.Count {
				rt.Fatalf("%s is counted %d times, want %d", v.Value, v.Count, counted[v.Value])
			}
		}
	})
}

func TestTheSlowestTracesAreThoseThatTookLongest(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newPlainStore(t)
		type extent struct{ start, end int64 }
		traces := map[model.TraceID]*extent{}
		res := &model.Resource{Tenant: "default", Service: "edge"}
		for i := range rapid.IntRange(1, 40).Draw(rt, "spans") {
			id := model.TraceID{15: byte(rapid.IntRange(1, 9).Draw(rt, "trace"))}
			one := model.Span{TraceID: id, SpanID: model.SpanID{7: byte(i + 1)}, Name: "op", Start: int64(time.Hour) + rapid.Int64Range(0, 60).Draw(rt, "start")*1e9, Duration: rapid.Int64Range(0, 30).Draw(rt, "took") * 1e9, Resource: res}
			if err := s.AppendSpans(t.Context(), []model.Span{one}); err != nil {
				rt.Fatal(err)
			}
			e := traces[id]
			if e == nil {
				e = &extent{one.Start, one.Start + one.Duration}
				traces[id] = e
			}
			e.start, e.end = min(e.start, one.Start), max(e.end, one.Start+one.Duration)
			if rapid.IntRange(0, 9).Draw(rt, "sealed") == 0 {
				if err := s.Seal(t.Context()); err != nil {
					rt.Fatal(err)
				}
			}
		}
		limit, slowest := rapid.IntRange(1, 12).Draw(rt, "limit"), rapid.Bool().Draw(rt, "slowest")
		got, err := s.Traces(t.Context(), store.TraceQuery{Limit: limit, Slowest: slowest})
		if err != nil {
			rt.Fatal(err)
		}
		var want []int64
		for _, e := range traces {
			if slowest {
				want = append(want, e.end-e.start)
			} else {
				want = append(want, e.start)
			}
		}
		slices.SortFunc(want, func(a, b int64) int { return cmp.Compare(b, a) })
		want = want[:min(limit, len(want))]
		for i, one := range got {
			e := traces[one.TraceID]
			if e == nil || one.Start != e.start || one.Duration != e.end-e.start {
				rt.Fatalf("trace %s from %d for %d, want %+v", one.TraceID, one.Start, one.Duration, e)
			}
			if by := map[bool]int64{true: one.Duration, false: one.Start}[slowest]; i >= len(want) || by != want[i] {
				rt.Fatalf("trace %d of %v is %d", i, want, by)
			}
			if len(one.Matched) == 0 || len(one.Matched) > 3 {
				rt.Fatalf("%d matching spans are shown", len(one.Matched))
			}
		}
		if len(got) != len(want) {
			rt.Fatalf("%d traces, want %d", len(got), len(want))
		}
	})
}

// A trace of a range counts its spans within an hour of it, and parts of other times are not read.
func TestSpansFarFromTheRangeAreNotOfTheTrace(t *testing.T) {
	s := newPlainStore(t)
	id, res := model.TraceID{1}, &model.Resource{Tenant: "default", Service: "edge"}
	day := int64(24 * time.Hour)
	for i, at := range []int64{day, 3 * day, 3*day + int64(30*time.Minute), 5 * day} {
		if err := s.AppendSpans(t.Context(), []model.Span{{TraceID: id, SpanID: model.SpanID{byte(i + 1)}, Name: "op", Start: at, Duration: 1e9, Resource: res}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.Traces(t.Context(), store.TraceQuery{Range: store.Range{Start: 3 * day, End: 3*day + 1}})
	if err != nil || len(got) != 1 || got[0].Spans != 2 || got[0].Start != 3*day {
		t.Errorf("%+v, %v", got, err)
	}
}
