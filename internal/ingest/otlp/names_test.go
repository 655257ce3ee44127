package otlp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/otlptranslator"
)

// Two metrics whose translated names are one are stored, and never without a word.
func TestMetricsThatShareANameAreWarnedOf(t *testing.T) {
	now := time.Now()
	unit := func(metric, unit string) string {
		return strings.Replace(metric, `"name"`, `"unit":"`+unit+`","name"`, 1)
	}
	point := func(attr string) string {
		return at(now, fmt.Sprintf(`,"asDouble":1,"attributes":[{"key":"a","value":{"stringValue":%q}}]`, attr))
	}
	histogram := `{"name":"jobs","histogram":{"aggregationTemporality":2,"dataPoints":[` + at(now, `,"count":"1","bucketCounts":["1"]`) + `]}}`
	for _, c := range []struct {
		name, first, second string
		says                string
	}{
		{"dot and underscore", gauge("a.b", point("1")), gauge("a_b", point("2")), `"a.b" and "a_b" are both stored as a_b`},
		{"another type", gauge("jobs", point("1")), histogram, `"jobs" comes as a gauge and as a histogram`},
		{"a unit that is in the name", unit(gauge("lat", point("1")), "s"), gauge("lat.seconds", point("2")), `"lat" and "lat.seconds" are both stored as lat_seconds`},
		{"a counter and a total", counter("hits", now.Add(-time.Minute), now, 3), gauge("hits_total", point("1")), `"hits" and "hits_total" are both stored as hits_total`},
		{"the same twice", gauge("a.b", point("1")), gauge("a.b", point("2")), ""},
		{"another unit has another name", unit(gauge("lat", point("1")), "s"), unit(gauge("lat", point("2")), "ms"), ""},
		{"annotations are no units", unit(gauge("n", point("1")), "{request}"), unit(gauge("n", point("2")), "{requests}"), ""},
		{"letters that are kept", gauge("温度", point("1")), gauge("湿度", point("2")), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tb := start(t, nil)
			service := map[string]string{"service.name": "s", "service.instance.id": "i"}
			for round := range 3 {
				rejected, message := tb.postMetrics(t, resourceJSON(service, "", c.first), resourceJSON(service, "", c.second))
				if rejected != "" && rejected != "0" || c.says == "" && message != "" || !strings.Contains(message, c.says) {
					t.Errorf("round %d: rejected %q, message %q", round, rejected, message)
				}
				// The same names in other services do not meet.
				if _, message := tb.postMetrics(t, resourceJSON(map[string]string{"service.name": "other", "service.instance.id": "i"}, "", c.second)); message != "" {
					t.Errorf("another service: %q", message)
				}
			}
			if n := testutil.ToFloat64(tb.intake.own.oneName); (n > 0) != (c.says != "") {
				t.Errorf("counted %v", n)
			}
		})
	}
}

func TestNamesFollowTheStrategy(t *testing.T) {
	now := time.Now()
	for strategy, want := range map[otlptranslator.TranslationStrategyOption]string{
		otlptranslator.UnderscoreEscapingWithSuffixes:    `{__name__="http_hits_total", http_route="/x", instance="i", job="s", k8s_pod="p", service="s"}`,
		otlptranslator.UnderscoreEscapingWithoutSuffixes: `{__name__="http_hits", http_route="/x", instance="i", job="s", k8s_pod="p", service="s"}`,
		otlptranslator.NoUTF8EscapingWithSuffixes:        `{__name__="http.hits_total", "http.route"="/x", instance="i", job="s", "k8s.pod"="p", service="s"}`,
		otlptranslator.NoTranslation:                     `{__name__="http.hits", "http.route"="/x", instance="i", job="s", "k8s.pod"="p", service="s"}`,
	} {
		tb := start(t, func(c *Config) {
			c.TranslationStrategy = strategy
			c.PromoteResourceAttributes = []string{"k8s.pod"}
		})
		metric := counter("http.hits", now.Add(-time.Minute), now, 3)
		metric = strings.Replace(metric, `"asInt"`, `"attributes":[{"key":"http.route","value":{"stringValue":"/x"}}],"asInt"`, 1)
		tb.postMetrics(t, resourceJSON(map[string]string{"service.name": "s", "service.instance.id": "i", "k8s.pod": "p"}, "", metric))
		got := tb.series(t)
		if _, ok := got[want]; !ok || len(named(got, "target_info")) != 1 {
			t.Errorf("%s: %v, want %s", strategy, got, want)
		}
	}
	bad := DefaultConfig()
	bad.TranslationStrategy = "Dots"
	if errs := bad.Validate(); len(errs) != 1 || !strings.Contains(errs[0].Error(), "NoTranslation") {
		t.Errorf("%v", errs)
	}
}

// Attributes whose names become one label are joined, as Prometheus joins them, in the order of their names.
func TestLabelsThatShareANameAreJoined(t *testing.T) {
	tb := start(t, nil)
	attrs := `,"attributes":[{"key":"x_y","value":{"stringValue":"2"}},{"key":"x.y","value":{"stringValue":"1"}}]`
	tb.postMetrics(t, resourceJSON(map[string]string{"service.name": "s"}, "", gauge("m", at(time.Now(), `,"asDouble":1`+attrs))))
	if got := named(tb.series(t), "m"); len(got) != 1 || !strings.Contains(got[0], `x_y="1;2"`) {
		t.Errorf("%v", got)
	}
}

// A counter below zero would be taken for one that began anew, and count what never happened.
func TestACounterBelowZeroIsRefused(t *testing.T) {
	now := time.Now()
	tb := start(t, nil)
	delta := strings.Replace(counter("d", now.Add(-time.Minute), now, -2), `"aggregationTemporality":2`, `"aggregationTemporality":1`, 1)
	upDown := strings.Replace(counter("u", now.Add(-time.Minute), now, -3), `"isMonotonic":true`, `"isMonotonic":false`, 1)
	rejected, message := tb.postMetrics(t, resourceJSON(map[string]string{"service.name": "s"}, "", counter("c", now.Add(-time.Minute), now, -1)+","+delta+","+upDown))
	if rejected != "2" || !strings.Contains(message, "UpDownCounter") {
		t.Errorf("%s %s", rejected, message)
	}
	if got := tb.series(t); len(named(got, "u")) != 1 || len(named(got, "c_total"))+len(named(got, "d_total")) != 0 {
		t.Errorf("%v", got)
	}
}
