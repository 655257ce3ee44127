package otlp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/storage"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/compress"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/metrics"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/repeats"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/wire"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// Deps is what the intake needs.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil registers nothing
	Sink       stream.Sink           // takes logs and spans
	Admitter   stream.Admitter       // decides on logs and spans
	Appendable storage.AppendableV2  // takes metrics, admission included
	Ledger     stream.Counter        // nil keeps none
	// AppendableCounts says that Appendable writes to the ledger what reaches it,
	// so that the intake adds only what is refused before.
	AppendableCounts bool
	// Home is the tenant of all that comes; "" leaves it to the header and the resources.
	Home model.Home
	// Of answers the server of the request's tenant, which has its own limits and stores; nil is this one for all.
	Of func(context.Context) *Server
	// HTTP is where OTLP/HTTP's own listener is mounted; nil makes one of defaults.
	HTTP *front.Port
	// Way is how what comes over gRPC comes in.
	Way Way
	// GRPCListener and HTTPListener are open already; nil opens the addresses of
	// the Config.
	GRPCListener, HTTPListener net.Listener
	// GRPCTLS and HTTPTLS serve the listeners over TLS; nil serves plain text.
	GRPCTLS, HTTPTLS *tls.Config
}

// Server is the OTLP intake: an http.Handler, and two listeners while Run runs.
type Server struct {
	cfg    Config
	log    *slog.Logger
	intake *intake
	quota  *quota
	held   atomic.Int64 // bytes of gRPC messages that have arrived, of all tenants
	port   *front.Port
	way    Way
	home   model.Home
	of     func(context.Context) *Server

	grpcListener, httpListener net.Listener
	grpcTLS, httpTLS           *tls.Config
}

// New checks and connects; it listens to nothing yet.
func New(cfg Config, d Deps) (*Server, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("otlp: %w", err)
	}
	if d.Sink == nil || d.Admitter == nil || d.Appendable == nil {
		return nil, errors.New("otlp: sink, admitter and appendable must be given")
	}
	// Here and not where the server runs: clients in this process read gRPC's table without a lock.
	compress.RegisterGRPC()
	d.Logger = instrument.Logger(d.Logger)
	if d.Ledger == nil {
		d.Ledger = noLedger{}
	}
	q := newQuota(cfg)
	own, err := newInstruments(d.Registerer, q)
	if err != nil {
		return nil, err
	}
	translator, err := metrics.New(metrics.Config{
		MaxDeltaStreams: cfg.MaxDeltaStreams, Promote: cfg.PromoteResourceAttributes, Strategy: cfg.TranslationStrategy, Home: d.Home,
	}, d.Logger, metrics.Collisions{Senders: own.collisions, Metrics: own.oneName})
	if err != nil {
		return nil, fmt.Errorf("otlp: %w", err)
	}
	in := &intake{
		sink: d.Sink, admit: d.Admitter, appendable: d.Appendable, ledger: d.Ledger, counted: d.AppendableCounts,
		own: own, now: time.Now, wire: wire.NewReader(), translator: translator, seed: maphash.MakeSeed(), spans: repeats.NewSpans(time.Now), batches: repeats.NewBatches[answer](time.Now),
	}
	s := &Server{cfg: cfg, log: d.Logger, intake: in, quota: q, port: d.HTTP, way: d.Way, of: d.Of, home: d.Home, grpcListener: d.GRPCListener, httpListener: d.HTTPListener, grpcTLS: d.GRPCTLS, httpTLS: d.HTTPTLS}
	if s.port == nil {
		f, err := front.New(front.DefaultConfig(), front.Deps{Logger: d.Logger})
		if err != nil {
			return nil, fmt.Errorf("otlp: %w", err)
		}
		s.port = f.Port("otlp")
	}
	s.port.Mount("/", s.Mount())
	return s, nil
}

