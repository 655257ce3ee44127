package statuspage

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Listing is all pages, and what needs somebody.
type Listing struct {
	Summary string    `json:"summary"`
	Pages   []Listed  `json:"pages" doc:"in the order of the files"`
	Posts   []Post    `json:"posts" doc:"what is announced and not over, the newest first"`
	Needs   []Concern `json:"needs" doc:"what somebody should look at"`
}

// Listed is one page of a list.
type Listed struct {
	Name       string   `json:"name"`
	Title      string   `json:"title"`
	Public     bool     `json:"public"`
	Path       string   `json:"path" doc:"where it is served on this server"`
	URL        string   `json:"url,omitempty" doc:"where its readers reach it, if elsewhere"`
	State      State    `json:"state"`
	Components []Choice `json:"components" doc:"that an announcement may name"`
}

// Choice is a component that an announcement may name.
type Choice struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Group    string   `json:"group,omitempty"`
	Services []string `json:"services"`
	State    State    `json:"state"`
}

// Concern is an announcement that somebody should look at.
type Concern struct {
	Post string `json:"post"`
	Text string `json:"text"`
}

// quietFor is after how long without a word readers wonder.
const quietFor = time.Hour

// List is what there is. path is where a page is served.
func (r *Room) List(ctx context.Context, path func(page string) string) (out Listing, err error) {
	out = Listing{Pages: []Listed{}, Posts: []Post{}, Needs: []Concern{}}
	if out.Posts, err = r.posts(ctx, "live"); err != nil {
		return out, err
	}
	if out.Posts == nil {
		out.Posts = []Post{}
	}
	now, bad := r.now().UTC(), 0
	for _, p := range r.Value() {
		p = r.whole(p)
		l := Listed{Name: p.Name, Title: p.Title, Public: p.Public, Path: path(p.Name), URL: p.URL, State: Operational, Components: []Choice{}}
		for _, c := range p.Components {
			one := Choice{ID: c.ID, Title: c.Title, Group: c.Group, Services: slices.Clone(c.Services), State: Operational}
			for i := range out.Posts {
				if out.Posts[i].on(p.Name) {
					one.State = Worse(one.State, out.Posts[i].state(c.ID))
				}
			}
			l.State = Worse(l.State, one.State)
			l.Components = append(l.Components, one)
		}
		if l.State != Operational {
			bad++
		}
		out.Pages = append(out.Pages, l)
	}
	if out.Needs, err = r.needs(ctx, out.Posts, now); err != nil {
		return out, err
	}
	switch {
	case len(out.Pages) == 0:
		out.Summary = "There is no status page yet: name files of them in status_page_files."
	case bad == 0:
		out.Summary = fmt.Sprintf("%d, each of which says that all is well.", len(out.Pages))
	default:
		out.Summary = fmt.Sprintf("%d of %d say that something is wrong, or maintained.", bad, len(out.Pages))
	}
	return out, nil
}

// needs are announcements that say what is not so any more, or nothing for long.
func (r *Room) needs(ctx context.Context, posts []Post, now time.Time) ([]Concern, error) {
	out := []Concern{}
	var incidents []Incident
	if r.deps.Sources.Incidents != nil {
		var err error
		if incidents, err = r.deps.Sources.Incidents(ctx); err != nil {
			return out, err
		}
	}
	for _, p := range posts {
		gone := p.Incident != "" && !slices.ContainsFunc(incidents, func(i Incident) bool { return i.ID == p.Incident })
		switch age := now.Sub(p.Changed); {
		case gone:
			out = append(out, Concern{p.ID, fmt.Sprintf("%q is not announced as over, and its incident is", p.Title)})
		case p.Kind == OfIncident && age >= quietFor:
			out = append(out, Concern{p.ID, fmt.Sprintf("%q: readers have heard nothing for %s", p.Title, age.Truncate(time.Minute))})
		}
	}
	return out, nil
}

// Posts are the newest announcements, those of one incident where one is named; who wrote them included.
func (r *Room) Posts(ctx context.Context, incident string) ([]Post, error) {
	all, err := r.posts(ctx, "")
	out := []Post{}
	for _, p := range all {
		if len(p.Pages) > 0 && (incident == "" || p.Incident == incident) {
			out = append(out, p)
		}
	}
	return out, err
}
