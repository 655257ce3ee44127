package front

import (
	"net"
	"net/http"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// from is a connection of an address.
type from struct {
	net.Conn
	at     net.Addr
	closed bool
}

func connectedFrom(address string) *from {
	return &from{at: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))}
}

func (c *from) RemoteAddr() net.Addr { return c.at }
func (c *from) Close() error         { c.closed = true; return nil }

// accepts hands connections on one after another.
type accepts struct {
	net.Listener
	list []net.Conn
}

func (a *accepts) Accept() (net.Conn, error) {
	if len(a.list) == 0 {
		return nil, net.ErrClosed
	}
	next := a.list[0]
	a.list = a.list[1:]
	return next, nil
}

func originsFront(t *testing.T) *Front {
	t.Helper()
	cfg := DefaultConfig()
	cfg.MaxConnections, cfg.MaxConnectionsPerAddress, cfg.TrustedProxies = 100, 2, []string{"10.0.0.0/8"}
	f, err := New(cfg, Deps{Registerer: prometheus.NewPedanticRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// One address has its own idle connections closed, and nobody else's; proxies that are trusted and our own machine are not counted.
func TestOneAddressDoesNotTakeAllConnections(t *testing.T) {
	f := originsFront(t)
	c := newConnections(f.cfg.MaxConnections, f.newOrigins(), f.met, "web")
	open := func(address string) *from {
		conn := connectedFrom(address)
		c.changed(conn, http.StateNew)
		return conn
	}
	idle := open("192.0.2.9:1")
	busy, waits := open("192.0.2.1:1"), open("192.0.2.1:2")
	c.changed(busy, http.StateActive)
	third := open("192.0.2.1:3")
	if !waits.closed || busy.closed || third.closed || idle.closed {
		t.Errorf("the one that waits %v, the one at work %v, the new one %v, another's %v", waits.closed, busy.closed, third.closed, idle.closed)
	}
	c.changed(waits, http.StateClosed)
	c.changed(third, http.StateActive)
	if fourth := open("192.0.2.1:4"); !fourth.closed {
		t.Error("one too many, while the others are at work, is served")
	} else {
		c.changed(fourth, http.StateClosed)
	}
	c.changed(third, http.StateClosed)
	c.changed(third, http.StateClosed) // told twice
	if fifth := open("[::ffff:192.0.2.1]:5"); fifth.closed {
		t.Error("what was closed still counts")
	}
	if sixth := open("192.0.2.1:6"); c.from.open[netip.MustParseAddr("192.0.2.1")] != 3 || sixth.closed {
		t.Errorf("%v", c.from.open)
	}
	for _, free := range []string{"127.0.0.1", "[::1]", "10.1.2.3"} {
		for range 10 {
			if open(free + ":1").closed {
				t.Errorf("%s is bounded", free)
			}
		}
	}
	var last *from
	for _, one := range []string{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1"} {
		last = open(one)
	}
	if got := testutil.ToFloat64(f.met.crowding.WithLabelValues("web")); got != 4 || last.closed {
		t.Errorf("%v were closed", got)
	}
}

func TestOneAddressDoesNotTakeAllConnectionsOfAnotherProtocol(t *testing.T) {
	f := originsFront(t)
	a, b, other := connectedFrom("192.0.2.1:1"), connectedFrom("192.0.2.1:2"), connectedFrom("192.0.2.7:1")
	many := connectedFrom("192.0.2.1:3")
	inner := &accepts{list: []net.Conn{a, b, many, other}}
	ln := f.Listener("grpc", inner)
	var got []net.Conn
	for {
		conn, err := ln.Accept()
		if err != nil {
			break
		}
		got = append(got, conn)
	}
	if len(got) != 3 || !many.closed || other.closed {
		t.Errorf("%d connections; the one too many closed: %v", len(got), many.closed)
	}
	_ = got[0].Close()
	inner.list = []net.Conn{connectedFrom("192.0.2.1:4")}
	if _, err := ln.Accept(); err != nil {
		t.Error("what was closed still counts")
	}
	if n := testutil.ToFloat64(f.met.crowding.WithLabelValues("grpc")); n != 1 {
		t.Errorf("%v were closed", n)
	}
}
