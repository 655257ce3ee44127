// Package sessions keeps who is logged in, in which browser.
//
// It proves nobody's identity: whoever did begins a session here. In: an identity. Out: a secret for a cookie, and for a
// secret that is shown later the identity.
//
// Invariants: a session's secret is 256 random bits or more, made anew for every login, so that one that an attacker planted is worth
// nothing; only its SHA-256 is kept. What a method ended is refused by the next request. All sessions are in memory, as the
// store has them: mu guards the maps and what they hold, change lets one change at a time be written, and nobody waits
// for the disk who only asks. When a session was used is written once a minute, by Run.
//
// CSRF: the cookie is SameSite=Lax, so that pages of other sites send it with top-level GET requests alone, and the front refuses
// every other method whose Origin or Sec-Fetch-Site is of another origin, the login included. No GET changes anything, and
// bodies are JSON, which no form sends. That is enough: a token in a form would guard only against a sibling subdomain under the
// same site, and that is what the front's comparison of origins, not of sites, refuses. Browsers without these headers do not
// run the UI.
//
// Start reading at Sessions, then Cookies.
package sessions

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/keys"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Config is how long a session lasts.
type Config struct {
	Idle     model.Duration `yaml:"idle"`     // without a request
	Absolute model.Duration `yaml:"absolute"` // whatever is done
	// PerUser bounds the sessions of one user; the one that was used longest ago ends for a new one.
	PerUser int `yaml:"per_user"`
}

// DefaultConfig lasts a working day, and a week of them.
func DefaultConfig() Config {
	return Config{Idle: model.Duration(12 * time.Hour), Absolute: model.Duration(7 * 24 * time.Hour), PerUser: 20}
}

// Validate names every problem.
func (c Config) Validate() []error {
	var errs []error
	if c.Idle < model.Duration(time.Minute) {
		errs = append(errs, fmt.Errorf("idle: must be at least 1m, got %s", c.Idle))
	}
	if c.Absolute < c.Idle || c.Absolute > model.Duration(90*24*time.Hour) {
		errs = append(errs, fmt.Errorf("absolute: must be from idle (%s) to 90d, got %s", c.Idle, c.Absolute))
	}
	if c.PerUser < 1 {
		errs = append(errs, fmt.Errorf("per_user: must be at least 1, got %d", c.PerUser))
	}
	return errs
}

// Deps are what Sessions use.
type Deps struct {
	Store  store.SessionStore
	Logger *slog.Logger
	Now    func() time.Time
	// Current is what an identity is now, and false for one that may not go on: a user who was disabled. It must be quick.
	Current func(access.Identity) (access.Identity, bool)
	// Box seals what providers need to look again.
	Box *keys.Box
	// Recheck asks a provider whether a person may still be here. It may be nil.
	Recheck func(context.Context, login.Login) (login.Login, error)
}

// Sessions are all that there are.
type Sessions struct {
	cfg    Config
	deps   Deps
	change sync.Mutex

	mu     sync.RWMutex
	byHash map[string]*session
	byID   map[string]*session
}

type session struct {
	store.Session
	unsaved bool // Seen is newer than what was written
}

// Open reads what there is.
func Open(ctx context.Context, cfg Config, deps Deps) (*Sessions, error) {
	s := &Sessions{cfg: cfg, deps: deps, byHash: map[string]*session{}, byID: map[string]*session{}}
	list, err := deps.Store.Sessions(ctx)
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	for _, v := range list {
		s.add(v)
	}
	return s, nil
}

func (s *Sessions) add(v store.Session) {
	e := &session{Session: v}
	s.byHash[v.Hash], s.byID[v.ID] = e, e
}

// Start begins a session. The secret is for the cookie alone.
func (s *Sessions) Start(ctx context.Context, l login.Login, remote, agent string) (secret string, _ store.Session, err error) {
	s.change.Lock()
	defer s.change.Unlock()
	now := s.deps.Now()
	secret = keys.NewSecret()
	v := store.Session{
		ID: uuid.NewString(), Hash: keys.Hash(secret), Created: now, Seen: now, Expires: now.Add(time.Duration(s.cfg.Absolute)),
		Remote: remote, Agent: short(agent),
	}
	s.learn(&v, l)
	if err := s.deps.Store.AddSession(ctx, v); err != nil {
		return "", v, fmt.Errorf("keep session: %w", err)
	}
	s.mu.Lock()
	s.add(v)
	s.mu.Unlock()
	if list := s.List(l.Subject); len(list) > s.cfg.PerUser {
		err = s.end(ctx, idsOf(list[s.cfg.PerUser:]))
	}
	return secret, v, err
}

const maxAgent = 300

