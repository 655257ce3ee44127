package otlp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // senders compress with gzip by default
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

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
	server := grpc.NewServer(
		grpc.ForceServerCodecV2(rawCodec{encoding.GetCodecV2("proto")}),
		grpc.MaxRecvMsgSize(s.cfg.MaxMessageBytes),
		grpc.MaxConcurrentStreams(uint32(s.cfg.MaxRequestsInFlight)),
		grpc.InTapHandle(s.tap),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: 15 * time.Minute, Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	)
	for name, signal := range grpcServices() {
		server.RegisterService(&grpc.ServiceDesc{
			ServiceName: name,
			HandlerType: (*any)(nil),
			Methods:     []grpc.MethodDesc{{MethodName: exportMethod, Handler: s.grpcHandler(signal)}},
		}, s)
	}
	h := health.NewServer()
	healthpb.RegisterHealthServer(server, h)
	return server, h
}

// tap refuses a request before its message is read when too many are in flight.
// gRPC ends the stream's context in every case, which gives the place back.
func (s *Server) tap(ctx context.Context, info *tap.Info) (context.Context, error) {
	service, _, _ := strings.Cut(strings.TrimPrefix(info.FullMethodName, "/"), "/")
	signal, ok := grpcServices()[service]
	if !ok {
		return ctx, nil
	}
	if !s.gate.enter() {
		err := overloaded(fmt.Sprintf("more than %d requests are in flight", s.cfg.MaxRequestsInFlight))
		s.intake.own.requests.WithLabelValues("grpc", signal, err.reason).Inc()
		return nil, s.grpcError(err)
	}
	context.AfterFunc(ctx, s.gate.leave)
	return ctx, nil
}

func (s *Server) grpcHandler(signal string) grpc.MethodHandler {
	return func(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var body raw
		if err := dec(&body); err != nil {
			s.intake.own.requests.WithLabelValues("grpc", signal, "undecodable").Inc()
			return nil, err
		}
		resp, err := s.serve(ctx, request{signal: signal, protocol: "grpc", tenant: grpcTenant(ctx), body: body.bytes}, false)
		if err != nil {
			return nil, s.grpcError(err)
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

func grpcTenant(ctx context.Context) string {
	if v := metadata.ValueFromIncomingContext(ctx, strings.ToLower(model.TenantHeader)); len(v) > 0 {
		return v[0]
	}
	return ""
}
