package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

func TestItIsAServiceInItsOwnData(t *testing.T) {
	s := start(t, options{})
	eventually(t, func() error {
		if v, ok := s.value(`up{job="signalbox"}`); !ok || v != 1 {
			return fmt.Errorf("own metrics are not scraped yet (%v, %v)", v, ok)
		}
		return nil
	})
	eventually(t, func() error {
		var logs struct {
			Logs []model.LogRecord `json:"logs"`
		}
		s.get("/sb/v1/logs", url.Values{"q": {"service:signalbox ready"}}, &logs)
		if len(logs.Logs) == 0 {
			return fmt.Errorf("own logs are not stored yet")
		}
		return nil
	})
	eventually(t, func() error {
		_, text, _ := s.request(http.MethodGet, "/sb/v1/traces?q=service%3Asignalbox", "", nil)
		if !strings.Contains(text, `"root_service":"signalbox"`) {
			return fmt.Errorf("own traces are not stored yet: %s", text)
		}
		return nil
	})
}

func TestTheWatchdogAlwaysFires(t *testing.T) {
	s := start(t, options{})
	eventually(t, func() error {
		_, text, _ := s.request(http.MethodGet, "/api/v2/alerts?filter=alertname%3DWatchdog", "", nil)
		if !strings.Contains(text, `"alertname":"Watchdog"`) {
			return fmt.Errorf("no watchdog in %s", text)
		}
		return nil
	})
}

func TestOperationsEndpoints(t *testing.T) {
	s := start(t, options{})
	for path, want := range map[string]string{
		"/-/healthy":                    "healthy",
		"/-/ready":                      "ready",
		"/metrics":                      "signalbox_build_info",
		"/debug/pprof/":                 "goroutine",
		"/":                             "<!doctype html",
		"/slos/anything":                "<!doctype html", // the UI's own routes
		"/sb/v1/openapi.json":           `"openapi": "3.1`,
		"/api/v1/status/buildinfo":      `"status":"success"`,
		"/api/v1/status/flags":          "storage.tsdb.path",
		"/api/v1/rules":                 "Watchdog",
		"/api/v2/status":                `"cluster"`,
		"/jaeger/api/services":          `"data"`,
		"/api/v1/label/__name__/values": `"status":"success"`,
	} {
		status, text, _ := s.request(http.MethodGet, path, "", nil)
		if status != 200 || !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
			t.Errorf("GET %s: %d, want 200 with %q in %.300s", path, status, want, text)
		}
	}
	if err := s.stop(); err != nil {
		t.Errorf("SIGTERM: %v, want a clean end", err)
	}
}

func TestAlertStateAndSilencesSurviveKill9(t *testing.T) {
	dir := t.TempDir()
	s := start(t, options{dir: dir})
	body := fmt.Sprintf(`{"matchers":[{"name":"alertname","value":"DiskFull","isRegex":false,"isEqual":true}],"startsAt":%q,"endsAt":%q,"createdBy":"me","comment":"kept"}`,
		time.Now().Format(time.RFC3339), time.Now().Add(time.Hour).Format(time.RFC3339))
	if status, text, _ := s.request(http.MethodPost, "/api/v2/silences", jsonMedia, []byte(body)); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	var deploy model.Deploy
	s.post("/sb/v1/deploys", model.Deploy{Service: "edge", Version: "2.4.1"}, &deploy)
	s.kill()

	s = start(t, options{dir: dir})
	if _, text, _ := s.request(http.MethodGet, "/api/v2/silences", "", nil); !strings.Contains(text, `"comment":"kept"`) {
		t.Errorf("the silence is gone: %s", text)
	}
	if _, text, _ := s.request(http.MethodGet, "/sb/v1/deploys", "", nil); !strings.Contains(text, deploy.ID) {
		t.Errorf("the marker is gone: %s", text)
	}
}

// What pages, hooks and remedies link to must be routes of the UI, which answers every path
// with the same document.
func TestLinksLeadToRoutesOfTheUI(t *testing.T) {
	router, err := os.ReadFile("../../web/src/router.tsx")
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range []string{"/slos/$name", "/gate/$id", "/services/$name", "/graph"} {
		if !strings.Contains(string(router), `path: "`+route+`"`) {
			t.Errorf("the UI has no route %s", route)
		}
	}
}
