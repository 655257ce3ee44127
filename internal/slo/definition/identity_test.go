package definition_test

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	prom "github.com/prometheus/common/model"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

var fastBurn = definition.BurnAlert{Name: "fast", Long: prom.Duration(time.Hour), Factor: 14, Effect: definition.EffectPage}

func TestTheLabelsOfAnAlert(t *testing.T) {
	const metadata = ", labels: {team: a, env: [prod, test], app.kubernetes.io/name: web, severity: mine, slo: pay}, annotations: {runbook: r}"
	own := model.Labels{"alertname": "fast", "slo": "pay", "service": "shop", "severity": "critical", "long_window": "1h", "short_window": "5m", "env": "prod,test", "team": "a", "app_kubernetes_io_name": "web"}
	with := func(more model.Labels) model.Labels {
		out := model.Labels{}
		for _, m := range []model.Labels{own, more} {
			for k, v := range m {
				if out[k] = v; v == "" {
					delete(out, k)
				}
			}
		}
		return out
	}
	row := func(change func(*definition.BurnAlert)) definition.BurnAlert {
		b := fastBurn
		change(&b)
		return b
	}
	text := sloText("pay", metadata, counted, target)
	defs, problems := definition.Parse("a.yaml", []byte(text))
	if len(problems) != 1 || problems[0].Error() != `a.yaml:4: SLO pay: the label "severity" does not reach its alerts: the alert's own label stands there; give it another name` {
		t.Error(problems)
	}
	for _, c := range []struct {
		name string
		row  definition.BurnAlert
		want model.Labels
	}{
		{"of the configuration", fastBurn, own},
		{"with a name of its own", row(func(b *definition.BurnAlert) { b.Alert = "PayBurns" }), with(model.Labels{"alertname": "PayBurns"})},
		{"with labels of its own", row(func(b *definition.BurnAlert) { b.Labels = map[string]string{"team": "b", "x/y": "z"} }), with(model.Labels{"team": "b", "x_y": "z"})},
		{"a ticket over a day", row(func(b *definition.BurnAlert) { b.Effect, b.Long = definition.EffectTicket, day(1) }), with(model.Labels{"severity": "info", "long_window": "1d", "short_window": "2h"})},
		{"of another tool", row(func(b *definition.BurnAlert) {
			b.Only, b.Labels = true, map[string]string{"severity": "pageteam", "service": "shop", "x": "y"}
		}), model.Labels{
			"alertname": "fast", "severity": "pageteam", "service": "shop", "x": "y", "signalbox_slo": "pay", "signalbox_severity": "critical", "signalbox_long_window": "1h", "signalbox_short_window": "5m",
		}},
	} {
		if diff := cmp.Diff(c.want, defs[0].AlertLabels(c.row)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// A group's labels are on its alerts: where the name is taken, the group's value still tells two groups apart.
func TestTheLabelsOfAGroup(t *testing.T) {
	text := strings.ReplaceAll(sloText("pay", ", labels: {zone: here}", byRoute, target), "(route)", "(route, service, zone, slo)")
	d := defined(t, text)["pay"]
	if !slices.Equal(d.Grouping.By, []string{"route", "service", "slo", "zone"}) {
		t.Fatalf("%v", d.Grouping.By)
	}
	one := d.Narrow(map[string]string{"route": `/"a"`, "service": "cart", "zone": "there", "slo": "other"})
	if one.Name != `pay{route="/\"a\"",service="cart",slo="other",zone="there"}` || one.Whole() != "pay" || one.Grouping != nil || one.Objective != d.Objective {
		t.Errorf("%+v", one)
	}
	ls := one.AlertLabels(fastBurn)
	for name, want := range map[string]string{"route": `/"a"`, "service": "cart", "signalbox_service": "shop", "zone": "here", "group_zone": "there", "slo": "pay", "group_slo": "other"} {
		if ls[name] != want {
			t.Errorf("%s is %q, want %q in %v", name, ls[name], want, ls)
		}
	}
	if none := defined(t, sloText("x", "", counted, target))["x"]; none.Narrow(map[string]string{"a": "b"}) != nil {
		t.Error("an SLO without groups has one")
	}
	if got := definition.GroupText(map[string]string{"http.route": "/", "a": "b"}); got != `a="b","http.route"="/"` {
		t.Error(got)
	}
}

var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// Whatever labels are called, each is carried under a name that every tool reads, with a value somebody gave, or
// it is named as dropped; and good names keep their value.
func TestEveryLabelIsCarriedOrNamed(t *testing.T) {
	name := rapid.StringMatching(`[a-b_/.é0-1]{0,4}`)
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.MapOf(name, rapid.StringMatching(`[xy]?`)).Draw(t, "labels")
		out, dropped := definition.Carried(given)
		for k, v := range out {
			if !labelName.MatchString(k) || strings.HasPrefix(k, "__") || v == "" {
				t.Fatalf("%q=%q is carried of %v", k, v, given)
			}
		}
		for k, v := range given {
			good := labelName.MatchString(k) && !strings.HasPrefix(k, "__")
			switch {
			case v == "":
			case good && out[k] != v:
				t.Fatalf("%q=%q is not carried of %v: %v", k, v, given, out)
			case !good && !slices.Contains(dropped, k) && !slices.Contains(valuesOf(out), v):
				t.Fatalf("%q=%q is neither carried nor named of %v: %v, %v", k, v, given, out, dropped)
			}
		}
	})
	if out, dropped := definition.Carried(map[string]string{"signalbox.io/peak-value": "1", "a": "b"}, map[string]string{"a": "c"}); len(out) != 1 || out["a"] != "c" || len(dropped) != 0 {
		t.Errorf("%v %v", out, dropped)
	}
}

func valuesOf(m model.Labels) (out []string) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

func TestRowsOfTheTableThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		change func(*definition.BurnAlert)
		want   string
	}{
		{func(*definition.BurnAlert) {}, ""},
		{func(b *definition.BurnAlert) { b.Long = prom.Duration(12 * time.Minute) }, ""}, // short is a minute
		{func(b *definition.BurnAlert) { b.Long = prom.Duration(11 * time.Minute) }, "short: must be at least 1m and below long, got 55s"},
		{func(b *definition.BurnAlert) { b.Long = prom.Duration(90 * time.Second) }, "long: must be whole minutes, got 1m30s"},
		{func(b *definition.BurnAlert) { b.Short = b.Long }, "short: must be at least 1m and below long, got 1h"},
		{func(b *definition.BurnAlert) { b.Short = prom.Duration(59 * time.Second) }, "short: must be at least 1m and below long, got 59s"},
		{func(b *definition.BurnAlert) { b.Factor = 0 }, "factor: must be > 0, got 0"},
		{func(b *definition.BurnAlert) { b.Factor = math.NaN() }, "factor: must be > 0, got NaN"},
		{func(b *definition.BurnAlert) { b.Factor = math.Inf(1) }, "factor: must be > 0, got +Inf"},
		{func(b *definition.BurnAlert) { b.For = -1 }, "for: must be >= 0, got "},
		{func(b *definition.BurnAlert) { b.Effect = "shout" }, `effect: must be page, warn or ticket, got "shout"`},
	} {
		b := fastBurn
		c.change(&b)
		var got []string
		for _, err := range b.Validate() {
			got = append(got, err.Error())
		}
		if text := strings.Join(got, "; "); (c.want == "") != (text == "") || !strings.HasPrefix(text, c.want) {
			t.Errorf("%s: %q, want %q", b, text, c.want)
		}
	}
}

