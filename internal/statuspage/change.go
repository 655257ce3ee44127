package statuspage

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
)

// Announcement is what somebody publishes anew.
type Announcement struct {
	Kind       Kind       `json:"kind,omitempty" enum:"incident,maintenance" doc:"incident, if absent"`
	Pages      []string   `json:"pages" minItems:"1" maxItems:"50"`
	Incident   string     `json:"incident,omitempty" maxLength:"200" doc:"the incident that it is about; no page shows it"`
	Title      string     `json:"title" minLength:"1" maxLength:"300"`
	Status     Status     `json:"status,omitempty" enum:"investigating,identified,monitoring,resolved,scheduled,in_progress,verifying,completed,cancelled" doc:"investigating or scheduled, if absent"`
	Text       string     `json:"text" minLength:"1" maxLength:"10000" doc:"plain text; lines and links stay"`
	Components []Affected `json:"components,omitempty" maxItems:"200"`
	Starts     *time.Time `json:"starts,omitempty" doc:"of maintenance"`
	Ends       *time.Time `json:"ends,omitempty" doc:"of maintenance"`
	By         string     `json:"by,omitempty" maxLength:"200" doc:"who says so, where nobody has to log in"`
}

// Further is what somebody says further of what was announced. What is absent stays as it is.
type Further struct {
	Status     Status     `json:"status,omitempty" enum:"investigating,identified,monitoring,resolved,scheduled,in_progress,verifying,completed,cancelled"`
	Text       string     `json:"text" minLength:"1" maxLength:"10000"`
	Components []Affected `json:"components,omitempty" maxItems:"200"`
	Starts     *time.Time `json:"starts,omitempty" doc:"of maintenance"`
	Ends       *time.Time `json:"ends,omitempty" doc:"of maintenance"`
	By         string     `json:"by,omitempty" maxLength:"200" doc:"who says so, where nobody has to log in"`
}

// Correction puts words right.
type Correction struct {
	Title  string `json:"title,omitempty" maxLength:"300"`
	Update string `json:"update,omitempty" maxLength:"50" doc:"the ID of the update whose text is put right"`
	Text   string `json:"text,omitempty" maxLength:"10000"`
	By     string `json:"by,omitempty" maxLength:"200" doc:"who does it, where nobody has to log in"`
}

// maxUpdates bounds how often one thing is announced.
const maxUpdates = 200

// Draft is the announcement that would be published.
func (r *Room) Draft(ctx context.Context, a Announcement) (Post, error) {
	now := r.now().UTC()
	p := Post{
		ID: newID(), Kind: cmp.Or(a.Kind, OfIncident), Pages: slices.Compact(slices.Sorted(slices.Values(a.Pages))), Incident: a.Incident,
		Title: strings.TrimSpace(a.Title), Created: now, Components: a.Components, Starts: utc(a.Starts), Ends: utc(a.Ends),
	}
	if p.Components == nil {
		p.Components = []Affected{}
	}
	p.Status = cmp.Or(a.Status, p.Kind.Statuses()[0])
	p.say(Update{ID: newID(), Time: now, Status: p.Status, Text: strings.TrimSpace(a.Text), By: access.SubjectOf(ctx, a.By), Components: p.Components})
	return p, r.check(&p)
}

// Publish announces something.
func (r *Room) Publish(ctx context.Context, a Announcement) (Post, error) {
	p, err := r.Draft(ctx, a)
	if err == nil {
		err = r.save(ctx, p, 0)
	}
	return p, err
}

// Update says something further.
func (r *Room) Update(ctx context.Context, id string, f Further) (Post, error) {
	return r.change(ctx, id, func(p *Post) error {
		if len(p.Updates) >= maxUpdates {
			return refuse("%d updates are as many as an announcement has: resolve it, and announce anew", maxUpdates)
		}
		p.Status = cmp.Or(f.Status, p.Status)
		if f.Components != nil {
			p.Components = f.Components
		}
		if f.Starts != nil {
			p.Starts = utc(f.Starts)
		}
		if f.Ends != nil {
			p.Ends = utc(f.Ends)
		}
		p.say(Update{ID: newID(), Time: r.now().UTC(), Status: p.Status, Text: strings.TrimSpace(f.Text), By: access.SubjectOf(ctx, f.By), Components: p.Components})
		return r.check(p)
	})
}

// Correct puts words right.
func (r *Room) Correct(ctx context.Context, id string, c Correction) (Post, error) {
	return r.change(ctx, id, func(p *Post) error {
		if c.Title == "" && c.Update == "" {
			return refuse("say the title, or the update and its text")
		}
		p.Title = cmp.Or(strings.TrimSpace(c.Title), p.Title)
		if c.Update == "" {
			return nil
		}
		i := slices.IndexFunc(p.Updates, func(u Update) bool { return u.ID == c.Update })
		if i < 0 || strings.TrimSpace(c.Text) == "" {
			return refuse("update: there is none %q, or its text is empty", c.Update)
		}
		p.Updates[i].Text = strings.TrimSpace(c.Text)
		return nil
	})
}

// Withdraw takes an announcement off every page. It is kept, and shown nowhere.
func (r *Room) Withdraw(ctx context.Context, id string) (Post, error) {
	return r.change(ctx, id, func(p *Post) error {
		p.Pages = nil
		return nil
	})
}

// say adds an update, and what follows from it.
func (p *Post) say(u Update) {
	p.Updates, p.Status, p.Changed, p.Ended = append(p.Updates, u), u.Status, u.Time, nil
	if u.Status.Over() {
		at := u.Time
		p.Ended = &at
	}
}

// check refuses what no page can show.
func (r *Room) check(p *Post) error {
	if !slices.Contains(p.Kind.Statuses(), p.Status) {
		return refuse("status: that of %s must be one of %s, got %q", p.Kind, words(p.Kind.Statuses()), p.Status)
	}
	if p.Title == "" || p.Updates[len(p.Updates)-1].Text == "" {
		return refuse("title and text must not be empty: readers see both")
	}
	switch {
	case p.Kind == OfIncident && (p.Starts != nil || p.Ends != nil):
		return refuse("starts, ends: are of maintenance")
	case p.Kind == OfMaintenance && (p.Starts == nil || p.Ends == nil || !p.Ends.After(*p.Starts)):
		return refuse("starts, ends: maintenance has both, and ends after it starts")
	}
	known := map[string]bool{}
	for _, name := range p.Pages {
		page, err := r.Page(name)
		if err != nil {
			return refuse("pages: %w", err)
		}
		for _, c := range page.Components {
			known[c.ID] = true
		}
	}
	seen := map[string]bool{}
	for i, a := range p.Components {
		switch {
		case !known[a.Component]:
			return refuse("components: none of the pages has %q", a.Component)
		case seen[a.Component]:
			return refuse("components: %q is there twice", a.Component)
		case p.Kind == OfMaintenance && a.State == "":
			p.Components[i].State = Maintenance
		case !slices.Contains(States(), a.State), p.Kind == OfIncident && a.State == Maintenance:
			return refuse("components: the state of %q must be operational, degraded_performance, partial_outage or major_outage, got %q", a.Component, a.State)
		}
		seen[a.Component] = true
	}
	return nil
}

func words(list []Status) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return strings.Join(out, ", ")
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	at := t.UTC()
	return &at
}

// newID is one that tells nothing, and that nobody guesses.
func newID() string { return strings.ToLower(rand.Text()[:16]) }
