package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

const (
	cookieLife  = 10 * time.Minute // for a login at the provider
	cookieName  = "signalbox_login_"
	maxCookies  = 5 // logins that one browser has begun
	maxPathName = 8
)

// begun is what a browser carries through a login, sealed: nobody else's answer fits it.
type begun struct {
	Provider string `json:"p"`
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	ReturnTo string `json:"r"`
	Until    int64  `json:"u"`
}

// ServeStart answers GET /auth/oidc/{name}/start: it sends the browser to the provider. return_to is where to go afterwards.
func (l *Logins) ServeStart(w http.ResponseWriter, r *http.Request) {
	p := l.of(r)
	if p == nil || p.cfg.ClientID == "" {
		l.tell(w, r, p, errNoProvider)
		return
	}
	k, err := p.find(r.Context())
	if err != nil {
		l.tell(w, r, p, err)
		return
	}
	oauth, err := p.oauth(k)
	if err != nil {
		l.tell(w, r, p, err)
		return
	}
	b := begun{
		Provider: p.cfg.Name, State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(),
		ReturnTo: onOurSide(r.URL.Query().Get("return_to")), Until: l.deps.Now().Add(cookieLife).Unix(),
	}
	l.dropCookies(w, r)
	http.SetCookie(w, l.cookie(b.State, l.sealed(b), int(cookieLife.Seconds())))
	noStore(w)
	http.Redirect(w, r, oauth.AuthCodeURL(b.State, oidc.Nonce(b.Nonce), oauth2.S256ChallengeOption(b.Verifier)), http.StatusFound)
}

func (l *Logins) of(r *http.Request) *Provider { return l.providers[r.PathValue("name")] }

// ServeCallback answers GET /auth/oidc/{name}/callback: the browser comes back from the provider.
func (l *Logins) ServeCallback(w http.ResponseWriter, r *http.Request) {
	p := l.of(r)
	if p == nil {
		l.tell(w, r, p, errNoProvider)
		return
	}
	b, err := l.opened(r, p)
	if err == nil {
		http.SetCookie(w, l.cookie(b.State, "", -1))
		var done login.Login
		if done, err = p.finish(r.Context(), r, b); err == nil {
			err = l.deps.Begin(w, r, done)
		}
	}
	if err != nil {
		l.tell(w, r, p, err)
		return
	}
	noStore(w)
	http.Redirect(w, r, b.ReturnTo, http.StatusSeeOther)
}

// finish makes a login of the provider's answer.
func (p *Provider) finish(ctx context.Context, r *http.Request, b begun) (login.Login, error) {
	k, err := p.find(ctx)
	if err != nil {
		return login.Login{}, err
	}
	q := r.URL.Query()
	if iss := q.Get("iss"); iss != p.cfg.Issuer && (iss != "" || k.namesItself) {
		return login.Login{}, no("the answer is another provider's")
	}
	switch code := q.Get("error"); code {
	case "":
	case "access_denied", "consent_required", "interaction_required", "login_required", "account_selection_required":
		return login.Login{}, &login.Refused{Provider: p.cfg.Name, Why: "the provider let you go without a login (" + code + ")", Cure: "begin again; if it stays so, ask who runs the provider whether you may use Signalbox"}
	case "server_error", "temporarily_unavailable":
		return login.Login{}, p.unavailable(errors.New("it answers "+code), "see the provider's log")
	default:
		return login.Login{}, p.unavailable(fmt.Errorf("it refuses the question: %.40q", code), "see that client_id, scopes and the redirect address are registered: "+p.redirectURL())
	}
	oauth, err := p.oauth(k)
	if err != nil {
		return login.Login{}, err
	}
	ctx = oidc.ClientContext(ctx, k.client)
	token, err := oauth.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(b.Verifier))
	if err != nil {
		return login.Login{}, p.refusedBy(err)
	}
	raw, _ := token.Extra("id_token").(string)
	v, err := p.verify(ctx, k, raw, p.cfg.ClientID)
	if err != nil {
		return login.Login{}, err
	}
	if subtle.ConstantTimeCompare([]byte(v.Nonce), []byte(b.Nonce)) != 1 {
		return login.Login{}, no("the token is of another login (nonce)")
	}
	if v.AccessTokenHash != "" && v.VerifyAccessToken(token.AccessToken) != nil {
		return login.Login{}, no("the access token is of another login (at_hash)")
	}
	return p.made(ctx, k, v, token, raw)
}

// opened is what the browser carries, if it began the login that the answer is for.
func (l *Logins) opened(r *http.Request, p *Provider) (begun, error) {
	state := r.URL.Query().Get("state")
	c, err := r.Cookie(l.cookieOf(state))
	if err != nil || len(state) < maxPathName {
		return begun{}, errOtherBrowser
	}
	var b begun
	raw, err := base64.RawURLEncoding.DecodeString(c.Value)
	if n := l.seal.NonceSize(); err == nil && len(raw) > n {
		raw, err = l.seal.Open(nil, raw[:n], raw[n:], []byte(c.Name))
	} else {
		err = errOtherBrowser
	}
	if err != nil || json.Unmarshal(raw, &b) != nil {
		return begun{}, errOtherBrowser
	}
	if subtle.ConstantTimeCompare([]byte(b.State), []byte(state)) != 1 || b.Provider != p.cfg.Name || l.deps.Now().Unix() >= b.Until {
		return begun{}, errOtherBrowser
	}
	return b, nil
}

func (l *Logins) sealed(b begun) string {
	raw, err := json.Marshal(b)
	if err != nil {
		return "" // texts always encode
	}
	nonce := make([]byte, l.seal.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return base64.RawURLEncoding.EncodeToString(l.seal.Seal(nonce, nonce, raw, []byte(l.cookieOf(b.State))))
}

// cookieOf is the name of a login's cookie, so that two tabs can log in at once.
func (l *Logins) cookieOf(state string) string {
	name := cookieName + state[:min(len(state), maxPathName)]
	if l.secure() {
		return "__Host-" + name // no page of a neighbouring host can set it
	}
	return name
}

func (l *Logins) secure() bool { return l.deps.External.Scheme == "https" }

// cookie is Lax because the browser comes back from another site.
func (l *Logins) cookie(state, value string, age int) *http.Cookie {
	return &http.Cookie{Name: l.cookieOf(state), Value: value, Path: "/", MaxAge: age, Secure: l.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// dropCookies forgets logins that were begun and left, if there are many.
func (l *Logins) dropCookies(w http.ResponseWriter, r *http.Request) {
	var old []*http.Cookie
	for _, c := range r.Cookies() {
		if strings.HasPrefix(strings.TrimPrefix(c.Name, "__Host-"), cookieName) {
			old = append(old, c)
		}
	}
	if len(old) < maxCookies {
		return
	}
	for _, c := range old {
		http.SetCookie(w, &http.Cookie{Name: c.Name, Path: "/", MaxAge: -1, Secure: l.secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
}

func noStore(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address holds the code
}
