package diagnose

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// timeline is what happened around an alert, oldest first. A page tells of a whole
// group; what was sent before this alert began was about others.
func timeline(s subject, pages []model.Page, deploys []model.Deploy) []TimelineEvent {
	out := []TimelineEvent{}
	add := func(t time.Time, format string, args ...any) {
		if !t.IsZero() {
			out = append(out, TimelineEvent{Time: t.UTC(), Event: fmt.Sprintf(format, args...)})
		}
	}
	for _, d := range deploys {
		add(d.Time, "%s of %s %s (%s)", d.Kind, d.Service, d.Version, d.Status)
	}
	switch s.state {
	case statePending:
		add(s.StartsAt, "the condition of %s turned true", s.Labels["alertname"])
	case stateFiring, stateResolved:
		add(s.StartsAt, "%s became active", s.Labels["alertname"])
	}
	ended := s.ended
	for _, p := range pages {
		for _, d := range p.Deliveries {
			switch {
			case d.Time.Before(s.StartsAt):
			case d.Status == "delivered":
				add(d.Time, "%s was notified through %s", p.Receiver, d.Channel)
			default:
				add(d.Time, "notifying %s through %s failed: %s", p.Receiver, d.Channel, d.Error)
			}
		}
		if p.AckedAt != nil && !p.AckedAt.Before(s.StartsAt) {
			add(*p.AckedAt, "%s acknowledged", p.AckedBy)
		}
		if ended == nil && s.state == stateResolved {
			ended = p.ResolvedAt
		}
	}
	if ended != nil {
		add(*ended, "resolved")
	}
	slices.SortStableFunc(out, func(x, y TimelineEvent) int { return x.Time.Compare(y.Time) })
	return out
}

func explainText(e Explanation, s subject) string {
	what := e.Alert
	if slo := s.Labels.Own("slo"); slo != "" {
		what += " for " + slo
	} else if service := s.Labels.Own("service"); service != "" {
		what += " of " + service
	}
	switch s.state {
	case stateInactive:
		return what + " is not active: " + valueText(e, s) + "." + routeText(e, " It would go to ")
	case statePending:
		text := fmt.Sprintf("%s is pending since %s: %s.", what, human.Clock(s.StartsAt), valueText(e, s))
		if s.rule.For > 0 {
			text += fmt.Sprintf(" It fires at %s if it stays so.", s.StartsAt.Add(s.rule.For).UTC().Format("15:04:05")+" UTC")
		}
		return text + routeText(e, " It would go to ")
	}
	text := what
	if e.ActiveSince != nil {
		verb := " has been active since "
		if s.state == stateResolved {
			verb = " became active at "
		}
		text += verb + human.Clock(*e.ActiveSince)
		if e.Cause != nil {
			text += e.Cause.Text
		}
	}
	if why := orElse(s.Annotations["description"], s.Annotations["summary"]); why != "" {
		text += ": " + strings.TrimSuffix(why, ".")
	} else if e.Threshold != nil && e.Value != nil {
		text += ": " + valueText(e, s)
	}
	text += "." + notifiedText(e, s)
	if e.Flapping != "" {
		text += " It is flapping: " + e.Flapping + "."
	}
	return text
}

// valueText compares the value with the condition: value 0.2, needs > 1 for 5 m.
func valueText(e Explanation, s subject) string {
	needs := ""
	switch {
	case e.Condition != "" && e.Threshold != nil:
		needs = ", needs " + e.Condition
	case e.Condition != "": // only a time
		needs = ", must hold " + e.Condition
	}
	switch {
	case s.rule != nil && s.rule.Error != "":
		return "its rule cannot be evaluated (" + strings.TrimSuffix(s.rule.Error, ".") + ")"
	case s.rule != nil && s.rule.State == "unknown":
		return "its rule has not been evaluated yet"
	case e.Value == nil:
		return "its query answers nothing now" + needs
	}
	return "value " + human.Number(*e.Value) + needs
}

// notifiedText says who was told, or why nobody was.
func notifiedText(e Explanation, s subject) string {
	switch {
	case len(e.Silences) > 0:
		q := e.Silences[0]
		return fmt.Sprintf(" It is silenced by %s until %s: %s.", orElse(q.CreatedBy, "somebody"), q.EndsAt.UTC().Format("2 Jan 15:04 UTC"), orElse(strings.TrimSuffix(q.Comment, "."), "no comment"))
	case len(e.SilencedBy) > 0:
		return " It is silenced (" + strings.Join(e.SilencedBy, ", ") + ")."
	case s.HeldBack != "":
		return " Nobody was notified of it: " + s.HeldBack + "."
	case len(e.Inhibitors) > 0:
		by := e.Inhibitors[0]
		text := " It is inhibited by " + by.Alert
		if service := by.Labels.Own("service"); service != "" {
			text += " of " + service
		}
		return text + ", which fires."
	case len(e.InhibitedBy) > 0:
		return " It is inhibited by another alert (" + strings.Join(e.InhibitedBy, ", ") + ")."
	case len(e.Pages) > 0:
		p := e.Pages[0]
		text := fmt.Sprintf(" %s was notified at %s", p.Receiver, human.Clock(p.Time))
		if p.AckedBy != "" {
			text += "; " + p.AckedBy + " has it"
		}
		return text + "."
	}
	return " Nobody was notified." + routeText(e, " It is routed to ")
}

func routeText(e Explanation, begin string) string {
	if len(e.Receivers) == 0 {
		return ""
	}
	return begin + strings.Join(e.Receivers, " and ") + "."
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
