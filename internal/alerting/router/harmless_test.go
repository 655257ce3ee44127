package router

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/alertmanager/template"

	"github.com/signalbox-project/signalbox/internal/model"
)

// A link that a browser would run reaches nobody, whichever way its alert came; the alert does.
func TestNoAlertBringsALinkThatRuns(t *testing.T) {
	hooked := make(chan template.Data, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var d template.Data
		if err := json.NewDecoder(r.Body).Decode(&d); err != nil {
			t.Error(err)
		}
		hooked <- d
	}))
	t.Cleanup(hook.Close)
	dir := t.TempDir()
	config := fmt.Sprintf("route: {receiver: team, group_by: [alertname], group_wait: 0s}\nreceivers: [{name: team, webhook_configs: [{url: %q}]}]\n", hook.URL)
	f := start(t, dir, config)
	ours := burn()
	ours.GeneratorURL = "javascript:alert(1)"
	ours.Annotations = model.Labels{"summary": "Data: 5 rows are missing", "runbook_url": " java\tscript:alert(1)", "dashboard": "https://x.example/d"}
	send(t, f.Router, ours)
	check := func(who string) {
		t.Helper()
		a := (<-hooked).Alerts[0]
		if a.GeneratorURL != "" || len(a.Annotations) != 2 || a.Annotations["summary"] == "" || a.Annotations["dashboard"] == "" {
			t.Errorf("%s: %+v", who, a)
		}
	}
	check("ours")
	body := `[{"labels":{"alertname":"Other"},"generatorURL":"data:text/html,x","annotations":{"summary":"s","dashboard":"https://x.example/d","link":"data:text/html;base64,x"}}]`
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/api/v2/alerts", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if f.Handler().ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	check("of another's")
	w = httptest.NewRecorder()
	f.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v2/alerts", nil))
	if text := w.Body.String(); strings.Contains(text, "script:") || strings.Contains(text, "data:text") || !strings.Contains(text, "Other") {
		t.Error(text)
	}
}
