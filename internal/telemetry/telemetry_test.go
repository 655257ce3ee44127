package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/telemetry"
)

type sink struct {
	mu    sync.Mutex
	logs  []model.LogRecord
	spans []model.Span
	err   error
}

func (s *sink) Logs(_ context.Context, r []model.LogRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs = append(s.logs, r...)
	return s.err
}

func (s *sink) Spans(_ context.Context, sp []model.Span) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spans = append(s.spans, sp...)
	return s.err
}

func newTelemetry(t *testing.T, cfg telemetry.Config) (*telemetry.Telemetry, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	tel, err := telemetry.New(cfg, telemetry.Identity{Version: "1.2.3", Region: "eu-1"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	return tel, &out
}

// feedOnce delivers what is pending, as the end of a process does.
func feedOnce(t *testing.T, tel *telemetry.Telemetry, s *sink) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := tel.Feed(ctx, s); err != nil {
		t.Fatal(err)
	}
}

func TestOwnLogsReachTheConsoleAndTheStoreWithTheirTrace(t *testing.T) {
	tel, out := newTelemetry(t, telemetry.DefaultConfig())
	ctx, span := tel.Tracer.Tracer("test").Start(t.Context(), "work")
	tel.Logger.With("part", "store").WithGroup("seal").WarnContext(ctx, "slow", "rows", 7, "ok", true)
	span.End()

	var s sink
	feedOnce(t, tel, &s)
	if len(s.logs) != 1 {
		t.Fatalf("got %d records, want 1", len(s.logs))
	}
	got := s.logs[0]
	want := model.Attrs{
		{Key: "part", Value: model.StringValue("store")},
		{Key: "seal.rows", Value: model.IntValue(7)},
		{Key: "seal.ok", Value: model.BoolValue(true)},
	}
	if d := cmp.Diff(want, got.Attrs, cmp.AllowUnexported(model.Value{})); d != "" {
		t.Error(d)
	}
	if got.Message != "slow" || got.Level != model.LevelWarn || got.Resource.Service != "signalbox" || got.Resource.Version != "1.2.3" {
		t.Errorf("got %+v of %+v", got, got.Resource)
	}
	if got.TraceID != model.TraceID(span.SpanContext().TraceID()) {
		t.Errorf("trace id %s, want %s", got.TraceID, span.SpanContext().TraceID())
	}
	if !strings.Contains(out.String(), `msg=slow part=store seal.rows=7`) {
		t.Errorf("console: %s", out)
	}
}

func TestOwnSpansReachTheStore(t *testing.T) {
	tel, _ := newTelemetry(t, telemetry.DefaultConfig())
	_, span := tel.Tracer.Tracer("test").Start(t.Context(), "query", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.Int("rows", 3), attribute.StringSlice("tables", []string{"logs"})))
	span.SetStatus(codes.Error, "too slow")
	span.End()

	var s sink
	feedOnce(t, tel, &s)
	if len(s.spans) != 1 {
		t.Fatalf("got %d spans, want 1", len(s.spans))
	}
	got := s.spans[0]
	if got.Name != "query" || got.Kind != model.SpanKindServer || got.Status != model.StatusError || got.StatusMessage != "too slow" {
		t.Errorf("got %+v", got)
	}
	if v, _ := got.Attrs.Get("tables"); v != model.JSONValue(`["logs"]`) {
		t.Errorf("tables = %v", v)
	}
}

func TestWhatCannotBeStoredIsCounted(t *testing.T) {
	tel, _ := newTelemetry(t, telemetry.DefaultConfig())
	tel.Logger.Info("one")
	feedOnce(t, tel, &sink{err: errors.New("full")})
	const want = `
# HELP signalbox_self_telemetry_dropped_total Own log records and spans that could not be stored, by signal and reason.
# TYPE signalbox_self_telemetry_dropped_total counter
signalbox_self_telemetry_dropped_total{reason="store",signal="logs"} 1
`
	if err := testutil.GatherAndCompare(tel.Registry, strings.NewReader(want), "signalbox_self_telemetry_dropped_total"); err != nil {
		t.Error(err)
	}
}

func TestLevelAndFormatAreChecked(t *testing.T) {
	for _, cfg := range []telemetry.Config{{Level: "loud", Format: "json"}, {Level: "info", Format: "xml"}} {
		if _, err := telemetry.New(cfg, telemetry.Identity{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
	tel, out := newTelemetry(t, telemetry.Config{Level: "error", Format: "json"})
	tel.Logger.Warn("quiet")
	tel.Logger.Log(t.Context(), slog.LevelError, "loud")
	if got := out.String(); strings.Contains(got, "quiet") || !strings.Contains(got, `"msg":"loud"`) {
		t.Errorf("got %s", got)
	}
}

func TestAQuietPartOnlyWarns(t *testing.T) {
	var out bytes.Buffer
	log := telemetry.Quiet(slog.New(slog.NewTextHandler(&out, nil)).With("component", "engine")).With("part", 1)
	log.Info("replayed a segment")
	log.Warn("a segment is damaged")
	log.Error("it cannot be opened")
	got := out.String()
	if strings.Contains(got, "replayed") || strings.Count(got, "component=engine part=1") != 2 {
		t.Errorf("logged:\n%s", got)
	}
	telemetry.Quiet(nil).Error("into the void")
}

func TestSecretsAreMaskedOnTheConsoleAndInTheStore(t *testing.T) {
	tel, out := newTelemetry(t, telemetry.DefaultConfig())
	err := fmt.Errorf("scrape: %w", errors.New(`Get "http://u:SECRET@h/?token=SECRET": refused`))
	tel.Logger.With("base", "https://SECRET@h").Warn("from http://u:SECRET@h", "err", err, "api_key", "SECRET", "n", 7,
		slog.Group("g", "url", "http://u:SECRET@h"))
	var s sink
	feedOnce(t, tel, &s)
	stored := fmt.Sprintf("%+v", s.logs)
	if len(s.logs) != 1 || strings.Contains(stored, "SECRET") || strings.Contains(out.String(), "SECRET") {
		t.Errorf("console %s\nstored %s", out, stored)
	}
	if !strings.Contains(out.String(), "n=7") || !strings.Contains(out.String(), "u:xxxxx@h/?token=xxxxx") || !strings.Contains(out.String(), "g.url=") {
		t.Errorf("console: %s", out)
	}
}
