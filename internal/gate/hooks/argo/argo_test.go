package argo

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hooktest"
	"github.com/signalbox-project/signalbox/internal/model"
)

func newHook(t *testing.T, v model.Verdict, cfg Config) (*hooktest.Rooms, http.Handler) {
	t.Helper()
	rooms, kit := hooktest.New(t, v)
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	mux := http.NewServeMux()
	New(cfg, kit).Register(mux, "/hooks")
	return rooms, mux
}

// measure does what Argo Rollouts' web provider does with {$.verdict}: any 2xx
// is read as JSON, everything else is an error of the measurement.
func measure(t *testing.T, status int, answer string) (result string, failed bool) {
	t.Helper()
	if status/100 != 2 {
		return "", true
	}
	var v struct {
		Verdict string `json:"verdict"`
	}
	if err := json.Unmarshal([]byte(answer), &v); err != nil {
		t.Fatal(err)
	}
	return v.Verdict, false
}

func TestTheWebProviderReadsTheVerdict(t *testing.T) {
	for _, verdict := range []model.Verdict{model.VerdictAllow, model.VerdictBlock, model.VerdictHold, model.VerdictInsufficient} {
		rooms, h := newHook(t, verdict, Config{Enabled: true})
		want := model.GateRequest{Service: "edge", Environment: "prod", Version: "2.4.1", Critical: true, Actor: "argo-rollouts"}
		status, answer := hooktest.Serve(t, h, "GET", "/hooks/argo/verdict?service=edge&environment=prod&version=2.4.1&critical=true", "", nil)
		if got, failed := measure(t, status, answer); failed || got != string(verdict) {
			t.Errorf("GET: %d %s", status, answer)
		}
		status, answer = hooktest.Serve(t, h, "POST", "/hooks/argo/verdict", `{"service":"edge","environment":"prod","version":"2.4.1","critical":true}`, nil)
		if got, failed := measure(t, status, answer); failed || got != string(verdict) {
			t.Errorf("POST: %d %s", status, answer)
		}
		if d := cmp.Diff([]model.GateRequest{want, want}, rooms.Asked()); d != "" {
			t.Error(d)
		}
	}
}

func TestWhatIsNotAsDocumentedIsRefused(t *testing.T) {
	rooms, h := newHook(t, model.VerdictAllow, Config{Enabled: true})
	for _, c := range []struct{ method, query, body, want string }{
		{"GET", "", "", "service: missing"},
		{"GET", "?service=edge&env=prod", "", "env: unknown"},
		{"GET", "?service=edge&critical=maybe", "", "critical: must be true or false"},
		{"POST", "", `{"service":""}`, "service: missing"},
		{"POST", "", `{"service":"edge","env":"prod"}`, "unknown field"},
		{"POST", "", `{"service":5}`, "service: must be a string"},
		{"POST", "", ``, "not the JSON"},
		{"GET", "?service=" + strings.Repeat("x", 300), "", "service: has more than"},
	} {
		status, answer := hooktest.Serve(t, h, c.method, "/hooks/argo/verdict"+c.query, c.body, nil)
		if status != http.StatusBadRequest || !strings.Contains(answer, c.want) {
			t.Errorf("%+v: %d %s", c, status, answer)
		}
	}
	if status, _ := hooktest.Serve(t, h, "POST", "/hooks/argo/notifications", "{}", nil); status != http.StatusNotFound {
		t.Errorf("notifications without a token: %d", status)
	}
	if len(rooms.Asked()) != 0 {
		t.Error("the gate was asked")
	}
	if _, h := newHook(t, model.VerdictAllow, Config{}); h != nil {
		if status, _ := hooktest.Serve(t, h, "GET", "/hooks/argo/verdict?service=edge", "", nil); status != http.StatusNotFound {
			t.Errorf("disabled: %d", status)
		}
	}
}

const completed = `{"uid":"5f1c","rollout":"edge","namespace":"shop","service":"","environment":"prod","version":"2.4.1","revision":"7","event":"completed","message":""}`

func TestNotificationsBecomeOneMarker(t *testing.T) {
	rooms, h := newHook(t, model.VerdictAllow, Config{Enabled: true, TokenFile: hooktest.Secret(t, "argo-token")})
	bearer := http.Header{"Authorization": {"Bearer argo-token"}}
	for _, body := range []string{strings.Replace(completed, "completed", "updated", 1), completed} {
		if status, answer := hooktest.Serve(t, h, "POST", "/hooks/argo/notifications", body, bearer); status != http.StatusCreated {
			t.Fatalf("%d %s", status, answer)
		}
	}
	want := model.Deploy{
		ID: "argo-shop-edge-5f1c-7", Time: hooktest.Now(), Service: "edge", Environment: "prod", Version: "2.4.1", Kind: "deploy", Status: "succeeded", Actor: "argo-rollouts",
	}
	if d := cmp.Diff([]model.Deploy{want}, rooms.Markers()); d != "" {
		t.Error(d)
	}
	for _, field := range []string{"rollout", "namespace", "version", "revision", "event"} {
		for _, body := range []string{hooktest.Without(t, completed, field), hooktest.With(t, completed, field, "<no value>")} {
			if status, answer := hooktest.Serve(t, h, "POST", "/hooks/argo/notifications", body, bearer); status != http.StatusBadRequest || !strings.Contains(answer, field) {
				t.Errorf("%s: %d %s", field, status, answer)
			}
		}
	}
	for _, header := range []http.Header{nil, {"Authorization": {"Bearer other"}}, {"Authorization": {"Basic argo-token"}}, {"Authorization": {"argo-token"}}} {
		for _, path := range []string{"POST /hooks/argo/notifications", "GET /hooks/argo/verdict?service=edge"} {
			method, url, _ := strings.Cut(path, " ")
			if status, answer := hooktest.Serve(t, h, method, url, completed, header); status != http.StatusUnauthorized {
				t.Errorf("%v: %d %s", header, status, answer)
			}
		}
	}
}

func FuzzPayloads(f *testing.F) {
	f.Add([]byte(completed))
	f.Add([]byte(`{"service":"edge","critical":true}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if d, err := marker(body); err == nil && (d.Service == "" || d.Version == "") {
			t.Errorf("accepted %+v", d)
		}
		if q, err := ask("POST", nil, body); err == nil && q.Service == "" {
			t.Errorf("accepted %+v", q)
		}
	})
}
