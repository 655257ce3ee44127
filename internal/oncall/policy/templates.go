package policy

import (
	"time"

	common "github.com/prometheus/common/model"
)

// Templates are the chains that teams use, with schedules to be replaced by one's own.
func Templates() []EscalationPolicy {
	wait := func(d time.Duration) common.Duration { return common.Duration(d) }
	step := func(after time.Duration, schedules ...string) EscalationStep {
		s := EscalationStep{After: wait(after)}
		for _, name := range schedules {
			s.Notify = append(s.Notify, EscalationTarget{Schedule: name})
		}
		return s
	}
	backup := step(0, "secondary")
	backup.Levels = []string{"P0"}
	return []EscalationPolicy{
		{
			Name: "engineer-lead-cto", Default: true, Unresolved: wait(30 * time.Minute), Repeat: 1,
			Text:  "engineer → team lead → infrastructure lead → CTO; who has it and has not solved it after 30 minutes is followed by the next",
			Steps: []EscalationStep{step(0, "engineer"), backup, step(15*time.Minute, "team-lead"), step(15*time.Minute, "infrastructure-lead"), step(30*time.Minute, "cto")},
		},
		{
			Name: "sre-owner-duty-manager", Default: true, Repeat: 2,
			Text:  "SRE → service owner → duty manager",
			Steps: []EscalationStep{step(0, "sre"), step(10*time.Minute, "service-owner"), step(20*time.Minute, "duty-manager")},
		},
		{
			Name: "primary-secondary-vp", Default: true, Repeat: 1,
			Text:  "primary → secondary → VP, for blockers across teams",
			Steps: []EscalationStep{step(0, "primary"), step(5*time.Minute, "secondary"), step(30*time.Minute, "vp")},
		},
	}
}
