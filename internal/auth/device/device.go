// Package device logs a program in by the browser of its person, as RFC 8628 has it, whatever provider the person logs
// in by. It is the server's side of `signalbox login`.
//
// The program asks POST /auth/device/code for a code and shows it. The person opens /auth/device, is logged in like
// anywhere, compares the code and agrees. The program meanwhile asks POST /auth/device/token, every Interval seconds, until
// it gets a token or access_denied or expired_token. Codes are held in memory: a restart ends logins that have begun.
//
// In: forms. Out: JSON of RFC 6749 for the program, pages for the person. Invariants: a code is good once and for ten
// minutes; only a person with a session can agree, by a form of our own pages; the program's code is held as a hash.
// Start reading at Logins.
package device

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"html/template"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
)

const (
	life       = 10 * time.Minute
	interval   = 5 * time.Second
	maxWaiting = 1000
	maxGuesses = 100                    // of wrong codes, in the life of one
	letters    = "BCDFGHJKLMNPQRSTVWXZ" // no vowels, no words
	grantType  = "urn:ietf:params:oauth:grant-type:device_code"
)

// Deps are what logins of programs need from their surroundings.
type Deps struct {
	// External is the address at which browsers reach Signalbox.
	External *url.URL
	// Now is the clock.
	Now func() time.Time
	Log *slog.Logger
	// Who is the identity of a browser's session; false if it has none.
	Who func(*http.Request) (access.Identity, bool)
	// LoginPage is where a person logs in and comes back from to a path.
	LoginPage func(returnTo string) string
	// Issue makes a token for a program of a person, which asked from an address.
	Issue func(ctx context.Context, of access.Identity, from string) (token string, until time.Time, err error)
}

// Logins are those of programs that wait for their persons. Safe for concurrent use.
type Logins struct {
	deps  Deps
	cross *http.CrossOriginProtection

	mu      sync.Mutex
	waiting map[[sha256.Size]byte]*waiting // by the hash of the program's code
	guesses int
	since   time.Time // when guesses were counted from
}

// waiting is a program that waits.
type waiting struct {
	code   string // what the person compares
	from   string // the address that the program asked from
	until  time.Time
	next   time.Time // before which it must not ask
	pause  time.Duration
	by     *access.Identity // who agreed
	denied bool
}

// New makes an empty one.
func New(deps Deps) *Logins {
	return &Logins{deps: deps, cross: http.NewCrossOriginProtection(), waiting: map[[sha256.Size]byte]*waiting{}}
}

// ServeCode answers POST /auth/device/code, which needs nobody.
func (l *Logins) ServeCode(w http.ResponseWriter, r *http.Request) {
	secret, code := rand.Text(), newCode()
	if from, _, err := net.SplitHostPort(r.RemoteAddr); err != nil || !l.begin(secret, code, from) {
		answer(w, http.StatusServiceUnavailable, map[string]any{"error": "temporarily_unavailable", "error_description": "too many programs wait for their persons: try again in some minutes"})
		return
	}
	page := l.deps.External.JoinPath("auth", "device")
	complete := *page
	complete.RawQuery = url.Values{"user_code": {code}}.Encode()
	answer(w, http.StatusOK, map[string]any{
		"device_code": secret, "user_code": code, "verification_uri": page.String(), "verification_uri_complete": complete.String(),
		"expires_in": int(life.Seconds()), "interval": int(interval.Seconds()),
	})
}

func (l *Logins) begin(secret, code, from string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.deps.Now()
	for k, w := range l.waiting {
		if !now.Before(w.until) {
			delete(l.waiting, k)
		}
	}
	if len(l.waiting) >= maxWaiting || l.find(code) != nil {
		return false
	}
	l.waiting[sha256.Sum256([]byte(secret))] = &waiting{code: code, from: from, until: now.Add(life), pause: interval}
	return true
}

// newCode is what a person can compare and type: BCDF-GHJK.
func newCode() string {
	b := make([]byte, 0, 9)
	for i := range 8 {
		if i == 4 {
			b = append(b, '-')
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			return "" // never: the program would have ended
		}
		b = append(b, letters[n.Int64()])
	}
	return string(b)
}

// find is the program of a person's code, as people type it; the lock is held.
func (l *Logins) find(code string) *waiting {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(letters, r) {
				return r
			}
			return -1
		}, strings.ToUpper(s))
	}
	for _, w := range l.waiting {
		if plain(w.code) == plain(code) && l.deps.Now().Before(w.until) {
			return w
		}
	}
	return nil
}

