package promql

import (
	"context"
	"fmt"
	"math"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/store/metrics"
)

// kept is one series of a store that is asked to federate, and its samples by seconds before now.
type kept struct {
	labels labels.Labels
	at     []int
	kind   string
	n      int
}

func drawKept(t *rapid.T) []kept {
	var out []kept
	seen := map[string]bool{}
	for range rapid.IntRange(0, 12).Draw(t, "series") {
		k := kept{
			labels: labels.FromStrings(
				"__name__", rapid.SampledFrom([]string{"a", "b", "a.b", "a_b", "ä"}).Draw(t, "name"),
				rapid.SampledFrom([]string{"l", "l.m", "l_m", "instance", "region"}).Draw(t, "label"), rapid.SampledFrom([]string{"x", "y", "ü\n\"\\"}).Draw(t, "value")),
			kind: rapid.SampledFrom([]string{"float", "float", "NaN", "native", "gauge", "native float", "custom"}).Draw(t, "kind"),
			n:    rapid.IntRange(0, 3).Draw(t, "n"),
		}
		for _, at := range []int{400, 200, 60, 0, -5} {
			if rapid.Bool().Draw(t, "sample") {
				k.at = append(k.at, at)
			}
		}
		if rapid.IntRange(0, 4).Draw(t, "ended") == 0 {
			k.kind = "ended"
		}
		if len(k.at) > 0 && !seen[k.labels.String()] {
			seen[k.labels.String()] = true
			out = append(out, k)
		}
	}
	return out
}

// sample is the value of a series.
func (k kept) sample() (v float64, h *histogram.Histogram, fh *histogram.FloatHistogram) {
	switch k.kind {
	case "NaN":
		return math.NaN(), nil, nil
	case "ended":
		return math.Float64frombits(value.StaleNaN), nil, nil
	case "native":
		return 0, tsdbutil.GenerateTestHistogram(int64(k.n)), nil
	case "gauge":
		return 0, tsdbutil.GenerateTestGaugeHistogram(int64(k.n)), nil
	case "native float":
		return 0, nil, tsdbutil.GenerateTestFloatHistogram(int64(k.n))
	case "custom":
		return 0, tsdbutil.GenerateTestCustomBucketsHistogram(int64(k.n)), nil
	}
	return float64(k.n), nil, nil
}

// last is the time of the sample that federation gives of it.
func (k kept) last(now time.Time) (int64, bool) {
	best, ok := 0, false
	for _, at := range k.at {
		if at >= 0 && at < 300 && (!ok || at < best) {
			best, ok = at, true
		}
	}
	return now.Add(-time.Duration(best) * time.Second).UnixMilli(), ok && k.kind != "ended"
}

// wanted are the lines that a scrape makes of an answer, one for a float and a native histogram each, and for custom buckets their count.
func wanted(all []kept, now time.Time, native bool) (lines []string, leftOut int) {
	for _, k := range all {
		at, ok := k.last(now)
		if !ok {
			continue
		}
		b := labels.NewBuilder(k.labels)
		if k.labels.Get("region") == "" {
			b.Set("region", "eu")
		}
		v, h, fh := k.sample()
		switch {
		case k.kind == "custom":
			b.Set("__name__", k.labels.Get("__name__")+"_count")
			lines = append(lines, fmt.Sprintf("%s %g @%d", b.Labels(), float64(h.Count), at))
		case h == nil && fh == nil:
			lines = append(lines, fmt.Sprintf("%s %g @%d", b.Labels(), v, at))
		case !native:
			leftOut++
		default:
			if h != nil {
				fh = h.ToFloat(nil)
			}
			lines = append(lines, fmt.Sprintf("%s %s hint=%d @%d", b.Labels(), fh, fh.CounterResetHint, at))
		}
	}
	slices.Sort(lines)
	return lines, leftOut
}

// Every selected series comes through federation with its last value and time, whatever its name, kind and labels, or it is counted as left out.
func TestEverySelectedSeriesIsFederatedOrCounted(t *testing.T) {
	s := openStore(t)
	now := time.UnixMilli(time.Now().UnixMilli())
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		job := fmt.Sprint("j", round) // one store for all rounds
		all := drawKept(rt)
		for i := range all {
			all[i].labels = labels.NewBuilder(all[i].labels).Set("job", job).Labels()
			all[i].write(rt, s, now)
		}
		reg := prometheus.NewRegistry()
		f, err := NewFederation(engine(t, DefaultConfig(), s), FederationDeps{
			Registerer: reg, Storage: s, Now: func() time.Time { return now }, ExternalLabels: func() map[string]string { return map[string]string{"region": "eu"} },
		})
		if err != nil {
			rt.Fatal(err)
		}
		accept := rapid.SampledFrom([]string{acceptText, acceptProto}).Draw(rt, "accept")
		r := httptest.NewRequest("GET", FederationPath+"?"+url.Values{"match[]": {fmt.Sprintf("{job=%q}", job), fmt.Sprintf(`{job=%q,l="x"}`, job)}}.Encode(), nil)
		r.Header.Set("Accept", accept+";escaping="+string(prommodel.AllowUTF8))
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		want, leftOut := wanted(all, now, accept == acceptProto)
		var got []string
		for _, line := range scraped(t, federated{w.Code, w.Header().Get("Content-Type"), w.Body.Bytes()}) {
			if !strings.Contains(line, "_bucket") && !strings.Contains(line, "_sum") {
				got = append(got, line)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			rt.Fatalf("%s\n%s", d, w.Body)
		}
		if n := gathered(rt, reg); n != leftOut {
			rt.Fatalf("%d counted as left out, want %d", n, leftOut)
		}
	})
}

func gathered(t *rapid.T, reg *prometheus.Registry) int {
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range families {
		if f.GetName() == "signalbox_federation_left_out_total" {
			for _, m := range f.GetMetric() {
				n += int(m.GetCounter().GetValue())
			}
		}
	}
	return n
}

func (k kept) write(t *rapid.T, s *metrics.Store, now time.Time) {
	app := s.AppenderV2(context.Background())
	for _, at := range k.at {
		v, h, fh := k.sample()
		if _, err := app.Append(0, k.labels, 0, now.Add(-time.Duration(at)*time.Second).UnixMilli(), v, h, fh, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}
