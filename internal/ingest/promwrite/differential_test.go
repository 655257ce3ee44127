package promwrite_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/golang/snappy"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/admit/samples"
	"github.com/signalbox-project/signalbox/internal/ingest/promwrite"
	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

// unknownField is a field that no version has (number 15, varint 1). Decoders
// skip it, and it makes the walker give up: the request goes the long way.
const unknownField = "\x78\x01"

// side is a handler with a store of its own.
type side struct {
	*fixture
	handler http.Handler
	prefix  string
}

func newSide(t testing.TB, prefix string, now func() time.Time) *side {
	t.Helper()
	s, err := metrics.Open(metrics.DefaultConfig(), metrics.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	f := &fixture{store: s, count: &tally{}}
	f.adm, err = samples.New(samples.DefaultConfig(), samples.Deps{
		Next: s, Counter: f.count, Retention: s.Retention(), OutOfOrderWindow: s.OutOfOrderWindow(), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := promwrite.New(promwrite.Deps{Admission: f.adm, Exemplars: s, Counter: f.count})
	if err != nil {
		t.Fatal(err)
	}
	return &side{fixture: f, handler: h, prefix: prefix}
}

// reply is all that a sender sees.
type reply struct {
	Code    int
	Text    string
	Written [3]string
}

func (s *side) send(body []byte, v2 bool, tenant string) reply {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/write", bytes.NewReader(snappy.Encode(nil, append([]byte(s.prefix), body...))))
	r.Header.Set("Content-Encoding", "snappy")
	r.Header.Set("Content-Type", typeV1)
	if v2 {
		r.Header.Set("Content-Type", typeV2)
	}
	if tenant != "" {
		r.Header.Set("X-Scope-OrgID", tenant)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	out := reply{Code: w.Code, Text: w.Body.String()}
	for i, kind := range []string{"Samples", "Histograms", "Exemplars"} {
		out.Written[i] = w.Header().Get("X-Prometheus-Remote-Write-" + kind + "-Written")
	}
	return out
}

// data is every stored sample of the series that the matcher selects, as text.
func (s *side) data(t rapid.TB, m *labels.Matcher) map[string][]string {
	q, err := s.store.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = q.Close() }()
	out := map[string][]string{}
	set := q.Select(context.Background(), true, nil, m)
	for set.Next() {
		name, it := set.At().Labels().String(), set.At().Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			var text string
			switch kind {
			case chunkenc.ValFloat:
				at, v := it.At()
				text = fmt.Sprintf("%d %x", at, math.Float64bits(v))
			case chunkenc.ValHistogram:
				at, h := it.AtHistogram(nil)
				text = fmt.Sprintf("%d %s %x", at, h, math.Float64bits(h.Sum))
			default:
				at, h := it.AtFloatHistogram(nil)
				text = fmt.Sprintf("%d %s %x", at, h, math.Float64bits(h.Sum))
			}
			out[name] = append(out[name], text)
		}
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func (s *side) exemplarTexts(t rapid.TB, m *labels.Matcher) []string {
	q, err := s.store.ExemplarQuerier(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	res, err := q.Select(math.MinInt64, math.MaxInt64, []*labels.Matcher{m})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range res {
		out = append(out, fmt.Sprintf("%s %v", r.SeriesLabels, r.Exemplars))
	}
	return out
}

// sent is one series as it is drawn, before it is written in either version.
type sent struct {
	labels     []prompb.Label
	samples    []prompb.Sample
	histograms bool
	exemplar   bool
}

// drawSent draws from few names and values, so that series come again, in
// other orders, twice in a request, with what must be refused among them.
func drawSent(t *rapid.T, run string, now int64) sent {
	s := sent{labels: pairs("__name__", rapid.SampledFrom([]string{"a_total", "b", "c_bucket", ""}).Draw(t, "name"), "run", run)}
	for range rapid.IntRange(0, 3).Draw(t, "labels") {
		name := rapid.SampledFrom([]string{"x", "y", "z", "", "x", "bad\xff"}).Draw(t, "label")
		text := rapid.SampledFrom([]string{"1", "2", "", "1", "2", strings.Repeat("l", 5000), "\xff"}).Draw(t, "value")
		s.labels = append(s.labels, prompb.Label{Name: name, Value: text})
	}
	if rapid.Bool().Draw(t, "shuffled") {
		s.labels = rapid.Permutation(s.labels).Draw(t, "order")
	}
	for range rapid.SampledFrom([]int{1, 1, 1, 2, 3, 0}).Draw(t, "samples") {
		at := now + rapid.SampledFrom([]int64{0, 1, 2, 1000, 2000, -3600_000, 3600_000, -math.MaxInt32 * 1000}).Draw(t, "at")
		v := rapid.SampledFrom([]float64{0, 1, 2, math.NaN(), math.Float64frombits(value.StaleNaN), math.Inf(1)}).Draw(t, "v")
		s.samples = append(s.samples, prompb.Sample{Timestamp: at, Value: v})
	}
	s.histograms = rapid.IntRange(0, 9).Draw(t, "histogram") == 0
	s.exemplar = rapid.IntRange(0, 9).Draw(t, "exemplar") == 0
	return s
}

func encodeV1(t *rapid.T, series []sent, now int64) []byte {
	req := &prompb.WriteRequest{}
	for _, s := range series {
		ts := prompb.TimeSeries{Labels: s.labels, Samples: s.samples}
		if s.histograms {
			ts.Histograms = []prompb.Histogram{prompb.FromIntHistogram(now, tsdbutil.GenerateTestHistogram(2))}
		}
		if s.exemplar {
			ts.Exemplars = []prompb.Exemplar{{Labels: pairs("trace_id", "x"), Value: 1, Timestamp: now}}
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	if rapid.Bool().Draw(t, "metadata") {
		req.Metadata = []prompb.MetricMetadata{{MetricFamilyName: "b", Type: prompb.MetricMetadata_COUNTER, Help: "Help of b"}}
	}
	return marshal(t, req)
}

func encodeV2(t *rapid.T, series []sent, now int64) []byte {
	table := writev2.NewSymbolTable()
	// Symbols have other numbers in each request.
	for range rapid.IntRange(0, 3).Draw(t, "padding") {
		table.Symbolize(rapid.SampledFrom([]string{"p", "q", "x", "2"}).Draw(t, "symbol"))
	}
	req := &writev2.Request{}
	for _, s := range series {
		ts := writev2.TimeSeries{}
		for _, l := range s.labels {
			ts.LabelsRefs = append(ts.LabelsRefs, table.Symbolize(l.Name), table.Symbolize(l.Value))
		}
		for _, p := range s.samples {
			ts.Samples = append(ts.Samples, writev2.Sample{Timestamp: p.Timestamp, Value: p.Value, StartTimestamp: rapid.SampledFrom([]int64{0, now - 5000}).Draw(t, "start")})
		}
		if s.histograms {
			ts.Histograms = []writev2.Histogram{writev2.FromFloatHistogram(0, now, tsdbutil.GenerateTestFloatHistogram(1))}
		}
		if s.exemplar {
			ts.Exemplars = []writev2.Exemplar{{LabelsRefs: []uint32{table.Symbolize("trace_id"), table.Symbolize("y")}, Value: 1, Timestamp: now}}
		}
		if rapid.IntRange(0, 2).Draw(t, "described") == 0 {
			// One text a family: of senders that disagree the last one to bring
			// a new series is believed on the short way, the last one on the long way.
			ts.Metadata = writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_COUNTER, HelpRef: table.Symbolize("Help of " + nameOf(s.labels))}
		}
		if rapid.IntRange(0, 30).Draw(t, "broken") == 0 {
			ts.LabelsRefs = append(ts.LabelsRefs, 9999)
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	req.Symbols = table.Symbols()
	return marshal(t, req)
}

func nameOf(ls []prompb.Label) string {
	for _, l := range ls {
		if l.Name == "__name__" {
			return l.Value
		}
	}
	return ""
}

func marshal(t rapid.TB, m proto.Message) []byte {
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Series that are found by the hash of their bytes are answered, counted and
// stored as those whose labels are read every time.
func TestTheShortWayEqualsTheLongWay(t *testing.T) {
	start := time.Now().Truncate(time.Second)
	clock := func() time.Time { return start }
	fast, stock := newSide(t, "", clock), newSide(t, unknownField, clock)
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		run := strconv.Itoa(runs)
		for range rapid.IntRange(1, 6).Draw(t, "requests") {
			now := start.UnixMilli() + rapid.Int64Range(0, 5).Draw(t, "now")*1000
			var series []sent
			for range rapid.IntRange(1, 8).Draw(t, "series") {
				series = append(series, drawSent(t, run, now))
			}
			v2 := rapid.Bool().Draw(t, "v2")
			var body []byte
			if v2 {
				body = encodeV2(t, series, now)
			} else {
				body = encodeV1(t, series, now)
			}
			if rapid.IntRange(0, 30).Draw(t, "cut") == 0 {
				body = body[:rapid.IntRange(0, len(body)).Draw(t, "length")]
			}
			tenant := rapid.SampledFrom([]string{"", "", "acme"}).Draw(t, "tenant")
			got, want := fast.send(body, v2, tenant), stock.send(body, v2, tenant)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("answer of version 2 %t (-long way +short way):\n%s", v2, diff)
			}
			if diff := cmp.Diff(stock.count.m, fast.count.m); diff != "" {
				t.Fatalf("counters (-long way +short way):\n%s", diff)
			}
		}
		m := labels.MustNewMatcher(labels.MatchEqual, "run", run)
		if diff := cmp.Diff(stock.data(t, m), fast.data(t, m)); diff != "" {
			t.Fatalf("stored (-long way +short way):\n%s", diff)
		}
		if diff := cmp.Diff(stock.exemplarTexts(t, m), fast.exemplarTexts(t, m)); diff != "" {
			t.Fatalf("exemplars (-long way +short way):\n%s", diff)
		}
		if diff := cmp.Diff(stock.adm.Metadata(), fast.adm.Metadata()); diff != "" {
			t.Fatalf("metadata (-long way +short way):\n%s", diff)
		}
	})
	if fast.count.m["stored"] < 100 {
		t.Errorf("only %d samples were stored: the draws prove little", fast.count.m["stored"])
	}
}
