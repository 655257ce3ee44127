package scan_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	benchRows  = 1_000_000
	benchParts = 16
)

var benchStart = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC).UnixNano()

// BenchmarkLogs measures the questions of EVENTSTORE's table over 1 M lines in
// 16 parts, warm.
func BenchmarkLogs(b *testing.B) {
	s := newPlainStore(b)
	rnd := rand.New(rand.NewPCG(1, 1))
	services := []string{"edge", "layout", "access", "deploy", "files", "queue", "auth", "audit"}
	var res []*model.Resource
	for _, name := range services {
		for i := range 3 {
			res = append(res, &model.Resource{Tenant: "default", Service: name, Env: "prod", Region: fmt.Sprint("eu-", i), Version: "1.2.3", Instance: fmt.Sprint(name, "-", i)})
		}
	}
	var needle model.LogRecord
	for range benchParts {
		batch := make([]model.LogRecord, benchRows/benchParts)
		for i := range batch {
			r := &batch[i]
			r.Time = benchStart + int64(len(s.parts[0])*len(batch)+i)*int64(time.Hour)/benchRows*6
			r.Level = model.LevelInfo
			if rnd.IntN(20) == 0 {
				r.Level = model.LevelError
			}
			r.Resource = res[rnd.IntN(len(res))]
			r.TraceID = model.TraceID{byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()), 5}
			r.SpanID = model.SpanID{byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()), 1}
			r.RequestID = fmt.Sprintf("%016x", rnd.Uint64())
			r.Attrs = model.Attrs{{Key: "http.status", Value: model.IntValue(int64([]int{200, 200, 200, 404, 500}[rnd.IntN(5)]))}}
			switch rnd.IntN(6) {
			case 0:
				r.Message = fmt.Sprintf("user %d logged in from 10.0.%d.%d", rnd.IntN(1e6), rnd.IntN(256), rnd.IntN(256))
			case 1:
				r.Message = fmt.Sprintf("query took %d ms rows=%d", rnd.IntN(900), rnd.IntN(1000))
			case 2:
				r.Message = fmt.Sprintf("cache miss for key layout:%d", rnd.IntN(1e7))
			default:
				r.Message = fmt.Sprintf("request GET /api/v1/items/%d done in %d ms status=200", rnd.IntN(1e7), rnd.IntN(500))
			}
			if rnd.IntN(50_000) == 0 {
				r.Message = fmt.Sprintf("connection reset by peer after %d bytes", rnd.IntN(1e6))
			}
			needle = *r
		}
		if err := s.AppendLogs(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		if err := s.Seal(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	whole := store.Range{Start: benchStart, End: benchStart + int64(7*time.Hour)}
	list := func(limit int, e store.Expr) func() error {
		return func() error {
			for _, err := range s.Logs(b.Context(), store.LogQuery{Tenant: "default", Range: whole, Limit: limit, Expr: e}) {
				if err != nil {
					return err
				}
			}
			return nil
		}
	}
	errors := store.Compare{Field: "level", Value: "error"}
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"needle trace id", list(0, store.Compare{Field: "trace_id", Value: needle.TraceID.String()})},
		{"needle request id", list(0, store.Compare{Field: "request_id", Value: needle.RequestID})},
		{"rare phrase", list(0, store.Text{Phrase: "connection reset"})},
		{"word AND service, latest 100", list(100, store.And{Exprs: []store.Expr{store.Text{Phrase: "miss"}, store.Compare{Field: "service", Value: "edge"}}})},
		{"latest 100", list(100, nil)},
		{"regexp with a literal, latest 100", list(100, store.Regexp{Re: regexp.MustCompile(`took 8\d\d ms rows=99\d`)})},
		{"level per minute", func() error {
			_, err := s.LogHistogram(b.Context(), store.LogQuery{Range: whole}, time.Minute, "level")
			return err
		}},
		{"level per 10 s", func() error {
			_, err := s.LogHistogram(b.Context(), store.LogQuery{Range: whole}, 10*time.Second, "level")
			return err
		}},
		{"level per minute of a word", func() error {
			_, err := s.LogHistogram(b.Context(), store.LogQuery{Range: whole, Expr: store.Text{Phrase: "miss"}}, time.Minute, "level")
			return err
		}},
		{"top services by errors", func() error {
			_, err := s.LogValues(b.Context(), store.LogQuery{Range: whole, Expr: errors}, "service", 10)
			return err
		}},
		{"status 500 count by service", func() error {
			_, err := s.LogValues(b.Context(), store.LogQuery{Range: whole, Expr: store.Compare{Field: "http.status", Value: "500", Num: 500, IsNum: true}}, "service", 10)
			return err
		}},
		{"substring within words", list(0, store.Regexp{Re: regexp.MustCompile(`nnection res`)})},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSpans measures traces over 1 M spans in 16 parts, warm.
func BenchmarkSpans(b *testing.B) {
	s := newPlainStore(b)
	rnd := rand.New(rand.NewPCG(2, 2))
	var res []*model.Resource
	for i := range 12 {
		res = append(res, &model.Resource{Tenant: "default", Service: fmt.Sprint("service-", i), Env: "prod"})
	}
	names := []string{"GET /a", "GET /b", "SELECT", "publish", "consume"}
	var last model.TraceID
	n := 0
	for range benchParts {
		batch := make([]model.Span, benchRows/benchParts)
		for i := range batch {
			if n%8 == 0 {
				last = model.TraceID{byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()), 9}
			}
			batch[i] = model.Span{
				TraceID: last, SpanID: model.SpanID{byte(n), byte(n >> 8), byte(n >> 16), 1}, Name: names[rnd.IntN(5)], Kind: model.SpanKindServer,
				Start: benchStart + int64(n)*int64(6*time.Hour)/benchRows, Duration: rnd.Int64N(5e8), Status: model.SpanStatus(rnd.IntN(50) / 48 * 2), Resource: res[rnd.IntN(12)],
			}
			if n%8 > 0 {
				batch[i].ParentID = model.SpanID{1}
			}
			if batch[i].Status == model.StatusError {
				batch[i].Events = []model.SpanEvent{{Name: "exception", Attrs: model.Attrs{
					{Key: "exception.type", Value: model.StringValue("ConnectException")}, {Key: "exception.message", Value: model.StringValue(fmt.Sprint("refused by host-", n%1000))},
				}}}
			}
			n++
		}
		if err := s.AppendSpans(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		if err := s.Seal(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	whole := store.Range{Start: benchStart, End: benchStart + int64(7*time.Hour)}
	slow := store.And{Exprs: []store.Expr{
		store.Compare{Field: "service", Value: "service-3"},
		store.Compare{Field: "duration", Op: store.OpGt, Value: "490ms", Num: 490e6, IsNum: true},
	}}
	for _, c := range []struct {
		name string
		q    store.TraceQuery
	}{
		{"service and duration, newest 20", store.TraceQuery{Range: whole, Expr: slow}},
		{"service and duration, slowest 20", store.TraceQuery{Range: whole, Expr: slow, Slowest: true}},
		{"slowest 20 of all", store.TraceQuery{Range: whole, Slowest: true}},
		{"exceptions of a type, newest 20", store.TraceQuery{Range: whole, Expr: store.Compare{Field: "exception.type", Value: "ConnectException"}}},
		{"a rare word of exceptions, newest 20", store.TraceQuery{Range: whole, Expr: store.Text{Phrase: "host-40"}}},
		{"newest 20 of all", store.TraceQuery{Range: whole}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if list, err := s.Traces(b.Context(), c.q); err != nil || len(list) != 20 {
					b.Fatal(len(list), err)
				}
			}
		})
	}
	b.Run("trace by id", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Trace(b.Context(), "default", last, store.Range{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
