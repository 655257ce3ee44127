package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

const (
	protobuf  = "application/x-protobuf"
	jsonMedia = "application/json"
)

// series is one time series of a remote-write request.
type series struct {
	labels     []string // name, value, name, value, … sorted by name
	samples    []prompb.Sample
	histograms []prompb.Histogram
	exemplars  []prompb.Exemplar
}

// remoteWrite encodes a remote-write v1 request.
func remoteWrite(t *testing.T, all ...series) []byte {
	t.Helper()
	var req prompb.WriteRequest
	for _, s := range all {
		ts := prompb.TimeSeries{Samples: s.samples, Histograms: s.histograms, Exemplars: s.exemplars}
		for i := 0; i < len(s.labels); i += 2 {
			ts.Labels = append(ts.Labels, prompb.Label{Name: s.labels[i], Value: s.labels[i+1]})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	raw, err := req.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return snappy.Encode(nil, raw)
}

func sample(at time.Time, v float64) prompb.Sample {
	return prompb.Sample{Timestamp: at.UnixMilli(), Value: v}
}

func resource(r pcommon.Resource, service string) {
	r.Attributes().PutStr("service.name", service)
	r.Attributes().PutStr("deployment.environment.name", "prod")
	r.Attributes().PutStr("cloud.region", "eu-1")
	r.Attributes().PutStr("service.version", "1.0.0")
}

// otlpLogs encodes one OTLP request with a record per message.
func otlpLogs(t *testing.T, service string, at time.Time, messages ...string) []byte {
	t.Helper()
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	resource(rl.Resource(), service)
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i, m := range messages {
		r := records.AppendEmpty()
		r.SetTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Duration(i))))
		r.SetSeverityNumber(plog.SeverityNumberInfo)
		r.Body().SetStr(m)
	}
	raw, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// spanSpec is what a test says of a span.
type spanSpec struct {
	trace    pcommon.TraceID
	id       pcommon.SpanID
	name     string
	start    time.Time
	duration time.Duration
	failed   bool
}

func otlpSpans(t *testing.T, service string, specs ...spanSpec) []byte {
	t.Helper()
	traces := ptrace.NewTraces()
	rs := traces.ResourceSpans().AppendEmpty()
	resource(rs.Resource(), service)
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	for _, spec := range specs {
		s := spans.AppendEmpty()
		s.SetTraceID(spec.trace)
		s.SetSpanID(spec.id)
		s.SetName(spec.name)
		s.SetKind(ptrace.SpanKindServer)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(spec.start))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(spec.start.Add(spec.duration)))
		if spec.failed {
			s.Status().SetCode(ptrace.StatusCodeError)
		}
	}
	raw, err := ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func traceID(n int) (id pcommon.TraceID) {
	copy(id[:], fmt.Sprintf("trace%011d", n))
	return id
}

func spanID(n int) (id pcommon.SpanID) {
	copy(id[:], fmt.Sprintf("%08d", n))
	return id
}
