package catalog

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/platform/weblink"
)

// Kinds of what is in a catalogue.
const (
	// KindService runs and answers for something: it is seen in telemetry, has SLOs, and somebody is on call for it.
	KindService = "service"
	// KindResource is what services use: a database, a queue, a bucket.
	KindResource = "resource"
	// KindLibrary is built and not run.
	KindLibrary = "library"
)

// maxTier is the least important tier.
const maxTier = 4

// Link is a place that people want to go to.
type Link struct {
	Title string `yaml:"title" json:"title"`
	URL   string `yaml:"url" json:"url"`
	Type  string `yaml:"type" json:"type,omitempty"` // dashboard, repository, chat, runbook, docs, or any other word
}

// Team is who owns services.
type Team struct {
	Name       string `yaml:"name" json:"name"`                       // as in the label team
	Title      string `yaml:"title" json:"title,omitempty"`           // as people read it
	Escalation string `yaml:"escalation" json:"escalation,omitempty"` // the escalation policy that its alerts are paged by
	Schedule   string `yaml:"schedule" json:"schedule,omitempty"`     // its on-call schedule; those with its name otherwise
	Chat       string `yaml:"chat" json:"chat,omitempty"`             // its channel
	Email      string `yaml:"email" json:"email,omitempty"`
	Parent     string `yaml:"parent" json:"parent,omitempty"` // the team that it belongs to, whose escalation, schedule and chat it has unless it has its own
	Links      []Link `yaml:"links" json:"links,omitempty"`

	place
}

// Service is what a team owns.
type Service struct {
	Name      string            `yaml:"name"`       // as in the label service, unless telemetry says otherwise
	Namespace string            `yaml:"namespace"`  // as in the label namespace, where services of several have one name
	Telemetry []string          `yaml:"telemetry"`  // its names in telemetry, where they are others
	Kind      string            `yaml:"kind"`       // service (default), resource or library
	Team      string            `yaml:"team"`       // who owns it
	Tier      int               `yaml:"tier"`       // 1 is the most important, 4 the least; 0 is not said
	Runbooks  []string          `yaml:"runbooks"`   // names of runbooks, or links
	Links     []Link            `yaml:"links"`      // dashboards, repository, chat, documents
	DependsOn []string          `yaml:"depends_on"` // services and resources
	Excused   map[string]string `yaml:"excused"`    // gaps that are meant to be, by their word, with the reason

	About  `yaml:",inline"`
	Paging `yaml:",inline"`
	place
}

// About is what people wrote of a service.
type About struct {
	Title       string `yaml:"title"`       // as people read it
	Description string `yaml:"description"` // what it is for
	System      string `yaml:"system"`      // what it is a part of
	Lifecycle   string `yaml:"lifecycle"`   // production, experimental, deprecated, …
}

// Paging is what of its team's a service may have otherwise.
type Paging struct {
	Escalation string `yaml:"escalation"` // instead of the team's
	Schedule   string `yaml:"schedule"`   // instead of the team's
	Chat       string `yaml:"chat"`       // instead of the team's
}

// place is where something is written.
type place struct {
	file string
	line int
}

func (s *Service) names() []string {
	if len(s.Telemetry) > 0 {
		return s.Telemetry
	}
	return []string{s.Name}
}

// SetDefaults is document's.
func (s *Service) SetDefaults() { s.Kind = KindService }

// nameRE is what names may be: what labels, refs and addresses take without quotes.
var nameRE = regexp.MustCompile(`^[a-zA-Z0-9_]([a-zA-Z0-9._/-]*[a-zA-Z0-9_])?$`)

const nameRule = "must be letters, digits, '-', '_', '.' and '/'"

// validate lists what is wrong; each message begins with the field.
func (t *Team) validate() (errs []error) {
	if !nameRE.MatchString(t.Name) || strings.Contains(t.Name, ",") {
		errs = append(errs, fmt.Errorf("name: %s, got %q", nameRule, t.Name))
	}
	if t.Parent == t.Name && t.Name != "" {
		errs = append(errs, errors.New("parent: a team is not its own"))
	}
	return append(errs, checkLinks(t.Links)...)
}

// validate lists what is wrong; each message begins with the field.
func (s *Service) validate() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !nameRE.MatchString(s.Name) {
		bad("name: %s, got %q", nameRule, s.Name)
	}
	for i, n := range s.Telemetry {
		if strings.TrimSpace(n) == "" {
			bad("telemetry[%d]: is empty", i)
		}
	}
	if !slices.Contains([]string{KindService, KindResource, KindLibrary}, s.Kind) {
		bad("kind: must be service, resource or library, got %q", s.Kind)
	}
	if s.Tier < 0 || s.Tier > maxTier {
		bad("tier: must be 1 (the most important) to %d, got %d", maxTier, s.Tier)
	}
	for i, r := range s.Runbooks {
		if err := checkRunbook(r); err != nil {
			bad("runbooks[%d]: %w", i, err)
		}
	}
	for i, d := range s.DependsOn {
		switch {
		case strings.TrimSpace(d) == "":
			bad("depends_on[%d]: is empty", i)
		case d == s.Name:
			bad("depends_on[%d]: a service does not depend on itself", i)
		}
	}
	for word, why := range s.Excused {
		if _, known := gapTexts()[Word(word)]; !known {
			bad("excused.%s: is no gap; known are %s", word, strings.Join(gapWords(), ", "))
		} else if strings.TrimSpace(why) == "" {
			bad("excused.%s: say why", word)
		}
	}
	return append(errs, checkLinks(s.Links)...)
}

// checkRunbook refuses what is neither the name of a runbook nor a link to a page.
func checkRunbook(text string) error {
	if strings.ContainsAny(text, ":\\") {
		return weblink.Check(text)
	}
	if !nameRE.MatchString(text) {
		return fmt.Errorf("must be the name of a runbook or a link, got %q", text)
	}
	return nil
}

func checkLinks(links []Link) (errs []error) {
	for i, l := range links {
		if l.URL == "" {
			errs = append(errs, fmt.Errorf("links[%d].url: is missing", i))
		} else if err := weblink.Check(l.URL); err != nil {
			errs = append(errs, fmt.Errorf("links[%d].url: %w", i, err))
		}
	}
	return errs
}
