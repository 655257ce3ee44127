package spanmetrics

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

var _ stream.SpanTap = (*Processor)(nil)

// bench is a processor over a real TSDB with Prometheus' own engine to ask it.
type bench struct {
	*Processor
	db     *tsdb.DB
	engine *promql.Engine
}

func open(t testing.TB, change func(*Config)) *bench {
	t.Helper()
	opts := tsdb.DefaultOptions()
	opts.EnableExemplarStorage, opts.MaxExemplars = true, 1000
	db, err := tsdb.Open(t.TempDir(), nil, nil, opts, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, Parser: parser.NewParser(parser.Options{})})
	t.Cleanup(func() { _ = engine.Close() })
	return &bench{Processor: restart(t, db, change), db: db, engine: engine}
}

func restart(t testing.TB, db *tsdb.DB, change func(*Config)) *Processor {
	t.Helper()
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	p, err := New(cfg, Deps{Registerer: prometheus.NewPedanticRegistry(), Appendable: db})
	if err != nil {
		t.Fatal(err)
	}
	p.now = func() time.Time { return epoch }
	return p
}

func (b *bench) flush(t testing.TB, at time.Time) {
	t.Helper()
	if err := b.Flush(context.Background(), at); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) query(t testing.TB, expr string, at time.Time) map[string]float64 {
	t.Helper()
	q, err := b.engine.NewInstantQuery(context.Background(), b.db, nil, expr, at)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	v, err := q.Exec(context.Background()).Vector()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, s := range v {
		out[s.Metric.String()] = s.F
	}
	return out
}

var epoch = time.Unix(1_790_000_000, 0)

func span(service, route string, d time.Duration) model.Span {
	return model.Span{
		TraceID: model.TraceID{1}, SpanID: model.SpanID{2}, Name: "n", Kind: model.SpanKindServer, Start: epoch.UnixNano() - int64(d), Duration: int64(d),
		Attrs:    model.Attrs{{Key: "http.route", Value: model.StringValue(route)}},
		Resource: &model.Resource{Tenant: "default", Service: service, Namespace: "pay", Env: "prod", Region: "eu", Version: "1"},
	}
}

func TestTheFirstEventsAreSeenByIncrease(t *testing.T) {
	b := open(t, nil)
	failed := span("edge", "/x", 30*time.Millisecond)
	failed.Status = model.StatusError
	b.TapSpans([]model.Span{span("edge", "/x", 30*time.Millisecond), span("edge", "/x", 2*time.Second), failed})
	b.flush(t, epoch)
	base := `{env="prod", kind="server", namespace="pay", region="eu", route="/x", service="edge", status=%q, version="1"}`
	want := map[string]float64{fmt.Sprintf(base, "ok"): 2, fmt.Sprintf(base, "error"): 1}
	// In the window of just the two samples, increase() is exact.
	got := b.query(t, "increase(signalbox_span_duration_seconds_count[1001ms])", epoch)
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0.01, 0)); diff != "" {
		t.Error(diff)
	}
	got = b.query(t, `signalbox_span_duration_seconds_bucket{status="ok",le=~"0.025|0.05|1|2.5|\\+Inf"}`, epoch)
	le := `{__name__="signalbox_span_duration_seconds_bucket", env="prod", kind="server", le=%q, namespace="pay", region="eu", route="/x", service="edge", status="ok", version="1"}`
	want = map[string]float64{fmt.Sprintf(le, "0.025"): 0, fmt.Sprintf(le, "0.05"): 1, fmt.Sprintf(le, "1"): 1, fmt.Sprintf(le, "2.5"): 2, fmt.Sprintf(le, "+Inf"): 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestExemplarsCarryTheTrace(t *testing.T) {
	b := open(t, nil)
	b.TapSpans([]model.Span{span("edge", "/x", 30*time.Millisecond)})
	b.flush(t, epoch)
	q, err := b.db.ExemplarQuerier(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := q.Select(0, epoch.UnixMilli()+1, []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "service", "edge")})
	if err != nil || len(got) != 1 {
		t.Fatalf("exemplars = %v, %v", got, err)
	}
	e := got[0].Exemplars[0]
	if got[0].SeriesLabels.Get("le") != "0.05" || e.Labels.Get("trace_id") != (model.TraceID{1}).String() || e.Value != 0.03 {
		t.Errorf("exemplar %v of %v", e, got[0].SeriesLabels)
	}
}

