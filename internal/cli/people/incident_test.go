package people_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestIncidentsAreShownAndWorkedOn(t *testing.T) {
	list := clitest.Serve(t, http.StatusOK, `{"summary":"1 open.","incidents":[{"id":"2026-01-02-ab","title":"bar is down","severity":"P1","status":"open","services":["bar"],"times":{"detected":"2026-01-02T03:04:05Z"},"pages":{"count":2}}]}`)
	status, out, errOut := run(t, "incident", "list", "--status", "open", "--search", "bar down", "--server", list.URL)
	if text := strings.Join(strings.Fields(out), " "); status != 0 || errOut != "" || !strings.Contains(text, "2026-01-02-ab P1 open 2026-01-02 03:04:05Z bar 2 bar is down") {
		t.Errorf("%d %s%s", status, out, errOut)
	}
	if asked := list.Asked[0].URL; !strings.Contains(asked, "status=open") || !strings.Contains(asked, "q=bar+down") {
		t.Error(asked)
	}
	one := clitest.Serve(t, http.StatusOK, `{"id":"2026-01-02-ab","title":"bar is down","status":"resolved"}`)
	for _, c := range []struct {
		args       []string
		path, body string
	}{
		{[]string{"open", "bar is down", "--service", "bar", "--by", "ann"}, "/sb/v1/incidents", `"services":["bar"]`},
		{[]string{"note", "a/b", "hello", "--update"}, "/sb/v1/incidents/a%2Fb/notes", `"kind":"update"`},
		{[]string{"status", "x", "mitigated", "--text", "t"}, "/sb/v1/incidents/x/status", `"status":"mitigated"`},
		{[]string{"look", "x", "--by", "ann"}, "/sb/v1/incidents/x/look", `"by":"ann"`},
		{[]string{"merge", "x", "y"}, "/sb/v1/incidents/x/merge", `"into":"y"`},
		{[]string{"split", "x", "p1", "p2", "--title", "another"}, "/sb/v1/incidents/x/split", `"pages":["p1","p2"]`},
		{[]string{"resolve", "x", "--by", "ann"}, "/sb/v1/incidents/x/status", `"status":"resolved"`},
	} {
		status, out, errOut := run(t, append(append([]string{"incident"}, c.args...), "--server", one.URL)...)
		asked := one.Asked[len(one.Asked)-1]
		if status != 0 || !strings.Contains(out, "2026-01-02-ab is resolved: bar is down") || asked.URL != c.path || !strings.Contains(asked.Body, c.body) {
			t.Errorf("%v: %d %s%s, asked %s %s", c.args, status, out, errOut, asked.URL, asked.Body)
		}
	}
	draft := clitest.Serve(t, http.StatusOK, `{"markdown":"# bar is down\n","incident":{"title":"bar is down","severity":"P1","status":"open"},"timeline":{"entries":[{"time":"2026-01-02T03:04:05Z","text":"Page: bar","source":{"kind":"page","id":"p1"}}]}}`)
	if status, out, _ := run(t, "incident", "postmortem", "x", "--server", draft.URL); status != 0 || out != "# bar is down\n" {
		t.Errorf("%d %q", status, out)
	}
	if status, out, _ := run(t, "incident", "show", "x", "--server", draft.URL); status != 0 || !strings.Contains(strings.Join(strings.Fields(out), " "), "2026-01-02 03:04:05 Page: bar page p1") {
		t.Errorf("%d %q", status, out)
	}
}
