package importer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

type ogRef struct {
	ID, Type, Name, Username string
}

func (r ogRef) id() string { return either(r.ID, either(r.Username, r.Name)) }

type ogUser struct {
	ID, Username, FullName, TimeZone string
	Contacts                         []struct {
		Method string `json:"contactMethod"`
		To     string
	} `json:"userContacts"`
}

type ogSchedule struct {
	ID, Name, Timezone string
	Enabled            *bool
	OwnerTeam          ogRef
	Rotations          []ogRotation
}

type ogRotation struct {
	ID, Name, Type string
	StartDate      time.Time
	EndDate        *time.Time
	Length         int
	Enabled        *bool
	Participants   []ogRef
	Restriction    *struct {
		Type         string
		Restriction  ogRestriction
		Restrictions []ogRestriction
	} `json:"timeRestriction"`
}

type ogRestriction struct {
	StartDay, EndDay                     string
	StartHour, StartMin, EndHour, EndMin int
}

type ogOverride struct {
	Parent             ogRef `json:"_parent"`
	User               ogRef
	StartDate, EndDate time.Time
	Rotations          []ogRef
}

type ogEscalation struct {
	ID, Name  string
	OwnerTeam ogRef
	Rules     []ogRule
	Repeat    *struct {
		WaitInterval, Count  int
		ResetRecipientStates bool
		CloseAlertAfterAll   bool
	}
}

type ogRule struct {
	Condition, NotifyType string
	Delay                 struct { // since the alert
		TimeAmount int
		TimeUnit   string
	}
	Recipient ogRef
}

// minutes is how long after the alert the rule tells somebody.
func (r ogRule) minutes() int {
	switch r.Delay.TimeUnit {
	case "hours":
		return r.Delay.TimeAmount * 60
	case "days":
		return r.Delay.TimeAmount * dayMinutes
	}
	return r.Delay.TimeAmount
}

// readOpsgenie reads answers of /v2/users, /v2/schedules, their overrides and /v2/escalations of Opsgenie's REST API.
func readOpsgenie(b *builder, all objects) error {
	var schedules []ogSchedule
	var escalations []ogEscalation
	overrides := map[string][]ogOverride{}
	for _, o := range all {
		has, err := o.fields(), error(nil)
		switch {
		case has["rotations"] != nil && has["timezone"] != nil:
			var s ogSchedule
			err = json.Unmarshal(o.raw, &s)
			schedules = append(schedules, s)
		case has["rules"] != nil:
			var e ogEscalation
			err = json.Unmarshal(o.raw, &e)
			escalations = append(escalations, e)
		case has["username"] != nil:
			var u ogUser
			if err = json.Unmarshal(o.raw, &u); err == nil {
				b.ogUser(u)
			}
		case has["startDate"] != nil && has["user"] != nil:
			var v ogOverride
			if err = json.Unmarshal(o.raw, &v); v.Parent.ID == "" && err == nil {
				b.lost(o.file, "the override from %s does not say of which schedule it is: ask /v2/schedules/ID/overrides/ALIAS, which does", v.StartDate.Format(time.RFC3339))
			}
			overrides[v.Parent.ID] = append(overrides[v.Parent.ID], v)
		case has["timezone"] != nil:
			b.lost(o.file, "its schedules have no rotations: ask /v2/schedules with expand=rotation")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", o.file, err)
		}
	}
	for _, s := range schedules {
		b.ogSchedule(s, overrides[s.ID])
	}
	for _, e := range escalations {
		b.ogEscalation(e)
	}
	return nil
}

func (b *builder) ogUser(u ogUser) {
	p := oncall.Person{Shown: u.FullName, Email: u.Username, TimeZone: u.TimeZone}
	for _, c := range u.Contacts {
		channel := map[string]string{"email": "email", "sms": "sms", "voice": "voice"}[c.Method]
		if channel == "" {
			b.lost("person "+u.FullName, "the contact of kind %s is of Opsgenie's own app", c.Method)
			continue
		}
		if channel != "email" {
			c.To = "+" + digits(c.To)
		}
		addContact(&p, channel, c.To)
	}
	b.person(p, u.ID, u.Username)
}

func (b *builder) ogSchedule(s ogSchedule, overrides []ogOverride) {
	where := "schedule " + s.Name
	zone, ok := zoneOf(s.Timezone)
	switch {
	case !ok:
		b.lost(where, "the time zone %q is none of IANA's", s.Timezone)
		return
	case s.Enabled != nil && !*s.Enabled:
		b.lost(where, "it is disabled")
		return
	}
	d := draft{shown: s.Name, team: teamName(s.OwnerTeam.Name), zone: zone}
	for _, r := range s.Rotations {
		what := fmt.Sprintf("%s, rotation %s", where, either(r.Name, r.ID))
		if layer, ok := b.ogRotation(what, r, zone); ok {
			b.turns(what, layer, r.StartDate.In(zone), 0, &d)
		}
	}
	for _, o := range overrides {
		if len(o.Rotations) > 0 && len(o.Rotations) < len(s.Rotations) {
			b.lost(where, "the override from %s is for some rotations and not for all", o.StartDate.Format(time.RFC3339))
			continue
		}
		if o.User.Type != "" && o.User.Type != "user" {
			b.lost(where, "the override from %s is by a %s", o.StartDate.Format(time.RFC3339), o.User.Type)
			continue
		}
		d.overrides = append(d.overrides, swap{o.StartDate, o.EndDate, []string{b.who(o.User.id(), o.User.Username)}, "imported from Opsgenie"})
	}
	b.schedule(d, s.ID, s.Name)
}

