package openslo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// slothAll has every key of Sloth's, in the words of its files or, by slothObjectWords, of its Kubernetes objects.
const slothAll = `service: shop
labels: {owner: team-a, tier: "1"}
slos:
- name: api
  objective: "99.9"
  description: Answers
  labels: {tier: "2"}
  sli:
    events:
      error_query: sum(rate(e_total[{{.window}}]))
      total_query: sum(rate(t_total[{{.window}}]))
  alerting:
    name: ShopBurns
    labels: {route: a, owner: team-b}
    annotations: {runbook: r, title: mine}
    page_alert: {labels: {severity: critical}, annotations: {call: now}}
    ticket_alert: {labels: {severity: warning, route: b}}
- name: raw
  objective: 99
  sli: {raw: {error_ratio_query: '1 - avg_over_time(ok[{{.window}}])'}}
  alerting: {page_alert: {disable: true}}
`

var slothObjectWords = strings.NewReplacer("error_query", "errorQuery", "total_query", "totalQuery", "error_ratio_query", "errorRatioQuery", "page_alert", "pageAlert", "ticket_alert", "ticketAlert")

func slothObjectText(name, spec string) string {
	return "apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\nmetadata: {name: " + name + "}\nspec:\n  " + strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ") + "\n"
}

func TestSlothsFilesAndItsObjectsMeanTheSame(t *testing.T) {
	file := read(t, "version: prometheus/v1\n"+slothAll)
	object := read(t, slothObjectText("x", slothObjectWords.Replace(slothAll)))
	if diff := cmp.Diff(file, object, places()); diff != "" {
		t.Error(diff)
	}
	api, raw := file.SLOs[0], file.SLOs[1]
	want := SLO{
		Meta: Meta{
			Name: "shop-api", DisplayName: "api", File: "a.yaml", Line: 5,
			// Of labels the nearer ones hold: the SLO's over the service's, those of its alerts over both.
			Labels: map[string]string{"owner": "team-b", "tier": "2", "route": "a"}, Annotations: map[string]string{"runbook": "r", "title": "mine"},
		},
		Description: "Answers", Service: "shop", Window: 30 * day, Method: Occurrences,
		Indicator: &SLI{Meta: Meta{Name: "shop-api", File: "a.yaml", Line: 10}, Ratio: &Ratio{
			Counter: true, Bad: &Metric{Query: "sum(rate(e_total[{{.window}}]))", Line: 11}, Total: &Metric{Query: "sum(rate(t_total[{{.window}}]))", Line: 12},
		}},
		Objectives: []Objective{{Target: 0.999, SliceWindow: time.Minute, Line: 5}},
	}
	if diff := cmp.Diff(want, api, cmpopts.IgnoreFields(SLO{}, "Policies", "Sloth")); diff != "" {
		t.Error(diff)
	}
	if r := raw.Indicator.Ratio; r.Raw.Query != "1 - avg_over_time(ok[5m])" || r.RawType != "failure" || r.Total != nil {
		t.Errorf("%+v", r)
	}
	if got := conditionsOf(raw); got != "shop_raw_ticket_quick shop_raw_ticket_slow" {
		t.Errorf("with pages disabled: %s", got)
	}
	page, ticket := api.Policies[0].Inline.Conditions[0].Inline, api.Policies[0].Inline.Conditions[3].Inline
	identity := map[string]string{"sloth_id": "shop-api", "sloth_slo": "api", "sloth_service": "shop", "tier": "2", "owner": "team-b"}
	for _, c := range []struct {
		got                 *AlertCondition
		labels, annotations map[string]string
	}{
		{
			page, merged(identity, map[string]string{"sloth_severity": "page", "severity": "critical", "route": "a"}),
			map[string]string{"title": "mine", "runbook": "r", "call": "now", AnnotationShortWindow: "5m0s"},
		},
		{
			ticket, merged(identity, map[string]string{"sloth_severity": "ticket", "severity": "warning", "route": "b"}),
			map[string]string{"title": "mine", "runbook": "r", AnnotationShortWindow: "6h0m0s"},
		},
	} {
		every := map[string]string{"summary": "{{$labels.sloth_service}} {{$labels.sloth_slo}} SLO error budget burn rate is over expected.", AnnotationAlertLabels: "only", AnnotationAlertName: "ShopBurns"}
		if diff := cmp.Diff(c.labels, c.got.Labels) + cmp.Diff(merged(every, c.annotations), c.got.Annotations); diff != "" {
			t.Errorf("%s: %s", c.got.Name, diff)
		}
	}
}

