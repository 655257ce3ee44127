package broker_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	promrules "github.com/prometheus/prometheus/rules"
)

// unitTests is promtool's file format, as far as the tests use it: the same
// files run with `promtool test rules rules/tests/*.yml`.
type unitTests struct {
	RuleFiles          []string       `yaml:"rule_files"`
	EvaluationInterval model.Duration `yaml:"evaluation_interval"`
	GroupEvalOrder     []string       `yaml:"group_eval_order"`
	Tests              []unitTest     `yaml:"tests"`
}

type unitTest struct {
	Name        string         `yaml:"name"`
	Interval    model.Duration `yaml:"interval"`
	InputSeries []struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	} `yaml:"input_series"`
	AlertRuleTests []alertTest `yaml:"alert_rule_test"`
}

type alertTest struct {
	EvalTime  model.Duration `yaml:"eval_time"`
	Alertname string         `yaml:"alertname"`
	ExpAlerts []struct {
		ExpLabels      map[string]string `yaml:"exp_labels"`
		ExpAnnotations map[string]string `yaml:"exp_annotations"`
	} `yaml:"exp_alerts"`
}

func TestEveryRuleFiresWhereItMustAndNotJustBelow(t *testing.T) {
	files, err := filepath.Glob("rules/tests/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests of rules: %v", err)
	}
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var tests unitTests
			if err := yaml.UnmarshalWithOptions(text, &tests, yaml.Strict()); err != nil {
				t.Fatal(err)
			}
			for _, u := range tests.Tests {
				t.Run(u.Name, func(t *testing.T) { runUnitTest(t, file, tests, u) })
				for _, a := range u.AlertRuleTests {
					fires[a.Alertname] = fires[a.Alertname] || len(a.ExpAlerts) > 0
					quiet[a.Alertname] = quiet[a.Alertname] || len(a.ExpAlerts) == 0
				}
			}
		})
	}
	for _, name := range alertNames(t) {
		if !fires[name] || !quiet[name] {
			t.Errorf("%s: a test makes it fire: %t, a test keeps it just below its limit: %t", name, fires[name], quiet[name])
		}
	}
}

// alertNames are those of all rule files.
func alertNames(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, name := range glob(t, "rules/*.yml", 8) {
		for _, line := range bytes.Split(read(t, name), []byte("\n")) {
			if _, alert, ok := bytes.Cut(line, []byte("- alert: ")); ok && !slices.Contains(out, string(alert)) {
				out = append(out, string(alert))
			}
		}
	}
	return out
}

func runUnitTest(t *testing.T, file string, tests unitTests, u unitTest) {
	t.Helper()
	interval := u.Interval
	if interval == 0 {
		interval = tests.EvaluationInterval
	}
	var load strings.Builder
	fmt.Fprintf(&load, "load %s\n", interval)
	for _, s := range u.InputSeries {
		fmt.Fprintf(&load, "  %s %s\n", s.Series, s.Values)
	}
	suite, err := promqltest.NewLazyLoader(load.String(), promqltest.LazyLoaderOpts{EnableAtModifier: true, EnableNegativeOffset: true})
	if err != nil {
		t.Fatal(err)
	}
	defer suite.Close()
	suite.SubqueryInterval = time.Duration(tests.EvaluationInterval)
	m := promrules.NewManager(&promrules.ManagerOptions{
		QueryFunc: promrules.EngineQueryFunc(suite.QueryEngine(), suite.Storage()), Appendable: suite.Storage(), Context: context.Background(),
		NotifyFunc: func(context.Context, string, ...*promrules.Alert) {}, Logger: promslog.NewNopLogger(), Parser: parser.NewParser(parser.Options{}),
	})
	var files []string
	for _, f := range tests.RuleFiles {
		files = append(files, filepath.Join(filepath.Dir(file), f))
	}
	loaded, errs := m.LoadGroups(time.Duration(tests.EvaluationInterval), labels.EmptyLabels(), "", nil, false, files...)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	groups := ordered(loaded, tests.GroupEvalOrder)
	end := time.Duration(0)
	for _, a := range u.AlertRuleTests {
		end = max(end, time.Duration(a.EvalTime))
	}
	for at := time.Duration(0); at <= end; at += time.Duration(tests.EvaluationInterval) {
		ts := time.Unix(0, 0).UTC().Add(at)
		suite.WithSamplesTill(ts, func(err error) {
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range groups {
				g.Eval(suite.Context(), ts)
				for _, r := range g.Rules() {
					if r.LastError() != nil {
						t.Fatalf("rule %s at %s: %v", r.Name(), at, r.LastError())
					}
				}
			}
		})
		for _, a := range u.AlertRuleTests {
			if time.Duration(a.EvalTime) == at {
				compareAlerts(t, a, groups)
			}
		}
	}
}

func ordered(groups map[string]*promrules.Group, order []string) []*promrules.Group {
	var out []*promrules.Group
	for _, g := range groups {
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b *promrules.Group) int {
		i, j := slices.Index(order, a.Name()), slices.Index(order, b.Name())
		if i < 0 {
			i = len(order)
		}
		if j < 0 {
			j = len(order)
		}
		return 1000*(i-j) + strings.Compare(a.Name(), b.Name())
	})
	return out
}

func compareAlerts(t *testing.T, a alertTest, groups []*promrules.Group) {
	t.Helper()
	type alert struct{ Labels, Annotations map[string]string }
	var got, want []alert
	for _, e := range a.ExpAlerts {
		ls := map[string]string{"alertname": a.Alertname}
		for k, v := range e.ExpLabels {
			ls[k] = v
		}
		want = append(want, alert{ls, e.ExpAnnotations})
	}
	for _, g := range groups {
		for _, r := range g.Rules() {
			rule, ok := r.(*promrules.AlertingRule)
			if !ok || rule.Name() != a.Alertname {
				continue
			}
			for _, one := range rule.ActiveAlerts() {
				if one.State == promrules.StateFiring {
					got = append(got, alert{one.Labels.Map(), one.Annotations.Map()})
				}
			}
		}
	}
	byLabels := func(x, y alert) int { return strings.Compare(fmt.Sprint(x.Labels), fmt.Sprint(y.Labels)) }
	slices.SortFunc(got, byLabels)
	slices.SortFunc(want, byLabels)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s at %s (-want +got):\n%s", a.Alertname, a.EvalTime, diff)
	}
}
