package outgoing

import (
	"context"
	"net/http/httptrace"
	"net/netip"
)

// Watch guards the requests of a context where a library makes its client itself and takes no dial function. A connection to
// an address that may not be reached is closed before a request is written to it: the address is connected to, and nothing is
// sent there, beside the greeting of TLS. stop frees what watches.
func (g *Guard) Watch(ctx context.Context) (watched context.Context, stop context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	check := func(address string) error {
		at, notIP := netip.ParseAddrPort(address)
		if notIP == nil { // otherwise a Unix socket
			if err := g.Check(at.Addr()); err != nil {
				cancel(err)
				return err
			}
		}
		return nil
	}
	trace := &httptrace.ClientTrace{
		ConnectStart: func(_, address string) { _ = check(address) },
		GotConn: func(info httptrace.GotConnInfo) {
			if check(info.Conn.RemoteAddr().String()) != nil {
				_ = info.Conn.Close() // what is written to it now fails
			}
		},
	}
	return httptrace.WithClientTrace(ctx, trace), func() { cancel(nil) }
}
