package front

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
)

// pipes listens for connections within the process, which a test's clock rules.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours, nil
}

// web.body_timeout is for bodies. A client that sent its request and waits for the answer is asked nothing more, however
// long that takes: its request goes on.
func TestAClientThatWaitsIsNotTakenForOneThatLeft(t *testing.T) {
	for name, body := range map[string]string{"no body": "", "a body": "{}"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := DefaultConfig()
				f, err := New(cfg, Deps{Registerer: prometheus.NewPedanticRegistry()})
				if err != nil {
					t.Fatal(err)
				}
				p := f.Port("test")
				p.Mount("/", Mount{Needs: Always(access.Anybody), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-r.Context().Done():
						http.Error(w, context.Cause(r.Context()).Error(), http.StatusTeapot)
					case <-time.After(100 * time.Duration(cfg.BodyTimeout)):
						_, _ = io.WriteString(w, "answered")
					}
				})})
				ln := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- p.Serve(ctx, ln, Serving{Drain: time.Second}) }()
				way := &http.Transport{DialContext: ln.dial}
				for range 2 { // the second on the same connection
					req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/", strings.NewReader(body))
					if err != nil {
						t.Fatal(err)
					}
					resp, err := way.RoundTrip(req)
					if err != nil {
						t.Fatal(err)
					}
					text, err := io.ReadAll(resp.Body)
					if err != nil || resp.StatusCode != http.StatusOK {
						t.Errorf("%d %s %v", resp.StatusCode, text, err)
					}
					_ = resp.Body.Close()
				}
				way.CloseIdleConnections()
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
