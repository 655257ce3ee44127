package slack

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

// Slack's limits, in UTF-16 units, which are never fewer than what it counts.
const (
	maxHeader   = 150
	maxText     = 3000
	maxButton   = 75
	maxURL      = 3000
	maxValue    = 2000
	maxFallback = 3000
	maxDetails  = 10_000 // of one message, all blocks together: longer ones are refused as a whole
	maxAlerts   = 20
	maxLinks    = 5
)

// Names in our messages, by which interactions are understood.
const (
	statusBlock = "signalbox.status"
	actionBlock = "signalbox.actions"
	actAck      = "signalbox.acknowledge"
	actSilence  = "signalbox.silence"
	actLink     = "signalbox.link." // with a number
)

// block is a block of Block Kit, of the kinds that we use.
type block struct {
	Type     string    `json:"type"`
	BlockID  string    `json:"block_id,omitempty"`
	Text     *text     `json:"text,omitempty"`
	Elements []element `json:"elements,omitempty"`
}

// text is plain, always: nothing in it is markup.
type text struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Emoji *bool  `json:"emoji,omitempty"`
}

// element is a button, or plain text of a context.
type element struct {
	Type     string   `json:"type"`
	Text     any      `json:"text"` // a *text of a button, a string of a context's text
	Emoji    *bool    `json:"emoji,omitempty"`
	ActionID string   `json:"action_id,omitempty"`
	Value    string   `json:"value,omitempty"`
	URL      string   `json:"url,omitempty"`
	Style    string   `json:"style,omitempty"`
	Confirm  *confirm `json:"confirm,omitempty"`
}

type confirm struct {
	Title   *text `json:"title"`
	Text    *text `json:"text"`
	Confirm *text `json:"confirm"`
	Deny    *text `json:"deny"`
}

func plain(s string, most int) *text {
	no := false
	return &text{Type: "plain_text", Text: fit.UTF16(s, most), Emoji: &no}
}

func section(s string) block { return block{Type: "section", Text: plain(s, maxText)} }

// escape takes the meaning from text where Slack knows markup only, as it asks for.
func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// fallback is what notifications and screen readers have instead of blocks.
func fallback(m notify.Message) string {
	out := fit.Marked(m)
	if body := fit.Line(m.Text); body != "" {
		out += " – " + body
	}
	return escape(fit.UTF16(out, maxFallback))
}

// blocks are the message.
func (c *Channel) blocks(m notify.Message) []block {
	out := []block{{Type: "header", Text: plain(fit.Marked(m), maxHeader)}}
	if body := fit.Body(m); body != "" {
		out = append(out, section(body))
	}
	if line := status(m.Page); line != "" {
		no := false
		out = append(out, block{Type: "context", BlockID: statusBlock, Elements: []element{{Type: "plain_text", Text: fit.UTF16(line, maxText), Emoji: &no}}})
	}
	if buttons := c.buttons(m); len(buttons) > 0 {
		out = append(out, block{Type: "actions", BlockID: actionBlock, Elements: buttons})
	}
	return out
}

// status is how a page stands, in one line.
func status(p *model.Page) string {
	if p == nil {
		return ""
	}
	firing := 0
	for _, a := range p.Alerts {
		if a.Status == "firing" {
			firing++
		}
	}
	parts := []string{fmt.Sprintf("since %s", p.Time.UTC().Format("2006-01-02 15:04 UTC"))}
	if p.Service != "" {
		parts = append(parts, "service "+fit.Line(p.Service))
	}
	if p.Severity != "" {
		parts = append(parts, "severity "+fit.Line(p.Severity))
	}
	parts = append(parts, fmt.Sprintf("%d of %d alerts firing", firing, len(p.Alerts)))
	if p.AckedBy != "" {
		parts = append(parts, "taken by "+fit.Runes(fit.Line(p.AckedBy), 60))
	}
	if p.ResolvedAt != nil {
		parts = append(parts, "over since "+p.ResolvedAt.UTC().Format("15:04 UTC"))
	}
	return strings.Join(parts, " · ")
}

// buttons are what can be done about a message.
func (c *Channel) buttons(m notify.Message) (out []element) {
	open := m.Kind == notify.Paged || m.Kind == notify.Noticed || m.Kind == notify.Drill || m.Kind == notify.Acknowledged
	if m.Page != nil && open && len(m.Page.ID) > 0 && len(m.Page.ID) <= maxValue && c.cfg.SigningSecret != nil {
		if m.Page.AckedBy == "" && m.Kind != notify.Acknowledged {
			out = append(out, element{Type: "button", ActionID: actAck, Value: m.Page.ID, Style: "primary", Text: plain("Acknowledge", maxButton)})
		}
		out = append(out, element{Type: "button", ActionID: actSilence, Value: m.Page.ID, Text: plain("Silence 1 h", maxButton), Confirm: &confirm{
			Title: plain("Silence for 1 hour?", 100), Text: plain("Alerts with the labels that the alerts of this page have in common page nobody for an hour.", 300),
			Confirm: plain("Silence", 30), Deny: plain("Cancel", 30),
		}})
	} else if open && m.Kind != notify.Acknowledged {
		out = append(out, link(len(out), "Acknowledge", m.Acknowledge)...)
	}
	for _, l := range m.Links[:min(len(m.Links), maxLinks)] {
		out = append(out, link(len(out), l.Text, l.URL)...)
	}
	return out
}

// link is a button that opens an address; none for what a browser would run.
func link(n int, label, url string) []element {
	if url = fit.Link(url, maxURL); url == "" {
		return nil
	}
	label = fit.Line(label)
	if label == "" {
		label = "Open"
	}
	return []element{{Type: "button", ActionID: fmt.Sprintf("%s%d", actLink, n), URL: url, Text: plain(label, maxButton)}}
}

// details are what is known of the alerts of a page, for its thread.
func details(m notify.Message) (out []block) {
	if m.Page == nil {
		return nil
	}
	room := maxDetails
	for i, a := range m.Page.Alerts {
		if i == maxAlerts || room < maxHeader {
			out = append(out, section(fmt.Sprintf("and %d more alerts; the page has all of them", len(m.Page.Alerts)-i)))
			break
		}
		b := section(fit.UTF16(detail(a), min(room, maxText)))
		room -= len(utf16.Encode([]rune(b.Text.Text)))
		out = append(out, b)
	}
	return out
}

// detail is one alert in lines.
func detail(a model.PageAlert) string {
	lines := []string{fmt.Sprintf("%s since %s", a.Status, a.StartsAt.UTC().Format(time.RFC3339))}
	for _, ls := range []model.Labels{a.Annotations, a.Labels} {
		var names []string
		for name := range ls {
			if name != notify.AcknowledgeURL {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			lines = append(lines, fit.Line(name)+": "+fit.Line(ls[name]))
		}
	}
	return strings.Join(lines, "\n")
}