// serve runs one request of either protocol and counts its result. The HTTP
// side reserves the bytes while it reads, the gRPC side has them already.
func (s *Server) serve(ctx context.Context, r request, reserved bool) (answer, error) {
	own := s.intake.own
	own.bytes.WithLabelValues(r.protocol, r.signal).Add(float64(len(r.body)))
	resp, err := s.reserveAndExport(ctx, r, reserved)
	result := "ok"
	if err != nil {
		f := asFailure(err)
		result = f.reason
		if f.reason == "store_error" {
			s.log.Error("otlp request could not be kept", "signal", r.signal, "err", err)
		}
	}
	own.requests.WithLabelValues(r.protocol, r.signal, result).Inc()
	return resp, err
}

func (s *Server) reserveAndExport(ctx context.Context, r request, reserved bool) (answer, error) {
	if !reserved {
		n := int64(len(r.body))
		if !s.quota.reserve(n) {
			return nil, overloaded(fmt.Sprintf("requests in flight hold more than %d bytes", s.cfg.MaxBytesInFlight))
		}
		defer s.quota.free(n)
	}
	return s.intake.export(ctx, r)
}

// Listen opens the listeners, so that a port that is taken is known before
// anything runs and GRPCAddr and HTTPAddr can be asked. Run calls it if nobody did.
func (s *Server) Listen() error {
	var listen net.ListenConfig
	open := func(dst *net.Listener, what, address string) error {
		if address == "" || *dst != nil {
			return nil
		}
		l, err := listen.Listen(context.Background(), "tcp", address)
		if err != nil {
			return fmt.Errorf("otlp %s: %w", what, err)
		}
		*dst = l
		return nil
	}
	if err := open(&s.grpcListener, "grpc", s.cfg.GRPCAddress); err != nil {
		return err
	}
	if err := open(&s.httpListener, "http", s.cfg.HTTPAddress); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// GRPCAddr is where OTLP/gRPC listens, nil before Listen.
func (s *Server) GRPCAddr() net.Addr { return addrOf(s.grpcListener) }

// HTTPAddr is where OTLP/HTTP listens, nil before Listen.
func (s *Server) HTTPAddr() net.Addr { return addrOf(s.httpListener) }

func addrOf(l net.Listener) net.Addr {
	if l == nil {
		return nil
	}
	return l.Addr()
}

// Close frees listeners that Run never got to serve.
func (s *Server) Close() error {
	var errs []error
	for _, l := range []net.Listener{s.grpcListener, s.httpListener} {
		if l == nil {
			continue
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Run serves both protocols until ctx is done, then refuses new requests and
// waits up to Config.DrainTimeout for those in flight.
func (s *Server) Run(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	if err := s.intake.translator.Start(ctx); err != nil {
		return fmt.Errorf("start delta sums: %w", err)
	}
	defer s.stopDeltas()
	grpcServer, healthServer := s.newGRPC()
	failed := make(chan error, 2)
	var wg sync.WaitGroup
	if s.grpcListener != nil {
		wg.Go(func() { failed <- grpcServer.Serve(s.grpcListener) })
	}
	stopping, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if s.httpListener != nil {
		wg.Go(func() {
			failed <- s.port.Serve(stopping, s.httpListener, front.Serving{TLS: s.httpTLS, Drain: time.Duration(s.cfg.DrainTimeout)})
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		if err != nil {
			err = fmt.Errorf("serve otlp: %w", err)
		}
	}
	healthServer.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	stop()
	s.drain(grpcServer)
	wg.Wait()
	return err
}

func (s *Server) stopDeltas() {
	if err := s.intake.translator.Shutdown(context.Background()); err != nil {
		s.log.Error("stop delta sums", "err", err)
	}
}

// drain stops gRPC gracefully first, then for good.
func (s *Server) drain(grpcServer *grpc.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.cfg.DrainTimeout))
	defer cancel()
	cut := context.AfterFunc(ctx, grpcServer.Stop)
	grpcServer.GracefulStop()
	cut()
}
