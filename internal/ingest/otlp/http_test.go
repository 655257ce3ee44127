package otlp

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/signalbox-project/signalbox/internal/store"
)

// logRequest holds one record per body.
func logRequest(bodies ...string) plogotlp.ExportRequest {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "edge")
	sl := rl.ScopeLogs().AppendEmpty()
	for _, body := range bodies {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.Timestamp(1_790_000_000_000_000_000))
		lr.Body().SetStr(body)
	}
	return plogotlp.NewExportRequestFromLogs(ld)
}

func protoBody(t testing.TB, m interface{ MarshalProto() ([]byte, error) }) []byte {
	t.Helper()
	b, err := m.MarshalProto()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

func zstded(b []byte) []byte {
	z, _ := zstd.NewWriter(nil)
	defer z.Close()
	return z.EncodeAll(b, nil)
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

func (tb *testbed) post(t testing.TB, path string, body []byte, headers ...string) reply {
	t.Helper()
	return tb.send(t, http.MethodPost, path, body, headers...)
}

func (tb *testbed) send(t testing.TB, method, path string, body []byte, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequest(method, tb.web.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, b}
}

// status reads google.rpc.Status in the reply's own content type.
func (r reply) rpcStatus(t testing.TB) *spb.Status {
	t.Helper()
	var s spb.Status
	var err error
	if r.header.Get("Content-Type") == typeJSON {
		err = protojson.Unmarshal(r.body, &s)
	} else {
		err = proto.Unmarshal(r.body, &s)
	}
	if err != nil {
		t.Fatalf("%q is no google.rpc.Status: %v", r.body, err)
	}
	return &s
}

func TestHTTPAnswersAsTheSpecificationSays(t *testing.T) {
	tb := start(t, func(c *Config) { c.MaxMessageBytes = 64 << 10 })
	good := protoBody(t, logRequest("hello"))
	jsonGood, err := logRequest("hello").MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	huge := protoBody(t, logRequest(strings.Repeat("x", 100<<10)))
	for _, c := range []struct {
		name, path string
		body       []byte
		headers    []string
		status     int
		code       codes.Code
		says       string
	}{
		{"protobuf", "/v1/logs", good, []string{"Content-Type", typeProto}, 200, 0, ""},
		{"JSON", "/v1/logs", jsonGood, []string{"Content-Type", "application/json; charset=utf-8"}, 200, 0, ""},
		{"gzip", "/v1/logs", gzipped(protoBody(t, logRequest("by gzip"))), []string{"Content-Type", typeProto, "Content-Encoding", "gzip"}, 200, 0, ""},
		{"zstd", "/v1/logs", zstded(protoBody(t, logRequest("by zstd"))), []string{"Content-Type", typeProto, "Content-Encoding", "zstd"}, 200, 0, ""},
		{"an empty request", "/v1/traces", nil, []string{"Content-Type", typeProto}, 200, 0, ""},
		{"Prometheus' path for metrics", "/api/v1/otlp/v1/metrics", nil, []string{"Content-Type", typeProto}, 200, 0, ""},
		{"an unknown field is ignored", "/v1/logs", []byte(`{"resourceLogs":[],"later":1}`), []string{"Content-Type", typeJSON}, 200, 0, ""},
		{"malformed protobuf", "/v1/traces", []byte{0x0a, 0xff}, []string{"Content-Type", typeProto}, 400, codes.InvalidArgument, "not an OTLP/protobuf spans request"},
		{"malformed JSON", "/v1/metrics", []byte(`{"resourceMetrics":[`), []string{"Content-Type", typeJSON}, 400, codes.InvalidArgument, "not an OTLP/JSON metrics request"},
		{"a wire group", "/v1/logs", []byte{0x0b, 0x0c}, []string{"Content-Type", typeProto}, 400, codes.InvalidArgument, "wire type 3"},
		{"broken gzip", "/v1/logs", []byte("nonsense"), []string{"Content-Type", typeProto, "Content-Encoding", "gzip"}, 400, codes.InvalidArgument, "not gzip"},
		{"gzip that was cut off", "/v1/logs", gzipped(good)[:30], []string{"Content-Type", typeProto, "Content-Encoding", "gzip"}, 400, codes.InvalidArgument, "unexpected EOF"},
		{"broken zstd", "/v1/logs", []byte("nonsense"), []string{"Content-Type", typeProto, "Content-Encoding", "zstd"}, 400, codes.InvalidArgument, "read the body"},
		{"too large", "/v1/logs", huge, []string{"Content-Type", typeProto}, 413, codes.ResourceExhausted, "65536 bytes"},
		{"a gzip bomb", "/v1/logs", gzipped(make([]byte, 50<<20)), []string{"Content-Type", typeProto, "Content-Encoding", "gzip"}, 413, codes.ResourceExhausted, "65536 bytes"},
		{"a zstd bomb", "/v1/logs", zstded(make([]byte, 50<<20)), []string{"Content-Type", typeProto, "Content-Encoding", "zstd"}, 413, codes.ResourceExhausted, "65536 bytes"},
		{"an unknown encoding", "/v1/logs", good, []string{"Content-Type", typeProto, "Content-Encoding", "br"}, 415, codes.InvalidArgument, "gzip, zstd"},
		{"a wrong content type", "/v1/logs", good, []string{"Content-Type", "text/plain"}, 415, codes.InvalidArgument, "send application/x-protobuf or application/json"},
		{"no content type", "/v1/logs", good, nil, 415, codes.InvalidArgument, "send application/x-protobuf or application/json"},
		{"an impossible tenant", "/v1/logs", good, []string{"Content-Type", typeProto, "X-Scope-OrgID", "a/b"}, 400, codes.InvalidArgument, `tenant "a/b"`},
		{"another path", "/v1/profiles", good, []string{"Content-Type", typeProto}, 404, codes.NotFound, "/v1/traces"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := tb.post(t, c.path, c.body, c.headers...)
			if r.status != c.status {
				t.Fatalf("status = %d, want %d: %s", r.status, c.status, r.body)
			}
			if r.header.Get("Retry-After") != "" {
				t.Errorf("Retry-After = %q although a retry cannot help", r.header.Get("Retry-After"))
			}
			if c.code == 0 {
				if !strings.Contains(string(r.body), c.says) {
					t.Errorf("body %q does not say %q", r.body, c.says)
				}
				return
			}
			s := r.rpcStatus(t)
			if codes.Code(s.Code) != c.code || !strings.Contains(s.Message, c.says) || (len(s.Details) == 1) != (c.status == 400) {
				t.Errorf("status = %v %q with %d details, want %v naming %q", codes.Code(s.Code), s.Message, len(s.Details), c.code, c.says)
			}
		})
	}
	if len(tb.logs) != 4 {
		t.Errorf("%d records arrived, want 4", len(tb.logs))
	}
	if n := tb.quota.bytes.Load(); n != 0 {
		t.Errorf("%d bytes are still reserved", n)
	}
}

func TestHTTPMethodsOtherThanPostAreRefused(t *testing.T) {
	tb := start(t, nil)
	resp, err := http.Get(tb.web.URL + "/v1/logs")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != http.MethodPost {
		t.Errorf("status %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
	}
}

func TestHTTPPushesBackWhenTheStoreDoes(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     error
		status  int
		code    codes.Code
		refused string
	}{
		{"overloaded", fmt.Errorf("append: %w", store.ErrOverloaded), 429, codes.Unavailable, "overloaded"},
		{"read-only", fmt.Errorf("append: %w", store.ErrReadOnly), 503, codes.Unavailable, "read_only"},
		{"broken", io.ErrClosedPipe, 503, codes.Unavailable, "store_error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb := start(t, func(cfg *Config) { cfg.RetryAfter = 1_500_000_000 })
			tb.fail(c.err)
			for _, contentType := range []string{typeProto, typeJSON} {
				req := logRequest("a", "b")
				body := protoBody(t, req)
				if contentType == typeJSON {
					body, _ = req.MarshalJSON()
				}
				r := tb.post(t, "/v1/logs", body, "Content-Type", contentType)
				s := r.rpcStatus(t)
				if r.status != c.status || codes.Code(s.Code) != c.code || r.header.Get("Content-Type") != contentType {
					t.Errorf("%s: %d %v %s", contentType, r.status, codes.Code(s.Code), r.header.Get("Content-Type"))
				}
				if r.header.Get("Retry-After") != "2" || len(s.Details) != 1 || !strings.HasSuffix(s.Details[0].TypeUrl, "RetryInfo") {
					t.Errorf("Retry-After %q, details %v", r.header.Get("Retry-After"), s.Details)
				}
			}
			want := map[string]int{"logs received otlp_http": 4, "logs refused " + c.refused: 4}
			if diff := cmp.Diff(want, tb.balance); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPartialSuccessCountsAndNamesReasons(t *testing.T) {
	tb := start(t, nil)
	tb.refuse = "bad"
	req := logRequest("good", "bad", "bad")
	rl := req.Logs().ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("tenant", "no/slash")
	rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()

	r := tb.post(t, "/v1/logs", protoBody(t, req), "Content-Type", typeProto)
	resp := plogotlp.NewExportResponse()
	if err := resp.UnmarshalProto(r.body); err != nil || r.status != 200 {
		t.Fatal(r.status, err)
	}
	want := `3 of 4 log records were refused: bad_tenant (1): tenant "no/slash": '/' is not allowed, use letters, digits and !-_.*'(); tested (2): the test says so`
	if p := resp.PartialSuccess(); p.RejectedLogRecords() != 3 || p.ErrorMessage() != want {
		t.Errorf("partial success = %d %q", p.RejectedLogRecords(), p.ErrorMessage())
	}
	if diff := cmp.Diff(map[string]int{"logs received otlp_http": 4, "logs stored": 1, "logs refused bad_tenant": 1, "logs refused tested": 2}, tb.balance); diff != "" {
		t.Error(diff)
	}
	r = tb.post(t, "/v1/logs", protoBody(t, logRequest("good")), "Content-Type", typeJSON)
	if r.status != 400 {
		t.Errorf("protobuf sent as JSON: status %d, want 400", r.status)
	}
	body, _ := logRequest("good").MarshalJSON()
	r = tb.post(t, "/v1/logs", body, "Content-Type", typeJSON)
	var full map[string]json.RawMessage
	if err := json.Unmarshal(r.body, &full); err != nil {
		t.Fatal(err)
	}
	if ps := string(full["partialSuccess"]); ps != "" && ps != "{}" {
		t.Errorf("a full success carries partialSuccess %s", ps)
	}
}

func TestMetricPartialSuccessCountsDataPointsNotSamples(t *testing.T) {
	tb := start(t, func(c *Config) { c.MaxDeltaStreams = 0 })
	md := pmetric.NewMetrics()
	ms := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	now := time.Now()
	histogramAt := func(name string, at time.Time, temporality pmetric.AggregationTemporality) {
		m := ms.AppendEmpty()
		m.SetName(name)
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(temporality)
		for range 2 {
			p := h.DataPoints().AppendEmpty()
			p.Attributes().PutInt("i", int64(h.DataPoints().Len()))
			p.SetTimestamp(pcommon.NewTimestampFromTime(at))
			p.ExplicitBounds().FromRaw([]float64{1, 2, 5})
			p.BucketCounts().FromRaw([]uint64{1, 2, 3, 4})
			p.SetCount(10)
			p.SetSum(20)
		}
	}
	histogramAt("good", now, pmetric.AggregationTemporalityCumulative)
	post := func() pmetricotlp.ExportPartialSuccess {
		r := tb.post(t, "/v1/metrics", protoBody(t, pmetricotlp.NewExportRequestFromMetrics(md)), "Content-Type", typeProto)
		resp := pmetricotlp.NewExportResponse()
		if err := resp.UnmarshalProto(r.body); err != nil || r.status != 200 {
			t.Fatal(r.status, string(r.body), err)
		}
		return resp.PartialSuccess()
	}
	if p := post(); p.RejectedDataPoints() != 0 || p.ErrorMessage() != "" {
		t.Errorf("full success = %d %q", p.RejectedDataPoints(), p.ErrorMessage())
	}
	histogramAt("ancient", now.Add(-48*time.Hour), pmetric.AggregationTemporalityCumulative)
	histogramAt("delta", now, pmetric.AggregationTemporalityDelta)
	histogramAt("none", now, pmetric.AggregationTemporalityUnspecified)
	ms.AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	low := ms.AppendEmpty()
	low.SetName("coarse")
	low.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	low.ExponentialHistogram().DataPoints().AppendEmpty().SetScale(-5)
	p := post()
	if p.RejectedDataPoints() != 8 {
		t.Errorf("rejected %d data points, want 8: %s", p.RejectedDataPoints(), p.ErrorMessage())
	}
	for _, says := range []string{"8 of 10 data points", "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative", "more reasons"} {
		if !strings.Contains(p.ErrorMessage(), says) {
			t.Errorf("%q does not say %q", p.ErrorMessage(), says)
		}
	}
	total := 0
	for what, n := range tb.balance {
		if strings.HasPrefix(what, "metrics received") {
			total += n
		} else {
			total -= n
		}
	}
	if total != 0 {
		t.Errorf("the ledger does not balance: %v", tb.balance)
	}
}

func TestTheHeadersTenantWinsOverTheResources(t *testing.T) {
	tb := start(t, nil)
	req := logRequest("m")
	req.Logs().ResourceLogs().At(0).Resource().Attributes().PutStr("tenant", "own")
	body := protoBody(t, req)
	tb.post(t, "/v1/logs", body, "Content-Type", typeProto)
	tb.post(t, "/v1/logs", body, "Content-Type", typeProto, "X-Scope-OrgID", "header")
	tb.post(t, "/v1/logs", protoBody(t, logRequest("m")), "Content-Type", typeProto)
	for i, want := range []string{"own", "header", "default"} {
		if got := tb.logs[i].Resource.Tenant; got != want {
			t.Errorf("record %d: tenant %q, want %q", i, got, want)
		}
	}
}

func TestRequestsBeyondTheLimitsAreToldToComeBack(t *testing.T) {
	tb := start(t, func(c *Config) { c.MaxRequestsInFlight = 1; c.MaxMessageBytes = 1 << 20; c.MaxBytesInFlight = 1 << 20 })
	tb.hold = make(chan struct{})
	first := make(chan reply)
	go func() { first <- tb.post(t, "/v1/logs", protoBody(t, logRequest("first")), "Content-Type", typeProto) }()
	for tb.quota.requests.Load() == 0 { // until the first is inside
		runtime.Gosched()
		select {
		case r := <-first:
			t.Fatalf("the first request ended early: %d", r.status)
		default:
		}
	}
	r := tb.post(t, "/v1/logs", protoBody(t, logRequest("second")), "Content-Type", typeProto)
	if r.status != 429 || r.header.Get("Retry-After") == "" {
		t.Errorf("second request: status %d, Retry-After %q", r.status, r.header.Get("Retry-After"))
	}
	close(tb.hold)
	if r := <-first; r.status != 200 {
		t.Errorf("first request: status %d", r.status)
	}
	tb.quota.reserve(1 << 20)
	r = tb.post(t, "/v1/logs", protoBody(t, logRequest("third")), "Content-Type", typeProto)
	if r.status != 429 {
		t.Errorf("without room for bytes: status %d", r.status)
	}
}

// A body of random bytes never gets past the decoder as anything but 200 or 400.
func TestRandomBodiesAreAnsweredHonestly(t *testing.T) {
	tb := start(t, nil)
	rnd := rand.New(rand.NewPCG(1, 2))
	body := protoBody(t, logRequest("a", "b", `{"msg":"x"}`))
	for range 300 {
		b := bytes.Clone(body)
		for range 1 + rnd.IntN(4) {
			b[rnd.IntN(len(b))] = byte(rnd.Uint32())
		}
		if r := tb.post(t, "/v1/logs", b, "Content-Type", typeProto); r.status != 200 && r.status != 400 {
			t.Fatalf("status %d for %x", r.status, b)
		}
	}
}

func TestAPortInUseIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := &backend{}
	cfg := DefaultConfig()
	cfg.GRPCAddress, cfg.HTTPAddress = "127.0.0.1:0", l.Addr().String()
	s, err := New(cfg, Deps{Sink: b, Admitter: b, Appendable: b})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err == nil || !strings.Contains(err.Error(), "otlp http: listen tcp "+l.Addr().String()) {
		t.Errorf("err = %v", err)
	}
}

// The exporters of browsers ask before they send, and throw away an answer that
// they may not read, an error too.
func TestAPermittedPageCanSendAndReadEveryAnswer(t *testing.T) {
	const page = "https://app.example.org"
	tb := start(t, func(c *Config) { c.CORSOrigins = []string{page} })
	closed := start(t, nil)
	for _, c := range []struct {
		tb            *testbed
		origin, allow string
	}{{tb, page, page}, {tb, "https://evil.example", ""}, {closed, page, ""}} {
		for _, r := range []struct{ method, path, contentType, body string }{
			{"OPTIONS", "/v1/traces", "", ""},
			{"POST", "/v1/logs", typeJSON, "{}"},
			{"POST", "/v1/logs", typeJSON, "{"},
			{"POST", "/v1/logs", "text/plain", "{}"},
			{"POST", "/v1/nothing", typeJSON, "{}"},
			{"POST", "/v1/metrics", typeJSON, strings.Repeat(" ", 17<<20)},
		} {
			req, err := http.NewRequest(r.method, "http://"+c.tb.HTTPAddr().String()+r.path, strings.NewReader(r.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Origin", c.origin)
			if r.method == "OPTIONS" {
				req.Header.Set("Access-Control-Request-Method", "POST")
				req.Header.Set("Access-Control-Request-Headers", "content-type")
			} else {
				req.Header.Set("Content-Type", r.contentType)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if got := resp.Header.Get("Access-Control-Allow-Origin"); got != c.allow {
				t.Errorf("%s %s from %s: %s allows %q, want %q", r.method, r.path, c.origin, resp.Status, got, c.allow)
			}
			if c.allow == "" && r.method == "POST" && resp.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s from %s: %s, want 403", r.method, r.path, c.origin, resp.Status)
			}
		}
	}
}
