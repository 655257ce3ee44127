package outgoing

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// literal bounds answers, and refuses what is plain from the URL already. With a proxy it is all that we see of where a request goes: the
// proxy resolves names itself.
type literal struct {
	next  http.RoundTripper
	guard *Guard
}

// RoundTrip implements http.RoundTripper.
func (l *literal) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := l.guard.CheckHost(r.URL.Hostname()); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // nothing of it was read
		}
		return nil, err
	}
	resp, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	return l.guard.bounded(resp)
}

// CloseIdleConnections is there for http.Client, which looks for it.
func (l *literal) CloseIdleConnections() {
	if c, ok := l.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// CheckHost refuses the host of a URL that is an address which may not be reached, or the name of one.
func (g *Guard) CheckHost(host string) error {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if a, err := netip.ParseAddr(host); err == nil {
		return g.Check(a)
	}
	switch host {
	case "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal":
		return g.Check(netip.MustParseAddr("169.254.169.254"))
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last != "" && strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		// 2852039166, 0xa9fea9fe and 169.254.43518 are addresses to some resolvers.
		return fmt.Errorf("%q is an address in a form of old: write it as four numbers", host)
	}
	return nil
}
