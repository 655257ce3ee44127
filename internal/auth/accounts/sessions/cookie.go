package sessions

import (
	"net/http"
	"time"
)

// The names of the cookie. With the prefix a browser takes it over HTTPS alone, for this host and the whole path: no
// neighbour under the same domain can plant one.
const (
	secureName = "__Host-signalbox"
	plainName  = "signalbox"
)

// Cookies reads and writes the session's cookie.
type Cookies struct {
	// Secure says that users reach us over HTTPS, also where something before us ends it.
	Secure bool
}

func (c Cookies) secure(r *http.Request) bool { return c.Secure || r.TLS != nil }

// Secret is what a request shows, and "" for none. Of several cookies of the name none counts: one of them was planted.
func (c Cookies) Secret(r *http.Request) string {
	name := plainName
	if c.secure(r) {
		name = secureName
	}
	found := r.CookiesNamed(name)
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}

// Set is the cookie of a session, and the one that takes it away for secret "". It ends with the session, not with the browser:
// who is on call should not log in at night.
func (c Cookies) Set(r *http.Request, secret string, expires time.Time) *http.Cookie {
	out := &http.Cookie{Name: plainName, Value: secret, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Expires: expires}
	if c.secure(r) {
		out.Name, out.Secure = secureName, true
	}
	if secret == "" {
		out.MaxAge, out.Expires = -1, time.Time{}
	}
	return out
}
