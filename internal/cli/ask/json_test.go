package ask_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

// --json is the server's answer: also what the text does not show, what a newer server adds,
// and numbers that a float does not hold.
func TestJSONIsTheServersAnswer(t *testing.T) {
	for _, command := range []string{
		"query promql up", "query logs", "query traces", "query sql x", "explain X", "slo list", "slo show a", "slo correct a", "slo backtest",
		"slo correct a --start 2026-03-01T12:00:00Z --end 2026-03-01T13:00:00Z",
		"gate check --service a", "gate replay d", "gate policies", "gate canary --service a --baseline 1 --canary 2", "gate override d --reason r", "audit search", "audit verify",
	} {
		body := `{"summary":"a < b","verdict":"allow","override":{},"same":true,"signature":"valid","intact":true,"of a newer server":{"n":9007199254740993,"none":null,"list":[]},"data":{"resultType":"vector","result":[]}}`
		server := clitest.Serve(t, 200, body)
		want := body
		if strings.HasSuffix(command, "backtest") {
			server = clitest.Serve(t, 200, `{"id":"j","state":"done","result":`+body+`}`)
		}
		status, out, errOut := run(t, append(strings.Fields(command), "--json", "--server", server.URL)...)
		if status != 0 || !reflect.DeepEqual(exact(t, out), exact(t, want)) || !strings.Contains(out, "9007199254740993") {
			t.Errorf("%s: exit %d, %s\n%s\nwant\n%s", command, status, errOut, out, want)
		}
	}
}

func exact(t *testing.T, text string) (v any) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	return v
}
