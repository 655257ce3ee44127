package people_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestHeartbeatsArePingedAndListed(t *testing.T) {
	const one = `{"name":"backup","every":"1h","grace":"5m","severity":"high","state":"failed","summary":"It said that it failed.","last":"2030-01-01T02:00:00Z"}`
	s := clitest.Serve(t, http.StatusOK, one)
	status, out, errOut := run(t, "oncall", "heartbeat", "ping", "backup", "--exit-code", "3", "--note", "disk full", "--server", s.URL)
	if status != 0 || errOut != "" || !strings.Contains(out, "backup: failed. It said") || s.Asked[0].URL != "/sb/v1/heartbeats/backup?exit_code=3&note=disk+full&status=ok" {
		t.Errorf("%d %s%s %+v", status, out, errOut, s.Asked)
	}
	if status, _, _ := run(t, "oncall", "heartbeat", "ping", "backup", "--start", "--fail", "--server", s.URL); status != 2 {
		t.Error(status)
	}
	list := clitest.Serve(t, http.StatusOK, `{"heartbeats":[`+one+`]}`)
	if status, out, _ := run(t, "oncall", "heartbeat", "list", "--server", list.URL); status != 0 || !strings.Contains(out, "Tue 2030-01-01 02:00 UTC") || !strings.Contains(out, "failed") {
		t.Errorf("%d %s", status, out)
	}
	none := clitest.Serve(t, http.StatusOK, `{"heartbeats":[]}`)
	if status, out, _ := run(t, "oncall", "heartbeat", "list", "--server", none.URL); status != 0 || !strings.Contains(out, "oncall_files") {
		t.Errorf("%d %s", status, out)
	}
}
