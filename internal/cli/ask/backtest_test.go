package ask_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestABacktestSendsTheFilesAndNothingElse(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"a.yaml", "b.yaml", "strict.yaml"} {
		if err := os.WriteFile(name, []byte("# "+name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := clitest.Serve(t, 200, `{"id":"j1","state":"done","result":{"start":"2026-03-01T01:00:00+02:00","end":"2026-03-02T01:00:00+02:00","step":"5m","summary":"Two pages.","sets":[{"name":"A","pages":[{"start":"2026-03-01T10:30:00+02:00","end":"2026-03-01T12:00:00+02:00","severity":"page","receiver":"team","seconds":5400,"alerts":["Down"]}]}]}}`)
	status, out, errOut := run(t, "slo", "backtest", "--slo-files", "?.yaml", "--compare", "strict.yaml", "--start", "now-2d", "--step", "5m", "--server", server.URL)
	if status != 0 || !strings.HasPrefix(out, "2026-02-28 23:00 to 2026-03-01 23:00 UTC, every 5m\nTwo pages.\n") || !strings.Contains(out, "2026-03-01 08:30  page      team      1 h 30 m  Down") {
		t.Errorf("exit %d, %s%s; want times in UTC whatever the server's zone", status, out, errOut)
	}
	want := `{"set":{"slos":[{"name":"a.yaml","text":"# a.yaml"},{"name":"b.yaml","text":"# b.yaml"}]},"compare":{"slos":[{"name":"strict.yaml","text":"# strict.yaml"}]},"start":"now-2d","end":"now","step":"5m"}`
	if got := server.Asked[0]; got.Method != "POST" || got.URL != "/sb/v1/backtest" || !reflect.DeepEqual(exact(t, got.Body), exact(t, want)) {
		t.Errorf("asked %+v\nwant %s", got, want)
	}
}

func TestABacktestThatDoesNotSucceedExits3(t *testing.T) {
	server := clitest.Serve(t, 200, `{"id":"j1","state":"failed","error":"the query ran for too long"}`)
	if status, out, errOut := run(t, "slo", "backtest", "--server", server.URL); status != 3 || out != "" || !strings.Contains(errOut, "the backtest is failed: the query ran for too long") {
		t.Errorf("exit %d, %q, %q", status, out, errOut)
	}
	missing := filepath.Join(t.TempDir(), "*.yaml")
	if status, _, errOut := run(t, "slo", "backtest", "--rules", missing, "--server", server.URL); status != 3 || !strings.Contains(errOut, missing+": there is no such file") || len(server.Asked) != 1 {
		t.Errorf("exit %d, %q", status, errOut)
	}
}

func TestACorrectionTakesMomentsWithTheirZone(t *testing.T) {
	server := clitest.Serve(t, 200, `{"id":"c1","kind":"maintenance","start":"2026-11-21T01:00:00Z","end":"2026-11-21T02:30:00Z"}`)
	status, out, _ := run(t, "slo", "correct", "a/b", "--start", "2026-11-21T02:00:00+01:00", "--end", "2026-11-21T02:30:00Z", "--author", "kim", "--reason", "r", "--server", server.URL)
	if status != 0 || out != "a/b no longer counts 2026-11-21T01:00:00Z to 2026-11-21T02:30:00Z (maintenance, correction c1)\n" {
		t.Errorf("exit %d, %q", status, out)
	}
	if got := server.Asked[0]; got.URL != "/sb/v1/slos/a%2Fb/corrections" || !strings.Contains(got.Body, `"start":"2026-11-21T02:00:00+01:00"`) {
		t.Errorf("asked %+v", got)
	}
	for _, args := range [][]string{{"--start", "02:00", "--end", "2026-11-21T02:30:00Z"}, {"--start", "2026-11-21T02:30:00Z"}, {"--end", "2026-11-21 02:30:00"}} {
		status, _, errOut := run(t, append([]string{"slo", "correct", "a", "--server", server.URL}, args...)...)
		if status != 2 || !strings.Contains(errOut, ": write it as 2026-11-21T02:00:00Z") || len(server.Asked) != 1 {
			t.Errorf("%v: exit %d, %q", args, status, errOut)
		}
	}
	gone := clitest.Serve(t, 200, `{"id":"c 1"}`)
	if status, out, _ := run(t, "slo", "correct", "a", "--delete", "c 1", "--author", "kim & co", "--server", gone.URL); status != 0 || out != "what correction c 1 took out counts again\n" {
		t.Errorf("exit %d, %q", status, out)
	}
	if got := gone.Asked[0]; got.Method != "DELETE" || got.URL != "/sb/v1/slos/a/corrections/c%201?actor=kim+%26+co" {
		t.Errorf("asked %+v", got)
	}
}
