package openslo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// forms are small documents of every form that is read, with the names of the SLOs they mean.
var forms = append(moreForms, []form{
	{"sloth", sloth, "myservice-requests-availability myservice-ratio"},
	{"pyrra", pyrra, "monitoring.apiserver-read"},
	{"a query of several lines that needs quotes", `version: prometheus/v1
service: s
slos:
- name: b
  objective: 99
  description: "# not: a comment\n- nor a list\n  'quoted' \"twice\" \\n \t tab"
  sli:
    raw:
      error_ratio_query: |
        1 - sum(rate(ok_total[{{.window}}]))
          / sum(rate(t_total[{{.window}}]))
`, "s-b"},
	{"sloth without alerts", `version: prometheus/v1
service: s
slos:
- name: q
  objective: 99
  sli: {events: {error_query: 'sum(rate(e_total[{{.window}}]))', total_query: 'sum(rate(t_total[{{.window}}]))'}}
  alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}
`, "s-q"},
	{"sloth on kubernetes, in a list, with windows of its own", `apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: sloth.slok.dev/v1
  kind: PrometheusServiceLevel
  metadata: {name: shop, namespace: monitoring, uid: 1-2, creationTimestamp: "2026-01-01T00:00:00Z", generation: 3, managedFields: [{manager: kubectl}]}
  spec:
    service: shop
    labels: {owner: team-a}
    slos:
    - name: availability
      objective: 99.9
      sli: {events: {errorQuery: 'sum(rate(req_total{code="500"}[{{.window}}]))', totalQuery: 'sum(rate(req_total[{{.window}}]))'}}
      alerting: {name: ShopErrors, pageAlert: {labels: {severity: page}}, ticketAlert: {disable: true}}
  status: {processedSLOs: 1}
- apiVersion: sloth.slok.dev/v1
  kind: AlertWindows
  metadata: {name: week}
  spec:
    sloPeriod: 7d
    page:
      quick: {errorBudgetPercent: 8, shortWindow: 5m, longWindow: 1h}
      slow: {errorBudgetPercent: 12.5, shortWindow: 30m, longWindow: 6h}
    ticket:
      quick: {errorBudgetPercent: 20, shortWindow: 2h, longWindow: 1d}
      slow: {errorBudgetPercent: 42, shortWindow: 6h, longWindow: 3d}
`, "shop-availability"},
	{"pyrra in two namespaces", `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: availability, namespace: shop}
spec: {target: '99', window: 4w, indicator: {ratio: {errors: {metric: 'e_total{ns="shop"}'}, total: {metric: 't_total{ns="shop"}'}}}}
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: availability, namespace: pay}
spec: {target: '99', window: 1w3d, indicator: {ratio: {errors: {metric: 'e_total{ns="pay"}'}, total: {metric: 't_total{ns="pay"}'}}}, alerting: {disabled: true}}
`, "shop.availability pay.availability"},
	{"every field of pyrra's", `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjectiveList
items:
- apiVersion: pyrra.dev/v1alpha1
  kind: ServiceLevelObjective
  metadata: {name: fast, labels: {pyrra.dev/team: payments}, annotations: {pyrra.dev/runbook_url: 'https://rb.example/x'}}
  spec:
    description: Fast
    target: '99'
    window: 4w
    partial_response_strategy: warn
    performanceOverAccuracy: true
    ruleOutput: {shortRulesLabels: {a: b}, longRulesLabels: {c: d}, enableDescriptionAsLabel: true}
    alerting: {name: TooSlow, absentName: Gone, burnrates: true, absent: true, severities: {absent: a, fastBurn: b, mediumBurn: c, slowBurn: d, longTermBurn: e}}
    indicator: {latencyNative: {latency: 250ms, total: {metric: 'x_seconds{job="shop"}'}, grouping: [handler, method]}}
- apiVersion: pyrra.dev/v1alpha1
  kind: ServiceLevelObjective
  metadata: {name: probe}
  spec: {target: '99.5', window: 4w, indicator: {bool_gauge: {metric: 'probe_success{job="x"}', grouping: [target]}}}
- apiVersion: pyrra.dev/v1alpha1
  kind: ServiceLevelObjective
  metadata: {name: slow}
  spec: {target: '99.5', window: 4w, indicator: {latency: {success: {metric: 'x_bucket{le="1"}'}, total: {metric: x_count}}}}
`, "fast probe slow"},
	{"openslo/v1alpha", `- apiVersion: openslo/v1alpha
  kind: Service
  metadata: {name: shop, displayName: Shop}
  spec: {description: The shop}
- apiVersion: openslo/v1alpha
  kind: SLO
  metadata: {name: two, displayName: Two}
  spec:
    service: shop
    budgetingMethod: Occurrences
    objectives:
    - ratioMetrics: {good: {source: prometheus, queryType: promql, query: 'sum(rate(a[{{.window}}]))'}, total: {source: prometheus, queryType: promql, query: 'sum(rate(b[{{.window}}]))'}}
      target: 0.999
    - ratioMetrics: {incremental: true, good: {source: sloth, query: c_total}, total: {source: sloth, query: d_total}}
      target: 0.99
    timeWindows: [{count: 30, unit: Day}]
- apiVersion: openslo/v1alpha
  kind: SLO
  metadata: {name: fresh}
  spec:
    service: shop
    budgetingMethod: Timeslices
    indicator: {thresholdMetric: {source: prometheus, queryType: promql, query: age_seconds}}
    objectives: [{displayName: Good, op: lt, value: 2000, target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 5m}, {displayName: Better, op: lt, value: 200, target: 0.9, timeSliceTarget: 0.9}]
    timeWindows: [{unit: Month, count: 1, isRolling: false, calendar: {startTime: 2021-05-01 00:00:00, timeZone: Europe/Zurich}}]
`, "two-0 two-1 fresh"},
	{"slo-generator", `apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: prom-availability, labels: {service_name: prom, feature_name: metrics, slo_name: availability}}
spec:
  description: d
  backend: prometheus
  method: good_bad_ratio
  exporters: [prometheus]
  service_level_indicator: {filter_good: 'r_total{code=~"2.."}[window]', filter_valid: r_total}
  goal: 0.999
---
apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: prom-bad, labels: {service_name: prom}}
spec: {backend: prometheus/eu, method: good_bad_ratio, service_level_indicator: {filter_good: 'r_total{code="200"}', filter_bad: 'r_total{code="500"}'}, goal: 0.99}
---
apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: prom-query, labels: {service_name: prom}}
spec:
  backend: prometheus
  method: query_sli
  service_level_indicator:
    expression: >
      increase(h_bucket{le="0.25"}[window])
       / ignoring (le) sum(increase(h_count[window]))
  goal: 0.9999
---
apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: prom-cut, labels: {service_name: prom}}
spec: {backend: prometheus, method: distribution_cut, service_level_indicator: {expression: 'h_bucket{handler="/"}', threshold_bucket: 0.25}, goal: 0.99}
`, "prom-availability prom-bad prom-query prom-cut"},
	{"OpenSLO with merge keys and every kind", good + `---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: prom}
spec: {type: Prometheus}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: sli, annotations: {a: b}}
spec: {description: An SLI, ratioMetric: {raw: {metricSource: {metricSourceRef: prom, type: Prometheus, spec: {query: x}}}, rawType: success}}
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: &m {name: burn, labels: {team: a}}
spec: &c {severity: page, description: d, condition: {kind: burnrate, op: gte, threshold: 14, lookbackWindow: 1h, alertAfter: 5m}}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: pager}
spec: {target: email, description: d}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: &m {name: policy}
spec:
  description: d
  alertWhenNoData: true
  conditions:
  - conditionRef: burn
  - kind: AlertCondition
    metadata: {<<: *m, name: slow}
    spec: {severity: ticket, condition: &k {kind: burnrate, threshold: 1.5, lookbackWindow: 3d}}
  - kind: AlertCondition
    metadata: {name: slower}
    spec: {severity: ticket, condition: {<<: *k, lookbackWindow: 6d}}
  notificationTargets: [{targetRef: pager}, {kind: AlertNotificationTarget, metadata: {name: x}, spec: {target: chat}}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: parts}
spec:
  service: s
  timeWindow: [{duration: 1m, isRolling: false, calendar: {startTime: 2022-01-01 12:00:00, timeZone: America/New_York}}]
  objectives:
  - {displayName: a, indicatorRef: sli, target: 0.9, compositeWeight: 2}
  - displayName: b
    target: 0.8
    indicator: {metadata: {name: n}, spec: {ratioMetric: {counter: false, bad: {metricSource: {type: signalbox-spans, spec: {query: 'status:error', quiet: 10m}}}, total: {metricSource: {type: signalbox-spans, spec: {query: '*'}}}}}}
  alertPolicies: [{alertPolicyRef: policy}]
---
` + peaks, "layout-availability parts"},
}...)

