package front

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// maxHeaderBytes bounds a request's head; long questions are sent as POST.
const maxHeaderBytes = 256 << 10

// Serving is how a port is served.
type Serving struct {
	// TLS is nil for plain HTTP.
	TLS *tls.Config
	// Drain is how long a stop waits for requests on their way.
	Drain time.Duration
	// EndRequests ends the requests' contexts at once when the port stops: for
	// answers that otherwise never end.
	EndRequests bool
}

// Serve answers on ln until ctx ends, then refuses new connections and waits
// for the requests on their way.
func (p *Port) Serve(ctx context.Context, ln net.Listener, o Serving) error {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	srv := p.server(requests, o)
	done := make(chan error, 1)
	go func() {
		if o.TLS != nil {
			done <- srv.ServeTLS(ln, "", "")
			return
		}
		done <- srv.Serve(ln)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	if o.EndRequests {
		cancel()
	}
	within, stop := context.WithTimeout(context.WithoutCancel(ctx), o.Drain)
	defer stop()
	err := srv.Shutdown(within)
	if errors.Is(err, context.DeadlineExceeded) {
		p.f.log.Warn("requests were cut off by the stop", "port", p.name)
		err = srv.Close()
	}
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func (p *Port) server(requests context.Context, o Serving) *http.Server {
	return &http.Server{
		Handler:           p,
		TLSConfig:         o.TLS,
		ReadHeaderTimeout: time.Duration(p.f.cfg.HeaderTimeout),
		IdleTimeout:       time.Duration(p.f.cfg.IdleTimeout),
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ConnState:         newConnections(p.f.cfg.MaxConnections, p.f.newOrigins(), p.f.met, p.name).changed,
		ErrorLog:          slog.NewLogLogger(p.f.log.Handler(), slog.LevelDebug),
	}
}

// connections bounds the connections of a port. Over the bound it closes the one
// that has waited longest without a request under way: a request is never cut off.
type connections struct {
	max  int
	met  *instruments
	port string

	mu      sync.Mutex
	open    map[net.Conn]*list.Element // nil while a request is under way
	waiting *list.List                 // of net.Conn, longest first
	from    *origins
}

func newConnections(limit int, from *origins, met *instruments, port string) *connections {
	return &connections{max: limit, from: from, met: met, port: port, open: map[net.Conn]*list.Element{}, waiting: list.New()}
}

// changed is the server's ConnState.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.open[conn]; e != nil {
		c.waiting.Remove(e)
	}
	switch state {
	case http.StateNew:
		c.open[conn] = c.waiting.PushBack(conn)
		if at := c.from.of(conn); !c.from.change(at, 1) {
			c.evict(c.longest(at), c.met.crowding)
		} else if len(c.open) > c.max {
			c.evict(c.waiting.Front(), c.met.evicted)
		}
	case http.StateActive:
		c.open[conn] = nil
	case http.StateIdle:
		_ = conn.SetWriteDeadline(time.Time{}) // the last answer's; a closed connection needs none
		c.open[conn] = c.waiting.PushBack(conn)
	case http.StateClosed, http.StateHijacked:
		if _, known := c.open[conn]; known {
			c.from.change(c.from.of(conn), -1)
		}
		delete(c.open, conn)
	}
	c.met.connections.WithLabelValues(c.port).Set(float64(len(c.open)))
}

// longest is the connection of an address that has waited longest; the one that is new waits, too.
func (c *connections) longest(at netip.Addr) *list.Element {
	for e := c.waiting.Front(); e != nil; e = e.Next() {
		if conn, ok := e.Value.(net.Conn); ok && c.from.of(conn) == at {
			return e
		}
	}
	return c.waiting.Back()
}

// evict closes one that waits.
func (c *connections) evict(e *list.Element, counted *prometheus.CounterVec) {
	conn := e.Value.(net.Conn)
	c.waiting.Remove(e)
	c.open[conn] = nil
	counted.WithLabelValues(c.port).Inc()
	_ = conn.Close() // the server notices and reports it closed
}
