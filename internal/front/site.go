package front

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// ownHosts are the names that we answer to on a loopback connection.
func ownHosts(cfg Config, external *url.URL) map[string]bool {
	hosts := map[string]bool{"localhost": true}
	add := func(h string) {
		if h != "" {
			hosts[strings.ToLower(h)] = true
		}
	}
	for _, h := range cfg.AllowedHosts {
		add(h)
	}
	if external != nil {
		add(external.Hostname())
	}
	// Many systems resolve their own name to a loopback address.
	if own, err := os.Hostname(); err == nil {
		add(own)
		short, _, _ := strings.Cut(own, ".")
		add(short)
	}
	return hosts
}

// checkSite refuses what a browser was tricked into: a name of somebody else
// that resolves to this machine, and a page of another origin.
func (p *Port) checkSite(r *http.Request, m Mount) *Refusal {
	if host := hostname(r.Host); onLoopback(r) && !p.f.answersTo(host) {
		return &Refusal{
			Status: http.StatusForbidden, Reason: "host",
			Message: fmt.Sprintf("the Host %q is not one of ours: ask for localhost, or name it in web.allowed_hosts or --web.external-url", host),
		}
	}
	if preflight(r) || !m.Sensitive && safe(r.Method) || p.f.sameOrigin(r) || m.CORS.allows(r.Header.Get("Origin")) {
		return nil
	}
	return &Refusal{
		Status: http.StatusForbidden, Reason: "origin",
		Message: "a page of another origin may not do this here; where it should, name its origin in cors_origins of the section that serves this path (api, otlp; query.cors_origin)",
	}
}

// answersTo knows our own names. An address cannot be made to mean another
// machine, so every address is one of ours.
func (f *Front) answersTo(host string) bool {
	return f.hosts[host] || strings.HasSuffix(host, ".localhost") || net.ParseIP(host) != nil
}

// onLoopback says whether the connection came over a loopback address. A name
// that reaches us over the network may be any that the network gives us.
func onLoopback(r *http.Request) bool {
	addr, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if tcp, ok := addr.(*net.TCPAddr); ok {
		return tcp.IP.IsLoopback()
	}
	return false
}

// sameOrigin trusts Sec-Fetch-Site, which no script can set, and compares Origin with Host
// where an old browser does not send it. What sends neither is no page of another origin.
func (f *Front) sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin != "" && origin == f.origin {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
		if origin == "" {
			return true
		}
		u, err := url.Parse(origin)
		return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
	}
	return false
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// hostname is a Host without port and brackets, in lower case.
func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
