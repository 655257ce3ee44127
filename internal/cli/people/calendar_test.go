package people_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/ask"
	"github.com/signalbox-project/signalbox/internal/cli/clitest"
	"github.com/signalbox-project/signalbox/internal/cli/people"
)

func run(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	return clitest.Run(t, []*cobra.Command{ask.OnCall(people.Calendar(), people.Fairness(), people.Swap(), people.Heartbeat()), people.Channels(), people.Incident()}, args...)
}

func TestACalendarIsPrintedOrSubscribedTo(t *testing.T) {
	var ordered string
	status := http.StatusCreated
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sb/v1/oncall/calendar.ics", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("schedule") != "edge" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(w, "BEGIN:VCALENDAR\r\n")
	})
	mux.HandleFunc("POST /sb/v1/tokens", func(w http.ResponseWriter, r *http.Request) {
		var b strings.Builder
		_ = r.Write(&b)
		ordered = b.String()
		w.WriteHeader(status)
		fmt.Fprint(w, `{"text":"sbx_text","token":{"id":"abc","expires":"2027-01-02T00:00:00Z"}}`)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	if code, out, errOut := run(t, "oncall", "calendar", "--schedule", "edge", "--server", s.URL); code != 0 || out != "BEGIN:VCALENDAR\r\n" || errOut != "" {
		t.Errorf("status %d, %q%s", code, out, errOut)
	}
	code, out, errOut := run(t, "oncall", "calendar", "--schedule", "edge", "--subscribe", "--tenant", "acme", "--server", s.URL)
	if code != 0 || out != s.URL+"/sb/v1/oncall/calendar.ics?schedule=edge&token=sbx_text\n" || !strings.Contains(errOut, "Good until 2027-01-02") {
		t.Errorf("status %d, %q%s", code, out, errOut)
	}
	if !strings.Contains(ordered, `"grants":[{"role":"calendar","tenants":["acme"]}]`) {
		t.Error(ordered)
	}
	status = http.StatusNotFound // without authentication
	if code, out, errOut := run(t, "oncall", "calendar", "--schedule", "edge", "--subscribe", "--server", s.URL); code != 0 || out != s.URL+"/sb/v1/oncall/calendar.ics?schedule=edge\n" {
		t.Errorf("status %d, %q%s", code, out, errOut)
	}
	ordered, status = "", http.StatusCreated
	if code, _, _ := run(t, "oncall", "calendar", "--schedule", "edgy", "--subscribe", "--server", s.URL); code == 0 || ordered != "" {
		t.Errorf("status %d, a token is made for a schedule that there is none of: %s", code, ordered)
	}
	if code, _, _ := run(t, "oncall", "calendar", "--server", s.URL); code == 0 {
		t.Error("neither of schedule and person is taken")
	}
}
