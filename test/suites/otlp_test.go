package suites

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"mime"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	logs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	traces "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	status "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const protobuf, jsonText = "application/x-protobuf", "application/json"

// sentence is one sentence of OTLP's specification on answers.
type sentence struct {
	says     string
	body     func(good, half []byte) []byte
	status   int
	rejected int64
	method   string   // POST
	headers  []string // over the usual ones
	form     string   // of the answer; that of the request
}

func sentences() []sentence {
	good := func(good, _ []byte) []byte { return good }
	return []sentence{
		{says: "a full success has no partial_success", body: good, status: 200},
		{says: "an empty request succeeds", body: func(good, _ []byte) []byte { return good[:0] }, status: 200},
		{says: "a partial success counts what is rejected", body: func(_, half []byte) []byte { return half }, status: 200, rejected: 1},
		{says: "gzip", body: func(good, _ []byte) []byte { return zipped(good) }, status: 200, headers: []string{"Content-Encoding", "gzip"}},
		{says: "bad data is 400", body: func(good, _ []byte) []byte { return good[:len(good)-1] }, status: 400},
		{says: "broken gzip is 400", body: good, status: 400, headers: []string{"Content-Encoding", "gzip"}},
		{says: "an unknown encoding", body: good, status: 415, headers: []string{"Content-Encoding", "br"}},
		{says: "an unknown content type", body: good, status: 415, headers: []string{"Content-Type", "text/plain"}, form: jsonText},
		{says: "another method", body: good, status: 405, method: http.MethodPut},
		{says: "too large", body: func([]byte, []byte) []byte { return make([]byte, 2<<20) }, status: 413},
		{says: "too large when unpacked", body: func([]byte, []byte) []byte { return zipped(make([]byte, 2<<20)) }, status: 413, headers: []string{"Content-Encoding", "gzip"}},
	}
}

// OTLP's specification has no suite of its own: this is what it says of answers over HTTP, asked of the binary
// on both of its ports. What needs a store that fails, and gRPC, are tests of the otlp package.
func TestAnswersOfOTLP(t *testing.T) {
	s := start(t, "otlp: {max_message_bytes: 1048576}\nself_query: {interval: 1h}\n")
	defer s.stop()
	n := 0
	for _, base := range []string{s.web, s.otlp} {
		for path, signal := range map[string]struct {
			request  func(n int, half bool) exportRequest
			response func() proto.Message
		}{
			"/v1/traces":  {spans, func() proto.Message { return &traces.ExportTraceServiceResponse{} }},
			"/v1/logs":    {records, func() proto.Message { return &logs.ExportLogsServiceResponse{} }},
			"/v1/metrics": {points, func() proto.Message { return &metrics.ExportMetricsServiceResponse{} }},
		} {
			for _, form := range []string{protobuf, jsonText} {
				for _, c := range sentences() {
					n++
					t.Run(fmt.Sprint(base[len("http://127.0.0.1:"):], path, " ", form, " ", c.says), func(t *testing.T) {
						body := c.body(encoded(t, signal.request(n, false), form), encoded(t, signal.request(n, true), form))
						if len(body) == 0 && form == jsonText {
							body = []byte("{}")
						}
						c.ask(t, base+path, form, body, signal.response())
					})
				}
			}
		}
	}
	t.Logf("%d checks", n)
}

func (c sentence) ask(t *testing.T, url, form string, body []byte, response proto.Message) {
	method := http.MethodPost
	if c.method != "" {
		method = c.method
	}
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", form)
	for i := 0; i < len(c.headers); i += 2 {
		req.Header.Set(c.headers[i], c.headers[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if c.form != "" {
		form = c.form
	}
	if got, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); resp.StatusCode != c.status || got != form {
		t.Fatalf("%s %s, want %d %s: %q", resp.Status, got, c.status, form, text)
	}
	if c.status != http.StatusOK {
		response = &status.Status{}
	}
	if form == jsonText {
		err = protojson.Unmarshal(text, response)
	} else {
		err = proto.Unmarshal(text, response)
	}
	if err != nil || len(response.ProtoReflect().GetUnknown()) > 0 {
		t.Fatalf("%q is no %T: %v", text, response, err)
	}
	if s, ok := response.(*status.Status); ok {
		if s.GetMessage() == "" || resp.Header.Get("Retry-After") != "" {
			t.Errorf("message %q, Retry-After %q of what must not be sent again", s.GetMessage(), resp.Header.Get("Retry-After"))
		}
		return
	}
	c.partial(t, response.ProtoReflect())
}

// partial is there exactly when something was rejected, with a number and a reason.
func (c sentence) partial(t *testing.T, m protoreflect.Message) {
	field := m.Descriptor().Fields().ByName("partial_success")
	if m.Has(field) != (c.rejected > 0) {
		t.Fatalf("partial_success: %v", m)
	}
	if c.rejected == 0 {
		return
	}
	p := m.Get(field).Message()
	if n := p.Get(p.Descriptor().Fields().ByNumber(1)).Int(); n != c.rejected || p.Get(p.Descriptor().Fields().ByNumber(2)).String() == "" {
		t.Errorf("partial_success: %v", p)
	}
}

// exportRequest is a request of any signal. Each has two records; of half of them the second is refused: a span without ids,
// a record of next year, a point without a time.
type exportRequest interface {
	MarshalProto() ([]byte, error)
	MarshalJSON() ([]byte, error)
}

func spans(n int, half bool) exportRequest {
	td := ptrace.NewTraces()
	list := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := range 2 {
		s := list.AppendEmpty()
		s.SetName("s")
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		s.SetEndTimestamp(s.StartTimestamp())
		if i == 0 || !half {
			s.SetTraceID([16]byte{1, byte(n >> 8), byte(n), byte(i)})
			s.SetSpanID([8]byte{1, byte(n >> 8), byte(n), byte(i)})
		}
	}
	return ptraceotlp.NewExportRequestFromTraces(td)
}

func records(n int, half bool) exportRequest {
	ld := plog.NewLogs()
	list := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i := range 2 {
		r := list.AppendEmpty()
		r.Body().SetStr(fmt.Sprint("record ", n, i))
		at := time.Now()
		if i == 1 && half {
			at = at.AddDate(1, 0, 0)
		}
		r.SetTimestamp(pcommon.NewTimestampFromTime(at))
	}
	return plogotlp.NewExportRequestFromLogs(ld)
}

func points(n int, half bool) exportRequest {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(fmt.Sprint("m", n))
	list := m.SetEmptyGauge().DataPoints()
	for i := range 2 {
		p := list.AppendEmpty()
		p.SetIntValue(1)
		p.Attributes().PutInt("i", int64(i))
		if i == 0 || !half {
			p.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		}
	}
	return pmetricotlp.NewExportRequestFromMetrics(md)
}

func encoded(t *testing.T, m exportRequest, form string) []byte {
	t.Helper()
	encode := m.MarshalProto
	if form == jsonText {
		encode = m.MarshalJSON
	}
	body, err := encode()
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b) // to memory
	_ = w.Close()
	return out.Bytes()
}
