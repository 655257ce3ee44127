package check_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Every alert of the example has a runbook, and every query in one is read.
func TestTheExamplesAlertsHaveRunbooks(t *testing.T) {
	const example = "../../../examples/broker/"
	status, good, found := run(t, "check", "runbooks", example+"runbooks/*.md", "--rules", example+"rules/*.yml", "--slos", example+"slos/*.yaml")
	errors := 0
	for line := range strings.Lines(found) {
		if !strings.Contains(line, "its review was due on") { // as it will be
			errors++
		}
	}
	var books, alerts int
	if _, err := fmt.Sscanf(good, "%d runbooks for %d alerts", &books, &alerts); err != nil || status != 0 || errors > 0 || books < 20 || alerts < 50 {
		t.Errorf("%d %s%s", status, good, found)
	}
}

func TestQueriesOfRunbooksAreRun(t *testing.T) {
	full := true
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api/v1/query":
			fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]}]}}`)
		case r.URL.Path == "/sb/v1/logs" && full:
			fmt.Fprint(w, `{"logs":[{}]}`)
		case r.URL.Path == "/sb/v1/logs":
			fmt.Fprint(w, `{"logs":[]}`)
		case r.URL.Path == "/sb/v1/traces" && r.URL.Query().Get("q") != "":
			fmt.Fprint(w, `{"traces":[{}]}`)
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	file := "../../../examples/broker/runbooks/"
	args := []string{"check", "runbooks", file + "*.md", "--server", s.URL}
	if status, _, found := run(t, args...); status != 0 {
		t.Errorf("%d %s", status, found)
	}
	full = false
	if status, _, found := run(t, args...); status != 3 || !strings.Contains(found, "queue-backlog.md:") || !strings.Contains(found, "the logs query finds nothing on the server") || strings.Contains(found, "promql query") {
		t.Errorf("%d %s", status, found)
	}
}
