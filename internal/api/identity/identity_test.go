package identity_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/api/identity"
	"github.com/signalbox-project/signalbox/internal/auth/accounts"
	"github.com/signalbox-project/signalbox/internal/auth/accounts/sessions"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

const good = "a passphrase of ann"

type world struct {
	*accounts.Service
	dir string
	h   http.Handler
}

type roles struct{ *policy.Policy }

func (r roles) May(id access.Identity, tenant string) []identity.Permission {
	var out []identity.Permission
	for _, l := range r.Explain(id, tenant) {
		out = append(out, identity.Permission(l))
	}
	return out
}

func (r roles) Roles() []identity.Role {
	var out []identity.Role
	for _, role := range r.Policy.Roles() {
		out = append(out, identity.Role(role))
	}
	return out
}

// start has everything but the front: who asks is whoever the cookie says.
func start(t *testing.T) *world {
	t.Helper()
	st, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	p, err := policy.New(policy.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{dir: t.TempDir()}
	cfg := accounts.DefaultConfig()
	cfg.Passwords.MemoryKiB, cfg.Passwords.Iterations, cfg.Passwords.Parallelism = 19<<10, 2, 1 // the least that is taken
	w.Service, err = accounts.New(t.Context(), cfg, accounts.Deps{
		Store: st, Dir: w.dir, May: func(id access.Identity, perm access.Permission, tenant string) (bool, access.Scope) {
			d := p.Decide(id, perm, tenant)
			return d.Allowed, d.Scope
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a, err := api.New(api.DefaultConfig(), api.Deps{Logger: slog.New(slog.DiscardHandler), Identity: identity.Deps{
		Accounts: w.Service, Users: w.Service, Sessions: w.Sessions, Tokens: w.Tokens, Policy: roles{p},
		Methods: func() []identity.Method {
			return []identity.Method{{Name: "local", Kind: "password", Shown: "Password"}}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	w.h = a.Handler()
	return w
}

// ask sends a request with a cookie, and answers what came with the cookie to send next.
func (w *world) ask(t *testing.T, cookie, method, path, body string, status int, into any) (next string) {
	t.Helper()
	r := httptest.NewRequest(method, "/sb/v1"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	if id, err := w.Sessions.Identify(sessions.Cookies{}.Secret(r), "192.0.2.1"); err == nil {
		r = r.WithContext(access.With(r.Context(), &access.Access{Identity: id, Tenant: "default", Notes: &access.Notes{}}))
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	if rec.Code != status {
		t.Fatalf("%s %s: %d %s", method, path, rec.Code, rec.Body)
	}
	if into != nil {
		if err := json.Unmarshal(rec.Body.Bytes(), into); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range rec.Result().Cookies() {
		if rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept by a cache", path)
		}
		cookie = c.Name + "=" + c.Value
	}
	return cookie
}

// admin is the cookie of the first administrator.
func (w *world) admin(t *testing.T) string {
	t.Helper()
	path, _ := w.FirstAdmin()
	_, link, _ := strings.Cut(path, "#")
	return w.ask(t, "", "POST", "/first-admin", `{"link":"`+link+`","name":"root","password":"`+good+`"}`, 200, nil)
}

func TestFromTheFirstLinkToATeam(t *testing.T) {
	w := start(t)
	w.ask(t, "", "POST", "/first-admin", `{"link":"first-x","name":"root","password":"`+good+`"}`, 401, nil)
	admin := w.admin(t)
	var me identity.MeResponse
	w.ask(t, admin, "GET", "/me", "", 200, &me)
	if me.Subject != "user:root" || me.Kind != access.User || len(me.Permissions) != len(access.Permissions()) || !me.Permissions[0].Allowed {
		t.Errorf("%+v", me)
	}
	var made identity.NewUserResponse
	w.ask(t, admin, "POST", "/users", `{"name":"ann","groups":["signalbox:viewer"]}`, 201, &made)
	w.ask(t, admin, "POST", "/users", `{"name":"ann"}`, 400, nil)
	_, link, _ := strings.Cut(made.Path, "#")
	w.ask(t, "", "POST", "/login", `{"name":"ann","password":"`+good+`"}`, 401, nil)
	w.ask(t, "", "POST", "/password", `{"link":"`+link+`","password":"short"}`, 400, nil)
	ann := w.ask(t, "", "POST", "/password", `{"link":"`+link+`","password":"`+good+`"}`, 200, nil)
	again := w.ask(t, "", "POST", "/login", `{"name":"ann","password":"`+good+`"}`, 200, nil)
	if again == ann {
		t.Error("a login goes on with the session before")
	}
	var list identity.SessionsResponse
	w.ask(t, ann, "GET", "/sessions", "", 200, &list)
	if len(list.Sessions) != 2 || list.Sessions[0].Current == list.Sessions[1].Current {
		t.Errorf("%+v", list)
	}
	third := w.ask(t, again, "POST", "/login", `{"name":"ann","password":"`+good+`"}`, 200, nil)
	w.ask(t, again, "GET", "/me", "", 200, &me)
	if third == again || me.Subject != "" {
		t.Error("the session before a login goes on", me)
	}
	again = third
	w.ask(t, ann, "DELETE", "/sessions", "", 200, nil)
	w.ask(t, again, "GET", "/me", "", 200, &me)
	if me.Subject != "" {
		t.Error("the other session goes on", me)
	}
	ann = w.ask(t, ann, "POST", "/me/password", `{"old":"`+good+`","password":"another one of hers"}`, 200, nil)
	w.ask(t, admin, "GET", "/admin/sessions", "", 200, &list)
	if len(list.Sessions) != 2 {
		t.Errorf("%+v", list)
	}
	var users identity.UsersResponse
	w.ask(t, admin, "PATCH", "/users/ann", `{"disabled":true}`, 200, nil)
	w.ask(t, admin, "GET", "/users", "", 200, &users)
	if len(users.Users) != 2 || !users.Users[0].Disabled || users.Users[0].PasswordChanged.IsZero() {
		t.Errorf("%+v", users)
	}
	w.ask(t, ann, "GET", "/me", "", 200, &me)
	if me.Subject != "" {
		t.Error("a disabled user goes on")
	}
	var path identity.LinkResponse
	w.ask(t, admin, "POST", "/users/ann/link", "", 200, &path)
	w.ask(t, admin, "DELETE", "/users/ann", "", 200, nil)
	w.ask(t, admin, "DELETE", "/users/ann", "", 404, nil)
	if next := w.ask(t, admin, "POST", "/logout", "", 200, nil); next != "signalbox=" {
		t.Error(next)
	}
	w.ask(t, "", "POST", "/logout", "", 200, nil) // nobody
	w.ask(t, admin, "GET", "/me", "", 200, &me)
	if me.Subject != "" {
		t.Error("logged out and in")
	}
}

func TestTokensOverHTTP(t *testing.T) {
	w := start(t)
	admin := w.admin(t)
	var made, turned identity.NewTokenResponse
	w.ask(t, admin, "POST", "/tokens", `{"name":"grafana","grants":[{"role":"viewer"}],"lifetime":"30d"}`, 201, &made)
	if !strings.HasPrefix(made.Text, "sbx_") || made.Token.Expires.Sub(made.Token.Created) != 30*24*time.Hour || made.Token.Owner != "user:root" {
		t.Errorf("%+v", made)
	}
	for body, want := range map[string]string{
		`{"name":"x","grants":[{"role":"boss"}]}`:                     "no role",
		`{"name":"x","grants":[{"role":"viewer"}],"lifetime":"long"}`: "not a duration",
		`{"name":"x","grants":[]}`:                                    "grants",
	} {
		var e struct{ Error struct{ Message string } }
		if w.ask(t, admin, "POST", "/tokens", body, 400, &e); !strings.Contains(e.Error.Message, want) {
			t.Errorf("%s: %s", body, e.Error.Message)
		}
	}
	w.ask(t, admin, "POST", "/tokens/"+made.Token.ID+"/rotate", `{"overlap":"0s"}`, 200, &turned)
	if turned.Text == made.Text {
		t.Error("the text is the same")
	}
	if _, err := w.Tokens.Identify(made.Text, "x"); err == nil {
		t.Error("an overlap of nothing")
	}
	var service identity.NewTokenResponse
	w.ask(t, admin, "POST", "/tokens", `{"name":"agent","grants":[{"role":"ingest"}],"service":true}`, 201, &service)
	var own, all identity.TokensResponse
	w.ask(t, admin, "GET", "/tokens", "", 200, &own)
	w.ask(t, admin, "GET", "/admin/tokens", "", 200, &all)
	if len(own.Tokens) != 1 || len(all.Tokens) != 2 {
		t.Error(own, all)
	}
	w.ask(t, admin, "POST", "/admin/tokens/"+made.Token.ID+"/rotate", `{}`, 404, nil)
	w.ask(t, admin, "POST", "/admin/tokens/"+service.Token.ID+"/rotate", `{}`, 200, nil)
	w.ask(t, admin, "DELETE", "/tokens/"+service.Token.ID, "", 404, nil)
	w.ask(t, admin, "DELETE", "/admin/tokens/"+service.Token.ID, "", 200, nil)
	w.ask(t, admin, "DELETE", "/tokens/"+made.Token.ID, "", 200, nil)
	w.ask(t, "", "GET", "/tokens", "", 200, &own)
	w.ask(t, "", "DELETE", "/tokens/x", "", 404, nil)
	if len(own.Tokens) != 0 {
		t.Error("nobody has tokens", own)
	}
}

func TestWhoeverGuessesWaits(t *testing.T) {
	w := start(t)
	var e struct {
		Error struct{ Code, Message string }
	}
	for range 5 {
		w.ask(t, "", "POST", "/login", `{"name":"ann","password":"guess"}`, 401, &e)
	}
	if e.Error.Code != "unauthenticated" {
		t.Error(e)
	}
	r := httptest.NewRequest("POST", "/sb/v1/login", strings.NewReader(`{"name":"ann","password":"guess"}`))
	r.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	if rec.Code != 429 || rec.Header().Get("Retry-After") != "1" {
		t.Error(rec.Code, rec.Header(), rec.Body)
	}
}

func TestRecoveryOverHTTP(t *testing.T) {
	w := start(t)
	w.admin(t)
	w.ask(t, "", "POST", "/recover", `{"proof":"x","name":"root"}`, 401, nil)
	proof := read(t, filepath.Join(w.dir, accounts.RecoveryFile))
	var out identity.LinkResponse
	w.ask(t, "", "POST", "/recover", `{"proof":"`+proof+`","name":"root"}`, 200, &out)
	_, link, _ := strings.Cut(out.Path, "#")
	w.ask(t, "", "POST", "/password", `{"link":"`+link+`","password":"another one of hers"}`, 200, nil)
}

func TestWithoutAccounts(t *testing.T) {
	a, err := api.New(api.DefaultConfig(), api.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{h: a.Handler(), Service: &accounts.Service{Sessions: none(t)}}
	var me identity.MeResponse
	w.ask(t, "", "GET", "/me", "", 200, &me)
	if me.Kind != access.Nobody || me.Tenant != "default" {
		t.Errorf("%+v", me)
	}
	var methods identity.MethodsResponse
	w.ask(t, "", "GET", "/login-methods", "", 200, &methods)
	w.ask(t, "", "POST", "/login", `{"name":"a","password":"b"}`, 404, nil)
	w.ask(t, "", "GET", "/roles", "", 404, nil)
	w = start(t)
	w.ask(t, "", "GET", "/login-methods", "", 200, &methods)
	var roles identity.RolesResponse
	w.ask(t, "", "GET", "/roles", "", 200, &roles)
	if len(methods.Methods) != 1 || len(roles.Roles) != len(policy.BuiltIn()) || len(roles.Permissions) != len(access.Permissions()) {
		t.Error(methods, roles)
	}
}

func none(t *testing.T) *sessions.Sessions {
	t.Helper()
	st, err := state.Open(t.Context(), state.Config{Dir: t.TempDir()}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	s, err := sessions.Open(context.Background(), sessions.DefaultConfig(), sessions.Deps{Store: st, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}
