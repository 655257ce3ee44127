package otlp

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"

	"github.com/signalbox-project/signalbox/internal/store"
)

// signalUnderTest is a signal with a good request, and one of whose two records one is bad.
type signalUnderTest struct {
	name, path, method string
	good, partial      func(i int) exportRequest
	response           func() proto.Message
}

type exportRequest interface {
	MarshalProto() ([]byte, error)
	MarshalJSON() ([]byte, error)
}

func signalsUnderTest() []signalUnderTest {
	metricRequest := func(i int, bad bool) exportRequest {
		md := pmetric.NewMetrics()
		m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName(fmt.Sprintf("m%d", i))
		points := m.SetEmptyGauge().DataPoints()
		for range 2 {
			p := points.AppendEmpty()
			p.SetTimestamp(1_790_000_000_000_000_000)
			p.SetIntValue(1)
		}
		points.At(1).Attributes().PutStr("b", "c")
		if bad {
			points.At(1).SetTimestamp(0)
		}
		return pmetricotlp.NewExportRequestFromMetrics(md)
	}
	return []signalUnderTest{
		{
			"traces", "/v1/traces", "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
			func(i int) exportRequest { return spanRequest(fmt.Sprint("a", i), fmt.Sprint("b", i)) },
			func(i int) exportRequest { return spanRequest(fmt.Sprint("c", i), "refused") },
			func() proto.Message { return &tracespb.ExportTraceServiceResponse{} },
		},
		{
			"logs", "/v1/logs", "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
			func(i int) exportRequest { return logRequest(fmt.Sprint("a", i)) },
			func(i int) exportRequest { return logRequest(fmt.Sprint("c", i), "refused") },
			func() proto.Message { return &logspb.ExportLogsServiceResponse{} },
		},
		{
			"metrics", "/v1/metrics", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
			func(i int) exportRequest { return metricRequest(i, false) },
			func(i int) exportRequest { return metricRequest(i, true) },
			func() proto.Message { return &metricspb.ExportMetricsServiceResponse{} },
		},
	}
}

// specCheck is one sentence of the specification on answers of OTLP/HTTP.
type specCheck struct {
	name      string
	status    int
	mediaType string // "" is the request's
	body      func(good, partial []byte) []byte
	headers   []string // besides Content-Type
	fail      error
	rejected  bool
	detail    proto.Message
	raw       bool // Content-Type is of headers
	get       bool
}

func specChecks() []specCheck {
	retry, bad := &errdetails.RetryInfo{}, &errdetails.BadRequest{}
	asIs := func(good, _ []byte) []byte { return good }
	return []specCheck{
		{name: "full success", status: 200, body: asIs},
		{name: "an empty request", status: 200, body: func(good, _ []byte) []byte {
			if good[0] == '{' {
				return []byte("{}")
			}
			return nil
		}},
		{name: "partial success", status: 200, body: func(_, partial []byte) []byte { return partial }, rejected: true},
		{name: "gzip", status: 200, body: func(good, _ []byte) []byte { return gzipped(good) }, headers: []string{"Content-Encoding", "gzip"}},
		{name: "undecodable", status: 400, body: func(good, _ []byte) []byte { return good[:len(good)-1] }, detail: bad},
		{name: "broken gzip", status: 400, body: asIs, headers: []string{"Content-Encoding", "gzip"}, detail: bad},
		{name: "too large", status: 413, body: func([]byte, []byte) []byte { return bytes.Repeat([]byte{' '}, 2<<20) }},
		{name: "too large after decompression", status: 413, body: func([]byte, []byte) []byte { return gzipped(bytes.Repeat([]byte{' '}, 2<<20)) }, headers: []string{"Content-Encoding", "gzip"}},
		{name: "an unknown encoding", status: 415, body: asIs, headers: []string{"Content-Encoding", "br"}},
		{name: "too many requests", status: 429, body: asIs, fail: fmt.Errorf("x: %w", store.ErrOverloaded), detail: retry},
		{name: "read-only", status: 503, body: asIs, fail: fmt.Errorf("x: %w", store.ErrReadOnly), detail: retry},
		{name: "another method", status: 405, body: asIs, get: true},
		{name: "another content type", status: 415, body: asIs, raw: true, headers: []string{"Content-Type", "text/plain"}, mediaType: typeJSON},
		{name: "another content type of protobuf", status: 415, body: asIs, raw: true, headers: []string{"Content-Type", "application/vnd.google.protobuf"}, mediaType: typeProto},
		{name: "no content type", status: 415, body: asIs, raw: true, mediaType: typeJSON},
	}
}

