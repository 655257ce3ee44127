package gitlab

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hooktest"
	"github.com/signalbox-project/signalbox/internal/model"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// checkPayload has the fields that GitLab documents for the payload sent to an
// external status check (External Status Checks API).
const checkPayload = `{
	"object_kind": "merge_request", "event_type": "merge_request",
	"user": {"id": 7, "name": "Ada", "username": "ada", "avatar_url": null, "email": "[REDACTED]"},
	"project": {"id": 6, "name": "Edge API", "web_url": "https://gitlab.test/broker/edge", "namespace": "Broker", "visibility_level": 0,
		"path_with_namespace": "broker/edge", "default_branch": "main", "ci_config_path": null},
	"object_attributes": {"id": 144, "iid": 4, "author_id": 7, "merge_status": "can_be_merged", "source_branch": "fix", "source_project_id": 61,
		"target_branch": "main", "target_project_id": 6, "title": "Fix", "state": "opened", "url": "https://gitlab.test/broker/edge/-/merge_requests/4",
		"last_commit": {"id": "141be9714669a4c1ccaa013c6a7f3e462ff2a40f", "message": "Fix", "timestamp": "2026-03-02T13:52:11+00:00"}},
	"labels": [{"id": 1, "title": "critical-fix", "color": "#ff0000"}], "changes": {},
	"external_approval_rule": {"id": 1, "name": "Signalbox", "external_url": "https://signalbox.test/"}
}`

// deployPayload has the fields that GitLab documents for deployment events.
const deployPayload = `{
	"object_kind": "deployment", "status": "success", "status_changed_at": "2026-03-02 14:50:00 +0200", "deployment_id": 15, "deployable_id": 796,
	"deployable_url": "https://gitlab.test/broker/edge/-/jobs/796", "environment": "production", "environment_tier": "production",
	"environment_slug": "production", "environment_external_url": "https://edge.test",
	"project": {"id": 30, "name": "Edge API", "path_with_namespace": "broker/edge", "default_branch": "main"},
	"short_sha": "279484c0", "user": {"id": 7, "name": "Ada", "username": "ada"}, "user_url": "https://gitlab.test/ada",
	"commit_url": "https://gitlab.test/broker/edge/-/commit/279484c09fbe69ededfced8c1bb6e6d24616b468", "commit_title": "Fix"
}`

// fakeLab is GitLab's status-check-response API, strictly as documented.
type fakeLab struct {
	t  *testing.T
	mu sync.Mutex
	// answers are the statuses to answer with, 201 after them.
	answers []int
	got     []url.Values
}

