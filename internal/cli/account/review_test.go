package account_test

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/account"
	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestAuditReviewShowsGrantsAndProposals(t *testing.T) {
	server := clitest.Serve(t, 200, `{"authentication":true,"from":"2026-10-01T00:00:00Z","until":"2026-11-30T00:00:00Z","notes":["a note"],
		"holders":[{"kind":"user","name":"user:ann","of":["ops"],"grants":[{"role":"editor","tenants":["acme"],"namespaces":["pay"],"by":"auth.bindings[0] (editor)"}],"last":"2026-10-02T00:00:00Z",
			"was":{"time":"2026-11-01T00:00:00Z","groups":["db"],"grants":["viewer on default by auth.bindings[1] (viewer)"]}}],
		"proposals":[{"kind":"token","name":"token:1","reason":"expired","text":"expired: revoke it"}]}`)
	status, out, _ := clitest.Run(t, []*cobra.Command{account.AuditReview()}, "review", "--quarter", "2026Q4", "--server", server.URL)
	if status != 0 || server.Asked[0].URL != "/sb/v1/audit/review?quarter=2026Q4" {
		t.Errorf("exit %d, asked %v", status, server.Asked)
	}
	for _, want := range []string{"a note", "user:ann", "editor on acme/pay", "2026-10-02T00:00:00Z", "token:1", "expired: revoke it", "2026-11-01T00:00:00Z", "db", "viewer on default by auth.bindings[1] (viewer)"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %q", want, out)
		}
	}
	if status, out, _ := clitest.Run(t, []*cobra.Command{account.AuditReview()}, "review", "--since", "now-30d", "-o", "json", "--server", server.URL); status != 0 || !strings.Contains(out, `"reason": "expired"`) {
		t.Errorf("exit %d, %q", status, out)
	}
	formula := clitest.Serve(t, 200, `{"authentication":true,"from":"2026-10-01T00:00:00Z","until":"2026-11-30T00:00:00Z","notes":[],
		"holders":[{"kind":"token","name":"token:1","shown":"=HYPERLINK(1)","grants":[{"role":"viewer","tenants":["*"],"by":"x"}]}],
		"proposals":[{"kind":"token","name":"token:1","reason":"unused","text":"revoke it"}]}`)
	if status, out, _ := clitest.Run(t, []*cobra.Command{account.AuditReview()}, "review", "--format", "csv", "--server", formula.URL); status != 0 ||
		!strings.Contains(out, "token,token:1,'=HYPERLINK(1),,viewer on */*,false,,,,unused,revoke it,2026-10-01T00:00:00Z,2026-11-30T00:00:00Z,,,,\n") {
		t.Errorf("exit %d, %q", status, out)
	}
	if status, _, _ := clitest.Run(t, []*cobra.Command{account.AuditReview()}, "review", "--format", "xml", "--server", formula.URL); status != 2 {
		t.Errorf("another format: exit %d", status)
	}
	if status, _, _ := clitest.Run(t, []*cobra.Command{account.AuditReview()}, "review", "--since", "now-30d", "--quarter", "2026Q4", "--server", server.URL); status != 2 {
		t.Errorf("both: exit %d", status)
	}
	off := clitest.Serve(t, 200, `{"authentication":false,"notes":["Authentication is off"],"holders":[],"proposals":[]}`)
	if status, out, _ := clitest.Run(t, []*cobra.Command{account.AuditReview()}, "review", "--server", off.URL); status != 0 || !strings.Contains(out, "Authentication is off") || strings.Contains(out, "KIND") {
		t.Errorf("exit %d, %q", status, out)
	}
}
