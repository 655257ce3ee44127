package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// EventStore is an engine for events as the suite uses it.
type EventStore interface {
	store.EventWriter
	store.LogReader
	store.SpanReader
}

// Sealer is implemented by engines that keep new events in another form than
// old ones: Seal brings all of them into the old form.
type Sealer interface {
	Seal(ctx context.Context) error
}

// Reopener is implemented by engines that survive the end of their process.
// Reopen ends the store and opens it again.
type Reopener interface{ Reopen(t *testing.T) EventStore }

// Events runs the event store's contract. open makes an empty store and
// arranges for its end.
func Events(t *testing.T, open func(t *testing.T) EventStore) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s EventStore)
	}{
		{"an empty store answers everything with nothing", eventsEmpty},
		{"log records come back whole", logsWhole},
		{"spans come back whole", spansWhole},
		{"a record is visible as soon as it is acknowledged", eventsVisible},
		{"ranges are half-open", eventsRanges},
		{"logs come in order, newest or oldest first, up to the limit", logsOrder},
		{"thousands of records at the same instant come once each", logsTies},
		{"a tenant sees its own events only", eventsTenants},
		{"large records come back whole", eventsLarge},
		{"every filter over logs answers as the definition does", logsFilters},
		{"every filter over spans answers as the definition does", spansFilters},
		{"log histograms, values and fields count as the definition does", logsCounts},
		{"span histograms, values and fields count as the definition does", spansCounts},
		{"a trace is whole wherever its spans are", traceScattered},
		{"traces are listed newest or slowest first", tracesListed},
		{"a reader sees each acknowledged record once while others write and seal", eventsConcurrent},
		{"a query ends when its context does", eventsCancelled},
		{"a loop may be broken off", eventsBrokenOff},
		{"everything acknowledged is there after opening again", eventsReopened},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func seal(t *testing.T, s EventStore) {
	t.Helper()
	if sealer, ok := s.(Sealer); ok {
		noError(t, sealer.Seal(t.Context()))
	}
}

// fill appends events in several batches, of which the first are sealed apart
// and the last is not, to s and to a Memory.
func fill(t *testing.T, s EventStore, g *generator, n int) *Memory {
	t.Helper()
	m := &Memory{}
	for batch := range 4 {
		logs, spans := g.logs(n/4), g.spans(n/4)
		for _, w := range []EventStore{s, m} {
			noError(t, w.AppendLogs(t.Context(), logs))
			noError(t, w.AppendSpans(t.Context(), spans))
		}
		if batch < 3 && batch != 1 {
			seal(t, s)
		}
	}
	return m
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	out := []T{}
	for v, err := range seq {
		noError(t, err)
		out = append(out, v)
	}
	return out
}

// normal brings what a store need not keep into one form: the order of
// attributes with different keys.
func normal(attrs model.Attrs) model.Attrs {
	attrs = slices.Clone(attrs)
	slices.SortStableFunc(attrs, func(a, b model.Attr) int { return cmp.Compare(a.Key, b.Key) })
	if len(attrs) == 0 {
		return nil
	}
	return attrs
}

func normalLog(r model.LogRecord) model.LogRecord {
	r.Attrs = normal(r.Attrs)
	return r
}

func normalSpan(s model.Span) model.Span {
	s.Attrs = normal(s.Attrs)
	return s
}

func mapped[T any](list []T, f func(T) T) []T {
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

// same compares with values by their content.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(model.Value{})); diff != "" {
		if len(diff) > 4000 {
			diff = diff[:4000] + "…"
		}
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func eventsEmpty(t *testing.T, s EventStore) {
	ctx := t.Context()
	hour := store.Range{Start: eventEpoch, End: eventEpoch + int64(time.Hour)}
	same(t, "logs", []model.LogRecord{}, collect(t, s.Logs(ctx, store.LogQuery{Range: hour})))
	same(t, "spans", []model.Span{}, collect(t, s.Spans(ctx, store.TraceQuery{Range: hour})))
	h, err := s.LogHistogram(ctx, store.LogQuery{Range: hour}, time.Minute, "level")
	noError(t, err)
	if len(h.Series) != 0 || h.Step != int64(time.Minute) || h.Start%h.Step != 0 || h.Start > eventEpoch || h.Start+h.Step <= eventEpoch {
		t.Fatalf("histogram of nothing: %+v", h)
	}
	traces, err := s.Traces(ctx, store.TraceQuery{Range: hour})
	noError(t, err)
	values, err := s.LogValues(ctx, store.LogQuery{Range: hour}, "service", 10)
	noError(t, err)
	if len(traces)+len(values) != 0 {
		t.Fatalf("traces %v, values %v of nothing", traces, values)
	}
	if _, err := s.Trace(ctx, "", model.TraceID{1}, store.Range{}); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("an unknown trace: %v, want ErrNotFound", err)
	}
}

func logsWhole(t *testing.T, s EventStore) {
	g := newGenerator(1)
	m := fill(t, s, g, 400)
	want := mapped(collect(t, m.Logs(t.Context(), store.LogQuery{})), normalLog)
	same(t, "logs", want, mapped(collect(t, s.Logs(t.Context(), store.LogQuery{})), normalLog))
}

func spansWhole(t *testing.T, s EventStore) {
	g := newGenerator(2)
	m := fill(t, s, g, 400)
	q := store.TraceQuery{Limit: 1000}
	want := mapped(collect(t, m.Spans(t.Context(), q)), normalSpan)
	same(t, "spans", want, mapped(collect(t, s.Spans(t.Context(), q)), normalSpan))
}

func eventsVisible(t *testing.T, s EventStore) {
	g := newGenerator(3)
	for i := range 30 {
		log, span := g.log(), g.span()
		noError(t, s.AppendLogs(t.Context(), []model.LogRecord{log}))
		noError(t, s.AppendSpans(t.Context(), []model.Span{span}))
		if n := len(collect(t, s.Logs(t.Context(), store.LogQuery{}))); n != i+1 {
			t.Fatalf("%d logs after %d were acknowledged", n, i+1)
		}
		if n := len(collect(t, s.Spans(t.Context(), store.TraceQuery{Limit: 100}))); n != i+1 {
			t.Fatalf("%d spans after %d were acknowledged", n, i+1)
		}
		if i%10 == 9 {
			seal(t, s)
		}
	}
}

func eventsRanges(t *testing.T, s EventStore) {
	g := newGenerator(4)
	for i := range 6 {
		log, span := g.log(), g.span()
		log.Time, span.Start = eventEpoch+int64(i), eventEpoch+int64(i)
		noError(t, s.AppendLogs(t.Context(), []model.LogRecord{log}))
		noError(t, s.AppendSpans(t.Context(), []model.Span{span}))
		if i == 2 {
			seal(t, s)
		}
	}
	for from := range int64(6) {
		for to := from; to <= 6; to++ {
			r := store.Range{Start: eventEpoch + from, End: eventEpoch + to}
			if n := len(collect(t, s.Logs(t.Context(), store.LogQuery{Range: r}))); n != int(to-from) {
				t.Fatalf("%d logs in [%d,%d)", n, from, to)
			}
			if n := len(collect(t, s.Spans(t.Context(), store.TraceQuery{Range: r}))); n != int(to-from) {
				t.Fatalf("%d spans in [%d,%d)", n, from, to)
			}
		}
	}
}

func logsOrder(t *testing.T, s EventStore) {
	m := fill(t, s, newGenerator(5), 400)
	for _, q := range []store.LogQuery{
		{Limit: 1},
		{Limit: 7},
		{Limit: 7, Oldest: true},
		{Limit: 399},
		{Limit: 1000, Oldest: true},
		{Oldest: true},
		{Limit: 5, Expr: store.Text{Phrase: "reset"}},
		{Limit: 5, Oldest: true, Expr: store.Text{Phrase: "reset"}},
		{Limit: 20, Range: store.Range{Start: eventEpoch + 100e9, End: eventEpoch + 200e9}},
	} {
		want := mapped(collect(t, m.Logs(t.Context(), q)), normalLog)
		same(t, fmt.Sprintf("%+v", q), want, mapped(collect(t, s.Logs(t.Context(), q)), normalLog))
	}
}

func logsTies(t *testing.T, s EventStore) {
	const n = 40_000
	res := &model.Resource{Tenant: "default", Service: "edge"}
	var batch []model.LogRecord
	for i := range n {
		at := eventEpoch + int64(i/17_000)*1e9 // 17,000 records per instant
		batch = append(batch, model.LogRecord{Time: at, Message: strconv.Itoa(i), Resource: res})
		if len(batch) == n/2 {
			noError(t, s.AppendLogs(t.Context(), batch))
			seal(t, s)
			batch = nil
		}
	}
	for _, oldest := range []bool{false, true} {
		seen := make([]bool, n)
		last, count := int64(0), 0
		for r, err := range s.Logs(t.Context(), store.LogQuery{Oldest: oldest}) {
			noError(t, err)
			var i int
			if _, err := fmt.Sscan(r.Message, &i); err != nil || seen[i] {
				t.Fatalf("record %q: seen before or unreadable (%v)", r.Message, err)
			}
			if count > 0 && (r.Time < last) != !oldest && r.Time != last {
				t.Fatalf("record %d is out of order", i)
			}
			seen[i], last = true, r.Time
			count++
		}
		if count != n {
			t.Fatalf("%d of %d records, oldest first: %t", count, n, oldest)
		}
	}
}

func eventsTenants(t *testing.T, s EventStore) {
	m := fill(t, s, newGenerator(6), 400)
	for _, tenant := range []string{"default", "blue", "nobody"} {
		want := mapped(collect(t, m.Logs(t.Context(), store.LogQuery{Tenant: tenant})), normalLog)
		same(t, "logs of "+tenant, want, mapped(collect(t, s.Logs(t.Context(), store.LogQuery{Tenant: tenant})), normalLog))
		q := store.TraceQuery{Tenant: tenant, Limit: 1000}
		wantSpans := mapped(collect(t, m.Spans(t.Context(), q)), normalSpan)
		same(t, "spans of "+tenant, wantSpans, mapped(collect(t, s.Spans(t.Context(), q)), normalSpan))
		wantValues, _ := m.LogValues(t.Context(), store.LogQuery{Tenant: tenant}, "service", 0)
		got, err := s.LogValues(t.Context(), store.LogQuery{Tenant: tenant}, "service", 0)
		noError(t, err)
		same(t, "services of "+tenant, wantValues, got)
		wantFields, _ := m.SpanFields(t.Context(), q, 0)
		fields, err := s.SpanFields(t.Context(), q, 0)
		noError(t, err)
		same(t, "fields of "+tenant, wantFields, fields)
	}
	for _, span := range collect(t, m.Spans(t.Context(), store.TraceQuery{Limit: 20})) {
		if _, err := s.Trace(t.Context(), "nobody", span.TraceID, store.Range{}); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("another tenant's trace: %v, want ErrNotFound", err)
		}
	}
}

