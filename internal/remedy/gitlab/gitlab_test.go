package gitlab

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	for status, answer := range map[int]string{http.StatusNotFound: `{"message":"404 Not Found"}`, http.StatusInternalServerError: "", http.StatusCreated: "<html>"} {
		n := len(got)
		answers, body = []int{status}, answer
		if _, err := p.Rollback(t.Context(), order); err == nil || strings.Contains(err.Error(), "glptt") || len(got) != n+1 {
			t.Errorf("%d: %v after %d calls: a pipeline may have been started already", status, err, len(got)-n)
		}
	}
}