type form struct{ name, text, want string }

// moreForms are those that came later.
var moreForms = []form{
	{"sloth with keys that Sloth passes over", `version: prometheus/v1
service: s
owner: somebody
slos:
- name: loose
  objective: 99
  team: a
  sli: {events: {error_query: 'sum(rate(e_total[{{.window}}]))', total_query: 'sum(rate(t_total[{{.window}}]))'}}
  alerting: {name: Loose, pageAlert: {disable: true}}
`, "s-loose"},
	{"slo-generator: a quotient in parentheses, over a subquery", `apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: quotient, labels: {service_name: shop, feature_name: f, slo_name: n}}
spec:
  description: d
  backend: prometheus/eu
  method: query_sli
  exporters: []
  service_level_indicator:
    expression: (sum(count_over_time((q_seconds < 1)[window:1m])) / sum(count_over_time(q_seconds[window:1m])))
  goal: 0.99
`, "quotient"},
	{"slo-generator: a share by a number", `apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: share}
spec: {backend: prometheus, method: query_sli, service_level_indicator: {expression: 'avg_over_time(free_percent[window]) / 100'}, goal: 0.9, unheard: of}
`, "share"},
	{"slo-generator: good and bad", `apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: goodbad}
spec: {backend: prometheus, method: good_bad_ratio, service_level_indicator: {filter_good: 'r_total{code="200"}[window]', filter_bad: 'r_total{code="500"}'}, goal: 0.9}
`, "goodbad"},
	{"slo-generator: a cut through a histogram", `apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: cut}
spec: {backend: prometheus, method: distribution_cut, service_level_indicator: {expression: 'd_seconds_bucket{route="/a"}', threshold_bucket: 0.25}, goal: 0.9}
`, "cut"},
	{"OpenSLO's next version, in a list", `- apiVersion: openslo.com/v2alpha
  kind: Service
  metadata: {name: web}
  spec: {description: d}
- apiVersion: openslo.com/v2alpha
  kind: DataSource
  metadata: {name: here}
  spec: {type: Prometheus, connectionDetails: {url: 'http://x'}}
- apiVersion: openslo.com/v2alpha
  kind: SLI
  metadata: {name: requests}
  spec: {ratioMetric: {counter: true, good: {dataSourceRef: here, spec: {query: 'sum(r_total{code!~"5.."})'}}, total: {dataSourceSpec: {type: Prometheus, connectionDetails: {}}, spec: {query: sum(r_total)}}}}
- apiVersion: openslo.com/v2alpha
  kind: SLO
  metadata: {name: by-name, labels: {env: prod}}
  spec: {service: web, sliRef: requests, budgetingMethod: Occurrences, timeWindow: [{duration: 28d, isRolling: true}], objectives: [{target: 0.99}]}
- apiVersion: openslo.com/v2alpha
  kind: SLO
  metadata: {name: parts}
  spec:
    service: web
    budgetingMethod: Occurrences
    timeWindow: [{duration: 28d, isRolling: true}]
    objectives:
    - {displayName: a, sliRef: requests, target: 0.99, compositeWeight: 2}
    - {displayName: b, target: 0.9, sli: {metadata: {name: own}, spec: {ratioMetric: {counter: true, bad: {spec: {query: sum(e_total)}}, total: {spec: {query: sum(r_total)}}}}}}
`, "by-name parts"},
	{"the same name in two namespaces of Pyrra's", `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: availability, namespace: shop}
spec: {target: '99', window: 4w, indicator: {ratio: {errors: {metric: 'a_total{code="500"}'}, total: {metric: a_total}}}}
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: availability, namespace: pay}
spec: {target: '99', window: 4w, indicator: {latency: {success: {metric: 'b_seconds_bucket{le="0.5"}'}, total: {metric: b_seconds_count}}}}
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: availability, namespace: up}
spec: {target: '99', window: 4w, indicator: {bool_gauge: {metric: 'up{job="x"}', grouping: [instance]}}}
`, "shop.availability pay.availability up.availability"},
}

