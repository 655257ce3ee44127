package statuspage

import (
	"slices"
	"time"
)

// State is how a component is, in the words of Statuspage's API.
type State string

// The states, from good to bad.
const (
	Operational   State = "operational"
	Maintenance   State = "under_maintenance"
	Degraded      State = "degraded_performance"
	PartialOutage State = "partial_outage"
	MajorOutage   State = "major_outage"
)

// States are all, from good to bad.
func States() []State { return []State{Operational, Maintenance, Degraded, PartialOutage, MajorOutage} }

// Worse is the worse of two states.
func Worse(a, b State) State {
	if slices.Index(States(), b) > slices.Index(States(), a) {
		return b
	}
	return a
}

// Impact is how bad an announcement with a state is, in the words of Statuspage's API.
func (s State) Impact() string {
	switch s {
	case Degraded:
		return "minor"
	case PartialOutage:
		return "major"
	case MajorOutage:
		return "critical"
	case Maintenance:
		return "maintenance"
	case Operational:
	}
	return "none"
}

// Kind says what an announcement is of.
type Kind string

// The kinds of announcements.
const (
	OfIncident    Kind = "incident"
	OfMaintenance Kind = "maintenance"
)

// Status says how far what is announced is.
type Status string

// The statuses of incidents, and of maintenance.
const (
	Investigating Status = "investigating"
	Identified    Status = "identified"
	Monitoring    Status = "monitoring"
	Resolved      Status = "resolved"

	Scheduled  Status = "scheduled"
	InProgress Status = "in_progress"
	Verifying  Status = "verifying"
	Completed  Status = "completed"
	Cancelled  Status = "cancelled"
)

// Statuses are those of a kind, in the order in which they come.
func (k Kind) Statuses() []Status {
	if k == OfMaintenance {
		return []Status{Scheduled, InProgress, Verifying, Completed, Cancelled}
	}
	return []Status{Investigating, Identified, Monitoring, Resolved}
}

// Over reports whether nothing more comes.
func (s Status) Over() bool { return s == Resolved || s == Completed || s == Cancelled }

// Post is an announcement: what somebody said in public of an incident, or of maintenance.
type Post struct {
	ID         string     `json:"id" doc:"in the address of its page; it says nothing of the incident"`
	Kind       Kind       `json:"kind" enum:"incident,maintenance"`
	Pages      []string   `json:"pages" doc:"the names of the pages that show it"`
	Incident   string     `json:"incident,omitempty" doc:"the incident that it is about; no page shows it"`
	Title      string     `json:"title"`
	Status     Status     `json:"status" enum:"investigating,identified,monitoring,resolved,scheduled,in_progress,verifying,completed,cancelled"`
	Components []Affected `json:"components" doc:"how those are that it concerns, until it is over"`
	Created    time.Time  `json:"created"`
	Changed    time.Time  `json:"changed" doc:"the last update"`
	Ended      *time.Time `json:"ended,omitempty" doc:"when it was over"`
	Starts     *time.Time `json:"starts,omitempty" doc:"of maintenance"`
	Ends       *time.Time `json:"ends,omitempty" doc:"of maintenance"`
	Updates    []Update   `json:"updates" doc:"the oldest first"`
	Automatic  bool       `json:"automatic,omitempty" doc:"nobody wrote it: it was announced by the page's own rule"`
}

// Affected is a component that an announcement concerns.
type Affected struct {
	Component string `json:"component" maxLength:"63"`
	State     State  `json:"state" enum:"operational,under_maintenance,degraded_performance,partial_outage,major_outage"`
}

// Update is what was said at a time.
type Update struct {
	ID         string     `json:"id"`
	Time       time.Time  `json:"time"`
	Status     Status     `json:"status"`
	Text       string     `json:"text"`
	By         string     `json:"by,omitempty" doc:"who said so; no page shows it"`
	Components []Affected `json:"components,omitempty" doc:"how they were from then on"`
}

// state is how a post says that a component is.
func (p *Post) state(component string) State {
	if p.Status.Over() || p.Kind == OfMaintenance && !p.running() {
		return Operational
	}
	for _, a := range p.Components {
		if a.Component == component {
			return a.State
		}
	}
	return Operational
}

// running reports whether maintenance goes on.
func (p *Post) running() bool { return p.Status == InProgress || p.Status == Verifying }

// worst is the worst state that a post says of any component.
func (p *Post) worst() State {
	worst := Operational
	for _, a := range p.Components {
		worst = Worse(worst, a.State)
	}
	return worst
}

// on reports whether a page shows it.
func (p *Post) on(page string) bool { return slices.Contains(p.Pages, page) }

// concerned is every component that a post ever said something of.
func (p *Post) concerned() []string {
	var out []string
	for _, u := range p.Updates {
		for _, a := range u.Components {
			if !slices.Contains(out, a.Component) {
				out = append(out, a.Component)
			}
		}
	}
	return out
}
