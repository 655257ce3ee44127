package sessions

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/store"
)

// programPrefix begins what a program of a person shows of its session, so that people and secret scanners know it.
const programPrefix = "sbs_"

// ForProgram is a session's secret as a program shows it.
func ForProgram(secret string) string { return programPrefix + secret }

// OfProgram is the secret of the session that a program shows as Authorization: Bearer.
func OfProgram(r *http.Request) (secret string, shown bool) {
	list := r.Header.Values("Authorization")
	if len(list) != 1 {
		return "", false
	}
	scheme, text, _ := strings.Cut(list[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.CutPrefix(strings.TrimSpace(text), programPrefix)
}

// Below is what a session knows, for another that its person begins from it: the other ends when it would have to, and with the
// provider's own session. A provider that needs a key of the session alone to look again is not asked about the other.
func (s *Sessions) Below(id string) (login.Login, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.byID[id]
	if e == nil || s.over(e.Session, s.deps.Now()) {
		return login.Login{}, fmt.Errorf("session: %w", store.ErrNotFound)
	}
	l := s.login(e.Session)
	if len(l.Keep.Bytes()) > 0 {
		l.Keep, l.Recheck = secretfile.Secret{}, time.Time{}
	}
	return l, nil
}

// unasked are the sessions of a person about which the provider is not asked itself: what it says of another of theirs holds for
// them. The lock is held.
func (s *Sessions) unasked(of store.Session) (ids []string) {
	for _, e := range s.byID {
		if of.Ref != "" && e.Ref == of.Ref && e.Identity.Provider == of.Identity.Provider && e.Recheck.IsZero() && e.ID != of.ID {
			ids = append(ids, e.ID)
		}
	}
	return ids
}
