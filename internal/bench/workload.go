package bench

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// workload is requests, ready to send, in their order.
type workload struct {
	name    string // as the report's rows are called
	path    string
	headers map[string]string
	bodies  [][]byte
	units   []int // in each body
	bytes   int   // of all units before compression
}

func (w *workload) add(body []byte, units int) {
	w.bodies = append(w.bodies, body)
	w.units = append(w.units, units)
}

func (w *workload) total() (n int) {
	for _, u := range w.units {
		n += u
	}
	return n
}

func remoteWriteHeaders() map[string]string {
	return map[string]string{
		"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0",
	}
}

// metricsInterval is the time between two samples of a series, unless there
// are so many that they would reach back over an hour.
func metricsInterval(rounds int) time.Duration {
	return min(15*time.Second, 50*time.Minute/time.Duration(max(rounds, 1)))
}

// encodeMetrics makes the requests that create the series, and those that go
// on with them, one sample a series and round.
func encodeMetrics(cfg Config, run string, now time.Time) (create, more workload, err error) {
	rounds := (cfg.Samples + cfg.Series - 1) / cfg.Series
	create = workload{name: "new series", path: "/api/v1/write", headers: remoteWriteHeaders()}
	more = workload{name: "samples", path: "/api/v1/write", headers: remoteWriteHeaders()}
	rng := rand.New(rand.NewPCG(cfg.Seed, 1))
	series := make([]prompb.TimeSeries, cfg.Series)
	for i := range series {
		series[i] = prompb.TimeSeries{Labels: kubernetesLabels(i, run), Samples: make([]prompb.Sample, 1)}
	}
	interval := metricsInterval(rounds)
	left := cfg.Samples
	for round := range rounds + 1 {
		w, most := &more, left
		if round == 0 {
			w, most = &create, cfg.Series
		}
		t := now.Add(-time.Duration(rounds-round) * interval).UnixMilli()
		for from := 0; from < min(cfg.Series, most); from += cfg.PerRequest {
			batch := series[from:min(from+cfg.PerRequest, cfg.Series, max(most, from))]
			for i := range batch {
				s := &batch[i].Samples[0]
				s.Timestamp = t + int64((from+i)%997)
				s.Value += float64(rng.IntN(1000))
			}
			req := prompb.WriteRequest{Timeseries: batch}
			raw, err := req.Marshal()
			if err != nil {
				return create, more, fmt.Errorf("encode remote write: %w", err)
			}
			w.bytes += len(raw)
			w.add(snappy.Encode(nil, raw), len(batch))
		}
		if round > 0 {
			left -= min(cfg.Series, left)
		}
	}
	return create, more, nil
}

// kubernetesLabels are ten labels like those of an HTTP metric in Kubernetes,
// sorted by name.
func kubernetesLabels(i int, run string) []prompb.Label {
	pod := i / 40
	return []prompb.Label{
		{Name: "__name__", Value: "bench_http_requests_total"},
		{Name: "cluster", Value: run},
		{Name: "container", Value: "server"},
		{Name: "instance", Value: fmt.Sprintf("10.%d.%d.%d:8080", pod>>16&255, pod>>8&255, pod&255)},
		{Name: "job", Value: fmt.Sprintf("shop/%s", benchServices()[pod%6])},
		{Name: "method", Value: []string{"GET", "POST"}[i%2]},
		{Name: "namespace", Value: fmt.Sprintf("team-%02d", pod%25)},
		{Name: "path", Value: fmt.Sprintf("/api/v2/resource-%d/items", i/2%10)},
		{Name: "pod", Value: fmt.Sprintf("%s-7d9c5b8f64-%05x", benchServices()[pod%6], pod*2654435761&0xfffff)},
		{Name: "status", Value: []string{"200", "404"}[i/20%2]},
	}
}

func benchServices() []string {
	return []string{"checkout", "catalogue", "basket", "payment", "shipping", "frontend"}
}

func protobufHeaders() map[string]string {
	return map[string]string{"Content-Type": "application/x-protobuf"}
}

// encodeSpans makes traces of ten spans over six services, 371 bytes a span
// more or less, spread over the last half hour.
func encodeSpans(cfg Config, run string, now time.Time) (workload, error) {
	w := workload{name: "spans", path: "/v1/traces", headers: protobufHeaders()}
	rng := rand.New(rand.NewPCG(cfg.Seed, 2))
	for sent := 0; sent < cfg.Spans; {
		n := min(cfg.BatchSize, cfg.Spans-sent)
		at := now.Add(-30 * time.Minute).Add(time.Duration(float64(30*time.Minute) * float64(sent) / float64(cfg.Spans)))
		body, err := ptraceotlp.NewExportRequestFromTraces(spans(rng, run, at, n)).MarshalProto()
		if err != nil {
			return w, fmt.Errorf("encode spans: %w", err)
		}
		w.bytes += len(body)
		w.add(body, n)
		sent += n
	}
	return w, nil
}