func eventsLarge(t *testing.T, s EventStore) {
	g := newGenerator(7)
	log, span := g.log(), g.span()
	log.Message = strings.Repeat("größe 42 ", 120_000) + "needle"
	log.Attrs = model.Attrs{{Key: "blob", Value: model.StringValue(strings.Repeat("x", 1<<20))}}
	for i := range 3000 {
		span.Events = append(span.Events, model.SpanEvent{Time: span.Start, Name: fmt.Sprint("event ", i)})
	}
	noError(t, s.AppendLogs(t.Context(), []model.LogRecord{g.log(), log, g.log()}))
	noError(t, s.AppendSpans(t.Context(), []model.Span{g.span(), span}))
	for range 2 {
		got := collect(t, s.Logs(t.Context(), store.LogQuery{Expr: store.Text{Phrase: "needle"}}))
		same(t, "log", []model.LogRecord{log}, got)
		spans, err := s.Trace(t.Context(), "", span.TraceID, store.Range{})
		noError(t, err)
		if !slices.ContainsFunc(spans, func(s model.Span) bool { return len(s.Events) == 3000 }) {
			t.Fatal("the span with 3,000 events is not whole")
		}
		seal(t, s)
	}
}

func eventsConcurrent(t *testing.T, s EventStore) {
	const writers, batches, size = 3, 40, 25
	var acked atomic.Int64
	var wg sync.WaitGroup
	res := &model.Resource{Tenant: "default", Service: "edge"}
	for w := range writers {
		wg.Go(func() {
			for b := range batches {
				var batch []model.LogRecord
				for i := range size {
					n := (w*batches+b)*size + i
					batch = append(batch, model.LogRecord{Time: eventEpoch + int64(n)*1e6, Message: fmt.Sprint("n ", n), Resource: res})
				}
				if err := s.AppendLogs(t.Context(), batch); err != nil {
					t.Error(err)
					return
				}
				acked.Add(size)
			}
		})
	}
	wg.Go(func() {
		sealer, ok := s.(Sealer)
		for ok && acked.Load() < writers*batches*size && !t.Failed() {
			if err := sealer.Seal(t.Context()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			for done := false; !done && !t.Failed(); {
				before := acked.Load()
				done = before == writers*batches*size
				readOnceEach(t, s, int(before))
			}
		})
	}
	wg.Wait()
}

// readOnceEach checks that at least n records are there, none of them twice.
func readOnceEach(t *testing.T, s EventStore, n int) {
	seen := map[string]bool{}
	for r, err := range s.Logs(t.Context(), store.LogQuery{Limit: []int{0, 100_000}[rand.IntN(2)], Expr: store.Text{Phrase: "n"}}) {
		if err != nil {
			t.Error(err)
			return
		}
		if seen[r.Message] {
			t.Errorf("record %q came twice", r.Message)
			return
		}
		seen[r.Message] = true
	}
	if len(seen) < n {
		t.Errorf("%d records, %d had been acknowledged before", len(seen), n)
	}
}

func eventsCancelled(t *testing.T, s EventStore) {
	fill(t, s, newGenerator(14), 400)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := store.Range{Start: eventEpoch - int64(time.Hour), End: eventEpoch + int64(time.Hour)}
	lq, tq := store.LogQuery{Range: r, Expr: store.Text{Phrase: "reset"}}, store.TraceQuery{Range: r}
	errs := map[string]error{}
	for _, err := range s.Logs(ctx, lq) {
		errs["Logs"] = err
	}
	for _, err := range s.Spans(ctx, tq) {
		errs["Spans"] = err
	}
	_, errs["LogHistogram"] = s.LogHistogram(ctx, lq, time.Minute, "level")
	_, errs["LogValues"] = s.LogValues(ctx, lq, "level", 1)
	_, errs["LogFields"] = s.LogFields(ctx, lq, 1)
	_, errs["Traces"] = s.Traces(ctx, tq)
	_, errs["Trace"] = s.Trace(ctx, "", model.TraceID{1}, store.Range{})
	if _, ok := s.(*Memory); ok {
		t.Skip("the definition's loops are too short to be cancelled")
	}
	for _, name := range []string{"Logs", "Spans", "LogHistogram", "LogValues", "LogFields", "Traces", "Trace"} {
		if !errors.Is(errs[name], context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, errs[name])
		}
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range s.Logs(ctx, store.LogQuery{}) {
		if last = err; err == nil {
			n++
			cancel()
		}
	}
	if n != 1 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d records after cancelling at the first, last error %v", n, last)
	}
}