func (f *fakeLab) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.answers) > 0 {
		status := f.answers[0]
		f.answers = f.answers[1:]
		w.WriteHeader(status)
		return
	}
	body, _ := io.ReadAll(r.Body)
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/sub/api/v4/projects/6/merge_requests/4/status_check_responses" ||
		r.Header.Get("PRIVATE-TOKEN") != "glpat-token" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		f.t.Errorf("not as documented: %s %s %v %s", r.Method, r.URL, r.Header, body)
	}
	for name := range form {
		switch name {
		case "sha", "external_status_check_id", "status":
		default:
			f.t.Errorf("parameter %s is not documented", name)
		}
	}
	f.got = append(f.got, form)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"id":1}`)
}

func newHook(t *testing.T, v model.Verdict, lab *fakeLab) (*hooktest.Rooms, http.Handler, func()) {
	t.Helper()
	srv := httptest.NewServer(lab)
	t.Cleanup(srv.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	rooms, kit := hooktest.New(t, v)
	cfg := DefaultConfig()
	cfg.URL, cfg.TokenFile = srv.URL+"/sub", hooktest.Secret(t, "glpat-token")
	cfg.StatusCheckSecretFile, cfg.WebhookTokenFile = hooktest.Secret(t, "shared"), hooktest.Secret(t, "hook-token")
	cfg.Environment, cfg.Environments = "prod", map[string]string{"production": "prod"}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	h, err := New(cfg, kit)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	h.Register(mux, "/hooks")
	return rooms, mux, hooktest.Run(t, kit)
}

func signature(body string) http.Header {
	mac := hmac.New(sha256.New, []byte("shared"))
	mac.Write([]byte(body))
	return http.Header{"X-Gitlab-Signature": {hex.EncodeToString(mac.Sum(nil))}, "Content-Type": {"application/json"}}
}

func TestAStatusCheckIsAnsweredThroughTheAPI(t *testing.T) {
	for verdict, want := range map[model.Verdict]string{
		model.VerdictAllow: "passed", model.VerdictBlock: "failed", model.VerdictHold: "failed", model.VerdictInsufficient: "failed",
	} {
		t.Run(string(verdict), func(t *testing.T) {
			lab := &fakeLab{t: t, answers: []int{502, 429}}
			rooms, h, sent := newHook(t, verdict, lab)
			status, answer := hooktest.Serve(t, h, "POST", "/hooks/gitlab/status-check", checkPayload, signature(checkPayload))
			if status != http.StatusAccepted || !strings.Contains(answer, `"verdict":"`+string(verdict)+`"`) {
				t.Fatalf("%d %s", status, answer)
			}
			sent()
			form := url.Values{"sha": {"141be9714669a4c1ccaa013c6a7f3e462ff2a40f"}, "external_status_check_id": {"1"}, "status": {want}}
			if d := cmp.Diff([]url.Values{form}, lab.got); d != "" {
				t.Error(d)
			}
			asked := model.GateRequest{
				Service: "edge", Environment: "prod", Version: "141be9714669a4c1ccaa013c6a7f3e462ff2a40f", Critical: true, Actor: "gitlab:ada",
			}
			if d := cmp.Diff([]model.GateRequest{asked}, rooms.Asked()); d != "" {
				t.Error(d)
			}
			audit := rooms.Audited()
			if len(audit) != 1 || audit[0].Action != "hook.reply" || audit[0].Subject != "broker/edge!4 status check 1" || audit[0].Details["outcome"] != "sent" || audit[0].Details["attempts"] != "3" {
				t.Errorf("audit %+v", audit)
			}
		})
	}
}

func TestAReplyThatFailsIsAudited(t *testing.T) {
	lab := &fakeLab{t: t, answers: []int{403}}
	rooms, h, sent := newHook(t, model.VerdictAllow, lab)
	if status, answer := hooktest.Serve(t, h, "POST", "/hooks/gitlab/status-check", checkPayload, signature(checkPayload)); status != http.StatusAccepted {
		t.Fatalf("%d %s", status, answer)
	}
	sent()
	if a := rooms.Audited(); len(a) != 1 || a[0].Details["outcome"] != "failed" || !strings.Contains(a[0].Details["error"], "status 403") || strings.Contains(a[0].Details["error"], "glpat") {
		t.Errorf("audit %+v", a)
	}
}

func TestWhatIsNotAsDocumentedIsRefused(t *testing.T) {
	rooms, h, sent := newHook(t, model.VerdictAllow, &fakeLab{t: t})
	defer sent()
	const path = "/hooks/gitlab/status-check"
	for _, c := range []struct{ field, body, want string }{
		{"project.path_with_namespace", "", ""},
		{"object_attributes.iid", "", ""},
		{"object_attributes.state", "", ""},
		{"object_attributes.target_project_id", "", ""},
		{"object_attributes.last_commit.id", "", ""},
		{"external_approval_rule.id", "", ""},
		{"external_approval_rule", "", "external_approval_rule.id"},
		{"object_kind", hooktest.With(t, checkPayload, "object_kind", "push"), "object_kind: must be merge_request"},
		{"object_attributes.iid", hooktest.With(t, checkPayload, "object_attributes.iid", "four"), "object_attributes.iid: must be a whole number, got string"},
		{"a list", "[]", "must be an object"},
		{"nothing", "", "not the JSON"},
		{"two values", checkPayload + "{}", "more than one"},
		{"no JSON", "object_kind=merge_request", "not the JSON"},
	} {
		if c.body == "" && c.field != "nothing" {
			c.body = hooktest.Without(t, checkPayload, c.field)
		}
		if c.want == "" {
			c.want = c.field + ": missing"
		}
		status, answer := hooktest.Serve(t, h, "POST", path, c.body, signature(c.body))
		if status != http.StatusBadRequest || !strings.Contains(answer, c.want) {
			t.Errorf("%s: %d %s", c.field, status, answer)
		}
	}
	for name, header := range map[string]http.Header{
		"no signature": {}, "of another body": signature("x"), "no hex": {"X-Gitlab-Signature": {"shared"}}, "the secret itself": {"X-Gitlab-Token": {"shared"}},
	} {
		if status, answer := hooktest.Serve(t, h, "POST", path, checkPayload, header); status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	merged := hooktest.With(t, checkPayload, "object_attributes.state", "merged")
	if status, answer := hooktest.Serve(t, h, "POST", path, merged, signature(merged)); status != http.StatusOK || !strings.Contains(answer, "ignored") {
		t.Errorf("merged: %d %s", status, answer)
	}
	if len(rooms.Asked()) != 0 {
		t.Errorf("the gate was asked %v", rooms.Asked())
	}
	rooms.Set("", errors.New("disk full at /secret/place"))
	if status, answer := hooktest.Serve(t, h, "POST", path, checkPayload, signature(checkPayload)); status != http.StatusInternalServerError || strings.Contains(answer, "disk") {
		t.Errorf("no decision: %d %s", status, answer)
	}
}

func TestDeploymentEventsBecomeOneMarker(t *testing.T) {
	rooms, h, _ := newHook(t, model.VerdictAllow, &fakeLab{t: t})
	header := http.Header{"X-Gitlab-Event": {"Deployment Hook"}, "X-Gitlab-Token": {"hook-token"}}
	running := hooktest.With(t, hooktest.With(t, deployPayload, "status", "running"), "status_changed_at", "2026-03-02 12:40:00 UTC")
	for _, body := range []string{running, deployPayload} {
		if status, answer := hooktest.Serve(t, h, "POST", "/hooks/gitlab/deployments", body, header); status != http.StatusCreated {
			t.Fatalf("%d %s", status, answer)
		}
	}
	want := model.Deploy{
		ID: "gitlab-30-15", Time: time.Date(2026, 3, 2, 12, 40, 0, 0, time.UTC), Service: "edge", Environment: "prod",
		Version: "279484c09fbe69ededfced8c1bb6e6d24616b468", Kind: "deploy", Status: "succeeded", Actor: "ada",
		Link: "https://gitlab.test/broker/edge/-/jobs/796", Message: "Fix",
	}
	if d := cmp.Diff([]model.Deploy{want}, rooms.Markers()); d != "" {
		t.Error(d)
	}
	for _, field := range []string{"status", "deployment_id", "environment", "project.id", "project.path_with_namespace"} {
		if status, answer := hooktest.Serve(t, h, "POST", "/hooks/gitlab/deployments", hooktest.Without(t, deployPayload, field), header); status != http.StatusBadRequest || !strings.Contains(answer, field) {
			t.Errorf("%s: %d %s", field, status, answer)
		}
	}
	for status, body := range map[int]string{
		http.StatusBadRequest: hooktest.With(t, deployPayload, "status_changed_at", "yesterday"),
		http.StatusOK:         hooktest.With(t, deployPayload, "status", "blocked"),
	} {
		if got, answer := hooktest.Serve(t, h, "POST", "/hooks/gitlab/deployments", body, header); got != status {
			t.Errorf("%d %s", got, answer)
		}
	}
	for status, header := range map[int]http.Header{
		http.StatusUnauthorized: {"X-Gitlab-Event": {"Deployment Hook"}, "X-Gitlab-Token": {"other"}},
		http.StatusOK:           {"X-Gitlab-Event": {"Push Hook"}, "X-Gitlab-Token": {"hook-token"}},
	} {
		if got, answer := hooktest.Serve(t, h, "POST", "/hooks/gitlab/deployments", deployPayload, header); got != status {
			t.Errorf("%d %s", got, answer)
		}
	}
	if len(rooms.Markers()) != 1 {
		t.Error("more markers than deployments")
	}
}

func FuzzPayloads(f *testing.F) {
	f.Add([]byte(checkPayload))
	f.Add([]byte(deployPayload))
	f.Add([]byte(`{"object_kind":"deployment","status":"success","deployment_id":1,"environment":"e","project":{"id":1,"path_with_namespace":"/"},"short_sha":"a"}`))
	h := &Hook{cfg: DefaultConfig()}
	f.Fuzz(func(t *testing.T, body []byte) {
		if m, err := parse(body); err == nil && (m.Request.IID <= 0 || m.Check.ID <= 0 || m.Request.LastCommit.ID == "") {
			t.Errorf("accepted %+v", m)
		}
		if d, ignored, err := h.marker(body); err == nil && ignored == "" && (d.Version == "" || d.ID == "") {
			t.Errorf("accepted %+v", d)
		}
	})
}
