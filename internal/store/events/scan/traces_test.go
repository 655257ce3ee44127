package scan_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// span is one of trace n: id, second of its start, seconds that it takes.
func span(n, id byte, at, took int64, res *model.Resource) model.Span {
	return model.Span{
		TraceID: model.TraceID{15: n}, SpanID: model.SpanID{7: id}, ParentID: model.SpanID{7: id - 1}, Name: fmt.Sprintf("op%d", id), Start: minute0 + at*1e9, Duration: took * 1e9, Resource: res,
	}
}

// orders has three traces over a part and a head: 1 is scattered, 2 is short, 3 belongs to two tenants.
func orders(t *testing.T) *plainStore {
	t.Helper()
	s := newPlainStore(t)
	edge, pay, blue := &model.Resource{Tenant: "default", Service: "edge"}, &model.Resource{Tenant: "default", Service: "pay"}, &model.Resource{Tenant: "blue", Service: "edge"}
	failed := span(1, 3, 2, 5, pay)
	failed.Status = model.StatusError
	noTrace := span(0, 1, 9, 1, edge)
	if err := errors.Join(
		s.AppendSpans(t.Context(), []model.Span{failed, span(1, 1, 1, 4, edge), span(3, 1, 30, 2, edge)}), s.Seal(t.Context()),
		s.AppendSpans(t.Context(), []model.Span{span(1, 2, 1, 3, edge), span(2, 1, 10, 1, pay), span(3, 2, 31, 9, blue), noTrace}),
	); err != nil {
		t.Fatal(err)
	}
	return s
}

func ids(list []model.Span) (out []byte) {
	for _, s := range list {
		out = append(out, s.SpanID[7])
	}
	return out
}

