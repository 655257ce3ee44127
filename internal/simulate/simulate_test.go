package simulate

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// recorder is where a test's telemetry ends.
type recorder struct {
	mu     sync.Mutex
	spans  []sdktrace.ReadOnlySpan
	logs   []sdklog.Record
	gauges map[string]float64 // newest value by name and attributes
	most   map[string]float64 // greatest value of the same
	traced int                // exemplars with a trace id
	counts map[string]uint64  // histogram count by service, route and status
	err    error
}

func (r *recorder) exporters() *exporters {
	return &exporters{spans: recSpans{r}, metrics: recMetrics{r}, logs: recLogs{r}, close: func() error { return nil }}
}

type recSpans struct{ *recorder }

func (r recSpans) ExportSpans(_ context.Context, s []sdktrace.ReadOnlySpan) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.spans = append(r.spans, s...)
	}
	return r.err
}
func (r recSpans) Shutdown(context.Context) error { return nil }

type recLogs struct{ *recorder }

func (r recLogs) Export(_ context.Context, records []sdklog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range records {
		r.logs = append(r.logs, rec.Clone())
	}
	return r.err
}
func (r recLogs) Shutdown(context.Context) error   { return nil }
func (r recLogs) ForceFlush(context.Context) error { return nil }

type recMetrics struct{ *recorder }

func (r recMetrics) Temporality(sdkmetric.InstrumentKind) metricdata.Temporality {
	return metricdata.CumulativeTemporality
}

func (r recMetrics) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}
func (r recMetrics) Shutdown(context.Context) error   { return nil }
func (r recMetrics) ForceFlush(context.Context) error { return nil }

func (r recMetrics) Export(_ context.Context, rm *metricdata.ResourceMetrics) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	service, _ := rm.Resource.Set().Value("service.name")
	region, _ := rm.Resource.Set().Value("cloud.region")
	set := func(name string, as attribute.Set, v float64) {
		key := strings.Join([]string{name, service.AsString(), region.AsString(), as.Encoded(attribute.DefaultEncoder())}, "|")
		r.gauges[key], r.most[key] = v, max(r.most[key], v)
	}
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					set(m.Name, p.Attributes, p.Value)
				}
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					set(m.Name, p.Attributes, float64(p.Value))
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					status, _ := p.Attributes.Value("http.response.status_code")
					route, _ := p.Attributes.Value("http.route")
					r.counts[m.Name+"|"+service.AsString()+"|"+route.AsString()+"|"+status.String()] = p.Count
					for _, ex := range p.Exemplars {
						if len(ex.TraceID) == 16 {
							r.traced++
						}
					}
				}
			}
		}
	}
	return r.err
}

// simulated runs cfg for its duration on a fake clock. Within, it sees the
// simulator while it runs.
func simulated(t *testing.T, cfg Config, within func(*Simulator)) (*recorder, Stats) {
	t.Helper()
	r := &recorder{gauges: map[string]float64{}, most: map[string]float64{}, counts: map[string]uint64{}}
	var stats Stats
	synctest.Test(t, func(t *testing.T) {
		s, err := New(cfg, Deps{exporters: r.exporters()})
		if err != nil {
			t.Fatal(err)
		}
		if within != nil {
			go within(s)
		}
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		stats = s.Stats()
	})
	return r, stats
}

func config(d time.Duration) Config {
	c := DefaultConfig()
	c.Duration = d
	return c
}

func describe(o *op) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %s %d %q %v+%v", o.service, o.region, o.version, o.name, o.status, o.failure, o.start, o.duration)
	for _, c := range o.children {
		b.WriteString("(" + describe(c) + ")")
	}
	return b.String()
}

