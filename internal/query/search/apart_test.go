package search

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

// names of namespaces that would be mixed up by a careless test; the empty one is none.
var spaces = []string{"", "pay", "pay-eu", "PAY", "pay*", "10", "10.0", "a b", `q"uote\`, "trade"}

var dawn = time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC).UnixNano()

func seeing(scope access.Scope) context.Context {
	return access.With(context.Background(), &access.Access{Scope: scope})
}

// storeOf opens a store, half of it sealed, of the events that scope sees.
func storeOf(t testing.TB, scope access.Scope) *Service {
	t.Helper()
	db, err := events.Open(events.DefaultConfig(), events.Deps{Dir: t.TempDir(), Now: func() time.Time { return time.Unix(0, dawn).Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for half := range 2 {
		var logs []model.LogRecord
		var spans []model.Span
		for i := half * 100; i < half*100+100; i++ {
			space := spaces[(i*7+i/10)%len(spaces)]
			if !scope.Sees(space) {
				continue
			}
			res := &model.Resource{Tenant: "default", Service: "svc" + strconv.Itoa(i%3), Namespace: space, Attrs: model.Attrs{{Key: "res" + space, Value: model.StringValue("x")}}}
			at := dawn + int64(i)*int64(time.Second)
			// An attribute may not pass for the namespace.
			attrs := model.Attrs{{Key: "own" + space, Value: model.IntValue(int64(i % 4))}, {Key: "namespace", Value: model.StringValue(spaces[i%len(spaces)])}}
			logs = append(logs, model.LogRecord{Time: at, Level: model.Level(i%5 + 1), Message: "said by " + space + " " + strconv.Itoa(i%6), Attrs: attrs, Resource: res})
			s := model.Span{
				TraceID: model.TraceID{1, byte(i / 4)}, SpanID: model.SpanID{2, byte(i)}, Name: "op of " + space, Start: at, Duration: int64(i%9) * 1e6,
				Status: model.SpanStatus(i % 3), StatusMessage: "told " + space, Attrs: attrs, Resource: res, Scope: "lib" + space,
				Events: []model.SpanEvent{{Time: at, Name: "event of " + space, Attrs: attrs}}, Links: []model.SpanLink{{TraceID: model.TraceID{9, byte(i)}}},
			}
			if i%4 > 0 {
				s.ParentID = model.SpanID{2, byte(i - 1)}
			}
			spans = append(spans, s)
		}
		if err := errors.Join(db.AppendLogs(context.Background(), logs), db.AppendSpans(context.Background(), spans)); err != nil {
			t.Fatal(err)
		}
		if half == 0 {
			if err := db.Seal(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := New(DefaultConfig(), Deps{Logs: db, Spans: db})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func drawFilter(t *rapid.T, depth int) string {
	if depth > 0 {
		a, b := drawFilter(t, depth-1), drawFilter(t, depth-1)
		return rapid.SampledFrom([]string{"(" + a + ") OR (" + b + ")", "NOT (" + a + ")", "(" + a + ") (" + b + ")", "NOT (" + a + ") OR (" + b + ")"}).Draw(t, "form")
	}
	space := strconv.Quote(rapid.SampledFrom(spaces[1:]).Draw(t, "space"))
	return rapid.SampledFrom([]string{
		"namespace:" + space, "namespace:*", "-namespace:" + space, "attr.namespace:" + space, "service.namespace:" + space, "namespace:pay*", "namespace:/.*/", "namespace:>=a",
		"service:svc1", "said", "told", "level:error", "status:error", "tenant:default", "own:>=1", "ownpay:*", "trace_id:*", "event.name:*", "duration:>3ms", "absent:x",
	}).Draw(t, "test")
}

// told is what a question gives, in an order of its own where the contract leaves one open.
func told(ctx context.Context, s *Service, kind string, e store.Expr, field string, limit int) []string {
	rng := store.Range{Start: dawn, End: dawn + 150*int64(time.Second)}
	lq, tq := store.LogQuery{Tenant: "default", Range: rng, Expr: e, Limit: limit}, store.TraceQuery{Tenant: "default", Range: rng, Expr: e, Limit: limit}
	var v any
	var err error
	switch kind {
	case "logs":
		return logLines(s.Logs(ctx, lq))
	case "spans":
		return spanLines(s.Spans(ctx, tq))
	case "log histogram":
		v, err = histogramLines(s.LogHistogram(ctx, lq, 10*time.Second, field))
	case "span histogram":
		v, err = histogramLines(s.SpanHistogram(ctx, tq, 10*time.Second, field))
	case "log values":
		v, err = valueLines(s.LogValues(ctx, lq, field, 0))
	case "span values":
		v, err = valueLines(s.SpanValues(ctx, tq, field, 0))
	case "log fields":
		v, err = s.LogFields(ctx, lq, 0)
	case "span fields":
		v, err = s.SpanFields(ctx, tq, 0)
	}
	return []string{fmt.Sprint(v, err)}
}

func spanTexts(list []model.Span) []string {
	return spanLines(func(yield func(model.Span, error) bool) {
		for _, s := range list {
			if !yield(s, nil) {
				return
			}
		}
	})
}

func logLines(seq iter.Seq2[model.LogRecord, error]) (out []string) {
	for r, err := range seq {
		text, _ := r.MarshalJSON()
		out = append(out, fmt.Sprint(string(text), err))
	}
	return out
}

func spanLines(seq iter.Seq2[model.Span, error]) (out []string) {
	for s, err := range seq {
		text, _ := s.MarshalJSON()
		out = append(out, fmt.Sprint(string(text), err))
	}
	return out
}

func histogramLines(h store.Histogram, err error) (string, error) {
	slices.SortFunc(h.Series, func(a, b store.HistogramSeries) int { return strings.Compare(a.Value, b.Value) })
	return fmt.Sprintf("%+v", h), err
}

func valueLines(list []store.ValueCount, err error) (string, error) {
	slices.SortFunc(list, func(a, b store.ValueCount) int { return strings.Compare(a.Value, b.Value) })
	return fmt.Sprintf("%+v", list), err
}

var scopes = [][]string{nil, {""}, {"pay"}, {"pay-eu", "trade"}, {"pay*"}, {"10"}, {"a b", `q"uote\`}, {"nothing"}}

// A restricted caller gets what a store answers that only ever had the caller's events.
func TestWhoSeesSomeNamespacesIsAnsweredAsIfThereWereNoOthers(t *testing.T) {
	full := storeOf(t, access.Scope{All: true})
	for _, names := range scopes {
		t.Run(fmt.Sprintf("%q", names), func(t *testing.T) {
			scope := access.Scope{Names: names}
			own := storeOf(t, scope)
			rapid.Check(t, func(t *rapid.T) {
				text := drawFilter(t, rapid.IntRange(0, 2).Draw(t, "depth"))
				e, err := filter.Parse(text)
				if err != nil {
					t.Fatal(err)
				}
				if rapid.IntRange(0, 3).Draw(t, "all") == 0 {
					e = nil
				}
				kind := rapid.SampledFrom([]string{
					"logs", "spans", "log histogram", "span histogram", "log values", "span values", "log fields", "span fields",
				}).Draw(t, "kind")
				field := rapid.SampledFrom([]string{"level", "status", "namespace", "service", "ownpay", "name", "message", "attr.namespace", ""}).Draw(t, "field")
				limit := rapid.SampledFrom([]int{1, 5, 500}).Draw(t, "limit")
				got, want := told(seeing(scope), full, kind, e, field, limit), told(context.Background(), own, kind, e, field, limit)
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("%s of %s by %s: %s", kind, text, field, d)
				}
			})
		})
	}
}

