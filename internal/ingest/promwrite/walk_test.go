package promwrite

import (
	"math"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/signalbox-project/signalbox/internal/access"
)

// plain is what a series of either version is to the batch, in one form.
type plain struct {
	Labels     labels.Labels
	Meta       writev2.Metadata_MetricType
	Points     []point
	Histograms int
	Exemplars  int
}

func bits(points []point) []point {
	out := make([]point, 0, len(points))
	for _, p := range points { // NaNs compare by their bits
		out = append(out, point{p.st, p.t, float64(math.Float64bits(p.v) % (1 << 52))})
	}
	return out
}

func plainV1(ts *prompb.TimeSeries) plain {
	b := labels.NewScratchBuilder(4)
	p := plain{Labels: ts.ToLabels(&b, nil), Histograms: len(ts.Histograms), Exemplars: len(ts.Exemplars)}
	for _, s := range ts.Samples {
		p.Points = append(p.Points, point{0, s.Timestamp, s.Value})
	}
	return p
}

func plainV2(ts *writev2.TimeSeries, symbols []string) (plain, bool) {
	b := labels.NewScratchBuilder(4)
	ls, err := ts.ToLabels(&b, symbols)
	p := plain{Labels: ls, Histograms: len(ts.Histograms), Exemplars: len(ts.Exemplars)}
	for _, s := range ts.Samples {
		p.Points = append(p.Points, point{s.StartTimestamp, s.Timestamp, s.Value})
	}
	return p, err == nil
}

// decoded is what the batch gets to see of a request after walking; with learn
// every series that can be known is known afterwards.
func decoded(w *walker, learn bool) (out []plain) {
	for i := range w.items {
		it := &w.items[i]
		switch {
		case it.known != nil:
			out = append(out, plain{Labels: it.known.labels, Points: w.points[it.from:it.to]})
			continue
		case it.v1 != nil:
			out = append(out, plainV1(it.v1))
		default:
			p, ok := plainV2(it.v2, w.symbols)
			if !ok {
				p = plain{}
			}
			out = append(out, p)
		}
		if p := out[len(out)-1]; learn && it.keyed && !p.Labels.IsEmpty() {
			w.known.put(it.key, p.Labels, 1, time.Unix(0, 0))
		}
	}
	for i := range out {
		out[i].Points = bits(out[i].Points)
	}
	return out
}

// reference decodes with the generated code.
func reference(body []byte, v2 bool) (out []plain, err error) {
	if v2 {
		var req writev2.Request
		if err := proto.Unmarshal(body, &req); err != nil {
			return nil, err
		}
		for i := range req.Timeseries {
			p, ok := plainV2(&req.Timeseries[i], req.Symbols)
			if !ok {
				p = plain{}
			}
			out = append(out, p)
		}
	} else {
		var req prompb.WriteRequest
		if err := proto.Unmarshal(body, &req); err != nil {
			return nil, err
		}
		for i := range req.Timeseries {
			out = append(out, plainV1(&req.Timeseries[i]))
		}
	}
	for i := range out {
		out[i].Points = bits(out[i].Points)
	}
	return out, nil
}

func sameAsGenerated(t *testing.T, body []byte, v2 bool) {
	t.Helper()
	want, wantErr := reference(body, v2)
	known := newKnownSeries()
	for _, round := range []string{"unknown", "known"} {
		w := &walker{}
		w.begin(known, "a tenant", access.Scope{All: true})
		decode := w.decodeV1
		if v2 {
			decode = w.decodeV2
		}
		if err := decode(body); (err == nil) != (wantErr == nil) {
			t.Fatalf("%s: the walker says %v, the generated code %v", round, err, wantErr)
		}
		if wantErr != nil {
			return
		}
		got := decoded(w, round == "unknown")
		if d := cmp.Diff(want, got, cmp.AllowUnexported(point{}), cmp.Comparer(labels.Equal), cmp.Transformer("none", func(p []point) int { return len(p) })); d != "" {
			t.Fatalf("%s:\n%s", round, d)
		}
		for i := range want {
			if !cmp.Equal(want[i].Points, got[i].Points, cmp.AllowUnexported(point{})) {
				t.Fatalf("%s: points of series %d: %v and %v", round, i, want[i].Points, got[i].Points)
			}
		}
	}
}

