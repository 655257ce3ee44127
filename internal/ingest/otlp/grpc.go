package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/compress"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// grpcServices are OTLP's three services and their signals.
func grpcServices() map[string]string {
	return map[string]string{
		"opentelemetry.proto.collector.trace.v1.TraceService":     stream.SignalSpans,
		"opentelemetry.proto.collector.metrics.v1.MetricsService": stream.SignalMetrics,
		"opentelemetry.proto.collector.logs.v1.LogsService":       stream.SignalLogs,
	}
}

const exportMethod = "Export"

// raw is a message that stays bytes: the intake decodes it itself, so that both
// protocols share one path and a malformed message is InvalidArgument, not Internal.
type raw struct{ bytes []byte }

// rawCodec passes raw messages through and leaves all others to protobuf.
type rawCodec struct{ encoding.CodecV2 }

func (c rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	if r, ok := v.(*raw); ok {
		return mem.BufferSlice{mem.SliceBuffer(r.bytes)}, nil
	}
	return c.CodecV2.Marshal(v)
}

func (c rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if r, ok := v.(*raw); ok {
		r.bytes = data.Materialize()
		return nil
	}
	return c.CodecV2.Unmarshal(data, v)
}

// newGRPC builds the server; reflection is off.
func (s *Server) newGRPC() (*grpc.Server, *health.Server) {
	options := []grpc.ServerOption{
		grpc.ForceServerCodecV2(rawCodec{encoding.GetCodecV2("proto")}),
		grpc.MaxRecvMsgSize(s.cfg.MaxMessageBytes),
		grpc.MaxConcurrentStreams(uint32(s.cfg.MaxRequestsInFlight)),
		grpc.InTapHandle(s.tap),
		grpc.ConnectionTimeout(10 * time.Second),
		grpc.MaxHeaderListSize(64 << 10),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 5 * time.Minute, Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	}
	if s.grpcTLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(s.grpcTLS)))
	}
	compress.CloseWhile(func() bool { return s.held.Load() >= heldShare*s.cfg.MaxBytesInFlight })
	server := grpc.NewServer(options...)
	for name, signal := range grpcServices() {
		server.RegisterService(&grpc.ServiceDesc{
			ServiceName: name,
			HandlerType: (*any)(nil),
			Methods:     []grpc.MethodDesc{{MethodName: exportMethod, Handler: s.grpcHandler(signal)}},
		}, s)
	}
	h := health.NewServer()
	healthpb.RegisterHealthServer(server, checked{h})
	return server, h
}

// checked is asked for its health once. Who wants to watch it would hold a stream for ever without saying who they are; clients
// that are refused take the server for healthy.
type checked struct{ *health.Server }

// Watch implements healthpb.HealthServer.
func (checked) Watch(*healthpb.HealthCheckRequest, healthpb.Health_WatchServer) error {
	return status.Error(codes.Unimplemented, "ask Check")
}

// readers bounds how many messages may be on their way for each request that
// may be worked on.
const readers = 16

// tap refuses a request before its message is read when too many are worked on,
// or on their way. A message on its way holds no place among those that are worked on, and
// its stream ends when it does not arrive in time. gRPC ends the stream's
// context in every case, which gives the place back.
func (s *Server) tap(ctx context.Context, info *tap.Info) (context.Context, error) {
	service, _, _ := strings.Cut(strings.TrimPrefix(info.FullMethodName, "/"), "/")
	signal, ok := grpcServices()[service]
	if !ok { // health, or nothing of ours
		ctx, end := context.WithTimeout(ctx, time.Duration(s.cfg.BodyTimeout))
		context.AfterFunc(ctx, end)
		return ctx, nil
	}
	leave, err := s.pass(ctx, info, signal)
	if err != nil {
		return nil, err
	}
	to := s.serverOf(leave.Context)
	if to.quota.full() || !take(&to.quota.reading, 1, readers*to.quota.maxRequests) {
		leave.ended(http.StatusTooManyRequests)
		return nil, to.refuseGRPC(signal)
	}
	ctx, end := context.WithCancel(leave.Context)
	a := &arriving{Context: ctx, to: to, ended: leave.ended}
	a.timer = time.AfterFunc(time.Duration(s.cfg.BodyTimeout), func() {
		a.late.Store(true)
		to.intake.own.requests.WithLabelValues("grpc", signal, "slow_body").Inc()
		end()
	})
	context.AfterFunc(ctx, func() {
		a.timer.Stop()
		end()
		to.quota.reading.Add(-1)
		a.ended(http.StatusRequestTimeout) // of a message that never reached its handler
	})
	return a, nil
}