func TestARestartIsACounterReset(t *testing.T) {
	b := open(t, nil)
	b.TapSpans([]model.Span{span("edge", "/x", 1)})
	b.flush(t, epoch)
	b.Processor = restart(t, b.db, nil)
	// The new total is larger than the old: without a zero between them, the
	// second process would seem to have seen two spans fewer.
	b.TapSpans([]model.Span{span("edge", "/x", 1), span("edge", "/x", 1), span("edge", "/x", 1)})
	b.flush(t, epoch.Add(5*time.Second))
	for _, n := range b.query(t, "resets(signalbox_span_duration_seconds_count[1m])", epoch.Add(5*time.Second)) {
		if n != 1 {
			t.Errorf("resets = %v, want 1", n)
		}
	}
}

func TestRoutesBeyondTheBoundAreFolded(t *testing.T) {
	b := open(t, func(c *Config) { c.MaxRoutes = 2; c.MaxHistograms = 4 })
	for i := range 5 {
		b.TapSpans([]model.Span{span("edge", "/"+strconv.Itoa(i), 1)})
	}
	b.flush(t, epoch)
	got := b.query(t, "sum by (route) (signalbox_span_duration_seconds_count)", epoch)
	if diff := cmp.Diff(map[string]float64{`{route="/0"}`: 1, `{route="/1"}`: 1, `{route="other"}`: 3}, got); diff != "" {
		t.Error(diff)
	}
	if n := testutil.ToFloat64(b.folded); n != 3 {
		t.Errorf("folded = %v, want 3", n)
	}
	// Beyond max_histograms a service still has its "other".
	for _, s := range []string{"a", "b", "c"} {
		b.TapSpans([]model.Span{span(s, "/x", 1)})
	}
	b.flush(t, epoch.Add(time.Second))
	got = b.query(t, `sum by (service, route, region) (signalbox_span_duration_seconds_count{service!="edge"})`, epoch.Add(time.Second))
	want := map[string]float64{`{region="eu", route="/x", service="a"}`: 1, `{route="other", service="b"}`: 1, `{route="other", service="c"}`: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestABackfillIsNotABurst(t *testing.T) {
	b := open(t, nil)
	late, old := span("edge", "/x", 1), span("edge", "/x", 1)
	late.Start -= int64(59 * time.Minute)
	old.Start -= int64(61 * time.Minute)
	b.TapSpans([]model.Span{late, old})
	b.flush(t, epoch)
	if got := b.query(t, "sum(signalbox_span_duration_seconds_count)", epoch); got["{}"] != 1 {
		t.Errorf("counted %v, want the late one only", got)
	}
	if n := testutil.ToFloat64(b.dropped.WithLabelValues("too_late")); n != 1 {
		t.Errorf("too late = %v, want 1", n)
	}
}

func TestRoutesOfAllKinds(t *testing.T) {
	for _, c := range []struct {
		attrs []string
		want  string
	}{
		{[]string{"http.route", "/a/{id}", "rpc.method", "M"}, "/a/{id}"},
		{[]string{"rpc.service", "pkg.Svc", "rpc.method", "Get"}, "pkg.Svc/Get"},
		{[]string{"rpc.method", "pkg.Svc/Get"}, "pkg.Svc/Get"},
		{[]string{"messaging.destination.name", "orders"}, "orders"},
		{nil, "span name"},
	} {
		s := model.Span{Name: "span name"}
		for i := 0; i < len(c.attrs); i += 2 {
			s.Attrs = append(s.Attrs, model.Attr{Key: c.attrs[i], Value: model.StringValue(c.attrs[i+1])})
		}
		if got := RouteOf(&s, nil); got != c.want {
			t.Errorf("%v: route %q, want %q", c.attrs, got, c.want)
		}
	}
}

// Whatever arrives in whatever batches, the series say what a naive count says.
func TestSeriesAgreeWithANaiveCount(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := open(t, nil)
		counts, sums, buckets := map[string]float64{}, map[string]float64{}, map[string]float64{}
		at := epoch
		for range rapid.IntRange(1, 5).Draw(rt, "flushes") {
			batch := make([]model.Span, rapid.IntRange(0, 10).Draw(rt, "spans"))
			for i := range batch {
				d := time.Duration(rapid.SampledFrom([]int64{0, 5e6, 5e6 + 1, 7e7, 1e9, 11e9}).Draw(rt, "duration"))
				service := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "service")
				batch[i] = span(service, "/x", d)
				key := fmt.Sprintf("{service=%q}", service)
				counts[key]++
				sums[key] += d.Seconds()
				if d.Seconds() <= 0.005 {
					buckets[key]++
				}
			}
			b.TapSpans(batch)
			b.flush(t, at)
			at = at.Add(time.Second)
		}
		for expr, want := range map[string]map[string]float64{
			"sum by (service) (signalbox_span_duration_seconds_count)":                   counts,
			"sum by (service) (signalbox_span_duration_seconds_sum)":                     sums,
			`sum by (service) (signalbox_span_duration_seconds_bucket{le="0.005"}) != 0`: buckets,
		} {
			if diff := cmp.Diff(want, b.query(t, expr, at), cmpopts.EquateApprox(1e-9, 0)); diff != "" {
				rt.Fatalf("%s: %s", expr, diff)
			}
		}
	})
}

