package ask_test

import (
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/cli/clitest"
)

func TestPromQLPrintsWhatPrometheusAnswers(t *testing.T) {
	const histogram = `{"count":"7","sum":"3.5","buckets":[[3,"-0.1","0.1","1"],[0,"1","2","3"],[1,"-2","-1","2"],[2,"4","8","1"]]}`
	for name, c := range map[string]struct{ data, want string }{
		"a vector":               {`"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a","az":"x\"y"},"value":[1700000000.5,"1"]},{"metric":{},"value":[1700000000,"NaN"]}]`, "up{az=\"x\\\"y\", job=\"a\"}  1\n{}  NaN\n"},
		"an empty vector":        {`"resultType":"vector","result":[]`, "no series\n"},
		"an empty matrix":        {`"resultType":"matrix","result":[]`, "no series\n"},
		"a scalar":               {`"resultType":"scalar","result":[1700000000,"12345678901234567"]`, "12345678901234567\n"},
		"a string":               {`"resultType":"string","result":[1700000000,"a b"]`, "a b\n"},
		"a matrix, in UTC":       {`"resultType":"matrix","result":[{"metric":{"__name__":"up"},"values":[[1700000000,"1"],[1700000060,"+Inf"]]}]`, "up{}\n  2023-11-14T22:13:20Z  1\n  2023-11-14T22:14:20Z  +Inf\n"},
		"a native histogram":     {`"resultType":"vector","result":[{"metric":{"__name__":"h"},"histogram":[1700000000,` + histogram + `]}]`, "h{}  {count:7, sum:3.5, [-0.1,0.1]:1, (1,2]:3, [-2,-1):2, (4,8):1}\n"},
		"one without buckets":    {`"resultType":"vector","result":[{"metric":{},"histogram":[1700000000,{"count":"0","sum":"0"}]}]`, "{}  {count:0, sum:0}\n"},
		"a matrix of histograms": {`"resultType":"matrix","result":[{"metric":{"__name__":"h"},"histograms":[[1700000000,{"count":"1","sum":"2"}]]}]`, "h{}\n  2023-11-14T22:13:20Z  {count:1, sum:2}\n"},
		"a change to histograms": {`"resultType":"matrix","result":[{"metric":{},"values":[[0,"5"]],"histograms":[[60,{"count":"1","sum":"2"}]]}]`, "{}\n  1970-01-01T00:00:00Z  5\n  1970-01-01T00:01:00Z  {count:1, sum:2}\n"},
	} {
		server := clitest.Serve(t, 200, `{"status":"success","data":{`+c.data+`}}`)
		if status, out, errOut := run(t, "query", "promql", "x", "--server", server.URL); status != 0 || out != c.want {
			t.Errorf("%s: exit %d, %q, %s; want %q", name, status, out, errOut, c.want)
		}
	}
}

// An expression may be longer than a URL, and holds what a form must escape.
func TestPromQLSendsTheExpressionWhole(t *testing.T) {
	server := clitest.Serve(t, 200, `{"data":{"resultType":"vector","result":[]}}`)
	expression := `a{b=~"x|y&z+"} / 100 % 7 or ` + strings.Repeat("up + ", 5000) + "1"
	run(t, "query", "promql", expression, "--time", "2026-03-01T12:00:00+01:00", "--server", server.URL)
	form, err := url.ParseQuery(server.Asked[0].Body)
	if err != nil || form.Get("query") != expression || form.Get("time") != "2026-03-01T12:00:00+01:00" || server.Asked[0].URL != "/api/v1/query" {
		t.Errorf("%v: %.200v", err, server.Asked)
	}
}

// TestMain puts the reader somewhere before anything reads the clock: connections of the tests before would, while they close.
func TestMain(m *testing.M) {
	time.Local = time.FixedZone("", -(3*3600 + 30*60))
	os.Exit(m.Run())
}

