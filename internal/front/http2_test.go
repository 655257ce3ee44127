package front

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frames is a connection over TLS whose frames no browser would send.
type frames struct {
	*http2.Framer
	conn net.Conn
}

// overTLS serves with a certificate for 127.0.0.1, and HTTP/2.
func overTLS(t *testing.T, change func(*Config), m Mount) (open func() *frames, get func() (int, error)) {
	t.Helper()
	issuing := httptest.NewTLSServer(nil)
	defer issuing.Close()
	roots := issuing.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	address, _ := serveOver(t, &tls.Config{Certificates: issuing.TLS.Certificates, MinVersion: tls.VersionTLS13}, change, Deps{}, m)
	open = func() *frames {
		t.Helper()
		conn, err := tls.Dial("tcp", address, &tls.Config{RootCAs: roots, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(time.Minute))
		_, _ = io.WriteString(conn, http2.ClientPreface)
		f := &frames{http2.NewFramer(conn, conn), conn}
		if err := f.WriteSettings(); err != nil {
			t.Fatal(err)
		}
		return f
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return open, func() (int, error) {
		resp, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Get("https://" + address + "/")
		if err != nil {
			return 0, err
		}
		return resp.ProtoMajor, resp.Body.Close()
	}
}

// head is a request's, with ended for one without a body.
func (f *frames) head(stream uint32, ended bool) error {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for _, h := range [][2]string{{":method", "POST"}, {":scheme", "https"}, {":path", "/"}, {":authority", "127.0.0.1"}} {
		_ = e.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
	}
	return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: ended})
}

// until reads frames until one is wanted, or the server ends the connection.
func (f *frames) until(t *testing.T, wanted func(http2.Frame) bool) {
	t.Helper()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			var network net.Error
			if errors.As(err, &network) && network.Timeout() {
				t.Error("the connection goes on")
			}
			return
		}
		if wanted(frame) {
			return
		}
	}
}

func closed(http2.Frame) bool { return false }

// What floods of frames cost is bounded by net/http: these are the bounds that we rely on. Others are served meanwhile.
func TestFloodsOverHTTP2AreEnded(t *testing.T) {
	var now, most atomic.Int64
	gate := make(chan struct{})
	open, get := overTLS(t, nil, Mount{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			return
		}
		defer now.Add(-1)
		for n := now.Add(1); n > most.Load(); {
			most.Store(n)
		}
		<-gate
	})})
	t.Cleanup(func() { close(gate) })
	serves := func(t *testing.T) {
		t.Helper()
		if proto, err := get(); err != nil || proto != 2 {
			t.Errorf("beside it: HTTP/%d, %v", proto, err)
		}
	}
	t.Run("requests that are reset at once", func(t *testing.T) {
		f := open()
		go func() {
			for stream := uint32(1); stream < 20_000; stream += 2 {
				if f.head(stream, true) != nil || f.WriteRSTStream(stream, http2.ErrCodeCancel) != nil {
					return
				}
			}
		}()
		f.until(t, closed)
		if most.Load() > 250 {
			t.Errorf("%d handlers at once", most.Load())
		}
		serves(t)
	})
	t.Run("a head that never ends", func(t *testing.T) {
		f := open()
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}})
		var field bytes.Buffer
		_ = hpack.NewEncoder(&field).WriteField(hpack.HeaderField{Name: "x", Value: string(make([]byte, 8<<10)), Sensitive: true})
		go func() {
			for f.WriteContinuation(1, false, field.Bytes()) == nil {
			}
		}()
		f.until(t, closed)
		serves(t)
	})
	t.Run("pings whose answers nobody reads", func(t *testing.T) {
		f := open()
		ended := false
		for range 2_000_000 { // 34 MB of answers, which no buffer of a connection takes
			if ended = f.WritePing(false, [8]byte{}) != nil; ended {
				break
			}
		}
		if !ended {
			t.Error("the connection goes on")
		}
		serves(t)
	})
	t.Run("settings", func(t *testing.T) { // one answer stands for all that came meanwhile, so that none pile up
		f := open()
		for range 50_000 {
			if f.WriteSettings() != nil {
				break
			}
		}
		serves(t)
	})
}

// A stream whose body does not come is answered; then the connection takes no more of them, and ends.
func TestIdleStreamsOverHTTP2End(t *testing.T) {
	open, get := overTLS(t, func(c *Config) { c.BodyTimeout = model.Duration(50 * time.Millisecond) }, Mount{})
	f := open()
	go func() {
		for stream := uint32(1); stream < 200 && f.head(stream, false) == nil; stream += 2 {
		}
	}()
	answered, last := map[uint32]bool{}, uint32(0)
	f.until(t, func(frame http2.Frame) bool {
		switch frame := frame.(type) {
		case *http2.HeadersFrame:
			answered[frame.StreamID] = true
		case *http2.GoAwayFrame:
			last = frame.LastStreamID
		}
		return false
	})
	for stream := uint32(1); stream <= last; stream += 2 {
		if !answered[stream] {
			t.Errorf("stream %d of %d was not answered", stream, last)
		}
	}
	if last == 0 {
		t.Error("the connection did not say that it ends")
	}
	if _, err := get(); err != nil {
		t.Error(err)
	}
}

// A connection on which nothing is asked is closed.
func TestIdleConnectionsOverHTTP2End(t *testing.T) {
	open, _ := overTLS(t, func(c *Config) { c.IdleTimeout = model.Duration(50 * time.Millisecond) }, Mount{})
	open().until(t, closed)
}
