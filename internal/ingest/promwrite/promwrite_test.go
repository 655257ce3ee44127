package promwrite_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/golang/snappy"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"

	"github.com/signalbox-project/signalbox/internal/admit/samples"
	"github.com/signalbox-project/signalbox/internal/ingest/promwrite"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

const (
	typeV1 = "application/x-protobuf"
	typeV2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
)

type tally struct {
	mu sync.Mutex
	m  map[string]int
}

func (c *tally) add(k string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[string]int{}
	}
	c.m[k] += n
}
func (c *tally) Received(_, protocol string, n int) { c.add("received "+protocol, n) }
func (c *tally) Stored(_ string, n int)             { c.add("stored", n) }
func (c *tally) Refused(_, reason string, n int)    { c.add("refused "+reason, n) }

type fixture struct {
	store *metrics.Store
	adm   *samples.Admission
	count *tally
	h     *promwrite.Handler
	url   string
}

func setup(t testing.TB, free func(string) (uint64, error)) *fixture {
	t.Helper()
	s, err := metrics.Open(metrics.DefaultConfig(), metrics.Deps{Dir: t.TempDir(), FreeBytes: free})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{store: s, count: &tally{}}
	f.adm, err = samples.New(samples.DefaultConfig(), samples.Deps{Next: s, Stored: s, Counter: f.count, Retention: s.Retention(), OutOfOrderWindow: s.OutOfOrderWindow()})
	if err != nil {
		t.Fatal(err)
	}
	h, err := promwrite.New(promwrite.Deps{Admission: f.adm, Exemplars: s, Counter: f.count})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	f.h, f.url = h, srv.URL
	t.Cleanup(func() { srv.Close(); _ = s.Close() })
	return f
}