// The severities that people write, whatever their case; others are tickets.
func TestSeveritiesOfPolicies(t *testing.T) {
	for severity, want := range map[string]string{"page": "critical", "CRITICAL": "critical", "sev1": "critical", "P1": "critical", "warn": "warning", "Warning": "warning", "medium": "warning", "sev2": "warning", "ticket": "info", "info": "info", "whatever": "info"} {
		d := defined(t, sloText("x", "", counted, target, "  alertPolicies: [{kind: AlertPolicy, metadata: {name: p, labels: {l: p, m: p}}, spec: {alertWhenNoData: true, conditions: [{kind: AlertCondition, metadata: {name: c.d, labels: {l: c}}, spec: {severity: ",
			severity, ", condition: {kind: burnrate, threshold: 2, lookbackWindow: 5m, alertAfter: 2m}}}], notificationTargets: [{kind: AlertNotificationTarget, metadata: {name: n}, spec: {target: chat}}]}}]\n"))["x"]
		if len(d.BurnAlerts) != 2 || d.Notify != "chat" {
			t.Fatalf("%+v", d.BurnAlerts)
		}
		burn, gone := d.BurnAlerts[0], d.BurnAlerts[1]
		// A twelfth of five minutes is below a minute, which is the least.
		if burn.Name != "c_d" || burn.Severity() != want || burn.ShortWindow() != time.Minute || time.Duration(burn.For) != 2*time.Minute || burn.Labels["l"] != "c" || burn.Labels["m"] != "p" || burn.NoData || gone.Name != "c_dNoData" || !gone.NoData {
			t.Errorf("%s: %+v %+v", severity, burn, gone)
		}
	}
}

// Policies stand for the configuration's table, or on top of it; without any it holds.
func TestTheTableOfAnSLO(t *testing.T) {
	const policy = "  alertPolicies: [{kind: AlertPolicy, metadata: {name: p}, spec: {conditions: [{kind: AlertCondition, metadata: {name: own}, spec: {severity: page, condition: {kind: burnrate, threshold: 2, lookbackWindow: 1h}}}]}}]\n"
	for _, c := range []struct{ metadata, more, want string }{
		{"", "", "fast"},
		{"", policy, "own"},
		{", annotations: {signalbox.io/burn-alerts: replace}", policy, "own"},
		{", annotations: {signalbox.io/burn-alerts: extend}", policy, "fast own"},
		{", annotations: {signalbox.io/burn-alerts: extend}", "", "fast"},
		{"", "  alertPolicies: [{kind: AlertPolicy, metadata: {name: p}, spec: {conditions: []}}]\n", ""},
	} {
		d := defined(t, sloText("x", c.metadata, counted, target, c.more))["x"]
		defaults := []definition.BurnAlert{fastBurn}
		var names []string
		for _, b := range d.Table(defaults) {
			names = append(names, b.Name)
			if row, found := d.Row(defaults, b.Name); !found || row.Name != b.Name {
				t.Errorf("%s is not found", b.Name)
			}
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.metadata, c.more, got, c.want)
		}
		if _, found := d.Row(defaults, "slow"); found {
			t.Error("a row that is not there is found")
		}
	}
}
