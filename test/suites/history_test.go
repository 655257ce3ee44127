package suites

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/prompb"
)

// history writes three hours of the metrics that the queries of PromQL compliance ask for, a sample every 5 s.
// Values depend on the time alone.
func history(t *testing.T, end int64, servers ...string) {
	t.Helper()
	const chunk = 300
	for from := end - 3*3600; from <= end; from += chunk {
		var batch []prompb.TimeSeries
		for _, s := range demo() {
			ts := prompb.TimeSeries{Labels: s.labels}
			for at := from; at < from+chunk && at <= end; at += 5 {
				if v := s.value(float64(at)); !math.IsNaN(v) {
					ts.Samples = append(ts.Samples, prompb.Sample{Value: v, Timestamp: at * 1000})
				}
			}
			if len(ts.Samples) > 0 {
				batch = append(batch, ts)
			}
		}
		for _, server := range servers {
			if err := write(server, batch); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// made is a series and its value at a time; NaN is no sample.
type made struct {
	labels []prompb.Label
	value  func(at float64) float64
}

func demo() (out []made) {
	for i := range 3 {
		n := float64(i + 1)
		add := func(name string, value func(at float64) float64, pairs ...string) {
			pairs = append(pairs, "__name__", name, "job", "demo", "instance", fmt.Sprintf("demo.promlabs.com:1000%d", i))
			var ls []prompb.Label
			for j := 0; j < len(pairs); j += 2 {
				ls = append(ls, prompb.Label{Name: pairs[j], Value: pairs[j+1]})
			}
			slices.SortFunc(ls, func(a, b prompb.Label) int { return strings.Compare(a.Name, b.Name) })
			out = append(out, made{ls, value})
		}
		constant := func(v float64) func(float64) float64 { return func(float64) float64 { return v } }
		for j, kind := range []string{"used", "free", "buffers", "cached"} {
			phase, period := n+float64(j), 600+100*float64(j)
			add("demo_memory_usage_bytes", func(at float64) float64 {
				return math.Round(1e9 * (float64(4-j) + 0.2*math.Sin(2*math.Pi*at/period+phase)))
			}, "type", kind)
		}
		for j, mode := range []string{"user", "system", "idle"} {
			restart := 5400 + 600*n // counters start again now and then
			add("demo_cpu_usage_seconds_total", func(at float64) float64 { return (0.5 + float64(j) + 0.1*n) * math.Mod(at, restart) }, "mode", mode)
		}
		add("demo_num_cpus", constant(4))
		add("demo_disk_total_bytes", constant(2.5e11))
		add("demo_disk_usage_bytes", func(at float64) float64 { return math.Round(1e8 * math.Mod(at, 7200) / 60) })
		add("demo_batch_last_success_timestamp_seconds", func(at float64) float64 { return at - math.Mod(at+20*n, 300) })
		add("demo_intermittent_metric", func(at float64) float64 {
			if math.Mod(at+60*n, 600) < 240 {
				return 1
			}
			return math.NaN()
		})
		requests(add)
	}
	return out
}

// requests is a classic histogram of three paths.
func requests(add func(name string, value func(float64) float64, pairs ...string)) {
	const name = "demo_api_request_duration_seconds"
	for j, path := range []string{"/api/foo", "/api/bar", "/api/nonexistent"} {
		for k, status := range []string{"200", "500"} {
			pairs := func(more ...string) []string { return append(more, "method", "GET", "path", path, "status", status) }
			total := func(at float64) float64 {
				return math.Floor(math.Mod(at, 36000) * (20 / float64(1+j)) / float64(1+9*k))
			}
			for b := range 26 {
				le, share := "+Inf", 1.0
				if b < 25 {
					le = fmt.Sprintf("%.6g", 0.0001*math.Pow(1.5, float64(b)))
					share = 1 - math.Exp(-float64(b*b)/(60+30*float64(j)))
				}
				add(name+"_bucket", func(at float64) float64 { return math.Floor(total(at) * share) }, pairs("le", le)...)
			}
			add(name+"_count", total, pairs()...)
			add(name+"_sum", func(at float64) float64 { return total(at) * 0.01 }, pairs()...)
		}
	}
}
