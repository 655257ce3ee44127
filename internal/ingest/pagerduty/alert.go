package pagerduty

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
)

// Labels of alerts that come this way.
const (
	labelDedup       = "dedup_key"
	labelIntegration = "integration"
	// unnamed is the alertname of events without a class.
	unnamed = "PagerDutyEvent"
)

// Bounds of annotations.
const (
	maxDetails = 8 << 10
	maxLinks   = 20
)

// labels are what an event's alert is told apart and routed by.
func (e Event) labels(sender, namespace string) model.Labels {
	p, details := e.Payload, e.Payload.details()
	ls := model.Labels{
		"alertname": firstOf(maxLabel, p.Class, unnamed), "severity": p.Severity, "source": p.Source, "component": p.Component, "group": p.Group, "class": p.Class,
		"service": p.service(),
		"env":     firstOf(maxLabel, details["env"], details["environment"]), "region": details["region"], "team": details["team"],
		labelDedup: e.DedupKey, labelIntegration: sender, access.NamespaceLabel: namespace,
	}
	for k, v := range ls {
		if ls[k] = firstOf(maxLabel, v); ls[k] == "" {
			delete(ls, k)
		}
	}
	return ls
}

// service is the one that an event is about: custom details name it, or else the component, or else the source.
func (p *Payload) service() string {
	details := p.details()
	return firstOf(maxLabel, details["service"], details["service_name"], details["service.name"], p.Component, p.Source)
}

// firstOf is the first text of which something is left once it is shortened to what may be shown.
func firstOf(most int, texts ...string) string {
	for _, text := range texts {
		if text = strings.TrimSpace(clip(text, most)); text != "" {
			return text
		}
	}
	return ""
}

// annotations are what people read of it.
func (e Event) annotations() model.Labels {
	p, details := e.Payload, e.Payload.details()
	out := model.Labels{
		"summary": p.Summary, "client": clip(e.Client, maxLabel), "client_url": weblink.OrNone(e.ClientURL),
		"runbook_url": weblink.OrNone(cmp.Or(details["runbook_url"], details["runbook"])),
		"links":       e.links(), "details": p.shown(),
	}
	for k, v := range out {
		if v == "" {
			delete(out, k)
		}
	}
	return out
}

// shown are the custom details as they came, without line feeds.
func (p *Payload) shown() string {
	var b bytes.Buffer
	if len(p.Details) == 0 || json.Compact(&b, p.Details) != nil || b.String() == "null" || b.String() == "{}" {
		return ""
	}
	return clip(b.String(), maxDetails)
}

func (e Event) links() string {
	var lines []string
	add := func(text, href string) {
		if href = weblink.OrNone(href); href == "" || len(lines) == maxLinks || slices.Contains(lines, href) {
			return
		}
		if text = clip(strings.Join(strings.Fields(text), " "), maxLabel); text != "" {
			href = fmt.Sprintf("%s: %s", text, href)
		}
		lines = append(lines, href)
	}
	for _, l := range e.Links {
		add(l.Text, l.Href)
	}
	for _, i := range e.Images {
		add(i.Alt, cmp.Or(i.Href, i.Src))
	}
	return strings.Join(lines, "\n")
}

// shownAt is where a person sees the condition.
func (e Event) shownAt() string {
	out := weblink.OrNone(e.ClientURL)
	for _, l := range e.Links {
		out = cmp.Or(out, weblink.OrNone(l.Href))
	}
	return out
}

// deploy is the marker of a change.
func (c Change) deploy(now time.Time) model.Deploy {
	p, details := c.Payload, c.Payload.details()
	at, _ := p.at()
	if at.IsZero() || at.After(now) {
		at = now
	}
	d := model.Deploy{
		Time: at, Service: firstOf(200, p.service(), "unknown"), Version: firstOf(200, details["version"], details["build_number"], details["commit"], "unknown"),
		Environment: firstOf(200, details["env"], details["environment"]), Region: firstOf(200, details["region"]),
		Kind: "deploy", Status: "succeeded", Actor: firstOf(200, details["actor"]), Message: p.Summary,
	}
	if ns := firstOf(maxLabel, details[access.NamespaceLabel]); ns != "" {
		d.Labels = map[string]string{access.NamespaceLabel: ns}
	}
	for _, l := range c.Links {
		if d.Link = weblink.OrNone(l.Href); len(d.Link) <= 2000 && d.Link != "" {
			break
		}
		d.Link = ""
	}
	return d
}
