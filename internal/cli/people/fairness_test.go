package people_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestWhatEverybodyBearsIsListed(t *testing.T) {
	s := clitest.Serve(t, http.StatusOK, `{"people":[{"person":{"name":"ada"},"time_zone":"Europe/Berlin","turns":6,"hours":1008,"share":0.5,"night_hours":378,"weekend_hours":288,"holiday_hours":24,"pages":{"count":15,"per_week":2.5,"night":4,"over_goal":true}}]}`)
	status, out, errOut := run(t, "oncall", "fairness", "--days", "90", "--server", s.URL)
	if text := strings.Join(strings.Fields(out), " "); status != 0 || errOut != "" || !strings.HasSuffix(text, "ada 6 1008.0 h 50 % 378.0 h 288.0 h 24.0 h 15 2.5 ! 4 Europe/Berlin") {
		t.Errorf("status %d, %s%s", status, out, errOut)
	}
	if !strings.Contains(s.Asked[0].URL, "days=90") || strings.Contains(s.Asked[0].URL, "start") {
		t.Error(s.Asked[0].URL)
	}
	empty := clitest.Serve(t, http.StatusOK, `{"people":[]}`)
	if status, out, _ := run(t, "oncall", "fairness", "--server", empty.URL); status != 0 || !strings.Contains(out, "oncall_files") {
		t.Errorf("status %d, %s", status, out)
	}
}
