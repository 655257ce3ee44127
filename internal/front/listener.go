package front

import (
	"net"
	"net/netip"
	"sync"
)

// Listener bounds the connections of what does not speak HTTP/1, such as gRPC:
// over web.max_connections, or those of its address, a new one is closed at once, because only the protocol knows
// which of the others are idle.
func (f *Front) Listener(port string, ln net.Listener) net.Listener {
	if ln == nil {
		return nil
	}
	return &boundListener{Listener: ln, f: f, port: port, from: f.newOrigins()}
}

type boundListener struct {
	net.Listener
	f    *Front
	port string

	mu   sync.Mutex
	open int
	from *origins
}

// Accept implements net.Listener.
func (l *boundListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		at := l.from.of(conn)
		within, alone := l.change(at, 1)
		if within && alone {
			return &boundConn{Conn: conn, closed: sync.OnceFunc(func() { l.change(at, -1) })}, nil
		}
		l.change(at, -1)
		if !alone {
			l.f.met.crowding.WithLabelValues(l.port).Inc()
		} else {
			l.f.met.evicted.WithLabelValues(l.port).Inc()
		}
		_ = conn.Close() // nothing was said on it
	}
}

// change counts connections and says whether they are within the bound of all, and within that of their address.
func (l *boundListener) change(at netip.Addr, by int) (within, alone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open += by
	l.f.met.connections.WithLabelValues(l.port).Set(float64(l.open))
	return l.open <= l.f.cfg.MaxConnections, l.from.change(at, by)
}

type boundConn struct {
	net.Conn
	closed func()
}

// Close implements net.Conn.
func (c *boundConn) Close() error {
	c.closed()
	return c.Conn.Close()
}
