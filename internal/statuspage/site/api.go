package site

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/statuspage"
)

// The shapes are those of Statuspage's public API, version 2, so that what reads it reads this.
type (
	apiPage struct {
		ID        string `json:"id"`
		Name      string `json:"name"`
		URL       string `json:"url"`
		TimeZone  string `json:"time_zone"`
		UpdatedAt string `json:"updated_at"`
	}
	apiStatus struct {
		Indicator   string `json:"indicator"`
		Description string `json:"description"`
	}
	apiComponent struct {
		ID                 string           `json:"id"`
		Name               string           `json:"name"`
		Status             statuspage.State `json:"status"`
		CreatedAt          *string          `json:"created_at"`
		UpdatedAt          *string          `json:"updated_at"`
		Position           int              `json:"position"`
		Description        *string          `json:"description"`
		Showcase           bool             `json:"showcase"`
		StartDate          *string          `json:"start_date"`
		GroupID            *string          `json:"group_id"`
		PageID             string           `json:"page_id"`
		Group              bool             `json:"group"`
		OnlyShowIfDegraded bool             `json:"only_show_if_degraded"`
		Components         []string         `json:"components,omitempty"`
	}
	apiUpdate struct {
		ID         string            `json:"id"`
		Status     statuspage.Status `json:"status"`
		Body       string            `json:"body"`
		IncidentID string            `json:"incident_id"`
		CreatedAt  string            `json:"created_at"`
		UpdatedAt  string            `json:"updated_at"`
		DisplayAt  string            `json:"display_at"`
	}
	apiNotice struct {
		apiTimes
		ID         string            `json:"id"`
		Name       string            `json:"name"`
		Status     statuspage.Status `json:"status"`
		Impact     string            `json:"impact"`
		Shortlink  string            `json:"shortlink"`
		PageID     string            `json:"page_id"`
		Updates    []apiUpdate       `json:"incident_updates"`
		Components []apiComponent    `json:"components"`
	}
	apiTimes struct {
		CreatedAt      string  `json:"created_at"`
		UpdatedAt      string  `json:"updated_at"`
		StartedAt      string  `json:"started_at"`
		MonitoringAt   *string `json:"monitoring_at"`
		ResolvedAt     *string `json:"resolved_at"`
		ScheduledFor   *string `json:"scheduled_for,omitempty"`
		ScheduledUntil *string `json:"scheduled_until,omitempty"`
	}
	apiAnswer struct {
		Page       apiPage         `json:"page"`
		Components *[]apiComponent `json:"components,omitempty"`
		Incidents  *[]apiNotice    `json:"incidents,omitempty"`
		Scheduled  *[]apiNotice    `json:"scheduled_maintenances,omitempty"`
		Status     *apiStatus      `json:"status,omitempty"`
	}
)

// api are the answers by their paths below api/v2/.
func api(v statuspage.View, o Options) map[string]apiAnswer {
	page := apiPage{ID: v.Name, Name: v.Title, URL: o.Base, TimeZone: v.TimeZone, UpdatedAt: iso(v.Generated)}
	status := &apiStatus{Indicator: indicator(v.State), Description: vocabularyOf(v.Language).Overall(v.State)}
	components := componentsOf(v)
	pick := func(which func(statuspage.Notice) bool) *[]apiNotice {
		out := []apiNotice{}
		for _, n := range v.Notices {
			if which(n) {
				out = append(out, noticeOf(v, o, n, components))
			}
		}
		return &out
	}
	of := func(k statuspage.Kind) func(statuspage.Notice) bool {
		return func(n statuspage.Notice) bool { return n.Kind == k }
	}
	planned := func(want ...statuspage.Status) func(statuspage.Notice) bool {
		return func(n statuspage.Notice) bool {
			return n.Kind == statuspage.OfMaintenance && slices.Contains(want, n.Status)
		}
	}
	open := planned(statuspage.Scheduled, statuspage.InProgress, statuspage.Verifying)
	return map[string]apiAnswer{
		"summary.json":                         {Page: page, Components: &components, Incidents: pick(live), Scheduled: pick(open), Status: status},
		"status.json":                          {Page: page, Status: status},
		"components.json":                      {Page: page, Components: &components},
		"incidents.json":                       {Page: page, Incidents: pick(of(statuspage.OfIncident))},
		"incidents/unresolved.json":            {Page: page, Incidents: pick(live)},
		"scheduled-maintenances.json":          {Page: page, Scheduled: pick(of(statuspage.OfMaintenance))},
		"scheduled-maintenances/upcoming.json": {Page: page, Scheduled: pick(planned(statuspage.Scheduled))},
		"scheduled-maintenances/active.json":   {Page: page, Scheduled: pick(planned(statuspage.InProgress, statuspage.Verifying))},
	}
}

// indicator is how a page is as a whole.
func indicator(s statuspage.State) string { return s.Impact() }

// componentsOf are components and, after them, their groups.
func componentsOf(v statuspage.View) []apiComponent {
	out := []apiComponent{}
	var groups []apiComponent
	for i, c := range v.Components {
		one := apiComponent{ID: c.ID, Name: c.Title, Status: c.State, Position: i + 1, PageID: v.Name, UpdatedAt: text(iso(v.Generated))}
		if c.Description != "" {
			one.Description = text(c.Description)
		}
		if c.Group != "" {
			g := slices.IndexFunc(groups, func(g apiComponent) bool { return g.Name == c.Group })
			if g < 0 {
				g, groups = len(groups), append(groups, apiComponent{ID: "group:" + c.Group, Name: c.Group, Status: statuspage.Operational, Position: i + 1, PageID: v.Name, Group: true, UpdatedAt: one.UpdatedAt})
			}
			groups[g].Status = statuspage.Worse(groups[g].Status, c.State)
			groups[g].Components = append(groups[g].Components, c.ID)
			one.GroupID = text(groups[g].ID)
		}
		out = append(out, one)
	}
	return append(out, groups...)
}

func noticeOf(v statuspage.View, o Options, n statuspage.Notice, components []apiComponent) apiNotice {
	out := apiNotice{
		ID: n.ID, Name: n.Title, Status: n.Status, Impact: n.Impact, Shortlink: o.Base + "incidents/" + n.ID + "/", PageID: v.Name, Updates: []apiUpdate{}, Components: []apiComponent{},
		apiTimes: apiTimes{CreatedAt: iso(n.Created), UpdatedAt: iso(n.Changed), StartedAt: iso(n.Created), ResolvedAt: moment(n.Ended), ScheduledFor: moment(n.Starts), ScheduledUntil: moment(n.Ends)},
	}
	for _, u := range n.Updates {
		at := iso(u.Time)
		out.Updates = append(out.Updates, apiUpdate{ID: u.ID, Status: u.Status, Body: u.Text, IncidentID: n.ID, CreatedAt: at, UpdatedAt: at, DisplayAt: at})
		if u.Status == statuspage.Monitoring && out.MonitoringAt == nil {
			out.MonitoringAt = text(at)
		}
	}
	for _, s := range n.Components {
		if i := slices.IndexFunc(components, func(c apiComponent) bool { return c.ID == s.ID && !c.Group }); i >= 0 {
			out.Components = append(out.Components, components[i])
		}
	}
	return out
}

func text(s string) *string { return &s }

func moment(t *time.Time) *string {
	if t == nil {
		return nil
	}
	return text(iso(t))
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	err := e.Encode(v)
	return b.Bytes(), err
}
