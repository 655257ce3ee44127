package events

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func randomID[T ~[16]byte | ~[8]byte](rnd *rand.Rand) (id T) {
	for i := range len(id) {
		id[i] = byte(rnd.Uint32())
	}
	return id
}

func benchResources() []*model.Resource {
	var out []*model.Resource
	for i := range 40 {
		out = append(out, &model.Resource{
			Tenant: "default", Service: fmt.Sprintf("service-%d", i%10), Env: "prod", Region: fmt.Sprintf("eu-%d", i%3),
			Version: "1.4.2", Instance: fmt.Sprintf("pod-%d", i),
		})
	}
	return out
}

func benchLogs(n int) []model.LogRecord {
	rnd, res := rand.New(rand.NewPCG(1, 1)), benchResources()
	shapes := []string{
		"GET /api/v1/orders/%d returned 200 in %d ms for tenant acme",
		"cache miss for key user:%d after %d lookups, loading from database",
		"connection pool: %d of %d connections in use",
		"published event OrderAccepted id=%d partition=%d",
	}
	out := make([]model.LogRecord, n)
	for i := range out {
		out[i] = model.LogRecord{
			Level: model.LevelInfo, TraceID: randomID[model.TraceID](rnd), SpanID: randomID[model.SpanID](rnd),
			RequestID: fmt.Sprintf("req-%08x", rnd.Uint32()), Message: fmt.Sprintf(shapes[rnd.IntN(len(shapes))], rnd.IntN(1e6), rnd.IntN(100)),
			Resource: res[rnd.IntN(len(res))],
			Attrs: model.Attrs{
				{Key: "http.route", Value: model.StringValue("/api/v1/orders/{id}")},
				{Key: "http.response.status_code", Value: model.IntValue(int64(200 + rnd.IntN(5)*100))},
				{Key: "user.id", Value: model.StringValue(fmt.Sprintf("u%d", rnd.IntN(10000)))},
			},
		}
	}
	return out
}

func benchSpans(n int) []model.Span {
	rnd, res := rand.New(rand.NewPCG(2, 2)), benchResources()
	out := make([]model.Span, n)
	var trace model.TraceID
	for i := range out {
		if i%8 == 0 {
			trace = randomID[model.TraceID](rnd)
		}
		out[i] = model.Span{
			TraceID: trace, SpanID: randomID[model.SpanID](rnd), ParentID: randomID[model.SpanID](rnd), Name: fmt.Sprintf("op-%d", rnd.IntN(30)),
			Kind: model.SpanKindServer, Duration: rnd.Int64N(1e8), Scope: "http", Resource: res[rnd.IntN(len(res))],
			Attrs: model.Attrs{
				{Key: "http.route", Value: model.StringValue("/api/v1/orders/{id}")},
				{Key: "http.response.status_code", Value: model.IntValue(int64(200 + rnd.IntN(5)*100))},
				{Key: "server.address", Value: model.StringValue("orders.svc")},
				{Key: "db.rows", Value: model.IntValue(rnd.Int64N(500))},
			},
		}
	}
	return out
}

// report turns the time since start into the design's figures.
func report(b *testing.B, db *DB, signal part.Signal, rows int, start time.Duration) {
	b.StopTimer()
	if err := db.Seal(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric((cpu()-start).Seconds()/float64(rows)*1e6, "CPU-s/M")
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	v := db.View(signal, store.Range{})
	defer v.Release()
	bytes, sealed := int64(0), 0
	for _, p := range v.Parts {
		bytes, sealed = bytes+p.Size, sealed+p.Rows
	}
	if sealed != rows {
		b.Fatalf("%d rows in parts, want %d", sealed, rows)
	}
	b.ReportMetric(float64(bytes)/float64(rows), "B/row")
}

// BenchmarkAppendLogs is one batch of 1,000 lines an operation, sealing included.
func BenchmarkAppendLogs(b *testing.B) {
	db := open(b, DefaultConfig(), Deps{Dir: b.TempDir(), Now: time.Now})
	run(b, db)
	records := benchLogs(65536)
	const batch = 1000
	start, rows := cpu(), 0
	for b.Loop() {
		from := rows / batch % 64 * batch
		list := records[from : from+batch]
		for i := range list {
			list[i].Time = noon.UnixNano() + int64(rows+i)*1000
		}
		if err := db.AppendLogs(b.Context(), list); err != nil {
			b.Fatal(err)
		}
		rows += batch
	}
	report(b, db, part.Logs, rows, start)
}

// BenchmarkAppendSpans is one batch of 1,000 spans an operation, sealing included.
func BenchmarkAppendSpans(b *testing.B) { appendSpans(b, benchSpans(65536)) }

// BenchmarkAppendFailedSpans is BenchmarkAppendSpans where every tenth span has an exception, as bad as it
// gets in practice.
func BenchmarkAppendFailedSpans(b *testing.B) {
	spans := benchSpans(65536)
	for i := range spans {
		if i%10 == 0 {
			spans[i].Events = []model.SpanEvent{{Time: noon.UnixNano(), Name: "exception", Attrs: model.Attrs{
				{Key: "exception.type", Value: model.StringValue("java.net.ConnectException")},
				{Key: "exception.message", Value: model.StringValue(fmt.Sprintf("connect to 10.1.%d.%d:5432 refused", i%7, i%251))},
				{Key: "exception.stacktrace", Value: model.StringValue(strings.Repeat("\tat com.example.shop.orders.Repository.find(Repository.java:214)\n", 12))},
			}}}
		}
	}
	appendSpans(b, spans)
}

func appendSpans(b *testing.B, spans []model.Span) {
	db := open(b, DefaultConfig(), Deps{Dir: b.TempDir(), Now: time.Now})
	run(b, db)
	const batch = 1000
	start, rows := cpu(), 0
	for b.Loop() {
		from := rows / batch % 64 * batch
		list := spans[from : from+batch]
		for i := range list {
			list[i].Start = noon.UnixNano() + int64(rows+i)*1000
		}
		if err := db.AppendSpans(b.Context(), list); err != nil {
			b.Fatal(err)
		}
		rows += batch
	}
	report(b, db, part.Spans, rows, start)
}
