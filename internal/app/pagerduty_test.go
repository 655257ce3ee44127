package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/store"
)

// An event becomes a page, an acknowledge acknowledges it, a resolve ends it; the routing key is who sends, and nothing else is.
func TestPagerDutyEventsArePages(t *testing.T) {
	g := startGuarded(t, nil)
	ingest, viewer, editor := g.token(t, policy.Ingest), g.token(t, policy.Viewer), g.token(t, policy.Editor)
	event := func(key, action, more string) string {
		return fmt.Sprintf(`{"routing_key":%q,"event_action":%q,"dedup_key":"bar-1"%s}`, key, action, more)
	}
	const payload = `,"payload":{"summary":"bar is down","source":"bar","severity":"critical"}`
	for _, c := range []struct {
		name, path, body string
		status           int
		says             string
	}{
		{"no JSON", "enqueue", "x", http.StatusBadRequest, `"status":"invalid event"`},
		{"an unknown key", "enqueue", event(strings.Repeat("0", 32), "trigger", payload), http.StatusUnauthorized, `"errors"`},
		{"a key that may not", "enqueue", event(viewer, "trigger", payload), http.StatusForbidden, `"errors"`},
		{"a key that may not mark", "change/enqueue", fmt.Sprintf(`{"routing_key":%q,"payload":{"summary":"s"}}`, ingest), http.StatusForbidden, `"errors"`},
		{"a trigger", "enqueue", event(ingest, "trigger", payload), http.StatusAccepted, `{"status":"success","message":"Event processed","dedup_key":"bar-1"}`},
		{"a change", "change/enqueue", fmt.Sprintf(`{"routing_key":%q,"payload":{"summary":"s","source":"bar"}}`, editor), http.StatusAccepted, `{"status":"success","message":"Change event processed"}`},
	} {
		// The administrator's cookie is there, and proves nothing.
		got := g.ask(t, "POST", "/pagerduty/v2/"+c.path, c.body, "Cookie", g.cookie)
		if got.status != c.status || !strings.Contains(got.text, c.says) {
			t.Errorf("%s: %d %.300s", c.name, got.status, got.text)
		}
		if strings.Contains(got.text, ingest) || strings.Contains(got.text, viewer) {
			t.Errorf("%s: the answer has the key", c.name)
		}
	}
	page := func(what string, is func(acked, status string) bool) {
		t.Helper()
		until(t, what, func() bool {
			pages, err := g.state.Pages(t.Context(), store.PageQuery{Limit: 10})
			return err == nil && len(pages) == 1 && pages[0].Summary == "bar is down" && is(pages[0].AckedBy, pages[0].Status)
		})
	}
	page("a page", func(_, status string) bool { return status == "firing" })
	if got := g.ask(t, "POST", "/pagerduty/v2/enqueue", event(ingest, "acknowledge", "")); got.status != http.StatusAccepted {
		t.Fatalf("acknowledge: %d %s", got.status, got.text)
	}
	page("an acknowledged page", func(acked, _ string) bool { return strings.HasPrefix(acked, "token:") })
	if got := g.ask(t, "GET", "/sb/v1/pages", "", "Cookie", g.cookie); strings.Contains(got.text, "tampered") {
		t.Errorf("the acknowledgement is not in the audit log: %s", got.text)
	}
	if got := g.ask(t, "POST", "/pagerduty/v2/enqueue", event(ingest, "resolve", "")); got.status != http.StatusAccepted {
		t.Fatalf("resolve: %d %s", got.status, got.text)
	}
	page("a page that ended", func(_, status string) bool { return status == "resolved" })
	if strings.Contains(g.log.String(), ingest) {
		t.Error("the log has the key")
	}
}
