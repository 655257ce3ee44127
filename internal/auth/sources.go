package auth

import (
	"context"
	"net/http"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/sessions"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/tokens"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/front"
)

// tokenSource reads API tokens of ours and machine tokens of providers.
type tokenSource struct {
	ours   func(text, remote string) (access.Identity, error)
	others func(ctx context.Context, token string) (id access.Identity, ours bool, err error)
}

// Identify implements Source.
func (s tokenSource) Identify(r *http.Request) (access.Identity, bool, error) {
	text, err := tokens.OfRequest(r)
	if text == "" || err != nil {
		return access.Identity{}, err != nil, err
	}
	if id, known, err := s.others(r.Context(), text); known {
		return id, true, err
	}
	id, err := s.ours(text, front.RemoteOf(r))
	return id, true, err
}

// calendarSource reads the token in the address of a calendar program.
type calendarSource struct {
	identify func(text, remote string) (access.Identity, error)
}

// Identify implements Source.
func (s calendarSource) Identify(r *http.Request) (access.Identity, bool, error) {
	text := tokens.OfCalendar(r)
	if text == "" {
		return access.Identity{}, false, nil
	}
	id, err := s.identify(text, front.RemoteOf(r))
	if err == nil && !tokens.OnlyCalendar(id) {
		return access.Identity{}, true, login.ErrTokenInURL
	}
	return id, true, err
}

// programSource reads the session that a program of a person shows.
type programSource struct {
	identify func(secret, remote string) (access.Identity, error)
}

// Identify implements Source.
func (s programSource) Identify(r *http.Request) (access.Identity, bool, error) {
	secret, shown := sessions.OfProgram(r)
	if !shown {
		return access.Identity{}, false, nil
	}
	id, err := s.identify(secret, front.RemoteOf(r))
	return id, true, err
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
	id, err := s.identify(secret, front.RemoteOf(r))
	return id, true, err
}
