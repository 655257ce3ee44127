package otlp

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
	"github.com/signalbox-project/signalbox/internal/store"
)

const logsExport = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

// exportRaw sends bytes as they are.
func exportRaw(t testing.TB, conn *grpc.ClientConn, body []byte, opts ...grpc.CallOption) error {
	t.Helper()
	opts = append(opts, grpc.ForceCodecV2(rawCodec{encoding.GetCodecV2("proto")}))
	return conn.Invoke(t.Context(), logsExport, &raw{bytes: body}, &raw{}, opts...)
}

func retryInfo(err error) bool {
	return slices.ContainsFunc(status.Convert(err).Details(), func(d any) bool {
		info, ok := d.(*errdetails.RetryInfo)
		return ok && info.RetryDelay.AsDuration() > 0
	})
}

func TestGRPCAnswersAsTheSpecificationSays(t *testing.T) {
	tb := start(t, func(c *Config) { c.MaxMessageBytes = 64 << 10 })
	conn := tb.dial(t)
	huge := protoBody(t, logRequest(strings.Repeat("x", 100<<10)))
	for _, c := range []struct {
		name  string
		err   error
		body  []byte
		opts  []grpc.CallOption
		code  codes.Code
		retry bool
	}{
		{"a good request", nil, protoBody(t, logRequest("m")), nil, codes.OK, false},
		{"gzip", nil, protoBody(t, logRequest("gzip")), []grpc.CallOption{grpc.UseCompressor(gzip.Name)}, codes.OK, false},
		{"malformed", nil, []byte{0x0a, 0xff}, nil, codes.InvalidArgument, false},
		{"too large", nil, huge, nil, codes.ResourceExhausted, false},
		{"a gzip bomb", nil, make([]byte, 20<<20), []grpc.CallOption{grpc.UseCompressor(gzip.Name)}, codes.ResourceExhausted, false},
		{"a zstd bomb", nil, make([]byte, 20<<20), []grpc.CallOption{grpc.UseCompressor("zstd")}, codes.ResourceExhausted, false},
		{"a snappy bomb", nil, make([]byte, 20<<20), []grpc.CallOption{grpc.UseCompressor("snappy")}, codes.ResourceExhausted, false},
		{"overloaded", store.ErrOverloaded, protoBody(t, logRequest("overloaded")), nil, codes.Unavailable, true},
		{"read-only", store.ErrReadOnly, protoBody(t, logRequest("read-only")), nil, codes.Unavailable, true},
		{"a broken store", io.ErrClosedPipe, protoBody(t, logRequest("a broken store")), nil, codes.Unavailable, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb.fail(c.err)
			err := exportRaw(t, conn, c.body, c.opts...)
			if status.Code(err) != c.code || retryInfo(err) != c.retry {
				t.Errorf("got %v (retry %v), want %v (retry %v)", err, retryInfo(err), c.code, c.retry)
			}
		})
	}
	if len(tb.logs) != 2 {
		t.Errorf("%d records arrived, want 2", len(tb.logs))
	}
}

func TestGRPCRequestsBeyondTheLimitAreRefusedBeforeTheyAreRead(t *testing.T) {
	tb := start(t, func(c *Config) { c.MaxRequestsInFlight = 1 })
	if !tb.quota.enter() {
		t.Fatal("the quota is full from the start")
	}
	err := exportRaw(t, tb.dial(t), protoBody(t, logRequest("m")))
	if status.Code(err) != codes.Unavailable || !retryInfo(err) {
		t.Errorf("err = %v", err)
	}
	tb.quota.leave()
	for range 50 { // every place is given back
		conn := tb.dial(t)
		if err := exportRaw(t, conn, protoBody(t, logRequest("m"))); err != nil {
			t.Fatal(err)
		}
		for tb.quota.requests.Load() != 0 { // given back when the stream ends, just after the answer
			runtime.Gosched()
		}
	}
}