func eventsBrokenOff(t *testing.T, s EventStore) {
	fill(t, s, newGenerator(15), 400)
	for _, err := range s.Logs(t.Context(), store.LogQuery{}) {
		noError(t, err)
		break
	}
	for _, err := range s.Spans(t.Context(), store.TraceQuery{}) {
		noError(t, err)
		break
	}
	// A store that holds on to the broken loops' files cannot do without them now.
	seal(t, s)
	if n := len(collect(t, s.Logs(t.Context(), store.LogQuery{}))); n != 400 {
		t.Fatalf("%d of 400 records", n)
	}
}

func eventsReopened(t *testing.T, s EventStore) {
	r, ok := s.(Reopener)
	if !ok {
		t.Skip("this store does not outlive its process")
	}
	m := fill(t, s, newGenerator(16), 400)
	s = r.Reopen(t)
	want := mapped(collect(t, m.Logs(t.Context(), store.LogQuery{})), normalLog)
	same(t, "logs", want, mapped(collect(t, s.Logs(t.Context(), store.LogQuery{})), normalLog))
	q := store.TraceQuery{Limit: 1000}
	wantSpans := mapped(collect(t, m.Spans(t.Context(), q)), normalSpan)
	same(t, "spans", wantSpans, mapped(collect(t, s.Spans(t.Context(), q)), normalSpan))
}