// places are what differs between two files of the same meaning.
func places() cmp.Options {
	return cmp.Options{
		cmpopts.IgnoreFields(Meta{}, "File", "Line"), cmpopts.IgnoreFields(Metric{}, "Line", "Type"), cmpopts.IgnoreFields(Objective{}, "Line"), cmpopts.IgnoreFields(SLO{}, "Sloth"),
		cmpopts.IgnoreFields(Documents{}, "Windows"), cmpopts.IgnoreFields(PolicyRef{}, "Line"), cmpopts.IgnoreFields(ConditionRef{}, "Line"), cmpopts.IgnoreFields(TargetRef{}, "Line"), cmpopts.EquateEmpty(),
		cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() }),
		cmp.Comparer(func(a, b Calendar) bool {
			return a.Text() == b.Text() && a.Start.Equal(b.Start) && a.Start.Location().String() == b.Start.Location().String()
		}),
	}
}

// roundTrip is what differs once documents were written and read again.
func roundTrip(docs Documents) error {
	text, err := Format(docs)
	if err != nil {
		return err
	}
	again, problems := Parse("again.yaml", text)
	for _, p := range problems {
		if !p.Warning {
			return fmt.Errorf("%w in\n%s", p, text)
		}
	}
	if diff := cmp.Diff(docs, again, places()); diff != "" {
		return fmt.Errorf("%s\nin\n%s", diff, text)
	}
	return nil
}

