package front

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// The headers in which a proxy says whose request it hands on.
const (
	forwardedFor = "X-Forwarded-For"
	forwarded    = "Forwarded"
)

// maxHops bounds how many addresses of a chain are read. Nobody has more proxies of their own in a row.
const maxHops = 16

// proxies are those whose word on the client's address is taken, and in which header. Only one header counts: a proxy that
// writes the one hands the other on as the client sent it.
type proxies struct {
	trusted []netip.Prefix
	header  string
	// hint is called once if a request came from a proxy that is not trusted.
	hint func()
}

// newProxies makes them of settings that are valid.
func newProxies(cfg Config, hint func()) proxies {
	p := proxies{header: http.CanonicalHeaderKey(cfg.ClientAddressHeader), hint: sync.OnceFunc(hint)}
	for _, text := range cfg.TrustedProxies {
		if prefix, err := parsePrefix(text); err == nil {
			p.trusted = append(p.trusted, prefix)
		}
	}
	return p
}

// parsePrefix reads a network, or an address alone.
func parsePrefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, err
		}
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	if prefix.Bits() == 0 {
		return netip.Prefix{}, errors.New("it trusts everybody")
	}
	return prefix.Masked(), nil
}

func (p proxies) trust(addr netip.Addr) bool {
	for _, prefix := range p.trusted {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// of is a request whose RemoteAddr is the client's. Without a trusted proxy before us it is the same request.
func (p proxies) of(r *http.Request) *http.Request {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r
	}
	from := peer.Addr().Unmap().WithZone("")
	if !p.trust(from) {
		if len(p.trusted) == 0 && (from.IsPrivate() || from.IsLoopback()) && (r.Header.Get(forwardedFor) != "" || r.Header.Get(forwarded) != "") {
			p.hint()
		}
		return r
	}
	client := p.client(from, strings.Join(r.Header.Values(p.header), ","))
	if client == from {
		return r
	}
	told := *r
	told.RemoteAddr = net.JoinHostPort(client.String(), "0") // nobody says the port
	return &told
}

// client goes through a chain from its end, which the proxy nearest to us wrote, to the first address that is no trusted proxy's.
// What is before that may be anything that the client made up; what cannot be read ends the way at the hop before.
func (p proxies) client(from netip.Addr, chain string) netip.Addr {
	next := hopsOf
	if p.header == forwarded {
		next = elementsOf
	}
	for i, hop := range next(chain) {
		addr, ok := addressOf(hop)
		if !ok || i == maxHops {
			break
		}
		if from = addr; !p.trust(addr) {
			break
		}
	}
	return from
}

// hopsOf are the addresses of X-Forwarded-For, the last first.
func hopsOf(chain string) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for i := 0; chain != ""; i++ {
			comma := strings.LastIndexByte(chain, ',')
			if !yield(i, strings.TrimSpace(chain[comma+1:])) {
				return
			}
			chain = chain[:max(comma, 0)]
		}
	}
}

// elementsOf are the values of for= in Forwarded (RFC 7239), the last first; none if the header is written wrongly anywhere: with
// a quotation mark too many a client could take what its proxy adds into a text of its own.
func elementsOf(chain string) func(yield func(int, string) bool) {
	return func(yield func(int, string) bool) {
		elements, ok := splitQuoted(chain, ',')
		if !ok {
			return
		}
		for i := range elements {
			if !yield(i, forOf(elements[len(elements)-1-i])) {
				return
			}
		}
	}
}

// forOf is the value of for= of an element; "" where it is missing or stands there twice.
func forOf(element string) (value string) {
	pairs, _ := splitQuoted(element, ';')
	for _, pair := range pairs {
		name, v, _ := strings.Cut(pair, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "for") {
			continue
		}
		if value != "" {
			return ""
		}
		value = strings.TrimSpace(v)
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
	}
	return value
}

// splitQuoted splits at a separator outside of quotation marks; false if they do not match.
func splitQuoted(text string, sep byte) (parts []string, ok bool) {
	began, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == sep && !quoted:
			parts, began = append(parts, text[began:i]), i+1
		}
	}
	return append(parts, text[began:]), !quoted
}

// addressOf reads an address with or without a port: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80. Names
// such as unknown and _hidden are none.
func addressOf(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		if bare, bracketed := strings.CutPrefix(text, "["); bracketed && strings.HasSuffix(bare, "]") {
			addr, err = netip.ParseAddr(strings.TrimSuffix(bare, "]"))
		}
	}
	if err != nil {
		var withPort netip.AddrPort
		if withPort, err = netip.ParseAddrPort(text); err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	addr = addr.Unmap().WithZone("")
	return addr, !addr.IsUnspecified()
}
