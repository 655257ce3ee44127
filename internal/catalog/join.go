package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/document"
)

// join makes teams and services of Backstage's entities, each knowing all others.
func (g *gathered) join() (problems []document.Problem) {
	by := map[ref]*entity{}
	for i := range g.entities {
		e := &g.entities[i]
		key := ref{e.kind, e.namespace, e.name}.key()
		if first, twice := by[key]; twice {
			problems = append(problems, again(e.kind, e.name, e.place, first.place))
			continue
		}
		by[key] = e
	}
	j := joiner{by: by, provided: map[ref][]*entity{}}
	for _, e := range g.entities {
		for _, api := range e.spec.provides {
			j.provided[api.key()] = append(j.provided[api.key()], by[ref{e.kind, e.namespace, e.name}.key()])
		}
	}
	own := len(g.services) // of our own files, which go before
	for i := range g.entities {
		e := &g.entities[i]
		if by[ref{e.kind, e.namespace, e.name}.key()] != e {
			continue
		}
		switch e.kind {
		case "group":
			g.teams = append(g.teams, j.team(e))
		case "component", "resource":
			s, more := j.service(e)
			problems = append(problems, more...)
			if !slices.ContainsFunc(g.services[:own], func(o Service) bool { return o.Name == s.Name && (o.Namespace == "" || o.Namespace == s.Namespace) }) {
				g.services = append(g.services, s)
			}
		}
	}
	for i := range g.services[own:] {
		s := &g.services[own+i]
		s.DependsOn = append(s.DependsOn, j.reverse[s.Name]...)
		slices.Sort(s.DependsOn)
		s.DependsOn = slices.DeleteFunc(slices.Compact(s.DependsOn), func(d string) bool { return d == s.Name })
	}
	return problems
}

type joiner struct {
	by       map[ref]*entity
	provided map[ref][]*entity   // by interface
	reverse  map[string][]string // dependencyOf of others
}

func (j *joiner) team(e *entity) Team {
	t := Team{
		Name: e.name, Title: e.spec.title, Email: e.spec.email, Links: e.links, place: e.place,
		Escalation: e.annotations[annotationEscalation], Schedule: e.annotations[annotationSchedule], Chat: e.annotations[annotationChat],
	}
	if t.Title == "" {
		t.Title = e.title
	}
	if e.spec.parent != nil {
		t.Parent = e.spec.parent.name
	}
	return t
}

func (j *joiner) service(e *entity) (Service, []document.Problem) {
	var problems []document.Problem
	tier, bad := e.tier()
	if bad != nil {
		problems = append(problems, *bad)
	}
	s := Service{
		Name: e.name, About: About{Title: e.title, Description: e.description, Lifecycle: e.spec.lifecycle}, Kind: kindOf(e), Tier: tier, Links: e.links, place: e.place,
		Telemetry: listed(e.annotations[annotationService], ","), Namespace: e.annotations[annotationNamespace],
		Paging: Paging{Escalation: e.annotations[annotationEscalation], Schedule: e.annotations[annotationSchedule], Chat: e.annotations[annotationChat]},
	}
	if s.Namespace == "" {
		s.Namespace = e.annotations[annotationKubernetes]
	}
	for _, r := range listed(e.annotations[annotationRunbooks], ",") {
		if err := checkRunbook(r); err != nil {
			problems = append(problems, document.Problem{File: e.file, Line: e.line, Message: fmt.Sprintf("%s %s: annotation %s: %v", e.kind, e.name, annotationRunbooks, err), Cure: "mend it", Warning: true})
			continue
		}
		s.Runbooks = append(s.Runbooks, r)
	}
	for _, l := range e.links {
		if l.Type == "runbook" {
			s.Runbooks = append(s.Runbooks, l.URL)
		}
	}
	for _, part := range listed(e.annotations[annotationExcused], ";") {
		word, why, _ := strings.Cut(part, ":")
		if _, known := gapTexts()[Word(strings.TrimSpace(word))]; !known || strings.TrimSpace(why) == "" {
			problems = append(problems, document.Problem{
				File: e.file, Line: e.line, Message: fmt.Sprintf("%s %s: annotation %s has %q", e.kind, e.name, annotationExcused, part),
				Cure: "write a gap and the reason, as in `no_slo: runs once a month`; gaps are " + strings.Join(gapWords(), ", "), Warning: true,
			})
			continue
		}
		if s.Excused == nil {
			s.Excused = map[string]string{}
		}
		s.Excused[strings.TrimSpace(word)] = strings.TrimSpace(why)
	}
	owner := e.spec.owner
	if e.spec.system != nil {
		s.System = e.spec.system.name
		if sys := j.by[e.spec.system.key()]; sys != nil && owner == nil {
			owner = sys.spec.owner
		}
	}
	if owner != nil {
		s.Team = owner.name
	}
	s.DependsOn = j.needs(e)
	for _, r := range e.spec.dependencyOf {
		if j.reverse == nil {
			j.reverse = map[string][]string{}
		}
		j.reverse[r.name] = append(j.reverse[r.name], e.name)
	}
	return s, problems
}

// needs are the names of what an entity depends on: an interface stands for who provides it.
func (j *joiner) needs(e *entity) (out []string) {
	for _, r := range append(slices.Clone(e.spec.dependsOn), e.spec.consumes...) {
		if fold(r.kind) != "api" {
			out = append(out, r.name)
			continue
		}
		for _, p := range j.provided[r.key()] {
			out = append(out, p.name)
		}
	}
	return out
}

// kindOf says whether an entity runs: Backstage's types are free words.
func kindOf(e *entity) string {
	switch {
	case e.kind == "resource":
		return KindResource
	case slices.Contains([]string{"library", "documentation", "docs", "template", "monorepo", "module", "package", "tool", "cli", "design-system"}, e.spec.kind):
		return KindLibrary
	}
	return KindService
}

func listed(text, separator string) (out []string) {
	for part := range strings.SplitSeq(text, separator) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
