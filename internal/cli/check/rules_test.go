package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The same files pass in the storage of promtool, in the test beside the rules.
func TestCheckRulesRunsFilesOfTestsAmongItsArguments(t *testing.T) {
	status, out, errOut := run(t, "check", "rules", "../../../examples/broker/rules/*.yml", "../../../examples/broker/rules/tests/*.yml")
	if status != 0 || errOut != "" || !strings.Contains(out, " rule files are good\n") || !strings.Contains(out, " tests of rules in 9 files passed\n") {
		t.Errorf("status %d, %q, %q", status, out, errOut)
	}
}

func TestCheckRulesOfAFailingTestExits3AndSaysWhatWasWanted(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"rules.yml":   "groups: [{name: g, rules: [{alert: Down, expr: up == 0}]}]\n",
		"failing.yml": "rule_files: [rules.yml]\ntests: [{name: t, input_series: [{series: up, values: '0'}], alert_rule_test: [{eval_time: 0, alertname: Down}]}]\n",
		"broken.yml":  "rule_files: [missing.yml]\ntests: [{name: t}]\n",
		"typo.yml":    "rule_files: [rules.yml]\ntests: [{name: t, alert_rule_test: [{eval_time: 0, alertname: Dwn}]}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	status, out, errOut := run(t, "check", "rules", filepath.Join(dir, "*.yml"))
	if status != 3 || strings.Contains(out, "passed") {
		t.Errorf("status %d, %q", status, out)
	}
	for _, want := range []string{
		"failing.yml: test \"t\", at 0s: alert Down\n    want nothing\n    got  {alertname=\"Down\"}\n",
		"broken.yml: rule_files: missing.yml: no such file",
		"warning: " + filepath.Join(dir, "typo.yml") + ": test \"t\", at 0s: no rule file has an alert Dwn",
		"1 of 2 tests of rules failed, 1 file could not be run\n",
	} {
		if !strings.Contains(errOut, want) {
			t.Errorf("%q is not in\n%s", want, errOut)
		}
	}
	status, out, errOut = run(t, "check", "rules", filepath.Join(dir, "typo.yml"))
	if status != 0 || out != "1 test of rules in 1 file passed\n" || !strings.HasPrefix(errOut, "warning: ") {
		t.Errorf("status %d, %q, %q; a warning is no error", status, out, errOut)
	}
	status, _, errOut = run(t, "check", "rules", "--backtest", "1h", filepath.Join(dir, "typo.yml"))
	if status != 2 || !strings.Contains(errOut, "name the rule files as well") {
		t.Errorf("a backtest of tests alone: status %d, %q", status, errOut)
	}
}

func TestCheckRulesSaysWhereAResourceWakesPeople(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yml")
	text := "groups:\n  - name: g\n    rules:\n      - alert: BusyNode\n        expr: instance:node_cpu:ratio > 0.9\n        labels: {severity: critical}\n      - alert: BusyToo\n        expr: node_load1 > 9\n        labels: {severity: warning}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errOut := run(t, "check", "rules", file)
	if status != 0 || !strings.Contains(out, "1 rule files are good") || !strings.Contains(errOut, "rules.yml:4: ") || !strings.Contains(errOut, "BusyNode wakes people by instance:node_cpu:ratio") || !strings.Contains(errOut, "severity: warning") || strings.Contains(errOut, "BusyToo") {
		t.Errorf("status %d, %q, %q", status, out, errOut)
	}
}
