package unittest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/alerting/rules/unittest"
)

// ruleText has an alert with templates, one that is kept firing, and a group
// that reads what another one records.
const ruleText = `groups:
  - name: alerts
    rules:
      - alert: InstanceDown
        expr: up == 0
        for: 5m
        labels: {severity: page}
        annotations:
          summary: "{{ $labels.instance }} of {{ $externalLabels.site }} is down, value {{ $value }}"
          link: "{{ $externalURL }}/i"
      - alert: Kept
        expr: job:errors:sum > 0
        keep_firing_for: 3m
  - name: sums
    rules:
      - record: job:errors:sum
        expr: sum by (job) (errors)
  - name: pairs
    rules:
      - {record: pairs, expr: 'errors{x="1"} * on() errors{x=~".+"}'}
`

const objectText = `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: shop}
spec:
  groups:
    - name: alerts
      rules:
        - alert: InstanceDown
          expr: up == 0
`

// run writes the files, of which test.yml is the test, and runs it.
func run(t *testing.T, text string) (unittest.Report, error) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	for name, content := range map[string]string{"test.yml": text, "rules.yml": ruleText, "object.yml": objectText} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report, err := unittest.Run(t.Context(), filepath.Join(dir, "test.yml"), unittest.Options{Parser: rules.DefaultParser()})
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("a store was left behind: %s", left[0].Name())
	}
	return report, err
}

// one is a file of one test.
func one(body string) string {
	return "rule_files: [rules.yml]\nevaluation_interval: 1m\ngroup_eval_order: [sums, alerts]\ntests:\n  - interval: 1m\n" + body
}

const down = `    name: down
    external_labels: {site: north}
    external_url: https://prom.example.com
    input_series:
      - {series: 'up{job="node",instance="a:1"}', values: '1 0x9'}
`

