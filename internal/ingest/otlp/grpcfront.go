package otlp

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
)

// Way is the front, for requests that do not come over HTTP; what is nil lets everybody.
type Way struct {
	Enter Enter
	// Turn waits until a tenant's message that has arrived may be worked on; see front.Front.Turn.
	Turn func(context.Context) (leave func(), refusal *front.Refusal)
}

// Enter asks who sends; see front.Front.Enter.
type Enter func(r *http.Request, needs access.Permission, info front.MountInfo) (ctx context.Context, done func(status int), refusal *front.Refusal)

// passed is the front's leave for a gRPC request; ended may be called more than once.
type passed struct {
	context.Context
	ended func(status int)
}

// pass asks the front who sends, before the message is read.
func (s *Server) pass(ctx context.Context, info *tap.Info, signal string) (*passed, error) {
	if s.way.Enter == nil {
		return &passed{Context: ctx, ended: func(int) {}}, nil
	}
	r := &http.Request{
		Method: http.MethodPost, Proto: "gRPC", URL: &url.URL{Path: info.FullMethodName}, Header: http.Header{}, Body: http.NoBody,
	}
	for name, values := range info.Header {
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
	if p, ok := peer.FromContext(ctx); ok {
		r.RemoteAddr = p.Addr.String()
		if t, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			r.TLS = &t.State
		}
	}
	ctx, done, refusal := s.way.Enter(r.WithContext(ctx), access.TelemetryWrite, front.MountInfo{Port: "otlp grpc", Pattern: info.FullMethodName})
	if refusal != nil {
		s.intake.own.requests.WithLabelValues("grpc", signal, refusal.Reason).Inc()
		return nil, status.Error(codeOf(refusal.Status), refusal.Message)
	}
	var once sync.Once
	return &passed{Context: ctx, ended: func(status int) { once.Do(func() { done(status) }) }}, nil
}

// turnOf waits until it is the turn of who sent a message.
func (s *Server) turnOf(ctx context.Context, signal string) (leave func(), err error) {
	if s.way.Turn == nil {
		return func() {}, nil
	}
	leave, refusal := s.way.Turn(ctx)
	if refusal == nil {
		return leave, nil
	}
	s.intake.own.requests.WithLabelValues("grpc", signal, refusal.Reason).Inc()
	return nil, s.grpcError(overloaded(refusal.Message))
}

// codeOf is gRPC's word for a refusal of the front.
func codeOf(status int) codes.Code {
	switch status {
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.NotFound
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	}
	return codes.InvalidArgument
}

// statusOf is HTTP's word for how a gRPC request ended, for the front.
func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	switch status.Code(err) {
	case codes.ResourceExhausted:
		return http.StatusTooManyRequests
	case codes.Unavailable:
		return http.StatusServiceUnavailable
	case codes.InvalidArgument:
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}
