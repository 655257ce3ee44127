package contract

import (
	"fmt"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// Term is one thing that a contract says.
type Term struct {
	Name string `json:"name" doc:"for example precondition"`
	Text string `json:"text"`
}

// Terms is what a remedy says, in words.
func (r Remedy) Terms() []Term {
	var out []Term
	add := func(name, format string, args ...any) { out = append(out, Term{name, fmt.Sprintf(format, args...)}) }
	trigger := r.Trigger.Alert
	if len(r.Trigger.Matchers) > 0 {
		trigger += " with " + strings.Join(r.Trigger.Matchers, ", ")
	}
	if r.Trigger.For > 0 {
		trigger += ", active for " + human.Duration(time.Duration(r.Trigger.For))
	}
	add("trigger", "%s", trigger)
	for _, q := range r.Precondition {
		add("precondition", "%s", q)
	}
	blast := fmt.Sprintf("at most %d at once, %s %% of a target's replicas", r.Blast.MaxTargets, human.Number(r.Blast.MaxPercent))
	if r.Blast.MaxReplicas > 0 {
		blast += fmt.Sprintf(", %d to %d replicas", r.Blast.MinReplicas, r.Blast.MaxReplicas)
	}
	if r.Action.Scale != nil && r.Action.Scale.AtMost != "" {
		blast += fmt.Sprintf(", no more than %s", r.Action.Scale.AtMost)
	}
	add("blast radius", "%s", blast)
	add("limits", "%d in an hour, %d in a day, %s between two on one target", r.Limits.PerHour, r.Limits.PerDay, human.Duration(time.Duration(r.Limits.Cooldown)))
	add("expected effect", "%s, within %s", r.Effect.Query, human.Duration(time.Duration(r.Effect.Within)))
	if v := r.Verification; v != nil {
		add("verification", "%s, for %s", v.Query, human.Duration(time.Duration(v.For)))
	}
	if frozen := r.Freeze.text(); frozen != "" {
		add("frozen", "%s", frozen)
	}
	add("undo", "%s", map[string]string{UndoAuto: "where the effect does not come and it can be taken back", UndoNever: "never"}[r.Undo])
	return out
}

func (f Freeze) text() string {
	var out []string
	if f.Gate {
		out = append(out, "while the gate does not allow the service")
	}
	if f.Incident {
		out = append(out, "while the service has an open incident")
	}
	if f.DeployWithin > 0 {
		out = append(out, "for "+human.Duration(time.Duration(f.DeployWithin))+" after a deployment")
	}
	return strings.Join(out, ", ")
}