// Messages that have arrived stand in memory in full while they wait for their turn: beyond a bound they are told to come back, also
// before they are decompressed, and what is done gives its room back.
func TestGRPCMessagesThatWaitAreBounded(t *testing.T) {
	tb := start(t, func(c *Config) { c.MaxMessageBytes, c.MaxBytesInFlight = 4<<10, 4<<10 })
	conn := tb.dial(t)
	body := protoBody(t, logRequest(strings.Repeat("x", 2000)))
	send := func(opts ...grpc.CallOption) error { return exportRaw(t, conn, body, opts...) }
	refused := func(what string, err error) {
		t.Helper()
		if status.Code(err) != codes.ResourceExhausted || !retryInfo(err) || !strings.Contains(err.Error(), "otlp.max_bytes_in_flight") {
			t.Errorf("%s: %v", what, err)
		}
	}
	tb.quota.waiting.Store(3 << 10)
	refused("a tenant's bytes", send())
	refused("a tenant's bytes, compressed", send(grpc.UseCompressor(gzip.Name)))
	tb.quota.waiting.Store(0)
	tb.held.Store(7 << 10)
	refused("those of all", send())
	tb.held.Store(heldShare * 4 << 10)
	for _, name := range []string{gzip.Name, "zstd", "snappy"} {
		refused("before it is decompressed, "+name, send(grpc.UseCompressor(name)))
	}
	tb.held.Store(0)
	for range 20 {
		if err := send(grpc.UseCompressor("zstd")); err != nil {
			t.Fatal(err)
		}
	}
	if tb.held.Load() != 0 || tb.quota.waiting.Load() != 0 {
		t.Errorf("%d and %d bytes are held by nothing", tb.held.Load(), tb.quota.waiting.Load())
	}
}

func TestGRPCTenantPartialSuccessAndHealth(t *testing.T) {
	tb := start(t, nil)
	tb.refuse = "bad"
	conn := tb.dial(t)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-scope-orgid", "acme")
	resp, err := plogotlp.NewGRPCClient(conn).Export(ctx, logRequest("good", "bad"))
	if err != nil || resp.PartialSuccess().RejectedLogRecords() != 1 || !strings.Contains(resp.PartialSuccess().ErrorMessage(), "the test says so") {
		t.Errorf("partial success = %v %v", resp.PartialSuccess(), err)
	}
	if tb.logs[0].Resource.Tenant != "acme" {
		t.Errorf("tenant = %q", tb.logs[0].Resource.Tenant)
	}
	_, err = plogotlp.NewGRPCClient(conn).Export(metadata.AppendToOutgoingContext(t.Context(), "x-scope-orgid", "a b"), logRequest("m"))
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("an impossible tenant: %v", err)
	}
	h, err := healthpb.NewHealthClient(conn).Check(t.Context(), &healthpb.HealthCheckRequest{})
	if err != nil || h.Status != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("health = %v %v", h, err)
	}
	err = conn.Invoke(t.Context(), "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", &healthpb.HealthCheckRequest{}, &healthpb.HealthCheckResponse{})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("reflection must be off, got %v", err)
	}
}

func TestStoppingWaitsForRequestsInFlight(t *testing.T) {
	tb := start(t, nil)
	tb.hold = make(chan struct{})
	conn := tb.dial(t)
	result := make(chan error, 2)
	go func() { result <- exportRaw(t, conn, protoBody(t, logRequest("grpc"))) }()
	go func() {
		resp, err := http.Post("http://"+tb.HTTPAddr().String()+"/v1/logs", typeProto, strings.NewReader(string(protoBody(t, logRequest("http")))))
		if err == nil {
			if resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("status %d", resp.StatusCode)
			}
			_ = resp.Body.Close()
		}
		result <- err
	}()
	for tb.quota.requests.Load() < 2 && t.Context().Err() == nil { // until both are inside
		runtime.Gosched()
	}
	stopped := make(chan struct{})
	go func() { tb.stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Fatal("stopped while requests were in flight")
	default:
	}
	close(tb.hold)
	for range 2 {
		if err := <-result; err != nil {
			t.Errorf("a request in flight: %v", err)
		}
	}
	<-stopped
	if len(tb.logs) != 2 {
		t.Errorf("%d records arrived, want 2", len(tb.logs))
	}
}

