package tracker

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
)

const (
	maxTitle  = 200    // of 255 (GitLab, Jira) and 256 (GitHub)
	maxText   = 20_000 // of 32,767 (Jira), 65,536 (GitHub), 1,048,576 (GitLab)
	maxAlerts = 30
	maxLine   = 500
	maxLinks  = 10
	maxURL    = 1000
)

// text is what an issue says: what comes from telemetry, and where to look.
type text struct {
	code  string
	links []notify.Link // checked
}

func textOf(m notify.Message) text {
	var parts []string
	if body := strings.TrimSpace(fit.Text(m.Text)); body != "" {
		parts = append(parts, body)
	}
	if m.Page != nil {
		parts = append(parts, alertsOf(m.Page))
	}
	out := text{code: fit.UTF16(cmp.Or(strings.TrimSpace(strings.Join(parts, "\n\n")), "Nothing more is known."), maxText)}
	for _, l := range m.Links[:min(len(m.Links), maxLinks)] {
		if to := fit.Link(l.URL, maxURL); to != "" {
			out.links = append(out.links, notify.Link{Text: cmp.Or(fit.Runes(strings.ReplaceAll(fit.Line(l.Text), "`", "'"), 60), "Open"), URL: to})
		}
	}
	return out
}

func alertsOf(p *model.Page) string {
	lines := []string{"since " + p.Time.UTC().Format("2006-01-02 15:04 UTC")}
	for i, a := range p.Alerts {
		if i == maxAlerts {
			lines = append(lines, fmt.Sprintf("and %d more alerts", len(p.Alerts)-i))
			break
		}
		lines = append(lines, fit.Runes(a.Status+": "+strings.Join(fit.Labels(a), ", "), maxLine))
	}
	return strings.Join(lines, "\n")
}

// markdown is text in a fence that nothing in it closes: there neither @names are mentioned nor commands such as /close carried out.
func (t text) markdown() string {
	longest, run := 0, 0
	for _, r := range t.code {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", max(3, longest+1))
	out := fence + "text\n" + t.code + "\n" + fence + "\n"
	for _, l := range t.links {
		out += "\n- `" + l.Text + "`: <" + l.URL + ">"
	}
	return out
}

// adf is text in Atlassian's document format, whose text is never markup.
func (t text) adf() map[string]any {
	content := []any{map[string]any{"type": "codeBlock", "content": []any{map[string]any{"type": "text", "text": t.code}}}}
	for _, l := range t.links {
		content = append(content, map[string]any{"type": "paragraph", "content": []any{map[string]any{
			"type": "text", "text": l.Text, "marks": []any{map[string]any{"type": "link", "attrs": map[string]any{"href": l.URL}}},
		}}})
	}
	return map[string]any{"type": "doc", "version": 1, "content": content}
}
