package gate

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
)

func TestAPolicyMatchesAnSLOByAnyOfItsListedValues(t *testing.T) {
	for _, c := range []struct {
		match Selector
		want  bool
	}{
		{Selector{Environments: []string{"staging"}}, true},
		{Selector{Environments: []string{"dev"}}, false},
		{Selector{Teams: []string{"b"}}, true},
		{Selector{Teams: []string{"c"}}, false},
		{Selector{Labels: map[string]string{"tier": "one"}}, true},
		{Selector{Labels: map[string]string{"tier": "one,two"}}, true},
		{Selector{Labels: map[string]string{"tier": "three"}}, false},
	} {
		if got := c.match.matches("edge", "prod,staging", map[string]string{"team": "a,b", "tier": "one,two"}); got != c.want {
			t.Errorf("%+v: %v", c.match, got)
		}
	}
	if !about(model.PageAlert{Labels: model.Labels{"service": "edge", "environment": "prod,staging"}}, model.GateRequest{Service: "edge", Environment: "staging"}) {
		t.Error("a page about both environments is not about one of them")
	}
}
