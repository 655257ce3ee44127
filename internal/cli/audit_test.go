package cli_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func answering(t *testing.T, asked *string, text string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = r.URL.String()
		_, _ = w.Write([]byte(text))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAuditVerifyExits1AndNamesTheFirstBadEntry(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		status       int
		want         string
	}{
		{"intact", `{"intact":true,"entries":12}`, 0, "intact: 12 entries"},
		{"changed", `{"intact":false,"entries":6,"first_bad":7,"fault":"audit entry 7 (page.ack by ann) was changed after it was written"}`, 1, "entry 7 (page.ack by ann) was changed"},
	} {
		var asked string
		status, out, errOut := run(t, "audit", "verify", "--server", answering(t, &asked, c.answer))
		if status != c.status || !strings.Contains(out, c.want) || asked != "/sb/v1/audit/verify" {
			t.Errorf("%s: exit %d, %q, %q, asked %s", c.name, status, out, errOut, asked)
		}
	}
	if status, _, _ := run(t, "audit", "verify", "--server", "http://127.0.0.1:1"); status != 3 {
		t.Errorf("no server: exit %d, want 3", status)
	}
}

func TestAuditSearchListsWhatWasAskedFor(t *testing.T) {
	var asked string
	url := answering(t, &asked, `{"entries":[{"id":7,"time":"2026-03-01T12:00:00Z","actor":"ann","action":"page.ack","subject":"p1","details":{"b":"2","a":"x y"}}]}`)
	status, out, _ := run(t, "audit", "search", "--server", url, "--actor", "ann", "--action", "page.ack", "--start", "now-30d", "--limit", "5")
	if status != 0 || asked != "/sb/v1/audit?action=page.ack&actor=ann&limit=5&start=now-30d" {
		t.Errorf("exit %d, asked %s", status, asked)
	}
	for _, want := range []string{"7", "2026-03-01T12:00:00Z", "ann", "page.ack", "p1", `a="x y" b="2"`} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %q", want, out)
		}
	}
}

func TestADecisionThatDoesNotFitExits1(t *testing.T) {
	var asked string
	url := answering(t, &asked, `{"decision_id":"d1","same":false,"signature":"the signature does not fit","stored":"block","replayed":"allow","decision":{"summary":"x"}}`)
	if status, out, _ := run(t, "gate", "replay", "d1", "--server", url); status != 1 || !strings.Contains(out, "NOT THE SAME") {
		t.Errorf("replay: exit %d, %q", status, out)
	}
}