func teamName(shown string) string {
	return strings.Trim(notName.ReplaceAllString(strings.ToLower(shown), "-"), "-")
}

func (b *builder) ogRotation(where string, r ogRotation, zone *time.Location) (out oncall.Layer, _ bool) {
	unit := map[string]time.Duration{"hourly": time.Hour, "daily": 24 * time.Hour, "weekly": 7 * 24 * time.Hour}[r.Type]
	every := lengthOf(time.Duration(max(r.Length, 1)) * unit)
	date, clock, _, whole := wall(r.StartDate, zone)
	switch {
	case r.Enabled != nil && !*r.Enabled:
		b.lost(where, "it is disabled")
		return out, false
	case r.EndDate != nil && !r.EndDate.After(b.now):
		b.lost(where, "it ended on %s", r.EndDate.Format(time.DateOnly))
		return out, false
	case every == "" || !whole:
		b.lost(where, "its turns (%d, %s, from %s) cannot be read", r.Length, r.Type, r.StartDate.Format(time.RFC3339))
		return out, false
	}
	out = oncall.Layer{Name: either(r.Name, r.ID), Start: date, At: clock, Every: every}
	if r.EndDate != nil {
		out.Ends = r.EndDate.UTC().Format(time.RFC3339)
	}
	for _, p := range r.Participants {
		switch p.Type {
		case "user":
			out.People = append(out.People, b.who(p.id(), p.Username))
		case "none":
			out.People = append(out.People, "")
		default:
			b.lost(where, "the turn of the %s %s: nobody has it here", p.Type, either(p.Name, p.ID))
			out.People = append(out.People, "")
		}
	}
	if !slices.ContainsFunc(out.People, func(p string) bool { return p != "" }) {
		b.lost(where, "nobody takes turns")
		return out, false
	}
	return out, r.Restriction == nil || b.ogWindows(where, r, &out)
}

func (b *builder) ogWindows(where string, r ogRotation, out *oncall.Layer) bool {
	list := r.Restriction.Restrictions
	byDay := r.Restriction.Type == "weekday-and-time-of-day"
	if !byDay {
		list = []ogRestriction{r.Restriction.Restriction}
	}
	for _, one := range list {
		from, to := one.StartHour*60+one.StartMin, one.EndHour*60+one.EndMin
		if !byDay {
			minutes := (to - from + dayMinutes) % dayMinutes
			if minutes == 0 {
				return true // all day
			}
			out.Windows = append(out.Windows, everyDay(from%dayMinutes, minutes)...)
			continue
		}
		start, end := weekday(one.StartDay), weekday(one.EndDay)
		if start < 0 || end < 0 {
			b.lost(where, "the restriction from %q to %q cannot be read", one.StartDay, one.EndDay)
			return false
		}
		minutes := ((end-start)*dayMinutes + to - from + 7*dayMinutes) % (7 * dayMinutes)
		if minutes == 0 {
			out.Windows = nil
			return true // all of the week
		}
		windows, _ := everyWeek(time.Weekday(start), from%dayMinutes, minutes)
		out.Windows = append(out.Windows, windows...)
	}
	out.Windows = merged(out.Windows)
	return true
}

// weekday reads monday or MO; below 0 for none.
func weekday(text string) int {
	text = strings.ToLower(text)
	if len(text) < 2 {
		return -1
	}
	return slices.IndexFunc(dayNames, func(d string) bool { return d[:2] == text[:2] && (len(text) == 2 || strings.HasPrefix(text, d)) })
}

func (b *builder) ogEscalation(e ogEscalation) {
	where := "escalation policy " + e.Name
	var out policy.EscalationPolicy
	if e.Repeat != nil && e.Repeat.Count > 0 {
		out.Repeat, out.RepeatAfter = min(e.Repeat.Count, 10), common.Duration(time.Duration(e.Repeat.WaitInterval)*time.Minute)
		if e.Repeat.CloseAlertAfterAll {
			b.lost(where, "it closes the alert after the last repetition; here a page ends when its alert does")
		}
	}
	slices.SortStableFunc(e.Rules, func(a, c ogRule) int { return a.minutes() - c.minutes() })
	last := -1
	for i, r := range e.Rules {
		if r.Condition == "if-not-closed" {
			b.lost(where, "rule %d goes on until the alert is closed; here an acknowledgement ends the chain, but for `unresolved`", i+1)
		}
		if r.NotifyType != "" && r.NotifyType != "default" {
			b.lost(where, "rule %d tells %q; it tells whoever is on call here", i+1, r.NotifyType)
		}
		if i == 0 && r.minutes() > 0 {
			b.lost(where, "the first rule waits %d min; here the level of the alert says when the first step begins", r.minutes())
			last = r.minutes()
		}
		targets := b.ogTargets(where, r.Recipient)
		if len(targets) == 0 {
			continue
		}
		if n := len(out.Steps); n > 0 && r.minutes() == last {
			out.Steps[n-1].Notify = append(out.Steps[n-1].Notify, targets...)
			continue
		}
		out.Steps = append(out.Steps, policy.EscalationStep{After: common.Duration(time.Duration(r.minutes()-max(last, 0)) * time.Minute), Notify: targets})
		last = r.minutes()
	}
	b.policy(e.Name, out)
}

func (b *builder) ogTargets(where string, r ogRef) []policy.EscalationTarget {
	switch r.Type {
	case "schedule":
		return b.notify(where, r.id(), r.Name)
	case "user":
		return []policy.EscalationTarget{{Person: b.who(r.id(), r.Username)}}
	}
	b.lost(where, "a rule tells the %s %s", r.Type, either(r.Name, r.ID))
	return nil
}
