package policy

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
)

var nameRE = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9._@ -]*[a-zA-Z0-9])?$`)

const nameRule = "must be letters, digits, '-', '_', '.', '@' and blanks"

// The bounds of a policy: what it sends is bounded by them.
const (
	maxSteps   = 20
	maxTargets = 20
	maxRepeat  = 10
	maxWait    = 7 * 24 * time.Hour
)

// DefaultRepeatAfter is how long the last step has before the chain begins anew, or is said to have reached nobody.
const DefaultRepeatAfter = 10 * time.Minute

// EscalationPolicy is whom pages go to, step by step, until somebody takes them.
type EscalationPolicy struct {
	Name     string            `yaml:"name" json:"name"`
	Text     string            `yaml:"text" json:"text,omitempty"` // what it is for
	Team     string            `yaml:"team" json:"team,omitempty" doc:"whose alerts it is for"`
	Services []string          `yaml:"services" json:"services,omitempty" doc:"whose alerts it is for"`
	Match    map[string]string `yaml:"match" json:"match,omitempty" doc:"labels that its alerts have, all of them"`
	Default  bool              `yaml:"default" json:"default,omitempty" doc:"for what no other policy is for"`
	// Notices are where levels notice; without any, the people of the first step by what wakes nobody.
	Notices     []EscalationTarget `yaml:"notices" json:"notices,omitempty"`
	Steps       []EscalationStep   `yaml:"steps" json:"steps"`
	Repeat      int                `yaml:"repeat" json:"repeat,omitempty" doc:"how often the chain begins anew"`
	RepeatAfter common.Duration    `yaml:"repeat_after" json:"repeat_after,omitempty" doc:"how long the last step has; 10m by default"`
	// Unresolved goes on to the next step when a page that somebody has is not over after this time; 0 does not.
	Unresolved common.Duration `yaml:"unresolved" json:"unresolved,omitempty" doc:"how long who has it may take before the next step is told; absent: for ever"`
}

// EscalationStep is whom to tell next.
type EscalationStep struct {
	After  common.Duration    `yaml:"after" json:"after" doc:"how long the step before has"`
	Notify []EscalationTarget `yaml:"notify" json:"notify"`
	Levels []string           `yaml:"levels" json:"levels,omitempty" doc:"only for these"`
}

// EscalationTarget is one of a schedule, a person and a place of a team.
type EscalationTarget struct {
	Schedule string `yaml:"schedule" json:"schedule,omitempty" doc:"whoever is on call then"`
	Person   string `yaml:"person" json:"person,omitempty"`
	Channel  string `yaml:"channel" json:"channel,omitempty" doc:"the kind of a team's place"`
	Address  string `yaml:"address" json:"address,omitempty"`
}

// Text says who that is.
func (t EscalationTarget) Text() string {
	switch {
	case t.Schedule != "":
		return "on call by " + t.Schedule
	case t.Person != "":
		return t.Person
	}
	return t.Channel + " " + t.Address
}

// For reports whether the step is for a level.
func (s EscalationStep) For(level string) bool {
	return len(s.Levels) == 0 || slices.Contains(s.Levels, level)
}

// LastWait is how long the last step has.
func (p EscalationPolicy) LastWait() time.Duration {
	if p.RepeatAfter == 0 {
		return DefaultRepeatAfter
	}
	return time.Duration(p.RepeatAfter)
}

// Label is the label by which an alert names its policy.
const Label = "escalation_policy"

// Choose finds the policy of an alert, and says why. team is whose its service is, "" where that is not known.
func Choose(policies []EscalationPolicy, labels model.Labels, service, team string) (EscalationPolicy, string, bool) {
	if team == "" {
		team = labels.Own("team")
	}
	if service == "" {
		service = labels.Own("service")
	}
	for _, rule := range []struct {
		applies func(EscalationPolicy) bool
		why     string
	}{
		{func(p EscalationPolicy) bool { return labels[Label] == p.Name }, "the alert names it"},
		{func(p EscalationPolicy) bool { return service != "" && slices.Contains(p.Services, service) }, "it is for the service " + service},
		{func(p EscalationPolicy) bool { return len(p.Match) > 0 && matches(p.Match, labels) }, "its labels match"},
		{func(p EscalationPolicy) bool {
			return team != "" && p.Team == team && len(p.Services) == 0 && len(p.Match) == 0
		}, "it is the policy of the team " + team},
		{func(p EscalationPolicy) bool { return p.Default }, "it is the default"},
	} {
		if i := slices.IndexFunc(policies, rule.applies); i >= 0 {
			return policies[i], rule.why, true
		}
	}
	return EscalationPolicy{}, "no escalation policy is for it", false
}

func matches(want map[string]string, labels model.Labels) bool {
	for k, v := range want {
		if labels.Own(k) != v {
			return false
		}
	}
	return true
}

// Validate lists what is wrong with a policy by itself; each message begins with the field.
func (p *EscalationPolicy) Validate() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !nameRE.MatchString(p.Name) {
		bad("name: %s, got %q", nameRule, p.Name)
	}
	if len(p.Steps) == 0 {
		bad("steps: a policy needs at least one")
	}
	if len(p.Steps) > maxSteps {
		bad("steps: at most %d, got %d", maxSteps, len(p.Steps))
	}
	if !p.Default && p.Team == "" && len(p.Services) == 0 && len(p.Match) == 0 {
		bad("name: nothing says what the policy %q is for; give it team, services, match or default: true", p.Name)
	}
	if p.Repeat < 0 || p.Repeat > maxRepeat {
		bad("repeat: must be between 0 and %d, got %d", maxRepeat, p.Repeat)
	}
	for field, d := range map[string]common.Duration{"repeat_after": p.RepeatAfter, "unresolved": p.Unresolved} {
		if time.Duration(d) > maxWait {
			bad("%s: at most %s, got %s", field, short(maxWait), d)
		}
	}
	for i, s := range p.Steps {
		at := fmt.Sprintf("steps[%d]", i)
		if time.Duration(s.After) > maxWait {
			bad("%s.after: at most %s, got %s", at, short(maxWait), s.After)
		}
		if i == 0 && s.After != 0 {
			bad("%s.after: the level says when the first step begins", at)
		}
		if len(s.Notify) == 0 {
			bad("%s.notify: tells nobody", at)
		}
		errs = append(errs, targets(at+".notify", s.Notify)...)
	}
	return append(errs, targets("notices", p.Notices)...)
}

func targets(at string, list []EscalationTarget) (errs []error) {
	if len(list) > maxTargets {
		errs = append(errs, fmt.Errorf("%s: at most %d, got %d", at, maxTargets, len(list)))
	}
	for i, t := range list {
		kinds := 0
		for _, v := range []string{t.Schedule, t.Person, t.Channel} {
			if v != "" {
				kinds++
			}
		}
		if kinds != 1 || (t.Channel == "") != (t.Address == "") {
			errs = append(errs, fmt.Errorf("%s[%d]: must have one of schedule, person, or channel with address", at, i))
		}
	}
	return errs
}
