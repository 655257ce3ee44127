package definition_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	prom "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

var table = []definition.BurnAlert{
	{Name: "fast", Long: prom.Duration(time.Hour), Factor: 14, Effect: definition.EffectPage, For: prom.Duration(2 * time.Minute)},
	{Name: "slow", Long: day(3), Short: prom.Duration(6 * time.Hour), Factor: 1, Effect: definition.EffectTicket},
	{Name: "never", Long: day(60), Factor: 1, Effect: definition.EffectTicket}, // longer than any budget here
}

// exported reads the rules of definitions back, by group.
func exported(t *testing.T, defs ...*definition.Definition) map[string][]rulefmt.Rule {
	t.Helper()
	text, err := definition.PrometheusRules(table, defs)
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(text, false, prom.LegacyValidation, parser.NewParser(parser.Options{}), nil)
	if len(errs) > 0 {
		t.Fatalf("%v in\n%s", errs, text)
	}
	out := map[string][]rulefmt.Rule{}
	for _, g := range groups.Groups {
		out[g.Name] = g.Rules
	}
	return out
}

func TestExportedRulesReadBackAlike(t *testing.T) {
	// Names and texts that YAML or templates would take for something else.
	metadata := `, displayName: '{{{ "no": ''template'' }}} # nor comment', labels: {team: "yes", version: "1.20", "": nameless}, annotations: {runbook: "{{ $labels.x }}", note: "- a: b"}`
	defs, problems := definition.Parse("a.yaml", []byte(sloText("pay", metadata, failures, "{target: 0.995}")))
	if len(problems) != 1 || !strings.Contains(problems[0].Error(), `the label "" does not reach its alerts`) {
		t.Error(problems)
	}
	rules := exported(t, defs...)["slo-pay"]
	var records []string
	for _, r := range rules {
		if r.Record == "" {
			continue
		}
		records = append(records, strings.TrimPrefix(r.Record, "slo:error_ratio:"))
		if diff := cmp.Diff(map[string]string{"slo": "pay", "service": "shop"}, r.Labels); diff != "" {
			t.Errorf("%s: %s", r.Record, diff)
		}
	}
	if got := strings.Join(records, " "); got != "5m 1h 6h 3d" {
		t.Errorf("recorded over %s", got)
	}
	if got := rules[0].Expr; got != "(sum(increase(bad_total[5m])) or vector(0)) / sum(increase(all_total[5m]))" {
		t.Errorf("over 5m: %s", got)
	}
	alerts := rules[len(records):]
	if len(alerts) != 2 {
		t.Fatalf("%d alerts", len(alerts))
	}
	// 14 and 1 times a budget of 0.5 %.
	for i, want := range []rulefmt.Rule{
		{Alert: "fast", Expr: `slo:error_ratio:1h{slo="pay"} >= 0.07 and slo:error_ratio:5m{slo="pay"} >= 0.07`, For: prom.Duration(2 * time.Minute)},
		{Alert: "slow", Expr: `slo:error_ratio:3d{slo="pay"} >= 0.005 and slo:error_ratio:6h{slo="pay"} >= 0.005`},
	} {
		got := alerts[i]
		labels := defs[0].AlertLabels(table[i])
		delete(labels, "alertname")
		if got.Alert != want.Alert || got.Expr != want.Expr || got.For != want.For {
			t.Errorf("%+v, want %+v", got, want)
		}
		if diff := cmp.Diff(map[string]string(labels), got.Labels); diff != "" {
			t.Errorf("%s: %s", got.Alert, diff)
		}
		if a := got.Annotations; a["runbook"] != "{ { $labels.x } }" || a["note"] != "- a: b" || strings.Contains(a["summary"], "{{") || !strings.Contains(a["summary"], "burns its budget at "+fmt.Sprint(table[i].Factor)+" times") {
			t.Errorf("%v", a)
		}
	}
}

func TestTheRulesOfEveryKindOfSLO(t *testing.T) {
	const noData = "  alertPolicies: [{kind: AlertPolicy, metadata: {name: p}, spec: {alertWhenNoData: true, alertWhenBreaching: false, conditions: [{kind: AlertCondition, metadata: {name: gone, annotations: {signalbox.io/alert-name: PayGone, signalbox.io/alert-labels: only, text: '{{ $value }}'}, labels: {a: b}}, spec: {severity: page, condition: {kind: burnrate, threshold: 2, lookbackWindow: 1h}}}]}}]\n"
	defs := defined(t, sloText("groups", "", byRoute, target)+sloText("lost", "", counted, target, noData)+
		sloText("both", "", "", "{indicatorRef: lost, compositeWeight: 3}, {indicatorRef: half}")+sloText("half", "", threshold, "{op: lt, value: 1, target: 0.5}"))
	rules := exported(t, defs["groups"], defs["lost"], defs["half"], defs["both"])
	for _, r := range rules["slo-groups"] {
		if r.Labels["route"] != "" || r.Record == "slo:error_ratio:1h" && !strings.Contains(r.Expr, "sum by (route) (increase(ok_total[60m]))") {
			t.Errorf("%+v", r)
		}
	}
	lost := rules["slo-lost"]
	if r := lost[len(lost)-1]; r.Alert != "PayGone" || r.Expr != `absent(slo:error_ratio:1h{slo="lost"})` || r.Annotations["text"] != "{{ $value }}" || r.Labels["a"] != "b" || r.Labels["signalbox_slo"] != "lost" {
		t.Errorf("%+v", r)
	}
	// Objective 3/4 × 0.99 + 1/4 × 0.5 = 0.8675; weights in budgets: 0.75 × 0.1325 / 0.01 = 9.9375 and 0.25 × 0.1325 / 0.5 = 0.06625.
	i := slices.IndexFunc(rules["slo-both"], func(r rulefmt.Rule) bool { return r.Record == "slo:error_ratio:6h" })
	if got := rules["slo-both"][i].Expr; got != `9.9375 * sum(slo:error_ratio:6h{slo="lost"}) + 0.06625 * sum(slo:error_ratio:6h{slo="half"})` {
		t.Error(got)
	}
	// What the composite is made of is recorded over the composite's windows, too.
	if !slices.ContainsFunc(lost, func(r rulefmt.Rule) bool { return r.Record == "slo:error_ratio:6h" }) {
		t.Errorf("%+v", lost)
	}
}

func TestWhatCannotBeExportedSaysWhy(t *testing.T) {
	defs := defined(t, sloText("good", "", counted, target)+sloText("events", "", spans, target)+sloText("made-of", "", "", "{indicatorRef: events}")+sloText("clash", "", strings.ReplaceAll(byRoute, "(route)", "(severity)"), target))
	all := []*definition.Definition{defs["good"], defs["events"], defs["made-of"], defs["clash"]}
	can, refused := definition.Exportable(all)
	if len(can) != 1 || can[0] != defs["good"] || len(refused) != 3 {
		t.Fatalf("%v %v", can, refused)
	}
	for i, want := range []string{
		"SLO events counts spans, which Prometheus does not keep: it stays with Signalbox, or count by a metric",
		"SLO made-of is made of one that cannot be exported: SLO events counts spans",
		"SLO clash has a budget for each severity, and a rule's alert has a label of that name of its own",
	} {
		if !strings.HasPrefix(refused[i].Error(), want) {
			t.Errorf("%v, want %s", refused[i], want)
		}
		if _, err := definition.PrometheusRules(table, all[i+1:i+2]); err == nil || err.Error() != refused[i].Error() {
			t.Errorf("%v", err)
		}
	}
}
