package simulate

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is an OTLP/gRPC endpoint that counts.
type receiver struct {
	mu                   sync.Mutex
	spans, logs, metrics uint64
	services             map[string]bool
}

type (
	traceServer struct {
		ptraceotlp.UnimplementedGRPCServer
		*receiver
	}
	logServer struct {
		plogotlp.UnimplementedGRPCServer
		*receiver
	}
	metricServer struct {
		pmetricotlp.UnimplementedGRPCServer
		*receiver
	}
)

func (r *traceServer) Export(_ context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans += uint64(req.Traces().SpanCount())
	for _, rs := range req.Traces().ResourceSpans().All() {
		name, _ := rs.Resource().Attributes().Get("service.name")
		region, _ := rs.Resource().Attributes().Get("cloud.region")
		r.services[name.Str()+"/"+region.Str()] = true
	}
	return ptraceotlp.NewExportResponse(), nil
}

func (r *logServer) Export(_ context.Context, req plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logs += uint64(req.Logs().LogRecordCount())
	return plogotlp.NewExportResponse(), nil
}

func (r *metricServer) Export(_ context.Context, req pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.metrics += uint64(req.Metrics().DataPointCount())
	return pmetricotlp.NewExportResponse(), nil
}

func receive(t *testing.T) (*receiver, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{services: map[string]bool{}}
	s := grpc.NewServer()
	ptraceotlp.RegisterGRPCServer(s, &traceServer{receiver: r})
	plogotlp.RegisterGRPCServer(s, &logServer{receiver: r})
	pmetricotlp.RegisterGRPCServer(s, &metricServer{receiver: r})
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(ln) }()
	t.Cleanup(func() { s.Stop(); <-done })
	return r, ln.Addr().String()
}

func TestEverythingReachesAnOTLPReceiver(t *testing.T) {
	r, addr := receive(t)
	cfg := config(time.Second)
	cfg.Endpoint, cfg.TargetRPS, cfg.MetricsEvery, cfg.FlushEvery = addr, 200, 200*time.Millisecond, 50*time.Millisecond
	s, err := New(cfg, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := s.Stats()
	if st.Spans < 500 || st.Spans != r.spans || st.Logs != r.logs || st.Points == 0 || st.Points > r.metrics || st.FailedSpans+st.FailedLogs+st.FailedPoints != 0 {
		t.Errorf("sent %+v, received %d spans, %d logs, %d metric points", st, r.spans, r.logs, r.metrics)
	}
	if len(r.services) != 15 {
		t.Errorf("spans of %d services and regions, want 15: %v", len(r.services), r.services)
	}
}

func TestAReplayDeliversEveryRequestOfThePast(t *testing.T) {
	r, addr := receive(t)
	cfg := config(0)
	cfg.Endpoint = addr
	var moments []Moment
	for i := range 700 { // more spans and logs than the SDK's queues hold
		moments = append(moments, Moment{Time: time.Now().Add(-time.Duration(700-i) * time.Minute)})
	}
	st, err := Replay(t.Context(), cfg, Deps{}, 0, moments)
	if err != nil {
		t.Fatal(err)
	}
	if st.Requests != 700 || r.logs < 700 || st.Spans != r.spans || r.spans < 4000 || r.metrics != 0 {
		t.Errorf("replayed %+v, received %d spans, %d logs, %d metric points", st, r.spans, r.logs, r.metrics)
	}
}
