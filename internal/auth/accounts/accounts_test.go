package accounts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/password"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/tokens"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

type world struct {
	*Service
	state *state.Store
	now   time.Time
	reg   *prometheus.Registry // of the hashes
	audit []model.AuditEntry
	open  func() *Service
	deps  Deps
}

var epoch = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

const (
	good  = "a passphrase of ann"
	other = "another of her own"
)

var here = From{Remote: "192.0.2.1", Agent: "browser"}

func start(t *testing.T) *world {
	t.Helper()
	st, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	w := &world{state: st, now: epoch}
	var mu sync.Mutex
	w.deps = Deps{
		Store: st, Dir: filepath.Join(t.TempDir(), "auth"), Now: func() time.Time { return w.now },
		May: func(access.Identity, access.Permission, string) (bool, access.Scope) {
			return true, access.Scope{All: true}
		},
		Record: func(_ context.Context, e model.AuditEntry) {
			mu.Lock()
			defer mu.Unlock()
			w.audit = append(w.audit, e)
		},
	}
	w.open = func() *Service {
		s, err := New(t.Context(), DefaultConfig(), w.deps)
		if err != nil {
			t.Fatal(err)
		}
		w.reg = prometheus.NewRegistry()
		if s.hasher, err = password.New(password.Config{MemoryKiB: 64, Iterations: 1, Parallelism: 1, AtOnce: 4}, w.reg); err != nil {
			t.Fatal(err)
		}
		return s
	}
	w.Service = w.open()
	return w
}

// add makes a user with a password.
func (w *world) add(t *testing.T, name, text string, groups ...string) {
	t.Helper()
	_, path, err := w.AddUser(t.Context(), "user:root", name, Change{Groups: &groups})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ChoosePassword(t.Context(), strings.TrimPrefix(path, setupPath), text, here); err != nil {
		t.Fatal(err)
	}
}

func (w *world) hashes(t *testing.T) int {
	t.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return int(families[0].GetMetric()[0].GetCounter().GetValue())
}

func (w *world) logs(t *testing.T, name, text string, want error) Started {
	t.Helper()
	s, err := w.Login(t.Context(), name, text, here)
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
	return s
}

func (w *world) is(t *testing.T, s Started, want error) access.Identity {
	t.Helper()
	id, err := w.Sessions.Identify(s.Secret, here.Remote)
	if !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
	return id
}