// arriving is the context of a message that has a time to arrive. When that is
// over the sender is told so, in a code that it may send the message again after.
type arriving struct {
	context.Context
	timer *time.Timer
	late  atomic.Bool
	to    *Server          // of its tenant
	ended func(status int) // tells the front
}

// Err implements context.Context.
func (a *arriving) Err() error {
	err := a.Context.Err()
	if err != nil && a.late.Load() {
		return context.DeadlineExceeded
	}
	return err
}

type arrivingKey struct{}

// Value implements context.Context.
func (a *arriving) Value(key any) any {
	if key == (arrivingKey{}) {
		return a
	}
	return a.Context.Value(key)
}

func (s *Server) refuseGRPC(signal string) error {
	err := overloaded(fmt.Sprintf("more than %d requests are in flight", s.cfg.MaxRequestsInFlight))
	s.intake.own.requests.WithLabelValues("grpc", signal, err.reason).Inc()
	return s.grpcError(err)
}

// heldShare is how many times the bytes that one tenant may have waiting all may together.
const heldShare = 2

// holds keeps the room that a message of a tenant takes until it is done: it stands in memory in full while it waits for its turn.
func (s *Server) holds(to *Server, signal string, message []byte) (release func(), err error) {
	n := int64(len(message))
	switch {
	case compress.Refused(message):
	case !take(&to.quota.waiting, n, to.quota.maxBytes):
	case !take(&s.held, n, heldShare*s.cfg.MaxBytesInFlight):
		to.quota.waiting.Add(-n)
	default:
		return func() { to.quota.waiting.Add(-n); s.held.Add(-n) }, nil
	}
	to.intake.own.requests.WithLabelValues("grpc", signal, "overloaded").Inc()
	crowded := overloaded(fmt.Sprintf("messages that have arrived and wait hold more than otlp.max_bytes_in_flight, %d bytes", to.cfg.MaxBytesInFlight))
	crowded.code = codes.ResourceExhausted
	return nil, s.grpcError(crowded)
}

func (s *Server) grpcHandler(signal string) grpc.MethodHandler {
	return func(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (_ any, err error) {
		var body raw
		err = dec(&body)
		to := s
		if a, ok := ctx.Value(arrivingKey{}).(*arriving); ok {
			to = a.to
			a.timer.Stop()
			defer func() { a.ended(statusOf(err)) }()
		}
		if err != nil {
			to.intake.own.requests.WithLabelValues("grpc", signal, "undecodable").Inc()
			return nil, err
		}
		release, err := s.holds(to, signal, body.bytes)
		if err != nil {
			return nil, err
		}
		defer release()
		leave, err := s.turnOf(ctx, signal)
		if err != nil {
			return nil, err
		}
		defer leave()
		if !to.quota.enter() {
			return nil, to.refuseGRPC(signal)
		}
		defer to.quota.leave()
		resp, err := to.serve(ctx, request{signal: signal, protocol: "grpc", tenant: to.tenantOf(grpcTenant(ctx)), body: body.bytes}, false)
		if err != nil {
			return nil, to.grpcError(err)
		}
		out, err := resp.MarshalProto()
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		return &raw{bytes: out}, nil
	}
}

func (s *Server) grpcError(err error) error {
	if errors.Is(err, context.Canceled) {
		return status.Error(codes.Canceled, err.Error())
	}
	return status.ErrorProto(asFailure(err).status(time.Duration(s.cfg.RetryAfter)))
}

// serverOf is the server of a request's tenant.
func (s *Server) serverOf(ctx context.Context) *Server {
	if s.of == nil {
		return s
	}
	return s.of(ctx)
}

// tenantOf is the tenant of what comes with a header; "" leaves it to the resources.
func (s *Server) tenantOf(header string) string {
	if s.home != "" {
		return string(s.home)
	}
	return header
}

func grpcTenant(ctx context.Context) string {
	if v := metadata.ValueFromIncomingContext(ctx, strings.ToLower(model.TenantHeader)); len(v) > 0 {
		return v[0]
	}
	return ""
}
