package sessions

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/keys"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

type world struct {
	*Sessions
	state   *state.Store
	now     time.Time
	off     map[string]bool // subjects that are disabled
	writes  int
	recheck func(login.Login) (login.Login, error)
	open    func() *Sessions
}

// counting says how often the use of sessions was written.
type counting struct {
	*state.Store
	w *world
}

func (c counting) SessionsSeen(ctx context.Context, seen []store.Seen) error {
	c.w.writes += len(seen)
	return c.Store.SessionsSeen(ctx, seen)
}

var epoch = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func start(t *testing.T) *world {
	t.Helper()
	st, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	k, _, err := keys.Open(t.TempDir(), epoch, nil)
	if err != nil {
		t.Fatal(err)
	}
	box, err := k.Box("sessions")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{state: st, now: epoch, off: map[string]bool{}}
	w.open = func() *Sessions {
		s, err := Open(t.Context(), DefaultConfig(), Deps{
			Store: counting{st, w}, Now: func() time.Time { return w.now }, Box: box,
			Current: func(id access.Identity) (access.Identity, bool) { return id, !w.off[id.Subject] },
			Recheck: func(_ context.Context, was login.Login) (login.Login, error) { return w.recheck(was) },
		})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	w.Sessions = w.open()
	return w
}

func person(name string) login.Login {
	return login.Login{Identity: access.Identity{Subject: "user:" + name, Name: name, Kind: access.User, Provider: "corp", Groups: []string{"a"}}}
}

func (w *world) begin(t *testing.T, l login.Login) (string, store.Session) {
	t.Helper()
	secret, v, err := w.Start(t.Context(), l, "192.0.2.1", "browser")
	if err != nil {
		t.Fatal(err)
	}
	return secret, v
}

func (w *world) is(t *testing.T, secret string, want error) {
	t.Helper()
	if _, err := w.Identify(secret, "192.0.2.1"); !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
}

func TestASessionIsKnownByItsSecretAlone(t *testing.T) {
	w := start(t)
	secret, v := w.begin(t, person("ann"))
	id, err := w.Identify(secret, "192.0.2.1")
	if err != nil || id.Subject != "user:ann" || id.Session != v.ID {
		t.Fatal(id, err)
	}
	other, _ := w.begin(t, person("ann"))
	if other == secret {
		t.Error("a login takes over the session before")
	}
	for _, wrong := range []string{"", v.ID, v.Hash, secret[1:], secret + "A", strings.ToLower(secret), strings.Repeat("A", keys.SecretLength)} {
		w.is(t, wrong, login.ErrUnauthenticated)
	}
	kept, err := w.state.Sessions(t.Context())
	if err != nil || kept[0].Hash == secret || strings.Contains(kept[0].Hash, secret) || kept[0].Hash == "" {
		t.Error("the secret itself is kept", err)
	}
	for _, s := range w.List("") {
		if s.Hash != "" {
			t.Error("a list shows hashes")
		}
	}
	w.Sessions = w.open()
	w.is(t, secret, nil)
	w.off["user:ann"] = true
	w.is(t, secret, login.ErrUnauthenticated)
}

func TestASessionSlidesAndEnds(t *testing.T) {
	w := start(t)
	secret, v := w.begin(t, person("ann"))
	idle, _ := w.begin(t, person("bob"))
	for range 14 { // every 11 h 59 m for a week
		w.now = w.now.Add(12*time.Hour - time.Minute)
		if w.now.Before(v.Expires) {
			w.is(t, secret, nil)
		}
	}
	w.is(t, idle, login.ErrExpired)
	w.now = v.Expires.Add(-1)
	w.is(t, secret, nil)
	w.now = v.Expires
	w.is(t, secret, login.ErrExpired)
	if err := w.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.is(t, secret, login.ErrUnauthenticated)
	if kept, _ := w.state.Sessions(t.Context()); len(kept) != 0 {
		t.Error("what is over is kept", kept)
	}
}

// Use is written once a minute, whatever is asked meanwhile, and slides on after a restart.
func TestUseIsWrittenOnceAMinute(t *testing.T) {
	w := start(t)
	secret, _ := w.begin(t, person("ann"))
	for minute := range 3 {
		for range 1000 {
			w.now = w.now.Add(50 * time.Millisecond)
			if _, err := w.Identify(secret, "198.51.100.7"); err != nil {
				t.Fatal(err)
			}
		}
		if w.writes != minute {
			t.Errorf("%d writes before minute %d is over", w.writes, minute)
		}
		if err := w.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Keep(t.Context()); err != nil || w.writes != 3 {
		t.Error("without use it writes", w.writes, err)
	}
	seen := w.now
	w.Sessions = w.open()
	if got := w.List("user:ann")[0]; got.Remote != "198.51.100.7" || seen.Sub(got.Seen) > time.Minute {
		t.Errorf("%+v", got)
	}
	if !w.Known("user:ann", "198.51.100.7") || w.Known("user:ann", "192.0.2.1") || w.Known("user:bob", "198.51.100.7") {
		t.Error("known addresses")
	}
}

func TestSessionsEndAtOnce(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	a, va := w.begin(t, person("ann"))
	b, vb := w.begin(t, person("ann"))
	c, vc := w.begin(t, person("bob"))
	if err := w.End(ctx, "user:ann", vc.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error("somebody else's:", err)
	}
	if err := w.End(ctx, "user:ann", va.ID); err != nil {
		t.Fatal(err)
	}
	w.is(t, a, login.ErrUnauthenticated)
	w.is(t, b, nil)
	a, _ = w.begin(t, person("ann"))
	if n, err := w.EndOf(ctx, "user:ann", vb.ID); n != 1 || err != nil {
		t.Error(n, err)
	}
	w.is(t, a, login.ErrUnauthenticated)
	w.is(t, b, nil)
	w.is(t, c, nil)
	if err := w.End(ctx, "", vc.ID); err != nil {
		t.Error("an administrator:", err)
	}
	w.is(t, c, login.ErrUnauthenticated)
	l, ok, err := w.Forget(ctx, b)
	if !ok || err != nil || l.Subject != "user:ann" {
		t.Error(l, ok, err)
	}
	if _, ok, _ := w.Forget(ctx, b); ok {
		t.Error("it is ended twice")
	}
	w.Sessions = w.open()
	for _, secret := range []string{a, b, c} {
		w.is(t, secret, login.ErrUnauthenticated)
	}
}

// Whoever asks at the moment in which a session ends does not bring it back.
func TestAnEndedSessionDoesNotComeBack(t *testing.T) {
	w := start(t)
	for range 20 {
		secret, v := w.begin(t, person("ann"))
		w.now = w.now.Add(2 * time.Second)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				_, _ = w.Identify(secret, "198.51.100.1")
				_ = w.Keep(t.Context())
			})
		}
		wg.Go(func() { _ = w.End(t.Context(), "", v.ID) })
		wg.Wait()
		w.is(t, secret, login.ErrUnauthenticated)
	}
	if kept, err := w.state.Sessions(t.Context()); len(kept) != 0 || err != nil {
		t.Error(len(kept), err)
	}
}

