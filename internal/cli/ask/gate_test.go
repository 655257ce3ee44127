package ask_test

import (
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

// A pipeline acts on the exit status alone, whatever is printed.
func TestGateCheckAndCanaryAnswerWithTheirExitStatus(t *testing.T) {
	for verdict, want := range map[string]int{"allow": 0, "block": 1, "hold": 2, "insufficient": 2, "a verdict of a newer server": 2} {
		server := clitest.Serve(t, 200, `{"id":"d1","verdict":"`+verdict+`","summary":"Because.","reasons":[{"verdict":"`+verdict+`","rule":"r","message":"why","cure":"wait"}],"checks":[{"verdict":"`+verdict+`","name":"r","message":"why"}]}`)
		for _, args := range []string{"gate check --service edge", "gate canary --service edge --baseline 1 --canary 2"} {
			args := append(strings.Fields(args), "--server", server.URL)
			if status, out, _ := run(t, args...); status != want || !strings.Contains(out, "Because.") || !strings.Contains(out, "why") {
				t.Errorf("%v, %s: exit %d, %q; want %d with summary and reason", args, verdict, status, out, want)
			}
			if status, out, _ := run(t, append(args, "--json")...); status != want || !strings.Contains(out, `"summary": "Because."`) {
				t.Errorf("%v, %s as JSON: exit %d, %q", args, verdict, status, out)
			}
		}
		if status, out, errOut := run(t, "gate", "check", "--service", "edge", "--quiet", "--server", server.URL); status != want || out+errOut != "" {
			t.Errorf("quiet, %s: exit %d, %q", verdict, status, out+errOut)
		}
	}
}

func TestGateCheckWithoutAVerdictExits3(t *testing.T) {
	for name, server := range map[string]*clitest.Server{
		"refused":     clitest.Serve(t, 400, `{"error":{"message":"service: must be given"}}`),
		"not found":   clitest.Serve(t, 404, "404 page not found"),
		"a proxy's":   clitest.Serve(t, 200, "<html>please log in</html>"),
		"nothing":     clitest.Serve(t, 200, ""),
		"another's":   clitest.Serve(t, 200, `{"status":"ok"}`),
		"a cut JSON":  clitest.Serve(t, 200, `{"verdict":"allow"`),
		"unavailable": clitest.Serve(t, 503, `{"error":{"message":"starting"}}`),
	} {
		if status, out, errOut := run(t, "gate", "check", "--service", "edge", "--server", server.URL); status != 3 || out != "" || !strings.Contains(errOut, server.URL) && !strings.Contains(errOut, "check that --server is") {
			t.Errorf("%s: exit %d, %q, %q; want 3 and what to look at", name, status, out, errOut)
		}
	}
}

func TestADecisionThatDoesNotFitExits1(t *testing.T) {
	for _, c := range []struct {
		same      string
		signature string
		status    int
	}{{"true", "valid", 0}, {"false", "valid", 1}, {"true", "the signature does not fit", 1}, {"true", "", 1}} {
		server := clitest.Serve(t, 200, `{"decision_id":"d1","same":`+c.same+`,"signature":"`+c.signature+`","stored_verdict":"block","replayed_verdict":"allow","decision":{"summary":"x"}}`)
		status, out, _ := run(t, "gate", "replay", "d1", "--server", server.URL)
		if status != c.status || strings.Contains(out, "NOT THE SAME") != (c.same == "false") || !strings.Contains(out, "stored block, replayed allow; signature "+c.signature+"\n") {
			t.Errorf("%+v: exit %d, %q", c, status, out)
		}
	}
}
