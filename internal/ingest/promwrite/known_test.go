package promwrite_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/admit/samples"
	"github.com/signalbox-project/signalbox/internal/ingest/promwrite"
)

// content is every float sample of matching series by series and time, as bits.
func (f *fixture) content(t testing.TB, m *labels.Matcher) map[string]map[int64]uint64 {
	t.Helper()
	q, err := f.store.Querier(0, time.Now().Add(time.Hour).UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	out := map[string]map[int64]uint64{}
	set := q.Select(context.Background(), true, nil, m)
	for set.Next() {
		one := map[int64]uint64{}
		it := set.At().Iterator(nil)
		for typ := it.Next(); typ != chunkenc.ValNone; typ = it.Next() {
			if typ == chunkenc.ValFloat {
				at, v := it.At()
				one[at] = math.Float64bits(v)
			} else {
				one[it.AtT()] = uint64(typ)
			}
		}
		out[set.At().Labels().String()] = one
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// labelSets are what senders write: the same series in two orders, an empty
// value, no name, a label twice.
func labelSets() [][]prompb.Label {
	return [][]prompb.Label{
		pairs("__name__", "a", "job", "x", "z", "1"),
		pairs("__name__", "a", "z", "1", "job", "x"),
		pairs("__name__", "a", "empty", "", "job", "x"),
		pairs("__name__", "b", "job", "y"),
		pairs("__name__", "c"),
		pairs("job", "nameless"),
		pairs("__name__", "d", "job", "1", "job", "2"),
	}
}

func drawSeries(t *rapid.T, now time.Time, run string) prompb.TimeSeries {
	ts := prompb.TimeSeries{Labels: append(rapid.SampledFrom(labelSets()).Draw(t, "labels"), pairs("run", run)...)}
	at := func() int64 {
		return now.Add(time.Duration(rapid.SampledFrom([]int{-30 * 3600, -7200, -60, -45, -30, -15, 0, 7200}).Draw(t, "seconds")) * time.Second).UnixMilli()
	}
	// One time has one value: which of two the store keeps is not decided here.
	values := []float64{0, 1, 2.5, math.Inf(1), math.Float64frombits(value.StaleNaN)}
	for range rapid.IntRange(0, 3).Draw(t, "samples") {
		ms := at()
		ts.Samples = append(ts.Samples, prompb.Sample{Timestamp: ms, Value: values[ms/15_000%int64(len(values))]})
	}
	if rapid.IntRange(0, 9).Draw(t, "histogram") == 0 {
		ts.Histograms = append(ts.Histograms, prompb.FromIntHistogram(at(), tsdbutil.GenerateTestHistogram(3)))
	}
	if rapid.IntRange(0, 9).Draw(t, "exemplar") == 0 {
		ts.Exemplars = append(ts.Exemplars, prompb.Exemplar{Labels: pairs("trace_id", "abc"), Timestamp: at(), Value: 1})
	}
	return ts
}

// asV2 is the same series in the other version.
func asV2(series []prompb.TimeSeries) *writev2.Request {
	symbols := writev2.NewSymbolTable()
	req := &writev2.Request{}
	refs := func(ls []prompb.Label) (out []uint32) {
		for _, l := range ls {
			out = append(out, symbols.Symbolize(l.Name), symbols.Symbolize(l.Value))
		}
		return out
	}
	for _, ts := range series {
		s := writev2.TimeSeries{LabelsRefs: refs(ts.Labels), Metadata: writev2.Metadata{Type: writev2.Metadata_METRIC_TYPE_COUNTER, HelpRef: symbols.Symbolize("help of " + ts.Labels[0].Value)}}
		for _, p := range ts.Samples {
			s.Samples = append(s.Samples, writev2.Sample{Timestamp: p.Timestamp, Value: p.Value})
		}
		for _, e := range ts.Exemplars {
			s.Exemplars = append(s.Exemplars, writev2.Exemplar{LabelsRefs: refs(e.Labels), Timestamp: e.Timestamp, Value: e.Value})
		}
		req.Timeseries = append(req.Timeseries, s)
	}
	req.Symbols = symbols.Symbols()
	return req
}

// firstLine leaves out the messages, which tell how far off the clock is to the second.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// What a server keeps, counts and answers must not depend on whether it has met
// a series before.
func TestKnownSeriesAreStoredAndCountedLikeNewOnes(t *testing.T) {
	quick, long := setup(t, nil), setup(t, nil)
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		now := time.Now()
		runs++
		run := fmt.Sprint(runs)
		for range rapid.IntRange(1, 8).Draw(rt, "requests") {
			var series []prompb.TimeSeries
			for range rapid.IntRange(0, 5).Draw(rt, "series") {
				series = append(series, drawSeries(rt, now, run))
			}
			var msg proto.Message = &prompb.WriteRequest{Timeseries: series}
			typ := typeV1
			if rapid.Bool().Draw(rt, "version 2") {
				msg, typ = asV2(series), typeV2
			}
			tenant := rapid.SampledFrom([]string{"", "default", "t2"}).Draw(rt, "tenant")
			long.h.ForgetKnown()
			body := pack(t, msg)
			a, textA := quick.post(t, typ, body, "X-Scope-OrgID", tenant)
			b, textB := long.post(t, typ, body, "X-Scope-OrgID", tenant)
			if a.StatusCode != b.StatusCode || firstLine(textA) != firstLine(textB) {
				rt.Fatalf("%d %s\nbut the long way %d %s", a.StatusCode, textA, b.StatusCode, textB)
			}
		}
		of := labels.MustNewMatcher(labels.MatchEqual, "run", run)
		if d := cmp.Diff(long.content(t, of), quick.content(t, of)); d != "" {
			rt.Fatalf("stored:\n%s", d)
		}
		if d := cmp.Diff(long.count.m, quick.count.m); d != "" {
			rt.Fatalf("counted:\n%s", d)
		}
		if d := cmp.Diff(long.adm.Metadata(), quick.adm.Metadata()); d != "" {
			rt.Fatalf("metadata:\n%s", d)
		}
	})
}

// Many senders, series that come and go, and every acknowledged sample is there
// once.
func TestSendersAtTheSameTimeLoseNothing(t *testing.T) {
	f := setup(t, nil)
	const senders, rounds, each = 8, 30, 20
	begin := time.Now().Add(-time.Hour)
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() {
			for round := range rounds {
				req := &prompb.WriteRequest{}
				for i := range each {
					// A third of the series is new in every round.
					name := fmt.Sprint(i)
					if i%3 == 0 {
						name = fmt.Sprint(i, "-", round)
					}
					req.Timeseries = append(req.Timeseries, prompb.TimeSeries{
						Labels:  pairs("__name__", "busy", "i", name, "sender", fmt.Sprint(sender)),
						Samples: []prompb.Sample{{Timestamp: begin.Add(time.Duration(round) * time.Second).UnixMilli(), Value: 1}, {Timestamp: begin.Add(time.Duration(round)*time.Second + 500*time.Millisecond).UnixMilli(), Value: 2}},
					})
				}
				if resp, text := f.post(t, typeV1, pack(t, req)); resp.StatusCode != http.StatusNoContent {
					t.Errorf("%d %s", resp.StatusCode, text)
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for _, times := range f.content(t, labels.MustNewMatcher(labels.MatchEqual, "__name__", "busy")) {
		total += len(times)
	}
	if want := senders * rounds * each * 2; total != want || f.count.m["stored"] != want {
		t.Errorf("%d in the store, %d counted, want %d", total, f.count.m["stored"], want)
	}
	if n := f.h.Known(); n < senders*each {
		t.Errorf("%d series are known", n)
	}
}

// A series that the store dropped from memory is made anew.
func TestASeriesThatTheStoreForgotIsMadeAnew(t *testing.T) {
	db, err := tsdb.Open(t.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	adm, err := samples.New(samples.DefaultConfig(), samples.Deps{Next: db})
	if err != nil {
		t.Fatal(err)
	}
	h, err := promwrite.New(promwrite.Deps{Admission: adm})
	if err != nil {
		t.Fatal(err)
	}
	send := func(name string, at time.Time) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(pack(t, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
			Labels: pairs("__name__", name), Samples: []prompb.Sample{{Timestamp: at.UnixMilli(), Value: 1}},
		}}})))
		r.Header.Set("Content-Type", typeV1)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusNoContent {
			t.Fatal(w.Code, w.Body)
		}
	}
	begin := time.Now().Add(-12 * time.Hour)
	send("rare", begin)
	for i := range 40 { // others move on, so that the head is cut
		send("other", begin.Add(time.Duration(i)*15*time.Minute))
	}
	if err := db.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := db.Head().NumSeries(); n != 1 {
		t.Fatalf("%d series in memory, want the other one only", n)
	}
	send("rare", begin.Add(11*time.Hour))
	send("rare", begin.Add(11*time.Hour+time.Minute))
	q, err := db.Querier(0, time.Now().UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	set := q.Select(context.Background(), false, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "rare"))
	n := 0
	for set.Next() {
		for it := set.At().Iterator(nil); it.Next() != chunkenc.ValNone; {
			n++
		}
	}
	if n != 3 {
		t.Errorf("%d samples of the series, want 3", n)
	}
}