func TestTheOldestOfTooManyEnds(t *testing.T) {
	w := start(t)
	first, _ := w.begin(t, person("ann"))
	var last string
	for range DefaultConfig().PerUser {
		w.now = w.now.Add(time.Second)
		last, _ = w.begin(t, person("ann"))
	}
	w.is(t, first, login.ErrUnauthenticated)
	w.is(t, last, nil)
	if n := len(w.List("user:ann")); n != DefaultConfig().PerUser {
		t.Error(n)
	}
}

// A provider is asked again: groups change, who is gone is out, a provider that is down changes nothing.
func TestProvidersAreAskedAgain(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	l := person("ann")
	l.Ref, l.Sid, l.Keep, l.Recheck, l.Ends = "guid", "sid", secretfile.Of("refresh"), epoch.Add(time.Hour), epoch.Add(48*time.Hour)
	secret, v := w.begin(t, l)
	if !v.Expires.Equal(l.Ends) || strings.Contains(v.Kept, "refresh") || v.Kept == "" {
		t.Errorf("%+v", v)
	}
	asked := 0
	answer, problem := l, error(nil)
	w.recheck = func(was login.Login) (login.Login, error) {
		asked++
		if was.Keep.Text() != "refresh" || was.Ref != "guid" || was.Sid != "sid" || was.Subject != "user:ann" {
			t.Errorf("asked about %+v", was)
		}
		return answer, problem
	}
	if err := w.RecheckDue(ctx); err != nil || asked != 0 {
		t.Error("it asks early", asked, err)
	}
	w.Sessions = w.open() // what is needed to ask survives a restart
	w.now = epoch.Add(time.Hour)
	problem = &login.Unavailable{Provider: "corp", Err: errors.New("down")}
	if err := w.RecheckDue(ctx); err == nil || asked != 1 {
		t.Error("nobody says that it is down", asked)
	}
	w.is(t, secret, nil)
	if err := w.RecheckDue(ctx); err != nil || asked != 1 {
		t.Error("it asks without a pause", asked, err)
	}
	w.now = w.now.Add(again)
	answer.Groups, answer.Recheck, problem = []string{"b"}, w.now.Add(time.Hour), nil
	if err := w.RecheckDue(ctx); err != nil || asked != 2 {
		t.Error(asked, err)
	}
	if id, err := w.Identify(secret, "192.0.2.1"); err != nil || id.Groups[0] != "b" {
		t.Error(id, err)
	}
	w.Sessions = w.open()
	if id, _ := w.Identify(secret, "192.0.2.1"); id.Groups[0] != "b" {
		t.Error("the groups are the old ones after a restart")
	}
	w.now = w.now.Add(time.Hour)
	problem = login.ErrUnauthenticated
	if err := w.RecheckDue(ctx); err != nil {
		t.Error(err)
	}
	w.is(t, secret, login.ErrUnauthenticated)
}