// short is what a browser says of itself, bounded.
func short(text string) string {
	for len(text) > maxAgent {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

// Identify is whose session a secret opens. Access.Session of the identity is the session's ID.
func (s *Sessions) Identify(secret, remote string) (access.Identity, error) {
	if len(secret) != keys.SecretLength {
		return access.Identity{}, login.ErrUnauthenticated
	}
	hash, now := keys.Hash(secret), s.deps.Now()
	s.mu.RLock()
	e := s.byHash[hash]
	var v store.Session
	if e != nil {
		v = e.Session
	}
	s.mu.RUnlock()
	if e == nil {
		return access.Identity{}, login.ErrUnauthenticated
	}
	if s.over(v, now) {
		return access.Identity{}, login.ErrExpired
	}
	id, ok := s.deps.Current(v.Identity)
	if !ok {
		return access.Identity{}, login.ErrUnauthenticated
	}
	if now.Sub(v.Seen) >= time.Second || remote != v.Remote {
		s.mu.Lock()
		e.Seen, e.Remote, e.unsaved = now, remote, true
		s.mu.Unlock()
	}
	id.Session = v.ID
	return id, nil
}

func (s *Sessions) over(v store.Session, now time.Time) bool {
	return !now.Before(v.Expires) || now.Sub(v.Seen) >= time.Duration(s.cfg.Idle)
}

// List are the sessions of a subject, or of everybody for "", the one used last first. They have no hash.
func (s *Sessions) List(subject string) []store.Session {
	now := s.deps.Now()
	s.mu.RLock()
	var out []store.Session
	for _, e := range s.byID {
		if (subject == "" || e.Identity.Subject == subject) && !s.over(e.Session, now) {
			v := e.Session
			v.Hash = ""
			out = append(out, v)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(out, func(a, b store.Session) int {
		return cmp.Or(b.Seen.Compare(a.Seen), b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// End ends a session. Of one that is another's, or none, it answers store.ErrNotFound; subject "" is everybody's.
func (s *Sessions) End(ctx context.Context, subject, id string) error {
	s.change.Lock()
	defer s.change.Unlock()
	s.mu.RLock()
	e := s.byID[id]
	there := e != nil && (subject == "" || e.Identity.Subject == subject)
	s.mu.RUnlock()
	if !there {
		return fmt.Errorf("session: %w", store.ErrNotFound)
	}
	return s.end(ctx, []string{id})
}

// EndOf ends all sessions of a subject but one, which may be "".
func (s *Sessions) EndOf(ctx context.Context, subject, except string) (ended int, err error) {
	s.change.Lock()
	defer s.change.Unlock()
	ids := slices.DeleteFunc(idsOf(s.List(subject)), func(id string) bool { return id == except })
	return len(ids), s.end(ctx, ids)
}

func idsOf(list []store.Session) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = v.ID
	}
	return out
}

// end forgets sessions in memory first: whatever the disk says, they open nothing from now on. It is called with change held.
func (s *Sessions) end(ctx context.Context, ids []string) error {
	s.mu.Lock()
	for _, id := range ids {
		if e := s.byID[id]; e != nil {
			delete(s.byHash, e.Hash)
			delete(s.byID, id)
		}
	}
	s.mu.Unlock()
	if err := s.deps.Store.DeleteSessions(ctx, ids...); err != nil {
		return fmt.Errorf("the session is ended, but comes back with a restart: %w", err)
	}
	return nil
}

// EndLogins ends the sessions of a person at a provider, by what is given of how the provider names the person and its own session. It answers them.
// The provider said so.
func (s *Sessions) EndLogins(ctx context.Context, provider, ref, sid string) (ended []store.Session, err error) {
	s.change.Lock()
	defer s.change.Unlock()
	s.mu.RLock()
	for _, e := range s.byID {
		if e.Identity.Provider == provider && (ref != "" || sid != "") && (ref == "" || e.Ref == ref) && (sid == "" || e.Sid == sid) {
			ended = append(ended, e.Session)
		}
	}
	s.mu.RUnlock()
	return ended, s.end(ctx, idsOf(ended))
}

// Known says whether a subject has a session from this address.
func (s *Sessions) Known(subject, remote string) bool {
	return slices.ContainsFunc(s.List(subject), func(v store.Session) bool { return v.Remote == remote })
}

// Keep writes when sessions were used, and drops those that are over. The wiring calls it every minute.
func (s *Sessions) Keep(ctx context.Context) error {
	s.change.Lock()
	defer s.change.Unlock()
	now := s.deps.Now()
	var seen []store.Seen
	var old []string
	s.mu.Lock()
	for _, e := range maps.Clone(s.byID) {
		switch {
		case s.over(e.Session, now):
			old = append(old, e.ID)
		case e.unsaved:
			seen = append(seen, store.Seen{ID: e.ID, Time: e.Seen, Remote: e.Remote})
			e.unsaved = false
		}
	}
	s.mu.Unlock()
	if err := s.end(ctx, old); err != nil {
		return err
	}
	if err := s.deps.Store.SessionsSeen(ctx, seen); err != nil {
		s.unwritten(seen)
		return fmt.Errorf("note the use of sessions: %w", err)
	}
	return nil
}

// unwritten marks what could not be written.
func (s *Sessions) unwritten(seen []store.Seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range seen {
		if e := s.byID[v.ID]; e != nil {
			e.unsaved = true
		}
	}
}
