package app

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
)

// A drill goes out through the API, and the status says what became of it; no answer shows the secrets.
func TestADrillGoesOutAndTheStatusSaysHow(t *testing.T) {
	told := make(chan http.Header, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told <- r.Header
		if r.URL.Path == "/gone/T0KEN" {
			w.WriteHeader(http.StatusGone)
			_, _ = w.Write([]byte("no " + r.URL.Path))
		}
	}))
	t.Cleanup(hook.Close)
	g := startGuarded(t, map[string]string{
		"signalbox.yml": "channels: {webhook: {receivers: [{name: ops, url: \"" + hook.URL + "/hook\", secret: {file: secret}}, {name: gone, url_from: {file: gone}, secret: {file: secret}}]}}\n",
		"secret":        "S3CRET-OF-OPS\n", "gone": hook.URL + "/gone/T0KEN",
	}, func(*Options) {})
	ask := func(method, path, body string) (int, string) {
		a := g.ask(t, method, path, body, "Cookie", g.cookie, "Content-Type", "application/json")
		if strings.Contains(a.text, "S3CRET-OF-OPS") || strings.Contains(a.text, "T0KEN") {
			t.Errorf("%s shows a secret: %s", path, a.text)
		}
		return a.status, a.text
	}
	if status, text := ask("POST", "/sb/v1/channels/webhook/test", `{"address":"ops"}`); status != 200 || !strings.Contains(text, `"delivered":true`) || !strings.Contains(text, `"note":"status 200"`) {
		t.Fatal(status, text)
	}
	if h := <-told; !strings.HasPrefix(h.Get("X-Signalbox-Signature-256"), "sha256=") {
		t.Error(h)
	}
	for body, want := range map[string]string{`{"address":"gone"}`: "status 410", `{"address":"nobody"}`: "no receiver is called"} {
		if status, text := ask("POST", "/sb/v1/channels/webhook/test", body); status != 200 || !strings.Contains(text, `"delivered":false`) || !strings.Contains(text, want) {
			t.Error(status, text)
		}
	}
	if status, text := ask("POST", "/sb/v1/channels/fax/test", `{"address":"1"}`); status != 400 || !strings.Contains(text, "there are: webhook") {
		t.Error(status, text)
	}
	for _, path := range []string{"/sb/v1/channels", "/sb/v1/status"} {
		if status, text := ask("GET", path, ""); status != 200 || !strings.Contains(text, `"channel":"webhook"`) || !strings.Contains(text, `"last_success":"`) || !strings.Contains(text, "no receiver is called") {
			t.Error(path, status, text)
		}
	}
	last := 0
	for n := 0; last != http.StatusTooManyRequests && n < 1000; n++ { // however slow, more than one in ten seconds
		last, _ = ask("POST", "/sb/v1/channels/webhook/test", `{"address":"nobody"}`)
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("drills without an end: %d", last)
	}
	if entries, _ := g.entries(t); !slices.ContainsFunc(entries, func(e model.AuditEntry) bool { return e.Action == "channel.test" && e.Subject == "webhook" }) {
		t.Error(entries)
	}
	if a := g.ask(t, "POST", "/sb/v1/channels/webhook/test", `{"address":"ops"}`, "Content-Type", "application/json"); a.status != http.StatusUnauthorized {
		t.Errorf("nobody: %d", a.status)
	}
}