func (f *fixture) post(t testing.TB, contentType string, body []byte, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, f.url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Content-Encoding", "snappy")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

func pack(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return snappy.Encode(nil, b)
}

// stored is the number of samples of each series, by its text.
func (f *fixture) stored(t testing.TB) map[string]int {
	t.Helper()
	q, err := f.store.Querier(0, time.Now().Add(time.Hour).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	out := map[string]int{}
	set := q.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+"))
	for set.Next() {
		it := set.At().Iterator(nil)
		for it.Next() != chunkenc.ValNone {
			out[set.At().Labels().String()]++
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func (f *fixture) exemplars(t testing.TB) int {
	t.Helper()
	q, err := f.store.ExemplarQuerier(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	res, err := q.Select(0, time.Now().Add(time.Hour).UnixMilli(), []*labels.Matcher{labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+")})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range res {
		n += len(r.Exemplars)
	}
	return n
}

func pairs(kv ...string) []prompb.Label {
	var out []prompb.Label
	for i := 0; i+1 < len(kv); i += 2 {
		out = append(out, prompb.Label{Name: kv[i], Value: kv[i+1]})
	}
	return out
}

func v1(now time.Time, series ...[]prompb.Label) *prompb.WriteRequest {
	req := &prompb.WriteRequest{}
	for _, ls := range series {
		req.Timeseries = append(req.Timeseries, prompb.TimeSeries{Labels: ls, Samples: []prompb.Sample{{Timestamp: now.UnixMilli(), Value: 1}}})
	}
	return req
}

func TestVersion1StoresSamplesHistogramsExemplarsAndMetadata(t *testing.T) {
	f, now := setup(t, nil), time.Now()
	req := v1(now, pairs("job", "a", "__name__", "up"))
	req.Timeseries[0].Samples = append(req.Timeseries[0].Samples, prompb.Sample{Timestamp: now.UnixMilli() + 1, Value: 2})
	req.Timeseries = append(req.Timeseries,
		prompb.TimeSeries{Labels: pairs("__name__", "lat"), Histograms: []prompb.Histogram{prompb.FromIntHistogram(now.UnixMilli(), tsdbutil.GenerateTestHistogram(2))}},
		// Prometheus sends exemplars as series of their own.
		prompb.TimeSeries{Labels: pairs("__name__", "up", "job", "a"), Exemplars: []prompb.Exemplar{{Labels: pairs("trace_id", "x"), Value: 1, Timestamp: now.UnixMilli()}}},
	)
	req.Metadata = []prompb.MetricMetadata{{MetricFamilyName: "up", Type: prompb.MetricMetadata_GAUGE, Help: "Up."}}
	if resp, text := f.post(t, typeV1, pack(t, req)); resp.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	got := f.stored(t)
	if got[`{__name__="up", job="a"}`] != 2 || got[`{__name__="lat"}`] != 1 {
		t.Errorf("stored %v", got)
	}
	if n := f.exemplars(t); n != 1 {
		t.Errorf("%d exemplars, want 1", n)
	}
	if m := f.adm.Metadata()["up"]; m.Type != prommodel.MetricTypeGauge || m.Help != "Up." {
		t.Errorf("metadata %+v", m)
	}
	if f.count.m["received remote_write_v1"] != 3 || f.count.m["stored"] != 3 {
		t.Errorf("counted %v", f.count.m)
	}
}

func TestVersion2StoresEverythingAndSaysHowMuch(t *testing.T) {
	f, now := setup(t, nil), time.Now()
	req := &writev2.Request{
		Symbols: []string{"", "__name__", "reqs_total", "trace_id", "abc", "Requests.", "lat"},
		Timeseries: []writev2.TimeSeries{
			{
				LabelsRefs: []uint32{1, 2}, Samples: []writev2.Sample{{Timestamp: now.UnixMilli(), Value: 1}},
				Exemplars: []writev2.Exemplar{{LabelsRefs: []uint32{3, 4}, Value: 1, Timestamp: now.UnixMilli()}},
				Metadata:  writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_COUNTER, HelpRef: 5},
			},
			{LabelsRefs: []uint32{1, 6}, Histograms: []writev2.Histogram{writev2.FromFloatHistogram(0, now.UnixMilli(), tsdbutil.GenerateTestFloatHistogram(1))}},
		},
	}
	resp, text := f.post(t, typeV2, pack(t, req))
	if resp.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	for h, want := range map[string]string{"Samples": "1", "Histograms": "1", "Exemplars": "1"} {
		if got := resp.Header.Get("X-Prometheus-Remote-Write-" + h + "-Written"); got != want {
			t.Errorf("%s written: %q, want %q", h, got, want)
		}
	}
	if got := f.stored(t); got[`{__name__="reqs_total"}`] != 1 || got[`{__name__="lat"}`] != 1 || f.exemplars(t) != 1 {
		t.Errorf("stored %v", got)
	}
	if m := f.adm.Metadata()["reqs_total"]; m.Type != prommodel.MetricTypeCounter {
		t.Errorf("metadata %+v", m)
	}
}

func TestBadSeriesAreNamedAndTheRestIsStored(t *testing.T) {
	f, now := setup(t, nil), time.Now()
	req := v1(now,
		pairs("__name__", "good"), pairs("nameless", "x"), pairs("__name__", "bad", "l", "\xff"),
		pairs("__name__", "huge", "l", strings.Repeat("x", 100_000)), pairs("__name__", "twice", "a", "1", "a", "2"),
		pairs("__name__", "panics", "l", strings.Repeat("x", 17<<20)), pairs("__name__", "good2"),
	)
	req.Timeseries = append(req.Timeseries,
		prompb.TimeSeries{Labels: pairs("__name__", "future"), Samples: []prompb.Sample{{Timestamp: now.Add(time.Hour).UnixMilli()}}},
		prompb.TimeSeries{Labels: pairs("__name__", "ancient"), Samples: []prompb.Sample{{Timestamp: 1}}},
	)
	resp, text := f.post(t, typeV1, pack(t, req))
	if resp.StatusCode != http.StatusBadRequest {
		t.Fatalf("%d %s", resp.StatusCode, text)
	}
	for _, want := range []string{"7 refused, 2 stored", `nameless="x"`, "UTF-8", "max_label_value_bytes", `"a" stands twice`, "NTP", "retention", "drop labels"} {
		if !strings.Contains(text, want) {
			t.Errorf("the answer does not say %q:\n%s", want, text)
		}
	}
	if got := f.stored(t); len(got) != 2 || got[`{__name__="good"}`] != 1 || got[`{__name__="good2"}`] != 1 {
		t.Errorf("stored %v", got)
	}
	refused := 0
	for k, n := range f.count.m {
		if strings.HasPrefix(k, "refused") {
			refused += n
		}
	}
	if f.count.m["received remote_write_v1"] != 9 || f.count.m["stored"] != 2 || refused != 7 {
		t.Errorf("the counts do not balance: %v", f.count.m)
	}
}

func TestVersion2CountsOnlyWhatWasStored(t *testing.T) {
	f, now := setup(t, nil), time.Now()
	req := &writev2.Request{Symbols: []string{"", "__name__", "up"}, Timeseries: []writev2.TimeSeries{
		{LabelsRefs: []uint32{1, 2}, Samples: []writev2.Sample{{Timestamp: now.UnixMilli()}, {Timestamp: now.Add(time.Hour).UnixMilli()}}},
		{LabelsRefs: []uint32{1, 99}, Samples: []writev2.Sample{{Timestamp: now.UnixMilli()}}},
		{LabelsRefs: []uint32{1}, Samples: []writev2.Sample{{Timestamp: now.UnixMilli()}}},
		{LabelsRefs: []uint32{1, 2}},
	}}
	resp, text := f.post(t, typeV2, pack(t, req))
	if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("X-Prometheus-Remote-Write-Samples-Written") != "1" {
		t.Errorf("%d, written %s: %s", resp.StatusCode, resp.Header.Get("X-Prometheus-Remote-Write-Samples-Written"), text)
	}
	if f.count.m["refused invalid_symbol"] != 2 || f.count.m["refused timestamp_in_future"] != 1 {
		t.Errorf("counted %v", f.count.m)
	}
}

func TestWhatCannotBeDecodedIsAClientError(t *testing.T) {
	f := setup(t, nil)
	good := pack(t, v1(time.Now(), pairs("__name__", "up")))
	bomb := []byte{0xff, 0xff, 0xff, 0xff, 0x07} // claims 2 GB
	cases := []struct {
		name, contentType string
		body              []byte
		header            []string
		want              int
	}{
		{"garbage instead of snappy", typeV1, []byte("hello, world"), nil, 400},
		{"snappy of garbage, version 1", typeV1, snappy.Encode(nil, []byte("\xff\xff\xff")), nil, 400},
		{"snappy of garbage, version 2", typeV2, snappy.Encode(nil, []byte("\xff\xff\xff")), nil, 400},
		{"a claim of 2 GB", typeV1, bomb, nil, 413},
		{"JSON", "application/json", good, nil, 415},
		{"an unknown message", "application/x-protobuf;proto=foo.Bar", good, nil, 415},
		{"gzip", typeV1, good, []string{"Content-Encoding", "gzip"}, 415},
		{"an endless tenant", typeV1, good, []string{"X-Scope-OrgID", strings.Repeat("t", 500)}, 400},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			resp, text := f.post(t, c.contentType, c.body, c.header...)
			if resp.StatusCode != c.want || text == "" {
				t.Errorf("%d %q, want %d and a message", resp.StatusCode, text, c.want)
			}
		})
	}
	if got := f.stored(t); len(got) != 0 {
		t.Errorf("stored %v", got)
	}
}

func TestAFullDiskAsksTheSenderToComeBack(t *testing.T) {
	// Under min_free_bytes, with room enough to read the log back at the start.
	f := setup(t, func(string) (uint64, error) { return 100 << 20, nil })
	resp, text := f.post(t, typeV1, pack(t, v1(time.Now(), pairs("__name__", "up"))))
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%d, Retry-After %q: %s", resp.StatusCode, resp.Header.Get("Retry-After"), text)
	}
	if f.count.m["refused read_only"] != 1 || f.count.m["stored"] != 0 {
		t.Errorf("counted %v", f.count.m)
	}
}

func TestATenantOtherThanTheDefaultBecomesALabel(t *testing.T) {
	f, now := setup(t, nil), time.Now()
	for _, tenant := range []string{"default", "acme"} {
		if resp, text := f.post(t, typeV1, pack(t, v1(now, pairs("__name__", "up"))), "X-Scope-OrgID", tenant); resp.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", resp.StatusCode, text)
		}
	}
	if got := f.stored(t); got[`{__name__="up"}`] != 1 || got[`{__name__="up", tenant="acme"}`] != 1 || len(got) != 2 {
		t.Errorf("stored %v", got)
	}
}

func TestALongListOfRefusalsIsCutShort(t *testing.T) {
	f, now := setup(t, nil), time.Now()
	req := &prompb.WriteRequest{}
	for i := range 1000 {
		req.Timeseries = append(req.Timeseries, v1(now, pairs("nameless", strconv.Itoa(i))).Timeseries...)
	}
	_, text := f.post(t, typeV1, pack(t, req))
	if !strings.Contains(text, "1000 refused, 0 stored") || !strings.Contains(text, "and 990 more") || len(text) > 4000 {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}

// No request body makes the handler panic or answer 5xx.
func FuzzRequest(f *testing.F) {
	fx := setup(f, nil)
	now := time.Now()
	seed := func(m proto.Message, v2 bool) {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, v2)
	}
	seed(v1(now, pairs("__name__", "up")), false)
	seed(&writev2.Request{Symbols: []string{"", "__name__", "up"}, Timeseries: []writev2.TimeSeries{{LabelsRefs: []uint32{1, 2}, Samples: []writev2.Sample{{Timestamp: now.UnixMilli()}}}}}, true)
	seed(&prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{Labels: pairs("__name__", "h"), Histograms: []prompb.Histogram{prompb.FromFloatHistogram(now.UnixMilli(), tsdbutil.GenerateTestFloatHistogram(1))}}}}, false)
	h, err := promwrite.New(promwrite.Deps{Admission: fx.adm, Exemplars: fx.store})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte, v2 bool) {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/write", bytes.NewReader(snappy.Encode(nil, body)))
		r.Header.Set("Content-Encoding", "snappy")
		r.Header.Set("Content-Type", typeV1)
		if v2 {
			r.Header.Set("Content-Type", typeV2)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 204 && w.Code != 400 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

// One request of 5,000 series with one sample each, as Prometheus sends them.
func BenchmarkRequestOf5000Series(b *testing.B) {
	f := setup(b, nil)
	h, err := promwrite.New(promwrite.Deps{Admission: f.adm, Exemplars: f.store})
	if err != nil {
		b.Fatal(err)
	}
	begin := time.Now().Add(-10 * 24 * time.Hour)
	req := &prompb.WriteRequest{}
	for i := range 5000 {
		req.Timeseries = append(req.Timeseries, prompb.TimeSeries{
			Labels:  pairs("__name__", "http_server_request_duration_seconds_bucket", "env", "prod", "instance", fmt.Sprintf("10.0.0.%d", i%200), "job", "edge", "le", "0.5", "route", fmt.Sprintf("/api/v1/items/%d", i), "service", "edge"),
			Samples: []prompb.Sample{{Value: 1}},
		})
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		for i := range req.Timeseries {
			req.Timeseries[i].Samples[0].Timestamp = begin.Add(time.Duration(n) * time.Second).UnixMilli()
		}
		body := pack(b, req)
		b.StartTimer()
		r := httptest.NewRequest(http.MethodPost, "/api/v1/write", bytes.NewReader(body))
		r.Header.Set("Content-Encoding", "snappy")
		r.Header.Set("Content-Type", typeV1)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent {
			b.Fatal(w.Code, w.Body)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5000, "ns/sample")
}
