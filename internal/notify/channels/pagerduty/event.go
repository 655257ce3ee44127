package pagerduty

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

// PagerDuty's limits; those without a documented one are ours.
const (
	maxSummary = 1024
	maxKey     = 255
	maxEvent   = 500_000 // of 512 KB
	maxText    = 10_000
	maxValue   = 1000
	maxAlerts  = 50
	maxLinks   = 10
	maxURL     = 2000
)

// event is what /v2/enqueue takes.
type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Payload    *payload `json:"payload,omitempty"` // of a trigger
	Client     string   `json:"client,omitempty"`
	ClientURL  string   `json:"client_url,omitempty"`
	Links      []link   `json:"links,omitempty"`
}

type payload struct {
	Summary   string  `json:"summary"`
	Source    string  `json:"source"`
	Severity  string  `json:"severity"`
	Timestamp string  `json:"timestamp,omitempty"`
	Component string  `json:"component,omitempty"`
	Group     string  `json:"group,omitempty"`
	Class     string  `json:"class,omitempty"`
	Details   details `json:"custom_details"`
}

type link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// details are what PagerDuty shows as a table.
type details struct {
	Text     string  `json:"text,omitempty"`
	Level    string  `json:"level,omitempty"`
	Severity string  `json:"severity,omitempty"`
	Page     string  `json:"page,omitempty"`
	Firing   int     `json:"firing,omitempty"`
	Alerts   []alert `json:"alerts,omitempty"`
	More     int     `json:"more_alerts,omitempty"`
}

type alert struct {
	Status      string            `json:"status"`
	Since       string            `json:"since,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

func (c *Channel) eventOf(m notify.Message) (event, error) {
	e := event{DedupKey: keyOf(m.DedupKey)}
	if e.DedupKey == "" {
		return e, errors.New("the message has no dedup key")
	}
	switch m.Kind {
	case notify.Paged, notify.Noticed, notify.Drill:
		e.Action = "trigger"
	case notify.Acknowledged:
		e.Action = "acknowledge"
	case notify.Resolved:
		e.Action = "resolve"
	default:
		return e, fmt.Errorf("it takes pages and what becomes of them, and a message of kind %q would wake somebody", m.Kind)
	}
	if e.Action != "trigger" {
		return e, nil
	}
	e.Payload, e.Client = c.payloadOf(m), "Signalbox"
	for _, l := range m.Links[:min(len(m.Links), maxLinks)] {
		href := fit.Link(l.URL, maxURL)
		if href == "" {
			continue
		}
		if e.ClientURL == "" {
			e.ClientURL = href
		}
		e.Links = append(e.Links, link{Href: href, Text: cmp.Or(fit.Runes(fit.Line(l.Text), 200), "Open")})
	}
	return e, nil
}

// keyOf is the dedup key as it is, or a digest of one that is too long or would not come back as it went.
func keyOf(key string) string {
	odd := strings.ContainsFunc(key, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) })
	if len(key) <= maxKey && !odd && strings.TrimSpace(key) == key {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func (c *Channel) payloadOf(m notify.Message) *payload {
	title := fit.Line(m.Title)
	p := &payload{Source: c.source, Severity: severityOf(m), Details: details{Text: fit.Runes(fit.Text(m.Text), maxText), Level: fit.Runes(fit.Line(m.Level), 20)}}
	if !m.Time.IsZero() {
		p.Timestamp = m.Time.UTC().Format(time.RFC3339)
	}
	if m.Page != nil {
		title = cmp.Or(title, fit.Line(m.Page.Title))
		p.about(m.Page)
	}
	if m.Level != "" {
		title = fit.Line(m.Level) + " " + title
	}
	if m.Kind == notify.Drill {
		title = "Drill: " + title
	}
	p.Summary = fit.UTF16(cmp.Or(strings.TrimSpace(title), "(no title)"), maxSummary)
	return p
}

// about fills in what is known of a page.
func (p *payload) about(page *model.Page) {
	p.Source = cmp.Or(fit.Runes(fit.Line(page.Service), maxValue), p.Source)
	p.Component = fit.Runes(fit.Line(page.Service), maxValue)
	p.Class = fit.Runes(fit.Line(page.GroupLabels["alertname"]), maxValue)
	p.Group = fit.Runes(fit.Line(page.GroupLabels["team"]), maxValue)
	p.Details.Page, p.Details.Severity = fit.Runes(fit.Line(page.ID), maxValue), fit.Runes(fit.Line(page.Severity), maxValue)
	for _, a := range page.Alerts {
		if a.Status == "firing" {
			p.Details.Firing++
		}
		if len(p.Details.Alerts) == maxAlerts {
			p.Details.More++
			continue
		}
		one := alert{Status: a.Status, Labels: plain(a.Labels), Annotations: plain(a.Annotations)}
		if !a.StartsAt.IsZero() {
			one.Since = a.StartsAt.UTC().Format(time.RFC3339)
		}
		p.Details.Alerts = append(p.Details.Alerts, one)
	}
}

// plain are labels as they are shown; the way to acknowledge is of a message, and not for everybody who reads an alert there.
func plain(ls model.Labels) map[string]string {
	out := map[string]string{}
	for k, v := range ls {
		if k != notify.AcknowledgeURL {
			out[fit.Runes(fit.Line(k), maxValue)] = fit.Runes(fit.Text(v), maxValue)
		}
	}
	return out
}

// severityOf is PagerDuty's word: by the level where there is one, by the severity of the alerts otherwise. What need not be got up for is no more than
// a warning.
func severityOf(m notify.Message) string {
	word := strings.ToLower(m.Level)
	if word == "" && m.Page != nil {
		word = strings.ToLower(m.Page.Severity)
	}
	out := "error"
	switch word {
	case "p0", "p1", "critical", "page", "emergency", "fatal":
		out = "critical"
	case "p3", "warning", "warn", "low", "ticket":
		out = "warning"
	case "p4", "info", "information", "none", "debug":
		out = "info"
	}
	if m.Kind == notify.Noticed && out != "info" {
		return "warning"
	}
	return out
}

// encode leaves out alerts until the event is small enough.
func (e event) encode() ([]byte, error) {
	for {
		body, err := json.Marshal(e)
		if err != nil || len(body) <= maxEvent {
			return body, err
		}
		if e.Payload == nil || len(e.Payload.Details.Alerts) == 0 {
			return nil, fmt.Errorf("the event has %d bytes without its alerts, more than PagerDuty takes", len(body))
		}
		d := &e.Payload.Details
		half := len(d.Alerts) / 2
		d.More += len(d.Alerts) - half
		d.Alerts = d.Alerts[:half]
	}
}