// Every answer of OTLP/HTTP as docs/specification.md of opentelemetry-proto wants it: the status, the request's content
// type, the signal's response message or google.rpc.Status, no partial_success of a full success, and
// Retry-After exactly where a repetition makes sense.
func TestHTTPSpecification(t *testing.T) {
	n := 0
	for _, signal := range signalsUnderTest() {
		for _, mediaType := range []string{typeProto, typeJSON} {
			for _, c := range specChecks() {
				n++
				t.Run(signal.name+"/"+mediaType+"/"+c.name, func(t *testing.T) {
					tb := start(t, func(cfg *Config) { cfg.MaxMessageBytes = 1 << 20 })
					tb.refuse = "refused"
					tb.fail(c.fail)
					body := c.body(inForm(t, signal.good(n), mediaType), inForm(t, signal.partial(n), mediaType))
					headers := c.headers
					if !c.raw {
						headers = append([]string{"Content-Type", mediaType}, headers...)
					}
					method := http.MethodPost
					if c.get {
						method = http.MethodGet
					}
					r := tb.send(t, method, signal.path, body, headers...)
					want := mediaType
					if c.mediaType != "" {
						want = c.mediaType
					}
					if r.status != c.status || r.header.Get("Content-Type") != want {
						t.Fatalf("%d %s, want %d %s: %q", r.status, r.header.Get("Content-Type"), c.status, want, r.body)
					}
					if r.status == http.StatusOK {
						checkResponse(t, signal.response(), r, c.rejected)
						return
					}
					checkStatus(t, r, c.detail)
				})
			}
		}
	}
}

