// Package login holds the words that all providers of identities share: what a login proves, and why one fails.
//
// It proves nothing itself: internal/auth/directory and internal/auth/oidc do, and whoever keeps sessions reads the
// outcome. In: a provider's answer. Out: a Login or one of four kinds of error, with a text for the person.
//
// Invariant: what Says tells somebody who isn't logged in names neither a server's address nor whether a user exists.
// Start reading at Login, then Says.
package login

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// Login is what a provider proved of a person, and what it needs to look again.
type Login struct {
	access.Identity
	// Ref is how the provider finds the same person again, whatever they are called by then: a subject, a GUID.
	Ref string
	// Sid is the provider's own session, by which it ends ours; "" where it names none.
	Sid string
	// Keep is what the provider needs to look again: keep it with the session, sealed.
	Keep secretfile.Secret
	// Recheck is when to ask the provider again whether the person may still be here and what their groups are;
	// zero if it can't be asked.
	Recheck time.Time
	// Ends is when the person must log in again, whatever happens.
	Ends time.Time
}

var (
	// ErrUnauthenticated is a name, password or token that isn't right, without saying which, or somebody who is gone.
	ErrUnauthenticated = errors.New("the name, the password or the token is not right")
	// ErrAgain is a session whose provider can't be asked without its person.
	ErrAgain = errors.New("log in again: the provider cannot be asked about this session")
)

// Unavailable is a provider that can't say who somebody is. Sessions that exist go on.
type Unavailable struct {
	Provider string
	Cure     string // for who runs Signalbox
	Err      error
}

// Error implements error, for the log.
func (u *Unavailable) Error() string {
	return withCure(fmt.Sprintf("login by %s is not possible: %v", u.Provider, u.Err), u.Cure)
}

// Unwrap gives the cause.
func (u *Unavailable) Unwrap() error { return u.Err }

// Refused is somebody who proved who they are, and may not come in.
type Refused struct {
	Provider string
	Why      string // for the person
	Cure     string // for the person too
}

// Error implements error.
func (r *Refused) Error() string {
	return withCure(fmt.Sprintf("%s refuses: %s", r.Provider, r.Why), r.Cure)
}

func withCure(text, cure string) string {
	if cure == "" {
		return text
	}
	return text + "; " + cure
}

// Said is an answer to somebody who isn't logged in.
type Said struct {
	Status  int    `json:"-"`
	Message string `json:"error"`
	Cure    string `json:"cure"`
	// RetryAfter is in seconds, if the same may be tried again.
	RetryAfter int `json:"-"`
}

// Says is what to tell the person of an error of a login.
func Says(err error) Said {
	if said, ok := Knows(err); ok {
		return said
	}
	return Said{Status: http.StatusInternalServerError, Message: "The login failed.", Cure: "Whoever runs Signalbox finds the reason in its log."}
}

// Knows is Says of the errors of this package; ok is false for all others.
func Knows(err error) (_ Said, ok bool) {
	var down *Unavailable
	var refused *Refused
	if said, ok := saysOf(err); ok {
		return said, true
	}
	switch {
	case errors.As(err, &down):
		return Said{
			Status:  http.StatusServiceUnavailable,
			Message: fmt.Sprintf("Login by %q is not possible at the moment.", down.Provider),
			Cure: "Try again in a minute, or log in another way. Sessions that exist go on. " +
				"Whoever runs Signalbox finds the reason in its log.",
		}, true
	case errors.As(err, &refused):
		return Said{Status: http.StatusForbidden, Message: fmt.Sprintf("%q knows you, but you may not come in: %s.", refused.Provider, refused.Why), Cure: refused.Cure}, true
	case errors.Is(err, ErrUnauthenticated), errors.Is(err, ErrAgain):
		return Said{Status: http.StatusUnauthorized, Message: "Not logged in: " + ErrUnauthenticated.Error() + ".", Cure: "Try again."}, true
	}
	return Said{}, false
}

// Sayable says whether something can be a name or a password: it is there, not too long, and prints.
func Sayable(s string, most int) bool {
	return s != "" && len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
