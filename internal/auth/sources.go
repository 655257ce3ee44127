package auth

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/sessions"
	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// remote is the address of who asks, without its port.
func remote(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// tokenSource reads API tokens of ours and machine tokens of providers from the header Authorization. As Basic a token is
// the password, whatever the name, for clients that know nothing else.
type tokenSource struct {
	ours   func(text, remote string) (access.Identity, error)
	others func(ctx context.Context, token string) (id access.Identity, ours bool, err error)
}

// Identify implements Source.
func (s tokenSource) Identify(r *http.Request) (access.Identity, bool, error) {
	header := r.Header.Values("Authorization")
	if len(header) == 0 {
		return access.Identity{}, false, nil
	}
	text, ok := bearer(r)
	if len(header) > 1 || !ok {
		return access.Identity{}, true, login.ErrUnauthenticated
	}
	if id, known, err := s.others(r.Context(), text); known {
		return id, true, err
	}
	id, err := s.ours(text, remote(r))
	return id, true, err
}

// bearer is the token of the header Authorization.
func bearer(r *http.Request) (string, bool) {
	if _, password, ok := r.BasicAuth(); ok {
		return password, password != ""
	}
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	text = strings.TrimSpace(text)
	return text, strings.EqualFold(scheme, "Bearer") && text != ""
}

// sessionSource reads the cookie of a browser.
type sessionSource struct {
	cookies  sessions.Cookies
	identify func(secret, remote string) (access.Identity, error)
}

// Identify implements Source.
func (s sessionSource) Identify(r *http.Request) (access.Identity, bool, error) {
	secret := s.cookies.Secret(r)
	if secret == "" {
		return access.Identity{}, false, nil
	}
	id, err := s.identify(secret, remote(r))
	return id, true, err
}
