package importer

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

type grafanaUser struct {
	ID, Email, Username, Name, Timezone string
}

type grafanaSchedule struct {
	ID, Name, Type string
	TimeZone       string `json:"time_zone"`
	Primary        string `json:"ical_url_primary"`
	Overrides      string `json:"ical_url_overrides"`
	Shifts         []string
}

type grafanaShift struct {
	ID, Name, Type, Start string
	TimeZone              string `json:"time_zone"`
	Level, Duration       int
	Users                 []string
	Rolling               [][]string `json:"rolling_users"`
	First                 int        `json:"start_rotation_from_user_index"`
	RotationStart         string     `json:"rotation_start"`
	grafanaRule
}

// grafanaRule is when a shift comes again.
type grafanaRule struct {
	Frequency, Until string
	Interval         int
	WeekStart        string   `json:"week_start"`
	ByDay            []string `json:"by_day"`
	ByMonth          []int    `json:"by_month"`
	ByMonthday       []int    `json:"by_monthday"`
}

type grafanaStep struct {
	ID, Type  string
	Chain     string `json:"escalation_chain_id"`
	Position  int
	Duration  int
	Schedule  string   `json:"notify_on_call_from_schedule"`
	Persons   []string `json:"persons_to_notify"`
	NextTime  []string `json:"persons_to_notify_next_each_time"`
	Important bool
}

// readGrafana reads answers of users, schedules, on_call_shifts, escalation_chains and escalation_policies of Grafana OnCall's API.
func readGrafana(b *builder, all objects) error {
	var schedules []grafanaSchedule
	shifts, steps, chains := map[string]grafanaShift{}, map[string][]grafanaStep{}, []ogRef{}
	for _, o := range all {
		has, err := o.fields(), error(nil)
		switch {
		case has["escalation_chain_id"] != nil && has["position"] != nil && has["routing_regex"] == nil:
			var s grafanaStep
			err = json.Unmarshal(o.raw, &s)
			steps[s.Chain] = append(steps[s.Chain], s)
		case has["duration"] != nil && has["start"] != nil:
			var s grafanaShift
			err = json.Unmarshal(o.raw, &s)
			shifts[s.ID] = s
		case has["on_call_now"] != nil || has["ical_url_primary"] != nil || has["shifts"] != nil:
			var s grafanaSchedule
			err = json.Unmarshal(o.raw, &s)
			schedules = append(schedules, s)
		case has["username"] != nil:
			var u grafanaUser
			if err = json.Unmarshal(o.raw, &u); err == nil {
				b.person(oncall.Person{Shown: either(u.Name, u.Username), Email: u.Email, TimeZone: u.Timezone}, u.ID, u.Username, u.Email)
			}
		case has["name"] != nil && has["team_id"] != nil && has["type"] == nil && has["link"] == nil:
			var c ogRef
			err = json.Unmarshal(o.raw, &c)
			chains = append(chains, c)
		default:
			b.lost(o.file, "something that is no user, schedule, shift, chain or step of one: %.60s", o.raw)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", o.file, err)
		}
	}
	for _, s := range schedules {
		b.grafanaSchedule(s, shifts)
	}
	for _, f := range b.calendars {
		b.lost(f.Name, "no schedule has this calendar: its name must be the end of the schedule's ical_url_primary, or the schedule's name with .ics")
	}
	for _, c := range chains {
		b.grafanaChain(c, steps[c.ID])
		delete(steps, c.ID)
	}
	for id, list := range steps {
		b.grafanaChain(ogRef{ID: id, Name: id}, list)
		b.lost("escalation chain "+id, "the chain itself is not in the files, so that its name is not known: ask /escalation_chains")
	}
	return nil
}

