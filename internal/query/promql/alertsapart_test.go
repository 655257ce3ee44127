package promql

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"

	"github.com/signalbox-project/signalbox/internal/access"
)

// someRules are rules that fire for the series of three namespaces, "" for none.
type someRules []*rules.Group

func (s someRules) RuleGroups() []*rules.Group { return s }

func (s someRules) AlertingRules() (out []*rules.AlertingRule) {
	for _, g := range s {
		out = append(out, g.AlertingRules()...)
	}
	return out
}

func firing(t *testing.T) someRules {
	t.Helper()
	expr, err := parser.NewParser(parser.Options{}).ParseExpr("up == 0")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	down := func(context.Context, string, time.Time) (promql.Vector, error) {
		var v promql.Vector
		for _, n := range []string{"", "pay", "trade"} {
			v = append(v, promql.Sample{T: now.UnixMilli(), F: 1, Metric: labels.FromStrings("namespace", n)})
		}
		return v, nil
	}
	alerting := func(name string, ls labels.Labels, query rules.QueryFunc) rules.Rule {
		r := rules.NewAlertingRule(name, expr, 0, 0, ls, labels.EmptyLabels(), labels.EmptyLabels(), "", true, nil)
		if _, err := r.Eval(t.Context(), 0, now, query, nil, 0); err != nil {
			t.Fatal(err)
		}
		return r
	}
	one := func(context.Context, string, time.Time) (promql.Vector, error) {
		return promql.Vector{{T: now.UnixMilli(), F: 1, Metric: labels.FromStrings("a", "b")}}, nil
	}
	group := func(name string, list ...rules.Rule) *rules.Group {
		return rules.NewGroup(rules.GroupOptions{Name: name, File: name + ".yml", Interval: time.Minute, Rules: list, Opts: &rules.ManagerOptions{}})
	}
	templated := labels.FromStrings("namespace", "{{ $labels.namespace }}")
	return someRules{
		group("all", alerting("All", labels.EmptyLabels(), down), alerting("Templated", templated, down)),
		group("pay", alerting("Pay", labels.FromStrings("namespace", "pay"), one), rules.NewRecordingRule("pay:up", expr, labels.FromStrings("namespace", "pay")), alerting("Trade", labels.FromStrings("namespace", "trade"), one)),
		group("trade", rules.NewRecordingRule("trade:up", expr, labels.FromStrings("namespace", "trade"))),
	}
}

func TestRulesAndTheirAlertsAreThoseOfOnesNamespaces(t *testing.T) {
	s := openStore(t)
	api, err := NewAPI(engine(t, DefaultConfig(), s), APIDeps{Storage: s, Rules: firing(t)})
	if err != nil {
		t.Fatal(err)
	}
	type alert struct {
		Labels map[string]string `json:"labels"`
	}
	var answer struct {
		Data struct {
			Alerts         []alert `json:"alerts"`
			GroupNextToken string  `json:"groupNextToken"`
			Groups         []struct {
				Name  string `json:"name"`
				Rules []struct {
					Name   string  `json:"name"`
					Alerts []alert `json:"alerts"`
				} `json:"rules"`
			} `json:"groups"`
		} `json:"data"`
	}
	ask := func(path string, bound ...string) (alerts, named []string, code int) {
		t.Helper()
		scope := access.Scope{All: len(bound) == 0, Names: bound}
		req := httptest.NewRequest("GET", Prefix+path, nil)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, req.WithContext(access.With(req.Context(), &access.Access{Scope: scope})))
		answer.Data.Alerts, answer.Data.Groups, answer.Data.GroupNextToken = nil, nil, ""
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(path, w.Body)
		}
		for _, a := range answer.Data.Alerts {
			alerts = append(alerts, a.Labels["alertname"]+"/"+a.Labels["namespace"])
		}
		for _, g := range answer.Data.Groups {
			for _, r := range g.Rules {
				named = append(named, r.Name)
				for _, a := range r.Alerts {
					alerts = append(alerts, a.Labels["alertname"]+"/"+a.Labels["namespace"])
				}
			}
		}
		slices.Sort(alerts)
		slices.Sort(named)
		return alerts, named, w.Code
	}
	for _, c := range []struct {
		path          string
		bound         []string
		alerts, rules []string
	}{
		{"/alerts", nil, []string{"All/", "All/pay", "All/trade", "Pay/pay", "Templated/", "Templated/pay", "Templated/trade", "Trade/trade"}, nil},
		{"/alerts", []string{"pay"}, []string{"All/pay", "Pay/pay", "Templated/pay"}, nil},
		{"/alerts", []string{"none"}, nil, nil},
		{"/rules", []string{"pay"}, []string{"Pay/pay"}, []string{"Pay", "pay:up"}},
		{"/rules?group_limit=1", []string{"trade"}, []string{"Trade/trade"}, []string{"Trade", "trade:up"}},
		{"/rules?type=record", []string{"pay", "trade"}, nil, []string{"pay:up", "trade:up"}},
		{"/rules", []string{"none"}, nil, nil},
	} {
		alerts, named, code := ask(c.path, c.bound...)
		if code != 200 || !slices.Equal(alerts, c.alerts) || !slices.Equal(named, c.rules) || answer.Data.GroupNextToken != "" {
			t.Errorf("%s for %v: %d %v %v", c.path, c.bound, code, alerts, named)
		}
	}
	if _, named, _ := ask("/rules"); len(named) != 6 {
		t.Errorf("who sees all sees %v", named)
	}
	for path, want := range map[string]int{"/rules?type=x": 400, "/alertmanagers": 403} {
		if _, _, code := ask(path, "pay"); code != want {
			t.Errorf("%s: %d", path, code)
		}
	}
}