// A provider that hangs costs each round a few questions, not one for each of its people, and the people of others are asked about.
func TestAProviderThatHangsHoldsUpNoOther(t *testing.T) {
	w := start(t)
	for n := range 2 * patience {
		for _, provider := range []string{"hangs", "answers"} {
			l := person(fmt.Sprint(provider, n))
			l.Provider, l.Keep, l.Recheck = provider, secretfile.Of("refresh"), epoch
			w.begin(t, l)
		}
	}
	asked := map[string]int{}
	w.recheck = func(was login.Login) (login.Login, error) {
		asked[was.Provider]++
		if was.Provider == "hangs" {
			return was, &login.Unavailable{Provider: "hangs", Err: context.DeadlineExceeded}
		}
		was.Recheck = was.Recheck.Add(time.Hour)
		return was, nil
	}
	if err := w.RecheckDue(t.Context()); err == nil || asked["hangs"] != patience || asked["answers"] != 2*patience {
		t.Error(asked, err)
	}
	if err := w.RecheckDue(t.Context()); err == nil || asked["hangs"] != 2*patience || asked["answers"] != 2*patience {
		t.Error("the next round asks about those who are left:", asked, err)
	}
	if got := len(w.List("")); got != 4*patience {
		t.Errorf("%d sessions are left", got)
	}
}

func TestAProviderEndsItsSessions(t *testing.T) {
	w := start(t)
	begin := func(ref, sid string) string {
		l := person("ann")
		l.Ref, l.Sid = ref, sid
		secret, _ := w.begin(t, l)
		return secret
	}
	one, two, other := begin("r", "1"), begin("r", "2"), begin("q", "1")
	for _, c := range []struct{ provider, ref, sid string }{{"corp", "", ""}, {"else", "r", "1"}, {"corp", "r", "3"}} {
		if _, err := w.EndLogins(t.Context(), c.provider, c.ref, c.sid); err != nil {
			t.Fatal(err)
		}
	}
	w.is(t, one, nil)
	_, _ = w.EndLogins(t.Context(), "corp", "r", "1")
	w.is(t, one, login.ErrUnauthenticated)
	w.is(t, two, nil)
	w.is(t, other, nil)
	_, _ = w.EndLogins(t.Context(), "corp", "r", "")
	w.is(t, two, login.ErrUnauthenticated)
	w.is(t, other, nil)
}