// Of a trace the caller's own spans are whole, and of the others nothing is left but their place and whose they are.
func TestSpansOfOtherNamespacesAreHidden(t *testing.T) {
	full := storeOf(t, access.Scope{All: true})
	for _, names := range scopes {
		scope := access.Scope{Names: names}
		own := storeOf(t, scope)
		for i := range 50 {
			id := model.TraceID{1, byte(i)}
			got, err := full.Trace(seeing(scope), "default", id, store.Range{})
			want, wantErr := own.Trace(context.Background(), "default", id, store.Range{})
			if fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Fatalf("%q: %v, want %v", names, err, wantErr)
			}
			whole, _ := full.Trace(context.Background(), "default", id, store.Range{})
			if err == nil && len(got) != len(whole) {
				t.Fatalf("%q: %d spans of %d", names, len(got), len(whole))
			}
			var mine []model.Span
			for k, s := range got {
				if scope.Sees(s.Resource.Namespace) {
					mine = append(mine, s)
				} else {
					checkHidden(t, s, whole[k])
				}
			}
			if d := cmp.Diff(spanTexts(want), spanTexts(mine)); d != "" {
				t.Fatalf("%q: %s", names, d)
			}
		}
	}
}

// checkHidden expects nothing of a span but its place, its times and whose it is.
func checkHidden(t *testing.T, got, was model.Span) {
	t.Helper()
	name := "hidden"
	if was.Resource.Namespace != "" {
		name = "hidden: team " + was.Resource.Namespace
	}
	want := model.Span{
		TraceID: was.TraceID, SpanID: was.SpanID, ParentID: was.ParentID, Start: was.Start, Duration: was.Duration, Name: name,
		Resource: &model.Resource{Tenant: was.Resource.Tenant, Namespace: was.Resource.Namespace},
	}
	if d := cmp.Diff(spanTexts([]model.Span{want}), spanTexts([]model.Span{got})); d != "" {
		t.Fatal(d)
	}
}