// conditionsOf are the names of an SLO's own conditions.
func conditionsOf(s SLO) string {
	var names []string
	for _, p := range s.Policies {
		for _, c := range p.Inline.Conditions {
			names = append(names, c.Inline.Name)
		}
	}
	return strings.Join(names, " ")
}

func TestPluginsOfSlothSayWhatBecomesOfThem(t *testing.T) {
	for _, c := range []struct{ chain, problem, conditions string }{
		{"{chain: [{id: sloth.dev/core/debug/v1, priority: 9, config: {a: b}}]}", "", "s_a_page_quick s_a_page_slow s_a_ticket_quick s_a_ticket_slow"},
		{"{chain: [{id: sloth.dev/contrib/denominator_corrected_rules/v1}]}", "with little traffic they fire earlier than Sloth's", "s_a_page_quick s_a_page_slow s_a_ticket_quick s_a_ticket_slow"},
		// A chain that stands for Sloth's own makes the alerts only where it has their plugin.
		{"{overridePrevious: true, chain: [{id: sloth.dev/core/sli_rules/v1}]}", "", ""},
		{"{overridePrevious: true, chain: [{id: sloth.dev/core/sli_rules/v1}, {id: sloth.dev/core/alert_rules/v1}]}", "", "s_a_page_quick s_a_page_slow s_a_ticket_quick s_a_ticket_slow"},
		{"{chain: [{id: sloth.dev/contrib/info_labels/v1}]}", "changes Sloth's recording rules, which are not made here; nothing is lost", "s_a_page_quick s_a_page_slow s_a_ticket_quick s_a_ticket_slow"},
		{"{chain: [{id: sloth.dev/contrib/validate_victoria_metrics/v1}]}", "queries of VictoriaMetrics may be more than PromQL", "s_a_page_quick s_a_page_slow s_a_ticket_quick s_a_ticket_slow"},
	} {
		slo := "  slos: [{name: a, objective: 99, sli: {events: {error_query: e, total_query: t}}%s}]\n"
		for _, text := range []string{
			"version: prometheus/v1\nservice: s\nslo_plugins: " + c.chain + "\n" + strings.TrimPrefix(fmt.Sprintf(slo, ""), "  "),
			"version: prometheus/v1\nservice: s\n" + strings.TrimPrefix(fmt.Sprintf(slo, ", plugins: "+c.chain), "  "),
			slothObjectWords.Replace("apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\nmetadata: {name: x}\nspec:\n  service: s\n  sloPlugins: " + c.chain + "\n" + fmt.Sprintf(slo, "")),
		} {
			docs, problems := Parse("a.yaml", []byte(text))
			if len(docs.SLOs) != 1 || conditionsOf(docs.SLOs[0]) != c.conditions {
				t.Errorf("%s: %+v %v", text, docs.SLOs, problems)
			}
			if got := fmt.Sprint(problems); (c.problem == "") != (len(problems) == 0) || !strings.Contains(got, c.problem) {
				t.Errorf("%s: %s", text, got)
			}
		}
	}
}

// periods are AlertWindows of some periods, with factors that are easy to work out: 10 % of the budget in a day, of n days, is 0.1 × n.
func periods(days ...int) string {
	var all strings.Builder
	for _, n := range days {
		const one = "{errorBudgetPercent: 10, shortWindow: 2h, longWindow: 1d}"
		fmt.Fprintf(&all, "---\napiVersion: sloth.slok.dev/v1\nkind: AlertWindows\nmetadata: {name: w%d}\nspec: {sloPeriod: %dd, page: {quick: %s, slow: %s}, ticket: {quick: %s, slow: %s}}\n", n, n, one, one, one, one)
	}
	return all.String()
}

