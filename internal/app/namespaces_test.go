package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/auth/policy"
)

// Through the whole process: who is bound to a namespace is answered of it alone, and refused where it is not kept apart.
func TestAReaderOfANamespaceIsShownThatAlone(t *testing.T) {
	g := startGuarded(t, nil)
	now := time.Now().UnixNano()
	const trace = "5b8efff798038103d269b633813fc60c"
	ingest := "Bearer " + g.token(t, policy.Ingest)
	for i, space := range []string{"pay", "trade"} {
		res := fmt.Sprintf(`"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"%[1]s-api"}},{"key":"service.namespace","value":{"stringValue":%[1]q}}]}`, space)
		for path, body := range map[string]string{
			"/v1/logs":    fmt.Sprintf(`{"resourceLogs":[{%s,"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"words of %s"}}]}]}]}`, res, now, space),
			"/v1/metrics": fmt.Sprintf(`{"resourceMetrics":[{%s,"scopeMetrics":[{"metrics":[{"name":"depth","gauge":{"dataPoints":[{"timeUnixNano":"%d","asDouble":7}]}}]}]}]}`, res, now),
			"/v1/traces": fmt.Sprintf(`{"resourceSpans":[{%s,"scopeSpans":[{"spans":[{"traceId":%q,"spanId":"eee19b7ec3c1b17%d","name":"work of %s","startTimeUnixNano":"%d","endTimeUnixNano":"%d"}]}]}]}`,
				res, trace, i, space, now, now+1000),
		} {
			if got := g.ask(t, "POST", path, body, "Authorization", ingest); got.status != http.StatusOK {
				t.Fatalf("%s: %d %s", path, got.status, got.text)
			}
		}
	}
	made := g.ask(t, "POST", "/sb/v1/tokens", `{"name":"pay","service":true,"grants":[{"role":"viewer","namespaces":["pay"]}]}`, "Cookie", g.cookie)
	var token struct{ Text string }
	if err := json.Unmarshal([]byte(made.text), &token); err != nil || token.Text == "" {
		t.Fatalf("token: %d %s", made.status, made.text)
	}
	for _, c := range []struct {
		path, shows string
		status      int
	}{
		{"/api/v1/query?query=depth", "pay-api", 200},
		{"/api/v1/series?match[]=depth", "pay-api", 200},
		{"/api/v1/label/namespace/values", "pay", 200},
		{"/federate?match[]=depth", "pay-api", 200},
		{"/sb/v1/logs", "words of pay", 200},
		{"/sb/v1/logs/values?field=service", "pay-api", 200},
		{"/sb/v1/traces", "pay-api", 200},
		{"/sb/v1/traces/values?field=name", "work of pay", 200},
		{"/jaeger/api/services", "pay-api", 200},
		{"/jaeger/api/traces/" + trace, "work of pay", 200},
		{"/sb/v1/traces/" + trace, "hidden: team trade", 200},
		{"/api/v1/metadata", "depth", 200},
		{"/sb/v1/services", "", 200},
		{"/jaeger/api/dependencies", "", 200},
	} {
		got := g.ask(t, "GET", c.path, "", "Authorization", "Bearer "+token.Text)
		if got.status != c.status || !strings.Contains(got.text, c.shows) {
			t.Errorf("%s: %d %s", c.path, got.status, got.text)
		}
		if strings.Contains(got.text, "trade-api") || strings.Contains(got.text, "of trade") {
			t.Errorf("%s shows what is another's: %s", c.path, got.text)
		}
		if all := g.ask(t, "GET", c.path, "", "Cookie", g.cookie); all.status != http.StatusOK {
			t.Errorf("%s for who sees all: %d %s", c.path, all.status, all.text)
		}
	}
}
