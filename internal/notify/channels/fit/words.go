package fit

import (
	"cmp"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
)

// maxName bounds what is shown of a person's name.
const maxName = 60

// Headline is a message in one line of any length: what became of its page, its level, its title.
func Headline(m notify.Message) string {
	out := Line(m.Title)
	if m.Page != nil {
		out = cmp.Or(out, Line(m.Page.Title))
	}
	out = cmp.Or(out, "(no title)")
	if m.Kind == notify.Drill {
		out = strings.TrimPrefix(out, "Drill: ") // it is said below
	}
	if m.Level != "" {
		out = Line(m.Level) + " · " + out
	}
	switch m.Kind {
	case notify.Acknowledged:
		if m.Page != nil && m.Page.AckedBy != "" {
			return "Acknowledged by " + Runes(Line(m.Page.AckedBy), maxName) + ": " + out
		}
		return "Acknowledged: " + out
	case notify.Resolved:
		return "Resolved: " + out
	case notify.Drill:
		return "Drill: " + out
	}
	return out
}

// Marked is the headline behind a sign that is seen before it is read.
func Marked(m notify.Message) string {
	signs := map[notify.Kind]string{notify.Paged: "🔴 ", notify.Noticed: "🟠 ", notify.Acknowledged: "👀 ", notify.Resolved: "✅ ", notify.Drill: "🧪 "}
	return signs[m.Kind] + Headline(m)
}

// Body is what a message says beside its headline, in lines; what its page says where it says nothing itself.
func Body(m notify.Message) string {
	out := strings.TrimSpace(Text(m.Text))
	if out == "" && m.Page != nil {
		out = strings.TrimSpace(Text(m.Page.Summary))
	}
	return out
}

// Labels are those of an alert in the order of their names, as name=value.
func Labels(a model.PageAlert) []string {
	var out []string
	for k, v := range a.Labels {
		if k != notify.AcknowledgeURL {
			out = append(out, Line(k)+"="+Line(v))
		}
	}
	slices.Sort(out)
	return out
}