// nestedLog is a log request whose body nests arrays, smallest first.
func nestedLog(depth, limit int) []byte {
	var reversed []byte
	wrap := func(field byte) {
		head := binary.AppendUvarint([]byte{field<<3 | 2}, uint64(len(reversed)))
		slices.Reverse(head)
		reversed = append(reversed, head...)
	}
	for i := 0; i < depth && len(reversed) < limit; i++ {
		wrap(1) // ArrayValue.values
		wrap(5) // AnyValue.array_value
	}
	for _, field := range []byte{5, 2, 2, 1} { // body, log record, scope logs, resource logs
		wrap(field)
	}
	slices.Reverse(reversed)
	return reversed
}

// Without the check the decoder overflows the stack, which ends the process.
func TestNestingBombsAreRefused(t *testing.T) {
	tb := start(t, nil)
	if err := exportRaw(t, tb.dial(t), nestedLog(1<<30, 15<<20)); status.Code(err) != codes.InvalidArgument {
		t.Errorf("protobuf: %v", err)
	}
	levels := 1 << 18
	text := `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + strings.Repeat(`{"arrayValue":{"values":[`, levels) + strings.Repeat(`]}}`, levels) + `}]}]}]}`
	if r := tb.post(t, "/v1/logs", []byte(text), "Content-Type", typeJSON); r.status != 400 {
		t.Errorf("JSON: status %d", r.status)
	}
	if err := exportRaw(t, tb.dial(t), nestedLog(common.MaxNesting-1, 1<<20)); err != nil {
		t.Errorf("%d levels must pass: %v", common.MaxNesting-1, err)
	}
	if err := exportRaw(t, tb.dial(t), nestedLog(common.MaxNesting+1, 1<<20)); err == nil {
		t.Errorf("%d levels must not pass", common.MaxNesting+1)
	}
	if got := tb.logs[0].Message; !strings.HasPrefix(got, "[[[") {
		t.Errorf("message = %q", got)
	}
}

func TestExportWithACanceledContextIsNotASuccess(t *testing.T) {
	tb := start(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := plogotlp.NewGRPCClient(tb.dial(t)).Export(ctx, logRequest("m")); status.Code(err) != codes.Canceled {
		t.Errorf("err = %v", err)
	}
}

// A stream that sends its message for ever holds no place of those that are
// worked on, and ends when its time is over.
func TestSlowGRPCMessagesAreEndedAndHoldNobodyUp(t *testing.T) {
	tb := start(t, func(c *Config) { c.MaxRequestsInFlight = 2; c.BodyTimeout = model.Duration(time.Second) })
	const slow = 8
	results := make(chan error, slow)
	desc := &grpc.StreamDesc{ClientStreams: true}
	for range slow {
		s, err := tb.dial(t).NewStream(t.Context(), desc, logsExport)
		if err != nil {
			t.Fatal(err)
		}
		// The stream is open and its message never comes.
		go func() { results <- s.RecvMsg(&raw{}) }()
	}
	for begun := time.Now(); tb.quota.reading.Load() < slow; runtime.Gosched() {
		if time.Since(begun) > time.Minute {
			t.Fatalf("%d of %d streams began", tb.quota.reading.Load(), slow)
		}
	}
	if err := exportRaw(t, tb.dial(t), protoBody(t, logRequest("beside"))); err != nil {
		t.Errorf("beside slow streams: %v", err)
	}
	for range slow {
		if err := <-results; status.Code(err) != codes.DeadlineExceeded { // one of the codes after which senders try again
			t.Errorf("a slow stream ends with %v", err)
		}
	}
	for begun := time.Now(); tb.quota.reading.Load() != 0; runtime.Gosched() {
		if time.Since(begun) > time.Minute {
			t.Fatalf("%d places were not given back", tb.quota.reading.Load())
		}
	}
}
