package front

import (
	"context"
	"net"
	"sync"
)

// Inner is a listener that this process alone can reach, without a network: for what we ask ourselves, whatever
// certificates and logins the ports for others demand.
type Inner struct {
	conns chan net.Conn
	done  chan struct{}
	close func()
}

// NewInner makes one; nobody is answered before a Port serves it.
func NewInner() *Inner {
	done := make(chan struct{})
	return &Inner{conns: make(chan net.Conn), done: done, close: sync.OnceFunc(func() { close(done) })}
}

// Dial connects to it.
func (l *Inner) Dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (l *Inner) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *Inner) Close() error {
	l.close()
	return nil
}

// Addr implements net.Listener.
func (l *Inner) Addr() net.Addr { return innerAddr{} }

type innerAddr struct{}

// Network implements net.Addr.
func (innerAddr) Network() string { return "inner" }

// String implements net.Addr.
func (innerAddr) String() string { return "inner" }