func TestEveryFormIsReadAndWrittenAsTheSame(t *testing.T) {
	for _, f := range forms {
		docs, problems := Parse("a.yaml", []byte(f.text))
		for _, p := range problems {
			if !p.Warning || p.Line == 0 {
				t.Errorf("%s: %v", f.name, p)
			}
		}
		var names []string
		for _, s := range docs.SLOs {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != f.want {
			t.Errorf("%s: %q, want %q", f.name, got, f.want)
		}
		if err := roundTrip(docs); err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
	}
}

func TestOwnWindowsOfSlothAreTaken(t *testing.T) {
	text := ""
	for _, f := range forms {
		if strings.Contains(f.name, "windows of its own") {
			text = f.text
		}
	}
	docs, _ := Parse("a.yaml", []byte(text))
	s := docs.SLOs[0]
	// 8 % of a week's budget within an hour is 0.08 × 168 = 13.44 times the sustainable rate; 12.5 % within 6 h is 3.5 times.
	first, second := s.Policies[0].Inline.Conditions[0].Inline, s.Policies[0].Inline.Conditions[1].Inline
	if s.Window != 7*day || len(s.Policies[0].Inline.Conditions) != 2 || first.Threshold < 13.4399 || first.Threshold > 13.4401 || second.Threshold != 3.5 || second.Lookback != 6*time.Hour {
		t.Errorf("%v %+v %+v", s.Window, first, second)
	}
}

func TestWhatCannotBeReadOfOtherToolsSaysWhy(t *testing.T) {
	object := "apiVersion: sloth.slok.dev/v1\nkind: %s\nmetadata: {name: x}\nspec: %s\n"
	slos := func(rest string) string {
		return "version: prometheus/v1\nservice: s\nslos: [{name: a, objective: 99, sli: {events: {error_query: e_total, total_query: t_total}}" + rest + "}]\n"
	}
	generator := "apiVersion: sre.google.com/v2\nkind: ServiceLevelObjective\nmetadata: {name: x}\nspec: {goal: 0.9, backend: %s, method: %s, service_level_indicator: {expression: %s, threshold_bucket: 1}}\n"
	for _, c := range []struct{ name, text, want string }{
		{"a plugin of Sloth's that changes rules", slos(", plugins: {chain: [{id: my/own/v1}]}"), "the plugin my/own/v1 is code of Sloth's and is not run; write what it changes into the SLO"},
		{"an unknown kind of Sloth's", fmt.Sprintf(object, "SLO", "{}"), "Sloth has PrometheusServiceLevel and AlertWindows"},
		{"windows that cannot be", fmt.Sprintf(object, "AlertWindows", "{sloPeriod: 7d, page: {quick: {errorBudgetPercent: 0, shortWindow: 2h, longWindow: 1h}}}"), "errorBudgetPercent must be above 0"},
		{"windows the wrong way round", fmt.Sprintf(object, "AlertWindows", "{sloPeriod: 7d, page: {quick: {errorBudgetPercent: 1, shortWindow: 2h, longWindow: 1h}}}"), "the short window is not shorter than the long one"},
		{"another store of slo-generator", fmt.Sprintf(generator, "datadog", "query_sli", "x"), `the backend "datadog" is a store of its own, which is not asked; send its metrics here`},
		{"a method of slo-generator", fmt.Sprintf(generator, "prometheus", "query_slo", "x"), `did you mean "query_sli"?`},
		{"a cut through no histogram", fmt.Sprintf(generator, "prometheus", "distribution_cut", "x_total"), "is no selector of a histogram's buckets"},
		{"no PromQL", fmt.Sprintf(generator, "prometheus", "query_sli", `"sum("`), "is no PromQL"},
		{"two indicators of Pyrra's", "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: x}\nspec: {target: '99', window: 4w, indicator: {bool_gauge: {metric: up}, latencyNative: {latency: 1s, total: {metric: x}}}}\n", "one of ratio, latency, latencyNative and bool_gauge"},
		{"an expression where Pyrra wants a selector", "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: x}\nspec: {target: '99', window: 4w, indicator: {ratio: {errors: {metric: a}, total: {metric: 'rate(b[5m])'}}}}\n", "rate(b[5m]) is no selector of one metric"},
		{"a window too short for Pyrra's alerts", "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: x}\nspec: {target: '99', window: 12h, indicator: {bool_gauge: {metric: up}}}\n", "a window of 12h is too short for Pyrra's alerts, whose fastest would look back over 1m and 1m; use at least 17h"},
		{"something else in a list", "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: ConfigMap}]\n", `apiVersion is "v1"; openslo/v1, openslo/v1alpha and openslo.com/v2alpha are read, and the files of Sloth, Pyrra and slo-generator`},
		{"an unknown kind of openslo/v1alpha", "apiVersion: openslo/v1alpha\nkind: SLI\nmetadata: {name: x}\n", "it has Service and SLO"},
	} {
		_, problems := Parse("a.yaml", []byte(c.text))
		if got := fmt.Sprint(problems); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}
