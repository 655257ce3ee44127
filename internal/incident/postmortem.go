package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Deadline is one step of the postmortem, and how it stands.
type Deadline struct {
	Step  string     `json:"step" enum:"summary,postmortem,review"`
	Due   time.Time  `json:"due" doc:"24 hours, one week and two weeks after it was resolved"`
	Done  *time.Time `json:"done,omitempty"`
	State string     `json:"state" enum:"done,late,waiting,overdue" doc:"late is done, but after it was due"`
}

// Line is one statement of a draft with what it rests on.
type Line struct {
	Text   string `json:"text"`
	Source Source `json:"source"`
}

// Postmortem is a draft: what people wrote, and what follows from evidence.
type Postmortem struct {
	Incident Incident   `json:"incident"`
	Written  Written    `json:"written" doc:"what people wrote; root cause, whys and lessons are theirs alone"`
	Impact   []Line     `json:"impact"`
	Timeline Timeline   `json:"timeline"`
	Clock    []Deadline `json:"clock" doc:"empty until it is resolved"`
	Similar  []Similar  `json:"similar"`
	Markdown string     `json:"markdown" doc:"all of it as a document"`
}

// clock is how the postmortem stands.
func (i Incident) clock(now time.Time) []Deadline {
	out := []Deadline{}
	if i.Times.Resolved == nil || i.Status == Merged {
		return out
	}
	for _, d := range []Deadline{
		{Step: "summary", Due: i.Times.Resolved.Add(24 * time.Hour), Done: i.Postmortem.Summarized},
		{Step: "postmortem", Due: i.Times.Resolved.Add(7 * 24 * time.Hour), Done: i.Postmortem.Published},
		{Step: "review", Due: i.Times.Resolved.Add(14 * 24 * time.Hour), Done: i.Postmortem.Reviewed},
	} {
		switch {
		case d.Done == nil && now.After(d.Due):
			d.State = "overdue"
		case d.Done == nil:
			d.State = "waiting"
		case d.Done.After(d.Due):
			d.State = "late"
		default:
			d.State = "done"
		}
		out = append(out, d)
	}
	return out
}

// Postmortem is the draft of an incident's postmortem as it stands.
func (r *Room) Postmortem(ctx context.Context, id string) (p Postmortem, err error) {
	if p.Incident, err = r.Incident(ctx, id); err != nil {
		return p, err
	}
	if p.Timeline, err = r.Timeline(ctx, id); err != nil {
		return p, err
	}
	if p.Similar, err = r.Similar(ctx, p.Incident); err != nil {
		return p, err
	}
	p.Written, p.Clock, p.Impact = p.Incident.Postmortem, p.Incident.clock(r.deps.Now()), p.Incident.impact()
	p.Markdown = p.markdown()
	return p, nil
}