func TestATraceIsAllOfItsSpansByTheirStart(t *testing.T) {
	s := orders(t)
	for _, c := range []struct {
		name, tenant string
		trace        byte
		hint         store.Range
		want         []byte
	}{
		{"from part and head, of two at once the longer first", "", 1, store.Range{}, []byte{1, 2, 3}},
		{"of a tenant", "default", 3, store.Range{}, []byte{1}},
		{"of another", "blue", 3, store.Range{}, []byte{2}},
		{"of all tenants", "", 3, store.Range{}, []byte{1, 2}},
		{"with a hint", "", 2, store.Range{Start: minute0 + 10e9, End: minute0 + 11e9}, []byte{1}},
	} {
		got, err := s.Trace(t.Context(), c.tenant, model.TraceID{15: c.trace}, c.hint)
		if err != nil || !slices.Equal(ids(got), c.want) {
			t.Errorf("%s: spans %v, %v, want %v", c.name, ids(got), err, c.want)
		}
	}
	for _, c := range []struct {
		name, tenant string
		trace        byte
		hint         store.Range
		says         string
	}{
		{"a trace that is not there", "", 9, store.Range{}, "00000000000000000000000000000009"},
		{"another tenant's", "blue", 1, store.Range{}, "00000000000000000000000000000001"},
		{"no id", "", 0, store.Range{}, "without id"},
		{"at another time", "", 2, store.Range{Start: 1, End: 2}, "00000000000000000000000000000002"},
	} {
		got, err := s.Trace(t.Context(), c.tenant, model.TraceID{15: c.trace}, c.hint)
		if !errors.Is(err, store.ErrNotFound) || !strings.Contains(err.Error(), c.says) || got != nil {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

func TestTracesAreListedWithAllThatBelongsToThem(t *testing.T) {
	s := orders(t)
	for _, c := range []struct {
		name, filter, tenant string
		rng                  store.Range
		slowest              bool
		limit                int
		want                 string // trace: spans, errors, seconds, root; matching spans
	}{
		{"newest first; a span without trace belongs to none", "", "", store.Range{}, false, 0, "3: 2 0 10 op1 [1 2], 2: 1 0 1 op1 [1], 1: 3 1 6 op1 [1 2 3]"},
		{"slowest first", "", "", store.Range{}, true, 0, "3: 2 0 10 op1 [1 2], 1: 3 1 6 op1 [1 2 3], 2: 1 0 1 op1 [1]"},
		{"at most so many", "", "", store.Range{}, true, 1, "3: 2 0 10 op1 [1 2]"},
		{"one matching span brings its trace", "status:error", "", store.Range{}, false, 0, "1: 3 1 6 op1 [3]"},
		{"of a tenant, by its spans only", "", "blue", store.Range{}, false, 0, "3: 1 0 9 op2 [2]"},
		{"a matching span must lie in range, the others need not", "", "", store.Range{Start: minute0 + 2e9, End: minute0 + 3e9}, false, 0, "1: 3 1 6 op1 [3]"},
		{"the range's end is not in it", "", "", store.Range{Start: minute0 + 3e9, End: minute0 + 10e9}, false, 0, ""},
		{"nothing matches", "absent", "", store.Range{}, true, 0, ""},
	} {
		got, err := s.Traces(t.Context(), store.TraceQuery{Expr: parse(t, c.filter), Tenant: c.tenant, Range: c.rng, Slowest: c.slowest, Limit: c.limit})
		if err != nil || got == nil {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		var list []string
		for _, one := range got {
			matched := ids(one.Matched)
			slices.Sort(matched)
			list = append(list, fmt.Sprintf("%d: %d %d %d %s %v", one.TraceID[15], one.Spans, one.Errors, one.Duration/1e9, one.RootName, matched))
		}
		if text := strings.Join(list, ", "); text != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.name, text, c.want)
		}
	}
}

func TestListsOfTracesAndSpansHaveALimitOfTheirOwn(t *testing.T) {
	s, res := newPlainStore(t), &model.Resource{Tenant: "default", Service: "edge"}
	var batch []model.Span
	for n := range byte(30) {
		for id := range byte(5) {
			batch = append(batch, span(n+1, id+1, int64(n), 1, res))
		}
	}
	if err := s.AppendSpans(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ limit, want int }{{0, 20}, {-1, 20}, {7, 7}, {30, 30}, {31, 30}} {
		got, err := s.Traces(t.Context(), store.TraceQuery{Limit: c.limit})
		if err != nil || len(got) != c.want {
			t.Errorf("limit %d: %d traces, %v, want %d", c.limit, len(got), err, c.want)
		}
		for _, one := range got {
			if one.Spans != 5 || len(one.Matched) != 3 {
				t.Errorf("a trace of %d spans shows %d, want 3 of 5", one.Spans, len(one.Matched))
			}
		}
		rows := 0
		for one, err := range s.Spans(t.Context(), store.TraceQuery{Limit: c.limit}) {
			if err != nil || one.Start > minute0+29e9 || c.limit == 7 && one.Start < minute0+28e9 {
				t.Errorf("limit %d: a span of %d, %v", c.limit, one.Start-minute0, err)
			}
			rows++
		}
		if rows != c.want && c.limit < 30 || c.limit >= 30 && rows != c.limit {
			t.Errorf("limit %d: %d spans", c.limit, rows)
		}
	}
}

// All of a record comes back, from a head as from a part.
func TestRecordsComeBackWhole(t *testing.T) {
	res := &model.Resource{
		Tenant: "blue", Service: "edge", Namespace: "shop", Env: "prod", Region: "eu", Version: "1.10", Instance: "i-1",
		Attrs: model.Attrs{{Key: "host", Value: model.StringValue("h1")}, {Key: "cores", Value: model.IntValue(8)}},
	}
	attrs := model.Attrs{
		{Key: "b", Value: model.BoolValue(true)},
		{Key: "f", Value: model.FloatValue(0.5)},
		{Key: "i", Value: model.IntValue(9007199254740993)},
		{Key: "j", Value: model.JSONValue(`{"a":[1,"x"]}`)},
		{Key: "s", Value: model.StringValue("text \"quoted\"\n日志")},
	}
	whole := model.Span{
		TraceID: model.TraceID{1, 2}, SpanID: model.SpanID{3}, ParentID: model.SpanID{4}, TraceState: "a=b", Name: "GET /", Kind: model.SpanKindServer, Start: minute0, Duration: 7,
		Status: model.StatusError, StatusMessage: "late", Scope: "http", Attrs: attrs, Resource: res,
		Events: []model.SpanEvent{{Time: minute0 + 1, Name: "exception", Attrs: attrs[4:]}, {Time: minute0 + 2, Name: "end"}},
		Links:  []model.SpanLink{{TraceID: model.TraceID{9}, SpanID: model.SpanID{8}, Attrs: attrs[:1]}},
	}
	bare := model.Span{TraceID: model.TraceID{1, 2}, SpanID: model.SpanID{5}, Name: "bare", Start: minute0 + 1, Resource: &model.Resource{Tenant: "default"}}
	log := model.LogRecord{Time: minute0, Level: model.LevelWarn, Message: "\x1b[31mtext\x1b[0m", TraceID: whole.TraceID, SpanID: whole.SpanID, RequestID: "r-1", Attrs: attrs, Resource: res}
	for _, copies := range []int{1, 60} { // of many, attributes have columns
		s := newPlainStore(t)
		spans, logs := []model.Span{bare}, []model.LogRecord{{Time: minute0 - 1, Resource: bare.Resource}}
		for range copies {
			spans, logs = append(spans, whole), append(logs, log)
		}
		if err := errors.Join(s.AppendSpans(t.Context(), spans), s.AppendLogs(t.Context(), logs)); err != nil {
			t.Fatal(err)
		}
		equal := []gocmp.Option{cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b model.Attr) bool { return a.Key < b.Key }), gocmp.Comparer(func(a, b model.Value) bool { return a == b })}
		for _, sealed := range []bool{false, true} {
			if sealed {
				if err := s.Seal(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			got, err := s.Trace(t.Context(), "", whole.TraceID, store.Range{})
			want := append(slices.Repeat([]model.Span{whole}, copies), bare)
			if diff := gocmp.Diff(want, got, equal...); err != nil || diff != "" {
				t.Errorf("%d spans, sealed %v: %v (-want +got):\n%s", copies, sealed, err, diff)
			}
			var records []model.LogRecord
			for r, err := range s.Logs(t.Context(), store.LogQuery{}) {
				if err != nil {
					t.Fatal(err)
				}
				records = append(records, r)
			}
			wantLogs := append(slices.Repeat([]model.LogRecord{log}, copies), logs[0])
			if diff := gocmp.Diff(wantLogs, records, equal...); diff != "" {
				t.Errorf("%d log records, sealed %v (-want +got):\n%s", copies, sealed, diff)
			}
		}
	}
}

// Values and fields of spans are also those of their events and links.
func TestValuesAndFieldsOfSpans(t *testing.T) {
	s, res := newPlainStore(t), &model.Resource{Tenant: "default", Service: "edge"}
	failed, linked, plain := span(1, 1, 0, 1, res), span(1, 2, 70, 1, res), span(2, 1, 75, 1, res)
	failed.Status = model.StatusError
	failed.Events = []model.SpanEvent{{Name: "exception", Attrs: model.Attrs{{Key: "exception.type", Value: model.StringValue("DiskFull")}}}}
	linked.Links = []model.SpanLink{{TraceID: model.TraceID{9}, SpanID: model.SpanID{9}, Attrs: model.Attrs{{Key: "reason", Value: model.StringValue("retry")}}}}
	if err := s.AppendSpans(t.Context(), []model.Span{failed, linked, plain}); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{"head", "part"} {
		for field, want := range map[string]string{
			"exception.type": "[{DiskFull 1}]", "event.name": "[{exception 1}]", "link.reason": "[{retry 1}]", "status": "[{unset 2} {error 1}]",
			"name": "[{op1 2} {op2 1}]", "duration": "[{1000000000 3}]", "parent_id": "[{0000000000000001 1}]", "service": "[{edge 3}]", "level": "[]",
		} {
			got, err := s.SpanValues(t.Context(), store.TraceQuery{}, field, 0)
			if err != nil || fmt.Sprint(got) != want {
				t.Errorf("%s in a %s: %v, %v, want %s", field, where, got, err, want)
			}
		}
		fields, err := s.SpanFields(t.Context(), store.TraceQuery{}, 0)
		for _, name := range []string{"exception.type", "reason", "status", "duration", "parent_id"} {
			if !slices.Contains(fields, name) {
				t.Errorf("%s is not listed in a %s: %q, %v", name, where, fields, err)
			}
		}
		h, err := s.SpanHistogram(t.Context(), store.TraceQuery{Range: store.Range{Start: minute0, End: minute0 + 120e9}}, time.Minute, "status")
		if err != nil || fmt.Sprint(h.Series) != "[{unset [0 2]} {error [1 0]}]" {
			t.Errorf("by status in a %s: %v, %v", where, h.Series, err)
		}
		if err := s.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
