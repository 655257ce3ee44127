package auth

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/auth/oidc"
	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

// Whoever is at their provider while Signalbox restarts comes back to a login that goes on.
func TestALoginThatWasBegunOutlivesARestart(t *testing.T) {
	var provider *httptest.Server
	provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"issuer": provider.URL, "authorization_endpoint": provider.URL + "/auth", "token_endpoint": provider.URL + "/token", "jwks_uri": provider.URL + "/jwks",
		})
	}))
	t.Cleanup(provider.Close)
	t.Setenv("SECRET_OF_CLIENT", "x")
	cfg := DefaultConfig()
	cfg.OIDC = []oidc.Config{{Name: "corp", Issuer: provider.URL, ClientID: "sb", ClientSecretEnv: "SECRET_OF_CLIENT"}}
	dir := t.TempDir()
	routes := func(keys string) map[string]http.HandlerFunc {
		st, err := state.Open(t.Context(), state.Config{Dir: filepath.Join(t.TempDir(), "state")}, state.Deps{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		ids, err := keeper(t).Open(t.Context(), cfg, Known{
			Store: st, Dir: filepath.Join(dir, keys), Logger: slog.New(slog.DiscardHandler), External: &url.URL{Scheme: "https", Host: "sb.example"}, Outgoing: outgoing.New(outgoing.Config{}),
		})
		if err != nil {
			t.Fatal(err)
		}
		return ids.Routes()
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/auth/oidc/corp/start", nil)
	r.SetPathValue("name", "corp")
	routes("one")["GET /auth/oidc/{name}/start"](w, r)
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusFound {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	back := func(keys string) string {
		r := httptest.NewRequest("GET", "/auth/oidc/corp/callback?"+url.Values{"state": {to.Query().Get("state")}, "error": {"access_denied"}}.Encode(), nil)
		r.SetPathValue("name", "corp")
		for _, c := range w.Result().Cookies() {
			r.AddCookie(c)
		}
		got := httptest.NewRecorder()
		routes(keys)["GET /auth/oidc/{name}/callback"](got, r)
		return got.Body.String()
	}
	if text := back("one"); !strings.Contains(text, "access_denied") {
		t.Errorf("after a restart: %s", text)
	}
	if text := back("another"); strings.Contains(text, "access_denied") {
		t.Errorf("of another installation: %s", text)
	}
}
