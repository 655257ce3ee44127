package otlp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// hostile is a connection whose frames no client would send.
type hostile struct {
	*http2.Framer
	conn net.Conn
	next uint32 // stream
}

func (tb *testbed) hostile(t *testing.T) *hostile {
	t.Helper()
	conn, err := net.Dial("tcp", tb.GRPCAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	h := &hostile{http2.NewFramer(conn, conn), conn, 1}
	if err := h.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return h
}

// open begins a call whose message does not come.
func (h *hostile) open(method string) error {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for _, f := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", method}, {":authority", "x"}, {"content-type", "application/grpc"}, {"te", "trailers"}} {
		_ = e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	defer func() { h.next += 2 }()
	return h.WriteHeaders(http2.HeadersFrameParam{StreamID: h.next, BlockFragment: block.Bytes(), EndHeaders: true})
}

// ended reads until the server ends the connection.
func (h *hostile) ended(t *testing.T) {
	t.Helper()
	for {
		if _, err := h.ReadFrame(); err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				t.Error("the connection goes on")
			}
			return
		}
	}
}

// What sends frames rather than messages is cut off, or costs no more than its connection; others are served beside it.
func TestFloodsOfFramesHoldNobodyUp(t *testing.T) {
	tb := start(t, func(c *Config) { c.MaxRequestsInFlight = 4 })
	serves := func(what string) {
		t.Helper()
		if err := exportRaw(t, tb.dial(t), protoBody(t, logRequest("beside "+what))); err != nil {
			t.Errorf("beside %s: %v", what, err)
		}
	}
	t.Run("streams that are reset at once", func(t *testing.T) {
		h := tb.hostile(t)
		go func() { _, _ = io.Copy(io.Discard, h.conn) }()
		for range 5000 {
			stream := h.next
			if h.open(logsExport) != nil || h.WriteRSTStream(stream, http2.ErrCodeCancel) != nil {
				break
			}
			if held := tb.quota.reading.Load(); held > 4*readers {
				t.Fatalf("%d places are held", held)
			}
		}
		serves("resets")
		_ = h.conn.Close()
		for begun := time.Now(); tb.quota.reading.Load() != 0; runtime.Gosched() {
			if time.Since(begun) > time.Minute {
				t.Fatalf("%d places were not given back", tb.quota.reading.Load())
			}
		}
	})
	t.Run("a head that never ends", func(t *testing.T) {
		h := tb.hostile(t)
		if err := h.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}}); err != nil {
			t.Fatal(err)
		}
		var field bytes.Buffer
		_ = hpack.NewEncoder(&field).WriteField(hpack.HeaderField{Name: "x", Value: string(make([]byte, 8<<10)), Sensitive: true})
		go func() {
			for h.WriteContinuation(1, false, field.Bytes()) == nil {
			}
		}()
		h.ended(t)
		serves("a head")
	})
	t.Run("pings", func(t *testing.T) {
		h := tb.hostile(t)
		go func() {
			for h.WritePing(false, [8]byte{}) == nil {
			}
		}()
		h.ended(t)
		serves("pings")
	})
	t.Run("settings whose answers nobody reads", func(t *testing.T) {
		h := tb.hostile(t)
		_ = h.conn.SetWriteDeadline(time.Now().Add(time.Second)) // the server stops reading before that, or not
		for range 200_000 {
			if h.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}) != nil {
				break
			}
		}
		serves("settings")
	})
	t.Run("more streams than may be", func(t *testing.T) {
		h := tb.hostile(t)
		go func() {
			for range 1000 {
				if h.open("/grpc.health.v1.Health/Check") != nil {
					return
				}
			}
		}()
		for refused := false; !refused; {
			f, err := h.ReadFrame()
			if err != nil {
				break // it was cut off
			}
			_, refused = f.(*http2.RSTStreamFrame)
		}
		serves("streams")
	})
}

// Nobody has to say who they are to ask for health, so asking takes no longer than a message may take to arrive.
func TestAskingForHealthHoldsNoStream(t *testing.T) {
	tb := start(t, func(c *Config) { c.BodyTimeout = model.Duration(time.Second) })
	watch, err := healthpb.NewHealthClient(tb.dial(t)).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := watch.Recv(); status.Code(err) != codes.Unimplemented {
		t.Errorf("watching: %v", err)
	}
	s, err := tb.dial(t).NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, "/grpc.health.v1.Health/Check")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RecvMsg(&healthpb.HealthCheckResponse{}); status.Code(err) == codes.OK {
		t.Error("it was answered without a question")
	}
}
