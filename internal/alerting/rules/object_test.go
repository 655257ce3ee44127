package rules_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/rulefmt"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/document"
)

const plainRules = `# What a comment says stays.
groups:
  - name: work
    interval: 15s
    rules:
      - alert: ErrorsHigh
        expr: |
          errors
          > 10
        for: 3m
        labels: {severity: critical}
        annotations: {summary: "{{ $value }} errors."}
  - name: rest
    rules:
      - record: a:b
        expr: sum(b)
`

const objectRules = `apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: work
  labels:
    release: prometheus
spec:
  groups:
  - name: work
    interval: 15s
    partial_response_strategy: abort
    rules:
    - alert: ErrorsHigh
      expr: |
        errors
        > 10
      for: 3m
      labels: {severity: critical}
      annotations: {summary: "{{ $value }} errors."}
---
{"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "rest"},
 "spec": {"groups": [{"name": "rest", "rules": [{"record": "a:b", "expr": "sum(b)"}]}]}}
`

const objectList = `apiVersion: v1
kind: List
items:
  - apiVersion: monitoring.coreos.com/v1
    kind: PrometheusRule
    metadata: {name: work}
    spec:
      groups:
        - name: work
          interval: 15s
          rules: [{alert: ErrorsHigh, expr: "errors\n> 10\n", for: 3m, labels: {severity: critical}, annotations: {summary: "{{ $value }} errors."}}]
        - {name: rest, rules: [{record: "a:b", expr: sum(b)}]}
`

func parsed(t *testing.T, text string) *rulefmt.RuleGroups {
	t.Helper()
	groups, errs := rules.Parse([]byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return groups
}

func TestObjectsOfKubernetesAreReadAsTheirRules(t *testing.T) {
	want := parsed(t, plainRules)
	for name, text := range map[string]string{"two documents, one of them JSON": objectRules, "a list": objectList} {
		if diff := cmp.Diff(want.Groups, parsed(t, text).Groups); diff != "" {
			t.Errorf("%s (-plain +objects):\n%s", name, diff)
		}
	}
}

func TestARuleFileAsAnObjectReadsTheSame(t *testing.T) {
	text, err := rules.ToObject(rules.ObjectMeta{Name: "work", Namespace: "monitoring", Labels: map[string]string{"release": "prometheus"}}, []byte(plainRules))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"kind: PrometheusRule", "namespace: monitoring", "release: prometheus", "# What a comment says stays."} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the object lacks %q:\n%s", want, text)
		}
	}
	if diff := cmp.Diff(parsed(t, plainRules).Groups, parsed(t, string(text)).Groups); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if _, err := rules.ToObject(rules.ObjectMeta{Name: "x"}, text); err == nil {
		t.Error("an object was wrapped into an object")
	}
	if _, err := rules.ToObject(rules.ObjectMeta{Name: "x"}, []byte("groups: [{name: a, rules: [{alert: A, expr: 'sum('}]}]")); err == nil {
		t.Error("rules that do not load became an object")
	}
}

func TestTheExamplesBecomeObjectsAndBack(t *testing.T) {
	files, err := filepath.Glob("../../../examples/broker/rules/*.yml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		plain, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := rules.ToObject(rules.ObjectMeta{Name: rules.ObjectName("broker-" + filepath.Base(file))}, plain)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if diff := cmp.Diff(parsed(t, string(plain)).Groups, parsed(t, string(text)).Groups); diff != "" {
			t.Errorf("%s (-before +after):\n%s", file, diff)
		}
	}
}

func TestWrongObjectsAreNamedWithTheirLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an expression that does not parse", strings.Replace(objectRules, "> 10", "> (", 1), "r.yml:14: "},
		{"another kind", "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: edge}\n", "ServiceMonitor edge: only PrometheusRule objects hold rules"},
		{"another version", strings.Replace(objectRules, "coreos.com/v1", "coreos.com/v2", 1), "apiVersion must be monitoring.coreos.com/v1"},
		{"a group twice", objectRules + "---\n" + objectRules, `"work" is repeated`},
		{"no YAML", "kind: PrometheusRule\n  x: [", "["},
	} {
		path := file(t, "r.yml", c.text)
		_, problems := rules.LoadFiles([]string{path}, rules.DefaultParser())
		err := document.Err(problems)
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want the file and %q", c.name, err, c.want)
		}
	}
}

func TestObjectsLoadIntoARunningSet(t *testing.T) {
	f := start(t, t.TempDir(), every(1e9), newOutbox())
	if err := f.Reload([]string{file(t, "r.yml", objectRules)}); err != nil {
		t.Fatal(err)
	}
	if as := f.AlertingRules(); len(as) != 2 {
		t.Errorf("alerting rules %v", as)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{plainRules, objectRules, objectList, "kind: List\nitems: [{}]", "kind: PrometheusRule\nspec:\n  groups:\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		groups, errs := rules.Parse(text)
		if groups == nil && len(errs) == 0 {
			t.Error("neither rules nor an error")
		}
	})
}
