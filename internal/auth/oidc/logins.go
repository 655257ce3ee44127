package oidc

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/outgoing"
)

// Deps are what logins need from their surroundings.
type Deps struct {
	// External is the address at which browsers reach Signalbox; the provider sends them back to it.
	External *url.URL
	// Now is the clock.
	Now func() time.Time
	Log *slog.Logger
	// Outgoing makes connections to providers; nil by its defaults.
	Outgoing *outgoing.Guard
	// Key seals what a browser carries through a login; empty makes one, good until the next start.
	Key []byte
	// Begin makes a session of a login and gives it to the browser, always a new one.
	Begin func(http.ResponseWriter, *http.Request, login.Login) error
	// End ends the sessions of a person at a provider by what is given of Ref and Sid; it is no error if there are none.
	End func(ctx context.Context, provider, ref, sid string) error
	// Failed is told of a login that was begun, or a logout that a provider asked for, and came to nothing.
	Failed func(r *http.Request, provider string)
}

// Logins are all providers that are configured. Safe for concurrent use.
type Logins struct {
	deps      Deps
	providers map[string]*Provider
	seal      cipher.AEAD
	ended     *onceTokens
}

// New makes logins of configurations that are valid and differ in their names. It asks no provider yet.
func New(cfgs []Config, deps Deps) (*Logins, error) {
	key := deps.Key
	if len(key) == 0 {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails
	}
	sum := sha256.Sum256(append([]byte("signalbox oidc login "), key...))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	l := &Logins{deps: deps, providers: map[string]*Provider{}, seal: seal, ended: newOnceTokens(deps.Now)}
	for _, c := range cfgs {
		p := newProvider(c, deps)
		if l.providers[p.cfg.Name] != nil {
			return nil, fmt.Errorf("auth.oidc: two providers are called %q: give one another name", p.cfg.Name)
		}
		l.providers[p.cfg.Name] = p
	}
	return l, nil
}

// Recheck asks a session's provider again. It says login.ErrUnauthenticated of somebody who may no longer be here, and
// Refused of somebody who has left the allowed groups: end the session. On Unavailable it goes on. The Keep of the
// answer replaces the one before, which is used up.
func (l *Logins) Recheck(ctx context.Context, was login.Login) (login.Login, error) {
	p := l.providers[was.Provider]
	if p == nil {
		return login.Login{}, login.ErrAgain
	}
	return p.recheck(ctx, was)
}
