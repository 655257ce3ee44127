package oncall

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

// placedPolicy is a policy and where it stands.
type placedPolicy struct {
	policy.EscalationPolicy
	file string
	line int
}

type placedLevel struct {
	policy.Level
	file string
	line int
}

// parsePolicies reads the lists escalation_policies and levels of a file.
func (s *sheet) parsePolicies(o *document.Object, file string) {
	for i, n := range o.List("escalation_policies", false) {
		p := placedPolicy{file: file, line: n.Line()}
		if n.Read(&p.EscalationPolicy, fmt.Sprintf("escalation_policies[%d]", i), p.Validate) {
			s.Policies = append(s.Policies, p)
		}
	}
	for i, n := range o.List("levels", false) {
		l := placedLevel{file: file, line: n.Line()}
		if n.Read(&l.Level, fmt.Sprintf("levels[%d]", i), l.Validate) {
			s.Levels = append(s.Levels, l)
		}
	}
}

// buildPolicies puts the levels and policies of all files into force. One that names what is not there is left out.
func buildPolicies(out *Roster, sheets []sheet) (problems []document.Problem) {
	problems = buildLevels(out, sheets)
	first := map[string]placedPolicy{}
	taken := map[string]placedPolicy{} // what a policy is the one for
	for _, s := range sheets {
		for _, p := range s.Policies {
			if was, twice := first[p.Name]; twice {
				problems = append(problems, again("escalation_policies", p.Name, p.file, p.line, was.file, was.line))
				continue
			}
			first[p.Name] = p
			if problem, ok := out.fits(p); !ok {
				problems = append(problems, problem)
				continue
			}
			for _, what := range p.claims() {
				if was, twice := taken[what]; twice {
					problems = append(problems, document.Problem{
						File: p.file, Line: p.line, Warning: true, Cure: "take it from one of the two",
						Message: fmt.Sprintf("escalation_policies: %s is for %s, as is %s, which is before it and applies", p.Name, what, was.Name),
					})
					continue
				}
				taken[what] = p
			}
			out.Policies = append(out.Policies, p.EscalationPolicy)
		}
	}
	return problems
}

func (p placedPolicy) claims() (out []string) {
	for _, s := range p.Services {
		out = append(out, "the service "+s)
	}
	if p.Team != "" && len(p.Services) == 0 && len(p.Match) == 0 {
		out = append(out, "the team "+p.Team)
	}
	if p.Default {
		out = append(out, "all that no other policy is for")
	}
	return out
}

func buildLevels(out *Roster, sheets []sheet) (problems []document.Problem) {
	names, severities := map[string]placedLevel{}, map[string]placedLevel{}
	in := ""
	for _, s := range sheets {
		for _, l := range s.Levels {
			if in != "" && in != l.file {
				problems = append(problems, document.Problem{File: l.file, Line: l.line, Message: "levels: stand in " + in + " already, and their order is that of their urgency", Cure: "keep all levels in one file"})
				break
			}
			in = l.file
			if was, twice := names[l.Name]; twice {
				problems = append(problems, again("levels", l.Name, l.file, l.line, was.file, was.line))
				continue
			}
			names[l.Name] = l
			for _, severity := range l.Severities {
				if was, twice := severities[severity]; twice {
					problems = append(problems, document.Problem{File: l.file, Line: l.line, Message: fmt.Sprintf("levels: the severity %q is of %s already", severity, was.Name), Cure: "take it from one of the two"})
				}
				severities[severity] = l
			}
			out.Levels = append(out.Levels, l.Level)
		}
	}
	if len(out.Levels) > 0 && !slices.ContainsFunc(out.Levels, func(l policy.Level) bool { return l.Unknown }) {
		problems = append(problems, document.Problem{
			File: in, Line: names[out.Levels[0].Name].line, Warning: true, Cure: "mark one with `unknown: true`",
			Message: "levels: none is for alerts that no label classifies, so they have the most urgent one, " + out.Levels[0].Name,
		})
	}
	return problems
}

// fits says whether all that a policy names is there.
func (r Roster) fits(p placedPolicy) (document.Problem, bool) {
	bad := func(field, what, name string, known []string, cure string) (document.Problem, bool) {
		if near := document.DidYouMean(name, known); near != "" {
			cure = near
		}
		return document.Problem{File: p.file, Line: p.line, Cure: cure, Message: fmt.Sprintf("escalation_policies: %s: %s: %s %q is not there", p.Name, field, what, name)}, false
	}
	var people, schedules, levels []string
	for _, one := range r.People {
		people = append(people, one.Name)
	}
	for _, one := range r.Schedules {
		schedules = append(schedules, one.Name)
	}
	for _, one := range r.LevelsInForce() {
		levels = append(levels, one.Name)
	}
	check := func(at string, list []policy.EscalationTarget) (document.Problem, bool) {
		for i, t := range list {
			field := fmt.Sprintf("%s[%d]", at, i)
			if t.Person != "" && !slices.Contains(people, t.Person) {
				return bad(field, "the person", t.Person, people, "add them to the list people")
			}
			if t.Schedule != "" && !slices.Contains(schedules, t.Schedule) {
				return bad(field, "the schedule", t.Schedule, schedules, "add it to the list schedules")
			}
		}
		return document.Problem{}, true
	}
	if problem, ok := check("notices", p.Notices); !ok {
		return problem, false
	}
	for i, s := range p.Steps {
		at := fmt.Sprintf("steps[%d]", i)
		if problem, ok := check(at+".notify", s.Notify); !ok {
			return problem, false
		}
		for _, l := range s.Levels {
			if !slices.Contains(levels, l) {
				return bad(at+".levels", "the level", l, levels, "add it to the list levels")
			}
		}
	}
	return document.Problem{}, true
}

// LevelsInForce are those of the files, or the default.
func (r Roster) LevelsInForce() policy.Levels {
	if len(r.Levels) == 0 {
		return policy.DefaultLevels()
	}
	return r.Levels
}

// Person is whom a name stands for; false for nobody.
func (r Roster) Person(name string) (Person, bool) {
	i := slices.IndexFunc(r.People, func(p Person) bool { return p.Name == name })
	if i < 0 {
		return Person{}, false
	}
	return r.People[i], true
}

// OnCall is who is on call by a schedule at a moment; false for nobody. A schedule that is gone has nobody.
func (r *Room) OnCall(ctx context.Context, schedule string, at time.Time) (Person, bool, error) {
	shifts, err := r.Shifts(ctx, schedule, at, at.Add(time.Second))
	if errors.Is(err, ErrUnknown) {
		return Person{}, false, nil
	}
	if err != nil || len(shifts) == 0 || shifts[0].Start.After(at) {
		return Person{}, false, err
	}
	return shifts[0].Person, true, nil
}
