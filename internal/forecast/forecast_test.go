package forecast

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
)

func TestWhatExportersPublishIsPaired(t *testing.T) {
	var names, want []string
	for _, k := range table() {
		names = append(names, k.needs...)
		want = append(want, k.Pool+" "+k.Used)
	}
	pairs, alone := Find(names)
	var got []string
	for _, p := range pairs {
		got = append(got, p.Pool+" "+p.Used)
	}
	if !slices.Equal(got, want) || len(alone) > 0 {
		t.Errorf("got %q\nwant %q\nalone %q", got, want, alone)
	}
	if _, errs := rulefmt.Parse([]byte(Rules(pairs)), false, prommodel.UTF8Validation, parser.NewParser(parser.Options{}), nil); len(errs) > 0 {
		t.Error(errs)
	}
}

func TestOthersArePairedByTheirNames(t *testing.T) {
	for _, c := range []struct{ used, limit, pool string }{
		{"net_pool_outbound_used", "net_pool_outbound_limit", "net pool outbound"},
		{"azure_used_snat_ports_average", "azure_allocated_snat_ports_average", "azure snat ports average"},
		{"kafka_disk_used_bytes", "kafka_disk_capacity_bytes", "kafka disk bytes"},
		{"executor_active_threads", "executor_max_threads", "executor threads"},
		{"pool_in_use_connections", "pool_max_connections", "pool connections"},
		{"quota_used", "quota_used_max", "quota"},
		{"licences_used", "licences_total", "licences"},
	} {
		pairs, _ := Find([]string{"up", c.used, c.limit})
		if want := (Pair{Pool: c.pool, Used: c.used, Limit: c.limit, Named: true}); len(pairs) != 1 || pairs[0] != want {
			t.Errorf("%+v, want %+v", pairs, want)
		}
	}
	pairs, alone := Find([]string{"requests_active_total", "requests_max_total", "cache_used_bytes", "latency_used_bucket", "latency_limit_bucket", "a:used:b", "a:limit:b", "odd.used", "odd.limit"})
	if len(pairs) > 0 || !slices.Equal(alone, []string{"cache_used_bytes"}) {
		t.Errorf("pairs %+v, alone %q", pairs, alone)
	}
}

// 60 of 100 are used, and six more an hour.
func TestHoursLeft(t *testing.T) {
	pair := Pair{Pool: "ports", Used: "ports_used", Limit: "ports_limit"}
	for _, c := range []struct {
		name, used string
		want       float64 // NaN is nothing
	}{
		{"it fills", "54+0.1x60", 40 / 6.},
		{"it stays", "60x60", math.NaN()},
		{"it empties", "66-0.1x60", math.NaN()},
		{"too little is known", "_x30 57+0.1x30", math.NaN()},
	} {
		st := promqltest.LoadedStorage(t, fmt.Sprintf("load 1m\n  ports_used{instance=\"a\"} %s\n  ports_limit{instance=\"a\"} 100x60\n", c.used))
		engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute})
		q, err := engine.NewInstantQuery(t.Context(), st, nil, pair.HoursLeft(LastHour), time.Unix(3600, 0))
		if err != nil {
			t.Fatal(err)
		}
		v, err := q.Exec(t.Context()).Vector()
		if err != nil {
			t.Fatal(err)
		}
		got := math.NaN()
		if len(v) == 1 {
			got = v[0].F
		}
		if math.IsNaN(got) != math.IsNaN(c.want) || math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: %v h, want %v", c.name, got, c.want)
		}
		q.Close()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestClassesOfMetrics(t *testing.T) {
	for text, resource := range map[string]bool{
		`100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))) > 90`: true,
		`instance:node_memory:ratio > 0.9`:                                                   true,
		`container_memory_working_set_bytes > 1e9 and node_load1 > 4`:                        true,
		`predict_linear(node_filesystem_avail_bytes[6h], 4 * 3600) < 0`:                      false,
		`rate(http_requests_total{status="500"}[5m]) > 1`:                                    false,
		`node_cpu_seconds_total > 1 and rate(http_errors_total[5m]) > 1`:                     false,
		`pool:used:ratio > 0.98`:                                                             false,
		`kafka_consumergroup_lag > 1000`:                                                     false,
		`vector(1)`:                                                                          false,
		`absent(node_cpu_seconds_total)`:                                                     false,
		`node_network_receive_errs_total > 1 and probe_success == 0`:                         false,
	} {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(Resource(expr)) > 0; got != resource {
			t.Errorf("%s: resource %v", text, got)
		}
	}
}
