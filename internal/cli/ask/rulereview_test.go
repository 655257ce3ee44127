package ask_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

const ruleReview = `{"summary":"2 rules fired 7 times in 28 days.","start":"2026-03-01T00:00:00Z","end":"2026-03-29T00:00:00Z","covered":1,"notes":["Known to the minute."],
"patch":"--- a/rules/work.yml\n+++ b/rules/work.yml\n","rules":[
{"alert":"Noisy","severity":"critical","firings":{"count":7,"seconds":4680},"outcome":{"told":7,"acted_on":1,"auto_resolved":6},"findings":[{"kind":"auto-resolved","text":"x"}],
 "proposals":[{"kind":"for","from":"1m","to":"5m","why":"nine of ten ended by themselves"},{"kind":"remove","why":"w","manual":"change it by hand"}]},
{"alert":"Quiet","severity":"warning","firings":{},"outcome":{"quiet":3},"findings":[{"kind":"always-quiet","text":"none reached anybody"}],"proposals":[]}]}`

func TestTheReviewOfRulesIsShownAndItsPatchWritten(t *testing.T) {
	srv := clitest.Serve(t, http.StatusOK, ruleReview).URL
	status, out, errOut := run(t, "review", "--server", srv)
	for _, want := range []string{"2 rules fired 7 times", "Noisy", "1 h 18 m", "Noisy: change for from 1m to 5m: nine of ten", "Noisy: remove it: w", "not in the patch: change it by hand", "Quiet: none reached anybody", "Known to the minute."} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("status %d, no %q in\n%s%s", status, want, out, errOut)
		}
	}
	if status, out, _ := run(t, "review", "--patch", "--server", srv); status != 0 || out != "--- a/rules/work.yml\n+++ b/rules/work.yml\n" {
		t.Errorf("status %d, patch %q", status, out)
	}
}
