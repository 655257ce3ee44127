package people_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

const swapped = `{"id":"s-1","state":"proposed","schedule":"edge","from":"ada","to":"kim","start":"2030-12-23T08:00:00Z","end":"2030-12-30T08:00:00Z","in_return":{"schedule":"edge","start":"2030-12-30T08:00:00Z","end":"2031-01-06T08:00:00Z"},"notes":["kim has both"],"told":"kim by email"}`

func TestSwapsAreProposedListedAndAnswered(t *testing.T) {
	s := clitest.Serve(t, http.StatusOK, swapped)
	status, out, errOut := run(t, "oncall", "swap", "propose", "edge", "--from", "ada", "--to", "kim", "--start", "2030-12-24T12:00:00Z", "--in-return", "2030-12-31T12:00:00Z", "--by", "ada", "--server", s.URL)
	if status != 0 || errOut != "" {
		t.Fatal(status, errOut)
	}
	for _, want := range []string{"s-1: proposed, ada to kim, edge from Mon 2030-12-23 08:00 UTC", "in return ada takes edge", "note: kim has both", "told: kim by email"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if got := s.Asked[0].Body; !strings.Contains(got, `"start":"2030-12-24T12:00:00Z"`) || !strings.Contains(got, `"in_return":{`) || strings.Contains(got, `"end":"2030`) {
		t.Error(got)
	}
	if status, out, _ := run(t, "oncall", "swap", "accept", "s-1", "--by", "kim", "--server", s.URL); status != 0 || !strings.Contains(out, "s-1") || !strings.Contains(s.Asked[1].URL, "/swaps/s-1/answer") || !strings.Contains(s.Asked[1].Body, `"answer":"accept"`) {
		t.Errorf("%d %s %+v", status, out, s.Asked[1])
	}
	list := clitest.Serve(t, http.StatusOK, `{"swaps":[`+swapped+`]}`)
	if status, out, _ := run(t, "oncall", "swap", "list", "--server", list.URL); status != 0 || !strings.Contains(out, "s-1") || !strings.Contains(out, "IN RETURN") {
		t.Errorf("%d %s", status, out)
	}
	if status, _, errOut := run(t, "oncall", "swap", "propose", "edge", "--start", "tomorrow", "--server", s.URL); status != 2 || !strings.Contains(errOut, "--start") {
		t.Errorf("%d %s", status, errOut)
	}
}
