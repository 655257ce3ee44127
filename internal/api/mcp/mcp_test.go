package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// asked is a web port that answers everything and remembers what it was asked.
type asked struct {
	questions []Question
	answer    string
	err       error
}

func (a *asked) ask(_ context.Context, q Question) (json.RawMessage, error) {
	a.questions = append(a.questions, q)
	return json.RawMessage(a.answer), a.err
}

// session is an agent's over the streams of a process.
func session(t *testing.T, d Deps, ask Ask) *sdk.ClientSession {
	t.Helper()
	s, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	toServer, fromAgent := io.Pipe()
	toAgent, fromServer := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- s.Stdio(context.Background(), ask, toServer, fromServer)
		_ = fromServer.Close()
	}()
	agent, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), &sdk.IOTransport{Reader: toAgent, Writer: fromAgent}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = fromAgent.Close()
		if err := <-done; err != nil {
			t.Errorf("an agent that left: %v", err)
		}
		_ = toAgent.Close()
	})
	return agent
}

func call(t *testing.T, s *sdk.ClientSession, tool string, args map[string]any) (text string, failed bool) {
	t.Helper()
	got, err := s.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		return err.Error(), true
	}
	c, _ := got.Content[0].(*sdk.TextContent)
	return c.Text, got.IsError
}

func TestWhatToolsAsk(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		tool string
		args map[string]any
		want string // of the question
	}{
		{"list_pages", nil, "GET /sb/v1/pages?limit=20"},
		{"list_pages", map[string]any{"status": "firing", "limit": 3}, "GET /sb/v1/pages?limit=3&status=firing"},
		{"explain_alert", map[string]any{"alert": "a b/c"}, "GET /sb/v1/explain/a%20b%2Fc"},
		{"explain_alert", map[string]any{"labels": "a=b"}, "GET /sb/v1/explain?labels=a%3Db"},
		{"get_incident", map[string]any{"id": "../gate"}, "GET /sb/v1/incidents/..%2Fgate"},
		{"get_service", map[string]any{"name": "edge", "start": "now-2h"}, "GET /sb/v1/services/edge?start=now-2h"},
		{"list_fields", map[string]any{"signal": "traces"}, "GET /sb/v1/traces/fields"},
		{"query_metrics", map[string]any{"query": "up"}, "GET /api/v1/query?query=up&time=2026-03-01T12%3A00%3A00Z"},
		{"query_metrics_range", map[string]any{"query": "up", "start": "now-30m"}, "GET /api/v1/query_range?end=2026-03-01T12%3A00%3A00Z&query=up&start=2026-03-01T11%3A30%3A00Z&step=1m"},
		{"sql", map[string]any{"query": "SELECT 1"}, `POST /sb/v1/sql {"limit":100,"query":"SELECT 1"}`},
		{"check_gate", map[string]any{"service": "edge", "environment": "prod", "version": "1"}, `POST /sb/v1/gate {"critical":false,"environment":"prod","service":"edge","version":"1"}`},
		{"acknowledge_page", map[string]any{"id": "p1", "by": "ann"}, `POST /sb/v1/pages/p1/ack {"by":"ann"}`},
	} {
		web := &asked{answer: `{}`}
		s := session(t, Deps{Config: Config{Writes: true}, Now: func() time.Time { return now }}, web.ask)
		if text, failed := call(t, s, c.tool, c.args); failed || len(web.questions) != 1 {
			t.Errorf("%s: %s, asked %d", c.tool, text, len(web.questions))
			continue
		}
		q := web.questions[0]
		got := q.Method + " " + q.Address()
		if q.Body != nil {
			body, _ := json.Marshal(q.Body)
			got += " " + string(body)
		}
		if got != c.want {
			t.Errorf("%s asked\n%s, want\n%s", c.tool, got, c.want)
		}
	}
}

