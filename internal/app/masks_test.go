package app

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// maskedTexts are what a record holds that few may see.
func maskedTexts() []string {
	return []string{"ann@example.com", "4111111111111111", "user-4711", "10.1.2.3", "77008877"}
}

// sendMasked sends a log record and a trace that hold each of maskedTexts wherever a rule of docs/masking.md may find it.
func sendMasked(t *testing.T, g *guarded, now time.Time, header ...string) {
	t.Helper()
	attr := func(k, v string) string { return fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, k, v) }
	attrs := strings.Join([]string{attr("user.email", "ann@example.com"), attr("user.id", "user-4711"), attr("note", "card 4111111111111111 from 10.1.2.3"), attr("http.request.header.cookie", "77008877")}, ",")
	resource := fmt.Sprintf(`{"attributes":[%s,%s,%s]}`, attr("service.name", "edge"), attr("service.namespace", "pay"), attr("owner.user.email", "ann@example.com"))
	for path, body := range map[string]string{
		"/v1/logs": fmt.Sprintf(`{"resourceLogs":[{"resource":%s,"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"paid by ann@example.com with 4111111111111111, account 77008877"},"attributes":[%s]}]}]}]}`,
			resource, now.UnixNano(), attrs),
		"/v1/traces": fmt.Sprintf(`{"resourceSpans":[{"resource":%s,"scopeSpans":[{"spans":[{"traceId":%q,"spanId":"0102030405060708","name":"pay 4111111111111111","kind":2,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","status":{"code":2,"message":"no answer from 10.1.2.3"},"attributes":[%s],"events":[{"name":"e","attributes":[%s]}],"links":[{"traceId":"0123456789abcdef0123456789abcdee","spanId":"0102030405060709","attributes":[%s]}]}]}]}]}`,
			resource, teamTrace, now.Add(-time.Second).UnixNano(), now.UnixNano(), attrs, attrs, attrs),
	} {
		if got := g.ask(t, "POST", path, body, append(header, "Cookie", g.cookie)...); got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, got.status, got.text)
		}
	}
}

