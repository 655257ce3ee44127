package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server counts what it is sent and answers the counts as Signalbox would.
type server struct {
	mu                   sync.Mutex
	samples, spans, logs int
	series               map[string]bool
	perTrace             map[string]int
	streams              map[string]bool
	overloaded           int // requests to answer 429 first
	loses, rejects       int // of the spans
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if s.overloaded > 0 {
		s.overloaded--
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	switch r.URL.Path {
	case "/api/v1/write":
		raw, err := snappy.Decode(nil, body)
		var req prompb.WriteRequest
		if err != nil || req.Unmarshal(raw) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, ts := range req.Timeseries {
			s.samples += len(ts.Samples)
			id := ""
			for _, l := range ts.Labels {
				id += l.Value + ","
			}
			s.series[id] = true
			if len(ts.Labels) != 10 {
				w.WriteHeader(http.StatusBadRequest)
			}
		}
	case "/v1/traces":
		req := ptraceotlp.NewExportRequest()
		if err := req.UnmarshalProto(body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.spans += req.Traces().SpanCount()
		for _, rs := range req.Traces().ResourceSpans().All() {
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				s.perTrace[span.TraceID().String()]++
			}
		}
		resp := ptraceotlp.NewExportResponse()
		resp.PartialSuccess().SetRejectedSpans(int64(s.rejects))
		s.spans -= s.rejects
		text, _ := resp.MarshalProto()
		w.Write(text)
	case "/v1/logs":
		req := plogotlp.NewExportRequest()
		if err := req.UnmarshalProto(body); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.logs += req.Logs().LogRecordCount()
		for _, rl := range req.Logs().ResourceLogs().All() {
			s.streams[fmt.Sprint(rl.Resource().Attributes().AsRaw())] = true
		}
	case "/api/v1/query":
		fmt.Fprintf(w, `{"data":{"result":[{"value":[0,"%d"]}]}}`, s.samples)
	case "/sb/v1/sql":
		n := s.logs
		if bytes.Contains(body, []byte("spans")) {
			n = s.spans - s.loses
		}
		fmt.Fprintf(w, `{"columns":[],"rows":[[%d]]}`, n)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func measured(t *testing.T, s *server) (*Report, Config) {
	t.Helper()
	s.series, s.streams, s.perTrace = map[string]bool{}, map[string]bool{}, map[string]int{}
	ts := httptest.NewServer(s)
	defer ts.Close()
	cfg := DefaultConfig()
	cfg.BaseURL, cfg.Settle, cfg.Timeout = ts.URL, 0, time.Minute
	cfg.Series, cfg.Samples, cfg.Spans, cfg.Logs, cfg.PerRequest = 700, 2500, 5000, 5000, 200
	cfg.DataDir = t.TempDir()
	if err := os.WriteFile(filepath.Join(cfg.DataDir, "x"), make([]byte, 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), cfg, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return r, cfg
}

func TestEverythingIsSentOnceAndVerified(t *testing.T) {
	s := &server{overloaded: 3}
	r, cfg := measured(t, s)
	if p := r.Problems(); p != nil {
		t.Errorf("problems: %v", p)
	}
	if s.samples != cfg.Samples+cfg.Series || len(s.series) != cfg.Series {
		t.Errorf("%d samples of %d series arrived, want %d of %d", s.samples, len(s.series), cfg.Samples+cfg.Series, cfg.Series)
	}
	if s.spans != cfg.Spans || s.logs != cfg.Logs || len(s.streams) != 72 {
		t.Errorf("%d spans, %d logs in %d streams", s.spans, s.logs, len(s.streams))
	}
	for id, n := range s.perTrace {
		if n != 10 {
			t.Fatalf("trace %s has %d spans", id, n)
		}
	}
	retried := 0
	for _, row := range r.Rows {
		retried += row.Retried
		if row.PerSecond <= 0 || row.P99 < row.P50 || row.P50 <= 0 || row.CPUPerMillion == nil || row.PeakRSS == 0 || row.DiskPerUnit == nil {
			t.Errorf("row %+v lacks figures", row)
		}
	}
	if len(r.Rows) != 4 || retried != 3 {
		t.Errorf("%d rows, %d retries", len(r.Rows), retried)
	}
	if r.PID != os.Getpid() {
		t.Errorf("found process %d behind the port, want %d", r.PID, os.Getpid())
	}
}

func TestLostAndRejectedRecordsAreProblems(t *testing.T) {
	r, _ := measured(t, &server{loses: 7})
	if p := strings.Join(r.Problems(), "\n"); !strings.Contains(p, "accepted 5000, but 4993 can be queried") {
		t.Errorf("problems: %s", p)
	}
	r, _ = measured(t, &server{rejects: 2})
	if p := strings.Join(r.Problems(), "\n"); !strings.Contains(p, "spans: sent 5000, accepted 4990") || strings.Contains(p, "queried") {
		t.Errorf("problems: %s", p)
	}
}

func TestUnitsHaveTheSizesOfThePeersFigures(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Spans, cfg.Logs = 5000, 5000
	w, err := encodeSpans(cfg, "bench-0123456789", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if b := float64(w.bytes) / float64(w.total()); math.Abs(b-371) > 10 {
		t.Errorf("a span has %.0f bytes, want about 371", b)
	}
	// The peers were sent the same lines as JSON: that is what has 366 bytes.
	total, n := 0, 0
	for _, rl := range lines(rand.New(rand.NewPCG(1, 3)), "bench-0123456789", time.Now(), 2000).ResourceLogs().All() {
		for _, r := range rl.ScopeLogs().At(0).LogRecords().All() {
			line := r.Attributes().AsRaw()
			for k, v := range rl.Resource().Attributes().AsRaw() {
				line[k[strings.LastIndexByte(k, '.')+1:]] = v
			}
			line["timestamp"], line["level"], line["trace_id"], line["message"] = r.Timestamp().AsTime(), r.SeverityText(), r.TraceID().String(), r.Body().Str()
			text, err := json.Marshal(line)
			if err != nil {
				t.Fatal(err)
			}
			total, n = total+len(text), n+1
		}
	}
	if b := float64(total) / float64(n); math.Abs(b-366) > 15 {
		t.Errorf("a log line has %.0f bytes as JSON, want about 366", b)
	}
}

func TestTheSeedDecidesWhatIsSent(t *testing.T) {
	cfg, now := DefaultConfig(), time.Now()
	cfg.Spans = 1000
	a, _ := encodeSpans(cfg, "r", now)
	b, _ := encodeSpans(cfg, "r", now)
	cfg.Seed++
	c, _ := encodeSpans(cfg, "r", now)
	if !bytes.Equal(a.bodies[0], b.bodies[0]) || bytes.Equal(a.bodies[0], c.bodies[0]) {
		t.Error("the same seed must give the same bytes, another seed others")
	}
}

func TestConfigRefusesOtherMachinesAndUnboundedRuns(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"another machine needs consent", func(c *Config) { c.BaseURL = "http://10.1.2.3:4300" }, "--allow-remote"},
		{"a URL needs a scheme", func(c *Config) { c.BaseURL = "localhost:4300" }, "server: must be"},
		{"counts are bounded", func(c *Config) { c.Spans = maxUnits + 1 }, "spans: must be from"},
		{"signals are known", func(c *Config) { c.Signals = []string{"profiles"} }, "signals: must be of"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := DefaultConfig()
			tc.change(&cfg)
			if _, err := Run(t.Context(), cfg, Deps{}); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestReportReadsAsTableAndAsJSON(t *testing.T) {
	cpu := 3.25
	r := &Report{Rows: []Row{{Name: "spans", Sent: 10, Accepted: 9, PerSecond: 1234, CPUPerMillion: &cpu, Problem: "accepted 9, but 8 can be queried"}}}
	var table, doc bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CPU-s/M", "3.25", "PROBLEM spans: sent 10, accepted 9", "8 can be queried"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
	var back Report
	if err := r.WriteJSON(&doc); err != nil || json.Unmarshal(doc.Bytes(), &back) != nil || back.Rows[0].Name != "spans" {
		t.Errorf("JSON %s, %v", doc.String(), err)
	}
}

func TestAStreamIsSentInTimeAndInOrder(t *testing.T) {
	s := &server{series: map[string]bool{}, overloaded: 1}
	ts := httptest.NewServer(s)
	defer ts.Close()
	start := time.Now()
	stream, err := EncodeStream("r", 70, 20, 2000, 500*time.Millisecond, start, 1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := stream.Send(t.Context(), ts.URL, 2)
	if err != nil {
		t.Fatal(err)
	}
	if s.samples != 1000 || r.Samples != 1000 || len(s.series) != 70 || r.Retried != 1 || stream.bytes == 0 {
		t.Errorf("%d samples of %d series arrived: %+v", s.samples, len(s.series), r)
	}
	if r.Seconds < 0.45 {
		t.Errorf("sent within %.2f s, must take half a second", r.Seconds)
	}
}
