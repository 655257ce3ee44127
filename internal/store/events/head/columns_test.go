package head

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/bin"
)

func TestAnEmptyHeadHoldsNothing(t *testing.T) {
	logs, spans := NewLogs(3).Snapshot(), NewSpans(4).Snapshot()
	if logs.ID != 3 || logs.Rows != 0 || logs.MinTime <= logs.MaxTime || spans.ID != 4 || spans.Rows != 0 || spans.MinTime <= spans.MaxTime {
		t.Errorf("logs %+v\nspans %+v", logs, spans)
	}
	b := NewLogs(1)
	b.Append(nil)
	if rows, size := b.Size(); rows != 0 || size != 0 {
		t.Errorf("an empty batch adds %d rows, %d bytes", rows, size)
	}
}

// A slice of records is the oracle of a head, whatever the batches.
func TestRowsAreTheRecordsInOrderOfArrival(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := NewLogs(1)
		var want []model.LogRecord
		pool := []*model.Resource{{}, {Service: "edge"}, {Service: "edge", Tenant: "acme"}, {Service: "edge"}}
		n := 0
		for range rapid.IntRange(0, 6).Draw(t, "batches") {
			batch := make([]model.LogRecord, rapid.IntRange(0, 5).Draw(t, "size"))
			for i := range batch {
				n++
				batch[i] = model.LogRecord{
					Time: rapid.Int64().Draw(t, "time"), Level: model.Level(n % 7), TraceID: model.TraceID{byte(n)}, SpanID: model.SpanID{byte(n)},
					RequestID: fmt.Sprint("r", n), Message: rapid.SampledFrom([]string{"", "a", "longer text"}).Draw(t, "message"),
					Resource: rapid.SampledFrom(pool).Draw(t, "resource"),
				}
				for range rapid.IntRange(0, 3).Draw(t, "attrs") {
					batch[i].Attrs = append(batch[i].Attrs, model.Attr{Key: rapid.SampledFrom([]string{"", "k", "l"}).Draw(t, "key"), Value: stored(anyValue.Draw(t, "value"))})
				}
			}
			b.Append(batch)
			want = append(want, batch...)
		}
		snap := b.Snapshot()
		var got []model.LogRecord
		first, last := int64(math.MaxInt64), int64(math.MinInt64)
		for i := range snap.Rows {
			got = append(got, snap.Record(i))
			first, last = min(first, want[i].Time), max(last, want[i].Time)
		}
		if d := cmp.Diff(want, got, values); d != "" {
			t.Fatalf("(-appended +held)\n%s", d)
		}
		if rows, _ := b.Size(); rows != len(want) || snap.MinTime != first || snap.MaxTime != last {
			t.Fatalf("%d rows in [%d, %d], want %d in [%d, %d]", rows, snap.MinTime, snap.MaxTime, len(want), first, last)
		}
		for i, r := range want {
			for code, key := range snap.Attributes.Keys {
				v, ok := snap.Attributes.Get(i, uint32(code))
				if w, wok := r.Attrs.Get(key); v != w || ok != wok {
					t.Fatalf("row %d: last %q is %v, %v, want %v, %v", i, key, v, ok, w, wok)
				}
			}
		}
	})
}

func TestASpanComesBackWhole(t *testing.T) {
	attrs := model.Attrs{{Key: "k", Value: model.FloatValue(1)}}
	want := []model.Span{{
		TraceID: model.TraceID{1}, SpanID: model.SpanID{2}, ParentID: model.SpanID{3}, Name: "GET /", Kind: model.SpanKindServer, Start: 9, Duration: 4,
		Status: model.StatusError, StatusMessage: "deadline", TraceState: "a=b", Scope: "http", Attrs: attrs, Resource: &model.Resource{Service: "edge", Attrs: attrs},
		Events: []model.SpanEvent{{Time: 5, Name: "e", Attrs: attrs}}, Links: []model.SpanLink{{TraceID: model.TraceID{4}, Attrs: attrs}},
	}, {Name: "GET /", Scope: "sql", Start: -7, Duration: 5, Resource: &model.Resource{}}}
	b := NewSpans(1)
	b.Append(want)
	s := b.Snapshot()
	if d := cmp.Diff(want, []model.Span{s.Span(0), s.Span(1)}, values); d != "" {
		t.Error(d)
	}
	if s.MinTime != -7 || s.MaxTime != 9 {
		t.Errorf("times = [%d, %d], want those of starts", s.MinTime, s.MaxTime)
	}
	if !slices.Equal(s.Names.Values, []string{"GET /"}) || !slices.Equal(s.Scopes.Values, []string{"http", "sql"}) {
		t.Errorf("names %q, scopes %q: each is kept once", s.Names.Values, s.Scopes.Values)
	}
}

