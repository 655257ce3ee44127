package people_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestChannelsAreListed(t *testing.T) {
	s := clitest.Serve(t, http.StatusOK, `{"channels":[{"channel":"email","waiting":0,"per_second":10,"down":false,"last_success":"2026-11-30T10:00:00Z"},
		{"channel":"webhook","waiting":3,"per_second":0.2,"down":true,"last_error":"webhook ops: no answer within 20s","last_error_at":"2026-11-30T11:00:00Z"}]}`)
	status, out, errOut := run(t, "channels", "list", "--server", s.URL)
	text := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{"email up 0 10/s 2026-11-30 10:00:00Z -", "webhook down 3 0.2/s - 2026-11-30 11:00:00Z webhook ops: no answer within 20s"} {
		if status != 0 || errOut != "" || !strings.Contains(text, want) {
			t.Errorf("status %d, %s, no %q in\n%s", status, errOut, want, out)
		}
	}
	none := clitest.Serve(t, http.StatusOK, `{"channels":[]}`)
	if status, out, _ := run(t, "channels", "list", "--server", none.URL); status != 0 || !strings.Contains(out, "There is no channel yet") {
		t.Error(status, out)
	}
}

func TestADrillThatDoesNotArriveIsAnError(t *testing.T) {
	s := clitest.Serve(t, http.StatusOK, `{"delivered":true,"id":"<1@x>","note":"queued","tries":[{"channel":"email","status":"failed","attempt":1,"error":"busy"},{"channel":"email","status":"delivered","attempt":2}]}`)
	status, out, errOut := run(t, "channels", "test", "email", "ada@example.com", "--server", s.URL)
	if status != 0 || errOut != "" || !strings.Contains(out, "try 1: failed busy") || !strings.Contains(out, "took the drill: <1@x> queued") {
		t.Error(status, out, errOut)
	}
	if a := s.Asked[0]; !strings.HasSuffix(a.URL, "/sb/v1/channels/email/test") || !strings.Contains(a.Body, `"address":"ada@example.com"`) {
		t.Errorf("%+v", a)
	}
	s = clitest.Serve(t, http.StatusOK, `{"delivered":false,"error":"email: no such user","tries":[]}`)
	if status, _, errOut := run(t, "channels", "test", "email", "x@example.com", "--server", s.URL); status != 1 || !strings.Contains(errOut, "email: no such user") {
		t.Error(status, errOut)
	}
}
