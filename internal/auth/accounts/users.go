package accounts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/links"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/password"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/store"
)

// UserError is what its caller must change.
type UserError struct{ reason string }

func (e *UserError) Error() string { return e.reason }

// BadRequest says that the caller can mend it.
func (*UserError) BadRequest() {}

func bad(format string, args ...any) error { return &UserError{reason: fmt.Sprintf(format, args...)} }

var names = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9._@+-]{0,99}$`) })

// Change is what is to be another way; nil stays.
type Change struct {
	Shown    *string
	Groups   *[]string
	Disabled *bool
}

// Users are all, by name, without their passwords.
func (s *Service) Users() []store.User {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]store.User, 0, len(s.byName))
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		out = append(out, withoutPassword(s.byName[name]))
	}
	return out
}

// Identity is who a user is now, for what is done in their name by somebody who proved to be them elsewhere; false for a user that is
// not there or is disabled.
func (s *Service) Identity(name string) (access.Identity, bool) {
	u, ok := s.user(canonical(name))
	if !ok || u.Disabled {
		return access.Identity{}, false
	}
	return identityOf(u), true
}

// withoutPassword says only whether there is one.
func withoutPassword(u store.User) store.User {
	u.Password = ""
	return u
}

// AddUser makes a user and the path of a link with which they choose a password.
func (s *Service) AddUser(ctx context.Context, by, name string, c Change) (_ store.User, path string, err error) {
	if name = canonical(name); !names().MatchString(name) {
		return store.User{}, "", bad("name: use a-z, 0-9 and ._@+- , up to 100, the first a letter or a digit")
	}
	u := store.User{Name: name, Created: s.deps.Now().UTC()}
	if err := c.apply(&u); err != nil {
		return u, "", err
	}
	if err := s.insert(ctx, u); err != nil {
		return u, "", err
	}
	s.record(ctx, by, "user.add", subjectPrefix+name, map[string]string{"groups": strings.Join(u.Groups, " ")})
	path, err = s.passwordLink(u)
	return withoutPassword(u), path, err
}

func (s *Service) insert(ctx context.Context, u store.User) error {
	s.change.Lock()
	defer s.change.Unlock()
	err := s.deps.Store.AddUser(ctx, u)
	if errors.Is(err, store.ErrSpent) {
		return bad("name: there is a user %s already", u.Name)
	}
	if err != nil {
		return fmt.Errorf("keep user: %w", err)
	}
	s.put(u)
	return nil
}

const (
	maxShown  = 200
	maxGroups = 200
)

func (c Change) apply(u *store.User) error {
	if c.Shown != nil {
		if len(*c.Shown) > maxShown {
			return bad("shown: is longer than %d bytes", maxShown)
		}
		u.Shown = strings.TrimSpace(*c.Shown)
	}
	if c.Groups != nil {
		groups := slices.Sorted(slices.Values(*c.Groups))
		groups = slices.Compact(groups)
		if len(groups) > maxGroups {
			return bad("groups: are more than %d", maxGroups)
		}
		for _, g := range groups {
			if strings.TrimSpace(g) != g || g == "" || len(g) > maxShown {
				return bad("groups: %q is no name of a group: it is empty, longer than %d bytes, or has white space around it", g, maxShown)
			}
		}
		u.Groups = groups
	}
	if c.Disabled != nil {
		u.Disabled = *c.Disabled
	}
	return nil
}

// ChangeUser changes a user. Other groups, or being disabled, end their sessions.
func (s *Service) ChangeUser(ctx context.Context, by, name string, c Change) (store.User, error) {
	name = canonical(name)
	if by == subjectPrefix+name && c.Disabled != nil && *c.Disabled {
		return store.User{}, bad("disabled: you cannot disable yourself; ask another administrator")
	}
	s.change.Lock()
	defer s.change.Unlock()
	u, ok := s.user(name)
	if !ok {
		return u, fmt.Errorf("user: %w", store.ErrNotFound)
	}
	was := u
	if err := c.apply(&u); err != nil {
		return u, err
	}
	if err := s.save(ctx, u); err != nil {
		return u, err
	}
	s.record(ctx, by, "user.change", subjectPrefix+name, map[string]string{
		"groups": strings.Join(u.Groups, " "), "groups_before": strings.Join(was.Groups, " "), "disabled": strconv.FormatBool(u.Disabled),
	})
	var err error
	if u.Disabled || !slices.Equal(was.Groups, u.Groups) {
		_, err = s.Sessions.EndOf(ctx, subjectPrefix+name, "")
	}
	return withoutPassword(u), err
}

// DeleteUser forgets a user with their sessions and tokens.
func (s *Service) DeleteUser(ctx context.Context, by, name string) error {
	name = canonical(name)
	if by == subjectPrefix+name {
		return bad("you cannot delete yourself; ask another administrator")
	}
	s.change.Lock()
	defer s.change.Unlock()
	if _, ok := s.user(name); !ok {
		return fmt.Errorf("user: %w", store.ErrNotFound)
	}
	subject := subjectPrefix + name
	_, err := s.Sessions.EndOf(ctx, subject, "")
	if err = errors.Join(err, s.Tokens.RevokeOf(ctx, subject)); err != nil {
		return err // the user is still there, so that it can be done again
	}
	if err := s.deps.Store.DeleteUser(ctx, name); err != nil {
		return fmt.Errorf("delete user: %w", err)
	}
	s.mu.Lock()
	delete(s.byName, name)
	s.mu.Unlock()
	s.record(ctx, by, "user.delete", subject, nil)
	return nil
}

// save writes a user and then believes it. It is called with change held.
func (s *Service) save(ctx context.Context, u store.User) error {
	if err := s.deps.Store.SaveUser(ctx, u); err != nil {
		return fmt.Errorf("keep user: %w", err)
	}
	s.put(u)
	return nil
}

// ChangePassword changes one's own. All sessions end, and another begins.
func (s *Service) ChangePassword(ctx context.Context, id access.Identity, old, text string, from From) (Started, error) {
	name := nameOf(id)
	u, ok := s.user(name)
	if id.Provider != Provider || id.Kind != access.User || !ok {
		return Started{}, bad("your password is not kept here: change it where you log in")
	}
	if err := password.Check(text, u.Name, u.Shown); err != nil {
		return Started{}, err
	}
	if _, err := s.Check(ctx, name, old, from.Remote); err != nil {
		return Started{}, err
	}
	if err := s.setPassword(ctx, u, text); err != nil {
		return Started{}, err
	}
	s.record(ctx, id.Subject, "user.password", id.Subject, map[string]string{"remote": from.Remote})
	return s.Begin(ctx, login.Login{Identity: identityOf(u)}, from)
}

// setPassword ends every session that the password before has opened.
func (s *Service) setPassword(ctx context.Context, was store.User, text string) error {
	phc, err := s.hasher.Hash(ctx, text)
	if err != nil {
		return err
	}
	s.change.Lock()
	defer s.change.Unlock()
	u, ok := s.user(was.Name)
	if !ok || !u.Changed.Equal(was.Changed) {
		return login.ErrLink // somebody was quicker
	}
	u.Password, u.Changed = phc, s.deps.Now().UTC()
	if !u.Changed.After(was.Changed) {
		u.Changed = was.Changed.Add(1) // whatever the clock says, it is another password
	}
	if err := s.save(ctx, u); err != nil {
		return err
	}
	_, err = s.Sessions.EndOf(ctx, subjectPrefix+u.Name, "")
	return err
}

// PasswordLink is the path of a link with which a user chooses another password: for who lost theirs. The old one holds until then.
func (s *Service) PasswordLink(ctx context.Context, by, name string) (path string, err error) {
	u, ok := s.user(canonical(name))
	if !ok {
		return "", fmt.Errorf("user: %w", store.ErrNotFound)
	}
	s.record(ctx, by, "user.link", subjectPrefix+u.Name, nil)
	return s.passwordLink(u)
}

// setupPath is the page of the UI that chooses a password. What stands behind # is never sent to a server, nor written by one.
const setupPath = "/setup#"

func (s *Service) passwordLink(u store.User) (path string, err error) {
	text, err := s.Links.Sign(links.Claim{Purpose: links.Password, Thing: generation(u), Subject: subjectPrefix + u.Name, Name: u.Name})
	return setupPath + text, err
}

// generation names the password that a link replaces: a link from before another change is worth nothing.
func generation(u store.User) string {
	changed := "none"
	if !u.Changed.IsZero() {
		changed = strconv.FormatInt(u.Changed.UnixNano(), 36)
	}
	return strconv.FormatInt(u.Created.UnixNano(), 36) + "/" + changed // also of one who was deleted and made again
}

// ChoosePassword sets the password of the user whom a link was made for, and logs them in.
func (s *Service) ChoosePassword(ctx context.Context, link, text string, from From) (Started, error) {
	c, err := s.Links.Look(link, links.Password)
	if err != nil {
		return Started{}, err
	}
	u, ok := s.user(c.Name)
	if !ok || u.Disabled || c.Thing != generation(u) {
		return Started{}, login.ErrLink
	}
	if err := password.Check(text, u.Name, u.Shown); err != nil {
		return Started{}, err // the link stays
	}
	if _, err := s.Links.Use(ctx, link, links.Password); err != nil {
		return Started{}, err
	}
	if err := s.setPassword(ctx, u, text); err != nil {
		return Started{}, err
	}
	s.record(ctx, subjectPrefix+u.Name, "user.password", subjectPrefix+u.Name, map[string]string{"remote": from.Remote, "by": "link"})
	return s.Begin(ctx, login.Login{Identity: identityOf(u)}, from)
}
