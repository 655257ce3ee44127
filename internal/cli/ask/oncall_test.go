package ask_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestWhoIsOnCallIsShownByTheClocksOfTheSchedule(t *testing.T) {
	s := clitest.Serve(t, http.StatusOK, `{"summary":"1 of 2 schedules has nobody on call.","schedules":[
		{"name":"edge","team":"edge","time_zone":"Europe/Berlin","people":[],
		 "now":{"person":{"name":"ada","shown":"Ada L."},"start":"2026-03-23T08:00:00Z","end":"2026-03-30T07:00:00Z"},
		 "next":{"person":{"name":"kim"},"start":"2026-03-30T07:00:00Z","end":"2026-04-06T07:00:00Z"}},
		{"name":"nights","time_zone":"UTC","people":[]},
		{"name":"solo","time_zone":"UTC","people":[],"now":{"person":{"name":"lee"},"no_change_before":"2026-05-03T12:00:00Z"}}]}`)
	status, out, errOut := run(t, "oncall", "who", "--at", "now+8h", "--server", s.URL)
	text := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{"has nobody on call.", "edge edge Ada L. (ada) Mon 2026-03-30 09:00 CEST kim, from Mon 2026-03-30 09:00 CEST Europe/Berlin", "nights nobody - - UTC", "solo lee no change before Sun 2026-05-03 12:00 UTC - UTC"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if status != 0 || errOut != "" || !strings.Contains(s.Asked[0].URL, "at=now%2B8h") {
		t.Errorf("status %d, %s, asked %s", status, errOut, s.Asked[0].URL)
	}
}

func TestAGapInCoverageIsStatus1(t *testing.T) {
	for body, want := range map[string]struct {
		status int
		text   string
	}{
		`{"covered":true,"schedules":[{"schedule":"edge","gaps":[]}]}`:                                                                                 {0, "every moment of the next 30 days, in 1 schedule."},
		`{"covered":false,"schedules":[],"problem":"there is no on-call schedule"}`:                                                                    {1, "Nobody is on call: there is no on-call schedule."},
		`{"covered":false,"schedules":[{"schedule":"edge","time_zone":"UTC","gaps":[{"start":"2026-03-24T12:00:00Z","end":"2026-03-24T20:00:00Z"}]}]}`: {1, "edge Tue 2026-03-24 12:00 UTC Tue 2026-03-24 20:00 UTC 8 h"},
	} {
		s := clitest.Serve(t, http.StatusOK, body)
		status, out, errOut := run(t, "oncall", "coverage", "--days", "30", "--server", s.URL)
		if text := strings.Join(strings.Fields(out), " "); status != want.status || errOut != "" || !strings.Contains(text, want.text) {
			t.Errorf("status %d, %s%s\nwant %d, %s", status, out, errOut, want.status, want.text)
		}
	}
}

func TestAnOverrideIsSentAndTakenBack(t *testing.T) {
	s := clitest.Serve(t, http.StatusCreated, `{"overrides":[{"id":"edge:1","schedule":"edge","person":"kim","start":"2026-12-24T08:00:00Z","end":"2026-12-25T08:00:00Z"}]}`)
	status, out, errOut := run(t, "oncall", "override", "edge", "--person", "kim", "--start", "2026-12-24T08:00:00Z", "--end", "2026-12-25T08:00:00Z", "--server", s.URL)
	if status != 0 || !strings.Contains(out, "kim is on call by edge from Thu 2026-12-24 08:00 UTC") || !strings.Contains(out, "edge:1") {
		t.Errorf("status %d, %s%s", status, out, errOut)
	}
	if !strings.Contains(s.Asked[0].Body, `"person":"kim"`) {
		t.Errorf("sent %s", s.Asked[0].Body)
	}
	gone := clitest.Serve(t, http.StatusOK, `{"id":"edge:1"}`)
	if status, out, errOut := run(t, "oncall", "override", "--delete", "edge:1", "--server", gone.URL); status != 0 || !strings.Contains(out, "edge:1 counts no more") {
		t.Errorf("status %d, %s%s", status, out, errOut)
	}
	for _, args := range [][]string{{"oncall", "override"}, {"oncall", "override", "edge", "--start", "tomorrow"}} {
		if status, _, errOut := run(t, append(args, "--server", s.URL)...); status != 2 || errOut == "" {
			t.Errorf("%v: status %d, %s", args, status, errOut)
		}
	}
}

func TestShiftsAreListed(t *testing.T) {
	s := clitest.Serve(t, http.StatusOK, `{"shifts":[{"schedule":"edge","person":{"name":"ada"},"start":"2026-03-23T08:00:00Z","end":"2026-03-30T07:00:00Z","layer":"week"},
		{"schedule":"edge","person":{"name":"kim"},"start":"2026-03-30T07:00:00Z","end":"2026-03-30T09:00:00Z","override":"edge:1"}]}`)
	status, out, _ := run(t, "oncall", "shifts", "edge", "--server", s.URL)
	if text := strings.Join(strings.Fields(out), " "); status != 0 || !strings.Contains(text, "ada week") || !strings.Contains(text, "kim override edge:1") {
		t.Errorf("status %d, %s", status, out)
	}
	none := clitest.Serve(t, http.StatusOK, `{"shifts":[]}`)
	if status, out, _ := run(t, "oncall", "shifts", "edge", "--days", "1", "--server", none.URL); status != 0 || !strings.Contains(out, "Nobody is on call by edge in the next 1 day.") {
		t.Errorf("status %d, %s", status, out)
	}
}
