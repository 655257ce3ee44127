package gitlab

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/remedy/rollback"
)

func TestThePipelineTriggerAPIIsCalledAsDocumented(t *testing.T) {
	var got []url.Values
	answers := []int{http.StatusServiceUnavailable, http.StatusCreated}
	body := `{"id":257,"iid":118,"project_id":123,"sha":"91e2711a","ref":"main","status":"pending","source":"trigger","web_url":"https://gitlab.test/broker/edge/-/pipelines/257"}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(text))
		if err != nil || r.Method != http.MethodPost || r.RequestURI != "/api/v4/projects/broker%2Fedge/trigger/pipeline" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("not as documented: %s %s %v", r.Method, r.RequestURI, r.Header)
		}
		got = append(got, form)
		w.WriteHeader(answers[0])
		if len(answers) > 1 {
			answers = answers[1:]
		}
		_, _ = io.WriteString(w, body)
	}))
	defer srv.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("glptt-1"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := Config{URL: srv.URL, Project: "broker/edge", Ref: "main", TokenFile: token, Variables: map[string]string{"ROLLBACK_JOB": "prod"}}
	if errs := cfg.Validate(); len(errs) > 0 {
		t.Fatal(errs)
	}
	order := rollback.Order{ID: "r1", Service: "edge", Environment: "prod", Version: "2.4.1", Previous: "2.4.0", DryRun: true}
	p := New(cfg, nil)
	if text, err := p.Rollback(t.Context(), order); err != nil || text != "would trigger the pipeline of broker/edge on main" || len(got) != 0 {
		t.Fatalf("dry run: %q, %v", text, err)
	}
	order.DryRun = false
	text, err := p.Rollback(t.Context(), order)
	if err != nil || text != "triggered pipeline 257: https://gitlab.test/broker/edge/-/pipelines/257" {
		t.Fatalf("%q, %v", text, err)
	}
	want := url.Values{
		"token": {"glptt-1"}, "ref": {"main"}, "variables[ROLLBACK_JOB]": {"prod"}, "variables[SIGNALBOX_ROLLBACK]": {"true"}, "variables[SIGNALBOX_SERVICE]": {"edge"},
		"variables[SIGNALBOX_ENVIRONMENT]": {"prod"}, "variables[SIGNALBOX_VERSION]": {"2.4.1"}, "variables[SIGNALBOX_PREVIOUS_VERSION]": {"2.4.0"}, "variables[SIGNALBOX_REMEDY]": {"r1"},
	}
	if d := cmp.Diff([]url.Values{want, want}, got); d != "" {
		t.Error(d)
	}
	theExampleJobRollsBack(t, got[0])
	for status, answer := range map[int]string{http.StatusNotFound: `{"message":"404 Not Found"}`, http.StatusInternalServerError: "", http.StatusCreated: "<html>"} {
		n := len(got)
		answers, body = []int{status}, answer
		if _, err := p.Rollback(t.Context(), order); err == nil || strings.Contains(err.Error(), "glptt") || len(got) != n+1 {
			t.Errorf("%d: %v after %d calls: a pipeline may have been started already", status, err, len(got)-n)
		}
	}
}

// theExampleJobRollsBack runs the rollback job of the example with the variables
// of the trigger, as GitLab's runner would.
func theExampleJobRollsBack(t *testing.T, form url.Values) {
	t.Helper()
	text, err := os.ReadFile("../../../examples/pipelines/gitlab-ci.yml")
	if err != nil {
		t.Fatal(err)
	}
	type job struct {
		Rules []struct {
			If   string
			When string
		}
		Script []string
	}
	var file struct{ Gate, Deploy, Rollback job }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for name, j := range map[string]job{"gate": file.Gate, "deploy": file.Deploy} {
		if r := j.Rules[0]; r.If != `$SIGNALBOX_ROLLBACK == "true"` || r.When != "never" {
			t.Errorf("%s runs in a rollback: %+v", name, r)
		}
	}
	if r := file.Rollback.Rules[0]; r.If != `$CI_PIPELINE_SOURCE == "trigger" && $SIGNALBOX_ROLLBACK == "true"` || r.When != "" {
		t.Errorf("the rollback job runs on %+v", r)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "deploy"), []byte("#!/bin/sh\necho \"deployed $1\"\n"), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-euc", strings.Join(file.Rollback.Script, "\n"))
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for key := range form {
		if name, ok := strings.CutPrefix(key, "variables["); ok {
			cmd.Env = append(cmd.Env, strings.TrimSuffix(name, "]")+"="+form.Get(key))
		}
	}
	out, err := cmd.CombinedOutput()
	want := "rolling edge back from 2.4.1 to 2.4.0 (remedy r1)\ndeployed 2.4.0\n"
	if err != nil || string(out) != want {
		t.Errorf("%v: %s", err, out)
	}
}
