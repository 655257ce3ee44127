package teams

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

const (
	pause     = 10 * time.Second
	maxCard   = 25_000 // bytes of 28 KB
	maxTitle  = 500
	maxLine   = 500
	maxLines  = 20
	maxAlerts = 10
	maxLinks  = 5
	maxURL    = 2000
)

// envelope is what the trigger of a workflow takes.
type envelope struct {
	Type        string       `json:"type"`
	Attachments []attachment `json:"attachments"`
}

type attachment struct {
	ContentType string  `json:"contentType"`
	ContentURL  *string `json:"contentUrl"`
	Content     card    `json:"content"`
}

type card struct {
	Schema  string         `json:"$schema"`
	Type    string         `json:"type"`
	Version string         `json:"version"`
	Body    []paragraph    `json:"body"`
	Actions []openURL      `json:"actions,omitempty"`
	Teams   map[string]any `json:"msteams"`
}

// paragraph is a RichTextBlock: its runs are shown as they are.
type paragraph struct {
	Type      string `json:"type"`
	Inlines   []run  `json:"inlines"`
	Separator bool   `json:"separator,omitempty"`
}

type run struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Weight string `json:"weight,omitempty"`
	Size   string `json:"size,omitempty"`
	Color  string `json:"color,omitempty"`
	Subtle bool   `json:"isSubtle,omitempty"`
}

type openURL struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

func line(r run) paragraph {
	r.Type = "TextRun"
	return paragraph{Type: "RichTextBlock", Inlines: []run{r}}
}

// encode leaves out paragraphs from the end until the card is small enough.
func encode(m notify.Message) ([]byte, error) {
	c := card{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4",
		Body: body(m), Actions: actions(m), Teams: map[string]any{"width": "Full"},
	}
	for {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false) // six bytes for each < would count
		if err := e.Encode(envelope{Type: "message", Attachments: []attachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: c}}}); err != nil {
			return nil, err
		}
		switch {
		case b.Len() <= maxCard:
			return b.Bytes(), nil
		case len(c.Body) > 1:
			c.Body = c.Body[:len(c.Body)-1]
		case len(c.Actions) > 0:
			c.Actions = c.Actions[:len(c.Actions)-1]
		default:
			return nil, fmt.Errorf("the card has %d bytes, more than Teams takes", b.Len())
		}
	}
}

func body(m notify.Message) []paragraph {
	out := []paragraph{line(run{Text: fit.Runes(fit.Headline(m), maxTitle), Weight: "Bolder", Size: "Large", Color: color(m.Kind)})}
	for i, l := range slices.DeleteFunc(strings.Split(fit.Body(m), "\n"), func(l string) bool { return strings.TrimSpace(l) == "" }) {
		if i == maxLines {
			out = append(out, line(run{Text: "…"}))
			break
		}
		out = append(out, line(run{Text: fit.Runes(l, maxLine)}))
	}
	if m.Page == nil {
		return out
	}
	out = append(out, line(run{Text: status(m.Page), Subtle: true}))
	for i, a := range m.Page.Alerts {
		p := line(run{Text: fit.Runes(strings.Join(append([]string{a.Status}, fit.Labels(a)...), " · "), 2*maxLine)})
		if p.Separator = true; i == maxAlerts {
			p.Inlines[0].Text = fmt.Sprintf("and %d more alerts; the page has all of them", len(m.Page.Alerts)-i)
			return append(out, p)
		}
		out = append(out, p)
	}
	return out
}

func color(k notify.Kind) string {
	switch k {
	case notify.Paged:
		return "Attention"
	case notify.Noticed:
		return "Warning"
	case notify.Resolved:
		return "Good"
	case notify.Acknowledged, notify.Drill:
		return "Accent"
	}
	return "Default"
}

func status(p *model.Page) string {
	parts := []string{"since " + p.Time.UTC().Format("2006-01-02 15:04 UTC")}
	if p.Service != "" {
		parts = append(parts, "service "+fit.Runes(fit.Line(p.Service), 100))
	}
	if p.Severity != "" {
		parts = append(parts, "severity "+fit.Runes(fit.Line(p.Severity), 100))
	}
	return strings.Join(append(parts, fmt.Sprintf("%d alerts", len(p.Alerts))), " · ")
}

func actions(m notify.Message) (out []openURL) {
	add := func(label, to string) {
		if to = fit.Link(to, maxURL); to != "" {
			out = append(out, openURL{Type: "Action.OpenUrl", Title: cmp.Or(fit.Runes(fit.Line(label), 60), "Open"), URL: to})
		}
	}
	add("Acknowledge", m.Acknowledge)
	for _, l := range m.Links[:min(len(m.Links), maxLinks)] {
		add(l.Text, l.URL)
	}
	return out
}
