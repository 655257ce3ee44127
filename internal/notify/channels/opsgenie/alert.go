package opsgenie

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

// Opsgenie's limits, in characters.
const (
	maxMessage     = 130
	maxAlias       = 512
	maxDescription = 15_000
	maxDetails     = 8000 // keys and values, together
	maxDetail      = 1000
	maxEntity      = 512
	maxUser        = 100
	maxNote        = 1000
	maxLinks       = 10
	maxURL         = 2000
)

// alert is what POST /v2/alerts takes.
type alert struct {
	Message     string              `json:"message"`
	Alias       string              `json:"alias"`
	Description string              `json:"description,omitempty"`
	Responders  []map[string]string `json:"responders,omitempty"`
	Tags        []string            `json:"tags,omitempty"`
	Details     map[string]string   `json:"details,omitempty"`
	Entity      string              `json:"entity,omitempty"`
	Source      string              `json:"source"`
	Priority    string              `json:"priority"`
}

// step is what acknowledge and close take.
type step struct {
	User   string `json:"user,omitempty"`
	Source string `json:"source"`
	Note   string `json:"note,omitempty"`
}

const source = "Signalbox"

var aliasRE = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$`)

// aliasOf is the dedup key as it is where it can stand in a path, otherwise its digest, as Alertmanager has it.
func aliasOf(key string) string {
	if len(key) <= maxAlias && aliasRE.MatchString(key) {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// responderOf reads an address.
func responderOf(address string) (map[string]string, error) {
	what, name, found := strings.Cut(address, ":")
	if !found {
		what, name = "team", address
	}
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxEntity {
		return nil, fmt.Errorf("%q names nobody: give a team, or user:, schedule: or escalation: and a name", fit.Runes(fit.Line(address), 64))
	}
	switch what {
	case "user":
		return map[string]string{"type": what, "username": name}, nil
	case "team", "schedule", "escalation":
		return map[string]string{"type": what, "name": name}, nil
	}
	return nil, fmt.Errorf("%q: must be a team, or user:, schedule: or escalation: and a name", fit.Runes(fit.Line(address), 64))
}

func alertOf(m notify.Message, alias string, to map[string]string) alert {
	title := fit.Line(m.Title)
	out := alert{
		Alias: alias, Responders: []map[string]string{to}, Source: source, Priority: priorityOf(m), Details: map[string]string{},
		Description: fit.Text(m.Text), Tags: []string{"signalbox"},
	}
	if m.Page != nil {
		title = cmp.Or(title, fit.Line(m.Page.Title))
		out.Description = cmp.Or(out.Description, fit.Text(m.Page.Summary))
		out.Entity = fit.UTF16(fit.Line(m.Page.Service), maxEntity)
	}
	if m.Kind == notify.Drill {
		title, out.Tags = "Drill: "+title, append(out.Tags, "drill")
	}
	out.Message = fit.UTF16(cmp.Or(title, "(no title)"), maxMessage)
	var links []string
	for _, l := range m.Links[:min(len(m.Links), maxLinks)] {
		if to := fit.Link(l.URL, maxURL); to != "" {
			links = append(links, fit.Runes(fit.Line(l.Text), maxUser)+" "+to)
		}
	}
	// Where to look stays when the text is too long.
	tail := strings.Join(links, "\n")
	out.Description = strings.TrimSpace(fit.UTF16(out.Description, max(0, maxDescription-2*len(tail)-2)) + "\n\n" + tail)
	out.details(m)
	return out
}

// details are the labels that the first alert has, as many as there is room for.
func (a *alert) details(m notify.Message) {
	room := maxDetails
	add := func(k, v string) {
		k, v = fit.UTF16(fit.Line(k), maxUser), fit.UTF16(fit.Line(v), maxDetail)
		if n := 2 * (len(k) + len(v)); k != "" && v != "" && n <= room {
			a.Details[k], room = v, room-n
		}
	}
	add("level", m.Level)
	if m.Page == nil {
		return
	}
	add("page", m.Page.ID)
	add("severity", m.Page.Severity)
	add("alerts", fmt.Sprint(len(m.Page.Alerts)))
	if len(m.Page.Alerts) == 0 {
		return
	}
	var names []string
	for k := range m.Page.Alerts[0].Labels {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		if k != notify.AcknowledgeURL && a.Details[k] == "" {
			add(k, m.Page.Alerts[0].Labels[k])
		}
	}
}

func stepOf(m notify.Message) step {
	out := step{Source: source, Note: fit.UTF16(fit.Text(m.Text), maxNote)}
	if m.Page != nil && m.Kind == notify.Acknowledged {
		out.User = fit.UTF16(fit.Line(m.Page.AckedBy), maxUser)
	}
	return out
}

// priorityOf is Opsgenie's word, by the level where there is one, by the severity of the alerts otherwise.
func priorityOf(m notify.Message) string {
	word := strings.ToLower(m.Level)
	if word == "" && m.Page != nil {
		word = strings.ToLower(m.Page.Severity)
	}
	switch word {
	case "p0", "critical", "page", "emergency":
		return "P1"
	case "p1", "error", "high":
		return "P2"
	case "p3", "low", "ticket":
		return "P4"
	case "info", "none", "debug":
		return "P5"
	}
	return "P3"
}