func (b *builder) grafanaSchedule(s grafanaSchedule, shifts map[string]grafanaShift) {
	where := "schedule " + s.Name
	if s.Type == "ical" || s.Primary != "" {
		b.calendar(s)
		return
	}
	name := either(s.TimeZone, "UTC")
	var own []grafanaShift
	zones := map[string]bool{}
	for _, id := range s.Shifts {
		one, ok := shifts[id]
		if !ok {
			b.lost(where, "its shift %s is not in the files: ask /on_call_shifts", id)
			continue
		}
		own = append(own, one)
		zones[either(one.TimeZone, name)] = true
	}
	if len(zones) == 1 && len(own) > 0 {
		name = either(own[0].TimeZone, name) // all of them go by one, whatever the schedule says
	}
	zone, ok := zoneOf(name)
	if !ok {
		b.lost(where, "the time zone %q is none of IANA's", name)
		return
	}
	d := draft{shown: s.Name, zone: zone}
	for _, one := range own {
		what := fmt.Sprintf("%s, shift %s", where, either(one.Name, one.ID))
		if other := either(one.TimeZone, name); other != name {
			b.lost(what, "its time zone is %s and that of the others %s", other, name)
			continue
		}
		b.grafanaShift(what, one, &d)
	}
	if s.Overrides != "" {
		b.calendarOverrides(where, s.Overrides, &d)
	}
	b.schedule(d, s.ID)
}

// grafanaShift adds the rotations of a shift: one for each place in its groups of people.
func (b *builder) grafanaShift(where string, s grafanaShift, d *draft) {
	at, err := time.ParseInLocation("2006-01-02T15:04:05", s.Start, d.zone)
	if err != nil {
		b.lost(where, "its start %q cannot be read", s.Start)
		return
	}
	groups := s.Rolling
	if s.Type != "rolling_users" {
		groups = [][]string{s.Users}
	} else if n := len(groups); n > 0 {
		first := s.First % n
		groups = append(slices.Clone(groups[first:]), groups[:first]...)
	}
	r := recurring{name: either(s.Name, s.ID), start: at, minutes: s.Duration / 60, interval: s.Interval, freq: s.Frequency, weekStart: max(weekday(either(s.WeekStart, "SU")), 0)}
	if s.Type == "single_event" || s.Type == "override" {
		r.freq = ""
	}
	for _, day := range s.ByDay {
		r.days = append(r.days, weekday(day))
	}
	if s.Until != "" {
		if r.until, err = time.ParseInLocation("2006-01-02T15:04:05", s.Until, d.zone); err != nil {
			b.lost(where, "its end %q cannot be read", s.Until)
			return
		}
	}
	switch {
	case slices.Contains(r.days, -1):
		b.lost(where, "its days %v are no days of the week", s.ByDay)
	case len(s.ByMonth)+len(s.ByMonthday) > 0 && r.freq != "":
		b.lost(where, "it is for some months, or days of the month")
	case s.Duration%60 != 0:
		b.lost(where, "its times are no whole minutes")
	default:
		b.groups(where, r, groups, s, d)
	}
}

// groups adds the rotations of an event whose turns are of several people each.
func (b *builder) groups(where string, r recurring, groups [][]string, s grafanaShift, d *draft) {
	most := 0
	for i, g := range groups {
		if len(g) == 0 && len(groups) == 1 {
			b.lost(where, "nobody takes turns")
			return
		}
		most = max(most, len(g))
		for k, id := range g {
			groups[i] = slices.Clone(groups[i])
			groups[i][k] = b.who(id, "")
		}
	}
	if s.Type == "override" {
		if end := r.after(r.start); end.After(b.now) {
			d.overrides = append(d.overrides, swap{r.start, end, groups[0], "imported from Grafana OnCall"})
		}
		return
	}
	for k := range most {
		r.people = nil
		for _, g := range groups {
			who := ""
			if k < len(g) {
				who = g[k]
			}
			r.people = append(r.people, who)
		}
		if why := d.add(r, s.Level, s.RotationStart, b.now); why != "" {
			b.lost(where, "%s", why)
			return
		}
	}
}

