package promwrite_test

import (
	"fmt"
	"net/http"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"pgregory.net/rapid"
)

// drawn is one sample of a series, with what is to become of it.
type drawn struct {
	labels []prompb.Label
	t      int64
	v      float64
}

func (d drawn) series() string {
	var kv []string
	for _, l := range d.labels {
		kv = append(kv, l.Name+"="+l.Value)
	}
	sort.Strings(kv)
	return strings.Join(kv, ",")
}

func drawSamples(t *rapid.T, now time.Time) (out []drawn) {
	names := rapid.SampledFrom([]string{"a", "b", "b", "c", ""})
	values := rapid.SampledFrom([]string{"x", "x", "y", "\xff", strings.Repeat("z", 5000)})
	times := rapid.SampledFrom([]time.Duration{0, 0, time.Second, -time.Hour, 11 * time.Minute, -400 * 24 * time.Hour})
	for range rapid.IntRange(0, 30).Draw(t, "samples") {
		labels := pairs("__name__", names.Draw(t, "name"), "l", values.Draw(t, "value"))
		out = append(out, drawn{labels, now.Add(times.Draw(t, "time")).UnixMilli(), float64(rapid.IntRange(0, 1).Draw(t, "v"))})
	}
	return out
}

// Received is stored and refused, in the ledger, in the answers, and in what can be read back,
// whatever requests hold and in which order.
func TestEverySampleIsStoredOrRefused(t *testing.T) {
	now := time.Now().Truncate(time.Millisecond)
	rapid.Check(t, func(rt *rapid.T) {
		list := drawSamples(rt, now)
		f := setup(t, nil)
		first := map[string]float64{}
		stored, readable := 0, map[string]int{}
		for rest := list; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(rt, "of a request")
			part := rest[:n]
			rest = rest[n:]
			before := stored
			for _, d := range part {
				bad := d.labels[0].Value == "" || d.labels[1].Value == "\xff" || len(d.labels[1].Value) > 4000 || d.t > now.Add(10*time.Minute).UnixMilli() || d.t < now.Add(-300*24*time.Hour).UnixMilli()
				key := fmt.Sprint(d.series(), d.t)
				v, known := first[key]
				switch {
				case bad, known && v != d.v:
					continue
				case !known:
					first[key] = d.v
					readable[d.series()]++
				}
				stored++
			}
			var m proto.Message
			contentType := typeV1
			if rapid.Bool().Draw(rt, "version 2") {
				contentType, m = typeV2, requestV2(part)
			} else {
				m = requestV1(part)
			}
			resp, text := f.post(t, contentType, pack(t, m))
			want := http.StatusNoContent
			if stored-before < len(part) {
				want = http.StatusBadRequest
			}
			if resp.StatusCode != want {
				rt.Fatalf("%d, want %d: %s", resp.StatusCode, want, text)
			}
		}
		received := f.count.m["received remote_write_v1"] + f.count.m["received remote_write_v2"]
		if f.count.m["stored"] != stored || received != len(list) || f.count.sum("refused") != len(list)-stored {
			rt.Fatalf("of %d samples %d are to be stored: %v", len(list), stored, f.count.m)
		}
		total := 0
		for _, n := range f.stored(t) {
			total += n
		}
		expected := 0
		for _, n := range readable {
			expected += n
		}
		if total != expected {
			rt.Fatalf("%d samples can be read, want %d: %v", total, expected, f.stored(t))
		}
	})
}

func (c *tally) sum(prefix string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, v := range c.m {
		if strings.HasPrefix(k, prefix) {
			n += v
		}
	}
	return n
}

func requestV1(list []drawn) *prompb.WriteRequest {
	req := &prompb.WriteRequest{}
	for _, d := range list {
		req.Timeseries = append(req.Timeseries, prompb.TimeSeries{Labels: d.labels, Samples: []prompb.Sample{{Timestamp: d.t, Value: d.v}}})
	}
	return req
}

func requestV2(list []drawn) *writev2.Request {
	table := writev2.NewSymbolTable()
	req := &writev2.Request{}
	for _, d := range list {
		var refs []uint32
		for _, l := range d.labels {
			refs = append(refs, table.Symbolize(l.Name), table.Symbolize(l.Value))
		}
		req.Timeseries = append(req.Timeseries, writev2.TimeSeries{LabelsRefs: refs, Samples: []writev2.Sample{{Timestamp: d.t, Value: d.v}}})
	}
	req.Symbols = table.Symbols()
	return req
}
