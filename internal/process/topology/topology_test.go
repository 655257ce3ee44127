package topology

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/stream"
)

var (
	_     stream.SpanTap = (*Processor)(nil)
	epoch                = time.Unix(1_790_000_000, 0)
)

// prom asks Prometheus' engine over a TSDB.
type prom struct {
	*tsdb.DB
	engine *promql.Engine
}

func (p prom) Instant(ctx context.Context, expr string, at time.Time) ([]model.Sample, error) {
	q, err := p.engine.NewInstantQuery(ctx, p.DB, nil, expr, at)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	v, err := q.Exec(ctx).Vector()
	var out []model.Sample
	for _, s := range v {
		out = append(out, model.Sample{Labels: model.Labels(s.Metric.Map()), Value: s.F})
	}
	return out, err
}

func open(t testing.TB, change func(*Config)) *Processor {
	t.Helper()
	db, err := tsdb.Open(t.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
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
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	p, err := New(cfg, Deps{Registerer: prometheus.NewPedanticRegistry(), Appendable: db, Querier: prom{db, engine}})
	if err != nil {
		t.Fatal(err)
	}
	p.now = func() time.Time { return epoch }
	return p
}

func (p *Processor) at(d time.Duration) { p.now = func() time.Time { return epoch.Add(d) } }

// spanOf reads "service kind trace/span<parent ~trace/span…": ids are small numbers.
func spanOf(text string) model.Span {
	var service, kind, ids string
	if _, err := fmt.Sscan(text, &service, &kind, &ids); err != nil {
		panic(err)
	}
	s := model.Span{Resource: &model.Resource{Tenant: "default", Service: service}, Duration: 1e9}
	if err := s.Kind.UnmarshalText([]byte(kind)); err != nil {
		panic(err)
	}
	ids, links, linked := strings.Cut(ids, "~")
	own, parent, child := strings.Cut(ids, "<")
	var trace, span, up byte
	_, _ = fmt.Sscanf(own, "%d/%d", &trace, &span)
	s.TraceID[0], s.SpanID[0] = trace, span
	if child {
		_, _ = fmt.Sscanf(parent, "%d", &up)
		s.ParentID[0] = up
	}
	if linked {
		for _, l := range strings.Split(links, ",") {
			_, _ = fmt.Sscanf(l, "%d/%d", &trace, &span)
			s.Links = append(s.Links, model.SpanLink{TraceID: model.TraceID{trace}, SpanID: model.SpanID{span}})
		}
	}
	return s
}

// story is two traces: edge calls layout and access, access calls layout;
// layout puts two messages into a queue that deployment takes in one batch.
func story() []model.Span {
	var out []model.Span
	for _, line := range []string{
		"edge server 1/1", "edge client 1/2<1", "layout server 1/3<2",
		"edge client 1/4<1", "access server 1/5<4", "access client 1/6<5", "layout server 1/7<6", "layout internal 1/8<7",
		"layout producer 1/9<7", "layout producer 1/10<7",
		"deployment consumer 2/1~1/9,1/10", "deployment client 2/2<1", "files server 2/3<2",
		"files consumer 1/11<9",
	} {
		out = append(out, spanOf(line))
	}
	out[1].Status, out[1].Duration = model.StatusError, 3e9 // the client waited longer, and failed
	return out
}

func wantEdges() []model.Edge {
	return []model.Edge{
		{Client: "access", Server: "layout", Kind: "call", Calls: 1, MeanSecs: 1},
		{Client: "deployment", Server: "files", Kind: "call", Calls: 1, MeanSecs: 1},
		{Client: "edge", Server: "access", Kind: "call", Calls: 1, MeanSecs: 1},
		{Client: "edge", Server: "layout", Kind: "call", Calls: 1, Errors: 1, MeanSecs: 3},
		{Client: "layout", Server: "deployment", Kind: "queue", Calls: 2, MeanSecs: 1},
		{Client: "layout", Server: "files", Kind: "queue", Calls: 1, MeanSecs: 1},
	}
}

// edges flushes and reads back a range of just the two samples, where increase() is exact.
func edges(t testing.TB, p *Processor, tenant string) []model.Edge {
	t.Helper()
	if err := p.Flush(t.Context(), epoch); err != nil {
		t.Fatal(err)
	}
	got, err := p.Edges(t.Context(), tenant, store.Range{Start: epoch.UnixNano() - 2e9 + 1, End: epoch.UnixNano()})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func compare(want, got []model.Edge) string {
	return cmp.Diff(want, got, cmpopts.EquateApprox(0.01, 0), cmpopts.EquateEmpty())
}

func TestEdgesOfCallsAndQueues(t *testing.T) {
	p := open(t, nil)
	p.TapSpans(story())
	if diff := compare(wantEdges(), edges(t, p, "default")); diff != "" {
		t.Error(diff)
	}
	if got := edges(t, p, "acme"); len(got) != 0 {
		t.Errorf("another tenant sees %v", got)
	}
}

func TestTheOrderAndTheBatchesDoNotMatter(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		p := open(t, nil)
		spans := story()
		rnd.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		for len(spans) > 0 {
			n := 1 + rnd.IntN(len(spans))
			p.TapSpans(spans[:n])
			spans = spans[n:]
		}
		if diff := compare(wantEdges(), edges(t, p, "default")); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

func TestSpansThatAreSentTwiceCountOnce(t *testing.T) {
	p := open(t, nil)
	p.TapSpans(story())
	p.TapSpans(story())
	if diff := compare(wantEdges(), edges(t, p, "default")); diff != "" {
		t.Error(diff)
	}
}

// Zipkin's libraries give both ends of a call one id; either may come first, with or without the
// caller's own server span, and again.
func TestSpansThatShareAnIdAreAnEdge(t *testing.T) {
	want := []model.Edge{{Client: "front", Server: "back", Kind: "call", Calls: 1, MeanSecs: 1}}
	for _, lines := range [][]string{
		{"front client 1/2", "back server 1/2"},
		{"back server 1/2", "front client 1/2"},
		{"front server 1/1", "front client 1/2<1", "back server 1/2<1"},
		{"back server 1/2<1", "front client 1/2<1", "front server 1/1"},
		{"front client 1/2", "back server 1/2", "front client 1/2", "back server 1/2"},
		{"back server 1/2", "front client 1/2", "back server 1/2", "front client 1/2"},
	} {
		p := open(t, nil)
		for _, line := range lines {
			p.TapSpans([]model.Span{spanOf(line)})
		}
		if d := compare(want, edges(t, p, "default")); d != "" {
			t.Errorf("%v (-want +got):\n%s", lines, d)
		}
	}
}

func TestTheWindowsEnd(t *testing.T) {
	p := open(t, nil)
	p.TapSpans([]model.Span{spanOf("edge client 1/1"), spanOf("edge producer 2/1"), spanOf("late server 3/2<1")})
	p.at(29 * time.Second)
	p.TapSpans([]model.Span{spanOf("layout server 1/2<1")})
	p.at(31 * time.Second)
	p.TapSpans([]model.Span{spanOf("access server 1/3<1"), spanOf("edge client 3/1")})
	p.at(9 * time.Minute)
	p.TapSpans([]model.Span{spanOf("worker consumer 4/1~2/1")})
	want := []model.Edge{
		{Client: "edge", Server: "layout", Kind: "call", Calls: 1, MeanSecs: 1},
		{Client: "edge", Server: "worker", Kind: "queue", Calls: 1, MeanSecs: 1},
	}
	if diff := compare(want, edges(t, p, "default")); diff != "" {
		t.Error(diff)
	}
	p.at(time.Hour)
	p.TapSpans(nil)
	if n := p.pending.size(); n != 0 || len(p.pending.known) != 0 || len(p.pending.waiting) != 0 {
		t.Errorf("%d entries, %d known, %d waiting are left after an hour", n, len(p.pending.known), len(p.pending.waiting))
	}
	if n := testutil.ToFloat64(p.unmatched.WithLabelValues("expired")); n != 2 {
		t.Errorf("expired = %v, want 2 (late, access)", n)
	}
}

func TestTenantsAreNotJoined(t *testing.T) {
	p := open(t, nil)
	a, b := spanOf("edge client 1/1"), spanOf("layout server 1/2<1")
	b.Resource.Tenant = "acme"
	p.TapSpans([]model.Span{a, b})
	if got := edges(t, p, "default"); len(got) != 0 {
		t.Errorf("edges = %v", got)
	}
}

// Memory stays bounded whatever comes, and everything is forgotten in the end.
func TestPendingSpansAreBounded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cfg := DefaultConfig()
		cfg.MaxPending = 10
		lost := 0
		p := newPending(cfg, func(edge, bool, float64) {}, func(string) { lost++ })
		now := epoch
		for range rapid.IntRange(0, 100).Draw(rt, "spans") {
			s := model.Span{Resource: &model.Resource{Service: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "service")}}
			s.Kind = model.SpanKind(rapid.IntRange(0, 5).Draw(rt, "kind"))
			s.TraceID[0], s.SpanID[0] = 1, byte(rapid.IntRange(1, 30).Draw(rt, "id"))
			s.ParentID[0] = byte(rapid.IntRange(0, 30).Draw(rt, "parent"))
			for range rapid.IntRange(0, 3).Draw(rt, "links") {
				s.Links = append(s.Links, model.SpanLink{TraceID: s.TraceID, SpanID: model.SpanID{byte(rapid.IntRange(1, 30).Draw(rt, "link"))}})
			}
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "seconds")) * time.Second)
			p.expire(now)
			p.add(&s, now)
			waiting := 0
			for _, w := range p.waiting {
				waiting += len(w)
			}
			if p.size() > 10 || len(p.known)+waiting > p.size() {
				rt.Fatalf("%d entries for %d known and %d waiting", p.size(), len(p.known), waiting)
			}
		}
		p.expire(now.Add(time.Hour))
		if p.size() != 0 || len(p.known) != 0 || len(p.waiting) != 0 {
			rt.Fatalf("left: %d entries, %d known, %d waiting", p.size(), len(p.known), len(p.waiting))
		}
	})
}

