package app

import (
	"flag"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/front"
)

// cpu is what n calls of f cost the process, each. Other processes do not count; our own work in the background does.
func cpu(t *testing.T, n int, f func(i int)) time.Duration {
	t.Helper()
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	for i := range n {
		f(i)
	}
	return (used() - before) / time.Duration(n)
}

func thousandLogs(t *testing.T, n int) string { return logBatch(t, n, 1000) }

func logBatch(t *testing.T, n, records int) string {
	t.Helper()
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	list := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range records {
		r := list.AppendEmpty()
		r.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		r.Body().SetStr(fmt.Sprintf("request %d of batch %d was answered in %d ms with status %d by the upstream", i, n, i%97, 200+i%5))
		r.Attributes().PutStr("http.route", fmt.Sprintf("/item/%d", i%50))
		r.Attributes().PutInt("http.response.status_code", int64(200+i%5))
	}
	text, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func manySamples(t *testing.T, n int) string {
	t.Helper()
	w := &prompb.WriteRequest{}
	for i := range 5000 {
		w.Timeseries = append(w.Timeseries, prompb.TimeSeries{
			Labels:  []prompb.Label{{Name: "__name__", Value: "requests_total"}, {Name: "instance", Value: fmt.Sprint("i", i)}, {Name: "job", Value: "shop"}},
			Samples: []prompb.Sample{{Timestamp: time.Now().UnixMilli() - 100_000 + int64(n), Value: float64(n)}},
		})
	}
	text, err := w.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(snappy.Encode(nil, text))
}

var trustCost = flag.Bool("trust-cost", false, "measure what authentication, authorisation and the audit log cost, and hold it to its bounds")

// What a token, the decision about it and the audit log cost is below 2 % of what a batch costs, and far below 1 ms of a query.
// gRPC enters by the same call.
func TestTrustCostsLittle(t *testing.T) {
	if !*trustCost {
		t.Skip("NOT MEASURED here: make prove does (-trust-cost), since a busy machine would decide the outcome")
	}
	g := startGuarded(t, nil)
	ingest, viewer := []string{"Authorization", "Bearer " + g.token(t, policy.Ingest)}, []string{"Authorization", "Bearer " + g.token(t, policy.Viewer)}
	enter := func(path string, needs access.Permission, proof []string) time.Duration {
		r, err := http.NewRequest("POST", "http://localhost"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(proof[0], proof[1])
		return cpu(t, 5000, func(int) {
			_, done, refusal := g.Process.front.Enter(r, needs, front.MountInfo{Port: "web", Pattern: "/"})
			if refusal != nil {
				t.Fatal(refusal.Message)
			}
			done(http.StatusOK)
		})
	}
	write, query, session := enter("/v1/logs", access.TelemetryWrite, ingest), enter("/api/v1/query?query=up", access.MetricsRead, viewer),
		enter("/api/v1/query?query=up", access.MetricsRead, []string{"Cookie", g.cookie})
	send := func(path, kind, encoding string, batch func(*testing.T, int) string) time.Duration {
		var batches []string
		for n := range 40 {
			batches = append(batches, batch(t, n))
		}
		return cpu(t, len(batches), func(i int) {
			got := g.ask(t, "POST", path, batches[i], append(ingest, "Content-Type", kind, "Content-Encoding", encoding)...)
			if got.status/100 != 2 {
				t.Fatalf("%s: %d %s", path, got.status, got.text)
			}
		})
	}
	costs := map[string]time.Duration{
		"1,000 log records": send("/v1/logs", "application/x-protobuf", "", thousandLogs),
		"5,000 samples":     send("/api/v1/write", "application/x-protobuf", "snappy", manySamples),
	}
	one := send("/v1/logs", "application/x-protobuf", "", func(t *testing.T, n int) string { return logBatch(t, n, 1) })
	t.Logf("one log record cost %s, of which entering is %.2f %%", one, 100*float64(write)/float64(one))
	t.Logf("entering costs: ingest %s, a query with a token %s, with a session %s", write, query, session)
	for what, cost := range costs {
		share := float64(write) / float64(cost)
		t.Logf("%s cost %s, of which entering is %.2f %%", what, cost, 100*share)
		if share > 0.02 {
			t.Errorf("entering costs %s of the %s of %s", write, cost, what)
		}
	}
	if max(query, session) > time.Millisecond {
		t.Errorf("a query pays %s for a token, %s for a session", query, session)
	}
	if got := g.ask(t, "GET", "/sb/v1/audit?limit=100", "", "Cookie", g.cookie).text; !strings.Contains(got, "metrics.read") && !strings.Contains(got, "query") {
		t.Errorf("the queries are not in the audit log: %.300s", got)
	}
}