// impact is what pages and times say of it.
func (i Incident) impact() []Line {
	of := Source{Kind: "note", ID: i.ID, Link: "/sb/v1/incidents/" + i.ID}
	out := []Line{}
	say := func(format string, args ...any) {
		out = append(out, Line{Text: fmt.Sprintf(format, args...), Source: of})
	}
	if len(i.Services) > 0 {
		say("Services: %s.", strings.Join(i.Services, ", "))
	}
	say("%d pages with %d alerts.", i.Pages.Count, i.Pages.Alerts)
	if t := i.Times; t.Mitigated != nil {
		say("Users felt it for %s, from %s to %s.", t.Mitigated.Sub(t.Started).Round(time.Second), stamp(t.Started), stamp(*t.Mitigated))
	} else {
		say("Users have felt it since %s.", stamp(i.Times.Started))
	}
	say("Detected after %s.", i.Times.Detected.Sub(i.Times.Started).Round(time.Second))
	if a := i.Times.Acknowledged; a != nil {
		say("Acknowledged %s after it was detected.", a.Sub(i.Times.Detected).Round(time.Second))
	} else {
		say("Nobody acknowledged it.")
	}
	return out
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// Writing is what somebody writes of a postmortem.
type Writing struct {
	Written Written
	Publish bool   // it is published with this
	Review  bool   // its review was held
	Version *int64 // of what was read; nil replaces whatever is there
	By      string
}

// Conflict says that somebody wrote since.
type Conflict struct {
	Now Written
}

func (c Conflict) Error() string {
	return fmt.Sprintf("%s wrote it meanwhile (version %d): take over what is to stay of theirs, and send it with that version", c.Now.By, c.Now.Version)
}

// Write keeps what people write of a postmortem, unless somebody else wrote since it was read.
func (r *Room) Write(ctx context.Context, id string, in Writing) (Incident, error) {
	return r.by(ctx, id, in.By, func(k *kept, by string, now time.Time) error {
		w, was := in.Written, k.Postmortem
		switch {
		case k.Status == Merged:
			return refuse("it is part of incident %s: write there", k.Origin.MergedInto)
		case in.Version != nil && *in.Version != was.Version:
			return Conflict{Now: was}
		case in.Publish && (k.Times.Resolved == nil || strings.TrimSpace(w.RootCause) == "" || strings.TrimSpace(w.Summary) == ""):
			return refuse("what is published needs a summary and a root cause, and an incident that is resolved")
		}
		w.Whys = slices.DeleteFunc(slices.Clone(w.Whys), func(s string) bool { return strings.TrimSpace(s) == "" })
		w.Summarized, w.Published, w.Reviewed, w.Version, w.By = was.Summarized, was.Published, was.Reviewed, was.Version+1, by
		for _, step := range []struct {
			name string
			done bool
			at   **time.Time
		}{{"Summary written", strings.TrimSpace(w.Summary) != "", &w.Summarized}, {"Postmortem published", in.Publish, &w.Published}, {"Review held", in.Review, &w.Reviewed}} {
			if step.done && *step.at == nil {
				*step.at = &now
				k.say(now, by, "change", "%s.", step.name)
			}
		}
		k.Postmortem, k.changed = w, true
		return nil
	})
}

// Overdue is a step of an incident's postmortem, or one of its action items, whose time has passed.
type Overdue struct {
	Incident string    `json:"incident"`
	Title    string    `json:"title"`
	What     string    `json:"what" doc:"summary, postmortem or review, or the text of an action item"`
	Owner    string    `json:"owner,omitempty" doc:"of the action item, or the commander"`
	Due      time.Time `json:"due"`
}

// Overdue is what should have been done by now, the longest overdue first.
func (r *Room) Overdue(ctx context.Context) ([]Overdue, error) {
	now, out := r.deps.Now(), []Overdue{}
	_, err := r.every(ctx, Query{}, func(i Incident) {
		for _, d := range i.clock(now) {
			if d.State == "overdue" {
				out = append(out, Overdue{i.ID, i.Title, d.Step, i.Roles.Commander, d.Due})
			}
		}
		for _, t := range i.Actions {
			if t.Done == nil && t.Due != nil && now.After(*t.Due) {
				out = append(out, Overdue{i.ID, i.Title, t.Text, t.Owner, *t.Due})
			}
		}
	})
	slices.SortStableFunc(out, func(a, b Overdue) int { return a.Due.Compare(b.Due) })
	return out, err
}

// markdown is the document: incident summary, timeline, root cause, impact, resolution, action items, lessons.
func (p Postmortem) markdown() string {
	var b strings.Builder
	i, w := p.Incident, p.Written
	section := func(title, text string) {
		if text == "" {
			text = "_To be written._"
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", title, text)
	}
	fmt.Fprintf(&b, "# %s\n\n%s · %s · %s", plain(i.Title), i.ID, i.Severity, i.Status)
	if i.Roles.Commander != "" {
		fmt.Fprintf(&b, " · commander %s", plain(i.Roles.Commander))
	}
	b.WriteString("\n")
	text := w.Summary
	if text == "" {
		text = i.Summary
	}
	section("Incident summary", text)
	var lines []string
	for _, e := range p.Timeline.Entries {
		line := fmt.Sprintf("- %s %s", stamp(e.Time), plain(e.Text))
		if e.By != "" {
			line += " — " + plain(e.By)
		}
		lines = append(lines, line+cite(e.Source))
	}
	for _, m := range p.Timeline.Missing {
		lines = append(lines, "- Not here: "+plain(m))
	}
	section("Timeline", strings.Join(lines, "\n"))
	section("Root cause", w.RootCause)
	lines = nil
	for n := range 5 {
		why := "_To be answered._"
		if n < len(w.Whys) {
			why = w.Whys[n]
		}
		lines = append(lines, fmt.Sprintf("%d. Why? %s", n+1, why))
	}
	section("Five whys", strings.Join(lines, "\n"))
	lines = nil
	for _, l := range p.Impact {
		lines = append(lines, "- "+plain(l.Text)+cite(l.Source))
	}
	section("Impact", strings.TrimSpace(w.Impact+"\n\n"+strings.Join(lines, "\n")))
	section("Resolution", w.Resolution)
	section("Action items", i.tasks())
	section("Lessons learned", w.Lessons)
	return b.String()
}

func (i Incident) tasks() string {
	var lines []string
	for _, term := range []string{"immediate", "short", "long"} {
		for _, t := range i.Actions {
			if t.Term != term {
				continue
			}
			box, more := " ", ""
			if t.Done != nil {
				box = "x"
			}
			if t.Owner != "" {
				more += ", " + plain(t.Owner)
			}
			if t.Due != nil {
				more += ", due " + t.Due.UTC().Format(time.DateOnly)
			}
			lines = append(lines, fmt.Sprintf("- [%s] (%s) %s%s", box, term, plain(t.Text), more))
		}
	}
	return strings.Join(lines, "\n")
}

func cite(s Source) string { return fmt.Sprintf(" [%s %s]", s.Kind, plain(s.ID)) }

// plain keeps what machines and strangers said from being read as markup or another line.
func plain(s string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "<", "&lt;", "[", "\\[", "]", "\\]", "`", "'").Replace(s)
}
