package show

import (
	"fmt"
	"io"
	"strings"

	"github.com/signalbox-project/signalbox/internal/oncall/escalation"
)

// Ladder is an escalation that is printed.
type Ladder struct{ escalation.View }

// Print shows whom each step went to, or would go to.
func (v Ladder) Print(w io.Writer) {
	fmt.Fprintf(w, "  level  %s (%s): %s\n", v.Level, v.LevelWhy, v.LevelText)
	if v.Policy == "" {
		fmt.Fprintf(w, "  policy none: %s\n", v.PolicyWhy)
		return
	}
	fmt.Fprintf(w, "  policy %s: %s\n", v.Policy, v.PolicyWhy)
	t := NewTable("  STEP", "AFTER", "WHO", "BY", "OUTCOME")
	for _, a := range v.Notices {
		t.Row("  notice", "-", a.To, a.Channel, outcomeOf(a))
	}
	for _, s := range v.Steps {
		for _, a := range s.Attempts {
			t.Row(fmt.Sprintf("  %d", s.Number), s.After, a.To, a.Channel, outcomeOf(a))
		}
		for _, who := range s.Who {
			if len(s.Attempts) > 0 {
				break
			}
			name, by := who.Target, strings.Join(who.By, ", ")
			if who.Person != "" {
				name = who.Person + ", " + who.Target
			}
			if who.Nobody != "" {
				by = who.Nobody
			}
			t.Row(fmt.Sprintf("  %d", s.Number), s.After, name, by, s.State)
		}
	}
	t.Write(w)
}

func outcomeOf(a escalation.Attempt) string {
	text := a.State
	if a.At != nil {
		text += " at " + a.At.UTC().Format("15:04:05 UTC")
	}
	for _, more := range []string{a.Receipt, a.Note} {
		if more != "" {
			text += ", " + more
		}
	}
	return text
}
