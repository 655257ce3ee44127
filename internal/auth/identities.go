package auth

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/accounts"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/sessions"
	"github.com/signalbox-project/signalbox/internal/auth/device"
	"github.com/signalbox-project/signalbox/internal/auth/directory"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/auth/oidc"
	"github.com/signalbox-project/signalbox/internal/auth/review"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/seal"
)

// Known are what Identities are made with.
type Known struct {
	Store      accounts.Store
	Dir        string // of keys
	Sealer     seal.Sealer
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	External   *url.URL
	Outgoing   *outgoing.Guard // what providers and directories are reached through
	Record     func(context.Context, model.AuditEntry)
}

// Identities is everybody who can prove who they are: local users, directories, OpenID Connect, tokens, sessions.
type Identities struct {
	Accounts *accounts.Service
	Cookies  sessions.Cookies

	logins      *oidc.Logins
	programs    *device.Logins
	directories map[string]*directory.Directory
	cfg         Config
}

// Open makes a Gatekeeper let people in who prove who they are.
func (g *Gatekeeper) Open(ctx context.Context, cfg Config, k Known) (*Identities, error) {
	ids := &Identities{cfg: cfg, Cookies: sessions.Cookies{Secure: k.External.Scheme == "https"}, directories: map[string]*directory.Directory{}}
	var list []accounts.Directory
	for _, c := range cfg.LDAP {
		d := directory.New(c, time.Now, k.Outgoing)
		ids.directories[c.WithDefaults().Name] = d
		list = append(list, d)
	}
	var err error
	if ids.Accounts, err = accounts.New(ctx, cfg.Accounts, accounts.Deps{
		Store: k.Store, Dir: k.Dir, Sealer: k.Sealer, Logger: k.Logger, Registerer: k.Registerer, May: g.may, Tenants: g.tenants, Permissions: g.policy.Permissions, Directories: list, Recheck: ids.recheck, Record: k.Record,
		Grants: func(id access.Identity) []string { return review.Words(review.GrantsOf(cfg.Config, id)) },
	}); err != nil {
		return nil, err
	}
	key, err := ids.Accounts.Keys.For("oidc logins") // a login that was begun outlives a restart
	if err != nil {
		return nil, err
	}
	if ids.logins, err = oidc.New(cfg.OIDC, oidc.Deps{
		External: k.External, Key: key, Now: time.Now, Log: k.Logger, Outgoing: k.Outgoing, Begin: ids.begin, End: ids.end, Failed: failed,
	}); err != nil {
		return nil, err
	}
	browser := sessionSource{cookies: ids.Cookies, identify: ids.Accounts.Sessions.Identify}
	ids.programs = device.New(device.Deps{
		External: k.External, Now: time.Now, Log: k.Logger, Issue: ids.issue,
		Who: func(r *http.Request) (access.Identity, bool) {
			id, shown, err := browser.Identify(r)
			return id, shown && err == nil
		},
		LoginPage: func(returnTo string) string { return "/login?" + url.Values{"return": {returnTo}}.Encode() },
	})
	g.Accept(
		calendarSource{identify: ids.Accounts.Tokens.Identify},
		programSource{identify: ids.Accounts.Sessions.Identify},
		tokenSource{ours: ids.Accounts.Tokens.Identify, others: ids.logins.Bearer},
		browser,
	)
	return ids, nil
}

// may is what tokens are compared with when they are made.
func (g *Gatekeeper) may(id access.Identity, p access.Permission, tenant string) (bool, access.Scope) {
	d := g.policy.Decide(id, p, tenant)
	return d.Allowed, d.Scope
}

func (ids *Identities) begin(w http.ResponseWriter, r *http.Request, l login.Login) error {
	if err := ids.Accounts.Logout(r.Context(), ids.Cookies.Secret(r)); err != nil {
		return err
	}
	s, err := ids.Accounts.Begin(r.Context(), l, accounts.From{Remote: front.RemoteOf(r), Agent: r.UserAgent()})
	if err != nil {
		return err
	}
	http.SetCookie(w, ids.Cookies.Set(r, s.Secret, s.Session.Expires))
	return nil
}

// failed leaves a note for the audit log, which sums those of a minute: nobody has to be known to come here.
func failed(r *http.Request, provider string) {
	access.Note(r.Context(), access.NoteAction, "login.refused")
	access.Note(r.Context(), access.NoteSubject, "provider:"+provider)
}

func (ids *Identities) end(ctx context.Context, provider, ref, sid string) error {
	return ids.Accounts.EndLogins(ctx, provider, ref, sid)
}

// EndSession is where a browser ends its session at the provider of a login that has ended here; "" for nowhere.
func (ids *Identities) EndSession(ctx context.Context, was login.Login) string {
	return ids.logins.EndSession(ctx, was)
}

// issue begins a session for a program of a person, which is the person from then on, and ends when the person's browser must log in
// again. It is no API token: that would go on when the person is gone, and could make no other.
func (ids *Identities) issue(ctx context.Context, of access.Identity, from string) (string, time.Time, error) {
	s, err := ids.Accounts.BeginBelow(ctx, of.Session, accounts.From{Remote: from, Agent: "signalbox login"})
	return sessions.ForProgram(s.Secret), s.Session.Expires, err
}

// recheck asks the provider of a login again.
func (ids *Identities) recheck(ctx context.Context, was login.Login) (login.Login, error) {
	if d := ids.directories[was.Provider]; d != nil {
		return d.Recheck(ctx, was)
	}
	return ids.logins.Recheck(ctx, was)
}

// Routes are the pages of logins that go by way of a provider.
func (ids *Identities) Routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /auth/oidc/{name}/start":               ids.logins.ServeStart,
		"GET /auth/oidc/{name}/callback":            ids.logins.ServeCallback,
		"POST /auth/oidc/{name}/backchannel-logout": ids.logins.ServeBackchannel,
		"POST /auth/device/code":                    ids.programs.ServeCode,
		"POST /auth/device/token":                   ids.programs.ServeToken,
		"GET /auth/device":                          ids.programs.ServePage,
		"POST /auth/device":                         ids.programs.ServePage,
	}
}

// Method is a way to log in.
type Method struct {
	Name, Shown string
	Path        string // where a browser begins; "" for a name and a password
}

// Methods are the ways to log in that are configured.
func (ids *Identities) Methods() []Method {
	out := []Method{{Name: accounts.Provider, Shown: "Name and password"}}
	for _, c := range ids.cfg.OIDC {
		c = c.WithDefaults()
		if c.ClientID != "" {
			out = append(out, Method{Name: c.Name, Shown: c.Name, Path: "/auth/oidc/" + url.PathEscape(c.Name) + "/start"})
		}
	}
	return out
}

// names are checked together: sessions name their provider.
func (c Config) names() []error {
	var errs []error
	seen := []string{accounts.Provider}
	add := func(field, name string) {
		if slices.Contains(seen, name) {
			errs = append(errs, fmt.Errorf("%s.name: there is another provider %q: give it another name", field, name))
		}
		seen = append(seen, name)
	}
	for i, o := range c.OIDC {
		add(fmt.Sprintf("oidc[%d]", i), o.WithDefaults().Name)
	}
	for i, d := range c.LDAP {
		add(fmt.Sprintf("ldap[%d]", i), d.WithDefaults().Name)
	}
	return errs
}
