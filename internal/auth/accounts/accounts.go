// Package accounts keeps local users, and puts sessions, tokens and links together: everything by which Signalbox
// itself knows somebody.
//
// It decides nothing about permissions, and speaks no HTTP. In: names, passwords, secrets that were shown. Out: identities, or
// one of login's errors, which tell nothing of whether an account exists.
//
// Nobody has a default password. While no administrator is known, each start makes a link for the first (FirstAdmin), which the wiring
// prints on the console and nowhere else. Who lost every password proves with a file in the storage folder that they may read
// it, and gets a link from the running server (Recover): nobody else opens the store.
//
// Invariants: a login costs one hash, whoever asks; whoever must wait is told so before. A user's groups and whether they are disabled
// hold with the next request. Whoever gets other groups, another password or is disabled logs in anew, which gives their browser
// another session: an old one never gains. mu guards the users, change lets one change at a time be written; nobody waits for the
// disk who only asks.
//
// Start reading at Service, then login.go.
package accounts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/keys"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/links"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/password"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/sessions"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/throttle"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/tokens"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Provider is the provider of identities that are kept here.
const Provider = policy.Local

// AdminGroup is the group of administrators. The first one is in it, and the policy gives it the role admin, as it gives every
// group with the prefix the role that is named after it. No other provider's groups may have it: Begin leaves them out.
const AdminGroup = GroupPrefix + "admin"

// GroupPrefix begins the groups that only local users can be in.
const GroupPrefix = policy.OwnGroup

// Config is the part of `auth:` about what is kept here.
type Config struct {
	Sessions  sessions.Config `yaml:"sessions"`
	Tokens    tokens.Config   `yaml:"tokens"`
	Passwords password.Config `yaml:"passwords"`
	Throttle  throttle.Config `yaml:"login_limits"`
}

// DefaultConfig suits a team.
func DefaultConfig() Config {
	return Config{
		Sessions: sessions.DefaultConfig(), Tokens: tokens.DefaultConfig(), Passwords: password.DefaultConfig(), Throttle: throttle.DefaultConfig(),
	}
}

// Validate names every problem; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	for _, s := range []struct {
		name string
		errs []error
	}{
		{"sessions", c.Sessions.Validate()},
		{"tokens", c.Tokens.Validate()},
		{"passwords", c.Passwords.Validate()},
		{"login_limits", c.Throttle.Validate()},
	} {
		for _, err := range s.errs {
			errs = append(errs, fmt.Errorf("%s.%w", s.name, err))
		}
	}
	return errs
}

// Store is what is kept; store.State does.
type Store interface {
	store.UserStore
	store.SessionStore
	store.TokenStore
	store.SpentStore
}

// Directory knows the passwords of others, such as LDAP. It is asked about names that are no local user's.
type Directory interface {
	// Login answers login.ErrUnauthenticated for a name or a password that is wrong.
	Login(ctx context.Context, name, password string) (login.Login, error)
}

// Deps are what a Service uses.
type Deps struct {
	Store      Store
	Dir        string // of the key of links and the proof for Recover
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time
	// May says what an identity may on a tenant; the policy does.
	May func(id access.Identity, p access.Permission, tenant string) (bool, access.Scope)
	// Grants are what an identity may, in words for the audit log; nil notes none.
	Grants func(id access.Identity) []string
	// Permissions are all that a role can hold; nil for those that are always there.
	Permissions func() []access.Described
	// Tenants are those that there are; nil takes every name.
	Tenants func() []string
	// Directories are asked in their order.
	Directories []Directory
	// Recheck asks the provider of a login again whether the person may still be here; nil asks nobody.
	Recheck func(context.Context, login.Login) (login.Login, error)
	// Sealer seals the key in Dir; nil keeps it plain.
	Sealer keys.Sealer
	// Record keeps what was done for the audit log; nil keeps nothing.
	Record func(context.Context, model.AuditEntry)
}

// Service is everything about accounts. Sessions, Tokens and Links are its parts.
type Service struct {
	Sessions *sessions.Sessions
	Tokens   *tokens.Tokens
	Links    *links.Links
	Keys     *keys.Keys // outlive the process

	deps     Deps
	hasher   *password.Hasher
	limiter  *throttle.Limiter
	logins   *prometheus.CounterVec
	change   sync.Mutex
	first    secret // of the link for the first administrator
	recovery secret

	mu     sync.RWMutex
	byName map[string]store.User
}