func TestInvalidTextBecomesValidInEveryField(t *testing.T) {
	bad, good := "a\xffb", "a\uFFFDb"
	attrs := model.Attrs{{Key: bad, Value: model.StringValue(bad)}, {Key: "j", Value: model.JSONValue(`["` + bad + `"]`)}}
	res := &model.Resource{Tenant: bad, Service: bad, Namespace: bad, Env: bad, Region: bad, Version: bad, Instance: bad, Attrs: attrs}
	wantAttrs := model.Attrs{{Key: good, Value: model.StringValue(good)}, {Key: "j", Value: model.JSONValue(`["` + good + `"]`)}}
	wantRes := &model.Resource{Tenant: good, Service: good, Namespace: good, Env: good, Region: good, Version: good, Instance: good, Attrs: wantAttrs}
	logs, spans := NewLogs(1), NewSpans(1)
	logs.Append([]model.LogRecord{{Message: bad, RequestID: bad, Attrs: attrs, Resource: res}})
	spans.Append([]model.Span{{
		Name: bad, StatusMessage: bad, TraceState: bad, Scope: bad, Attrs: attrs, Resource: res,
		Events: []model.SpanEvent{{Name: bad, Attrs: attrs}}, Links: []model.SpanLink{{Attrs: attrs}},
	}})
	if d := cmp.Diff(model.LogRecord{Message: good, RequestID: good, Attrs: wantAttrs, Resource: wantRes}, logs.Snapshot().Record(0), values); d != "" {
		t.Errorf("log:\n%s", d)
	}
	got := spans.Snapshot().Span(0)
	if len(got.Events) != 1 || got.Events[0].Name != good || got.Events[0].Attrs[0] != wantAttrs[0] || len(got.Links) != 1 || got.Links[0].Attrs[0] != wantAttrs[0] {
		t.Errorf("events %v, links %v", got.Events, got.Links)
	}
	got.Events, got.Links = nil, nil
	if d := cmp.Diff(model.Span{Name: good, StatusMessage: good, TraceState: good, Scope: good, Attrs: wantAttrs, Resource: wantRes}, got, values); d != "" {
		t.Errorf("span:\n%s", d)
	}
}

// What differs in any part of a resource is another resource; parts never run into each other.
func TestDifferentResourcesAreKeptApart(t *testing.T) {
	attr := func(k string, v model.Value) model.Attrs { return model.Attrs{{Key: k, Value: v}} }
	different := []*model.Resource{
		{},
		{Tenant: "a"},
		{Service: "a"},
		{Namespace: "a"},
		{Env: "a"},
		{Region: "a"},
		{Version: "a"},
		{Instance: "a"},
		{Tenant: "ab"},
		{Tenant: "a", Service: "b"},
		{Attrs: attr("a", model.Value{})},
		{Attrs: attr("a", model.StringValue(""))},
		{Attrs: attr("a", model.IntValue(1))},
		{Attrs: attr("a", model.FloatValue(1))},
		{Attrs: attr("a", model.StringValue("1"))},
		{Attrs: append(attr("a", model.IntValue(1)), attr("b", model.IntValue(2))...)},
		{Attrs: append(attr("b", model.IntValue(2)), attr("a", model.IntValue(1))...)},
	}
	b := NewLogs(1)
	for range 2 {
		for _, r := range different {
			clone := *r
			b.Append([]model.LogRecord{{Resource: r}, {Resource: r}, {Resource: &clone}})
		}
	}
	b.Append([]model.LogRecord{{}}) // no resource is the empty one
	snap := b.Snapshot()
	if got := len(snap.Resources.Values); got != len(different) {
		t.Fatalf("%d resources are kept, want %d", got, len(different))
	}
	for i := range snap.Rows - 1 {
		if want := different[i/3%len(different)]; !cmp.Equal(want, snap.Resources.At(i), values) {
			t.Errorf("row %d has %+v, want %+v", i, snap.Resources.At(i), want)
		}
	}
	if snap.Resources.Codes[snap.Rows-1] != 0 {
		t.Error("a missing resource is not the empty one")
	}
}

// The sender's memory is reused for its next request: a head must not look at it again.
func TestAHeadDoesNotKeepTheSendersMemory(t *testing.T) {
	buf := []byte("message key value service")
	text := func(from, to int) string { return bin.Alias(buf[from:to]) }
	res := &model.Resource{Service: text(18, 25)}
	batch := []model.LogRecord{{Message: text(0, 7), Attrs: model.Attrs{{Key: text(8, 11), Value: model.StringValue(text(12, 17))}}, Resource: res}}
	b := NewLogs(1)
	b.Append(batch)
	copy(buf, "******* *** ***** *******")
	res.Service = "changed"
	b.Append([]model.LogRecord{{Resource: res}}) // the same pointer, another content
	want := model.LogRecord{Message: "message", Attrs: model.Attrs{{Key: "key", Value: model.StringValue("value")}}, Resource: &model.Resource{Service: "service"}}
	if d := cmp.Diff(want, b.Snapshot().Record(0), values); d != "" {
		t.Error(d)
	}
	if got := b.Snapshot().Record(1).Resource.Service; got != "changed" {
		t.Errorf("a reused pointer of another batch is taken for its old content %q", got)
	}
}

func TestSizeGrowsWithWhatIsHeld(t *testing.T) {
	b, s := NewLogs(1), NewSpans(1)
	text := string(make([]byte, 10_000))
	b.Append([]model.LogRecord{{Message: text, Attrs: model.Attrs{{Key: "k", Value: model.StringValue(text)}}}})
	s.Append([]model.Span{{StatusMessage: text, Events: []model.SpanEvent{{Name: "e", Attrs: model.Attrs{{Key: "k", Value: model.StringValue("x")}}}}}})
	if rows, size := b.Size(); rows != 1 || size < 20_000 || size > 40_000 {
		t.Errorf("logs: %d rows, %d bytes for 20,000 of text", rows, size)
	}
	if rows, size := s.Size(); rows != 1 || size < 10_000 || size > 20_000 {
		t.Errorf("spans: %d rows, %d bytes for 10,000 of text", rows, size)
	}
	if n := b.Snapshot().Messages.Size(); n != len(text) {
		t.Errorf("messages are %d bytes, want %d", n, len(text))
	}
	if _, ok := b.Snapshot().Attributes.Code("other"); ok {
		t.Error("a key that never came has a code")
	}
}
