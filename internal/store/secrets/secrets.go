// Package secrets keeps what is secret in a state store sealed.
//
// It knows of one secret there: the hashes of local users' passwords. Sessions and tokens are kept as hashes of random
// secrets, from which nothing can be guessed. In: a state store and a Sealer. Out: the same store, in which users are written sealed
// and read open.
//
// Invariants: once Open has returned, no file of the store holds a hash that is kept otherwise than the Sealer says, but
// for files set aside before, which Problems names; a hash that does not open for want of a key is an error of Open, which
// then has changed nothing. Start reading at Open.
package secrets

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Inner is the store that is sealed; store/state is one.
type Inner interface {
	store.State
	// Sweep makes every file anew, so that none holds what was overwritten, and answers those that it left.
	Sweep(context.Context) (aside []string, err error)
}

// Store is a state store that keeps secrets sealed.
type Store struct {
	store.State
	sealer   seal.Sealer
	log      *slog.Logger
	problems []model.Problem
}

// Open has every secret kept as the sealer says. It takes the store over when it returns no error.
func Open(ctx context.Context, inner Inner, sealer seal.Sealer, log *slog.Logger) (*Store, error) {
	s := &Store{State: inner, sealer: sealer, log: instrument.Logger(log)}
	users, err := inner.Users(ctx)
	if err != nil {
		return nil, err
	}
	var due []store.User
	for _, u := range users {
		current, err := s.open(&u)
		switch {
		case seal.Locked(err):
			return nil, fmt.Errorf("state database: %w", err)
		case err != nil:
			s.damaged(u, err)
		case !current:
			due = append(due, u)
		}
	}
	return s, s.rewrite(ctx, inner, due)
}

func (s *Store) damaged(u store.User, err error) {
	s.log.Error("the password of a user is damaged", "user", u.Name, "err", err)
	s.note(fmt.Sprintf("The password of user %s is damaged in the state database and lets nobody in.", u.Name),
		fmt.Sprintf("Give another with `signalbox user password-link %s`, or restore the database from a backup.", u.Name))
}

func (s *Store) note(message, cure string) {
	s.problems = append(s.problems, model.Problem{Severity: "warning", Message: message, Cure: cure})
}

// rewrite keeps users anew. A store that cannot be written stays as it was, and is no reason not to start.
func (s *Store) rewrite(ctx context.Context, inner Inner, due []store.User) error {
	if len(due) == 0 {
		return nil
	}
	for _, u := range due {
		if err := s.SaveUser(ctx, u); err != nil {
			if ctx.Err() != nil {
				return err
			}
			s.note(fmt.Sprintf("Passwords cannot be kept as the section seal of the configuration says: %v.", err), "Free disk space, or make the folder writable, and start again.")
			return nil
		}
	}
	aside, err := inner.Sweep(ctx)
	if err != nil {
		return fmt.Errorf("what passwords were kept as before may still be in files: %w", err)
	}
	for _, path := range aside {
		s.note(fmt.Sprintf("%s is older than how secrets are kept now, and may hold hashes of passwords as they were.", path), "Delete it once nobody needs it.")
	}
	s.log.Info("hashes of passwords are kept anew, as the section seal of the configuration says", "users", len(due))
	return nil
}

// Problems implements store.State.
func (s *Store) Problems() []model.Problem { return append(s.State.Problems(), s.problems...) }

// AddUser implements store.UserStore.
func (s *Store) AddUser(ctx context.Context, u store.User) error {
	if err := s.seal(&u); err != nil {
		return err
	}
	return s.State.AddUser(ctx, u)
}

// SaveUser implements store.UserStore.
func (s *Store) SaveUser(ctx context.Context, u store.User) error {
	if err := s.seal(&u); err != nil {
		return err
	}
	return s.State.SaveUser(ctx, u)
}

// Users implements store.UserStore. Whose password is damaged has none, which lets nobody in.
func (s *Store) Users(ctx context.Context) ([]store.User, error) {
	users, err := s.State.Users(ctx)
	for i := range users {
		if _, err := s.open(&users[i]); seal.Locked(err) {
			return nil, err
		}
	}
	return users, err
}

// what names a user's password to what seals it: that of another does not open in its place.
func what(u *store.User) string { return "the password of user " + u.Name }

func (s *Store) seal(u *store.User) error {
	if u.Password == "" {
		return nil
	}
	kept, err := s.sealer.Seal([]byte(u.Password), what(u))
	if err != nil {
		return fmt.Errorf("save user: %w", err)
	}
	u.Password = string(kept)
	return nil
}

// open opens a user's password; on an error it is empty.
func (s *Store) open(u *store.User) (current bool, err error) {
	if u.Password == "" {
		return true, nil
	}
	plain, current, err := seal.Open(s.sealer, []byte(u.Password), what(u))
	u.Password = string(plain)
	return current, err
}