func TestWhatMustHoldPasses(t *testing.T) {
	for name, text := range map[string]string{
		"a pending alert does not fire": one(down + "    alert_rule_test: [{eval_time: 5m, alertname: InstanceDown}]\n"),
		"an alert with its templates": one(down + `    alert_rule_test:
      - eval_time: 6m
        alertname: InstanceDown
        exp_alerts:
          - exp_labels: {severity: page, job: node, instance: 'a:1'}
            exp_annotations: {summary: 'a:1 of north is down, value 0', link: https://prom.example.com/i}
`),
		"ALERTS, between evaluations": one(down + `    promql_expr_test:
      - {expr: 'count(ALERTS{alertstate="firing"})', eval_time: 6m30s, exp_samples: [{labels: '{}', value: 1}]}
`),
		"an alert kept firing, and a group that reads another of the same moment": one(`    input_series: [{series: 'errors{job="a"}', values: '0 1 0x10'}]
    alert_rule_test:
      - {eval_time: 0, alertname: Kept}
      - {eval_time: 1m, alertname: Kept, exp_alerts: [{exp_labels: {job: a}}]}
      - {eval_time: 4m, alertname: Kept, exp_alerts: [{exp_labels: {job: a}}]}
      - {eval_time: 5m, alertname: Kept}
`),
		"gaps, stale markers and folded values": one(`    input_series:
      - series: m
        values: >-
          1 _
          stale 4+2x3
    promql_expr_test:
      - {expr: m, eval_time: 1m, exp_samples: [{labels: m, value: 1}]}
      - {expr: m, eval_time: 2m}
      - {expr: m, eval_time: 6m, exp_samples: [{labels: m, value: 10}]}
`),
		"native histograms": one(`    input_series: [{series: h, values: '{{schema:0 sum:6 count:4 buckets:[1 2 1]}}x3'}]
    promql_expr_test:
      - {expr: histogram_count(h), eval_time: 3m, exp_samples: [{labels: '{}', value: 4}]}
      - {expr: h, eval_time: 3m, exp_samples: [{labels: h, histogram: '{{schema:0 sum:6 count:4 buckets:[1 2 1]}}'}]}
`),
		"scalars, NaN, and a start": one(`    start_timestamp: 2026-01-31T08:00:00Z
    promql_expr_test:
      - {expr: hour(), eval_time: 61m, exp_samples: [{labels: '{}', value: 9}]}
      - {expr: 0/0, eval_time: 0, exp_samples: [{labels: '{}', value: .nan}]}
`),
		"a PrometheusRule object, defaults of the file": "rule_files: ['obj*.yml']\ntests:\n  - input_series: [{series: up, values: '0x5'}]\n" +
			"    alert_rule_test: [{eval_time: 2m, alertname: InstanceDown, exp_alerts: [{}]}]\n",
		"neighbours of a number": "fuzzy_compare: true\ntests:\n  - promql_expr_test: [{expr: '0.1+0.2', eval_time: 0, exp_samples: [{labels: '{}', value: 0.3}]}]\n",
		"no rules at all":        `{"tests": [{"promql_expr_test": [{"expr": "vector(1)", "eval_time": "1m", "exp_samples": [{"labels": "{}", "value": 1}]}]}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if !unittest.Is([]byte(text)) {
				t.Error("is not taken for a test file")
			}
			r, err := run(t, text)
			if err != nil || r.Tests != 1 || r.Failed != 0 || len(r.Warnings) > 0 {
				t.Errorf("report %+v, %v", r, err)
			}
		})
	}
}

func TestWhatDoesNotHoldNamesTestTimeWantAndGot(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{
			"an alert that must not fire", one(down + "    alert_rule_test: [{eval_time: 6m, alertname: InstanceDown}]\n"),
			`test "down", at 6m: alert InstanceDown
    want nothing
    got  {alertname="InstanceDown", instance="a:1", job="node", severity="page"}
         link: "https://prom.example.com/i"
         summary: "a:1 of north is down, value 0"`,
		},
		{
			"an alert that must fire", one("    alert_rule_test: [{eval_time: 6m, alertname: InstanceDown, exp_alerts: [{exp_labels: {a: b}, exp_annotations: {c: d}}]}]\n"),
			"test 1 (without a name), at 6m: alert InstanceDown\n    want {a=\"b\", alertname=\"InstanceDown\"}\n         c: \"d\"\n    got  nothing",
		},
		{
			"another value", one(down + "    promql_expr_test: [{expr: sum(up), eval_time: 1m, exp_samples: [{labels: '{}', value: 1}]}]\n"),
			"test \"down\", at 1m: expr sum(up)\n    want {} 1\n    got  {} 0",
		},
		{
			"a number for a histogram", one("    input_series: [{series: h, values: '{{count:4 sum:6}}'}]\n    promql_expr_test: [{expr: h, eval_time: 0, exp_samples: [{labels: h, value: 4}]}]\n"),
			`got  {__name__="h"} {{count:4 sum:6}}`,
		},
		{"neighbours are not equal by default", "tests:\n  - promql_expr_test: [{expr: '0.1+0.2', eval_time: 0, exp_samples: [{labels: '{}', value: 0.3}]}]\n", "got  {} 0.30000000000000004"},
		{"an expression that does not parse", one("    promql_expr_test: [{expr: 'sum(', eval_time: 0}]\n"), "at 0s: expr sum(: read expression: "},
		{"a result that is no vector", one("    promql_expr_test: [{expr: 'up[5m]', eval_time: 0}]\n"), "the result is a matrix; only vectors"},
		{"values that do not parse", one("    input_series: [{series: up, values: '1 two'}]\n"), `input_series up, values "1 two": `},
		{"no alertname", one("    alert_rule_test: [{eval_time: 1m}]\n"), "alert_rule_test at 1m has no alertname; name the alert"},
		{"a histogram that is none", one("    promql_expr_test: [{expr: h, eval_time: 0, exp_samples: [{labels: h, histogram: '4'}]}]\n"), `histogram "4" is not one histogram; write`},
		{
			"a rule that cannot be evaluated", one("    external_labels: {site: north}\n    input_series: [{series: 'errors{x=\"1\"}', values: '1'}, {series: 'errors{x=\"2\"}', values: '1'}]\n    promql_expr_test: [{expr: pairs, eval_time: 1m}]\n"),
			"rule pairs of group pairs, evaluated at 0s: ",
		},
		{"another hint of a histogram", one("    input_series: [{series: h, values: '{{count:4 sum:6}}x2'}]\n    promql_expr_test: [{expr: h, eval_time: 2m, exp_samples: [{labels: h, histogram: '{{count:4 sum:6 counter_reset_hint:reset}}'}]}]\n"), "counter_reset_hint:not_reset"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := run(t, c.text)
			if err != nil || r.Failed != 1 || len(r.Failures) != 1 {
				t.Fatalf("report %+v, %v; want one failure", r, err)
			}
			if got := r.Failures[0].String(); !strings.Contains(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestFilesThatTestNothingAreErrors(t *testing.T) {
	const some = "tests: [{promql_expr_test: []}]\n"
	for name, c := range map[string]struct{ text, want string }{
		"no test":                       {"tests: []\n", "tests: there is none, so nothing would be tested"},
		"a rule file that is not there": {"rule_files: [other.yml]\n" + some, "rule_files: other.yml: no such file; paths are relative to the test file"},
		"a pattern of nothing":          {"rule_files: ['x*.yml']\n" + some, "rule_files: x*.yml: no such file"},
		"a rule file that is a test":    {"rule_files: [test.yml]\n" + some, "field rule_files not found"},
		"an unknown key":                {"tests:\n  - alert_rule_tests: []\n", "line 2: field alert_rule_tests not found"},
		"a second document":             {some + "---\n" + some, "a test file is one document"},
		"a group named twice":           {"group_eval_order: [a, a]\n" + some, `group_eval_order: "a" is named twice`},
		"a time that is none":           {"tests: [{start_timestamp: noon}]\n", `start_timestamp "noon" is no time; write RFC 3339`},
		"no YAML":                       {"tests: [\n", "not a file of rule tests: yaml: line"},
	} {
		t.Run(name, func(t *testing.T) {
			if !unittest.Is([]byte(c.text)) {
				t.Error("is not taken for a test file")
			}
			if r, err := run(t, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("report %+v, error %v; want %q", r, err, c.want)
			}
		})
	}
}

func TestAnAlertThatNoRuleHasIsAWarning(t *testing.T) {
	r, err := run(t, one("    alert_rule_test: [{eval_time: 1m, alertname: InstanceDwn}]\n"))
	if err != nil || r.Failed != 0 || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "at 1m: no rule file has an alert InstanceDwn") {
		t.Errorf("report %+v, %v", r, err)
	}
}

func TestOneFailedTestDoesNotHoldUpTheOthers(t *testing.T) {
	r, err := run(t, "tests:\n  - {name: bad, input_series: [{series: '{', values: '1'}]}\n  - {name: good}\n  - {name: worse, promql_expr_test: [{expr: vector(1), eval_time: 0}]}\n")
	if err != nil || r.Tests != 3 || r.Failed != 2 || len(r.Failures) != 2 || r.Failures[1].Test != `"worse"` {
		t.Errorf("report %+v, %v", r, err)
	}
}

func TestRuleFilesAreNotTakenForTests(t *testing.T) {
	for _, text := range []string{ruleText, objectText, "", "rule_files: [a.yml]\n", "groups: [{name: tests, rules: []}]\n"} {
		if unittest.Is([]byte(text)) {
			t.Errorf("taken for a test file: %q", text)
		}
	}
}

// The parser decides which language the tests speak.
func TestExperimentalFunctionsFollowTheParser(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.yml")
	if err := os.WriteFile(file, []byte("tests: [{promql_expr_test: [{expr: 'sort_by_label(vector(1), \"a\")', eval_time: 0, exp_samples: [{labels: '{}', value: 1}]}]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, on := range []bool{false, true} {
		r, err := unittest.Run(t.Context(), file, unittest.Options{Parser: parser.NewParser(parser.Options{EnableExperimentalFunctions: on})})
		if err != nil || (r.Failed == 0) != on {
			t.Errorf("enabled %t: report %+v, %v", on, r, err)
		}
	}
}