func TestConfigProblemsAreNamed(t *testing.T) {
	if errs := DefaultConfig().Validate(); len(errs) != 0 {
		t.Error(errs)
	}
	cfg := DefaultConfig()
	cfg.Window, cfg.QueueWindow, cfg.MaxPending, cfg.MaxEdges = 0, -1, 1, 0
	if errs := cfg.Validate(); len(errs) != 4 {
		t.Errorf("errs = %v", errs)
	}
}

// Who is bound to namespaces sees edges that touch them, of others' ends the team alone and no figure; one edge of a team hides how many
// of its services there are.
func TestAnEdgeToAnotherTeamHidesIt(t *testing.T) {
	p := open(t, nil)
	spans := story()
	for i := range spans {
		space := map[string]string{"edge": "front", "access": "ids", "layout": "pay", "deployment": "pay", "files": ""}[spans[i].Resource.Service]
		spans[i].Resource.Namespace = space
	}
	p.TapSpans(spans)
	if diff := compare(wantEdges(), edges(t, p, "default")); diff != "" {
		t.Errorf("who sees all: %s", diff)
	}
	ask := func(scope access.Scope) []model.Edge {
		ctx := access.With(t.Context(), &access.Access{Scope: scope})
		got, err := p.Edges(ctx, "default", store.Range{Start: epoch.UnixNano() - 2e9 + 1, End: epoch.UnixNano()})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if diff := compare([]model.Edge{
		{Client: "deployment", Server: "hidden", Kind: "call", Hidden: true},
		{Client: "hidden: team front", Server: "layout", Kind: "call", Hidden: true},
		{Client: "hidden: team ids", Server: "layout", Kind: "call", Hidden: true},
		{Client: "layout", Server: "deployment", Kind: "queue", Calls: 2, MeanSecs: 1},
		{Client: "layout", Server: "hidden", Kind: "queue", Hidden: true},
	}, ask(access.Scope{Names: []string{"pay"}})); diff != "" {
		t.Errorf("pay: %s", diff)
	}
	if got := ask(access.Scope{Names: []string{"other"}}); len(got) != 0 {
		t.Errorf("a namespace without edges: %v", got)
	}
	if got := ask(access.Scope{}); len(got) != 0 {
		t.Errorf("nothing is seen, but %v", got)
	}
}