// Listed are the traces that have a span of the caller's which matches, with the services, errors and names of those alone.
func TestTracesOfOtherNamespacesAreNotListed(t *testing.T) {
	full := storeOf(t, access.Scope{All: true})
	for _, names := range scopes {
		scope := access.Scope{Names: names}
		own := storeOf(t, scope)
		for _, text := range []string{"", "status:error", "told", "NOT namespace:pay", `namespace:"pay-eu"`, "service:svc1", "name:op*"} {
			e, err := filter.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			q := store.TraceQuery{Tenant: "default", Expr: e, Limit: 500}
			got, err := full.Traces(seeing(scope), q)
			want, wantErr := own.Traces(context.Background(), q)
			if err != nil || wantErr != nil {
				t.Fatal(err, wantErr)
			}
			if d := cmp.Diff(listed(want), listed(got)); d != "" {
				t.Errorf("%q %s: %s", names, text, d)
			}
			for _, f := range got {
				if f.RootService != "" && !slices.ContainsFunc(f.Services, func(c store.ServiceCount) bool { return c.Service == f.RootService }) {
					t.Errorf("%q %s: the root's service is told: %+v", names, text, f)
				}
				if f.RootService == "" && !strings.HasPrefix(f.RootName, "hidden") {
					t.Errorf("%q %s: the root's name is told: %+v", names, text, f)
				}
			}
		}
	}
}

// listed is of summaries what does not depend on hidden spans.
func listed(list []store.TraceSummary) map[model.TraceID]string {
	out := map[model.TraceID]string{}
	for _, f := range list {
		out[f.TraceID] = fmt.Sprint(f.Errors, f.Services, len(f.Matched))
	}
	return out
}

func TestATailFollowsTheNamespacesOfItsReaderAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := tailOf(t, DefaultConfig())
		ctx, cancel := context.WithCancel(seeing(access.Scope{Names: []string{"pay"}}))
		var f follower
		var wg sync.WaitGroup
		wg.Go(func() { _ = tail.Tail(ctx, "default", nil, f.event) })
		synctest.Wait()
		of := func(space string) model.LogRecord {
			return model.LogRecord{Message: "of " + space, Resource: &model.Resource{Tenant: "default", Namespace: space}}
		}
		tail.TapLogs([]model.LogRecord{of("trade"), of("pay"), of(""), of("pay-eu")})
		synctest.Wait()
		cancel()
		wg.Wait()
		if d := cmp.Diff([]string{"of pay"}, f.got); d != "" || f.dropped != 0 {
			t.Error(d, f.dropped)
		}
	})
}

func BenchmarkNamespacesKeptApart(b *testing.B) {
	s := storeOf(b, access.Scope{All: true})
	for _, c := range []struct {
		name  string
		scope access.Scope
	}{{"all", access.Scope{All: true}}, {"two", access.Scope{Names: []string{"pay", "trade"}}}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.LogValues(seeing(c.scope), store.LogQuery{Tenant: "default"}, "service", 10); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
