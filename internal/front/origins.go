package front

import (
	"net"
	"net/netip"
)

// origins counts the connections of a port by where they come from. Whoever uses it holds the lock of the port's connections.
type origins struct {
	max  int
	free func(netip.Addr) bool // who may have any number
	open map[netip.Addr]int
}

// newOrigins makes one for a port. A trusted proxy's connections are of everybody, and loopback's are our own machine's.
func (f *Front) newOrigins() *origins {
	return &origins{
		max: f.cfg.MaxConnectionsPerAddress, open: map[netip.Addr]int{},
		free: func(a netip.Addr) bool { return a.IsLoopback() || f.before.trust(a) },
	}
}

// of is who counts for a connection; none for who may have any number. A host of IPv6 has a network to choose addresses from.
func (o *origins) of(conn net.Conn) (none netip.Addr) {
	at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return none
	}
	addr := at.Addr().Unmap().WithZone("")
	if o.free(addr) {
		return none
	}
	if addr.Is6() {
		addr = netip.PrefixFrom(addr, 64).Masked().Addr()
	}
	return addr
}

// change counts and says whether an address has no more than it may.
func (o *origins) change(at netip.Addr, by int) bool {
	if !at.IsValid() {
		return true
	}
	if o.open[at] += by; o.open[at] <= 0 {
		delete(o.open, at)
	}
	return o.open[at] <= o.max
}
