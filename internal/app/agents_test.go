package app

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/signalbox-project/signalbox/internal/auth/policy"
)

// carrying adds headers to what an agent's library sends.
type carrying http.Header

func (c carrying) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	maps.Copy(r.Header, c)
	return http.DefaultTransport.RoundTrip(r)
}

// agent connects as an agent does.
func (g *guarded) agent(t *testing.T, header http.Header) (*mcp.ClientSession, error) {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: g.Addresses().Web + "/mcp", HTTPClient: &http.Client{Transport: carrying(header)}, MaxRetries: -1, DisableStandaloneSSE: true,
	}, nil)
	if err == nil {
		t.Cleanup(func() { _ = session.Close() })
	}
	return session, err
}

func bearer(token string, more ...string) http.Header {
	h := http.Header{"Authorization": {"Bearer " + token}}
	for i := 0; i+1 < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return h
}

// called is what a tool answered, and whether it failed.
func called(ctx context.Context, t *testing.T, s *mcp.ClientSession, tool string, args any) (text string, failed bool) {
	t.Helper()
	got, err := s.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		return err.Error(), true
	}
	for _, c := range got.Content {
		if c, ok := c.(*mcp.TextContent); ok {
			text += c.Text
		}
	}
	return text, got.IsError
}

// An agent sees through its tools what its token sees, and what it asks is in the audit log under the token's name.
func TestAgentsSeeWhatTheirTokensSee(t *testing.T) {
	g := startGuarded(t, nil)
	ingest := "Bearer " + g.token(t, policy.Ingest)
	for _, space := range []string{"pay", "trade"} {
		body := fmt.Sprintf(`{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"%[1]s-api"}},{"key":"service.namespace","value":{"stringValue":%[1]q}}]},"scopeLogs":[{"logRecords":[{"timeUnixNano":"%[2]d","body":{"stringValue":"words of %[1]s"}}]}]}]}`, space, time.Now().UnixNano())
		if got := g.ask(t, "POST", "/v1/logs", body, "Authorization", ingest); got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.text)
		}
	}
	made := g.ask(t, "POST", "/sb/v1/tokens", `{"name":"agent of pay","service":true,"grants":[{"role":"viewer","namespaces":["pay"]}]}`, "Cookie", g.cookie)
	var pay struct{ Text string }
	if err := json.Unmarshal([]byte(made.text), &pay); err != nil || pay.Text == "" {
		t.Fatalf("token: %d %s", made.status, made.text)
	}
	if _, err := g.agent(t, nil); err == nil {
		t.Error("an agent without a token was let in")
	}
	if _, err := g.agent(t, bearer(pay.Text, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")); err == nil {
		t.Error("a page of another origin was let in")
	}
	if _, err := g.agent(t, bearer(pay.Text, "X-Scope-OrgID", "elsewhere")); err == nil {
		t.Error("an agent was let in for a tenant of others")
	}
	for _, c := range []struct {
		name        string
		header      http.Header
		shows, not  string
		wantsFailed bool
	}{
		{"a viewer", bearer(g.token(t, policy.Viewer)), "words of trade", "", false},
		{"who sees one namespace", bearer(pay.Text), "words of pay", "trade", false},
		{"who may not read", bearer(g.token(t, policy.Ingest)), "logs.read", "words", true},
		{"who is logged in with a browser", http.Header{"Cookie": {g.cookie}}, "words of pay", "", false},
	} {
		s, err := g.agent(t, c.header)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		text, failed := called(t.Context(), t, s, "search_logs", map[string]any{"query": "words"})
		if failed != c.wantsFailed || !strings.Contains(text, c.shows) || c.not != "" && strings.Contains(text, c.not) {
			t.Errorf("%s: failed %v: %s", c.name, failed, text)
		}
	}
	entries := g.ask(t, "GET", "/sb/v1/audit?action=query.logs", "", "Cookie", g.cookie).text
	if !strings.Contains(entries, "agent of pay") || !strings.Contains(entries, "words") {
		t.Errorf("the audit log does not say what the agent asked: %s", entries)
	}
}

// Every tool asks an endpoint that there is, with parameters that it takes.
func TestEveryToolIsAnswered(t *testing.T) {
	g := startGuarded(t, map[string]string{"signalbox.yml": "mcp: {writes: true}\n"})
	s, err := g.agent(t, http.Header{"Cookie": {g.cookie}, "Sec-Fetch-Site": {"same-origin"}})
	if err != nil {
		t.Fatal(err)
	}
	args := map[string]map[string]any{
		"get_runbook": {"name": "none"}, "get_service": {"name": "none", "start": "now-2h"}, "get_service_owner": {"name": "none"}, "get_slo": {"name": "none"},
		"get_incident": {"id": "none"}, "incident_timeline": {"id": "none"}, "incident_postmortem": {"id": "none"}, "page_escalation": {"id": "none"},
		"get_trace": {"id": "5b8efff798038103d269b633813fc60c"}, "explain_alert": {"labels": "service=edge,severity=critical"},
		"count_logs": {"field": "service"}, "list_fields": {"signal": "traces"}, "query_metrics": {"query": "1", "time": "now-1m"}, "query_metrics_range": {"query": "1"},
		"sql": {"query": "SELECT 1"}, "list_alerts": {"matcher": `service="edge"`}, "list_metrics": {"match": `{service="edge"}`},
		"acknowledge_page": {"id": "none"}, "add_incident_note": {"id": "none", "text": "x"}, "check_gate": {"service": "edge", "environment": "prod", "version": "1"},
	}
	list, err := s.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
		in := args[tool.Name]
		if in == nil {
			in = map[string]any{}
		}
		text, failed := called(t.Context(), t, s, tool.Name, in)
		// One that is named and not there is said to be not there; nothing else fails.
		_, named := in["id"]
		missing := named || in["name"] == "none"
		if failed != missing || text == "" || strings.Contains(text, "endpoint") || strings.Contains(text, "unexpected") {
			t.Errorf("%s %v: failed %v: %s", tool.Name, in, failed, text)
		}
	}
	for name := range args {
		if !slices.Contains(names, name) {
			t.Errorf("there is no tool %s", name)
		}
	}
}
