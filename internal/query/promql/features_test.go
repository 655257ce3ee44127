package promql

import (
	"strings"
	"testing"
	"time"
)

func TestThePrometheusDefaultsApplyAndFeaturesAreOnByTheirNames(t *testing.T) {
	s, now := openStore(t), time.Now()
	fill(t, s, now)
	for _, c := range []struct{ expr, feature string }{
		{`sum(rate(reqs_total[1m*5]))`, ""}, // duration expressions
		{`sum(rate(reqs_total[5m] offset (1m-30s)))`, ""},
		{`sort_by_label(reqs_total, "service")`, experimentalFunctions},
		{`limitk(1, reqs_total)`, experimentalFunctions},
		{`mad_over_time(reqs_total[5m])`, experimentalFunctions},
		{`increase(reqs_total[5m] anchored)`, extendedRangeSelectors},
		{`reqs_total + fill(0) reqs_total`, binopFillModifiers},
	} {
		cfg := DefaultConfig()
		_, err := engine(t, cfg, s).Range(t.Context(), c.expr, now.Add(-time.Minute), now, time.Minute)
		if (err == nil) != (c.feature == "") {
			t.Errorf("%s by default: %v", c.expr, err)
		}
		cfg.EnableFeatures = queryFeatures()
		if _, err := engine(t, cfg, s).Range(t.Context(), c.expr, now.Add(-time.Minute), now, time.Minute); err != nil {
			t.Errorf("%s with every feature: %v", c.expr, err)
		}
	}
	cfg := DefaultConfig()
	cfg.EnableFeatures = []string{"promql-everything"}
	if errs := cfg.Validate(); len(errs) != 1 || !strings.Contains(errs[0].Error(), `enable_features[0]: "promql-everything"`) || !strings.Contains(errs[0].Error(), experimentalFunctions) {
		t.Errorf("%v", errs)
	}
}

func TestTheFeaturesEndpointSaysWhatIsOn(t *testing.T) {
	cfg := DefaultConfig()
	cfg.EnableFeatures = []string{experimentalFunctions}
	srv := serve(t, cfg, openStore(t), nil)
	var answer struct{ Data map[string]map[string]bool }
	if status := get(t, "GET", srv.URL+Prefix+"/features", &answer); status != 200 {
		t.Fatal(status)
	}
	for path, want := range map[string]bool{
		"promql.duration_expr": true, "promql.anchored": false, "promql_functions.sort_by_label": true, "promql_functions.rate": true, "promql.at_modifier": true,
		"api.admin": false, "api.lifecycle": true, "prometheus.server_mode": true, "templating_functions.humanize": true,
	} {
		section, name, _ := strings.Cut(path, ".")
		if got, ok := answer.Data[section][name]; !ok || got != want {
			t.Errorf("%s is %v (there: %v), want %v", path, got, ok, want)
		}
	}
	var build struct{ Data struct{ Version string } }
	get(t, "GET", srv.URL+Prefix+"/status/buildinfo", &build)
	if !strings.HasPrefix(build.Data.Version, "3.15.") {
		t.Errorf("version %s", build.Data.Version)
	}
}
