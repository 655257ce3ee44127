package ask_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestAuditVerifyExits1AndNamesTheFirstBadEntry(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		status       int
		want         string
	}{
		{"intact", `{"intact":true,"entries":12}`, 0, "intact: 12 entries"},
		{"changed", `{"intact":false,"entries":6,"first_bad":7,"fault":"audit entry 7 (page.ack by ann) was changed after it was written"}`, 1, "entry 7 (page.ack by ann) was changed"},
		{"touched", `{"intact":true,"entries":12,"touched":["gate decision x: it was deleted"]}`, 1, "TOUCHED: gate decision x: it was deleted"},
	} {
		server := clitest.Serve(t, 200, c.answer)
		status, out, errOut := run(t, "audit", "verify", "--server", server.URL)
		if status != c.status || !strings.Contains(out, c.want) || server.Asked[0].URL != "/sb/v1/audit/verify" {
			t.Errorf("%s: exit %d, %q, %q, asked %v", c.name, status, out, errOut, server.Asked)
		}
	}
	if status, _, _ := run(t, "audit", "verify", "--server", "http://127.0.0.1:1"); status != 3 {
		t.Errorf("no server: exit %d, want 3", status)
	}
}

func TestAuditSearchListsWhatWasAskedFor(t *testing.T) {
	server := clitest.Serve(t, 200, `{"entries":[{"id":7,"time":"2026-03-01T12:00:00Z","actor":"ann","action":"page.ack","subject":"p1","details":{"b":"2","a":"x y"}}]}`)
	status, out, _ := run(t, "audit", "search", "--server", server.URL, "--actor", "ann", "--action", "page.ack", "--start", "now-30d", "--limit", "5", "--tenant", "pay")
	if asked := server.Asked[0].URL; status != 0 || asked != "/sb/v1/audit?action=page.ack&actor=ann&limit=5&start=now-30d&tenant=pay" {
		t.Errorf("exit %d, asked %s", status, asked)
	}
	for _, want := range []string{"7", "2026-03-01T12:00:00Z", "ann", "page.ack", "p1", `a="x y" b="2"`} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %q", want, out)
		}
	}
}

func TestAuditStatusSaysHowFarEachTargetIs(t *testing.T) {
	server := clitest.Serve(t, 200, `{"targets":[{"name":"siem","kind":"syslog","address":"tls://siem:6514","shipped":6,"waiting":7,"lag_seconds":3661,"failures":9,"last_error":"connection refused","last_success":"2026-03-01T12:00:00Z"}]}`)
	status, out, _ := run(t, "audit", "status", "--server", server.URL)
	if status != 0 || server.Asked[0].URL != "/sb/v1/audit/targets" {
		t.Errorf("exit %d, asked %v", status, server.Asked)
	}
	for _, want := range []string{"siem", "tls://siem:6514", " 7 ", "1h1m1s", "2026-03-01T12:00:00Z", "connection refused"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %q", want, out)
		}
	}
	none := clitest.Serve(t, 200, `{"targets":[]}`)
	if _, out, _ := run(t, "audit", "status", "--server", none.URL); !strings.Contains(out, "shipped nowhere") {
		t.Errorf("%q", out)
	}
}

func TestAuditExportIsVerifiedFromAFile(t *testing.T) {
	const lines = `{"prev":"","hash":"HASH","entry":{"id":1,"action":"x"}}` + "\n"
	sum := sha256.Sum256([]byte("\n" + `{"id":1,"action":"x"}`))
	whole := strings.Replace(lines, "HASH", hex.EncodeToString(sum[:]), 1)
	server := clitest.Serve(t, 200, whole)
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	status, _, errOut := run(t, "audit", "export", "--server", server.URL, "--action", "x", "--output", file)
	if asked := server.Asked[0].URL; status != 0 || asked != "/sb/v1/audit/export?action=x&format=jsonl" {
		t.Fatalf("exit %d, %q, asked %s", status, errOut, asked)
	}
	if status, out, _ := run(t, "audit", "verify", "--file", file); status != 0 || !strings.Contains(out, "intact: 1 entries, the last is 1") {
		t.Errorf("exit %d, %q", status, out)
	}
	if status, _, _ := run(t, "audit", "export", "--server", server.URL, "--output", file); status == 0 {
		t.Error("a file that is there is overwritten")
	}
	if err := os.WriteFile(file, []byte(strings.Replace(whole, `"x"`, `"y"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, out, _ := run(t, "audit", "verify", "--file", file); status != 1 || !strings.Contains(out, "line 1: entry 1 was changed") {
		t.Errorf("exit %d, %q", status, out)
	}
	if status, out, _ := run(t, "audit", "export", "--server", server.URL); status != 0 || out != whole {
		t.Errorf("exit %d, %q", status, out)
	}
}