func TestTimesOfLogsAndTracesAreTheReaders(t *testing.T) {
	for _, c := range []struct{ command, answer, want string }{
		{"query logs", `{"logs":[{"timestamp":"2026-03-01T12:00:01.25Z","level":"error","service":"edge","message":"second"},{"timestamp":"2026-03-01T01:00:00Z","level":"info","service":"edge","message":"first"}]}`, "2026-02-28 21:30:00.000 info "},
		{"query logs", `{"logs":[{"timestamp":"2026-03-01T12:00:01.25Z","level":"error","service":"edge","message":"second"}]}`, "2026-03-01 08:30:01.250 error"},
		{"query traces", `{"traces":[{"trace_id":"ab","root_service":"edge","root_name":"GET /","start":"2026-03-01T12:00:00+02:00","duration_ns":1234567891,"spans":3,"errors":1}]}`, "ab     2026-03-01 06:30:00.000  1.234568s  3      1       edge GET /\n"},
		{"explain X", `{"summary":"s","timeline":[{"time":"2026-03-01T12:00:00Z","event":"it fired"}]}`, "  2026-03-01 08:30:00  it fired\n"},
	} {
		server := clitest.Serve(t, 200, c.answer)
		status, out, errOut := run(t, append(strings.Fields(c.command), "--server", server.URL)...)
		if status != 0 || !strings.Contains(out, c.want) || strings.Contains(out, "second") && !strings.HasSuffix(strings.TrimSpace(out), "second") {
			t.Errorf("%s: exit %d, %s%s; want %q, newest last", c.command, status, out, errOut, c.want)
		}
	}
}

func TestNothingFoundIsSaidAndNoError(t *testing.T) {
	for _, c := range []struct{ command, answer, out, errOut string }{
		{"query logs", `{"logs":[],"hints":["no service is called egde; did you mean edge?"]}`, "", "hint: no service is called egde; did you mean edge?\n"},
		{"query traces", `{"traces":[],"hints":["h"]}`, "no traces\n", "hint: h\n"},
		{"query sql x", `{"columns":[{"name":"a","type":"BIGINT"}],"rows":[]}`, "a\n(0 rows)\n", ""},
		{"slo list", `{"slos":[],"summary":"No SLO is defined."}`, "No SLO is defined.\n", ""},
		{"slo correct a", `{"corrections":[]}`, "Nothing was taken out.\n", ""},
		{"audit search", `{"entries":[]}`, "ENTRY  TIME  TENANT  ACTOR  ACTION  SUBJECT  DETAILS  TAMPERED\n", ""},
	} {
		server := clitest.Serve(t, 200, c.answer)
		if status, out, errOut := run(t, append(strings.Fields(c.command), "--server", server.URL)...); status != 0 || out != c.out || errOut != c.errOut {
			t.Errorf("%s: exit %d, %q, %q", c.command, status, out, errOut)
		}
	}
}

// 2⁵³+1 is the first integer that a float does not hold.
func TestSQLPrintsEveryDigitAndOneLineARow(t *testing.T) {
	server := clitest.Serve(t, 200, `{"columns":[{"name":"n","type":"BIGINT"},{"name":"message","type":"VARCHAR"},{"name":"list","type":"VARCHAR[]"}],
		"rows":[[9007199254740993,"panic:\n\tat main.go",["a<b"]],[18446744073709551615,"\u001b[2J",null],[null,"","é"]],"truncated":true}`)
	status, out, _ := run(t, "query", "sql", "SELECT 1", "--server", server.URL)
	want := "n                     message               list\n" +
		"9007199254740993      panic:\\n\\tat main.go  [\"a<b\"]\n" +
		"18446744073709551615  \\x1b[2J               NULL\n" +
		"NULL                                        é\n" +
		"(3 rows, more were cut off)\n"
	if status != 0 || out != want {
		t.Errorf("exit %d\n%s\nwant\n%s", status, out, want)
	}
	if got := server.Asked[0]; got.URL != "/sb/v1/sql" || got.Body != `{"query":"SELECT 1"}` {
		t.Errorf("asked %+v", got)
	}
}

func TestASearchThatWasCutOffSaysSoBesideTheAnswer(t *testing.T) {
	server := clitest.Serve(t, 200, `{"logs":[{"timestamp":"2026-03-01T12:00:00Z","message":"m"}],"truncated":true}`)
	status, out, errOut := run(t, "query", "logs", "--limit", "1", "--server", server.URL)
	if status != 0 || !strings.Contains(errOut, "the newest 1; there are more (--limit, --start)") || strings.Contains(out, "there are more") {
		t.Errorf("exit %d, %q, %q", status, out, errOut)
	}
}
