package oidc

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

const (
	maxLogoutToken = 16 << 10
	maxEnded       = 10_000 // logout tokens that are remembered
	logoutAge      = 10 * time.Minute
	endPatience    = 3 * time.Second // of a logout, for a provider that was not asked yet
	maxHint        = 3000            // Keycloak takes a request line of 4096 bytes
)

// EndSession is where a browser ends its session at the provider, once the one here has ended; "" where there is nothing to end
// there. A provider that cannot be asked holds up no logout.
func (l *Logins) EndSession(ctx context.Context, was login.Login) string {
	p := l.providers[was.Provider]
	if p == nil {
		return ""
	}
	found := make(chan *known, 1)
	go func() {
		k, _ := p.find(context.WithoutCancel(ctx)) // what is wrong with the provider its discovery logs
		found <- k
	}()
	wait := time.NewTimer(endPatience)
	defer wait.Stop()
	select {
	case k := <-found:
		return p.endSession(k, was)
	case <-wait.C:
	case <-ctx.Done():
	}
	return ""
}

// endSession is the address of RP-initiated logout, which brings the browser back to us. The token of the login tells the provider
// whose session is meant, so that it need not ask; one that is longer than servers take in an address is left out, and it asks.
func (p *Provider) endSession(k *known, was login.Login) string {
	if k == nil || k.endSession == "" {
		return ""
	}
	u, err := url.Parse(k.endSession)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", p.cfg.ClientID)
	q.Set("post_logout_redirect_uri", p.deps.External.JoinPath("/").String())
	var had kept
	if json.Unmarshal(was.Keep.Bytes(), &had) == nil && had.IDToken != "" && len(had.IDToken) <= maxHint {
		q.Set("id_token_hint", had.IDToken)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// ServeBackchannel answers POST /auth/oidc/{name}/backchannel-logout: the provider itself says who has logged out.
func (l *Logins) ServeBackchannel(w http.ResponseWriter, r *http.Request) {
	noStore(w)
	p := l.of(r)
	if p == nil || p.cfg.ClientID == "" {
		l.tell(w, r, p, errNoProvider)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxLogoutToken)
	k, err := p.find(r.Context())
	if err != nil {
		l.tell(w, r, p, err)
		return
	}
	keys := &watched{keySet: k.keys}
	t, err := p.verifier(keys, p.cfg.ClientID).VerifyLogout(r.Context(), r.PostFormValue("logout_token"))
	switch {
	case keys.failure != nil:
		l.tell(w, r, p, p.unavailable(keys.failure, ""))
		return
	case err != nil || t.Subject == "" && t.SessionID == "":
		l.tell(w, r, p, errNoLogout)
		return
	}
	now, leeway := p.deps.Now(), time.Duration(p.cfg.Leeway)
	if t.IssuedAt.Sub(now) > leeway || now.Sub(t.IssuedAt) > logoutAge || !l.ended.first(p.cfg.Name+" "+t.TokenID) {
		l.tell(w, r, p, errNoLogout)
		return
	}
	if err := l.deps.End(r.Context(), p.cfg.Name, t.Subject, t.SessionID); err != nil {
		l.ended.forget(p.cfg.Name + " " + t.TokenID) // the provider may say it again
		l.tell(w, r, p, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// onceTokens remembers what was used, for as long as it would be good.
type onceTokens struct {
	now  func() time.Time
	mu   sync.Mutex
	used map[string]time.Time
}

func newOnceTokens(now func() time.Time) *onceTokens {
	return &onceTokens{now: now, used: map[string]time.Time{}}
}

func (o *onceTokens) first(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	if len(o.used) >= maxEnded {
		for k, at := range o.used {
			if now.Sub(at) > logoutAge+maxLeeway {
				delete(o.used, k)
			}
		}
	}
	if _, was := o.used[id]; was || len(o.used) >= maxEnded {
		return false
	}
	o.used[id] = now
	return true
}

func (o *onceTokens) forget(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.used, id)
}
