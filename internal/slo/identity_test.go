package slo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	prom "github.com/prometheus/common/model"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

// slothRoutes are as Sloth's documentation has them, among routes that its alerts must not take.
const slothRoutes = `
route:
  receiver: default
  routes:
  - matchers: [severity="critical"]
    receiver: pager-of-others
  - matchers: [service=~".+"]
    receiver: by-service
  - matchers: [slo=~".+"]
    receiver: by-slo
  - matchers: [severity="pageteam", routing_key="team-a"]
    receiver: team-a
  - matchers: [sloth_severity="ticket", alertname="ShopErrors", sloth_id="shop-availability", sloth_service="shop", sloth_slo="availability", tier="2"]
    receiver: tickets
receivers: [{name: default}, {name: pager-of-others}, {name: by-service}, {name: by-slo}, {name: team-a}, {name: tickets}]
`

const slothShop = `version: prometheus/v1
service: shop
labels: {tier: "2", slack: "#a,#b"}
slos:
- name: availability
  objective: 99
  sli: {events: {error_query: 'sum(rate(requests_total{status="error"}[{{.window}}]))', total_query: 'sum(rate(requests_total[{{.window}}]))'}}
  alerting:
    name: ShopErrors
    annotations: {dashboard: https://grafana.example/d/shop}
    page_alert: {labels: {severity: pageteam, routing_key: team-a}, annotations: {playbook: 'https://rb.example/{{$labels.sloth_slo}}'}}
`

const pyrraRoutes = `
route:
  receiver: default
  routes:
  - matchers: [service=~".+"]
    receiver: by-service
  - matchers: [prometheus="k8s"]
    receiver: by-object-label
  - matchers: [alertname="ErrorBudgetBurn", team="payments", slo="checkout", severity="critical", status="error", short="3m", long="30m", exhaustion="1d"]
    receiver: fast
  - matchers: [alertname="ErrorBudgetBurn", severity="page"]
    receiver: page
  - matchers: [severity=~"warning"]
    receiver: slow
receivers: [{name: default}, {name: by-service}, {name: by-object-label}, {name: fast}, {name: page}, {name: slow}]
`

const pyrraCheckout = `apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: checkout
  namespace: shop
  labels: {prometheus: k8s, pyrra.dev/team: payments}
  annotations: {pyrra.dev/runbook_url: https://runbooks.example/checkout}
spec:
  target: '99'
  window: 2w
  alerting: {severities: {mediumBurn: page}}
  indicator: {ratio: {errors: {metric: 'requests_total{status="error"}'}, total: {metric: 'requests_total{status="error"}'}}}
`

// receiver is where Alertmanager's own dispatcher sends an alert.
func receiver(t *testing.T, routes string, ls map[string]string) string {
	t.Helper()
	c, err := amconfig.Load(routes)
	if err != nil {
		t.Fatal(err)
	}
	set := prom.LabelSet{}
	for k, v := range ls {
		set[prom.LabelName(k)] = prom.LabelValue(v)
	}
	return dispatch.NewRoute(c.Route, nil).Match(set)[0].RouteOpts.Receiver
}

func TestImportedAlertsTakeTheRoutesThatTheToolsOwnAlertsTake(t *testing.T) {
	for _, c := range []struct {
		name, doc, routes string
		theirs            []map[string]string // the alerts of the tool, by its documented rules
		want              []string            // their receivers, worked out by hand
	}{
		{"sloth", slothShop, slothRoutes, []map[string]string{
			{"alertname": "ShopErrors", "sloth_severity": "page", "sloth_id": "shop-availability", "sloth_service": "shop", "sloth_slo": "availability", "tier": "2", "slack": "#a,#b", "severity": "pageteam", "routing_key": "team-a"},
			{"alertname": "ShopErrors", "sloth_severity": "ticket", "sloth_id": "shop-availability", "sloth_service": "shop", "sloth_slo": "availability", "tier": "2", "slack": "#a,#b"},
		}, []string{"team-a", "tickets"}},
		{"pyrra", pyrraCheckout, pyrraRoutes, []map[string]string{
			{"alertname": "ErrorBudgetBurn", "slo": "checkout", "team": "payments", "status": "error", "severity": "critical", "short": "3m", "long": "30m", "exhaustion": "1d"},
			{"alertname": "ErrorBudgetBurn", "slo": "checkout", "team": "payments", "status": "error", "severity": "page", "short": "15m", "long": "3h", "exhaustion": "2d"},
			{"alertname": "ErrorBudgetBurn", "slo": "checkout", "team": "payments", "status": "error", "severity": "warning", "short": "1h", "long": "12h", "exhaustion": "1w"},
			{"alertname": "ErrorBudgetBurn", "slo": "checkout", "team": "payments", "status": "error", "severity": "warning", "short": "3h", "long": "2d", "exhaustion": "2w"},
		}, []string{"fast", "page", "slow", "slow"}},
	} {
		w := newWorld(t, c.doc)
		for range 60 { // three days of failures: every window burns for as long as it must
			w.traffic(72*time.Minute, time.Minute, 0, 100)
			w.settle()
		}
		ours := map[string]map[string]string{} // by the labels of the tool
		for _, a := range w.sent {
			plain := map[string]string{}
			for k, v := range a.Labels {
				if !strings.HasPrefix(k, model.OwnLabel) {
					plain[k] = v
				}
			}
			ours[identityOf(plain)] = a.Labels
			if a.Labels.Own("service") == "" || a.Labels.Own("slo") != w.catalog.Definitions()[0].Name || a.Labels.Own("long_window") == "" || a.Labels.Own("severity") == "" {
				t.Errorf("%s: other rooms do not know what %v is about", c.name, a.Labels)
			}
		}
		if len(ours) != len(c.theirs) {
			t.Errorf("%s: %d kinds of alerts, want %d: %v", c.name, len(ours), len(c.theirs), ours)
		}
		for i, theirs := range c.theirs {
			if got := receiver(t, c.routes, theirs); got != c.want[i] {
				t.Errorf("%s: the tool's own alert %d goes to %s, want %s", c.name, i, got, c.want[i])
			}
			if our := ours[identityOf(theirs)]; our == nil {
				t.Errorf("%s: no alert has the labels %v", c.name, theirs)
			} else if got := receiver(t, c.routes, our); got != c.want[i] {
				t.Errorf("%s: alert %d goes to %s, want %s", c.name, i, got, c.want[i])
			}
		}
	}
}