func inForm(t testing.TB, m exportRequest, mediaType string) []byte {
	t.Helper()
	body, err := m.MarshalProto()
	if mediaType == typeJSON {
		body, err = m.MarshalJSON()
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// unmarshal reads an answer strictly: nothing in it is unknown.
func unmarshal(t testing.TB, r reply, m proto.Message) {
	t.Helper()
	var err error
	if r.header.Get("Content-Type") == typeJSON {
		err = protojson.Unmarshal(r.body, m)
	} else {
		err = proto.Unmarshal(r.body, m)
	}
	if err != nil || len(m.ProtoReflect().GetUnknown()) > 0 {
		t.Fatalf("%q is no %s: %v", r.body, m.ProtoReflect().Descriptor().Name(), err)
	}
}

func checkResponse(t testing.TB, m proto.Message, r reply, rejected bool) {
	t.Helper()
	unmarshal(t, r, m)
	checkPartial(t, m, rejected)
}

func checkPartial(t testing.TB, m proto.Message, rejected bool) {
	t.Helper()
	field := m.ProtoReflect().Descriptor().Fields().ByName("partial_success")
	if m.ProtoReflect().Has(field) != rejected {
		t.Fatalf("partial_success: %v", m)
	}
	if !rejected {
		return
	}
	partial := m.ProtoReflect().Get(field).Message()
	if n := partial.Get(partial.Descriptor().Fields().ByNumber(1)).Int(); n != 1 || partial.Get(partial.Descriptor().Fields().ByName("error_message")).String() == "" {
		t.Errorf("partial_success: %v", m)
	}
}

func checkStatus(t testing.TB, r reply, detail proto.Message) {
	t.Helper()
	var s spb.Status
	unmarshal(t, r, &s)
	retry := r.status == http.StatusTooManyRequests || r.status == http.StatusServiceUnavailable
	if s.GetMessage() == "" || (r.header.Get("Retry-After") != "") != retry {
		t.Errorf("message %q, Retry-After %q", s.GetMessage(), r.header.Get("Retry-After"))
	}
	checkDetail(t, &s, detail)
}

func checkDetail(t testing.TB, s *spb.Status, detail proto.Message) {
	t.Helper()
	if detail == nil {
		if len(s.GetDetails()) != 0 {
			t.Errorf("details %v", s.GetDetails())
		}
		return
	}
	if len(s.GetDetails()) != 1 || !s.GetDetails()[0].MessageIs(detail) {
		t.Errorf("details %v, want a %s", s.GetDetails(), detail.ProtoReflect().Descriptor().Name())
	}
}

func TestAnotherPathIsAnsweredInTheRequestsForm(t *testing.T) {
	tb := start(t, nil)
	for _, mediaType := range []string{typeProto, typeJSON} {
		r := tb.send(t, http.MethodPost, "/v1/profiles", nil, "Content-Type", mediaType)
		if r.status != http.StatusNotFound || r.header.Get("Content-Type") != mediaType {
			t.Errorf("%d %s", r.status, r.header.Get("Content-Type"))
		}
		checkStatus(t, r, nil)
	}
}

// The same over gRPC: codes after which senders do, or do not, send again, and their details.
func TestGRPCSpecification(t *testing.T) {
	retry, bad := &errdetails.RetryInfo{}, &errdetails.BadRequest{}
	for _, signal := range signalsUnderTest() {
		for i, c := range []struct {
			name     string
			body     []byte
			fail     error
			code     codes.Code
			rejected bool
			detail   proto.Message
		}{
			{"full success", inForm(t, signal.good(1), typeProto), nil, codes.OK, false, nil},
			{"an empty request", nil, nil, codes.OK, false, nil},
			{"partial success", inForm(t, signal.partial(2), typeProto), nil, codes.OK, true, nil},
			{"undecodable", []byte{0x0a, 0xff}, nil, codes.InvalidArgument, false, bad},
			{"overloaded", inForm(t, signal.good(3), typeProto), fmt.Errorf("x: %w", store.ErrOverloaded), codes.Unavailable, false, retry},
			{"read-only", inForm(t, signal.good(4), typeProto), fmt.Errorf("x: %w", store.ErrReadOnly), codes.Unavailable, false, retry},
			{"too large", bytes.Repeat([]byte{1}, 2<<20), nil, codes.ResourceExhausted, false, nil}, // without RetryInfo: not again
		} {
			t.Run(fmt.Sprint(signal.name, "/", i, " ", c.name), func(t *testing.T) {
				tb := start(t, func(cfg *Config) { cfg.MaxMessageBytes = 1 << 20 })
				tb.refuse = "refused"
				tb.fail(c.fail)
				var out raw
				err := tb.dial(t).Invoke(t.Context(), signal.method, &raw{bytes: c.body}, &out, grpc.ForceCodecV2(rawCodec{encoding.GetCodecV2("proto")}))
				s := status.Convert(err)
				if s.Code() != c.code {
					t.Fatalf("%v, want %v", err, c.code)
				}
				checkDetail(t, s.Proto(), c.detail)
				if err == nil {
					m := signal.response()
					if err := proto.Unmarshal(out.bytes, m); err != nil {
						t.Fatal(err)
					}
					checkPartial(t, m, c.rejected)
				}
			})
		}
	}
}

// A place in a JSON text is told as such.
func TestBadDataNamesItsPlace(t *testing.T) {
	tb := start(t, nil)
	r := tb.post(t, "/v1/logs", []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{},{"timeUnixNano":"soon"}]}]}]}`), "Content-Type", typeJSON)
	var bad errdetails.BadRequest
	if s := r.rpcStatus(t); len(s.GetDetails()) != 1 || s.GetDetails()[0].UnmarshalTo(&bad) != nil {
		t.Fatalf("%v", s)
	}
	fields := []string{}
	for _, v := range bad.GetFieldViolations() {
		fields = append(fields, v.GetField())
	}
	if !slices.Equal(fields, []string{"/resourceLogs/0/scopeLogs/0/logRecords/1/timeUnixNano"}) || !strings.Contains(bad.GetFieldViolations()[0].GetDescription(), `"soon" is not an integer`) {
		t.Errorf("%v", &bad)
	}
}

// A request whose telemetry stands in a field that is not known is taken, as the specification wants, but not
// without a word: it is another signal's, or of an SDK from before OTLP's names.
func TestARequestOfAnotherSignalIsWarnedOf(t *testing.T) {
	tb := start(t, nil)
	for _, path := range []string{"/v1/traces", "/v1/logs", "/v1/metrics"} {
		r := tb.post(t, path, []byte(`{"instrumentationLibrarySpans":[{}]}`), "Content-Type", typeJSON)
		if r.status != http.StatusOK || !strings.Contains(string(r.body), `"instrumentationLibrarySpans\" is not known`) || strings.Contains(string(r.body), "rejected") {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}