func seedsV1() [][]byte {
	one := func(ts ...prompb.TimeSeries) []byte {
		b, err := proto.Marshal(&prompb.WriteRequest{Timeseries: ts, Metadata: []prompb.MetricMetadata{{MetricFamilyName: "a", Help: "h"}}})
		if err != nil {
			panic(err)
		}
		return b
	}
	ls := []prompb.Label{{Name: "__name__", Value: "up"}, {Name: "job", Value: "a"}}
	return [][]byte{
		one(),
		one(prompb.TimeSeries{Labels: ls, Samples: []prompb.Sample{{Timestamp: 1, Value: 2}, {Timestamp: -3, Value: math.NaN()}}}),
		one(prompb.TimeSeries{Labels: ls, Samples: []prompb.Sample{{}}}, prompb.TimeSeries{Labels: ls, Exemplars: []prompb.Exemplar{{Labels: ls}}}),
		one(prompb.TimeSeries{Labels: ls, Histograms: []prompb.Histogram{{Timestamp: 5}}}, prompb.TimeSeries{Samples: []prompb.Sample{{Timestamp: 1}}}),
	}
}

func seedsV2() [][]byte {
	one := func(symbols []string, ts ...writev2.TimeSeries) []byte {
		b, err := proto.Marshal(&writev2.Request{Symbols: symbols, Timeseries: ts})
		if err != nil {
			panic(err)
		}
		return b
	}
	symbols := []string{"", "__name__", "up", "job", "a", "help", "seconds"}
	return [][]byte{
		one(symbols),
		one(symbols, writev2.TimeSeries{LabelsRefs: []uint32{1, 2, 3, 4}, Samples: []writev2.Sample{{Timestamp: 1, Value: 2, StartTimestamp: 7}}}),
		one(symbols, writev2.TimeSeries{LabelsRefs: []uint32{1, 2}, Samples: []writev2.Sample{{Timestamp: 1}}, Metadata: writev2.Metadata{Type: 1, HelpRef: 5, UnitRef: 6}}),
		one(symbols, writev2.TimeSeries{LabelsRefs: []uint32{1, 99}, Samples: []writev2.Sample{{Timestamp: 1}}}),
		one(symbols, writev2.TimeSeries{LabelsRefs: []uint32{1, 2}, Histograms: []writev2.Histogram{{Timestamp: 3}}, Exemplars: []writev2.Exemplar{{LabelsRefs: []uint32{3, 4}}}}),
	}
}

func TestTheWalkerSeesWhatTheGeneratedCodeSees(t *testing.T) {
	for _, body := range seedsV1() {
		sameAsGenerated(t, body, false)
	}
	for _, body := range seedsV2() {
		sameAsGenerated(t, body, true)
	}
}

func FuzzWalk(f *testing.F) {
	for _, body := range seedsV1() {
		f.Add(body, false)
	}
	for _, body := range seedsV2() {
		f.Add(body, true)
	}
	f.Fuzz(sameAsGenerated)
}

func TestWhatIsNotSentAnyMoreIsForgotten(t *testing.T) {
	s := newKnownSeries()
	at := time.Unix(1e9, 0)
	k := func(n uint64) key { return key{Hi: n, Lo: shards * n} } // all in one shard
	s.put(k(1), labels.FromStrings("a", "1"), 1, at)
	s.put(k(2), labels.FromStrings("a", "2"), 2, at.Add(keepKnown))
	if s.get(k(2)) == nil || s.get(k(1)) == nil {
		t.Fatal("forgotten too early")
	}
	s.put(k(3), labels.FromStrings("a", "3"), 3, at.Add(2*keepKnown))
	s.get(k(1)) // keeps it
	s.put(k(4), labels.FromStrings("a", "4"), 4, at.Add(3*keepKnown))
	if s.get(k(1)) == nil || s.get(k(2)) != nil {
		t.Error("the one that was asked for must stay, the other go")
	}
}
