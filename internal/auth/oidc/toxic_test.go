package oidc

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

// A provider that answers nonsense is one that is down; what it says beside is neither believed nor repeated.
func TestAProviderThatMisbehaves(t *testing.T) {
	write := func(status int, text string) func(http.ResponseWriter) bool {
		return func(w http.ResponseWriter) bool { w.WriteHeader(status); _, _ = w.Write([]byte(text)); return true }
	}
	cut := func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"access_token":"x"`))
		panic(http.ErrAbortHandler)
	}
	flood := func(w http.ResponseWriter) bool {
		for range 64 {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				break
			}
		}
		return true
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(make([]byte, 8<<20))
	_ = z.Close()
	bomb := func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
		return true
	}
	redirect := func(w http.ResponseWriter) bool {
		w.Header().Set("Location", "http://169.254.169.254/latest/meta-data")
		w.WriteHeader(302)
		return true
	}
	const discovery = "/.well-known/openid-configuration"
	for _, path := range []string{discovery, "/keys", "/token"} {
		for name, answer := range map[string]func(http.ResponseWriter) bool{
			"500": write(500, "hunter2"), "404": write(404, "hunter2"), "HTML": write(200, "<html>hunter2"), "empty": write(200, ""), "null": write(200, "null"),
			"a list": write(200, "[]"), "deep": write(200, strings.Repeat("[", 100000)), "cut": cut, "flood": flood, "bomb": bomb, "elsewhere": redirect, "{}": write(200, "{}"), "429": write(429, ""),
		} {
			f, key := newForger(t)
			f.token = func(nonce string) string {
				return f.sign(key, jose.RS256, "one", f.good(map[string]any{"nonce": nonce}))
			}
			f.answer[path] = answer
			s := newSite(t)
			s.configure(f.config())
			b := newBrowser(t)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var page shown
			if path == discovery {
				page = b.do("GET", s.server.URL+"/auth/oidc/main/start", nil)
			} else {
				page = f.comeBack(s, b, nil)
			}
			runtime.ReadMemStats(&after)
			ok := page.status == 503 || path == "/token" && page.status == 401
			if !ok || s.count() != 0 {
				t.Errorf("%s of %s: %d %s", name, path, page.status, page.text)
			}
			if strings.Contains(page.text, "hunter2") || path == "/token" && strings.Contains(s.log.String(), "hunter2") {
				t.Errorf("%s of %s is repeated: %s %s", name, path, page.text, &s.log)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 100<<20 && name != "flood" {
				t.Errorf("%s of %s: %d bytes", name, path, used)
			}
		}
	}
}

// Endpoints that a provider describes get secrets and say who somebody is: only protected ones count.
func TestDescriptionsThatAreNotTrusted(t *testing.T) {
	for name, more := range map[string]map[string]any{
		"another issuer":       {"issuer": "https://evil.example.org"},
		"unprotected keys":     {"jwks_uri": "http://keys.example.org/"},
		"keys in a file":       {"jwks_uri": "file:///etc/passwd"},
		"unprotected tokens":   {"token_endpoint": "http://token.example.org/"},
		"a script to log in":   {"authorization_endpoint": "javascript:alert(1)"},
		"a script to log out":  {"end_session_endpoint": "javascript:alert(1)"},
		"no keys":              {"jwks_uri": ""},
		"no place to log in":   {"authorization_endpoint": ""},
		"no place for tokens":  {"token_endpoint": ""},
		"keys are a number":    {"jwks_uri": 1},
		"methods are a number": {"token_endpoint_auth_methods_supported": 1},
	} {
		f, _ := newForger(t)
		f.more = more
		s := newSite(t)
		s.configure(f.config())
		_, err := s.logins.providers["main"].find(t.Context())
		var down *login.Unavailable
		if !errors.As(err, &down) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f, _ := newForger(t)
	f.more = map[string]any{"authorization_response_iss_parameter_supported": true}
	f.token = func(string) string { return "" }
	s := newSite(t)
	s.configure(f.config())
	if page := f.comeBack(s, newBrowser(t), nil); page.status != 401 || !strings.Contains(s.log.String(), "another provider's") {
		t.Errorf("it names itself, and this answer doesn't: %d %s", page.status, &s.log)
	}
}

// What userinfo says counts only for whom the token is of.
func TestUserinfoOfSomebodyElse(t *testing.T) {
	f, key := newForger(t)
	f.token = func(nonce string) string {
		return f.sign(key, jose.RS256, "one", f.good(map[string]any{"nonce": nonce, "groups": nil}))
	}
	s := newSite(t)
	s.configure(f.config())
	if page := f.comeBack(s, newBrowser(t), nil); page.status != 401 || s.count() != 0 {
		t.Errorf("%d %s", page.status, &s.log)
	}
	f.answer["/userinfo"] = func(w http.ResponseWriter) bool {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"sub":"1","groups":["ops"],"preferred_username":"ceo"}`)
		return true
	}
	b := newBrowser(t)
	f.comeBack(s, b, nil)
	if l, ok := s.session(b); !ok || l.Subject != "user:ann" || len(l.Groups) != 1 || l.Groups[0] != "ops" {
		t.Errorf("what is in the token stays: %+v\n%s", l, &s.log)
	}
}

// Whatever token somebody shows, only the provider's signature makes it one.
func FuzzBearer(f *testing.F) {
	f.Add("")
	f.Add("a.b.c")
	f.Add(b64(`{"alg":"none"}`) + "." + b64(`{"iss":"ISSUER","aud":"https://signalbox.example.org"}`) + ".")
	f.Add(b64(`{"alg":"RS256","kid":"one","jku":"http://evil","jwk":{"kty":"oct","k":"AA"}}`) + "." + b64(`{"iss":"ISSUER","exp":9999999999}`) + ".AA")
	f.Fuzz(func(t *testing.T, token string) {
		p, _ := newForger(t)
		l, err := New([]Config{p.machines()}, newSite(t).deps())
		if err != nil {
			t.Fatal(err)
		}
		id, _, err := l.Bearer(t.Context(), strings.ReplaceAll(token, b64("ISSUER"), b64(p.server.URL)))
		if id.Subject != "" {
			t.Errorf("%q is %+v, %v", token, id, err)
		}
	})
}
