package scan_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const minute0 = int64(time.Hour)

// shop has seven log records: three in a part, two in another, two in the head.
func shop(t *testing.T) *plainStore {
	t.Helper()
	s := newPlainStore(t)
	edge := &model.Resource{Tenant: "default", Service: "edge", Attrs: model.Attrs{{Key: "host", Value: model.StringValue("h1")}}}
	pay := &model.Resource{Tenant: "blue", Service: "pay", Env: "prod"}
	log := func(second int64, level model.Level, message string, res *model.Resource, attrs ...model.Attr) model.LogRecord {
		return model.LogRecord{Time: minute0 + second*1e9, Level: level, Message: message, Resource: res, Attrs: attrs}
	}
	code := func(n int64) model.Attr { return model.Attr{Key: "code", Value: model.IntValue(n)} }
	batches := [][]model.LogRecord{
		{log(0, model.LevelInfo, "taken", edge, code(200)), log(59, model.LevelError, "lost", edge, code(500)), log(60, model.LevelInfo, "taken", pay, code(200))},
		{log(61, model.LevelInfo, "taken", edge), log(150, model.LevelUnset, "odd", pay, model.Attr{Key: "tags", Value: model.JSONValue(`["a","b"]`)})},
		{log(179, model.LevelError, "lost", pay, code(503)), log(180, model.LevelInfo, "taken", edge, code(200), model.Attr{Key: "level", Value: model.StringValue("gold")})},
	}
	for i, b := range batches {
		if err := s.AppendLogs(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if i < 2 {
			if err := s.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func TestValuesAreCountedOverPartsAndHeads(t *testing.T) {
	s := shop(t)
	for _, c := range []struct {
		name, filter, field, tenant string
		rng                         store.Range
		limit                       int
		want                        string
	}{
		{"levels, without the record that has none", "", "level", "", store.Range{}, 0, "info 4, error 2"},
		{"services", "", "service", "", store.Range{}, 0, "edge 4, pay 3"},
		{"equal numbers of rows stand by their names", "", "code", "", store.Range{}, 0, "200 3, 500 1, 503 1"},
		{"at most so many", "", "code", "", store.Range{}, 2, "200 3, 500 1"},
		{"an integer is written as it is", "code:>=500", "code", "", store.Range{}, 0, "500 1, 503 1"},
		{"of the resource", "", "host", "", store.Range{}, 0, "h1 4"},
		{"an attribute with the name of a field", "", "attr.level", "", store.Range{}, 0, "gold 1"},
		{"texts", "-taken", "message", "", store.Range{}, 0, "lost 2, odd 1"},
		{"an array counts as itself", "", "tags", "", store.Range{}, 0, `["a","b"] 1`},
		{"of a tenant", "", "level", "blue", store.Range{}, 0, "error 1, info 1"},
		{"of a tenant that is not there", "", "level", "green", store.Range{}, 0, ""},
		{"of a range that cuts a part", "", "level", "", store.Range{Start: minute0, End: minute0 + 60e9}, 0, "error 1, info 1"},
		{"a filter on what is grouped", "level:error", "level", "", store.Range{}, 0, "error 2"},
		{"a filter that roll-ups do not know", "lost", "service", "", store.Range{}, 0, "edge 1, pay 1"},
		{"a filter that they do", "level:error -service:pay", "service", "", store.Range{}, 0, "edge 1"},
		{"a field that nothing has", "", "nothing", "", store.Range{}, 0, ""},
		{"nothing matches", "absent", "level", "", store.Range{}, 0, ""},
	} {
		got, err := s.LogValues(t.Context(), store.LogQuery{Expr: parse(t, c.filter), Tenant: c.tenant, Range: c.rng}, c.field, c.limit)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		var list []string
		for _, v := range got {
			list = append(list, fmt.Sprint(v.Value, " ", v.Count))
		}
		if text := strings.Join(list, ", "); text != c.want {
			t.Errorf("%s: %q, want %q", c.name, text, c.want)
		}
	}
}

func TestHistogramsHaveEveryBucketOfTheirRange(t *testing.T) {
	s := shop(t)
	for _, c := range []struct {
		name, filter, field string
		from, to            int64 // seconds
		step                time.Duration
		start               int64 // of the first bucket, in seconds
		want                map[string][]uint64
	}{
		{"by whole minutes", "", "level", 0, 240, time.Minute, 0, map[string][]uint64{"info": {1, 2, 0, 1}, "error": {1, 0, 1, 0}, "": {0, 0, 1, 0}}},
		{"all as one", "", "", 0, 240, time.Minute, 0, map[string][]uint64{"": {2, 2, 2, 1}}},
		{"the range's end is not in it", "", "", 0, 180, time.Minute, 0, map[string][]uint64{"": {2, 2, 2}}},
		{"its start is, and buckets begin at multiples", "", "service", 59, 61, time.Minute, 0, map[string][]uint64{"edge": {1, 0}, "pay": {0, 1}}},
		{"two minutes", "", "", 0, 240, 2 * time.Minute, 0, map[string][]uint64{"": {4, 3}}},
		{"half minutes", "level:info", "", 0, 120, 30 * time.Second, 0, map[string][]uint64{"": {1, 0, 2, 0}}},
		{"by an attribute", "code:*", "code", 0, 240, 2 * time.Minute, 0, map[string][]uint64{"200": {2, 1}, "500": {1, 0}, "503": {0, 1}}},
		{"of what has no such field", "odd", "code", 120, 180, time.Minute, 120, map[string][]uint64{"": {1}}},
		{"one bucket of an hour", "", "tenant", 0, 3600, time.Hour, 0, map[string][]uint64{"default": {4}, "blue": {3}}},
		{"nothing there", "", "level", 600, 660, time.Minute, 600, map[string][]uint64{}},
		{"nothing matches", "absent", "level", 0, 60, time.Minute, 0, map[string][]uint64{}},
	} {
		q := store.LogQuery{Expr: parse(t, c.filter), Range: store.Range{Start: minute0 + c.from*1e9, End: minute0 + c.to*1e9}}
		h, err := s.LogHistogram(t.Context(), q, c.step, c.field)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		got := map[string][]uint64{}
		for _, one := range h.Series {
			got[one.Value] = one.Counts
		}
		if diff := gocmp.Diff(c.want, got); diff != "" || h.Start != minute0+c.start*1e9 || h.Step != int64(c.step) {
			t.Errorf("%s, from %d by %d (-want +got):\n%s", c.name, h.Start-minute0, h.Step, diff)
		}
	}
}

func TestFieldsAreListedIdentityFirstThenByFrequency(t *testing.T) {
	s := shop(t)
	for _, c := range []struct {
		name, filter, tenant string
		rng                  store.Range
		limit                int
		want                 string
	}{
		{"all", "", "", store.Range{}, 0, "level service env tenant code host attr.level tags"},
		{"at most so many", "", "", store.Range{}, 5, "level service env tenant code"},
		{"of a tenant", "", "blue", store.Range{}, 0, "level service env tenant code tags"},
		{"of what matches", "odd", "", store.Range{}, 0, "service env tenant tags"},
		{"of a range", "", "", store.Range{Start: minute0 + 61e9, End: minute0 + 62e9}, 0, "level service tenant host"},
		{"of nothing", "absent", "", store.Range{}, 0, ""},
	} {
		got, err := s.LogFields(t.Context(), store.LogQuery{Expr: parse(t, c.filter), Tenant: c.tenant, Range: c.rng}, c.limit)
		if text := strings.Join(got, " "); err != nil || text != c.want || got == nil {
			t.Errorf("%s: %q, %v, want %q", c.name, text, err, c.want)
		}
	}
}

// Whatever is counted by buckets, values and ranges is what a count row by row finds.
func TestGroupedCountsAreThoseOfTheRows(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, all := someStore(t, rt)
		start := minute0 + rapid.Int64Range(-90, 15).Draw(rt, "start")*1e9
		q := store.LogQuery{
			Range:  store.Range{Start: start, End: start + rapid.Int64Range(1, 200).Draw(rt, "seconds")*1e9},
			Tenant: rapid.SampledFrom([]string{"", "blue", "green"}).Draw(rt, "tenant"),
			Expr:   parse(t, rapid.SampledFrom([]string{"", "level:>=warn", "-level:*", "service:edge OR level:info", `"of 3"`, "request_id:r1*"}).Draw(rt, "filter")),
		}
		field := rapid.SampledFrom([]string{"", "level", "service", "tenant", "message", "env"}).Draw(rt, "field")
		step := int64(rapid.SampledFrom([]time.Duration{time.Minute, 2 * time.Minute, 7 * time.Second, 100 * time.Second}).Draw(rt, "step"))
		m := store.NewMatcher(q.Expr)
		want, values := map[string]uint64{}, map[string]uint64{}
		for _, r := range all {
			if !m.Log(&r) || !q.Range.Contains(r.Time) || q.Tenant != "" && q.Tenant != r.Resource.Tenant {
				continue
			}
			v := ""
			if field != "" {
				v = store.LogField(&r, field)
			}
			values[v]++
			want[fmt.Sprint(v, " at ", r.Time/step*step)]++
		}
		delete(values, "")
		if field != "message" { // of which there are more than a histogram tells apart
			h, err := s.LogHistogram(t.Context(), q, time.Duration(step), field)
			if err != nil {
				rt.Fatal(err)
			}
			got := map[string]uint64{}
			for _, one := range h.Series {
				for i, n := range one.Counts {
					if n > 0 {
						got[fmt.Sprint(one.Value, " at ", h.Start+int64(i)*h.Step)] = n
					}
				}
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				rt.Fatalf("(-want +got):\n%s", diff)
			}
		}
		if field == "" {
			return
		}
		got, err := s.LogValues(t.Context(), q, field, 0)
		if err != nil {
			rt.Fatal(err)
		}
		if !slices.IsSortedFunc(got, func(a, b store.ValueCount) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
		}) {
			rt.Fatalf("not the most frequent first: %+v", got)
		}
		counted := map[string]uint64{}
		for _, v := range got {
			counted[v.Value] = v.Count
		}
		if diff := gocmp.Diff(values, counted); diff != "" {
			rt.Fatalf("values (-want +got):\n%s", diff)
		}
	})
}

func TestARefusalSaysWhatMayBeAsked(t *testing.T) {
	s := newPlainStore(t)
	all := store.Range{Start: math.MinInt64, End: math.MaxInt64}
	for _, c := range []struct {
		name string
		ask  func() error
		says string
	}{
		{"no step", func() error {
			_, err := s.LogHistogram(t.Context(), store.LogQuery{Range: store.Range{Start: 0, End: 9}}, -time.Second, "")
			return err
		}, "step must be above 0"},
		{"no range", func() error {
			_, err := s.SpanHistogram(t.Context(), store.TraceQuery{}, time.Second, "")
			return err
		}, "ends after its start"},
		{"too many buckets", func() error {
			_, err := s.LogHistogram(t.Context(), store.LogQuery{Range: store.Range{Start: 0, End: 50_000*1e9 + 1}}, time.Second, "")
			return err
		}, "longer step or a shorter range"},
		{"all of time by hours", func() error {
			_, err := s.LogHistogram(t.Context(), store.LogQuery{Range: all}, time.Hour, "")
			return err
		}, "longer step or a shorter range"},
		{"all of time by years", func() error {
			_, err := s.SpanHistogram(t.Context(), store.TraceQuery{Range: all}, 8760*time.Hour, "")
			return err
		}, "longer step or a shorter range"},
		{"values of no field", func() error {
			_, err := s.LogValues(t.Context(), store.LogQuery{}, "", 5)
			return err
		}, "name the field"},
		{"values of no field of spans", func() error {
			_, err := s.SpanValues(t.Context(), store.TraceQuery{}, "", 5)
			return err
		}, "name the field"},
	} {
		err := c.ask()
		var bad interface{ BadRequest() }
		if err == nil || !errors.As(err, &bad) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a refusal that says %q", c.name, err, c.says)
		}
	}
	if _, err := s.LogHistogram(t.Context(), store.LogQuery{Range: store.Range{Start: 0, End: 50_000 * 1e9}}, time.Second, ""); err != nil {
		t.Errorf("50,000 buckets: %v", err)
	}
}
