package otlp

import (
	"net/http"
	"slices"
	"testing"

	"github.com/signalbox-project/signalbox/internal/store"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

func TestABatchThatIsSentAgainCountsOnce(t *testing.T) {
	tb := start(t, nil)
	send := func(body []byte, headers ...string) {
		t.Helper()
		if r := tb.post(t, "/v1/logs", body, append([]string{"Content-Type", typeProto}, headers...)...); r.status != http.StatusOK || len(r.body) != 0 {
			t.Errorf("%d %q", r.status, r.body)
		}
	}
	body := protoBody(t, logRequest("m"))
	for range 3 {
		send(body)
	}
	send(gzipped(body), "Content-Encoding", "gzip")
	if len(tb.logs) != 1 {
		t.Errorf("%d records, want 1", len(tb.logs))
	}
	send(body, "X-Scope-OrgID", "other")
	send(protoBody(t, logRequest("another")))
	if len(tb.logs) != 3 {
		t.Errorf("%d records, want 3", len(tb.logs))
	}
}

func TestABatchThatWasNotKeptIsTakenWhenItComesAgain(t *testing.T) {
	tb := start(t, nil)
	body := protoBody(t, logRequest("m"))
	tb.fail(store.ErrReadOnly)
	if r := tb.post(t, "/v1/logs", body, "Content-Type", typeProto); r.status != http.StatusServiceUnavailable {
		t.Errorf("%d", r.status)
	}
	tb.fail(nil)
	if r := tb.post(t, "/v1/logs", body, "Content-Type", typeProto); r.status != http.StatusOK || len(tb.logs) != 1 {
		t.Errorf("%d, %d records", r.status, len(tb.logs))
	}
}

// What was refused of a batch is said again; a batch of which nothing was stored is tried anew.
func TestARepeatHasTheSameAnswer(t *testing.T) {
	tb := start(t, nil)
	bad := logRequest("m", "n")
	bad.Logs().ResourceLogs().AppendEmpty().Resource().Attributes().PutStr("tenant", "a/b")
	bad.Logs().ResourceLogs().At(1).ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().SetTimestamp(1_790_000_000_000_000_000)
	body := protoBody(t, bad)
	first := tb.post(t, "/v1/logs", body, "Content-Type", typeProto)
	second := tb.post(t, "/v1/logs", body, "Content-Type", typeProto)
	if len(first.body) == 0 || string(first.body) != string(second.body) || len(tb.logs) != 2 {
		t.Errorf("%q, then %q; %d records", first.body, second.body, len(tb.logs))
	}
}

func TestEqualLogsWithoutTimesAreDifferentEvents(t *testing.T) {
	tb := start(t, nil)
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("tick")
	body := protoBody(t, plogotlp.NewExportRequestFromLogs(ld))
	for range 2 {
		tb.post(t, "/v1/logs", body, "Content-Type", typeProto)
	}
	if len(tb.logs) != 2 {
		t.Errorf("%d records, want 2", len(tb.logs))
	}
}

// spanRequest is one span for each name.
func spanRequest(names ...string) ptraceotlp.ExportRequest {
	td := ptrace.NewTraces()
	list := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for _, name := range names {
		s := list.AppendEmpty()
		s.SetTraceID([16]byte{1})
		s.SetSpanID([8]byte{2, name[0]})
		s.SetName(name)
		s.SetEndTimestamp(1_790_000_000_000_000_000)
	}
	return ptraceotlp.NewExportRequestFromTraces(td)
}

// A span that comes again counts once, in whatever company; what was refused of a batch, or
// not stored at all, is tried anew.
func TestASpanThatIsSentAgainCountsOnce(t *testing.T) {
	tb := start(t, nil)
	send := func(want int, names ...string) {
		t.Helper()
		if r := tb.post(t, "/v1/traces", protoBody(t, spanRequest(names...)), "Content-Type", typeProto); r.status != want {
			t.Errorf("%d %q", r.status, r.body)
		}
	}
	send(http.StatusOK, "a", "b", "b")
	send(http.StatusOK, "b", "c")
	tb.fail(store.ErrReadOnly)
	send(http.StatusServiceUnavailable, "c", "d")
	tb.fail(nil)
	send(http.StatusOK, "d", "a")
	tb.refuse = "e"
	send(http.StatusOK, "e", "f")
	tb.refuse = ""
	send(http.StatusOK, "f", "e")
	var got []string
	for _, s := range tb.spans {
		got = append(got, s.Name)
	}
	if want := []string{"a", "b", "c", "d", "f", "e"}; !slices.Equal(got, want) {
		t.Errorf("stored %v, want %v", got, want)
	}
	if b := tb.balance; b["spans received otlp_http"] != 13 || b["spans stored"] != 6 || b["spans refused repeated_span"] != 5 || b["spans refused tested"] != 1 || b["spans refused read_only"] != 1 {
		t.Errorf("ledger %v", b)
	}
}
