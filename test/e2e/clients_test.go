package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// TestRealSDKsAreFoundAgainByTraceID runs the official OpenTelemetry SDKs of
// three languages and looks for what each said it sent.
func TestRealSDKsAreFoundAgainByTraceID(t *testing.T) {
	s := start(t, options{})
	for _, language := range []string{"python", "node", "java"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			sent := runClient(t, s, language)
			s := s.in(t)
			eventually(t, func() error { return findTrace(s, sent) })
			eventually(t, func() error { return findLog(s, sent) })
			eventually(t, func() error {
				if _, ok := s.value(fmt.Sprintf("%s{service=%q}", sent.Metric, sent.Service)); !ok {
					return fmt.Errorf("no series %s", sent.Metric)
				}
				return nil
			})
		})
	}
}

// in is the same server reporting to a subtest.
func (s *server) in(t *testing.T) *server {
	c := *s
	c.t = t
	return &c
}

// sent is the line that every client program prints.
type sent struct {
	TraceID    string `json:"trace_id"`
	Service    string `json:"service"`
	Metric     string `json:"metric"`
	LogMessage string `json:"log_message"`
}

func runClient(t *testing.T, s *server, language string) (out sent) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	dir, err := filepath.Abs(filepath.Join("..", "clients", language))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "run.sh"), s.GRPC, s.HTTP)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s client: %v\n%s\n%s", language, err, stdout, tail(stderr.String(), 40))
	}
	lines := strings.Split(strings.TrimSpace(string(stdout)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &out); err != nil || out.TraceID == "" {
		t.Fatalf("%s client printed %q: %v", language, stdout, err)
	}
	return out
}

func findTrace(s *server, want sent) error {
	status, text, _ := s.request("GET", "/sb/v1/traces/"+want.TraceID, "", nil)
	if status != 200 {
		return fmt.Errorf("trace %s: %d %s", want.TraceID, status, text)
	}
	var answer struct {
		Spans []model.Span `json:"spans"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return err
	}
	if len(answer.Spans) != 2 || answer.Spans[0].Resource.Service != want.Service {
		return fmt.Errorf("got %d spans of %+v, want 2 of %s", len(answer.Spans), answer.Spans, want.Service)
	}
	return nil
}

func findLog(s *server, want sent) error {
	var answer struct {
		Logs []model.LogRecord `json:"logs"`
	}
	s.get("/sb/v1/logs", url.Values{"q": {"trace_id:" + want.TraceID}}, &answer)
	if len(answer.Logs) != 1 || answer.Logs[0].Message != want.LogMessage || answer.Logs[0].Resource.Service != want.Service {
		return fmt.Errorf("got %+v, want one record %q", answer.Logs, want.LogMessage)
	}
	return nil
}