func TestWhatFailsIsSaid(t *testing.T) {
	reg := prometheus.NewRegistry()
	web := &asked{err: errors.New("you need pages.read")}
	s := session(t, Deps{Registerer: reg}, web.ask)
	for _, c := range []struct {
		tool string
		args map[string]any
		says string
	}{
		{"list_pages", nil, "pages.read"},
		{"explain_alert", nil, "either alert or labels"},
		{"explain_alert", map[string]any{"alert": "x", "labels": "a=b"}, "either alert or labels"},
		{"query_metrics", map[string]any{"query": "up", "time": "yesterday"}, "yesterday"},
		{"get_incident", nil, "id"},
		{"list_pages", map[string]any{"nonsense": 1}, "nonsense"},
		{"acknowledge_page", map[string]any{"id": "x"}, "acknowledge_page"}, // not offered
	} {
		if text, failed := call(t, s, c.tool, c.args); !failed || !strings.Contains(text, c.says) {
			t.Errorf("%s %v: failed %v: %q, want %q", c.tool, c.args, failed, text, c.says)
		}
	}
	if got := testutil.ToFloat64(counterOf(t, reg)); got < 1 {
		t.Errorf("%v failures counted", got)
	}
	long := &asked{answer: `"` + strings.Repeat("x", maxAnswerBytes) + `"`}
	if text, failed := call(t, session(t, Deps{}, long.ask), "search_logs", nil); !failed || !strings.Contains(text, "smaller limit") {
		t.Errorf("an answer too long: failed %v: %.100s", failed, text)
	}
}

// counterOf is the counter of failed calls of list_pages.
func counterOf(t *testing.T, reg *prometheus.Registry) prometheus.Collector {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "sum"})
	for _, f := range families {
		for _, m := range f.Metric {
			labels := map[string]string{}
			for _, l := range m.Label {
				labels[l.GetName()] = l.GetValue()
			}
			if f.GetName() == "signalbox_mcp_tool_calls_total" && labels["tool"] == "list_pages" && labels["result"] == "failed" {
				c.Add(m.Counter.GetValue())
			}
		}
	}
	return c
}

// What changes something is offered only where the configuration says so, and says of itself that it does.
func TestToolsThatChangeSomething(t *testing.T) {
	for _, writes := range []bool{false, true} {
		s := session(t, Deps{Config: Config{Writes: writes}}, (&asked{}).ask)
		list, err := s.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		changing := 0
		for _, tool := range list.Tools {
			if tool.Description == "" || tool.Title == "" {
				t.Errorf("%s says nothing of itself", tool.Name)
			}
			if !tool.Annotations.ReadOnlyHint {
				changing++
			}
		}
		if changing > 0 != writes || len(list.Tools) < 25 {
			t.Errorf("writes %v: %d of %d tools change something", writes, changing, len(list.Tools))
		}
	}
}

// The inner request has what says who asks, and nothing that only the outer one may say.
func TestWhatGoesAlong(t *testing.T) {
	var inner *http.Request
	web := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner = r
		http.Error(w, `{"error":{"message":"told"}}`, http.StatusForbidden)
	})
	outer := httptest.NewRequest(http.MethodPost, "https://signalbox.example.org/mcp", nil)
	outer.RemoteAddr = "192.0.2.7:1234"
	for name, v := range map[string]string{
		"Authorization": "Bearer x", "Cookie": "a=b", "X-Scope-OrgID": "t1|t2", "X-Forwarded-For": "203.0.113.9", "X-HTTP-Method-Override": "DELETE", "Accept-Encoding": "gzip",
	} {
		outer.Header.Set(name, v)
	}
	_, err := as(web, outer)(t.Context(), Question{Method: http.MethodGet, Path: "/sb/v1/pages"})
	if err == nil || err.Error() != "told" {
		t.Errorf("the refusal reads %v", err)
	}
	if inner.Host != outer.Host || inner.RemoteAddr != outer.RemoteAddr || inner.TLS == nil {
		t.Errorf("the sender became %s %s %v", inner.Host, inner.RemoteAddr, inner.TLS)
	}
	for name, want := range map[string]string{"Authorization": "Bearer x", "Cookie": "a=b", "X-Scope-OrgID": "t1|t2", "X-Forwarded-For": "", "X-HTTP-Method-Override": "", "Accept-Encoding": ""} {
		if got := inner.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	flood := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for piece := make([]byte, 1<<20); ; {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	if _, err := as(flood, outer)(t.Context(), Question{Method: http.MethodGet, Path: "/x"}); err == nil || !strings.Contains(err.Error(), "kB") {
		t.Errorf("an answer without end: %v", err)
	}
}