func TestTenantsAreApartAndTheDefaultHasNoLabel(t *testing.T) {
	b := open(t, nil)
	other := span("edge", "/x", 1)
	other.Resource.Tenant = "acme"
	b.TapSpans([]model.Span{span("edge", "/x", 1), other})
	b.flush(t, epoch)
	got := b.query(t, "sum by (tenant) (signalbox_span_duration_seconds_count)", epoch)
	if diff := cmp.Diff(map[string]float64{`{}`: 1, `{tenant="acme"}`: 1}, got); diff != "" {
		t.Error(diff)
	}
}

// Routes become labels, which whoever reads metrics sees: what any rule masks is masked in them, for everybody, and before it is cut.
func TestRoutesHoldNothingThatIsMasked(t *testing.T) {
	cfg := mask.Config{Rules: []mask.Rule{
		{Name: "cards", Patterns: []string{"card"}, LiftedBy: access.UnmaskedRead, Replace: mask.ReplaceFixed},
		{Name: "queues", Fields: []string{"messaging.destination.name"}, LiftedBy: "unmasked.queues", Replace: mask.ReplaceFixed},
	}}
	rules, err := mask.New(cfg, mask.Key{})
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, nil)
	b.masks = func() *mask.Rules { return rules }
	attr := func(key, value string) model.Span {
		return model.Span{Attrs: model.Attrs{{Key: key, Value: model.StringValue(value)}}}
	}
	for want, s := range map[string]model.Span{
		"pay [masked: cards]":                   {Name: "pay 4111111111111111"},
		"/card/[masked: cards]":                 attr("http.route", "/card/4111111111111111"),
		"[masked: queues]":                      attr("messaging.destination.name", "of ann"),
		strings.Repeat("x", 190) + " [masked: ": {Name: strings.Repeat("x", 190) + " 4111111111111111"},
		"plain":                                 {Name: "plain"},
	} {
		s.Resource, s.Start = &model.Resource{Service: "edge"}, epoch.UnixNano()
		b.TapSpans([]model.Span{s})
		if got := RouteOf(&s, b.view()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	b.flush(t, epoch)
	for labels := range b.query(t, model.MetricSpanDuration+"_count", epoch) {
		if strings.Contains(labels, "4111") || strings.Contains(labels, "of ann") {
			t.Error(labels)
		}
	}
}

func BenchmarkTapSpansMasked(b *testing.B) {
	rules, err := mask.New(mask.Config{Rules: []mask.Rule{
		{Name: "contact", Patterns: []string{"email", "ipv4"}, LiftedBy: access.UnmaskedRead, Replace: mask.ReplaceFixed}, {Name: "cards", Patterns: []string{"card", "iban"}, LiftedBy: access.UnmaskedRead, Replace: mask.ReplaceFixed},
	}}, mask.Key{})
	if err != nil {
		b.Fatal(err)
	}
	for name, list := range map[string]*mask.Rules{"without rules": nil, "with rules": rules} {
		b.Run(name, func(b *testing.B) {
			p := open(b, nil)
			p.masks = func() *mask.Rules { return list }
			spans := make([]model.Span, 1000)
			for i := range spans {
				spans[i] = model.Span{
					Name: fmt.Sprintf("GET /shop/item/%d", i%100), Resource: &model.Resource{Service: "edge"}, Start: epoch.UnixNano(), Duration: 1e6,
					Attrs: model.Attrs{{Key: "http.route", Value: model.StringValue(fmt.Sprintf("/shop/item/%d/detail", i%100))}},
				}
			}
			b.ResetTimer()
			for b.Loop() {
				p.TapSpans(spans)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/span")
		})
	}
}
