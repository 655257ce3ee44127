package oncall

import (
	"fmt"
	"slices"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

// Roster is what on-call files put into force.
type Roster struct {
	People    []Person
	Schedules []Definition
	Policies  []policy.EscalationPolicy
	Levels    policy.Levels // those of no file are the default

	Heartbeats []Heartbeat
}

// Files are how on-call files are found and read.
func Files() document.Files {
	return document.Files{What: "on-call file", Setting: "oncall_files", MaxBytes: 4 << 20}
}

// Load reads on-call files by glob patterns and answers what is usable and everything that is wrong with them.
func Load(patterns []string) (Roster, []document.Problem) {
	return document.Build[Roster](buildRoster).Load(Files(), patterns)
}

// sheet is one file.
type sheet struct {
	People    []placed
	Schedules []Definition
	Policies  []placedPolicy
	Levels    []placedLevel

	Heartbeats []placedBeat
}

// placed is a person and where they stand.
type placed struct {
	Person
	file string
	line int
}

// buildRoster makes the roster of files as they were read: a schedule may have people of another file.
func buildRoster(files []document.File) (out Roster, problems []document.Problem) {
	var sheets []sheet
	for _, f := range files {
		s, more := parse(f.Path, f.Text)
		sheets, problems = append(sheets, s), append(problems, more...)
	}
	known := map[string]placed{}
	for _, s := range sheets {
		for _, p := range s.People {
			if first, twice := known[p.Name]; twice {
				problems = append(problems, again("people", p.Name, p.file, p.line, first.file, first.line))
				continue
			}
			known[p.Name] = p
			out.People = append(out.People, p.Person)
		}
	}
	schedules := map[string]Definition{}
	for _, s := range sheets {
		for _, d := range s.Schedules {
			if first, twice := schedules[d.Name]; twice {
				problems = append(problems, again("schedules", d.Name, d.file, d.line, first.file, first.line))
				continue
			}
			if strangers := slices.DeleteFunc(d.people(), func(name string) bool { _, ok := known[name]; return ok }); len(strangers) > 0 {
				problems = append(problems, stranger(d, strangers[0], known))
				continue
			}
			schedules[d.Name] = d
			out.Schedules = append(out.Schedules, d)
		}
	}
	problems = append(problems, buildPolicies(&out, sheets)...)
	problems = append(problems, buildHeartbeats(&out, sheets)...)
	return out, problems
}

func again(list, name, file string, line int, firstFile string, firstLine int) document.Problem {
	return document.Problem{
		File: file, Line: line, Cure: "give it another name",
		Message: fmt.Sprintf("%s: %q stands in %s:%d already", list, name, firstFile, firstLine),
	}
}

func stranger(d Definition, name string, known map[string]placed) document.Problem {
	var names []string
	for n := range known {
		names = append(names, n)
	}
	slices.Sort(names)
	cure := "add them to the list people"
	if near := document.DidYouMean(name, names); near != "" {
		cure = near
	}
	return document.Problem{File: d.file, Line: d.line, Cure: cure, Message: fmt.Sprintf("schedules: %s has the turns of %q, who is nobody in people", d.Name, name)}
}

// parse reads one file: a mapping with the lists people, schedules, escalation_policies, levels and heartbeats. What has a problem is left out.
func parse(file string, text []byte) (out sheet, _ []document.Problem) {
	r, docs := document.Parse(file, text)
	for _, doc := range docs {
		o := doc.Object("")
		if o == nil {
			continue
		}
		for i, n := range o.List("people", false) {
			p := placed{file: file, line: n.Line()}
			if n.Read(&p.Person, fmt.Sprintf("people[%d]", i), p.validate) {
				out.People = append(out.People, p)
			}
		}
		for i, n := range o.List("schedules", false) {
			d := Definition{file: file, line: n.Line()}
			if n.Read(&d, fmt.Sprintf("schedules[%d]", i), d.validate) {
				out.Schedules = append(out.Schedules, d)
			}
		}
		out.parsePolicies(o, file)
		out.parseHeartbeats(o, file)
		o.End()
	}
	if len(docs) == 0 && r.Errors() == 0 {
		r.Add(document.Problem{Line: 1, Message: "it holds no schedules", Cure: "begin with the keys people, schedules, escalation_policies, levels or heartbeats, or delete the file", Warning: true})
	}
	return out, r.Problems()
}