// The rules of docs/masking.md hold at every door: the API, Jaeger's, SQL, the tail.
func TestMaskedValuesLeaveByNoDoor(t *testing.T) {
	t.Setenv("IDENTIFIERS_KEY", base64.StdEncoding.EncodeToString(make([]byte, 32)))
	doc, err := os.ReadFile("../../docs/masking.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(doc), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	g := startGuarded(t, map[string]string{"signalbox.yml": block})
	now := time.Now()
	sendMasked(t, g, now)
	viewer := []string{"Authorization", "Bearer " + g.token(t, "viewer")}
	as := func(method, path, body string) reply { return g.ask(t, method, path, body, viewer...) }
	sql := func(q string) string { return fmt.Sprintf(`{"query":%q}`, q) }
	window := fmt.Sprintf("&start=%d&end=%d", now.Add(-time.Hour).Unix(), now.Add(time.Hour).Unix())
	jaegerWindow := fmt.Sprintf("&start=%d&end=%d", now.Add(-time.Hour).UnixMicro(), now.Add(time.Hour).UnixMicro())
	for path, shows := range map[string]string{
		"/sb/v1/logs?q=paid" + window: "with [masked: cards …1111], account [masked: cards]", "/sb/v1/logs/values?field=note" + window: "[masked: contact]", "/sb/v1/logs/values?field=message" + window: "paid by",
		"/sb/v1/logs/histogram?field=note&q=paid" + window: "[masked: cards …1111]", "/sb/v1/logs/fields?x" + window: "user.email", "/sb/v1/traces?q=pay" + window: "pay [masked: cards …1111]",
		"/sb/v1/traces/" + teamTrace: "no answer from [masked: contact]", "/sb/v1/traces/values?field=name" + window: "[masked: cards …1111]",
		"/jaeger/api/traces/" + teamTrace: "[masked: addresses]", "/jaeger/api/traces?service=edge" + jaegerWindow: "[masked: users h1:", "/jaeger/api/services/edge/operations": "pay [masked: cards",
		"/jaeger/api/v3/traces/" + teamTrace: "[masked: addresses]",
	} {
		got := as("GET", path, "")
		if got.status != http.StatusOK || !strings.Contains(got.text, shows) {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
		for _, secret := range maskedTexts() {
			if strings.Contains(got.text, secret) {
				t.Errorf("%s shows %s: %s", path, secret, got.text)
			}
		}
	}
	for _, q := range []string{"SELECT * FROM logs", "SELECT * FROM spans", `SELECT "attr.user.email", "attr.note", "attr.user.id" FROM logs`} {
		got := as("POST", "/sb/v1/sql", sql(q))
		if got.status != http.StatusOK || !strings.Contains(got.text, "[masked: addresses]") {
			t.Errorf("%s: %d %s", q, got.status, got.text)
		}
		for _, secret := range maskedTexts() {
			if strings.Contains(got.text, secret) {
				t.Errorf("%s shows %s", q, secret)
			}
		}
	}
	t.Run("what is masked cannot be asked for", func(t *testing.T) {
		for _, q := range []string{"ann", `"4111111111111111"`, "account AND 77008877", `note:"card 4111111111111111 from 10.1.2.3"`, "/4111+/", "10.1.2.3"} {
			for _, what := range []string{"logs", "traces"} {
				if got := as("GET", "/sb/v1/"+what+"?q="+url.QueryEscape(q)+window, ""); got.status != http.StatusOK || strings.Contains(got.text, `"trace_id"`) {
					t.Errorf("%s %s: %d %s", what, q, got.status, got.text)
				}
			}
		}
		for _, path := range []string{
			"/sb/v1/logs?q=user.email:*" + window, "/sb/v1/logs/values?field=userEmail" + window, "/sb/v1/logs/histogram?field=user.id" + window, "/sb/v1/traces?q=event.user.email:x" + window,
			"/jaeger/api/traces?service=edge&tags=" + url.QueryEscape(`{"user.email":"ann@example.com"}`) + jaegerWindow,
		} {
			if got := as("GET", path, ""); got.status != http.StatusBadRequest || !strings.Contains(got.text, "is masked for you by the rule") {
				t.Errorf("%s: %d %s", path, got.status, got.text)
			}
		}
		slo := "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: guess}\nspec:\n  service: edge\n  indicator: {metadata: {name: i}, spec: {ratioMetric: {counter: true, bad: {metricSource: {type: signalbox-logs, spec: {query: '411*'}}}, total: {metricSource: {type: signalbox-logs, spec: {query: 'service:edge'}}}}}}\n" +
			"  timeWindow: [{duration: 1d, isRolling: true}]\n  budgetingMethod: Occurrences\n  objectives: [{target: 0.9}]\n"
		if got := as("POST", "/sb/v1/backtest", fmt.Sprintf(`{"set":{"slos":[{"name":"a.yml","text":%q}]},"start":"now-1h"}`, slo)); got.status != http.StatusBadRequest || !strings.Contains(got.text, "may be masked for you") {
			t.Errorf("%d %s", got.status, got.text)
		}
	})
	if got := as("GET", "/sb/v1/me", ""); !strings.Contains(got.text, `"cards":"unmasked.cards"`) || !strings.Contains(got.text, `"contact":"unmasked.read"`) {
		t.Errorf("who is shown less is not told what would lift it: %s", got.text)
	}
	t.Run("the tail shows what a search does", func(t *testing.T) { tailsMasked(t, g, viewer) })
	t.Run("who may sees, and the audit log knows", func(t *testing.T) {
		// The administrator has unmasked.read, and not the word of payments.
		got := g.ask(t, "GET", "/sb/v1/logs?q=user.email:ann*"+window, "", "Cookie", g.cookie)
		if !strings.Contains(got.text, "ann@example.com") || strings.Contains(got.text, "4111111111111111") {
			t.Errorf("%d %s", got.status, got.text)
		}
		until(t, "the audit log has the question", func() bool {
			return strings.Contains(g.ask(t, "GET", "/sb/v1/audit?text=addresses%2C+contact%2C+users", "", "Cookie", g.cookie).text, `"unmasked":"addresses, contact, users"`)
		})
	})
	t.Run("a reload changes what is masked", func(t *testing.T) {
		files(t, g.dir, map[string]string{"signalbox.yml": strings.Replace(block, "fields: [user.email, ", "fields: [", 1)})
		if got := g.ask(t, "POST", "/-/reload", "", "Cookie", g.cookie); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.text)
		}
		if got := as("GET", "/sb/v1/logs?q=user.email:*"+window, ""); got.status != http.StatusOK || !strings.Contains(got.text, `"user.email":"[masked: contact]"`) {
			t.Errorf("%d %s", got.status, got.text)
		}
		files(t, g.dir, map[string]string{"signalbox.yml": strings.Replace(block, "patterns: [email", "patterns: [phone", 1)})
		if got := g.ask(t, "POST", "/-/reload", "", "Cookie", g.cookie); got.status != http.StatusInternalServerError || !strings.Contains(got.text, "none of email, card") {
			t.Errorf("%d %s", got.status, got.text)
		}
		if text, err := os.ReadFile(filepath.Join(g.dir, "signalbox.yml")); err != nil || len(text) == 0 {
			t.Error(err)
		}
	})
}

func tailsMasked(t *testing.T, g *guarded, viewer []string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.Addresses().Web+"/sb/v1/logs/tail?q=paid", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(viewer[0], viewer[1])
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	found := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				found <- data
				return
			}
		}
	}()
	until(t, "the tail shows a record", func() bool {
		sendMasked(t, g, time.Now()) // again: it says that it follows a moment before it does
		select {
		case data := <-found:
			if strings.Contains(data, "4111111111111111") || !strings.Contains(data, "[masked: cards …1111]") {
				t.Error(data)
			}
			return true
		default:
			return false
		}
	})
}
