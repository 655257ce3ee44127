package announce_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/announce"
	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func run(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	return clitest.Run(t, []*cobra.Command{announce.StatusPage()}, append([]string{"status-page"}, args...)...)
}

func TestWhatIsAnnouncedFromATerminal(t *testing.T) {
	one := clitest.Serve(t, http.StatusOK, `{"id":"x1","title":"Orders are slow","status":"investigating","pages":["broker"]}`)
	for _, c := range []struct {
		args []string
		path string
		body []string
	}{
		{[]string{"publish", "Orders are slow", "--page", "broker", "--component", "orders=partial_outage", "--text", "t", "--by", "ann"}, "/sb/v1/status-pages/posts", []string{`"pages":["broker"]`, `{"component":"orders","state":"partial_outage"}`, `"by":"ann"`}},
		{[]string{"update", "a/b", "over", "--status", "resolved"}, "/sb/v1/status-pages/posts/a%2Fb/updates", []string{`"status":"resolved"`, `"text":"over"`}},
		{[]string{"maintenance", "New disks", "--page", "broker", "--component", "orders", "--starts", "2030-01-02T22:00:00Z", "--ends", "2030-01-02T23:00:00Z", "--text", "t"}, "/sb/v1/status-pages/posts", []string{`"kind":"maintenance"`, `"under_maintenance"`, `"starts":"2030-01-02T22:00:00Z"`}},
		{[]string{"withdraw", "x1", "--by", "ann"}, "/sb/v1/status-pages/posts/x1?by=ann", nil},
	} {
		status, out, errOut := run(t, append(c.args, "--server", one.URL)...)
		asked := one.Asked[len(one.Asked)-1]
		if status != 0 || !strings.Contains(out, "x1 on broker is investigating: Orders are slow") || asked.URL != c.path {
			t.Errorf("%v: %d %s%s, asked %s", c.args, status, out, errOut, asked.URL)
		}
		for _, part := range c.body {
			if !strings.Contains(asked.Body, part) {
				t.Errorf("%v: %s lacks %s", c.args, asked.Body, part)
			}
		}
	}
	for _, args := range [][]string{{"publish", "t", "--page", "p", "--component", "=x", "--text", "t"}, {"maintenance", "t", "--page", "p", "--starts", "tomorrow"}} {
		if status, _, errOut := run(t, append(args, "--server", one.URL)...); status != 2 {
			t.Errorf("%v: %d %s", args, status, errOut)
		}
	}
	list := clitest.Serve(t, http.StatusOK, `{"summary":"1 of 1 say.","pages":[{"name":"broker","title":"Broker","public":true,"path":"/status/broker/","state":"partial_outage"}],"posts":[{"id":"x1","title":"T","status":"identified","pages":["broker"],"created":"2026-01-02T03:04:05Z"}],"needs":[{"post":"x1","text":"readers wait"}]}`)
	if _, out, _ := run(t, "list", "--server", list.URL); !strings.Contains(out, "/status/broker/") || !strings.Contains(out, "2026-01-02 03:04Z") || !strings.Contains(out, "! x1 readers wait") {
		t.Error(out)
	}
	view := clitest.Serve(t, http.StatusOK, `{"title":"Broker","state":"operational","components":[{"id":"a","title":"A","state":"operational","uptime":{"ratio":0.9991,"days":80,"of":90}},{"id":"b","title":"B","uptime":{"days":0,"of":90}}],"notices":[{"title":"N","status":"resolved","created":"2026-01-02T03:04:05Z","updates":[{"time":"2026-01-02T03:04:05Z","status":"resolved","text":"over"}]}]}`)
	if _, out, _ := run(t, "show", "broker", "--server", view.URL); !strings.Contains(out, "0.9991") || !strings.Contains(out, "80 of 90") || !strings.Contains(out, "no data") || !strings.Contains(out, "over") {
		t.Error(out)
	}
}