// ServeToken answers POST /auth/device/token, by which the program asks whether its person agreed.
func (l *Logins) ServeToken(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("grant_type") != grantType {
		answer(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	by, from, problem := l.take(r.PostFormValue("device_code"))
	if problem != "" {
		answer(w, http.StatusBadRequest, map[string]any{"error": problem})
		return
	}
	token, until, err := l.deps.Issue(r.Context(), *by, from)
	if err != nil {
		l.deps.Log.Error("no token could be made for a program", "subject", by.Subject, "err", err)
		answer(w, http.StatusInternalServerError, map[string]any{"error": "server_error"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(until.Sub(l.deps.Now()).Seconds())})
}

// take is who agreed, or the word of RFC 8628 for why there is nobody. What is answered for good is forgotten.
func (l *Logins) take(secret string) (by *access.Identity, from, problem string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key, now := sha256.Sum256([]byte(secret)), l.deps.Now()
	w := l.waiting[key]
	switch {
	case w == nil:
		return nil, "", "invalid_grant"
	case !now.Before(w.until):
		delete(l.waiting, key)
		return nil, "", "expired_token"
	case w.denied:
		delete(l.waiting, key)
		return nil, "", "access_denied"
	case now.Before(w.next):
		w.pause += interval
		w.next = now.Add(w.pause)
		return nil, "", "slow_down"
	case w.by == nil:
		w.next = now.Add(w.pause)
		return nil, "", "authorization_pending"
	}
	delete(l.waiting, key)
	return w.by, w.from, ""
}

func answer(w http.ResponseWriter, status int, v map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever asked may be gone
}

var page = template.Must(template.New("device").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Signalbox: let a program in</title></head><body><main>
<h1>Let a program in</h1>
{{if .Text}}<p role="status">{{.Text}}</p>{{end}}
{{if .From}}<p>A program at {{.From}} asks to act as {{.Name}}. It shows the code <strong>{{.Code}}</strong>.</p>
<p>Agree only if you have just started it yourself and it shows this code. Nobody else has a reason to send you here.</p>
<form method="post" action="{{.Action}}"><input type="hidden" name="user_code" value="{{.Code}}">
<button name="answer" value="allow">Agree</button> <button name="answer" value="deny">Refuse</button></form>
{{else if .Ask}}<form method="get" action="{{.Action}}"><label>The code that the program shows <input name="user_code" autocomplete="off" required></label> <button>Go on</button></form>
{{end}}</main></body></html>
`))

// shown is what the page says.
type shown struct {
	Text, From, Name, Code, Action string
	Ask                            bool
}

// ServePage answers GET and POST /auth/device: the person compares the code and agrees.
func (l *Logins) ServePage(w http.ResponseWriter, r *http.Request) {
	id, ok := l.deps.Who(r)
	if !ok || id.Kind != access.User {
		http.Redirect(w, r, l.deps.LoginPage("/auth/device?"+url.Values{"user_code": {r.FormValue("user_code")}}.Encode()), http.StatusSeeOther)
		return
	}
	if err := l.cross.Check(r); err != nil {
		l.show(w, http.StatusForbidden, shown{Text: "This was sent from another page. Open the address that the program shows."})
		return
	}
	code := r.FormValue("user_code")
	if code == "" {
		l.show(w, http.StatusOK, shown{Ask: true})
		return
	}
	from, status := l.look(code)
	switch {
	case status == http.StatusTooManyRequests:
		l.show(w, status, shown{Text: "Too many wrong codes were tried. Try again in ten minutes."})
	case status == http.StatusNotFound:
		l.show(w, status, shown{Text: "No program waits with this code: it was used, or is older than ten minutes. Start the program again.", Ask: true})
	case r.Method != http.MethodPost:
		l.show(w, http.StatusOK, shown{From: from, Name: id.Name, Code: strings.ToUpper(code)})
	default:
		l.show(w, http.StatusOK, shown{Text: l.decide(code, id, r.PostFormValue("answer") == "allow")})
	}
}

func (l *Logins) show(w http.ResponseWriter, status int, s shown) {
	s.Action = "/" + strings.TrimPrefix(l.deps.External.JoinPath("auth", "device").Path, "/") // JoinPath of an address without a path begins with none
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = page.Execute(w, s)
}

// look finds the program of a code; wrong ones are counted.
func (l *Logins) look(code string) (from string, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.deps.Now(); now.Sub(l.since) >= life {
		l.guesses, l.since = 0, now
	}
	if l.guesses >= maxGuesses {
		return "", http.StatusTooManyRequests
	}
	w := l.find(code)
	if w == nil || w.by != nil || w.denied {
		l.guesses++
		return "", http.StatusNotFound
	}
	return w.from, http.StatusOK
}

func (l *Logins) decide(code string, id access.Identity, allow bool) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.find(code)
	if w == nil || w.by != nil || w.denied {
		return "No program waits with this code any more."
	}
	l.deps.Log.Info("a person answered a program that asked to act as them", "subject", id.Subject, "allowed", allow, "from", w.from)
	if !allow {
		w.denied = true
		return "Refused. The program gets nothing."
	}
	w.by = &id
	return "Done: the program acts as " + id.Name + " from now on. You can close this page."
}