func spans(rng *rand.Rand, run string, at time.Time, n int) ptrace.Traces {
	td := ptrace.NewTraces()
	scopes := make([]ptrace.ScopeSpans, 0, 6)
	for i, service := range benchServices() {
		rs := td.ResourceSpans().AppendEmpty()
		resource(rs.Resource(), run+"-"+service, "prod", fmt.Sprintf("r%d", i%4))
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName("bench")
		scopes = append(scopes, ss)
	}
	var trace pcommon.TraceID
	var parents [10]pcommon.SpanID
	for i := range n {
		step := i % 10
		if step == 0 {
			binary.BigEndian.PutUint64(trace[:8], rng.Uint64())
			binary.BigEndian.PutUint64(trace[8:], rng.Uint64()|1)
		}
		binary.BigEndian.PutUint64(parents[step][:], rng.Uint64()|1)
		s := scopes[(i/10+step)%6].Spans().AppendEmpty()
		s.SetTraceID(trace)
		s.SetSpanID(parents[step])
		if step > 0 {
			s.SetParentSpanID(parents[(step-1)/2])
		}
		s.SetKind([]ptrace.SpanKind{ptrace.SpanKindServer, ptrace.SpanKindClient, ptrace.SpanKindInternal}[step%3])
		route := fmt.Sprintf("/api/v2/resource-%d/items/{id}", rng.IntN(20))
		s.SetName("GET " + route)
		start := at.Add(time.Duration(rng.IntN(1e9)))
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Duration(rng.ExpFloat64() * 4e7))))
		a := s.Attributes()
		a.PutStr("http.request.method", "GET")
		a.PutStr("http.route", route)
		a.PutInt("http.response.status_code", 200)
		a.PutStr("server.address", "10.0.0.1")
		a.PutStr("user_agent.original", "bench/1.0 (loopback; like an SDK)")
		a.PutStr("network.protocol.version", "1.1")
		a.PutStr("request.id", fmt.Sprintf("%016x", rng.Uint64()))
		if rng.IntN(50) == 0 {
			s.Status().SetCode(ptrace.StatusCodeError)
			s.Status().SetMessage("upstream timed out")
		}
	}
	return td
}

func resource(r pcommon.Resource, service, env, region string) {
	a := r.Attributes()
	a.PutStr("service.name", service)
	a.PutStr("deployment.environment.name", env)
	a.PutStr("cloud.region", region)
	a.PutStr("service.version", "1.0.0")
}

// encodeLogs makes lines of 366 bytes, as JSON would write them, in 72 streams
// of service, environment and region, with a trace id to about five lines.
func encodeLogs(cfg Config, run string, now time.Time) (workload, error) {
	w := workload{name: "logs", path: "/v1/logs", headers: protobufHeaders()}
	rng := rand.New(rand.NewPCG(cfg.Seed, 3))
	for sent := 0; sent < cfg.Logs; {
		n := min(cfg.BatchSize, cfg.Logs-sent)
		at := now.Add(-30 * time.Minute).Add(time.Duration(float64(30*time.Minute) * float64(sent) / float64(cfg.Logs)))
		body, err := plogotlp.NewExportRequestFromLogs(lines(rng, run, at, n)).MarshalProto()
		if err != nil {
			return w, fmt.Errorf("encode logs: %w", err)
		}
		w.bytes += len(body)
		w.add(body, n)
		sent += n
	}
	return w, nil
}

func lines(rng *rand.Rand, run string, at time.Time, n int) plog.Logs {
	ld := plog.NewLogs()
	var trace pcommon.TraceID
	streams := map[int]plog.ScopeLogs{}
	for i := range n {
		if i%5 == 0 {
			binary.BigEndian.PutUint64(trace[:8], rng.Uint64())
			binary.BigEndian.PutUint64(trace[8:], rng.Uint64()|1)
		}
		key := rng.IntN(72)
		sl, ok := streams[key]
		if !ok {
			rl := ld.ResourceLogs().AppendEmpty()
			resource(rl.Resource(), run+"-"+benchServices()[key%6], []string{"prod", "staging", "dev"}[key/6%3], fmt.Sprintf("r%d", key/18))
			sl = rl.ScopeLogs().AppendEmpty()
			streams[key] = sl
		}
		r := sl.LogRecords().AppendEmpty()
		ts := pcommon.NewTimestampFromTime(at.Add(time.Duration(i) * time.Microsecond))
		r.SetTimestamp(ts)
		r.SetTraceID(trace)
		level := rng.IntN(20)
		r.SetSeverityNumber(map[bool]plog.SeverityNumber{true: plog.SeverityNumberError, false: plog.SeverityNumberInfo}[level == 0])
		r.SetSeverityText(map[bool]string{true: "ERROR", false: "INFO"}[level == 0])
		r.Body().SetStr(fmt.Sprintf("%s %s for customer %d took %d ms and touched %d rows of table orders_%02d",
			[]string{"finished", "retried", "accepted", "rejected"}[rng.IntN(4)], []string{"request", "query", "job"}[rng.IntN(3)],
			rng.IntN(100000), rng.IntN(2000), rng.IntN(500), rng.IntN(16)))
		a := r.Attributes()
		a.PutStr("request_id", fmt.Sprintf("%016x", rng.Uint64()))
		a.PutStr("http.route", fmt.Sprintf("/api/v2/resource-%d/items/{id}", rng.IntN(20)))
		a.PutInt("status", int64([]int{200, 200, 200, 404, 500}[rng.IntN(5)]))
		a.PutStr("user", fmt.Sprintf("u%05d", rng.IntN(50000)))
		a.PutStr("host", fmt.Sprintf("node-%02d", rng.IntN(40)))
	}
	return ld
}
