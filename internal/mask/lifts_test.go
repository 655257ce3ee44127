package mask

import (
	"maps"
	"testing"

	"github.com/signalbox-project/signalbox/internal/access"
)

func TestEveryRuleSaysWhatLiftsIt(t *testing.T) {
	r := rules(t, Rule{Name: "cards", Patterns: []string{"card"}, LiftedBy: "unmasked.cards"}, Rule{Name: "users", Fields: []string{"user.id"}})
	if got := r.Lifts(); !maps.Equal(got, map[string]access.Permission{"cards": "unmasked.cards", "users": access.UnmaskedRead}) {
		t.Error(got)
	}
	if got := (*Rules)(nil).Lifts(); len(got) > 0 {
		t.Error(got)
	}
}
