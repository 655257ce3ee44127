package statuspage

import (
	"context"
	"slices"
	"time"
)

// View is what a page shows at a time. It holds what its readers may know.
type View struct {
	Name        string          `json:"name"`
	Title       string          `json:"title"`
	Description string          `json:"description,omitempty"`
	Public      bool            `json:"public"`
	Support     string          `json:"support,omitempty"`
	Language    string          `json:"language"`
	TimeZone    string          `json:"time_zone"`
	StaleAfter  int             `json:"stale_after_seconds"`
	Generated   time.Time       `json:"generated"`
	State       State           `json:"state" enum:"operational,under_maintenance,degraded_performance,partial_outage,major_outage" doc:"the worst of its components"`
	Components  []ComponentView `json:"components" doc:"in the order of the file"`
	Notices     []Notice        `json:"notices" doc:"what was announced, the newest first"`
}

// ComponentView is a component as readers see it.
type ComponentView struct {
	ID          string  `json:"id"`
	Title       string  `json:"title"`
	Description string  `json:"description,omitempty"`
	Group       string  `json:"group,omitempty"`
	State       State   `json:"state" enum:"operational,under_maintenance,degraded_performance,partial_outage,major_outage"`
	Uptime      *Uptime `json:"uptime,omitempty" doc:"absent where nothing counts it"`
	Days        []Day   `json:"days" doc:"UTC days, the oldest first; none where nothing counts it"`
}

// Uptime is the share that was good.
type Uptime struct {
	Ratio *float64 `json:"ratio,omitempty" doc:"absent without any data"`
	Days  int      `json:"days" doc:"that have data"`
	Of    int      `json:"of" doc:"that were looked at"`
}

// Day is one UTC day of a component.
type Day struct {
	Date        string   `json:"date"`
	Ratio       *float64 `json:"ratio,omitempty" doc:"the share that was good; absent: there is no data, which is not good"`
	Minutes     float64  `json:"minutes" doc:"of the day that were counted"`
	Maintenance bool     `json:"maintenance,omitempty" doc:"there was some"`
	Incidents   int      `json:"incidents,omitempty" doc:"that were announced"`
}

// Notice is an announcement as readers see it.
type Notice struct {
	ID         string         `json:"id"`
	Kind       Kind           `json:"kind" enum:"incident,maintenance"`
	Title      string         `json:"title"`
	Status     Status         `json:"status" enum:"investigating,identified,monitoring,resolved,scheduled,in_progress,verifying,completed,cancelled"`
	Impact     string         `json:"impact" enum:"none,minor,major,critical,maintenance"`
	Components []Shown        `json:"components" doc:"of this page"`
	Created    time.Time      `json:"created"`
	Changed    time.Time      `json:"changed"`
	Ended      *time.Time     `json:"ended,omitempty"`
	Starts     *time.Time     `json:"starts,omitempty"`
	Ends       *time.Time     `json:"ends,omitempty"`
	Updates    []NoticeUpdate `json:"updates" doc:"the newest first"`
}

// Shown is a component of a page that a notice concerns.
type Shown struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	State State  `json:"state"`
}

// NoticeUpdate is what was said at a time.
type NoticeUpdate struct {
	ID     string    `json:"id"`
	Time   time.Time `json:"time"`
	Status Status    `json:"status"`
	Text   string    `json:"text"`
}

// View is what a page shows now.
func (r *Room) View(ctx context.Context, name string) (View, error) {
	p, err := r.Page(name)
	if err != nil {
		return View{}, err
	}
	posts, err := r.posts(ctx, "")
	if err != nil {
		return View{}, err
	}
	live, err := r.posts(ctx, "live") // however long ago they began
	if err != nil {
		return View{}, err
	}
	for _, l := range live {
		if !slices.ContainsFunc(posts, func(p Post) bool { return p.ID == l.ID }) {
			posts = append(posts, l)
		}
	}
	return r.viewOf(p, posts, r.now().UTC()), nil
}

func (r *Room) viewOf(p Page, posts []Post, now time.Time) View {
	v := View{
		Name: p.Name, Title: p.Title, Description: p.Description, Public: p.Public, Support: p.Support, Language: p.Language, TimeZone: p.TimeZone,
		StaleAfter: int(time.Duration(p.StaleAfter).Seconds()), Generated: now.Truncate(time.Second), State: Operational,
		Components: []ComponentView{}, Notices: []Notice{},
	}
	posts = slices.DeleteFunc(slices.Clone(posts), func(one Post) bool { return !one.on(p.Name) })
	for _, c := range p.Components {
		one := ComponentView{ID: c.ID, Title: c.Title, Description: c.Description, Group: c.Group, State: Operational}
		for i := range posts {
			one.State = Worse(one.State, posts[i].state(c.ID))
		}
		one.Uptime, one.Days = r.uptime(c, posts, now)
		v.State = Worse(v.State, one.State)
		v.Components = append(v.Components, one)
	}
	for i := range posts {
		v.Notices = append(v.Notices, noticeOf(p, &posts[i]))
	}
	return v
}

// noticeOf is a post without what a page does not show: who wrote it, the incident, components of other pages.
func noticeOf(p Page, post *Post) Notice {
	n := Notice{
		ID: post.ID, Kind: post.Kind, Title: post.Title, Status: post.Status, Components: []Shown{}, Impact: post.impact(),
		Created: post.Created, Changed: post.Changed, Ended: post.Ended, Starts: post.Starts, Ends: post.Ends, Updates: []NoticeUpdate{},
	}
	for _, a := range post.Components {
		if c, here := p.Component(a.Component); here {
			n.Components = append(n.Components, Shown{ID: c.ID, Title: c.Title, State: a.State})
		}
	}
	for _, u := range slices.Backward(post.Updates) {
		n.Updates = append(n.Updates, NoticeUpdate{ID: u.ID, Time: u.Time, Status: u.Status, Text: u.Text})
	}
	return n
}

// impact is the worst that was ever said of it.
func (p *Post) impact() string {
	if p.Kind == OfMaintenance {
		return Maintenance.Impact()
	}
	worst := p.worst()
	for _, u := range p.Updates {
		for _, a := range u.Components {
			worst = Worse(worst, a.State)
		}
	}
	return worst.Impact()
}