// Sloth runs with one period: the usual 30 days, unless the files bring windows of just one other.
func TestThePeriodOfSlothsSLOs(t *testing.T) {
	const slo = "version: prometheus/v1\nservice: s\nslos: [{name: a, objective: 99, sli: {events: {error_query: e, total_query: t}}}]\n"
	for _, c := range []struct {
		windows string
		days    int
		factor  float64 // of the first window
	}{{"", 30, 14.4}, {periods(7), 7, 0.7}, {periods(30), 30, 3}, {periods(7, 30), 30, 3}, {periods(7, 14), 30, 14.4}} {
		// In one file, and in two in either order.
		together := read(t, slo+c.windows)
		first, second := read(t, slo), Documents{}
		if c.windows != "" {
			second, _ = Parse("b.yaml", []byte(c.windows))
		}
		first.Append(second)
		second.Append(read(t, slo))
		for i, docs := range []Documents{together, first, second} {
			s := docs.SLOs[0]
			if got := s.Policies[0].Inline.Conditions[0].Inline.Threshold; s.Window != time.Duration(c.days)*day || got < c.factor-1e-9 || got > c.factor+1e-9 || len(s.Policies) != 1 {
				t.Errorf("%d: %s: %s, factor %v", i, c.windows, s.Window, got)
			}
		}
	}
}

// pyrraWith is an SLO of Pyrra's with metadata and a spec beside target and window.
func pyrraWith(metadata, spec string) string {
	return "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {" + metadata + "}\nspec: {target: '99', window: 4w, " + spec + "}\n"
}

func TestEveryIndicatorOfPyrraArrives(t *testing.T) {
	for _, c := range []struct{ indicator, good, bad, total, selector string }{
		{`ratio: {errors: {metric: 't{job="a"}'}, total: {metric: 't{job="a",code!="1"}'}}`, "", `sum(t{job="a"})`, `sum(t{job="a",code!="1"})`, "job=a"},
		{`ratio: {errors: {metric: t}, total: {metric: 't{job="a",route="/"}'}, grouping: [route, zone]}`, "", "sum by (route, zone) (t)", `sum by (route, zone) (t{job="a",route="/"})`, "job=a"},
		{`latency: {success: {metric: 'b_bucket{le="1"}'}, total: {metric: 'b_count{x=~"y"}'}}`, `sum(b_bucket{le="1"})`, "", `sum(b_count{x=~"y"})`, ""},
		{"latencyNative: {latency: 1m500ms, total: {metric: n}}", "histogram_fraction(0, 60.5, sum(rate(n[5m]))) * histogram_count(sum(rate(n[5m])))", "", "histogram_count(sum(rate(n[5m])))", ""},
		{"bool_gauge: {metric: 'up{job=\"a\"}', grouping: [instance]}", `sum by (instance) (sum_over_time(up{job="a"}[5m]))`, "", `sum by (instance) (count_over_time(up{job="a"}[5m]))`, "job=a"},
	} {
		s := read(t, pyrraWith("name: x", "indicator: {"+c.indicator+"}")).SLOs[0]
		text := func(m *Metric) string {
			if m == nil {
				return ""
			}
			if m.Line != 4 {
				t.Errorf("%s: %q is of line %d", c.indicator, m.Query, m.Line)
			}
			return m.Query
		}
		r := s.Indicator.Ratio
		if text(r.Good) != c.good || text(r.Bad) != c.bad || text(r.Total) != c.total || !r.Counter {
			t.Errorf("%s: good %q, bad %q, total %q", c.indicator, text(r.Good), text(r.Bad), text(r.Total))
		}
		labels := s.Policies[0].Inline.Conditions[0].Inline.Labels
		if job := labels["job"]; (c.selector == "job=a") != (job == "a") || labels["route"] != "" || labels["x"] != "" || labels["slo"] != "x" {
			t.Errorf("%s: the alert has %v", c.indicator, labels)
		}
	}
}

