package oidc

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

var keycloakURL = flag.String("keycloak", "", "log in by the Keycloak at this address, whose administrator is admin with the password admin; makes a realm there")

// keycloak is a real Keycloak's administration.
type keycloak struct {
	t     *testing.T
	token string
}

func (k *keycloak) call(method, below string, body any) *http.Response {
	k.t.Helper()
	var b bytes.Buffer
	if body != nil {
		_ = json.NewEncoder(&b).Encode(body)
	}
	req, _ := http.NewRequest(method, *keycloakURL+"/admin/realms"+below, &b)
	req.Header.Set("Authorization", "Bearer "+k.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode >= 300 && (method != "DELETE" || resp.StatusCode != 404) {
		k.t.Fatalf("%s %s: %v %v", method, below, err, resp)
	}
	return resp
}

func (k *keycloak) make(below string, body any) (id string) {
	resp := k.call("POST", below, body)
	resp.Body.Close()
	return path.Base(resp.Header.Get("Location"))
}

type m = map[string]any

func TestRealKeycloak(t *testing.T) {
	if *keycloakURL == "" {
		t.Skip("NOT TESTED here: start a Keycloak and give its address by -keycloak")
	}
	resp, err := http.PostForm(*keycloakURL+"/realms/master/protocol/openid-connect/token", url.Values{"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {"admin"}, "password": {"admin"}})
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&answer)
	resp.Body.Close()
	k := &keycloak{t, answer.AccessToken}
	var down atomic.Bool // what stands before it answers nothing
	to, err := url.Parse(*keycloakURL)
	if err != nil {
		t.Fatal(err)
	}
	hands := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		hands.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	s := newSite(t)
	k.call("DELETE", "/signalbox-test", nil).Body.Close()
	k.make("", m{"realm": "signalbox-test", "enabled": true, "sslRequired": "none"})
	const realm = "/signalbox-test"
	groups := m{"name": "groups", "protocol": "openid-connect", "protocolMapper": "oidc-group-membership-mapper", "config": m{"claim.name": "groups", "full.path": "false", "id.token.claim": "true", "access.token.claim": "true", "userinfo.token.claim": "true"}}
	k.make(realm+"/clients", m{
		"clientId": "signalbox", "secret": "of-the-client", "redirectUris": []string{s.server.URL + "/auth/oidc/main/callback"}, "protocolMappers": []any{groups},
		"attributes": m{
			"backchannel.logout.url": s.server.URL + "/auth/oidc/main/backchannel-logout", "backchannel.logout.session.required": "true",
			"post.logout.redirect.uris": s.server.URL + "/", "pkce.code.challenge.method": "S256",
		},
	})
	group := k.make(realm+"/groups", m{"name": "sre"})
	user := k.make(realm+"/users", m{
		"username": "ann", "enabled": true, "email": "ann@example.org", "emailVerified": true, "firstName": "Ann", "lastName": "Example", "groups": []string{"/sre"},
		"credentials": []any{m{"type": "password", "value": "pw-ann"}},
	})
	secret := filepath.Join(t.TempDir(), "secret")
	_ = os.WriteFile(secret, []byte("of-the-client"), 0o600)
	s.configure(Config{Name: "main", Profile: Keycloak, Issuer: proxy.URL + "/realms/signalbox-test", ClientID: "signalbox", ClientSecretFile: secret, Allowed: Allowed{Groups: []string{"sre"}}})
	comeIn := func(b *browser) shown {
		p := b.do("GET", s.server.URL+"/auth/oidc/main/start?return_to=/services", nil)
		if f := formAction.FindStringSubmatch(p.text); f != nil {
			p = b.do("POST", strings.ReplaceAll(f[1], "&amp;", "&"), url.Values{"username": {"ann"}, "password": {"pw-ann"}})
		}
		return p
	}
	b := newBrowser(t)
	page := comeIn(b)
	l, ok := s.session(b)
	if !ok || page.text != "you are at /services" || l.Subject != "user:ann" || l.Name != "Ann Example" || !slices.Equal(l.Groups, []string{"sre"}) || l.Recheck.IsZero() {
		t.Fatalf("%+v\n%s\n%s", l, page.text, &s.log)
	}
	if l, err = s.logins.Recheck(t.Context(), l); err != nil || !slices.Equal(l.Groups, []string{"sre"}) {
		t.Fatalf("%+v, %v", l, err)
	}
	k.call("DELETE", realm+"/users/"+user+"/groups/"+group, nil).Body.Close()
	var refused *login.Refused
	if _, err := s.logins.Recheck(t.Context(), l); !errors.As(err, &refused) {
		t.Errorf("out of the group: %v", err)
	}
	k.call("PUT", realm+"/users/"+user+"/groups/"+group, nil).Body.Close()
	// While it is down sessions go on and nobody new comes in; once it is back both work.
	down.Store(true)
	var unavailable *login.Unavailable
	if _, err := s.logins.Recheck(t.Context(), l); !errors.As(err, &unavailable) || !holds(s, b) {
		t.Errorf("down: %v, the session holds: %v", err, holds(s, b))
	}
	stranger := newBrowser(t)
	resp, err = stranger.Get(s.server.URL + "/auth/oidc/main/start")
	if err == nil {
		resp.Body.Close()
	}
	if holds(s, stranger) {
		t.Error("somebody comes in while it is down")
	}
	down.Store(false)
	if _, err = s.logins.Recheck(t.Context(), l); err != nil {
		t.Errorf("up again: %v", err)
	}
	// An administrator ends the person's sessions: the back channel tells us.
	k.make(realm+"/users/"+user+"/logout", nil)
	if holds(s, b) {
		t.Errorf("the session goes on\n%s", &s.log)
	}
	b = newBrowser(t)
	comeIn(b)
	l, _ = s.session(b)
	k.call("PUT", realm+"/users/"+user, m{"enabled": false, "username": "ann", "email": "ann@example.org", "firstName": "Ann", "lastName": "Example"}).Body.Close()
	if _, err := s.logins.Recheck(t.Context(), l); !errors.Is(err, login.ErrUnauthenticated) {
		t.Errorf("disabled: %v", err)
	}
	if page := b.do("POST", s.server.URL+"/leave", nil); holds(s, b) || page.text != "you are at /" {
		t.Errorf("%s %s", page.url, page.text)
	}
}
