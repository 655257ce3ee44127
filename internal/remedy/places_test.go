package remedy

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/model"
)

func TestABreachConcernsEachEnvironmentOfTheSLO(t *testing.T) {
	r := &Responder{}
	r.deps.PageAlerts = []string{"Fast"}
	for labels, want := range map[string][]place{
		"":             {{"edge", ""}},
		"prod":         {{"edge", "prod"}},
		"prod,staging": {{"edge", "prod"}, {"edge", "staging"}},
	} {
		got := r.breaches([]model.SLOStatus{{Name: "a", Service: "edge", Alerts: []string{"Fast"}, Labels: map[string]string{"environment": labels}}})
		if len(got) != len(want) {
			t.Errorf("%q: %v", labels, got)
		}
		for _, p := range want {
			if _, found := got[p]; !found {
				t.Errorf("%q: no breach of %v", labels, p)
			}
		}
	}
}