func TestCookies(t *testing.T) {
	plain := httptest.NewRequest("GET", "http://localhost/", nil)
	overTLS := httptest.NewRequest("GET", "https://sb.example/", nil)
	overTLS.TLS = &tls.ConnectionState{}
	for _, c := range []struct {
		name   string
		cookie string
		got    string
	}{
		{"loopback", "signalbox=s; Path=/; Expires=Mon, 30 Nov 2026 12:00:00 GMT; HttpOnly; SameSite=Lax", Cookies{}.Set(plain, "s", epoch).String()},
		{"TLS", "__Host-signalbox=s; Path=/; Expires=Mon, 30 Nov 2026 12:00:00 GMT; HttpOnly; Secure; SameSite=Lax", Cookies{}.Set(overTLS, "s", epoch).String()},
		{"TLS ends before us", "__Host-signalbox=s; Path=/; Expires=Mon, 30 Nov 2026 12:00:00 GMT; HttpOnly; Secure; SameSite=Lax", Cookies{Secure: true}.Set(plain, "s", epoch).String()},
		{"taken away", "signalbox=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", Cookies{}.Set(plain, "", epoch).String()},
	} {
		if c.got != c.cookie {
			t.Errorf("%s: %s", c.name, c.got)
		}
	}
	for _, c := range []struct {
		header, plain, secure string
	}{
		{"", "", ""},
		{"signalbox=a", "a", ""},
		{"__Host-signalbox=a", "", "a"},
		{"signalbox=a; __Host-signalbox=b", "a", "b"},
		{"signalbox=planted; signalbox=a", "", ""},
		{"__Host-signalbox=x; __Host-signalbox=a", "", ""},
		{"other=a", "", ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", c.header)
		if p, s := (Cookies{}).Secret(r), (Cookies{Secure: true}).Secret(r); p != c.plain || s != c.secure {
			t.Errorf("%q: %q and %q", c.header, p, s)
		}
	}
}

func FuzzCookie(f *testing.F) {
	f.Add("signalbox=a; signalbox=b", "x")
	f.Add("signalbox=\"a\"", strings.Repeat("A", keys.SecretLength))
	s := &Sessions{cfg: DefaultConfig(), deps: Deps{Now: func() time.Time { return epoch }}, byHash: map[string]*session{}, byID: map[string]*session{}}
	f.Fuzz(func(t *testing.T, header, secret string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", header)
		for _, text := range []string{secret, Cookies{}.Secret(r), Cookies{Secure: true}.Secret(r)} {
			if id, err := s.Identify(text, "x"); !errors.Is(err, login.ErrUnauthenticated) || id.Subject != "" {
				t.Errorf("%q opens %+v, %v", text, id, err)
			}
		}
		if got := short(secret); len(got) > maxAgent || !strings.HasPrefix(secret, got) {
			t.Errorf("%q became %q", secret, got)
		}
	})
}

func TestConfig(t *testing.T) {
	if errs := DefaultConfig().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	if errs := (Config{}).Validate(); len(errs) != 2 {
		t.Error(errs)
	}
}

func BenchmarkIdentify(b *testing.B) {
	s := &Sessions{cfg: DefaultConfig(), byHash: map[string]*session{}, byID: map[string]*session{}, deps: Deps{
		Now: time.Now, Current: func(id access.Identity) (access.Identity, bool) { return id, true },
	}}
	secret := strings.Repeat("A", keys.SecretLength)
	s.add(store.Session{ID: "1", Hash: keys.Hash(secret), Expires: time.Now().Add(time.Hour), Seen: time.Now(), Remote: "x"})
	for b.Loop() {
		if _, err := s.Identify(secret, "x"); err != nil {
			b.Fatal(err)
		}
	}
}

// What a provider says of a person holds for their programs, about which it cannot be asked itself.
func TestAProgramsSessionGoesWithItsPersons(t *testing.T) {
	w := start(t)
	ann := person("corp/ann")
	ann.Ref, ann.Sid, ann.Keep = "1", "s1", secretfile.Of("refresh")
	ann.Recheck, ann.Ends = epoch.Add(time.Minute), epoch.Add(time.Hour)
	_, browser := w.begin(t, ann)
	below, err := w.Below(browser.ID)
	if err != nil || below.Subject != ann.Subject || !below.Ends.Equal(ann.Ends) || len(below.Keep.Bytes()) > 0 || !below.Recheck.IsZero() {
		t.Fatalf("%+v %v", below, err)
	}
	program, _ := w.begin(t, below)
	bob := person("corp/bob")
	bob.Ref = "2"
	others, _ := w.begin(t, bob)
	now := ann
	now.Groups, now.Recheck = []string{"b"}, epoch.Add(3*time.Minute)
	w.recheck = func(login.Login) (login.Login, error) { return now, nil }
	w.now = epoch.Add(2 * time.Minute)
	if err := w.RecheckDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if id, err := w.Identify(program, ""); err != nil || len(id.Groups) != 1 || id.Groups[0] != "b" {
		t.Errorf("%+v %v", id, err)
	}
	w.recheck = func(login.Login) (login.Login, error) { return login.Login{}, login.ErrUnauthenticated }
	w.now = epoch.Add(4 * time.Minute)
	if err := w.RecheckDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.is(t, program, login.ErrUnauthenticated)
	w.is(t, others, nil)
	if _, err := w.Below(browser.ID); err == nil {
		t.Error("a session that has ended begins another")
	}
}
