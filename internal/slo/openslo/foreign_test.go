package openslo

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

const sloth = `version: "prometheus/v1"
service: "myservice"
labels: {owner: "myteam"}
slos:
  - name: "requests-availability"
    objective: 99.9
    description: "Availability of HTTP requests."
    sli:
      events:
        error_query: sum(rate(http_request_duration_seconds_count{job="myservice",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_request_duration_seconds_count{job="myservice"}[{{.window}}]))
    alerting:
      name: MyServiceHighErrorRate
      labels: {category: "availability"}
      annotations: {runbook: "https://runbooks.example/x"}
      page_alert: {labels: {severity: pageteam}}
      ticket_alert: {disable: true}
  - name: ratio
    objective: 99
    sli: {raw: {error_ratio_query: 'sum(rate(a[{{.window}}])) / sum(rate(b[{{.window}}]))'}}
`

const pyrra = `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: apiserver-read, namespace: monitoring, labels: {prometheus: k8s, role: alert-rules}}
spec:
  target: "99.5"
  window: 2w
  indicator:
    ratio:
      errors: {metric: 'http_requests_total{code=~"5.."}'}
      total: {metric: http_requests_total}
      grouping: [handler]
`

// The tables that the tools ship; factor = budget share × window / long.
func TestSlothsAndPyrrasWindowsAreReproduced(t *testing.T) {
	const m, h, d = time.Minute, time.Hour, 24 * time.Hour
	for _, c := range []struct {
		name string
		got  []BurnWindow
		want []BurnWindow
	}{
		{"sloth, 30 d", SlothWindows(30 * d), []BurnWindow{{Long: h, Short: 5 * m, Factor: 14.4}, {Long: 6 * h, Short: 30 * m, Factor: 6}, {Long: d, Short: 2 * h, Factor: 3}, {Long: 3 * d, Short: 6 * h, Factor: 1}}},
		{"sloth, 28 d", SlothWindows(28 * d), []BurnWindow{{Long: h, Short: 5 * m, Factor: 13.44}, {Long: 6 * h, Short: 30 * m, Factor: 5.6}, {Long: d, Short: 2 * h, Factor: 2.8}, {Long: 3 * d, Short: 6 * h, Factor: 2.8 / 3}}},
		{"pyrra, 28 d", PyrraWindows(28 * d), []BurnWindow{{Long: h, Short: 5 * m, For: 2 * m, Factor: 14}, {Long: 6 * h, Short: 30 * m, For: 15 * m, Factor: 7}, {Long: d, Short: 2 * h, For: h, Factor: 2}, {Long: 4 * d, Short: 6 * h, For: 3 * h, Factor: 1}}},
		{"pyrra, 14 d", PyrraWindows(14 * d), []BurnWindow{{Long: 30 * m, Short: 3 * m, For: m, Factor: 14}, {Long: 3 * h, Short: 15 * m, For: 8 * m, Factor: 7}, {Long: 12 * h, Short: h, For: 30 * m, Factor: 2}, {Long: 2 * d, Short: 3 * h, For: 90 * m, Factor: 1}}},
	} {
		for i, w := range c.want {
			g := c.got[i]
			if g.Long != w.Long || g.Short != w.Short || g.For != w.For || math.Abs(g.Factor-w.Factor) > 1e-9 {
				t.Errorf("%s: row %d is %+v, want %+v", c.name, i, g, w)
			}
		}
	}
}

func TestSlothsAndPyrrasFilesAreReadAsOpenSLO(t *testing.T) {
	docs, problems := Parse("a.yaml", []byte(sloth+"---\n"+pyrra))
	for _, p := range problems {
		if !p.Warning || p.Line == 0 {
			t.Error(p)
		}
	}
	if len(docs.SLOs) != 3 {
		t.Fatalf("%d SLOs", len(docs.SLOs))
	}
	a, raw, p := docs.SLOs[0], docs.SLOs[1], docs.SLOs[2]
	if a.Name != "myservice-requests-availability" || a.Objectives[0].Target != 0.999 || a.Window != 30*day || a.Labels["category"] != "availability" || a.Labels["owner"] != "myteam" || a.Annotations["runbook"] == "" {
		t.Errorf("%+v", a)
	}
	conditions := a.Policies[0].Inline.Conditions
	if len(conditions) != 2 || conditions[0].Inline.Name != "MyServiceHighErrorRate_page_quick" || conditions[0].Inline.Annotations[AnnotationAlertName] != "MyServiceHighErrorRate" || math.Abs(conditions[0].Inline.Threshold-14.4) > 1e-9 {
		t.Errorf("conditions %+v", conditions)
	}
	if raw.Indicator.Ratio.Raw.Query != "sum(rate(a[5m])) / sum(rate(b[5m]))" || len(raw.Policies[0].Inline.Conditions) != 4 {
		t.Errorf("raw %+v", raw.Indicator.Ratio.Raw)
	}
	if p.Name != "monitoring.apiserver-read" || p.Window != 14*day || p.Objectives[0].Target != 0.995 || p.Indicator.Ratio.Bad.Query != `sum by (handler) (http_requests_total{code=~"5.."})` ||
		len(p.Policies) != 2 || !p.Policies[0].Inline.WhenNoData {
		t.Errorf("%+v", p)
	}
}

func TestProblemsOfForeignFilesAreNamed(t *testing.T) {
	for _, c := range []struct{ name, text, old, new, want string }{
		{"another version of Sloth's", sloth, "prometheus/v1", "prometheus/v2", "prometheus/v1 is read"},
		{"an objective of 100 %", sloth, "objective: 99.9", "objective: 100", "leaves no error budget"},
		{"a plugin", sloth, "raw: {error_ratio_query: 'sum(rate(a[{{.window}}])) / sum(rate(b[{{.window}}]))'}", "plugin: {id: x}", "plugins are code of Sloth's"},
		{"an unknown key", sloth, "total_query", "totl_query", "total_query is missing"},
		{"a window of a minute", pyrra, "2w", "1m", `window "1m" is not 1h to 400d in whole minutes; use for example 4w`},
		{"another kind", pyrra, "kind: ServiceLevelObjective", "kind: SLO", "Pyrra has ServiceLevelObjective"},
		{"a native histogram without its limit", pyrra, "ratio:", "latencyNative:", "indicator.latencyNative.latency is missing"},
	} {
		_, problems := Parse("a.yaml", []byte(strings.Replace(c.text, c.old, c.new, 1)))
		text := fmt.Sprint(problems)
		if !strings.Contains(text, c.want) || !strings.Contains(text, "a.yaml:") {
			t.Errorf("%s: %s", c.name, text)
		}
	}
}

// The least window that Pyrra's alerts can have is the one that the message names.
func TestTheLeastWindowOfPyrras(t *testing.T) {
	for _, c := range []struct {
		window string
		ok     bool
	}{{"12h", false}, {"16h", false}, {"17h", true}, {"1d", true}, {"1w", true}} {
		text := "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: x}\nspec: {target: '99', window: " + c.window + ", indicator: {bool_gauge: {metric: up}}}\n"
		_, problems := Parse("a.yaml", []byte(text))
		if (len(problems) == 0) != c.ok || len(problems) > 1 {
			t.Errorf("%s: %v", c.window, problems)
		}
	}
}