func TestTheSameSeedGivesTheSameRequests(t *testing.T) {
	sequence := func(seed uint64) (out []string) {
		p := newPlanner(seed)
		for i := range uint64(200) {
			req := p.plan(i, world{errorRate: 0.05})
			out = append(out, req.requestID+req.tenant+describe(req.root))
		}
		return out
	}
	if diff := cmp.Diff(sequence(7), sequence(7)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(sequence(7), sequence(8)) {
		t.Error("another seed gave the same sequence")
	}
}

func TestOneSeedSendsTheSameTelemetryTwice(t *testing.T) {
	names := func() (out []string) {
		r, _ := simulated(t, config(20*time.Second), nil)
		for _, s := range r.spans {
			out = append(out, s.SpanContext().TraceID().String()+s.SpanContext().SpanID().String()+s.Name())
		}
		return out
	}
	a, b := names(), names()
	if len(a) < 1500 {
		t.Fatalf("only %d spans in 20 s at 20 rps", len(a))
	}
	count := func(list []string) map[string]int {
		m := map[string]int{}
		for _, s := range list {
			m[s]++
		}
		return m
	}
	if diff := cmp.Diff(count(a), count(b)); diff != "" {
		t.Error(diff)
	}
}

func TestOneTraceLeadsFromTheFrontDoorThroughServicesAndTheQueue(t *testing.T) {
	r, stats := simulated(t, config(30*time.Second), nil)
	byTrace := map[trace.TraceID]map[string]bool{}
	for _, s := range r.spans {
		id := s.SpanContext().TraceID()
		if byTrace[id] == nil {
			byTrace[id] = map[string]bool{}
		}
		service, _ := s.Resource().Set().Value("service.name")
		byTrace[id][service.AsString()+"/"+s.SpanKind().String()] = true
		if s.EndTime().Before(s.StartTime()) {
			t.Errorf("span %s ends before it starts", s.Name())
		}
		if s.SpanKind() == trace.SpanKindConsumer && len(s.Links()) != 1 {
			t.Errorf("consumer span %s has %d links, want one to its producer", s.Name(), len(s.Links()))
		}
	}
	whole := 0
	for _, parts := range byTrace {
		if parts["edge/server"] && parts["deployment/producer"] && parts["deployment/consumer"] && parts["file-server/server"] && parts["layout/server"] {
			whole++
		}
	}
	if whole < 5 {
		t.Errorf("%d traces lead from the edge over deployment and its queue to the file server, want several", whole)
	}
	if stats.Spans != uint64(len(r.spans)) || stats.Logs != uint64(len(r.logs)) || stats.FailedSpans != 0 {
		t.Errorf("stats %+v, exported %d spans and %d logs", stats, len(r.spans), len(r.logs))
	}
	if r.traced == 0 {
		t.Error("no histogram carries an exemplar with a trace id")
	}
	for _, l := range r.logs {
		if !l.TraceID().IsValid() || !l.SpanID().IsValid() {
			t.Fatalf("log %q carries no trace id", l.Body())
		}
	}
}

func TestTargetRateAndErrorRateAreMet(t *testing.T) {
	cfg := config(60 * time.Second)
	cfg.TargetRPS, cfg.ErrorRate = 100, 0.1
	r, stats := simulated(t, cfg, nil)
	if stats.Requests < 5500 || stats.Requests > 6500 {
		t.Errorf("%d requests in 60 s at 100 rps", stats.Requests)
	}
	bad, all := 0, 0
	for _, s := range r.spans {
		service, _ := s.Resource().Set().Value("service.name")
		if service.AsString() != Edge || s.SpanKind() != trace.SpanKindServer {
			continue
		}
		all++
		if s.Status().Code == codes.Error {
			bad++
		}
	}
	if share := float64(bad) / float64(all); share < 0.09 || share > 0.14 {
		t.Errorf("%.3f of the edge's requests failed, want 0.1 and a little for its dependencies", share)
	}
}

func TestFaultsOnScheduleAct(t *testing.T) {
	d := func(s string) model.Duration { v, _ := model.ParseDuration(s); return v }
	errorsAt := func(r *recorder, start time.Time, service, version string, from, to time.Duration) (bad, all int) {
		for _, s := range r.spans {
			set := s.Resource().Set()
			name, _ := set.Value("service.name")
			v, _ := set.Value("service.version")
			at := s.EndTime().Sub(start)
			if name.AsString() != service || s.SpanKind() != trace.SpanKindServer || at < from || at >= to || version != "" && v.AsString() != version {
				continue
			}
			all++
			if s.Status().Code == codes.Error {
				bad++
			}
		}
		return bad, all
	}
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where synctest's clock starts

	t.Run("an error burst fails its share and only for its time", func(t *testing.T) {
		cfg := config(90 * time.Second)
		cfg.Faults = []Fault{{Kind: ErrorBurst, Service: Layout, ErrorRate: 0.5, Start: d("30s"), Duration: d("30s")}}
		r, _ := simulated(t, cfg, nil)
		before, _ := errorsAt(r, epoch, Layout, "", 0, 29*time.Second)
		during, all := errorsAt(r, epoch, Layout, "", 31*time.Second, 59*time.Second)
		after, _ := errorsAt(r, epoch, Layout, "", 62*time.Second, 90*time.Second)
		if share := float64(during) / float64(all); before > 3 || after > 3 || share < 0.4 || share > 0.6 {
			t.Errorf("errors before %d, during %d of %d, after %d", before, during, all, after)
		}
	})
	t.Run("a bad deployment fails on its version only and is stopped by a roll-back", func(t *testing.T) {
		r, _ := simulated(t, config(90*time.Second), func(s *Simulator) {
			time.Sleep(20 * time.Second)
			if err := s.Inject(Fault{Name: "bad", Kind: BadDeployment, Service: Edge, Version: "2.5.0"}); err != nil {
				t.Error(err)
			}
			time.Sleep(30 * time.Second)
			s.Clear("bad")
		})
		bad, all := errorsAt(r, epoch, Edge, "2.5.0", 0, time.Hour)
		if share := float64(bad) / float64(all); all < 200 || share < 0.5 || share > 0.75 {
			t.Errorf("%d of %d requests of the new version failed", bad, all)
		}
		if bad, _ := errorsAt(r, epoch, Edge, "2.4.1", 0, time.Hour); bad > 5 {
			t.Errorf("the old version failed %d requests", bad)
		}
		if _, all := errorsAt(r, epoch, Edge, "2.5.0", 51*time.Second, time.Hour); all != 0 {
			t.Errorf("the new version served %d requests after the roll-back", all)
		}
	})
	t.Run("a queue backlog lets the oldest message age and then drains", func(t *testing.T) {
		cfg := config(4 * time.Minute)
		cfg.Faults = []Fault{{Kind: QueueBacklog, Queue: "layout-deployments", Start: d("20s"), Duration: d("150s")}}
		r, _ := simulated(t, cfg, nil)
		key := "event_bus.oldest_message.age|event-bus|eu-1|queue=layout-deployments"
		if r.most[key] < 120 || r.gauges[key] > 5 {
			t.Errorf("oldest message: at most %.0f s, at the end %.0f s", r.most[key], r.gauges[key])
		}
	})
	t.Run("an exhausted pool shows in its own gauge and in no other", func(t *testing.T) {
		cfg := config(60 * time.Second)
		cfg.Faults = []Fault{{Kind: PoolExhaustion, Service: Layout, Region: "eu-1", Start: d("30s")}}
		r, _ := simulated(t, cfg, nil)
		if used := r.gauges["net.pool.outbound.used|layout|eu-1|"]; used != poolLimit {
			t.Errorf("pool use %v, want %d", used, poolLimit)
		}
		if used := r.gauges["net.pool.outbound.used|layout|us-2|"]; used >= poolLimit {
			t.Errorf("pool use in another region is %v", used)
		}
		if cpu := r.most["process.cpu.utilization|layout|eu-1|"]; cpu > 0.6 {
			t.Errorf("CPU went to %v, the fault must not show there", cpu)
		}
	})
	t.Run("a pool that runs full shows before anything fails", func(t *testing.T) {
		cfg := config(80 * time.Second)
		cfg.ErrorRate = 0
		cfg.Faults = []Fault{{Kind: PoolExhaustion, Service: Edge, ErrorRate: 0.9, Start: d("10s"), Ramp: d("40s")}}
		r, _ := simulated(t, cfg, nil)
		before, all := errorsAt(r, epoch, Edge, StableVersion(Edge, ""), 0, 49*time.Second)
		after, _ := errorsAt(r, epoch, Edge, StableVersion(Edge, ""), 52*time.Second, 80*time.Second)
		if before != 0 || all == 0 || after == 0 {
			t.Errorf("%d of %d requests failed before the pool was full, %d after", before, all, after)
		}
		if half := (Fault{Start: d("10s"), Ramp: d("40s")}).at(30 * time.Second); half.free != 0.5 {
			t.Errorf("half of the way %v of the pool is free", half.free)
		}
	})
	t.Run("a slow dependency slows its callers", func(t *testing.T) {
		p95 := func(w world) time.Duration {
			p := newPlanner(3)
			slow := 0
			for i := range uint64(1000) {
				if p.plan(i, w).root.duration > 400*time.Millisecond {
					slow++
				}
			}
			return time.Duration(slow)
		}
		fault := Fault{Kind: SlowDependency, Dependency: "layout-db"}.withDefaults()
		if calm, slow := p95(world{}), p95(world{faults: []Fault{fault}}); calm > 60 || slow < 500 {
			t.Errorf("slow requests in 1000: %d when calm, %d with the fault", calm, slow)
		}
	})
}

func TestAnUnreachableEndpointIsCountedAndSaid(t *testing.T) {
	r := &recorder{gauges: map[string]float64{}, most: map[string]float64{}, counts: map[string]uint64{}, err: context.DeadlineExceeded}
	var said strings.Builder
	synctest.Test(t, func(t *testing.T) {
		s, err := New(config(25*time.Second), Deps{Logger: slog.New(slog.NewTextHandler(&said, nil)), exporters: r.exporters()})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if st := s.Stats(); st.Spans != 0 || st.FailedSpans == 0 {
			t.Errorf("stats %+v", st)
		}
	})
	if !strings.Contains(said.String(), "still retrying") {
		t.Errorf("the log does not say that the endpoint is unreachable:\n%s", said.String())
	}
}

func TestParseFaults(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"an unknown key is an error", "faults:\n  - kind: error_burst\n    servce: edge\n", `f.yml:3: faults[0]: unknown key "servce"; did you mean "service"?`},
		{"an unknown kind is named", "faults:\n  - kind: meteor\n", `faults[0].kind: must be one of`},
		{"an unknown service is named", "faults:\n  - {kind: error_burst, service: egde}\n", `faults[0].service: must be one of`},
		{"a bad deployment needs its version", "faults:\n  - {kind: bad_deployment, service: edge}\n", "faults[0].version: is required"},
		{"a share above one is refused", "faults:\n  - {kind: error_burst, service: edge, error_rate: 3}\n", "faults[0].error_rate: must be within 0 to 1, got 3"},
		{"a share that is no number is refused", "faults:\n  - {kind: bad_deployment, service: edge, version: 1, share: .nan}\n", "faults[0].share: must be within 0 to 1, got NaN"},
		{"a repetition shorter than the fault is refused", "faults:\n  - {kind: error_burst, service: edge, duration: 5m, every: 2m}\n", "faults[0].every: must be longer than duration"},
		{"only a pool runs full", "faults:\n  - {kind: error_burst, service: edge, ramp: 1m}\n", "faults[0].ramp: is for pool_exhaustion"},
		{"a pool that is never full is refused", "faults:\n  - {kind: pool_exhaustion, service: edge, ramp: 5m, duration: 5m}\n", "faults[0].ramp"},
		{"all problems are reported", "faults:\n  - {kind: error_burst, service: edge, error_rate: 3}\n  - {kind: meteor}\n", "f.yml:3: faults[1].kind"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParseFaults("f.yml", []byte(tc.text))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
	if f, err := ParseFaults("f.yml", nil); err != nil || f != nil {
		t.Errorf("an empty file gave %v, %v", f, err)
	}
}

func TestARepeatedFaultIsOnInEachPeriod(t *testing.T) {
	f := Fault{Start: model.Duration(time.Minute), Duration: model.Duration(time.Minute), Every: model.Duration(10 * time.Minute)}
	for at, want := range map[time.Duration]bool{0: false, 61 * time.Second: true, 2 * time.Minute: false, 11*time.Minute + time.Second: true, 12 * time.Minute: false} {
		if got := f.activeAt(at); got != want {
			t.Errorf("at %s on = %v, want %v", at, got, want)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	f.Add([]byte("faults:\n  - {kind: error_burst, service: edge, start: 1m, duration: 2m}\n"))
	f.Add([]byte("faults: [{}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		faults, err := ParseFaults("f.yml", text)
		if err != nil {
			return
		}
		for _, fault := range faults {
			if p := fault.Validate(); p != nil {
				t.Errorf("accepted an invalid fault: %v", p)
			}
		}
	})
}
