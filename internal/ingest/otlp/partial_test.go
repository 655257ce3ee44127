package otlp

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	logspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
)

// oneOfTwo is a request of two records in OTLP/JSON of which one is bad.
type oneOfTwo struct {
	name, json string
	signal     signalUnderTest
	request    proto.Message
	reason     string
}

func onesOfTwo(now time.Time) (out []oneOfTwo) {
	signals := signalsUnderTest()
	stamps := fmt.Sprintf(`"startTimeUnixNano":"%d","timeUnixNano":"%d"`, now.Add(-time.Minute).UnixNano(), now.UnixNano())
	other := `,"attributes":[{"key":"a","value":{"stringValue":"b"}}]`
	metric := func(kind, value, bad, reason string) {
		good := `{` + stamps + other + `,` + value + `}`
		kinds := fmt.Sprintf(`{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"metrics":[{"name":"m","%s":{%s"dataPoints":[%s,%s]}}]}]}]}`,
			kind, map[bool]string{true: `"aggregationTemporality":2,`}[kind != "gauge" && kind != "summary"], bad, good)
		out = append(out, oneOfTwo{kind + " " + reason, kinds, signals[2], &metricspb.ExportMetricsServiceRequest{}, reason})
	}
	for kind, value := range map[string]string{
		"gauge": `"asInt":1`, "sum": `"asInt":1`, "histogram": `"count":"1","bucketCounts":["1"]`,
		"exponentialHistogram": `"count":"1","positive":{"bucketCounts":["1"]}`, "summary": `"count":"1","sum":1`,
	} {
		metric(kind, value, `{`+value+`}`, "timestamp_unset")
		metric(kind, value, `{"timeUnixNano":"1790000000000",`+value+`}`, "timestamp_unit")
		metric(kind, value, `{`+stamps+`,"attributes":[{"value":{"stringValue":"b"}}],`+value+`}`, "attribute_key")
	}
	metric("gauge", `"asInt":1`, `{`+stamps+`}`, "no_value")
	metric("histogram", `"count":"1","bucketCounts":["1"]`, `{`+stamps+`,"bucketCounts":["1"],"explicitBounds":[1]}`, "histogram_buckets")
	metric("exponentialHistogram", `"count":"1","positive":{"bucketCounts":["1"]}`, `{`+stamps+`,"scale":-5}`, "histogram_scale")
	for name, id := range map[string]string{"trace id": `"traceId":"01","spanId":"b7ad6b7169203331"`, "span id": `"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"01"`, "parent id": `"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","parentSpanId":"01"`} {
		out = append(out, oneOfTwo{name, `{"resourceSpans":[{"scopeSpans":[{"spans":[{` + id + `},{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"good"}]}]}]}`, signals[0], &tracespb.ExportTraceServiceRequest{}, "bad_id"})
	}
	out = append(out, oneOfTwo{"log", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"refused"}},{"body":{"stringValue":"good"}}]}]}]}`, signals[1], &logspb.ExportLogsServiceRequest{}, "tested"})
	return out
}

// One bad record costs itself and is counted in partial_success and in the ledger, the other is stored: of every kind, in
// both forms, over both protocols.
func TestOneBadRecordCostsItselfAlone(t *testing.T) {
	now := time.Now()
	for _, c := range onesOfTwo(now) {
		for _, way := range []string{"json", "protobuf", "grpc"} {
			t.Run(c.name+"/"+way, func(t *testing.T) {
				tb := start(t, nil)
				tb.refuse = "refused"
				answer := c.signal.response()
				if err := tb.export(t, way, c, answer); err != nil {
					t.Fatal(err)
				}
				checkPartial(t, answer, true)
				if !strings.Contains(fmt.Sprint(answer), c.reason) {
					t.Errorf("%v does not say %s", answer, c.reason)
				}
				stored := len(tb.spans) + len(tb.logs) + len(tb.series(t))
				if stored == 0 || tb.sum("refused") != 1 || tb.sum("received") != tb.sum("stored")+1 {
					t.Errorf("%d stored, ledger %v", stored, tb.balance)
				}
			})
		}
	}
}

func (tb *testbed) sum(what string) (n int) {
	for k, v := range tb.balance {
		if strings.Contains(k, " "+what) {
			n += v
		}
	}
	return n
}

// export sends a request one of three ways.
func (tb *testbed) export(t *testing.T, way string, c oneOfTwo, answer proto.Message) error {
	t.Helper()
	if way == "json" {
		r := tb.post(t, c.signal.path, []byte(c.json), "Content-Type", typeJSON)
		if r.status != http.StatusOK {
			return fmt.Errorf("%d %s", r.status, r.body)
		}
		unmarshal(t, r, answer)
		return nil
	}
	// Protobuf's own parser wants ids in base 64.
	text := strings.NewReplacer("0af7651916cd43dd8448eb211c80319c", "CvdlGRbNQ92ESOshHIAxnA==", "b7ad6b7169203331", "t61rcWkgMzE=", `"01"`, `"AQ=="`).Replace(c.json)
	m := proto.Clone(c.request)
	if err := protojson.Unmarshal([]byte(text), m); err != nil {
		return err
	}
	body, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	if way == "protobuf" {
		r := tb.post(t, c.signal.path, body, "Content-Type", typeProto)
		if r.status != http.StatusOK {
			return fmt.Errorf("%d %s", r.status, r.body)
		}
		unmarshal(t, r, answer)
		return nil
	}
	var out raw
	if err := tb.dial(t).Invoke(t.Context(), c.signal.method, &raw{bytes: body}, &out, grpc.ForceCodecV2(rawCodec{encoding.GetCodecV2("proto")})); err != nil {
		return err
	}
	return proto.Unmarshal(out.bytes, answer)
}