// The first start has no password; its link makes one administrator, once, within a day.
func TestTheFirstAdministrator(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	for _, p := range []string{"", "admin", "signalbox", "password"} {
		w.logs(t, "admin", p, login.ErrUnauthenticated)
	}
	old, ok := w.FirstAdmin()
	if !ok || !strings.HasPrefix(old, "/setup#first-") {
		t.Fatal(old, ok)
	}
	path, _ := w.FirstAdmin()
	link := strings.TrimPrefix(path, setupPath)
	for what, c := range map[string]struct {
		link, name, text string
		want             error
	}{
		"an older link": {strings.TrimPrefix(old, setupPath), "ann", good, login.ErrLink},
		"another link":  {"first-" + strings.Repeat("A", 52), "ann", good, login.ErrLink},
		"no link":       {"first-", "ann", good, login.ErrLink},
	} {
		if _, err := w.Redeem(ctx, c.link, c.name, c.text, here); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.now = w.now.Add(time.Hour) // forgotten by the throttle
	if _, err := w.Redeem(ctx, link, "ann", "short", here); err == nil {
		t.Error("a short password")
	}
	if _, err := w.Redeem(ctx, link, "Ann Smith", good, here); err == nil {
		t.Error("a name with a blank")
	}
	s, err := w.Redeem(ctx, link, " Ann ", good, here)
	if err != nil {
		t.Fatal("what was wrong before used the link up:", err)
	}
	if id := w.is(t, s, nil); id.Subject != "user:ann" || !slices.Equal(id.Groups, []string{AdminGroup}) || id.Provider != Provider {
		t.Errorf("%+v", id)
	}
	if _, err := w.Redeem(ctx, link, "eve", good, here); !errors.Is(err, login.ErrLink) {
		t.Error("twice:", err)
	}
	w.Service = w.open()
	if _, ok := w.FirstAdmin(); ok {
		t.Error("there is an administrator")
	}
	w.logs(t, "ann", good, nil)
	disabled := true
	if _, err := w.ChangeUser(ctx, "user:root", "ann", Change{Disabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	path, ok = w.FirstAdmin()
	if !ok {
		t.Fatal("nobody can let anybody in")
	}
	w.now = w.now.Add(24 * time.Hour)
	if _, err := w.Redeem(ctx, strings.TrimPrefix(path, setupPath), "bob", good, here); !errors.Is(err, login.ErrLink) {
		t.Error("after a day:", err)
	}
}

func TestOneOfManyBecomesTheFirst(t *testing.T) {
	w := start(t)
	path, _ := w.FirstAdmin()
	var wg sync.WaitGroup
	won := make(chan string, 8)
	for i := range 8 {
		wg.Go(func() {
			from := From{Remote: fmt.Sprint("192.0.2.", i)}
			if _, err := w.Redeem(t.Context(), strings.TrimPrefix(path, setupPath), fmt.Sprint("ann", i), good, from); err == nil {
				won <- "x"
			}
		})
	}
	wg.Wait()
	if len(won) != 1 || len(w.Users()) != 1 {
		t.Error(len(won), w.Users())
	}
}

// An unknown name, a disabled one, one without a password and a wrong password are one answer, and cost one hash each.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	w := start(t)
	w.add(t, "ann", good)
	w.add(t, "off", good)
	disabled := true
	if _, err := w.ChangeUser(t.Context(), "user:root", "off", Change{Disabled: &disabled}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.AddUser(t.Context(), "user:root", "new", Change{}); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, c := range [][2]string{{"ann", "wrong"}, {"nobody", "wrong"}, {"nobody", good}, {"off", good}, {"off", "wrong"}, {"new", ""}, {"new", good}, {"\x00", "\x00"}} {
		before := w.hashes(t)
		_, err := w.Login(t.Context(), c[0], c[1], here)
		if n := w.hashes(t) - before; n != 1 {
			t.Errorf("%q costs %d hashes", c, n)
		}
		texts = append(texts, fmt.Sprint(err, login.Says(err)))
	}
	if len(slices.Compact(texts)) != 1 {
		t.Error(texts)
	}
	before := w.hashes(t)
	w.logs(t, " ANN ", good, nil)
	if n := w.hashes(t) - before; n != 1 {
		t.Errorf("a login costs %d hashes", n)
	}
	for _, e := range w.audit {
		if text := fmt.Sprint(e); strings.Contains(text, "nobody ") && strings.Contains(text, "user:nobody") || strings.Contains(text, good) {
			t.Error("the audit log has what was typed:", e)
		}
	}
}

// 10,000 guesses in an hour, from one address and from many: few are tried, whoever owns the account goes on.
func TestBruteForce(t *testing.T) {
	for name, address := range map[string]func(i int) string{
		"one address": func(int) string { return "198.51.100.1" }, "many": func(i int) string { return fmt.Sprintf("10.%d.%d.1", i/250, i%250) },
	} {
		w := start(t)
		w.add(t, "ann", good)
		s := w.logs(t, "ann", good, nil)
		w.is(t, s, nil)
		before, told := w.hashes(t), 0
		for i := range 10_000 {
			w.now = w.now.Add(360 * time.Millisecond)
			_, err := w.Login(t.Context(), "ann", fmt.Sprint("guess", i), From{Remote: address(i)})
			var wait *login.Throttled
			if errors.As(err, &wait) && wait.RetryAfter > 0 && wait.RetryAfter <= 5*time.Minute {
				told++
			}
		}
		if n := w.hashes(t) - before; n > 30 || told < 9_900 {
			t.Errorf("%s: %d guesses were tried, %d refused", name, n, told)
		}
		w.logs(t, "ann", good, nil) // from where she works
		kinds := map[string]int{}
		for _, e := range w.audit {
			kinds[e.Action]++
		}
		if kinds["login.refused"] == 0 || kinds["login.throttled"] == 0 || kinds["login.throttled"] > 40 {
			t.Error("the audit log:", kinds)
		}
		if testutil.ToFloat64(w.logins.WithLabelValues("throttled")) != float64(told) {
			t.Error("metrics say otherwise")
		}
	}
}

func TestANewPasswordEndsEverySession(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	w.add(t, "ann", good)
	one, two := w.logs(t, "ann", good, nil), w.logs(t, "ann", good, nil)
	id := w.is(t, one, nil)
	if _, err := w.ChangePassword(ctx, id, "wrong", other, here); !errors.Is(err, login.ErrUnauthenticated) {
		t.Error(err)
	}
	if _, err := w.ChangePassword(ctx, id, good, "short", here); err == nil {
		t.Error("a short one")
	}
	w.is(t, two, nil)
	now, err := w.ChangePassword(ctx, id, good, other, here)
	if err != nil {
		t.Fatal(err)
	}
	w.is(t, one, login.ErrUnauthenticated)
	w.is(t, two, login.ErrUnauthenticated)
	w.is(t, now, nil)
	w.Service = w.open()
	w.logs(t, "ann", good, login.ErrUnauthenticated)
	w.logs(t, "ann", other, nil)
	stranger := access.Identity{Subject: "user:ann", Kind: access.User, Provider: "corp"}
	token := access.Identity{Subject: "user:ann", Kind: access.Token, Provider: Provider}
	for _, id := range []access.Identity{stranger, token} {
		if _, err := w.ChangePassword(ctx, id, other, good, here); err == nil {
			t.Errorf("%+v changes ann's password", id)
		}
	}
}

func TestGroupsAndDisablingHoldAtOnce(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	w.add(t, "ann", good, "pay")
	w.add(t, "bob", good)
	s, b := w.logs(t, "ann", good, nil), w.logs(t, "bob", good, nil)
	shown, same := "Ann S.", []string{"pay"}
	if _, err := w.ChangeUser(ctx, "user:root", "ann", Change{Shown: &shown, Groups: &same}); err != nil {
		t.Fatal(err)
	}
	if id := w.is(t, s, nil); id.Name != "Ann S." {
		t.Errorf("%+v", id)
	}
	more := []string{"signalbox:admin", "pay", "pay"}
	u, err := w.ChangeUser(ctx, "user:root", "ann", Change{Groups: &more})
	if err != nil || !slices.Equal(u.Groups, []string{"pay", "signalbox:admin"}) || u.Password != "" {
		t.Fatal(u, err)
	}
	w.is(t, s, login.ErrUnauthenticated) // another privilege is another session
	s = w.logs(t, "ann", good, nil)
	text, _, err := w.Tokens.Make(ctx, w.is(t, s, nil), tokens.Order{Name: "x", Grants: []access.Grant{{Role: "viewer"}}})
	if err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	if _, err := w.ChangeUser(ctx, "user:ann", "ann", Change{Disabled: &yes}); err == nil {
		t.Error("herself")
	}
	if _, err := w.ChangeUser(ctx, "user:root", "ann", Change{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	w.is(t, s, login.ErrUnauthenticated)
	if _, err := w.Tokens.Identify(text, "x"); !errors.Is(err, login.ErrUnauthenticated) {
		t.Error("her token goes on:", err)
	}
	w.is(t, b, nil)
	if _, err := w.ChangeUser(ctx, "user:root", "ann", Change{Disabled: &no}); err != nil {
		t.Fatal(err)
	}
	w.is(t, s, login.ErrUnauthenticated) // for good
	if _, err := w.Tokens.Identify(text, "x"); err != nil {
		t.Error(err)
	}
	if err := w.DeleteUser(ctx, "user:ann", "ann"); err == nil {
		t.Error("herself")
	}
	if err := w.DeleteUser(ctx, "user:root", "ann"); err != nil {
		t.Fatal(err)
	}
	w.Service = w.open()
	if _, err := w.Tokens.Identify(text, "x"); !errors.Is(err, login.ErrUnauthenticated) {
		t.Error("her token outlives her:", err)
	}
	w.logs(t, "ann", good, login.ErrUnauthenticated)
	for _, err := range []error{w.DeleteUser(ctx, "x", "ann"), func() error { _, err := w.ChangeUser(ctx, "x", "ann", Change{}); return err }(), func() error { _, err := w.PasswordLink(ctx, "x", "ann"); return err }()} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	}
}

func TestALinkChoosesOnePassword(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	w.add(t, "ann", good)
	link := func() string {
		path, err := w.PasswordLink(ctx, "user:root", "Ann")
		if err != nil || !strings.HasPrefix(path, setupPath) {
			t.Fatal(path, err)
		}
		return strings.TrimPrefix(path, setupPath)
	}
	one, two := link(), link()
	w.logs(t, "ann", good, nil) // until it is used
	if _, err := w.ChoosePassword(ctx, one, "short", here); err == nil {
		t.Error("a short one")
	}
	s, err := w.ChoosePassword(ctx, one, other, here)
	if err != nil {
		t.Fatal(err)
	}
	w.is(t, s, nil)
	for what, l := range map[string]string{"used": one, "of the password before": two, "junk": "x.y", "of the console": "first-x"} {
		if _, err := w.ChoosePassword(ctx, l, good, here); !errors.Is(err, login.ErrLink) {
			t.Errorf("%s: %v", what, err)
		}
	}
	late := link()
	if err := w.DeleteUser(ctx, "user:root", "ann"); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Second)
	w.add(t, "ann", good)
	if _, err := w.ChoosePassword(ctx, late, other, here); !errors.Is(err, login.ErrLink) {
		t.Error("a link of another ann:", err)
	}
	late = link()
	w.now = w.now.Add(24 * time.Hour)
	if _, err := w.ChoosePassword(ctx, late, other, here); !errors.Is(err, login.ErrLink) {
		t.Error("after a day:", err)
	}
}

// Whoever reads the file that only the server's user reads, lets a user in again; nobody else, and once.
func TestRecovery(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	w.add(t, "ann", good)
	yes := true
	if _, err := w.ChangeUser(ctx, "user:root", "ann", Change{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(w.deps.Dir, RecoveryFile)
	proof := func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	first := proof()
	for _, wrong := range []string{"", "x", first[1:], first + "A"} {
		if _, err := w.Recover(ctx, wrong, "ann", here); !errors.Is(err, login.ErrUnauthenticated) {
			t.Error(wrong, err)
		}
	}
	if _, err := w.Recover(ctx, first, "eve", here); err == nil || !strings.Contains(err.Error(), "ann") {
		t.Error("it does not say who there is:", err)
	}
	if _, err := w.Recover(ctx, first, "ann", here); !errors.Is(err, login.ErrUnauthenticated) {
		t.Error("the same proof twice:", err)
	}
	link, err := w.Recover(ctx, proof(), "Ann", here)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ChoosePassword(ctx, strings.TrimPrefix(link, setupPath), other, here); err != nil {
		t.Fatal(err)
	}
	w.logs(t, "ann", other, nil)
	before := proof()
	w.Service = w.open()
	if proof() == before {
		t.Error("a backup of the folder holds a proof for ever")
	}
	w.now = w.now.Add(2 * time.Hour)
	for i := range 100 { // nobody guesses without end either
		_, err = w.Recover(ctx, fmt.Sprint("guess", i), "ann", here)
	}
	var wait *login.Throttled
	if !errors.As(err, &wait) {
		t.Error(err)
	}
}

func TestAPasswordIsHashedAnewWhenThatCostsMore(t *testing.T) {
	w := start(t)
	w.add(t, "ann", good)
	was, _ := w.user("ann")
	s := w.logs(t, "ann", good, nil)
	h, err := password.New(password.Config{MemoryKiB: 128, Iterations: 1, Parallelism: 1, AtOnce: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.hasher = h
	w.logs(t, "ann", "wrong", login.ErrUnauthenticated)
	if u, _ := w.user("ann"); u.Password != was.Password {
		t.Error("a wrong password is kept")
	}
	w.logs(t, "ann", good, nil)
	u, _ := w.user("ann")
	if !strings.Contains(u.Password, "m=128") || !u.Changed.Equal(was.Changed) {
		t.Errorf("%+v", u)
	}
	w.is(t, s, nil)
	w.logs(t, "ann", good, nil)
}

type directory map[string]error // by name; nil is right

func (d directory) Login(_ context.Context, name, _ string) (login.Login, error) {
	err, ok := d[name]
	if !ok {
		err = login.ErrUnauthenticated
	}
	return login.Login{Identity: access.Identity{Subject: "user:" + name + "@corp", Kind: access.User, Provider: "corp", Groups: []string{"pay", AdminGroup}}}, err
}

func TestDirectoriesKnowOthers(t *testing.T) {
	w := start(t)
	down := &login.Unavailable{Provider: "corp", Err: errors.New("down")}
	w.deps.Directories = []Directory{directory{"bob": down, "eve": down}, directory{"bob": nil, "ann": nil}}
	w.Service = w.open()
	w.add(t, "ann", good)
	if s := w.logs(t, "bob", "x", nil); !slices.Equal(w.is(t, s, nil).Groups, []string{"pay"}) {
		t.Error("a directory makes administrators")
	}
	w.logs(t, "ann", "x", login.ErrUnauthenticated) // a local user is nobody else
	w.logs(t, "carl", "x", login.ErrUnauthenticated)
	for range 20 { // that nobody can be asked is no failure of the person
		var un *login.Unavailable
		if _, err := w.Login(t.Context(), "eve", "x", here); !errors.As(err, &un) {
			t.Fatal(err)
		}
	}
}

func TestNames(t *testing.T) {
	w := start(t)
	for name, ok := range map[string]bool{
		"ann": true, "a.b+c@example.org": true, "1": true, "": false, ".x": false, "a b": false, "ann:x": false, "änn": false, "ANN2": true,
		strings.Repeat("a", 100): true, strings.Repeat("a", 101): false, "a\n": true, "a/b": false,
	} {
		_, _, err := w.AddUser(t.Context(), "x", name, Change{})
		if (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, _, err := w.AddUser(t.Context(), "x", "Ann", Change{}); err == nil {
		t.Error("one name twice")
	}
	long := strings.Repeat("x", 201)
	for _, c := range []Change{{Shown: &long}, {Groups: &[]string{""}}, {Groups: &[]string{" a"}}, {Groups: &[]string{long}}} {
		if _, _, err := w.AddUser(t.Context(), "x", "bob", c); err == nil {
			t.Errorf("%+v", c)
		}
	}
}

// Run keeps what was used every minute and once more at its end, and nothing is left behind.
func TestRun(t *testing.T) {
	w := start(t)
	w.add(t, "ann", good)
	s := w.logs(t, "ann", good, nil)
	seen := func() time.Time {
		list, err := w.state.Sessions(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(list, func(v store.Session) bool { return v.ID == s.Session.ID })
		return list[i].Seen
	}
	w.now = w.now.Add(time.Minute)
	w.is(t, s, nil)
	synctest.Test(t, func(t *testing.T) {
		fast := &Service{deps: w.Service.deps, Sessions: w.Sessions, Tokens: w.Tokens, Links: w.Links}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- fast.Run(ctx) }()
		time.Sleep(keepEvery - time.Second)
		if seen().Equal(w.now) {
			t.Error("it was written early")
		}
		stop()
		if err := <-done; err != nil || !seen().Equal(w.now) {
			t.Error("what was used last is lost", err)
		}
	})
}

func TestWhatIsAudited(t *testing.T) {
	w := start(t)
	w.add(t, "ann", good, "pay")
	s := w.logs(t, "ann", good, nil)
	w.logs(t, "ann", "wrong", login.ErrUnauthenticated)
	w.logs(t, "my password", "x", login.ErrUnauthenticated)
	if err := w.Logout(t.Context(), s.Secret); err != nil {
		t.Fatal(err)
	}
	if err := w.Logout(t.Context(), s.Secret); err != nil {
		t.Error("a second logout", err)
	}
	got := map[string]int{}
	for _, e := range w.audit {
		got[e.Actor+" "+e.Action+" "+e.Subject]++
		if text := fmt.Sprint(e); strings.Contains(text, "my password") || strings.Contains(text, s.Secret) || strings.Contains(text, "$argon2id") {
			t.Error(text)
		}
	}
	want := map[string]int{
		"user:root user.add user:ann": 1, "user:ann user.password user:ann": 1, "user:ann login user:ann": 2, "nobody login.refused user:ann": 1,
		"nobody login.refused user": 1, "user:ann logout user:ann": 1,
	}
	if !maps.Equal(got, want) {
		t.Error(got)
	}
}

func TestConfig(t *testing.T) {
	if errs := DefaultConfig().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	errs := Config{}.Validate()
	if len(errs) < 8 || !strings.HasPrefix(errs[0].Error(), "sessions.idle: ") {
		t.Error(errs)
	}
	if _, err := New(t.Context(), Config{}, Deps{}); err == nil {
		t.Error("it starts")
	}
}
