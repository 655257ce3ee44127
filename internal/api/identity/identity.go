// Package identity serves who somebody is: login and logout, users, sessions, tokens, and what roles may.
//
// It holds no rule: the rooms behind Deps decide, and the front has checked the permission that each operation declares. In: requests.
// Out: their answers as JSON, and the session's cookie. No answer holds a secret but the ones that make it, once; none may be kept by
// a cache.
//
// Start reading at Deps, then login.go.
package identity

import (
	"cmp"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/auth/accounts"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/sessions"
	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// Deps are the rooms behind it; what is nil answers 404.
type Deps struct {
	Accounts Accounts
	Users    Users
	Sessions Sessions
	Tokens   Tokens
	Policy   Policy
	Cookies  sessions.Cookies
	// Methods are the ways to log in that are configured.
	Methods func() []Method
	// EndSession is where a browser ends its session at the provider of a login that has ended here; "" for nowhere.
	EndSession func(ctx context.Context, was login.Login) string
	// Review is nil without authentication.
	Review Reviewer
	// Masking is which permission lifts each rule of masking.
	Masking func() map[string]access.Permission
}

// Accounts proves who somebody is; auth/accounts does.
type Accounts interface {
	Login(ctx context.Context, name, password string, from accounts.From) (accounts.Started, error)
	Redeem(ctx context.Context, link, name, password string, from accounts.From) (accounts.Started, error)
	ChoosePassword(ctx context.Context, link, password string, from accounts.From) (accounts.Started, error)
	ChangePassword(ctx context.Context, id access.Identity, old, password string, from accounts.From) (accounts.Started, error)
	Recover(ctx context.Context, proof, name string, from accounts.From) (path string, err error)
	Logout(ctx context.Context, secret string) error
	Forget(ctx context.Context, secret string) (was login.Login, had bool, err error)
}

// Method is a way to log in.
type Method struct {
	Name  string `json:"name" doc:"local, or the name of a provider"`
	Kind  string `json:"kind" enum:"password,redirect"`
	Shown string `json:"shown" doc:"for people"`
	Path  string `json:"path,omitempty" doc:"where a redirect begins"`
}

type handlers struct {
	*operation.Registry
	deps Deps
}

// Register adds the operations.
func Register(r *operation.Registry, deps Deps) {
	h := &handlers{Registry: r, deps: deps}
	h.registerLogin()
	h.registerSetup()
	h.registerMe()
	h.registerSessions()
	h.registerTokens()
	h.registerUsers()
	h.registerReview()
}

// Caller is embedded in the input of what needs to know the connection. It is exported because huma sees no fields of unexported
// embedded structs.
type Caller struct{ ctx huma.Context }

// Resolve implements huma.Resolver.
func (c *Caller) Resolve(ctx huma.Context) []error {
	c.ctx = ctx
	ctx.SetHeader("Cache-Control", "no-store")
	return nil
}

// request is what of the request the rooms need.
func (c *Caller) request() *http.Request {
	return (&http.Request{RemoteAddr: c.ctx.RemoteAddr(), TLS: c.ctx.TLS(), Header: c.headers(), Host: c.ctx.Host()}).WithContext(c.ctx.Context())
}

func (c *Caller) headers() http.Header {
	out := http.Header{}
	c.ctx.EachHeader(func(name, value string) { out.Add(name, value) })
	return out
}

func (h *handlers) from(c *Caller) accounts.From {
	r := c.request()
	return accounts.From{Remote: hostOf(r.RemoteAddr), Agent: r.UserAgent()}
}

// begin gives the browser its session; the one before ends.
func (h *handlers) begin(c *Caller, s accounts.Started, err error) (StartedResponse, error) {
	if err != nil {
		return StartedResponse{}, err
	}
	if err := h.deps.Accounts.Logout(c.ctx.Context(), h.deps.Cookies.Secret(c.request())); err != nil {
		return StartedResponse{}, err
	}
	c.ctx.AppendHeader("Set-Cookie", h.deps.Cookies.Set(c.request(), s.Secret, s.Session.Expires).String())
	return StartedResponse{Subject: s.Session.Identity.Subject, Name: s.Session.Identity.Name, Expires: s.Session.Expires}, nil
}

// who asks; nobody in particular where nobody was identified.
func who(ctx context.Context) access.Access {
	if a := access.From(ctx); a != nil {
		return *a
	}
	return access.Access{Identity: access.Identity{Kind: access.Nobody}, Scope: access.Scope{All: true}, Unmasked: true}
}

// nobodys is the subject of who has none: nothing belongs to it, while "" would be everybody's.
const nobodys = "nobody"

// subject is whose sessions and tokens are meant.
func subject(ctx context.Context) string { return cmp.Or(who(ctx).Subject, nobodys) }