// Over 28 days at 99 %: budget 1 %. The fastest window, an hour at 14 times, is reached by an outage after
// 14 × 1 % × 1 h = 8 min 24 s, and it must hold 2 min: missing data is told after 10 min 24 s, in whole minutes 10.
func TestAlertsOfPyrraArrive(t *testing.T) {
	const indicator = "indicator: {ratio: {errors: {metric: 't{bad=\"1\"}'}, total: {metric: t}}}"
	all := []string{"x_ErrorBudgetBurn_absent", "x_ErrorBudgetBurn_critical_fast", "x_ErrorBudgetBurn_critical_slow", "x_ErrorBudgetBurn_warning_fast", "x_ErrorBudgetBurn_warning_slow"}
	for _, c := range []struct {
		alerting string
		want     []string
	}{
		{"", all},
		{", alerting: {disabled: false}", all},
		{", alerting: {disabled: true}", nil},
		{", alerting: {burnrates: false}", all[:1]},
		{", alerting: {absent: false}", all[1:]},
		{", alerting: {burnrates: false, absent: false}", nil},
		{", alerting: {disabled: true, burnrates: true, absent: true}", nil},
	} {
		s := read(t, pyrraWith("name: x", indicator+c.alerting)).SLOs[0]
		if got := conditionsOf(s); got != strings.Join(c.want, " ") || len(s.Policies) == 0 {
			t.Errorf("%s: %s", c.alerting, got)
		}
	}
	s := read(t, pyrraWith("name: x, namespace: ns, labels: {a: b, pyrra.dev/team: pay, app: shop}, annotations: {pyrra.dev/runbook: r, other: o, kubectl.kubernetes.io/last-applied-configuration: '{}'}",
		indicator+", description: d, alerting: {name: Burns, absentName: Gone, severities: {absent: s0, fastBurn: s1, mediumBurn: s2, slowBurn: s3, longTermBurn: s4}}")).SLOs[0]
	wantLabels := map[string]string{"namespace": "ns", "a": "b", "team": "pay", "app": "shop"}
	if diff := cmp.Diff(wantLabels, s.Labels) + cmp.Diff(map[string]string{"runbook": "r", "other": "o"}, s.Annotations); diff != "" || s.Name != "ns.x" || s.Service != "shop" || s.Description != "d" || s.Window != 28*day {
		t.Errorf("%+v %s", s, diff)
	}
	var got []string
	for _, p := range s.Policies {
		for _, ref := range p.Inline.Conditions {
			c := ref.Inline
			got = append(got, fmt.Sprintf("%s %s %s %v %s/%s for %s no data %v", c.Annotations[AnnotationAlertName], c.Labels["severity"], c.Labels["exhaustion"], c.Threshold, c.Labels["long"], c.Labels["short"], c.After, p.Inline.WhenNoData && !p.Inline.WhenBreaching))
			if c.Labels["team"] != "pay" || c.Labels["slo"] != "x" || c.Labels["app"] != "" || c.Annotations["runbook"] != "r" || c.Annotations["other"] != "" {
				t.Errorf("%s: %v %v", c.Name, c.Labels, c.Annotations)
			}
		}
	}
	// A budget lasts window / factor at a factor: 28 d / 14 is 2 d.
	want := []string{
		"Gone s0  14 / for 10m0s no data true",
		"Burns s1 2d 14 1h/5m for 2m0s no data false", "Burns s2 4d 7 6h/30m for 15m0s no data false",
		"Burns s3 2w 2 1d/2h for 1h0m0s no data false", "Burns s4 4w 1 4d/6h for 3h0m0s no data false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Pyrra has an alert about missing data for each metric of its own name, and none for native histograms.
func TestPyrrasAlertsAboutMissingData(t *testing.T) {
	const apart = "is also about e{a=\"b\"} missing alone, which here is no error; if it must be there, add a rule: absent(e{a=\"b\"})"
	for _, c := range []struct {
		spec, warning string
		absent        bool
	}{
		{`indicator: {ratio: {errors: {metric: 't{a="b"}'}, total: {metric: t}}}`, "", true},
		{`indicator: {ratio: {errors: {metric: 'e{a="b"}'}, total: {metric: t}}}`, apart, true},
		{`indicator: {ratio: {errors: {metric: 'e{a="b"}'}, total: {metric: t}}}, alerting: {absent: false}`, "", false},
		{`indicator: {latency: {success: {metric: 'b_bucket{le="1"}'}, total: {metric: b_count}}}`, "", true}, // none is fast: all are bad
		{"indicator: {bool_gauge: {metric: up}}", "", true},
		{"indicator: {latencyNative: {latency: 1s, total: {metric: n}}}", "", false},
		{"indicator: {latencyNative: {latency: 1s, total: {metric: n}}}, alerting: {absent: true}", "", true},
		{"indicator: {latencyNative: {latency: 1s, total: {metric: n}}}, alerting: {absent: true, disabled: true}", "", false},
	} {
		docs, problems := Parse("a.yaml", []byte(pyrraWith("name: x", c.spec)))
		if got := strings.Contains(conditionsOf(docs.SLOs[0]), "_absent"); got != c.absent {
			t.Errorf("%s: an alert about missing data: %v", c.spec, got)
		}
		if got := fmt.Sprint(problems); (c.warning == "") != (len(problems) == 0) || !strings.Contains(got, c.warning) {
			t.Errorf("%s: %s", c.spec, got)
		}
		for _, p := range problems {
			if !p.Warning {
				t.Errorf("%s: %v", c.spec, p)
			}
		}
	}
}

func TestEveryMethodOfTheGeneratorArrives(t *testing.T) {
	for _, c := range []struct{ method, indicator, good, total, raw string }{
		{"good_bad_ratio", "filter_good: 'g{a=\"b\"}[window]', filter_valid: 'v'", `sum(g{a="b"})`, "sum(v)", ""},
		{"good_bad_ratio", "filter_good: g, filter_bad: 'b[window]', filter_valid: v", "sum(g)", "sum(g) + sum(b)", ""},
		{"query_sli", "expression: 'sum(increase(g[window])) / (sum(increase(v[window])))'", "sum(increase(g[5m]))", "sum(increase(v[5m]))", ""},
		{"query_sli", "expression: 'increase(g[window]) / increase(v[window])'", "sum(increase(g[5m]))", "sum(increase(v[5m]))", ""},
		{"query_sli", "expression: 'avg_over_time(share[window:1m])'", "", "", "avg_over_time(share[5m:1m])"},
		{"query_sli", "expression: 'percent / 100'", "", "", "percent / 100"},
		{"distribution_cut", "expression: 'd_bucket{a=\"b\"}[window]', threshold_bucket: 0.25", `sum(d_bucket{a="b",le="0.25"})`, `sum(d_count{a="b"})`, ""},
	} {
		docs, problems := Parse("a.yaml", []byte("apiVersion: sre.google.com/v2\nkind: ServiceLevelObjective\nmetadata: {name: x, labels: {service_name: shop, feature_name: f}}\n"+
			"spec: {description: d, goal: 0.99, backend: prometheus/eu, exporters: [], frequency: 5m, error_budget_policy: p, method: "+c.method+", service_level_indicator: {"+c.indicator+"}}\n"))
		if len(docs.SLOs) != 1 || len(problems) != 1 || !strings.Contains(problems[0].Error(), "a.yaml:4: spec.goal: the file names no window, and 28 days are taken") {
			t.Fatalf("%s: %v", c.method, problems)
		}
		s, r := docs.SLOs[0], docs.SLOs[0].Indicator.Ratio
		switch {
		case c.raw != "" && (r.Raw == nil || r.Raw.Query != c.raw || r.RawType != "success"), c.raw == "" && (r.Good == nil || r.Good.Query != c.good || r.Total.Query != c.total || r.Bad != nil):
			t.Errorf("%s %s: %+v %+v", c.method, c.indicator, r.Good, r.Total)
		case s.Service != "shop" || s.Description != "d" || s.Window != 28*day || s.Objectives[0].Target != 0.99 || len(s.Policies) != 0 || s.Labels["feature_name"] != "f":
			t.Errorf("%+v", s)
		}
	}
}

func TestEveryWindowOfTheFirstOpenSLOArrives(t *testing.T) {
	with := func(rest string) string {
		return "apiVersion: openslo/v1alpha\nkind: SLO\nmetadata: {name: x}\nspec: {service: s, objectives: [{target: 0.9, ratioMetrics: {counter: false, good: {query: g}, total: {query: t, metadata: {a: b}}}}], " + rest + "}\n"
	}
	for rest, want := range map[string]string{
		"description: d": "720h0m0s", "timeWindows: [{unit: Minute, count: 90}]": "1h30m0s", "timeWindows: [{unit: hour, count: 12, isRolling: true}]": "12h0m0s",
		"timeWindows: [{unit: Week, count: 4}]": "672h0m0s", "timeWindows: [{unit: Quarter, count: 1, calendar: {timeZone: UTC, startTime: 2026-01-01}}]": "1Q", "timeWindows: [{unit: Day, count: 2, isRolling: false, calendar: {timeZone: UTC}}]": "2d",
	} {
		s := read(t, with(rest)).SLOs[0]
		got := s.Window.String()
		if s.Calendar != nil {
			got = s.Calendar.Text()
		}
		if got != want || s.Indicator.Ratio.Counter || s.Indicator.Ratio.Good.Query != "g" || s.Indicator.Ratio.Total.Query != "t" {
			t.Errorf("%s: %s %+v", rest, got, s.Indicator.Ratio)
		}
	}
	for rest, want := range map[string]string{
		"timeWindows: [{unit: Fortnight, count: 1}]":                                           `timeWindows.unit: the unit "Fortnight" is unknown; use Minute, Hour, Day, Week, Month, Quarter or Year`,
		"timeWindows: [{unit: Month, count: 1}]":                                               "months, quarters and years are calendar windows",
		"timeWindows: [{unit: Day, count: 1}, {unit: Day, count: 2}]":                          "the SLO has several timeWindows; keep one",
		"timeWindows: [{unit: Minute, count: 5, isRolling: false, calendar: {timeZone: UTC}}]": "a calendar window is made of days, weeks, months, quarters or years",
		"timeWindows: [{unit: Day, count: 1.5}]":                                               `"1.5" is not a whole number`,
		"timeWindows: [{unit: Day, count: 500}]":                                               "window 500d is out of bounds; use 1h to 400d",
		"timeWindows: [{count: 1}]":                                                            "timeWindows.unit is missing",
		"timeWindow: [{duration: 28d}]":                                                        `unknown key "timeWindow"; did you mean "timeWindows"?`,
		"indicator: {thresholdMetric: {source: datadog, query: x}}":                            `the source "datadog" cannot be read; only Prometheus is`,
		"indicator: {thresholdMetric: {source: prometheus, queryType: sql, query: x}}":         `the query type "sql" cannot be read; use promql`,
		"indicator: {ratioMetric: {good: x}}":                                                  "thresholdMetric is missing",
		"budgetingMethod: occurrences":                                                         `spec.budgetingMethod: budgetingMethod "occurrences" is unknown; did you mean "Occurrences"?`,
	} {
		docs, problems := Parse("a.yaml", []byte(with(rest)))
		if got := fmt.Sprint(problems); !strings.Contains(got, want) || !strings.Contains(got, "a.yaml:4: ") || len(docs.SLOs) != 0 {
			t.Errorf("%s: %s", rest, got)
		}
	}
}
