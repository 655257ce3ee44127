package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/signalbox-project/signalbox/internal/model"
)

// others are GitLab, GitHub and a deployer: what Signalbox told them.
type others struct {
	url  string
	mu   sync.Mutex
	told map[string][]string // path → bodies
}

func (o *others) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told[r.URL.Path] = append(o.told[r.URL.Path], string(body))
	switch {
	case strings.HasSuffix(r.URL.Path, "/status_check_responses") && r.Header.Get("PRIVATE-TOKEN") == "glpat-1",
		strings.HasSuffix(r.URL.Path, "/rollback") && r.Header.Get("X-Signalbox-Signature-256") == hmacOf("deployer", r.Header.Get("X-Signalbox-Timestamp")+"."+string(body)):
		w.WriteHeader(http.StatusCreated)
	case strings.HasSuffix(r.URL.Path, "/deployment_protection_rule") && r.Header.Get("Authorization") == "Bearer ghs_1":
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusForbidden)
	}
}

func (o *others) heard(path string) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.told[path]) == 0 {
		return "", fmt.Errorf("nothing was sent to %s; only %v", path, o.told)
	}
	return o.told[path][0], nil
}

func hmacOf(secret, text string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// hooked starts a server with every hook, a healthy and a burning service, and
// a rollback target.
func hooked(t *testing.T) (*server, *others) {
	t.Helper()
	o := &others{told: map[string][]string{}}
	outside := httptest.NewServer(o)
	t.Cleanup(outside.Close)
	o.url = outside.URL
	dir := t.TempDir()
	for name, text := range map[string]string{
		"gitlab-token": "glpat-1", "gitlab-check": "check", "gitlab-hook": "hook", "github-secret": "hub", "github-token": "ghs_1",
		"argo": "argo-1", "flagger": "flagger-1", "deployer": "deployer",
	} {
		writeFile(t, filepath.Join(dir, name), text+"\n")
	}
	s := start(t, options{config: strings.NewReplacer("DIR", dir, "OUT", outside.URL).Replace(`
metrics: {out_of_order_window: 30d}
slo: {stale_after: 1h} # data ends when the test begins, and a machine may be slow
gate: {stale_after: 1h}
slo_files: ["DIR/*.yaml"]
hooks:
  gitlab: {url: OUT, token_file: DIR/gitlab-token, status_check_secret_file: DIR/gitlab-check, webhook_token_file: DIR/gitlab-hook}
  github: {api_url: OUT, webhook_secret_file: DIR/github-secret, token_file: DIR/github-token, version: ref}
  argo: {enabled: true, token_file: DIR/argo}
  flagger: {enabled: true, token_file: DIR/flagger}
  kubernetes: {enabled: true}
remedy:
  dry_run: false
  after: 1s
  evaluate_every: 1s
  recovered_burn: 1000
  targets: [{service: burning, webhook: {url: OUT/rollback, secret_file: DIR/deployer}}]
`)})
	burn(t, s)
	s.judge(dir, checkoutSLO, "healthy", "burning")
	return s, o
}

// burn has one service keep its promise and the other fail at 20 % since
// version 2 was deployed 50 minutes ago.
func burn(t *testing.T, s *server) {
	t.Helper()
	now := time.Now().Truncate(time.Second)
	g, b := traffic(t, s, "healthy", now.Add(-28*24*time.Hour), now.Add(-time.Hour), 10*time.Minute, 10, 0, 0, 0)
	traffic(t, s, "healthy", now.Add(-59*time.Minute), now, 15*time.Second, 10, 0, g, b)
	var all []series
	for _, v := range []struct {
		version  string
		from, to time.Time
		bad      float64
	}{{"1", now.Add(-3 * time.Hour), now.Add(-50 * time.Minute), 0}, {"2", now.Add(-50 * time.Minute), now, 0.2}} {
		for status, part := range map[string]float64{"ok": 1 - v.bad, "error": v.bad} {
			one := series{labels: []string{"__name__", "signalbox_span_duration_seconds_count", "kind", "server", "service", "burning", "status", status, "version", v.version}}
			n := 0.0
			for at := v.from; !at.After(v.to); at = at.Add(15 * time.Second) {
				one.samples = append(one.samples, sample(at, n))
				n += 150 * part
			}
			all = append(all, one)
		}
	}
	if status, text, _ := s.request(http.MethodPost, "/api/v1/write", protobuf, remoteWrite(t, all...)); status/100 != 2 {
		t.Fatalf("write: %d %s", status, text)
	}
	for version, ago := range map[string]time.Duration{"1": 3 * time.Hour, "2": 50 * time.Minute} {
		s.post("/sb/v1/deploys", map[string]any{"service": "burning", "version": version, "time": now.Add(-ago)}, &model.Deploy{})
	}
	g, b = traffic(t, s, "burning", now.Add(-7*24*time.Hour), now.Add(-time.Hour), 10*time.Minute, 10, 0, 0, 0)
	traffic(t, s, "burning", now.Add(-59*time.Minute), now, 15*time.Second, 10, 0.2, g, b)
}

// ask posts to a hook as another system does.
func ask(s *server, path, body string, header map[string]string) (int, string) {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL+"/sb/v1/hooks"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// TestHooksAndAutoRollback plays GitLab, GitHub, Argo Rollouts, Flagger, the
// API server and a deployer against the real program.
func TestHooksAndAutoRollback(t *testing.T) {
	s, o := hooked(t)
	for service, want := range map[string]struct {
		status  int
		verdict model.Verdict
	}{"healthy": {0, model.VerdictAllow}, "burning": {1, model.VerdictBlock}} {
		eventually(t, func() error { return checkGate(s, []string{"--service", service}, want.status, want.verdict) })
	}
	t.Run("gitlab status check", func(t *testing.T) { gitlabAsks(s.in(t), o) })
	t.Run("github protection rule", func(t *testing.T) { githubAsks(s.in(t), o) })
	t.Run("argo, flagger, kubernetes", func(t *testing.T) { clusterAsks(s.in(t)) })
	t.Run("markers", func(t *testing.T) { markersArrive(s.in(t)) })
	t.Run("pipelines of the examples", func(t *testing.T) { examplesAsk(s.in(t)) })
	t.Run("rollback", func(t *testing.T) { rollsBack(s.in(t), o) })
	t.Run("alert rules of the example", func(t *testing.T) { exampleRulesKnowTheMetrics(s.in(t)) })
}

func gitlabAsks(s *server, o *others) {
	for iid, c := range []struct{ service, want string }{{"healthy", "passed"}, {"burning", "failed"}} {
		body := fmt.Sprintf(`{"object_kind":"merge_request","user":{"username":"ada"},"project":{"id":6,"path_with_namespace":"broker/%s"},
			"object_attributes":{"iid":%d,"state":"opened","target_project_id":6,"last_commit":{"id":"141be97"}},"labels":[],"external_approval_rule":{"id":3}}`, c.service, iid+1)
		header := map[string]string{"X-Gitlab-Signature": strings.TrimPrefix(hmacOf("check", body), "sha256=")}
		if status, text := ask(s, "/gitlab/status-check", body, header); status != http.StatusAccepted {
			s.t.Fatalf("%d %s", status, text)
		}
		eventually(s.t, func() error {
			form, err := o.heard(fmt.Sprintf("/api/v4/projects/6/merge_requests/%d/status_check_responses", iid+1))
			if values, _ := url.ParseQuery(form); err == nil && (values.Get("status") != c.want || values.Get("sha") != "141be97" || values.Get("external_status_check_id") != "3") {
				err = errors.New(form)
			}
			return err
		})
		if status, text := ask(s, "/gitlab/status-check", body+" ", header); status != http.StatusUnauthorized {
			s.t.Errorf("a changed body: %d %s", status, text)
		}
	}
}

func githubAsks(s *server, o *others) {
	for run, c := range []struct{ service, want string }{{"healthy", "approved"}, {"burning", "rejected"}} {
		path := fmt.Sprintf("/repos/broker/%s/actions/runs/%d/deployment_protection_rule", c.service, run)
		body := fmt.Sprintf(`{"action":"requested","environment":"prod","event":"push","deployment_callback_url":"%s%s","deployment":{"id":%d,"sha":"f95f","ref":"2"},
			"repository":{"id":1,"name":"%s","full_name":"broker/%s"},"installation":{"id":29},"sender":{"login":"ada"}}`, o.url, path, run+70, c.service, c.service)
		header := map[string]string{"X-GitHub-Event": "deployment_protection_rule", "X-GitHub-Delivery": fmt.Sprint("d", run), "X-Hub-Signature-256": hmacOf("hub", body)}
		if status, text := ask(s, "/github", body, header); status != http.StatusAccepted {
			s.t.Fatalf("%d %s", status, text)
		}
		eventually(s.t, func() error {
			review, err := o.heard(path)
			if err == nil && (!strings.Contains(review, `"state":"`+c.want+`"`) || !strings.Contains(review, "/gate/")) {
				err = errors.New(review)
			}
			return err
		})
		if status, text := ask(s, "/github", body, header); status != http.StatusOK || !strings.Contains(text, "served before") {
			s.t.Errorf("a replay: %d %s", status, text)
		}
	}
}

func clusterAsks(s *server) {
	review := `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","kind":{"group":"apps","kind":"Deployment"},"namespace":"shop","operation":"CREATE",
		"userInfo":{"username":"ada"},"object":{"metadata":{"name":"x"},"spec":{"template":{"metadata":{"labels":{"app.kubernetes.io/name":"SERVICE","app.kubernetes.io/version":"2"}}}}}}}`
	canary := `{"name":"SERVICE","namespace":"shop","phase":"Progressing","checksum":"c1","metadata":{"token":"flagger-1"}}`
	for _, c := range []struct {
		service           string
		advances, reverts int
		verdict           model.Verdict
		admits            string
	}{{"healthy", 200, 403, model.VerdictAllow, `"allowed":true`}, {"burning", 403, 200, model.VerdictBlock, `"allowed":false`}} {
		if status, text := ask(s, "/argo/verdict", `{"service":"`+c.service+`"}`, map[string]string{"Authorization": "Bearer argo-1"}); status != 200 || !strings.Contains(text, `"verdict":"`+string(c.verdict)+`"`) {
			s.t.Errorf("argo: %d %s", status, text)
		}
		for typ, want := range map[string]int{"confirm-rollout": c.advances, "rollout": c.advances, "rollback": c.reverts} {
			if status, text := ask(s, "/flagger/"+typ, strings.ReplaceAll(canary, "SERVICE", c.service), nil); status != want {
				s.t.Errorf("flagger %s: %d %s", typ, status, text)
			}
		}
		if status, text := ask(s, "/kubernetes/admission", strings.ReplaceAll(review, "SERVICE", c.service), nil); status != 200 || !strings.Contains(text, c.admits) || !strings.Contains(text, `"uid":"u-1"`) {
			s.t.Errorf("admission: %d %s", status, text)
		}
	}
}

func markersArrive(s *server) {
	lab := `{"object_kind":"deployment","status":"success","status_changed_at":"2026-03-02 14:50:00 +0200","deployment_id":15,"environment":"prod","project":{"id":30,"path_with_namespace":"broker/labservice"},"short_sha":"279484c0"}`
	hub := `{"action":"created","deployment_status":{"state":"success","created_at":"2026-03-02T13:55:00Z"},"deployment":{"id":77,"sha":"f95f","ref":"v2","environment":"prod"},"repository":{"id":1,"name":"hubservice","full_name":"broker/hubservice"}}`
	argo := `{"uid":"5f","rollout":"argoservice","namespace":"shop","version":"2","revision":"7","event":"completed"}`
	flagger := `{"name":"flaggerservice","namespace":"shop","phase":"Succeeded","checksum":"c1","metadata":{"timestamp":"1772459700000","token":"flagger-1"}}`
	for _, c := range []struct {
		service, path, body string
		header              map[string]string
	}{
		{"labservice", "/gitlab/deployments", lab, map[string]string{"X-Gitlab-Event": "Deployment Hook", "X-Gitlab-Token": "hook"}},
		{"hubservice", "/github", hub, map[string]string{"X-GitHub-Event": "deployment_status", "X-GitHub-Delivery": "m", "X-Hub-Signature-256": hmacOf("hub", hub)}},
		{"argoservice", "/argo/notifications", argo, map[string]string{"Authorization": "Bearer argo-1"}},
		{"flaggerservice", "/flagger/event", flagger, nil},
	} {
		if status, text := ask(s, c.path, c.body, c.header); status != http.StatusCreated {
			s.t.Errorf("%s: %d %s", c.service, status, text)
			continue
		}
		var list struct {
			Deploys []model.Deploy `json:"deploys"`
		}
		s.get("/sb/v1/deploys", url.Values{"service": {c.service}, "start": {"2026-01-01T00:00:00Z"}, "end": {"now+1h"}}, &list)
		if len(list.Deploys) != 1 || list.Deploys[0].Status != "succeeded" || list.Deploys[0].Version == "" {
			s.t.Errorf("%s: %+v", c.service, list.Deploys)
		}
	}
}

// examplesAsk runs the commands of the example pipelines with bash.
func examplesAsk(s *server) {
	dir := s.t.TempDir()
	if err := os.Symlink(binary, filepath.Join(dir, "signalbox")); err != nil {
		s.t.Fatal(err)
	}
	run := func(script string, env ...string) int {
		cmd := exec.CommandContext(s.t.Context(), "bash", "-euc", script)
		cmd.Dir = "../../examples/pipelines"
		cmd.Env = append(append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "SIGNALBOX_SERVER="+s.URL), env...)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			s.t.Fatal(err)
		}
		s.t.Logf("%s\n%s", script, out)
		return cmd.ProcessState.ExitCode()
	}
	var lab struct {
		Gate struct{ Script []string }
	}
	var hub struct {
		Jobs struct {
			Deploy struct{ Steps []struct{ Name, Run string } }
		}
	}
	for file, v := range map[string]any{"gitlab-ci.yml": &lab, "github-actions.yml": &hub} {
		text, err := os.ReadFile("../../examples/pipelines/" + file)
		if err != nil {
			s.t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, v); err != nil {
			s.t.Fatal(err)
		}
	}
	step := strings.ReplaceAll(hub.Jobs.Deploy.Steps[0].Run, "--service edge", `--service "$SERVICE"`)
	env := []string{"CI_COMMIT_SHA=141be97", "GITLAB_USER_LOGIN=ada", "GITHUB_REF_NAME=v2", "GITHUB_ACTOR=ada"}
	for service, want := range map[string]int{"healthy": 0, "burning": 1, "nobody": 2} {
		for name, script := range map[string]string{"gitlab": lab.Gate.Script[0], "github": step, "shell": `./deploy.sh "$SERVICE" prod 141be97 echo deployed`} {
			if got := run(script, append(env, "SERVICE="+service)...); got != want {
				s.t.Errorf("%s of %s: exit status %d, want %d", name, service, got, want)
			}
		}
	}
	if got := run(`./deploy.sh healthy prod broken sh -c 'exit 7'`); got != 7 {
		s.t.Errorf("a deployment that fails: exit status %d", got)
	}
	var list struct {
		Deploys []model.Deploy `json:"deploys"`
	}
	s.get("/sb/v1/deploys", url.Values{"service": {"healthy"}}, &list)
	if len(list.Deploys) != 4 || list.Deploys[0].Status != "failed" {
		s.t.Errorf("markers of deploy.sh: %+v", list.Deploys)
	}
}

