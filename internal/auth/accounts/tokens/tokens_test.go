package tokens

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

type world struct {
	*Tokens
	state  *state.Store
	now    time.Time
	policy *policy.Policy
	groups map[string][]string // of local users, as they are now
	writes int
	open   func() *Tokens
}

// counting says how often the use of tokens was written.
type counting struct {
	*state.Store
	w *world
}

func (c counting) TokensSeen(ctx context.Context, seen []store.Seen) error {
	c.w.writes += len(seen)
	return c.Store.TokensSeen(ctx, seen)
}

var epoch = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func start(t *testing.T) *world {
	t.Helper()
	st, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	p, err := policy.New(policy.Config{Bindings: []policy.Binding{
		{Groups: []string{"pay"}, Grant: access.Grant{Role: policy.Editor, Namespaces: []string{"pay", "pay-eu"}}},
		{Groups: []string{"all"}, Grant: access.Grant{Role: policy.Viewer}},
		{Groups: []string{"everywhere"}, Grant: access.Grant{Role: policy.Responder, Tenants: []string{"*"}}},
		{Groups: []string{"acme"}, Grant: access.Grant{Role: policy.Admin, Tenants: []string{"acme"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{state: st, now: epoch, policy: p, groups: map[string][]string{"user:ann": {"pay"}, "user:root": {"signalbox:admin"}}}
	w.open = func() *Tokens {
		k, err := Open(t.Context(), DefaultConfig(), Deps{
			Store: counting{st, w}, Now: func() time.Time { return w.now }, May: w.may, Tenants: func() []string { return []string{"default", "acme", "secret"} },
			Current: func(id access.Identity) (access.Identity, bool) {
				groups, ok := w.groups[id.Subject]
				id.Groups = groups
				return id, ok
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	w.Tokens = w.open()
	return w
}

func (w *world) may(id access.Identity, p access.Permission, tenant string) (bool, access.Scope) {
	d := w.policy.Decide(id, p, tenant)
	return d.Allowed, d.Scope
}

func (w *world) person(name string) access.Identity {
	return access.Identity{Subject: "user:" + name, Name: name, Kind: access.User, Provider: policy.Local, Groups: w.groups["user:"+name], Session: "s"}
}

func viewPay() Order {
	return Order{Name: "grafana", Grants: []access.Grant{{Role: policy.Viewer, Namespaces: []string{"pay"}}}}
}

func (w *world) made(t *testing.T, who string, o Order) (string, store.Token) {
	t.Helper()
	text, v, err := w.Make(t.Context(), w.person(who), o)
	if err != nil {
		t.Fatal(err)
	}
	return text, v
}

func (w *world) is(t *testing.T, text string, want error) {
	t.Helper()
	if _, err := w.Identify(text, "192.0.2.1"); !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
}

func TestATokenIsKnownByItsTextAlone(t *testing.T) {
	w := start(t)
	text, v := w.made(t, "ann", viewPay())
	id, err := w.Identify(text, "192.0.2.1")
	if err != nil || id.Subject != "token:"+v.ID || id.Kind != access.Token || id.Owner == nil || id.Owner.Subject != "user:ann" || id.Session != v.ID {
		t.Fatalf("%+v %v", id, err)
	}
	if v.Hash != "" || !v.Expires.Equal(epoch.Add(90*24*time.Hour)) || v.Maker != "user:ann" || v.Owner.Session != "" {
		t.Errorf("%+v", v)
	}
	other, _ := w.made(t, "ann", viewPay())
	last := "A"
	if text[len(text)-sumLength-1] == 'A' {
		last = "B"
	}
	forged := text[:len(text)-sumLength-1] + last
	for _, wrong := range []string{
		"", v.ID, text[1:], text + "0", strings.ToUpper(text), forged + sumOf(forged), other[:len(Prefix)+idLength] + text[len(Prefix)+idLength:],
	} {
		w.is(t, wrong, login.ErrUnauthenticated)
	}
	kept, err := w.state.Tokens(t.Context())
	if err != nil || strings.Contains(kept[0].Hash, text[len(Prefix)+idLength+1:]) || kept[0].Hash == "" {
		t.Error("the text itself is kept", err)
	}
	w.Tokens = w.open()
	w.is(t, text, nil)
	w.now = v.Expires.Add(-1)
	w.is(t, text, nil)
	w.now = v.Expires
	w.is(t, text, login.ErrExpired)
	if _, _, err := w.Rotate(t.Context(), "user:ann", v.ID, nil); err == nil {
		t.Error("what has expired is rotated")
	}
	w.now = v.Expires.Add(30 * day)
	if err := w.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.is(t, text, login.ErrUnauthenticated)
}

func TestWhichTokensAreMade(t *testing.T) {
	w := start(t)
	grants := func(g ...access.Grant) []access.Grant { return g }
	for _, c := range []struct {
		name  string
		who   access.Identity
		order Order
		want  string // of the error; "" is made
	}{
		{"all that one may", w.person("ann"), Order{Name: "x", Grants: grants(access.Grant{Role: policy.Editor, Namespaces: []string{"pay", "pay-eu"}})}, ""},
		{"an agent's of an administrator", w.person("root"), Order{Name: "x", Grants: grants(access.Grant{Role: policy.Ingest}), Service: true}, ""},
		{"every tenant of an administrator", w.person("root"), Order{Name: "x", Grants: grants(access.Grant{Role: policy.Admin, Tenants: []string{"*"}})}, ""},
		{"a year", w.person("ann"), Order{Name: "x", Grants: viewPay().Grants, Lifetime: 365 * day}, ""},
		{"another role", w.person("ann"), Order{Name: "x", Grants: grants(access.Grant{Role: policy.Admin, Namespaces: []string{"pay"}})}, "which you may not"},
		{"what sends", w.person("ann"), Order{Name: "x", Grants: grants(access.Grant{Role: policy.Ingest, Namespaces: []string{"pay"}})}, "which you may not"},
		{"another namespace", w.person("ann"), Order{Name: "x", Grants: grants(access.Grant{Role: policy.Viewer, Namespaces: []string{"pay", "trade"}})}, "which you may not"},
		{"every namespace", w.person("ann"), Order{Name: "x", Grants: grants(access.Grant{Role: policy.Viewer})}, "which you may not"},
		{"another tenant", w.person("ann"), Order{Name: "x", Grants: grants(access.Grant{Role: policy.Viewer, Tenants: []string{"acme"}, Namespaces: []string{"pay"}})}, "which you may not"},
		{"every tenant", w.person("ann"), Order{Name: "x", Grants: grants(access.Grant{Role: policy.Viewer, Tenants: []string{"*"}, Namespaces: []string{"pay"}})}, "which you may not"},
		{"one of several too much", w.person("ann"), Order{Name: "x", Grants: append(viewPay().Grants, access.Grant{Role: policy.Admin})}, "grants[1]"},
		{"a service account's of who does not manage", w.person("ann"), Order{Name: "x", Grants: viewPay().Grants, Service: true}, login.ErrForbidden.Error()},
		{"a role that there is not", w.person("ann"), Order{Name: "x", Grants: grants(access.Grant{Role: "boss"})}, "no role"},
		{"no grants", w.person("ann"), Order{Name: "x"}, "grants:"},
		{"no name", w.person("ann"), Order{Name: " ", Grants: viewPay().Grants}, "name:"},
		{"an empty namespace", w.person("root"), Order{Name: "x", Grants: grants(access.Grant{Role: policy.Viewer, Namespaces: []string{""}})}, "none of them empty"},
		{"for ever", w.person("ann"), Order{Name: "x", Grants: viewPay().Grants, Lifetime: 366 * day}, "lifetime:"},
		{"for a moment", w.person("ann"), Order{Name: "x", Grants: viewPay().Grants, Lifetime: time.Second}, "lifetime:"},
		{"by a token", access.Identity{Subject: "token:x", Kind: access.Token, Grants: viewPay().Grants}, viewPay(), login.ErrForbidden.Error()},
		{"by a link", access.Identity{Subject: "user:root", Kind: access.Link, Provider: policy.Local, Groups: []string{"signalbox:admin"}}, viewPay(), login.ErrForbidden.Error()},
		{"by nobody", access.Identity{Kind: access.Nobody}, viewPay(), login.ErrForbidden.Error()},
	} {
		_, _, err := w.Make(t.Context(), c.who, c.order)
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A token for a tenant that there is not would wake up once there is one. Nobody learns from the refusal which other tenants there are.
func TestATokenIsForTenantsThatThereAre(t *testing.T) {
	w := start(t)
	w.groups["user:mia"] = []string{"acme"}
	order := func(who, tenant string) string {
		_, _, err := w.Make(t.Context(), w.person(who), Order{Name: "x", Grants: []access.Grant{{Role: policy.Viewer, Tenants: []string{tenant}}}})
		if err == nil {
			return ""
		}
		return err.Error()
	}
	for _, c := range []struct{ who, tenant, want string }{
		{"root", "acme", ""},
		{"root", "*", ""},
		{"root", "acm", `grants[0]: there is no tenant "acm": choose of default, acme, secret`},
		{"root", "default|acme", `grants[0]: there is no tenant "default|acme": choose of default, acme, secret`},
		{"mia", "acme", ""},
		{"mia", "secret", order("mia", "nowhere")},
	} {
		if got := order(c.who, c.tenant); got != c.want {
			t.Errorf("%s for %s: %q, want %q", c.who, c.tenant, got, c.want)
		}
	}
	if text := order("mia", "nowhere"); !strings.Contains(text, "may not") || strings.Contains(text, "secret") {
		t.Errorf("%q", text)
	}
}

// Whatever is bound to somebody and whatever they order: no token may what its maker may not, when it is made and after their
// groups have changed.
func TestATokenNeverExceedsItsOwner(t *testing.T) {
	w := start(t)
	groups := []string{"pay", "all", "everywhere", "acme", "signalbox:admin", "signalbox:ingest", "signalbox:viewer"}
	some := rapid.SliceOfDistinct(rapid.SampledFrom(groups), func(g string) string { return g })
	grant := rapid.Custom(func(t *rapid.T) access.Grant {
		return access.Grant{
			Role:       rapid.SampledFrom([]string{policy.Viewer, policy.Responder, policy.Editor, policy.Admin, policy.Ingest}).Draw(t, "role"),
			Tenants:    rapid.SliceOfDistinct(rapid.SampledFrom([]string{"default", "acme", "*"}), func(s string) string { return s }).Draw(t, "tenants"),
			Namespaces: rapid.SliceOfDistinct(rapid.SampledFrom([]string{"pay", "pay-eu", "trade"}), func(s string) string { return s }).Draw(t, "namespaces"),
		}
	})
	made := 0
	rapid.Check(t, func(t *rapid.T) {
		w.groups["user:ann"] = some.Draw(t, "groups")
		o := Order{Name: "x", Grants: rapid.SliceOfN(grant, 1, 3).Draw(t, "grants"), Service: rapid.Bool().Draw(t, "service")}
		text, v, err := w.Make(context.Background(), w.person("ann"), o)
		if err != nil {
			return
		}
		made++
		defer w.Revoke(context.Background(), "", v.ID)
		compare := func() {
			id, err := w.Identify(text, "x")
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range access.Permissions() {
				for _, tenant := range []string{"default", "acme", "another"} {
					got, own := w.policy.Decide(id, d.Permission, tenant), w.policy.Decide(w.person("ann"), d.Permission, tenant)
					if got.Allowed && (!own.Allowed || !covers(own.Scope, got.Scope)) {
						t.Fatalf("%s on %s: %+v, its maker %+v", d.Permission, tenant, got, own)
					}
				}
			}
		}
		compare()
		if !o.Service {
			w.groups["user:ann"] = some.Draw(t, "later")
			compare()
		}
	})
	if made == 0 {
		t.Error("no token was made: the test compares nothing")
	}
}

func TestATokenGoesWithItsOwner(t *testing.T) {
	w := start(t)
	text, v := w.made(t, "ann", viewPay())
	service, _ := w.made(t, "root", Order{Name: "agent", Grants: []access.Grant{{Role: policy.Ingest}}, Service: true})
	delete(w.groups, "user:ann")
	delete(w.groups, "user:root")
	w.is(t, text, login.ErrUnauthenticated)
	w.is(t, service, nil)
	if id, _ := w.Identify(service, "x"); id.Owner != nil {
		t.Error("a service account has an owner")
	}
	w.groups["user:ann"] = []string{"pay"}
	w.is(t, text, nil)
	owner := w.person("ann")
	owner.Groups = []string{"all"}
	if err := w.Refresh(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	if kept, _ := w.state.Tokens(t.Context()); !slices.ContainsFunc(kept, func(k store.Token) bool {
		return k.ID == v.ID && slices.Equal(k.Owner.Groups, []string{"all"})
	}) {
		t.Errorf("%+v", kept)
	}
}

func TestRotationOverlaps(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	first, v := w.made(t, "ann", viewPay())
	w.now = w.now.Add(10 * day)
	if _, _, err := w.Rotate(ctx, "user:bob", v.ID, nil); !errors.Is(err, store.ErrNotFound) {
		t.Error("somebody else's:", err)
	}
	second, got, err := w.Rotate(ctx, "user:ann", v.ID, nil)
	if err != nil || got.ID != v.ID || !got.Expires.Equal(w.now.Add(90*day)) || got.Hash+got.Former != "" {
		t.Fatalf("%+v %v", got, err)
	}
	w.is(t, first, nil)
	w.is(t, second, nil)
	w.Tokens = w.open()
	w.now = w.now.Add(day)
	w.is(t, first, login.ErrUnauthenticated)
	w.is(t, second, nil)
	none := time.Duration(0)
	third, _, err := w.Rotate(ctx, "user:ann", v.ID, &none)
	if err != nil {
		t.Fatal(err)
	}
	w.is(t, second, login.ErrUnauthenticated)
	w.is(t, third, nil)
	_, short, err := w.Make(ctx, w.person("ann"), Order{Name: "x", Grants: viewPay().Grants, Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	month := 30 * day
	if _, got, err := w.Rotate(ctx, "user:ann", short.ID, &month); err != nil || !got.FormerUntil.Equal(short.Expires) {
		t.Error("a rotation prolongs what leaked", got.FormerUntil, err)
	}
	for _, wrong := range []time.Duration{-1, 31 * day} {
		if _, _, err := w.Rotate(ctx, "user:ann", v.ID, &wrong); err == nil {
			t.Error("an overlap of", wrong)
		}
	}
	if _, _, err := w.Rotate(ctx, ServiceOwner, v.ID, nil); !errors.Is(err, store.ErrNotFound) {
		t.Error("whoever manages accounts learns a person's text:", err)
	}
}

func TestRevokedIsRevoked(t *testing.T) {
	w := start(t)
	ctx := t.Context()
	a, va := w.made(t, "ann", viewPay())
	b, vb := w.made(t, "ann", viewPay())
	c, _ := w.made(t, "root", viewPay())
	if err := w.Revoke(ctx, "user:root", va.ID); !errors.Is(err, store.ErrNotFound) {
		t.Error("somebody else's:", err)
	}
	if err := w.Revoke(ctx, "user:ann", va.ID); err != nil {
		t.Fatal(err)
	}
	w.is(t, a, login.ErrUnauthenticated)
	w.is(t, b, nil)
	if err := w.Revoke(ctx, "", vb.ID); err != nil {
		t.Error("an administrator:", err)
	}
	b, _ = w.made(t, "ann", viewPay())
	if w.RevokeOf(ctx, "") == nil {
		t.Error("everybody's at once")
	}
	if err := w.RevokeOf(ctx, "user:ann"); err != nil {
		t.Fatal(err)
	}
	w.Tokens = w.open()
	w.is(t, b, login.ErrUnauthenticated)
	w.is(t, c, nil)
	if len(w.List("user:ann")) != 0 || len(w.List("")) != 1 || w.List("")[0].Hash != "" {
		t.Errorf("%+v", w.List(""))
	}
}

func TestUseOfTokensIsWrittenOnceAMinute(t *testing.T) {
	w := start(t)
	text, v := w.made(t, "ann", viewPay())
	for range 1000 {
		w.now = w.now.Add(50 * time.Millisecond)
		w.is(t, text, nil)
	}
	if w.writes != 0 {
		t.Error("a request waits for the disk")
	}
	for range 2 {
		if err := w.Keep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	w.Tokens = w.open()
	if got := w.List("user:ann")[0]; w.writes != 1 || got.ID != v.ID || got.Remote != "192.0.2.1" || got.Seen.IsZero() {
		t.Errorf("%d %+v", w.writes, got)
	}
}

func TestTokensOfAnOwnerAreBounded(t *testing.T) {
	w := start(t)
	w.cfg.PerOwner = 2
	w.made(t, "ann", viewPay())
	w.made(t, "ann", viewPay())
	if _, _, err := w.Make(t.Context(), w.person("ann"), viewPay()); err == nil || !strings.Contains(err.Error(), "per_owner") {
		t.Error(err)
	}
	w.made(t, "root", viewPay())
}

func TestWhereATokenIsShown(t *testing.T) {
	text, _ := newText(newID())
	for _, c := range []struct {
		name, target string
		header       []string
		want         string
		err          error
	}{
		{"nowhere", "/", nil, "", nil},
		{"Bearer", "/", []string{"Bearer " + text}, text, nil},
		{"bearer", "/", []string{"bearer  " + text}, text, nil},
		{"somebody else's", "/", []string{"Bearer eyJ.x.y"}, "eyJ.x.y", nil},
		{"Basic", "/", []string{basic("anything", text)}, text, nil},
		{"Basic of a password", "/", []string{basic("ann", "a password")}, "", nil},
		{"Basic that is none", "/", []string{"Basic %%%"}, "", nil},
		{"twice", "/", []string{"Bearer " + text, "Bearer x"}, "", login.ErrUnauthenticated},
		{"in a query", "/?access_token=" + text, nil, "", login.ErrTokenInURL},
		{"in a query beside a header", "/?token=" + text, []string{"Bearer " + text}, "", login.ErrTokenInURL},
		{"in a path", "/x/" + text + "/y", nil, "", login.ErrTokenInURL},
		{"a search for what begins like one", "/?q=sbx_", []string{"Bearer " + text}, text, nil},
		{"a search for what looks like one", "/?q=" + text[:len(text)-1] + "x", []string{"Bearer " + text}, text, nil},
	} {
		r := httptest.NewRequest("GET", c.target, nil)
		for _, h := range c.header {
			r.Header.Add("Authorization", h)
		}
		if got, err := OfRequest(r); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q %v", c.name, got, err)
		}
	}
}

func basic(user, password string) string {
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

func FuzzParse(f *testing.F) {
	text, _ := newText(newID())
	f.Add(text)
	f.Add(text[:len(text)-1])
	f.Add("sbx_")
	f.Fuzz(func(t *testing.T, text string) {
		id, secret, ok := parse(text)
		if ok && text != Prefix+id+"_"+secret+sumOf(Prefix+id+"_"+secret) {
			t.Errorf("%q is taken for %q and %q", text, id, secret)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Authorization"] = []string{text}
		r.URL.RawQuery = text
		if _, err := OfRequest(r); err != nil && !errors.Is(err, login.ErrTokenInURL) {
			t.Error(err)
		}
	})
}

func TestConfig(t *testing.T) {
	if errs := DefaultConfig().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	if errs := (Config{Overlap: -1}).Validate(); len(errs) != 3 {
		t.Error(errs)
	}
}

func BenchmarkIdentify(b *testing.B) {
	k := &Tokens{cfg: DefaultConfig(), byID: map[string]*token{}, deps: Deps{Now: time.Now}}
	text, hash := newText("abcdefghijklmnop")
	k.byID["abcdefghijklmnop"] = &token{Token: store.Token{ID: "abcdefghijklmnop", Hash: hash, Expires: time.Now().Add(time.Hour), Seen: time.Now(), Remote: "x"}}
	for b.Loop() {
		if _, err := k.Identify(text, "x"); err != nil {
			b.Fatal(err)
		}
	}
}
