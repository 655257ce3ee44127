package promwrite_test

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// One bucket, written by three senders in three forms, by both versions and
// twice each, so that the second time the series is known: it is one series, and every form finds it.
func TestABucketIsOneSeriesInWhateverForm(t *testing.T) {
	f := setup(t, nil)
	now := time.Now().Add(-time.Minute)
	at := func(i int) int64 { return now.Add(time.Duration(i) * time.Second).UnixMilli() }
	i := 0
	for range 2 {
		for _, le := range []string{"1", "1.0", "1.00"} {
			i++
			v1 := &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{{
				Labels: pairs("__name__", "d_bucket", "le", le), Samples: []prompb.Sample{{Value: float64(i), Timestamp: at(i)}},
			}}}
			if resp, text := f.post(t, typeV1, pack(t, v1)); resp.StatusCode != 204 {
				t.Fatal(resp.StatusCode, text)
			}
			i++
			v2 := &writev2.Request{
				Symbols:    []string{"", "__name__", "d_bucket", "le", le},
				Timeseries: []writev2.TimeSeries{{LabelsRefs: []uint32{1, 2, 3, 4}, Samples: []writev2.Sample{{Value: float64(i), Timestamp: at(i)}}}},
			}
			if resp, text := f.post(t, typeV2, pack(t, v2)); resp.StatusCode != 204 {
				t.Fatal(resp.StatusCode, text)
			}
		}
	}
	for _, le := range []string{"1", "1.0", "1e0", "1.000"} {
		q, err := f.store.Querier(0, at(100))
		if err != nil {
			t.Fatal(err)
		}
		set := q.Select(t.Context(), true, nil, labels.MustNewMatcher(labels.MatchEqual, "__name__", "d_bucket"), labels.MustNewMatcher(labels.MatchEqual, "le", le))
		series, samples := 0, 0
		for set.Next() {
			series++
			if got := set.At().Labels().Get("le"); got != "1.0" {
				t.Errorf("stored as %q", got)
			}
			for it := set.At().Iterator(nil); it.Next() != chunkenc.ValNone; {
				samples++
			}
		}
		if series != 1 || samples != 12 {
			t.Errorf("le=%q finds %d series of %d samples, want one of 12", le, series, samples)
		}
		q.Close()
	}
}
