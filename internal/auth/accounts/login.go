package accounts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/store"
)

// From is where a request comes from.
type From struct {
	Remote string // address without port
	Agent  string // what the browser says of itself
}

// Started is a session that has begun. Secret is for its cookie alone.
type Started struct {
	Secret  string
	Session store.Session
}

// Login checks name and password and begins a session.
func (s *Service) Login(ctx context.Context, name, text string, from From) (Started, error) {
	l, err := s.Check(ctx, name, text, from.Remote)
	if err != nil {
		return Started{}, err
	}
	return s.Begin(ctx, l, from)
}

// Begin begins a session for who has proved an identity, of whatever provider. Groups of other providers cannot be those that
// only local users can be in.
func (s *Service) Begin(ctx context.Context, l login.Login, from From) (Started, error) {
	return s.begin(ctx, ofProvider(l), from)
}

// BeginBelow begins a session for a program that the person of a session has let in.
func (s *Service) BeginBelow(ctx context.Context, session string, from From) (Started, error) {
	l, err := s.Sessions.Below(session)
	if err != nil {
		return Started{}, err
	}
	return s.begin(ctx, l, from)
}

func (s *Service) begin(ctx context.Context, l login.Login, from From) (Started, error) {
	secret, v, err := s.Sessions.Start(ctx, l, from.Remote, from.Agent)
	if err != nil {
		return Started{}, err
	}
	if err := s.Tokens.Refresh(ctx, l.Identity); err != nil {
		s.deps.Logger.Warn("the tokens of a user keep the groups of the login before", "subject", l.Subject, "err", err)
	}
	details := map[string]string{"provider": l.Provider, "remote": from.Remote, "session": v.ID}
	login.Note(details, l.Groups, s.deps.Grants(l.Identity))
	s.record(ctx, l.Subject, "login", l.Subject, details)
	v.Hash = ""
	return Started{Secret: secret, Session: v}, nil
}

// Logout ends the session of a secret, if there is one.
func (s *Service) Logout(ctx context.Context, secret string) error {
	_, _, err := s.Forget(ctx, secret)
	return err
}

// Forget ends the session of a secret and says of which login it was; false for none.
func (s *Service) Forget(ctx context.Context, secret string) (login.Login, bool, error) {
	l, ok, err := s.Sessions.Forget(ctx, secret)
	if ok {
		s.record(ctx, l.Subject, "logout", l.Subject, nil)
	}
	return l, ok, err
}

// EndLogins ends the sessions of a person at a provider, which says that it ended its own.
func (s *Service) EndLogins(ctx context.Context, provider, ref, sid string) error {
	ended, err := s.Sessions.EndLogins(ctx, provider, ref, sid)
	for _, v := range ended {
		s.record(ctx, "provider:"+provider, "logout", v.Identity.Subject, map[string]string{"session": v.ID})
	}
	return err
}

// ofProvider keeps a provider from naming groups that only local users can be in, and its people from being taken for others of
// their name: the ann of keycloak is user:keycloak/ann.
func ofProvider(l login.Login) login.Login {
	if l.Provider == Provider {
		return l
	}
	l.Subject = subjectPrefix + l.Provider + "/" + strings.TrimPrefix(l.Subject, subjectPrefix)
	l.Groups = slices.DeleteFunc(slices.Clone(l.Groups), func(g string) bool { return strings.HasPrefix(g, GroupPrefix) })
	return l
}

// recheck asks a provider, and lets the person's tokens know.
func (s *Service) recheck(ctx context.Context, was login.Login) (login.Login, error) {
	l, err := s.deps.Recheck(ctx, was)
	if err != nil {
		return l, err
	}
	l = ofProvider(l)
	return l, s.Tokens.Refresh(ctx, l.Identity)
}

// Check says whose name and password these are: login.ErrUnauthenticated, or *login.Throttled for who tried too often.
// A name that is unknown, disabled or without a password costs the same hash as a wrong password. What takes longer or shorter is a
// name whose password was hashed with other parameters, until its next login. Where directories are asked, who is refused waits
// for evenly, by whomever.
func (s *Service) Check(ctx context.Context, name, text, remote string) (login.Login, error) {
	began := time.Now()
	name = canonical(name)
	known := s.Sessions.Known(subjectPrefix+name, remote)
	if wait, again := s.limiter.Try(name, remote, known); wait > 0 {
		s.logins.WithLabelValues("throttled").Inc()
		if !again { // a flood is one entry
			s.refused(ctx, name, remote, "throttled")
		}
		return login.Login{}, &login.Throttled{RetryAfter: wait}
	}
	l, err := s.check(ctx, name, text)
	var throttled *login.Throttled
	switch {
	case err == nil:
		s.limiter.Succeeded(name, remote, known)
		s.logins.WithLabelValues("ok").Inc()
	case errors.Is(err, login.ErrUnauthenticated):
		s.logins.WithLabelValues("refused").Inc()
		s.refused(ctx, name, remote, "refused")
		s.evenOut(ctx, began)
	case errors.As(err, &throttled): // too many at once: it was no attempt
		s.limiter.Undo(name, remote, known)
		s.logins.WithLabelValues("throttled").Inc()
	default:
		s.limiter.Undo(name, remote, known)
		s.logins.WithLabelValues("failed").Inc()
	}
	return l, err
}

// evenly is how long a refusal takes at least where directories are asked. A directory answers sooner about a name that it does not
// have than about a wrong password, which it hashes, and is not asked about local users at all: their names could be found out.
const evenly = 500 * time.Millisecond

func (s *Service) evenOut(ctx context.Context, began time.Time) {
	if len(s.deps.Directories) == 0 {
		return
	}
	wait := time.NewTimer(time.Until(began.Add(evenly)))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
	}
}

// refused notes a login that failed. A name that is unknown is not written down: it may be a password, typed in the wrong place.
func (s *Service) refused(ctx context.Context, name, remote, outcome string) {
	subject := "user"
	if _, ok := s.user(name); ok {
		subject = subjectPrefix + name
	}
	s.record(ctx, "nobody", "login."+outcome, subject, map[string]string{"remote": remote})
}

func (s *Service) check(ctx context.Context, name, text string) (login.Login, error) {
	u, local := s.user(name)
	right, outdated, err := s.hasher.Verify(ctx, u.Password, text)
	if err != nil {
		return login.Login{}, err
	}
	if local {
		if !right || u.Disabled {
			return login.Login{}, login.ErrUnauthenticated
		}
		if outdated {
			s.rehash(ctx, u, text)
		}
		return login.Login{Identity: identityOf(u)}, nil
	}
	var failed error
	for _, d := range s.deps.Directories {
		l, err := d.Login(ctx, name, text)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, login.ErrUnauthenticated) {
			failed = err
		}
	}
	if failed != nil {
		return login.Login{}, failed
	}
	return login.Login{}, login.ErrUnauthenticated
}

// rehash keeps a password with the parameters of today. That it cannot is no reason to refuse a login.
func (s *Service) rehash(ctx context.Context, was store.User, text string) {
	phc, err := s.hasher.Hash(ctx, text)
	if err == nil {
		s.change.Lock()
		defer s.change.Unlock()
		u, ok := s.user(was.Name)
		if !ok || u.Password != was.Password {
			return // it was changed meanwhile
		}
		u.Password = phc
		err = s.save(ctx, u)
	}
	if err != nil {
		s.deps.Logger.Warn("a password keeps its old parameters until the next login", "user", was.Name, "err", err)
	}
}

// canonical is how names are kept: without regard to case and white space around.
func canonical(name string) string { return strings.ToLower(strings.TrimSpace(name)) }
