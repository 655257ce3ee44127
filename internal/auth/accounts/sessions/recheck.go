package sessions

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/auth/accounts/keys"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/store"
)

// learn takes over what a provider said.
func (s *Sessions) learn(v *store.Session, l login.Login) {
	l.Session = ""
	v.Identity, v.Ref, v.Sid, v.Recheck, v.Kept = l.Identity, l.Ref, l.Sid, l.Recheck, ""
	if keep := l.Keep.Bytes(); len(keep) > 0 {
		v.Kept = s.deps.Box.Seal(keep, v.ID)
	}
	if !l.Ends.IsZero() && l.Ends.Before(v.Expires) {
		v.Expires = l.Ends
	}
}

// Login is what was learnt of a session. What cannot be opened any more is left out.
func (s *Sessions) login(v store.Session) login.Login {
	l := login.Login{Identity: v.Identity, Ref: v.Ref, Sid: v.Sid, Recheck: v.Recheck, Ends: v.Expires}
	if v.Kept != "" {
		if text, err := s.deps.Box.Open(v.Kept, v.ID); err == nil {
			l.Keep = secretfile.Of(string(text))
		}
	}
	return l
}

// Forget ends the session of a secret and says of which login it was; false for none.
func (s *Sessions) Forget(ctx context.Context, secret string) (login.Login, bool, error) {
	if len(secret) != keys.SecretLength {
		return login.Login{}, false, nil
	}
	s.change.Lock()
	defer s.change.Unlock()
	s.mu.RLock()
	e := s.byHash[keys.Hash(secret)]
	s.mu.RUnlock()
	if e == nil {
		return login.Login{}, false, nil
	}
	return s.login(e.Session), true, s.end(ctx, []string{e.ID})
}

// again is how soon a provider that could not be asked is asked again.
const again = 5 * time.Minute

// patience is how many questions in a row a provider may leave unanswered before it is left alone until the next round: each takes as
// long as a connection, and others wait.
const patience = 3

// RecheckDue asks the providers of the sessions that are due. Who is gone, or may not be here any more, is out with the answer; a provider
// that is down changes nothing. It holds nothing up: nobody waits for an answer but this.
func (s *Sessions) RecheckDue(ctx context.Context) error {
	if s.deps.Recheck == nil {
		return nil
	}
	now := s.deps.Now()
	s.mu.RLock()
	due := slices.Collect(maps.Values(s.byID))
	due = slices.DeleteFunc(due, func(e *session) bool {
		return e.Recheck.IsZero() || now.Before(e.Recheck) || s.over(e.Session, now)
	})
	list := make([]store.Session, len(due))
	for i, e := range due {
		list[i] = e.Session
	}
	s.mu.RUnlock()
	var errs []error
	unanswered := map[string]int{}
	for _, v := range list {
		if unanswered[v.Identity.Provider] == patience {
			continue // it stays due
		}
		err := s.recheck(ctx, v)
		if errs = append(errs, err); err != nil {
			unanswered[v.Identity.Provider]++
		} else {
			unanswered[v.Identity.Provider] = 0
		}
	}
	return errors.Join(errs...)
}

func (s *Sessions) recheck(ctx context.Context, v store.Session) error {
	got, err := s.deps.Recheck(ctx, s.login(v))
	var refused *login.Refused
	s.change.Lock()
	defer s.change.Unlock()
	s.mu.RLock()
	e := s.byID[v.ID]
	with := append(s.unasked(v), v.ID)
	s.mu.RUnlock()
	switch {
	case e == nil: // it ended meanwhile
		return nil
	case errors.Is(err, login.ErrUnauthenticated), errors.Is(err, login.ErrAgain), errors.As(err, &refused):
		return s.end(ctx, with)
	case err != nil:
		s.mu.Lock()
		e.Recheck = s.deps.Now().Add(again)
		s.mu.Unlock()
		return fmt.Errorf("ask %s about a session, which goes on: %w", v.Identity.Provider, err)
	}
	if got.Subject != v.Identity.Subject {
		return s.end(ctx, with) // somebody else by now
	}
	s.learn(&v, got)
	errs := []error{s.rewrite(ctx, v)}
	for _, id := range with[:len(with)-1] {
		s.mu.RLock()
		also := s.byID[id].Session
		s.mu.RUnlock()
		also.Identity = v.Identity
		errs = append(errs, s.rewrite(ctx, also))
	}
	return errors.Join(errs...)
}

// rewrite writes a session and then believes it. It is called with change held, for one that is there.
func (s *Sessions) rewrite(ctx context.Context, v store.Session) error {
	if err := s.deps.Store.SaveSession(ctx, v); err != nil {
		return fmt.Errorf("keep session: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byID[v.ID]
	v.Seen, v.Remote = e.Seen, e.Remote
	e.Session = v
	return nil
}
