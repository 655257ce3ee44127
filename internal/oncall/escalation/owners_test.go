package escalation

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

// catalogue says whose the services checkout and api are.
type catalogue struct{}

func (catalogue) Owner(service, _ string) (team, named string) {
	switch service {
	case "checkout":
		return "web", "checkout-policy"
	case "api":
		return "web", ""
	case "lost":
		return "web", "nowhere"
	}
	return "", ""
}

// Whose a service is decides, where the alert does not say it itself.
func TestThePolicyOfTheOwner(t *testing.T) {
	e := &Engine{deps: Deps{Owners: catalogue{}}}
	roster := oncall.Roster{Policies: []policy.EscalationPolicy{{Name: "checkout-policy"}, {Name: "web-policy", Team: "web"}, {Name: "pay-policy", Team: "pay"}, {Name: "own"}, {Name: "rest", Default: true}}}
	for _, c := range []struct {
		service string
		labels  model.Labels
		want    string
	}{
		{"checkout", model.Labels{}, "checkout-policy"},
		{"checkout", model.Labels{"team": "web"}, "checkout-policy"},
		{"checkout", model.Labels{"team": "pay"}, "pay-policy"},
		{"checkout", model.Labels{"escalation_policy": "own"}, "own"},
		{"api", model.Labels{}, "web-policy"},
		{"lost", model.Labels{}, "web-policy"},
		{"other", model.Labels{}, "rest"},
		{"", model.Labels{}, "rest"},
	} {
		got, why, ok := e.choose(roster, model.Page{Service: c.service, Alerts: []model.PageAlert{{Status: "firing", Labels: c.labels}}})
		if !ok || got.Name != c.want || why == "" {
			t.Errorf("%s %v: %s (%s), want %s", c.service, c.labels, got.Name, why, c.want)
		}
	}
}
