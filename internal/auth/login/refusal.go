package login

import (
	"errors"
	"net/http"
	"time"
)

// What somebody showed and is refused for. The texts name the cure and tell nothing of accounts.
var (
	// ErrExpired is a session or a token that was right once.
	ErrExpired = errors.New("the session or token has expired")
	// ErrLink is a link that isn't ours, is too old or was used.
	ErrLink = errors.New("this link is not valid any more: it was used, is too old, or was cut off")
	// ErrTokenInURL is a token where proxies and browsers write it down.
	ErrTokenInURL = errors.New("a token must not stand in a URL, which is written into logs")
	// ErrForbidden is somebody who may not do what they ask.
	ErrForbidden = errors.New("you may not do this")
)

// Throttled is somebody who tried too often.
type Throttled struct{ RetryAfter time.Duration }

// Error implements error.
func (*Throttled) Error() string { return "too many attempts" }

// seconds are what Retry-After says, at least one.
func (t *Throttled) seconds() int {
	return max(1, int((t.RetryAfter+time.Second-1)/time.Second))
}

// saysOf is what to tell of a refusal; ok is false for other errors.
func saysOf(err error) (_ Said, ok bool) {
	var throttled *Throttled
	if errors.As(err, &throttled) {
		return Said{Status: http.StatusTooManyRequests, Message: "Too many attempts.", Cure: "Wait, then try again.", RetryAfter: throttled.seconds()}, true
	}
	for _, r := range []struct {
		err           error
		status        int
		message, cure string
	}{
		{ErrExpired, http.StatusUnauthorized, "The session or token has expired.", "Log in again, or make a new token."},
		{ErrLink, http.StatusUnauthorized, "This link is not valid any more: it was used, is too old, or was cut off.", "Ask for a new one."},
		{
			ErrTokenInURL, http.StatusBadRequest, "A token must not stand in a URL, which is written into logs.",
			"Revoke it, and send another as Authorization: Bearer.",
		},
		{ErrForbidden, http.StatusForbidden, "You may not do this.", "Ask an administrator for a role that may."},
	} {
		if errors.Is(err, r.err) {
			return Said{Status: r.status, Message: r.message, Cure: r.cure}, true
		}
	}
	return Said{}, false
}
