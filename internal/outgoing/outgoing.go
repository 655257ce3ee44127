// Package outgoing is the one way out over HTTP: every client that Signalbox makes is made here, and none reaches an
// address that would give a machine's credentials away.
//
// It knows nothing of what is asked. In: an HTTPClientConfig in Prometheus' own words (tls_config, authorization,
// basic_auth, oauth2, proxy_url, http_headers) and the section `outgoing`. Out: clients and dial functions.
//
// Invariants: an address is judged after names were resolved and before anything is sent, at each connection, so that neither a name
// that changes its meaning nor a redirect gets around it. A Guard is never changed and needs no lock. Start reading at
// Guard.Check, then Guard.Client.
package outgoing

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	promconfig "github.com/prometheus/common/config"
)

// Config is the section `outgoing`.
type Config struct {
	// Allow are networks or addresses that may be reached although they are refused by themselves: link-local ones with the
	// metadata services of clouds, multicast, unspecified.
	Allow []string `yaml:"allow"`
	// Deny are networks or addresses that nothing reaches, such as 10.0.0.0/8; `allow` takes exceptions from them.
	Deny []string `yaml:"deny"`
	// MaxAnswerBytes bounds what is read of one answer, after decompression: of discovery, receivers, identity providers and whatever else we
	// call; 0 is 64 MiB. Targets have body_size_limit.
	MaxAnswerBytes int64 `yaml:"max_answer_bytes"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	_, errsA := prefixes("allow", c.Allow)
	_, errsD := prefixes("deny", c.Deny)
	if n := c.MaxAnswerBytes; n != 0 && n < 1<<20 {
		errsD = append(errsD, fmt.Errorf("max_answer_bytes: must be at least 1048576, or 0 for %d, got %d", defaultAnswer, n))
	}
	return append(errsA, errsD...)
}

func prefixes(field string, texts []string) (out []netip.Prefix, errs []error) {
	for i, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			var a netip.Addr
			if a, err = netip.ParseAddr(text); err == nil {
				p, err = a.Prefix(a.BitLen())
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %q: give a network or an address, such as 10.0.0.0/8 or fd00::1", field, i, text))
			continue
		}
		out = append(out, p.Masked())
	}
	return out, errs
}

// Guard decides which addresses may be reached, and how much is read of an answer; a nil one by the defaults.
type Guard struct {
	allow, deny []netip.Prefix
	most        int64
}

// New makes a guard of a section that Validate has passed; what it has not is left out.
func New(cfg Config) *Guard {
	g := &Guard{most: cfg.MaxAnswerBytes}
	g.allow, _ = prefixes("", cfg.Allow)
	g.deny, _ = prefixes("", cfg.Deny)
	return g
}

// RefusedError is an address that may not be reached.
type RefusedError struct{ Address, Why string }

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s is not reached: it is %s; where it is meant, name it in outgoing.allow", e.Address, e.Why)
}

// Check refuses an address.
func (g *Guard) Check(a netip.Addr) error {
	if g == nil {
		g = &Guard{}
	}
	for _, one := range meanings(a) {
		if contains(g.allow, one) {
			continue
		}
		why := unsafe(one)
		if why == "" && contains(g.deny, one) {
			why = "in a network of outgoing.deny"
		}
		if why != "" {
			return &RefusedError{a.String(), why}
		}
	}
	return nil
}

func contains(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// meanings are the addresses that one may stand for: an IPv4 address inside one of IPv6 is reached through translators
// (RFC 6052, 8215), tunnels (RFC 3056) and old stacks (RFC 4291).
func meanings(a netip.Addr) []netip.Addr {
	a = a.Unmap().WithZone("")
	out := []netip.Addr{a}
	if a.Is4() {
		return out
	}
	b := a.As16()
	switch {
	case netip.MustParsePrefix("64:ff9b::/96").Contains(a), netip.MustParsePrefix("64:ff9b:1::/48").Contains(a), netip.MustParsePrefix("::/96").Contains(a) && !a.IsLoopback() && !a.IsUnspecified():
		out = append(out, netip.AddrFrom4([4]byte(b[12:])))
	case netip.MustParsePrefix("2002::/16").Contains(a):
		out = append(out, netip.AddrFrom4([4]byte(b[2:6])))
	}
	return out
}

// metadata are services that give a cloud machine's credentials to whoever asks from it, beside those that are link-local.
func metadata() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("fd00:ec2::/32"),      // AWS
		netip.MustParsePrefix("fd20:ce::/32"),       // Google
		netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
		netip.MustParsePrefix("168.63.129.16/32"),   // Azure
		netip.MustParsePrefix("192.0.0.192/32"),     // Oracle
	}
}

// unsafe says why an address is nobody's target, "" if it may be one.
func unsafe(a netip.Addr) string {
	switch {
	case a.IsUnspecified(), netip.MustParsePrefix("0.0.0.0/8").Contains(a):
		return "unspecified"
	case a.IsLinkLocalUnicast():
		return "link-local, where clouds give credentials away"
	case a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "multicast or broadcast"
	case contains(metadata(), a):
		return "a metadata service, where clouds give credentials away"
	}
	return ""
}

// DialContext connects to an address that may be reached.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second, ControlContext: g.control}
	return d.DialContext(ctx, network, address)
}

// control is called with every address that a name stands for, before it is connected to.
func (g *Guard) control(_ context.Context, network, address string, _ syscall.RawConn) error {
	if strings.HasPrefix(network, "unix") {
		return nil
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%s is no address: %w", address, err)
	}
	return g.Check(at.Addr())
}

// Client makes a client of a configuration in Prometheus' own words, nil for none. name is that of its purpose.
func (g *Guard) Client(cfg *promconfig.HTTPClientConfig, name string) (*http.Client, error) {
	if cfg == nil {
		return &http.Client{Transport: g.Transport()}, nil
	}
	c, err := promconfig.NewClientFromConfig(*cfg, name, promconfig.WithDialContextFunc(g.DialContext))
	if err != nil {
		return nil, err
	}
	c.Transport = &literal{c.Transport, g}
	return c, nil
}

// Transport is how requests go out that need neither certificate nor credentials of their own.
func (g *Guard) Transport() http.RoundTripper {
	return &literal{&http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: g.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConns: 100, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
	}, g}
}

// CheckName refuses a host of whose addresses one may not be reached. A name that cannot be resolved passes: whoever connects says so.
func (g *Guard) CheckName(ctx context.Context, host string) error {
	if err := g.CheckHost(host); err != nil {
		return err
	}
	found, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for _, a := range found {
		if err := g.Check(a); err != nil {
			return fmt.Errorf("%s: %w", host, err)
		}
	}
	return nil
}
