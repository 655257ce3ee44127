package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/document"
)

// Sheet is what catalogue files put into force.
type Sheet struct {
	Teams    []Team
	Services []Service
}

// Files are how catalogue files are found and read.
func Files() document.Files {
	return document.Files{What: "catalogue file", Setting: "catalog_files", MaxBytes: 4 << 20}
}

// Load reads catalogue files by glob patterns and answers what is usable and everything that is wrong with them.
func Load(patterns []string) (Sheet, []document.Problem) {
	return document.Build[Sheet](buildSheet).Load(Files(), patterns)
}

// buildSheet makes one sheet of files as they were read: services may have teams, systems and interfaces of other files.
func buildSheet(files []document.File) (out Sheet, problems []document.Problem) {
	var parts gathered
	for _, f := range files {
		problems = append(problems, parts.parse(f)...)
	}
	problems = append(problems, parts.join()...)
	teams := map[string]Team{}
	for _, t := range parts.teams {
		if first, twice := teams[fold(t.Name)]; twice {
			problems = append(problems, again("team", t.Name, t.place, first.place))
			continue
		}
		teams[fold(t.Name)] = t
		out.Teams = append(out.Teams, t)
	}
	inherit(out.Teams)
	services := map[[2]string]Service{}
	for _, s := range parts.services {
		key := [2]string{s.Namespace, s.Name}
		if first, twice := services[key]; twice {
			problems = append(problems, again("service", s.Name, s.place, first.place))
			continue
		}
		services[key] = s
		if t, known := teams[fold(s.Team)]; known {
			s.Team = t.Name // Backstage's names differ by case alone
		} else if s.Team != "" && len(teams) > 0 {
			problems = append(problems, noTeam(s, out.Teams))
		}
		out.Services = append(out.Services, s)
	}
	return out, append(problems, claimed(out.Services)...)
}

func fold(name string) string { return strings.ToLower(name) }

// inherit gives a team what the one that it belongs to has, and it has not.
func inherit(teams []Team) {
	by := map[string]*Team{}
	for i := range teams {
		by[fold(teams[i].Name)] = &teams[i]
	}
	for i := range teams {
		t := &teams[i]
		for up, seen := by[fold(t.Parent)], map[*Team]bool{t: true}; up != nil && !seen[up]; up = by[fold(up.Parent)] {
			seen[up] = true
			// A policy and a schedule answer the same question: who has one does not need the other's from above.
			if t.Escalation == "" && t.Schedule == "" {
				t.Escalation, t.Schedule = up.Escalation, up.Schedule
			}
			if t.Chat == "" {
				t.Chat = up.Chat
			}
		}
	}
}

func again(what, name string, at, first place) document.Problem {
	return document.Problem{
		File: at.file, Line: at.line, Cure: "give one of them another name, or take one away",
		Message: fmt.Sprintf("%s %q stands in %s:%d already", what, name, first.file, first.line),
	}
}

func noTeam(s Service, teams []Team) document.Problem {
	names := make([]string, 0, len(teams))
	for _, t := range teams {
		names = append(names, t.Name)
	}
	slices.Sort(names)
	return document.Problem{
		File: s.file, Line: s.line, Cure: document.DidYouMean(s.Team, names), Warning: true,
		Message: fmt.Sprintf("service %s belongs to %q, which no file has as a team: nothing is known of who that is", s.Name, s.Team),
	}
}

// claimed finds names of telemetry that two services take for their own: an alert would have two owners.
func claimed(services []Service) (problems []document.Problem) {
	first := map[[2]string]Service{}
	for _, s := range services {
		for _, name := range s.names() {
			other, twice := first[[2]string{s.Namespace, name}]
			if !twice {
				first[[2]string{s.Namespace, name}] = s
			} else if other.Name != s.Name {
				problems = append(problems, document.Problem{
					File: s.file, Line: s.line, Cure: "take it out of telemetry of one of them", Warning: true,
					Message: fmt.Sprintf("service %s is called %q in telemetry, and so is %s in %s:%d, whose it is taken for", s.Name, name, other.Name, other.file, other.line),
				})
			}
		}
	}
	return problems
}

// gathered is what all files have, before it is joined.
type gathered struct {
	teams    []Team
	services []Service
	entities []entity
}

// parse reads one file: documents of our own with the lists teams and services, and entities of Backstage.
// What has a problem is left out.
func (g *gathered) parse(f document.File) []document.Problem {
	if bad := f.Unreadable(); bad != nil {
		return []document.Problem{*bad}
	}
	r, docs := document.Parse(f.Path, f.Text)
	for _, doc := range docs {
		o := doc.Object("")
		if o == nil {
			continue
		}
		if o.Stands("apiVersion") || o.Stands("kind") && o.Stands("metadata") {
			if e, ok := readEntity(r, o); ok {
				e.file = f.Path
				g.entities = append(g.entities, e)
			}
			continue
		}
		g.own(o, f.Path)
	}
	if len(docs) == 0 && r.Errors() == 0 {
		r.Add(document.Problem{Line: 1, Message: "it holds no services", Cure: "begin with the keys teams and services, or delete the file", Warning: true})
	}
	return r.Problems()
}

func (g *gathered) own(o *document.Object, file string) {
	for i, n := range o.List("teams", false) {
		t := Team{place: place{file, n.Line()}}
		if n.Read(&t, fmt.Sprintf("teams[%d]", i), t.validate) {
			g.teams = append(g.teams, t)
		}
	}
	for i, n := range o.List("services", false) {
		s := Service{place: place{file, n.Line()}}
		s.SetDefaults()
		if n.Read(&s, fmt.Sprintf("services[%d]", i), s.validate) {
			g.services = append(g.services, s)
		}
	}
	o.End()
}
