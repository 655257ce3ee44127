package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/api/operation"
)

// tools adds tools to the server of one who asks.
type tools struct {
	server *sdk.Server
	ask    Ask
	calls  *prometheus.CounterVec
	now    func() time.Time
}

// about describes a tool.
type about struct {
	name, title, text string
	// narrower says how a shorter answer is asked for.
	narrower string
	// changes says what it changes; "" is nothing.
	changes bool
}

// add adds a tool whose arguments are In and whose answer is that of the question that to makes of them.
func add[In any](t tools, a about, to func(In) (Question, error)) {
	open := false
	tool := &sdk.Tool{Name: a.name, Title: a.title, Description: a.text, Annotations: &sdk.ToolAnnotations{
		Title: a.title, ReadOnlyHint: !a.changes, IdempotentHint: !a.changes, OpenWorldHint: &open, DestructiveHint: &a.changes,
	}}
	sdk.AddTool(t.server, tool, func(ctx context.Context, _ *sdk.CallToolRequest, in In) (*sdk.CallToolResult, any, error) {
		got, err := t.call(ctx, a, func() (Question, error) { return to(in) })
		if err != nil {
			t.calls.WithLabelValues(a.name, "failed").Inc()
			return nil, nil, err
		}
		t.calls.WithLabelValues(a.name, "answered").Inc()
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: string(got)}}}, nil, nil
	})
}

func (t tools) call(ctx context.Context, a about, to func() (Question, error)) (json.RawMessage, error) {
	q, err := to()
	if err != nil {
		return nil, err
	}
	got, err := t.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(got) > maxAnswerBytes {
		return nil, tooLong(len(got), a.narrower)
	}
	return got, nil
}

// get is a question that reads; pairs are names and values of parameters, those without a value are left out.
func get(path string, pairs ...string) (Question, error) {
	params := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			params.Set(pairs[i], pairs[i+1])
		}
	}
	return Question{Method: http.MethodGet, Path: path, Params: params}, nil
}

func post(path string, body any) (Question, error) {
	return Question{Method: http.MethodPost, Path: path, Body: body}, nil
}

// below is a path whose last part is what the caller named.
func below(path, name, rest string) string { return path + "/" + url.PathEscape(name) + rest }

// number writes a limit; 0 is the default.
func number(n, byDefault int) string {
	if n == 0 {
		n = byDefault
	}
	return strconv.Itoa(n)
}

// moment reads a time as Prometheus' endpoints want it, which know no now-1h.
func (t tools) moment(s, byDefault string) (string, error) {
	if s == "" {
		s = byDefault
	}
	at, err := operation.ParseTime(s, t.now())
	if err != nil {
		return "", err
	}
	return at.UTC().Format(time.RFC3339Nano), nil
}

var errOneOf = errors.New("give either alert or labels")
