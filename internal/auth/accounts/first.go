package accounts

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/auth/accounts/keys"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/password"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/store"
)

// secret is a text that proves something for a while.
type secret struct {
	mu      sync.Mutex
	text    string
	expires time.Time // zero is never
}

// renew makes another text, after which the one before is worth nothing.
func (s *secret) renew(expires time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.expires = keys.NewSecret(), expires
	return s.text
}

// take says whether text is the secret, and if so that it is none any more.
func (s *secret) take(text string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.is(text, now) {
		return false
	}
	s.text = ""
	return true
}

func (s *secret) is(text string, now time.Time) bool {
	return s.text != "" && subtle.ConstantTimeCompare([]byte(s.text), []byte(text)) == 1 && (s.expires.IsZero() || now.Before(s.expires))
}

// firstLife is how long the link for the first administrator is good.
const firstLife = 24 * time.Hour

// FirstAdmin is the path of a link with which somebody becomes the first administrator; ok is false where there is one
// already. It is a secret: print it on the console, never to a log. A link that an earlier call answered is worth nothing.
func (s *Service) FirstAdmin() (path string, ok bool) {
	if s.hasAdmin() {
		return "", false
	}
	return setupPath + "first-" + s.first.renew(s.deps.Now().Add(firstLife)), true
}

// hasAdmin says whether a local user may manage accounts and can log in.
func (s *Service) hasAdmin() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, u := range s.byName {
		if !u.Disabled && u.Password != "" && slices.Contains(u.Groups, AdminGroup) {
			return true
		}
	}
	return false
}

// Redeem makes whoever holds the link of FirstAdmin the first administrator, with a name and a password of their choice, and
// logs them in.
func (s *Service) Redeem(ctx context.Context, link, name, text string, from From) (Started, error) {
	if name = canonical(name); !names().MatchString(name) {
		return Started{}, bad("name: use a-z, 0-9 and ._@+- , up to 100, the first a letter or a digit")
	}
	if err := password.Check(text, name); err != nil {
		return Started{}, err
	}
	if wait, _ := s.limiter.Try("", from.Remote, true); wait > 0 {
		return Started{}, &login.Throttled{RetryAfter: wait}
	}
	now := s.deps.Now()
	given, isFirst := strings.CutPrefix(link, "first-")
	if !isFirst || s.hasAdmin() || !s.first.take(given, now) {
		return Started{}, login.ErrLink
	}
	s.limiter.Succeeded("", from.Remote, true)
	phc, err := s.hasher.Hash(ctx, text)
	if err != nil {
		return Started{}, s.giveBack(given, err)
	}
	u := store.User{Name: name, Password: phc, Groups: []string{AdminGroup}, Created: now.UTC(), Changed: now.UTC()}
	if err := s.insert(ctx, u); err != nil {
		return Started{}, s.giveBack(given, err)
	}
	s.record(ctx, subjectPrefix+name, "user.first", subjectPrefix+name, map[string]string{"remote": from.Remote})
	return s.Begin(ctx, login.Login{Identity: identityOf(u)}, from)
}

// giveBack lets the link be used again where it led to nothing.
func (s *Service) giveBack(given string, err error) error {
	s.first.mu.Lock()
	defer s.first.mu.Unlock()
	if s.first.text == "" {
		s.first.text = given
	}
	return err
}

// RecoveryFile is in the folder of accounts. It holds a secret that changes with every start and every use.
const RecoveryFile = "recovery.secret"

// offerRecovery writes a new secret where only the server's own user, and root, can read it: they can read the database and the
// signing key beside it, too. It is no password: it makes links, each of which the audit log names.
func (s *Service) offerRecovery() {
	path := filepath.Join(s.deps.Dir, RecoveryFile)
	text := s.recovery.renew(time.Time{})
	if err := atomicfile.WriteBytes(path, 0o600, []byte(text+"\n")); err != nil {
		if rm := os.Remove(path); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
			err = errors.Join(err, rm)
		}
		s.deps.Logger.Warn("no password can be recovered by the command line until the next start", "file", path, "err", err)
	}
}

// Recover is the path of a link with which a local user chooses another password, for who can read RecoveryFile. It takes a disabled
// user back in.
func (s *Service) Recover(ctx context.Context, proof, name string, from From) (path string, err error) {
	if wait, _ := s.limiter.Try("", from.Remote, true); wait > 0 {
		return "", &login.Throttled{RetryAfter: wait}
	}
	if !s.recovery.take(proof, s.deps.Now()) {
		return "", login.ErrUnauthenticated
	}
	s.limiter.Succeeded("", from.Remote, true)
	s.offerRecovery()
	u, ok := s.user(canonical(name))
	if !ok {
		return "", bad("there is no local user %q; there are: %s", name, s.nameList())
	}
	const by = "console"
	if u.Disabled {
		enabled := false
		if _, err := s.ChangeUser(ctx, by, u.Name, Change{Disabled: &enabled}); err != nil {
			return "", err
		}
	}
	s.record(ctx, by, "user.recover", subjectPrefix+u.Name, map[string]string{"remote": from.Remote})
	return s.passwordLink(u)
}

func (s *Service) nameList() string {
	var out []string
	for _, u := range s.Users() {
		out = append(out, u.Name)
	}
	if len(out) == 0 {
		return fmt.Sprintf("none; the link on the console at the start makes the first, valid %s", firstLife)
	}
	return strings.Join(out, ", ")
}