// add adds the rotations of an event, but for what is before since, or over; why says what keeps it from being any.
func (d *draft) add(r recurring, level int, since string, now time.Time) (why string) {
	layers, why := r.layers(d.zone)
	for i := range layers {
		if why == "" {
			layers[i], why = d.since(layers[i], since)
		}
	}
	if why != "" {
		return why
	}
	for _, l := range layers {
		if end, err := time.Parse(time.RFC3339, l.Ends); err == nil && !end.After(now) {
			return "it is over since " + end.Format(time.DateOnly)
		}
		d.shifts = append(d.shifts, shift{level: level, layer: l})
	}
	return ""
}

// since leaves out the events of a layer that begin before a moment.
func (d *draft) since(l oncall.Layer, text string) (oncall.Layer, string) {
	if text == "" {
		return l, ""
	}
	at, err := time.ParseInLocation("2006-01-02T15:04:05", text, d.zone)
	if err != nil {
		return l, fmt.Sprintf("the start of its rotation %q cannot be read", text)
	}
	if begins, err := time.Parse(time.RFC3339, l.Begins); err == nil && !begins.Before(at) {
		return l, ""
	}
	first, err := time.ParseInLocation("2006-01-02 15:04", l.Start+" "+l.At, d.zone)
	if err == nil && !first.Before(at) {
		return l, ""
	}
	spans, err := d.alone(l).Spans(at.Add(-time.Hour), at.Add(time.Hour))
	if err != nil {
		return l, err.Error()
	}
	for _, s := range spans {
		if s.Start.Before(at) && s.End.After(at) {
			return l, "its rotation begins in the middle of one of its events"
		}
	}
	l.Begins = stamp(at)
	return l, ""
}

func (b *builder) grafanaChain(c ogRef, steps []grafanaStep) {
	where := "escalation chain " + c.Name
	slices.SortFunc(steps, func(a, o grafanaStep) int { return cmp.Compare(a.Position, o.Position) })
	var out policy.EscalationPolicy
	var wait time.Duration
	for _, s := range steps {
		var to []policy.EscalationTarget
		switch s.Type {
		case "wait":
			wait += time.Duration(s.Duration) * time.Second
			continue
		case "notify_on_call_from_schedule":
			to = b.notify(where, s.Schedule, "")
		case "notify_persons", "notify_person_next_each_time":
			for _, id := range slices.Concat(s.Persons, s.NextTime) {
				to = append(to, policy.EscalationTarget{Person: b.who(id, "")})
			}
			if s.Type != "notify_persons" {
				b.lost(where, "step %d tells one of several people, each time the next; here it tells all of them: make it a schedule", s.Position)
			}
		case "repeat_escalation":
			out.Repeat, out.RepeatAfter = 5, common.Duration(wait)
			continue
		default:
			b.lost(where, "step %d is of kind %s", s.Position, s.Type)
			continue
		}
		if s.Important {
			b.lost(where, "step %d asks for the important rules of people; here the level of the alert chooses rules", s.Position)
		}
		n := len(out.Steps)
		switch {
		case len(to) == 0:
		case n > 0 && wait == 0:
			out.Steps[n-1].Notify = append(out.Steps[n-1].Notify, to...)
		default:
			if n == 0 && wait > 0 {
				b.lost(where, "it waits %s before its first step; here the level of the alert says when that begins", wait)
			}
			out.Steps, wait = append(out.Steps, policy.EscalationStep{After: common.Duration(wait), Notify: to}), 0
		}
	}
	b.lost(where, "which alerts it is for stands in routes of integrations, which are not read: it is for alerts with the label escalation_policy")
	b.policy(c.Name, out)
}

// sameCalendar says whether a file is what a schedule's address answers.
func sameCalendar(file, url, schedule string) bool {
	base := path.Base(file)
	return base == path.Base(url) || base == schedule+".ics"
}
