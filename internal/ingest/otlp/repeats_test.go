package otlp

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/signalbox-project/signalbox/internal/store"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
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

func TestTheSecondOfTwoEqualBatchesWaitsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRepeats(time.Now)
		if had, err := r.begin(t.Context(), 1); had != nil || err != nil {
			t.Fatal(had, err)
		}
		var wg sync.WaitGroup
		var second answer
		wg.Go(func() { second, _ = r.begin(t.Context(), 1) })
		synctest.Wait()
		r.end(1, nothing{})
		wg.Wait()
		if second == nil {
			t.Error("the second was not told that the batch is stored")
		}
	})
}

func TestBatchesAreForgottenAfterTheWindow(t *testing.T) {
	now := time.Unix(0, 0)
	r := newRepeats(func() time.Time { return now })
	again := func(key uint64) bool {
		had, err := r.begin(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if had == nil {
			r.end(key, nothing{})
		}
		return had != nil
	}
	again(1)
	if now = now.Add(repeatWindow); !again(1) {
		t.Error("forgotten within the window")
	}
	if now = now.Add(3 * repeatWindow); again(1) {
		t.Error("remembered for four windows")
	}
	for key := range uint64(3 * maxRepeats) {
		again(10 + key)
	}
	if n := len(r.answers) + len(r.before); n > 2*maxRepeats {
		t.Errorf("%d batches are remembered", n)
	}
}
