package router

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	prommodel "github.com/prometheus/common/model"
)

func TestTheStatusSaysWhichAlertmanagerThisIsAndShowsNoSecret(t *testing.T) {
	f := start(t, t.TempDir(), `
route: {receiver: hook}
receivers:
- name: hook
  webhook_configs:
  - url: https://u:SECRET@hook.example/x?token=SECRET
    http_config: {proxy_url: "http://u:SECRET@proxy.example", http_headers: {X-Api-Key: {values: [SECRET]}}}
  opsgenie_configs:
  - api_key: SECRET
    details: {token: SECRET}
`, func(d *Deps) { d.Build = Build{Version: "1.2.3", Revision: "abc"} })
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/api/v2/status", nil))
	var status struct {
		Config      struct{ Original string }
		VersionInfo map[string]string
		Uptime      time.Time
	}
	if err := json.Unmarshal(w.Body.Bytes(), &status); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	v := status.VersionInfo
	if !strings.HasPrefix(v["version"], "0.3") || v["revision"] != "abc" || v["branch"] != "signalbox-1.2.3" || !strings.HasPrefix(v["goVersion"], "go1.") || status.Uptime.IsZero() {
		t.Errorf("%+v", status)
	}
	if strings.Contains(w.Body.String(), "SECRET") || !strings.Contains(status.Config.Original, "receiver: hook") {
		t.Error(status.Config.Original)
	}
	if got := f.Muted(t.Context(), nil); got.HeldBack != "" {
		t.Errorf("%+v", got)
	}
}

func TestNothingIsSentBeforeTheStartDelayIsOver(t *testing.T) {
	h := newHook(t, nil)
	const delay = time.Second
	f := start(t, t.TempDir(), webhookConfig(h.URL), func(d *Deps) { d.Config.StartDelay = prommodel.Duration(delay) })
	send(t, f.Router, burn())
	c := h.await(t, "the first", delivered)
	if took := c.at.Sub(f.built); took < delay {
		t.Errorf("sent after %s, want at least %s", took, delay)
	}
	// A start that takes longer than the delay would leave none, if it counted from before.
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.start.Before(f.built.Add(delay)) {
		t.Error("the delay counts from before alerts can come in")
	}
	for _, bad := range []time.Duration{-time.Second, 2 * time.Hour} {
		if errs := (Config{StartDelay: prommodel.Duration(bad)}).Validate(); len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "start_delay:") {
			t.Errorf("%s: %v", bad, errs)
		}
	}
}