func identityOf(ls map[string]string) string {
	set := prom.LabelSet{}
	for k, v := range ls {
		set[prom.LabelName(k)] = prom.LabelValue(v)
	}
	return set.String()
}

func TestImportedAnnotationsReachTheAlertWithTheirTemplatesFilledIn(t *testing.T) {
	for _, c := range []struct {
		doc  string
		want map[string]string
	}{
		{slothShop, map[string]string{
			"title": "(page) shop availability SLO error budget burn rate is too fast.", "summary": "shop availability SLO error budget burn rate is over expected.",
			"dashboard": "https://grafana.example/d/shop", "playbook": "https://rb.example/availability",
		}},
		{pyrraCheckout, map[string]string{"runbook_url": "https://runbooks.example/checkout"}},
		{strings.NewReplacer("labels: {tier: \"2\", slack: \"#a,#b\"}", "", "https://rb.example/{{$labels.sloth_slo}}", "{{ query \"up\" }}{{ $value }}").Replace(slothShop), map[string]string{
			"playbook": "<error expanding template: error executing template __alert_playbook: template: __alert_playbook:1:115: executing \"__alert_playbook\" at <query \"up\">: error calling query: queries are not answered in annotations of an SLO>",
		}},
	} {
		w := newWorld(t, c.doc)
		for range 10 {
			w.traffic(18*time.Minute, time.Minute, 0, 100)
			w.settle()
		}
		if len(w.sent) == 0 {
			t.Fatal("no alert")
		}
		a := w.sent[0]
		for _, other := range w.sent {
			if s := other.Labels.Own("severity"); s == "critical" {
				a = other
			}
		}
		for k, v := range c.want {
			if a.Annotations[k] != v {
				t.Errorf("%s is %q, want %q", k, a.Annotations[k], v)
			}
		}
		if a.Annotations["threshold"] == "" || !strings.Contains(a.Annotations["link"], "/slos/") || a.Annotations["query"] == "" {
			t.Errorf("the figures are missing: %v", a.Annotations)
		}
	}
}

func TestLabelsAndAnnotationsOfEveryNameReachTheAlert(t *testing.T) {
	w := newWorld(t, strings.Replace(availability("99.5"), "displayName: Edge answers}", `displayName: Edge answers,
  labels: {app.kubernetes.io/team: payments, cost-centre: "7", 2nd: x},
  annotations: {example.com/runbook: 'https://rb/{{x}}', dashboard: https://d, signalbox.io/burn-alerts: replace}}`, 1))
	w.traffic(6*time.Hour, time.Minute, 50, 50)
	w.settle()
	if len(w.sent) == 0 {
		t.Fatal("no alert")
	}
	a := w.sent[0]
	for k, v := range map[string]string{"app_kubernetes_io_team": "payments", "cost_centre": "7", "_2nd": "x", "slo": w.catalog.Definitions()[0].Name} {
		if a.Labels[k] != v {
			t.Errorf("label %s is %q, want %q", k, a.Labels[k], v)
		}
	}
	for k, v := range map[string]string{"example_com_runbook": "https://rb/{{x}}", "dashboard": "https://d", "signalbox_io_burn_alerts": ""} {
		if a.Annotations[k] != v {
			t.Errorf("annotation %s is %q, want %q", k, a.Annotations[k], v)
		}
	}
}

func TestLabelsThatCannotBeCarriedAreNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "slo.yaml")
	doc := strings.Replace(availability("99.5"), "displayName: Edge answers}", "displayName: Edge answers, labels: {a/b: one, a.b: two, severity: mine, __x: y, env: prod}, annotations: {c/d: one, c_d: two}}", 1)
	if err := os.WriteFile(file, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems := definition.Load([]string{file})
	var got []string
	for _, p := range problems {
		if !p.Warning {
			t.Error(p)
		}
		_, text, _ := strings.Cut(p.Message, ": ")
		got = append(got, text)
	}
	if diff := cmp.Diff([]string{
		`the label "__x" does not reach its alerts: another becomes the same name, or the name is reserved`,
		`the label "a/b" does not reach its alerts: another becomes the same name, or the name is reserved`,
		`the label "severity" does not reach its alerts: the alert's own label stands there`,
		`the annotation "c/d" does not reach its alerts: another becomes the same name, or the name is reserved`,
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnSLOThatWantsNoAlertsHasNone(t *testing.T) {
	w := newWorld(t, strings.Replace(slothShop, "    page_alert:", "    ticket_alert: {disable: true}\n    page_alert: {disable: true} #", 1))
	for range 10 {
		w.traffic(18*time.Minute, time.Minute, 0, 0.2) // few events, all bad: the rule for few events would fire
		w.settle()
	}
	if len(w.sent) != 0 {
		t.Errorf("%v", w.sent)
	}
}
