package promwrite_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
)

// An exemplar of a series that has no sample yet is kept, and its series takes samples as any other,
// at the exemplar's time too.
func TestExemplarsOfASeriesWithoutSamplesAreStored(t *testing.T) {
	f, now := setup(t, nil), time.Now().Truncate(time.Millisecond)
	refs := &writev2.Request{
		Symbols: []string{"", "__name__", "orphan", "trace_id", "x", "l", "\xff"},
		Timeseries: []writev2.TimeSeries{
			{LabelsRefs: []uint32{1, 2}, Exemplars: []writev2.Exemplar{
				{LabelsRefs: []uint32{3, 4}, Value: 42, Timestamp: now.UnixMilli()},
				{LabelsRefs: []uint32{3, 4}, Value: 42, Timestamp: now.Add(24 * time.Hour).UnixMilli()}, // would keep out the next
				{LabelsRefs: []uint32{3, 4}, Value: 43, Timestamp: now.UnixMilli() + 1},
			}},
			{LabelsRefs: []uint32{1, 2, 5, 4}, Exemplars: []writev2.Exemplar{{LabelsRefs: []uint32{3, 4}, Value: 7}}}, // without a time
		},
	}
	resp, text := f.post(t, typeV2, pack(t, refs))
	if resp.StatusCode != http.StatusNoContent || resp.Header.Get("X-Prometheus-Remote-Write-Exemplars-Written") != "3" || resp.Header.Get("X-Prometheus-Remote-Write-Samples-Written") != "0" {
		t.Fatalf("%d %s %v", resp.StatusCode, text, resp.Header)
	}
	one := prompb.TimeSeries{Labels: pairs("__name__", "first"), Exemplars: []prompb.Exemplar{{Labels: pairs("trace_id", "y"), Value: 1, Timestamp: now.UnixMilli()}}}
	sample := prompb.TimeSeries{Labels: pairs("__name__", "first"), Samples: []prompb.Sample{{Timestamp: now.UnixMilli(), Value: 1}}}
	// Whichever stands first, and in a request of its own.
	for _, req := range []*prompb.WriteRequest{{Timeseries: []prompb.TimeSeries{one, sample}}, v1(now, pairs("__name__", "orphan"))} {
		if resp, text := f.post(t, typeV1, pack(t, req)); resp.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", resp.StatusCode, text)
		}
	}
	if got := f.stored(t); got[`{__name__="first"}`] != 1 || got[`{__name__="orphan"}`] != 2 || f.exemplars(t) != 4 {
		t.Errorf("stored %v and %d exemplars", got, f.exemplars(t))
	}
	// A series that may not enter is named.
	refs.Timeseries = []writev2.TimeSeries{{LabelsRefs: []uint32{1, 2, 5, 6}, Exemplars: []writev2.Exemplar{{LabelsRefs: []uint32{3, 4}, Value: 1}}}}
	if resp, text := f.post(t, typeV2, pack(t, refs)); resp.StatusCode != http.StatusBadRequest || !strings.Contains(text, "UTF-8") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}