// New reads what there is.
func New(ctx context.Context, cfg Config, deps Deps) (s *Service, err error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Grants == nil {
		deps.Grants = func(access.Identity) []string { return nil }
	}
	if deps.Record == nil {
		deps.Record = func(context.Context, model.AuditEntry) {}
	}
	s = &Service{deps: deps, byName: map[string]store.User{}}
	users, err := deps.Store.Users(ctx)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	for _, u := range users {
		s.byName[u.Name] = u
	}
	if err := s.instruments(cfg); err != nil {
		return nil, err
	}
	return s, s.open(ctx, cfg)
}

// open reads the key, sessions and tokens.
func (s *Service) open(ctx context.Context, cfg Config) error {
	deps := s.deps
	key, odd, err := keys.Open(deps.Dir, deps.Now(), deps.Sealer)
	if err != nil {
		return err
	}
	if odd != nil {
		deps.Logger.Error("the key of links and logins is not kept as it should be", "err", odd)
	}
	s.Keys = key
	signing, err := key.For("links")
	if err != nil {
		return err
	}
	s.Links = links.New(signing, deps.Store, deps.Now)
	box, err := key.Box("sessions")
	if err != nil {
		return err
	}
	recheck := s.recheck
	if deps.Recheck == nil {
		recheck = nil
	}
	if s.Sessions, err = sessions.Open(ctx, cfg.Sessions, sessions.Deps{
		Store: deps.Store, Now: deps.Now, Current: s.current, Box: box, Recheck: recheck,
	}); err != nil {
		return err
	}
	if s.Tokens, err = tokens.Open(ctx, cfg.Tokens, tokens.Deps{
		Store: deps.Store, May: deps.May, Permissions: deps.Permissions, Tenants: deps.Tenants, Now: deps.Now, Current: s.current,
	}); err != nil {
		return err
	}
	s.offerRecovery()
	return nil
}

func (s *Service) instruments(cfg Config) (err error) {
	if s.hasher, err = password.New(cfg.Passwords, s.deps.Registerer); err != nil {
		return err
	}
	if s.limiter, err = throttle.New(cfg.Throttle, s.deps.Now, s.deps.Registerer); err != nil {
		return err
	}
	s.logins = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "signalbox_auth_logins_total", Help: "Logins with name and password by outcome (ok, refused, throttled, failed).",
	}, []string{"outcome"})
	return instrument.Register(s.deps.Registerer, "account", s.logins)
}

// keepEvery is how often use is written and what is over is dropped.
const keepEvery = time.Minute

// Run writes what changes with use, and drops what is over, until ctx ends; then once more.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.keep(ctx)
		case <-ctx.Done():
			s.keep(context.WithoutCancel(ctx))
			return nil
		}
	}
}

func (s *Service) keep(ctx context.Context) {
	if err := errors.Join(s.Sessions.RecheckDue(ctx), s.Sessions.Keep(ctx), s.Tokens.Keep(ctx), s.Links.Keep(ctx)); err != nil {
		s.deps.Logger.Error("sessions and tokens: not all was done that is done each minute; the next minute tries again", "err", err)
	}
}

// current is what an identity is now. Those of other providers are as they logged in.
func (s *Service) current(id access.Identity) (access.Identity, bool) {
	if id.Provider != Provider {
		return id, true
	}
	s.mu.RLock()
	u, ok := s.byName[nameOf(id)]
	s.mu.RUnlock()
	if !ok || u.Disabled {
		return access.Identity{}, false
	}
	return identityOf(u), true
}

// subjectPrefix begins the subject of a person, whoever knows their password.
const subjectPrefix = "user:"

func nameOf(id access.Identity) string {
	if len(id.Subject) < len(subjectPrefix) {
		return ""
	}
	return id.Subject[len(subjectPrefix):]
}

func identityOf(u store.User) access.Identity {
	shown := u.Shown
	if shown == "" {
		shown = u.Name
	}
	return access.Identity{Subject: subjectPrefix + u.Name, Name: shown, Kind: access.User, Groups: u.Groups, Provider: Provider}
}

func (s *Service) user(name string) (store.User, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u, ok := s.byName[name]
	return u, ok
}

// put believes a user as it was written.
func (s *Service) put(u store.User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byName[u.Name] = u
}

func (s *Service) record(ctx context.Context, actor, action, subject string, details map[string]string) {
	s.deps.Record(ctx, model.AuditEntry{Time: s.deps.Now().UTC(), Actor: actor, Action: action, Subject: subject, Details: details})
}
