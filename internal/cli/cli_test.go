package cli_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli"
)

// run executes the command line as main does.
func run(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = cli.Main(t.Context(), "1.2.3", args, &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func TestWrongUsageExits2AndPointsToHelp(t *testing.T) {
	for _, args := range [][]string{
		{"nonsense"},
		{"serve", "--no-such-flag"},
		{"simulate", "--target-rps", "-1"},
		{"simulate", "--duration", "soon"},
		{"query", "promql"},
	} {
		status, _, errOut := run(t, args...)
		if status != 2 || !strings.Contains(errOut, "--help") {
			t.Errorf("%v: exit %d, %q; want 2 and a pointer to --help", args, status, errOut)
		}
	}
}

func TestGateCheckKeepsExitStatus2ForItsVerdicts(t *testing.T) {
	if status, _, errOut := run(t, "gate", "check"); status != 3 || !strings.Contains(errOut, "service") {
		t.Errorf("a missing flag: exit %d, %q; want 3, because 2 is a verdict", status, errOut)
	}
}

func TestFlagsComeFromTheEnvironmentToo(t *testing.T) {
	t.Setenv("SIGNALBOX_TARGET_RPS", "minus one")
	status, _, errOut := run(t, "simulate")
	if status != 2 || !strings.Contains(errOut, "SIGNALBOX_TARGET_RPS") {
		t.Errorf("exit %d, %q; want 2 and the variable's name", status, errOut)
	}
}

func TestVersion(t *testing.T) {
	if status, out, _ := run(t, "version"); status != 0 || out != "1.2.3\n" {
		t.Errorf("exit %d, %q", status, out)
	}
}

func TestGateCheckAnswersWithItsExitStatus(t *testing.T) {
	for verdict, want := range map[string]int{"allow": 0, "block": 1, "hold": 2, "insufficient": 2} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"id":"d1","verdict":"` + verdict + `","summary":"Because.","reasons":[{"verdict":"` + verdict + `","rule":"r","message":"why"}]}`))
		}))
		status, out, _ := run(t, "gate", "check", "--service", "edge", "--server", server.URL)
		server.Close()
		if status != want || !strings.Contains(out, "Because.") || !strings.Contains(out, "why") {
			t.Errorf("%s: exit %d, %q; want %d with summary and reason", verdict, status, out, want)
		}
	}
}

func TestAServerThatIsNotThereIsNamedWithTheCure(t *testing.T) {
	status, _, errOut := run(t, "slo", "list", "--server", "http://127.0.0.1:1")
	if status != 3 || !strings.Contains(errOut, "http://127.0.0.1:1") || !strings.Contains(errOut, "signalbox serve") {
		t.Errorf("exit %d, %q", status, errOut)
	}
}

func TestTheServersOwnWordsReachTheUser(t *testing.T) {
	for name, body := range map[string]string{
		"ours":         `{"error":{"code":"bad_filter","message":"position 3: expected a value"}}`,
		"Prometheus'":  `{"status":"error","errorType":"bad_data","error":"position 3: expected a value"}`,
		"a plain text": "position 3: expected a value",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(body))
		}))
		status, _, errOut := run(t, "query", "logs", "x", "--server", server.URL)
		server.Close()
		if status != 3 || !strings.Contains(errOut, "400 Bad Request: position 3: expected a value") {
			t.Errorf("%s: exit %d, %q", name, status, errOut)
		}
	}
}

func TestCheckNamesEveryProblem(t *testing.T) {
	status, _, errOut := run(t, "check", "config", "testdata/bad.yml")
	for _, want := range []string{"bad.yml:1", "scrape_configs", "bad.yml:2"} {
		if status != 3 || !strings.Contains(errOut, want) {
			t.Errorf("exit %d, the error does not say %q: %s", status, want, errOut)
		}
	}
	if status, out, errOut := run(t, "check", "config", "../../examples/broker/signalbox.yml"); status != 0 || !strings.Contains(out, "is good") {
		t.Errorf("the example: exit %d, %s %s", status, out, errOut)
	}
	if status, out, errOut := run(t, "check", "slos", "../../examples/broker/slos/*.yaml"); status != 0 || !strings.Contains(out, "SLOs in") {
		t.Errorf("the example's SLOs: exit %d, %s %s", status, out, errOut)
	}
	if status, _, errOut := run(t, "check", "rules", "testdata/nowhere.yml"); status != 3 || !strings.Contains(errOut, "nowhere.yml") {
		t.Errorf("a file that is not there: exit %d, %s", status, errOut)
	}
}