func rollsBack(s *server, o *others) {
	var list struct {
		Remedies []model.Remedy `json:"remedies"`
	}
	eventually(s.t, func() error {
		s.get("/sb/v1/remedies", url.Values{"service": {"burning"}}, &list)
		if len(list.Remedies) == 0 || list.Remedies[0].State != model.RemedyRecovered {
			return fmt.Errorf("remedies %+v", list.Remedies)
		}
		return nil
	})
	r := list.Remedies[0]
	if r.Version != "2" || r.Previous != "1" || r.Executor != "webhook" || r.DryRun || len(r.Evidence) != 2 || *r.Evidence[0].Value < 0.19 || *r.Evidence[0].Value > 0.21 {
		s.t.Errorf("remedy %+v", r)
	}
	if order, err := o.heard("/rollback"); err != nil || !strings.Contains(order, `"previous_version":"1"`) || !strings.Contains(order, r.ID) {
		s.t.Errorf("order %s, %v", order, err)
	}
	var deploys struct {
		Deploys []model.Deploy `json:"deploys"`
	}
	s.get("/sb/v1/deploys", url.Values{"service": {"burning"}}, &deploys)
	if d := deploys.Deploys[0]; d.Kind != "rollback" || d.Version != "1" || d.Status != "succeeded" {
		s.t.Errorf("marker %+v", d)
	}
	var audit struct {
		Entries []model.AuditEntry `json:"entries"`
	}
	for _, action := range []string{"remedy.executing", "remedy.recovered", "hook.reply", "deploy.mark"} {
		s.get("/sb/v1/audit", url.Values{"action": {action}}, &audit)
		if len(audit.Entries) == 0 {
			s.t.Errorf("no audit entry %s", action)
		}
	}
	if v, ok := s.value(`signalbox_remedy_outcomes_total{state="recovered"}`); ok && v != 1 {
		s.t.Errorf("metric %v", v)
	}
}

// exampleRulesKnowTheMetrics checks that each metric of the example's rules is
// one that the server has after all of the above.
func exampleRulesKnowTheMetrics(s *server) {
	const file = "../../examples/pipelines/remedy-alerts.yml"
	if out, err := exec.CommandContext(s.t.Context(), binary, "check", "rules", file).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	_, metrics, _ := s.request(http.MethodGet, "/metrics", "", nil)
	found := regexp.MustCompile(`expr:.*?(signalbox_[a-z_]+)`).FindAllStringSubmatch(string(text), -1)
	if len(found) < 3 {
		s.t.Fatalf("metrics in %s: %v", file, found)
	}
	for _, match := range found {
		name := match[1]
		if !strings.Contains(metrics, "\n"+name+" ") && !strings.Contains(metrics, "\n"+name+"{") {
			s.t.Errorf("no metric %s", name)
		}
	}
}
