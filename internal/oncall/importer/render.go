package importer

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

type personYAML struct {
	Name     string        `yaml:"name"`
	Shown    string        `yaml:"shown,omitempty"`
	Email    string        `yaml:"email,omitempty"`
	TimeZone string        `yaml:"time_zone,omitempty"`
	Contacts []contactYAML `yaml:"contacts,omitempty"`
	Rules    []ruleYAML    `yaml:"rules,omitempty"`
}

type contactYAML struct {
	Name    string `yaml:"name,omitempty"`
	Channel string `yaml:"channel"`
	Address string `yaml:"address"`
}

type ruleYAML struct {
	Contact string `yaml:"contact"`
	After   string `yaml:"after,omitempty"`
}

type scheduleYAML struct {
	Name     string      `yaml:"name"`
	Team     string      `yaml:"team,omitempty"`
	TimeZone string      `yaml:"time_zone"`
	Layers   []layerYAML `yaml:"layers"`
}

type layerYAML struct {
	Name    string       `yaml:"name"`
	Start   string       `yaml:"start"`
	At      string       `yaml:"at"`
	Every   string       `yaml:"every"`
	Begins  string       `yaml:"begins,omitempty"`
	Ends    string       `yaml:"ends,omitempty"`
	Offset  int          `yaml:"offset,omitempty"`
	People  []string     `yaml:"people,flow"`
	Windows []windowYAML `yaml:"windows,omitempty"`
}

type windowYAML struct {
	Days []string `yaml:"days,omitempty,flow"`
	From string   `yaml:"from"`
	To   string   `yaml:"to"`
}

type policyYAML struct {
	Name        string            `yaml:"name"`
	Text        string            `yaml:"text,omitempty"`
	Services    []string          `yaml:"services,omitempty,flow"`
	Match       map[string]string `yaml:"match,omitempty"`
	Steps       []stepYAML        `yaml:"steps"`
	Repeat      int               `yaml:"repeat,omitempty"`
	RepeatAfter string            `yaml:"repeat_after,omitempty"`
}

type stepYAML struct {
	After  string              `yaml:"after,omitempty"`
	Notify []map[string]string `yaml:"notify"`
}

// YAML is the outcome as a file of oncall_files, without what is not in files: overrides.
func (o Outcome) YAML() ([]byte, error) {
	var doc struct {
		People    []personYAML   `yaml:"people,omitempty"`
		Schedules []scheduleYAML `yaml:"schedules,omitempty"`
		Policies  []policyYAML   `yaml:"escalation_policies,omitempty"`
	}
	for _, p := range o.People {
		doc.People = append(doc.People, personOf(p))
	}
	for _, s := range o.Schedules {
		out := scheduleYAML{Name: s.Name, Team: s.Team, TimeZone: s.TimeZone}
		for _, l := range s.Layers {
			made := layerYAML{Name: l.Name, Start: l.Start, At: l.At, Every: l.Every, Begins: l.Begins, Ends: l.Ends, Offset: l.Offset, People: l.People}
			for _, w := range l.Windows {
				made.Windows = append(made.Windows, windowYAML(w))
			}
			out.Layers = append(out.Layers, made)
		}
		doc.Schedules = append(doc.Schedules, out)
	}
	for _, p := range o.Policies {
		doc.Policies = append(doc.Policies, policyOf(p))
	}
	return yaml.MarshalWithOptions(doc, yaml.IndentSequence(true))
}

func personOf(p oncall.Person) personYAML {
	out := personYAML{Name: p.Name, Shown: p.Shown, Email: p.Email, TimeZone: p.TimeZone}
	for _, c := range p.Contacts {
		out.Contacts = append(out.Contacts, contactYAML(c))
	}
	for _, r := range p.Rules {
		one := ruleYAML{Contact: r.Contact}
		if r.After > 0 {
			one.After = r.After.String()
		}
		out.Rules = append(out.Rules, one)
	}
	return out
}

func policyOf(p policy.EscalationPolicy) policyYAML {
	out := policyYAML{Name: p.Name, Text: p.Text, Services: p.Services, Match: p.Match, Repeat: p.Repeat}
	if p.RepeatAfter > 0 {
		out.RepeatAfter = p.RepeatAfter.String()
	}
	for _, s := range p.Steps {
		one := stepYAML{}
		if s.After > 0 {
			one.After = s.After.String()
		}
		for _, t := range s.Notify {
			if t.Schedule != "" {
				one.Notify = append(one.Notify, map[string]string{"schedule": t.Schedule})
			} else {
				one.Notify = append(one.Notify, map[string]string{"person": t.Person})
			}
		}
		out.Steps = append(out.Steps, one)
	}
	return out
}

// Commands are those that make the overrides.
func (o Outcome) Commands() []byte {
	var b bytes.Buffer
	for _, v := range o.Overrides {
		fmt.Fprintf(&b, "signalbox oncall override %s --person %s --start %s --end %s --reason %s\n",
			v.Schedule, v.Person, v.Start.Format(time.RFC3339), v.End.Format(time.RFC3339), quoted(v.Reason))
	}
	return b.Bytes()
}

// quoted is a text as a shell takes it for one word.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
