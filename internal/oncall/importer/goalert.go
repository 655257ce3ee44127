package importer

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

type gaUser struct {
	ID, Name, Email string
	ContactMethods  []struct {
		ID, Type, Name, Value string
		Disabled              bool
	}
	Rules []struct {
		DelayMinutes  int
		ContactMethod struct{ ID string }
	} `json:"notificationRules"`
}

type gaRotation struct {
	ID, Name, Type, TimeZone string
	Start                    time.Time
	ShiftLength              int
	ActiveUserIndex          int
	UserIDs                  []string
	NextHandoffTimes         []time.Time
}

type gaSchedule struct {
	ID, Name, TimeZone string
	Targets            []struct {
		Target ogRef
		Rules  []struct {
			Start, End    string
			WeekdayFilter []bool // from Sunday on
		}
	}
	TemporarySchedules []gaTemporary
}

type gaTemporary struct {
	Start, End time.Time
	Shifts     []struct {
		UserID     string
		Start, End time.Time
	}
}

type gaOverride struct {
	Start, End              time.Time
	AddUserID, RemoveUserID string
	Target                  ogRef
}

type gaPolicy struct {
	ID, Name string
	Repeat   int
	Steps    []struct {
		DelayMinutes int
		Targets      []ogRef
	}
	AssignedTo []ogRef
}

// gaExport is all of GoAlert's.
type gaExport struct {
	rotations map[string]gaRotation
	schedules []gaSchedule
	policies  []gaPolicy
	overrides map[string][]gaOverride
}

// readGoAlert reads answers of GoAlert's GraphQL: users, rotations, schedules, userOverrides and escalationPolicies.
func readGoAlert(b *builder, all objects) error {
	x := gaExport{rotations: map[string]gaRotation{}, overrides: map[string][]gaOverride{}}
	for _, o := range all {
		has, err := o.fields(), error(nil)
		switch {
		case has["shiftLength"] != nil:
			var r gaRotation
			err = json.Unmarshal(o.raw, &r)
			x.rotations[r.ID] = r
		case has["steps"] != nil:
			var p gaPolicy
			err = json.Unmarshal(o.raw, &p)
			x.policies = append(x.policies, p)
		case has["targets"] != nil:
			var s gaSchedule
			err = json.Unmarshal(o.raw, &s)
			x.schedules = append(x.schedules, s)
		case has["addUserID"] != nil || has["removeUserID"] != nil:
			var v gaOverride
			err = json.Unmarshal(o.raw, &v)
			x.overrides[v.Target.ID] = append(x.overrides[v.Target.ID], v)
		case has["email"] != nil:
			var u gaUser
			if err = json.Unmarshal(o.raw, &u); err == nil {
				b.gaUser(u)
			}
		case has["errors"] != nil:
			err = fmt.Errorf("GoAlert answered with an error: %.200s", has["errors"])
		default:
			b.lost(o.file, "something that is no user, rotation, schedule, override or policy: %.60s", o.raw)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", o.file, err)
		}
	}
	for _, s := range x.schedules {
		b.gaSchedule(s, x)
	}
	for _, p := range x.policies {
		b.gaPolicy(p)
	}
	return nil
}

func (b *builder) gaUser(u gaUser) {
	p := oncall.Person{Shown: u.Name, Email: u.Email}
	where, names := "person "+u.Name, map[string]string{}
	for _, c := range u.ContactMethods {
		channel := map[string]string{"SMS": "sms", "VOICE": "voice", "EMAIL": "email"}[c.Type]
		switch {
		case channel == "":
			b.lost(where, "the contact %s of kind %s: set the channel up and write the address by hand", c.Name, c.Type)
		case c.Disabled:
			b.lost(where, "the contact %s is disabled", c.Name)
		default:
			names[c.ID] = addContact(&p, channel, c.Value)
		}
	}
	for _, r := range u.Rules {
		if name, ok := names[r.ContactMethod.ID]; ok {
			p.Rules = append(p.Rules, policy.Rule{Contact: name, After: common.Duration(time.Duration(r.DelayMinutes) * time.Minute)})
		} else {
			b.lost(where, "the rule after %d min: its contact was not carried", r.DelayMinutes)
		}
	}
	b.person(p, u.ID)
}

// gaSchedule adds a schedule: all whose rules hold are on call at once.
func (b *builder) gaSchedule(s gaSchedule, x gaExport) {
	where := "schedule " + s.Name
	zone, ok := zoneOf(s.TimeZone)
	if !ok {
		b.lost(where, "the time zone %q is none of IANA's", s.TimeZone)
		return
	}
	d := draft{shown: s.Name, zone: zone}
	for _, t := range s.Targets {
		what := fmt.Sprintf("%s, %s", where, either(t.Target.Name, t.Target.ID))
		var layer oncall.Layer
		why := ""
		switch t.Target.Type {
		case "user":
			// A day long past, so that it is their turn in every moment.
			layer = oncall.Layer{Name: t.Target.Name, Start: "2000-01-03", At: "00:00", Every: "1w", People: []string{b.who(t.Target.ID, t.Target.Name)}}
		case "rotation":
			layer, why = b.gaRotation(x.rotations[t.Target.ID], zone)
		default:
			why = "it is a " + t.Target.Type
		}
		if len(t.Rules) == 0 {
			why = "it has no rules, so that it is never on call"
		}
		always := false
		for _, r := range t.Rules {
			windows, all, ok := gaWindows(r.Start, r.End, r.WeekdayFilter)
			if !ok {
				why = fmt.Sprintf("its rule from %q to %q cannot be read", r.Start, r.End)
			}
			layer.Windows, always = append(layer.Windows, windows...), always || all
		}
		if layer.Windows = merged(layer.Windows); always {
			layer.Windows = nil
		}
		if why != "" {
			b.lost(what, "%s", why)
			continue
		}
		b.turns(what, layer, x.rotations[t.Target.ID].Start.In(zone), 0, &d)
	}
	for _, t := range s.TemporarySchedules {
		b.gaTemporary(where, t, &d)
	}
	first := len(b.out.Schedules)
	b.schedule(d, s.ID)
	for _, o := range x.overrides[s.ID] {
		b.gaOverride(where, o, first)
	}
}

// gaWindows are when a rule holds; a rule that ends when it begins is all day.
func gaWindows(start, end string, days []bool) (out []oncall.Window, always, ok bool) {
	from, err := time.Parse("15:04", start)
	to, err2 := time.Parse("15:04", end)
	if err != nil || err2 != nil || len(days) != 7 && len(days) != 0 {
		return nil, false, false
	}
	minute := from.Hour()*60 + from.Minute()
	minutes := (to.Hour()*60 + to.Minute() - minute + dayMinutes) % dayMinutes
	if minutes == 0 {
		minutes = dayMinutes
	}
	all := true
	for day, holds := range days {
		if all = all && holds; holds {
			w, _ := everyWeek(time.Weekday(day), minute, minutes)
			out = append(out, w...)
		}
	}
	if !all {
		return out, false, true
	}
	return everyDay(minute, minutes), minutes == dayMinutes, true
}

// gaRotation is a rotation's layer. Whose turn it is GoAlert keeps, and does not count from the start.
func (b *builder) gaRotation(r gaRotation, zone *time.Location) (out oncall.Layer, why string) {
	unit := map[string]string{"hourly": "h", "daily": "d", "weekly": "w", "monthly": "mo"}[r.Type]
	start := r.Start
	if own, ok := zoneOf(either(r.TimeZone, zone.String())); ok && own.String() != zone.String() {
		return out, fmt.Sprintf("the rotation goes by the clocks of %s and the schedule by those of %s: give both the same time zone", own, zone)
	}
	date, clock, _, _ := wall(start, zone)
	switch {
	case r.ID == "":
		return out, "the rotation is not in the files: ask for rotations, too"
	case len(r.UserIDs) == 0:
		return out, "nobody takes turns"
	case unit == "":
		return out, "its turns are " + r.Type
	case unit == "mo" && start.In(zone).Day() > 28:
		return out, "its months begin after the 28th, which GoAlert and Signalbox count differently"
	}
	out = oncall.Layer{Name: r.Name, Start: date, At: clock, Every: fmt.Sprintf("%d%s", max(r.ShiftLength, 1), unit)}
	for _, id := range r.UserIDs {
		out.People = append(out.People, b.who(id, ""))
	}
	at := b.now
	if len(r.NextHandoffTimes) > 0 {
		at = r.NextHandoffTimes[0].Add(-time.Minute)
	}
	n := len(out.People)
	first := ((r.ActiveUserIndex-r.turn(zone, at))%n + n) % n
	out.People = append(out.People[first:], out.People[:first]...)
	return out, ""
}

// turn counts the hand-overs until a moment, by the clocks on the wall.
func (r gaRotation) turn(zone *time.Location, at time.Time) int {
	start, n := r.Start.In(zone), max(r.ShiftLength, 1)
	for k := 0; ; k++ {
		next := (k + 1) * n
		hands := map[string]time.Time{"hourly": onWall(start, 0, next*60), "daily": onWall(start, next, 0), "weekly": onWall(start, 7*next, 0), "monthly": start.AddDate(0, next, 0)}[r.Type]
		if hands.After(at) {
			return k
		}
	}
}

// gaTemporary puts the shifts of a temporary schedule in place of all others.
func (b *builder) gaTemporary(where string, t gaTemporary, d *draft) {
	if !t.End.After(b.now) {
		return
	}
	var covered []oncall.Gap
	for i, s := range t.Shifts {
		for _, other := range t.Shifts[:i] {
			if s.Start.Before(other.End) && other.Start.Before(s.End) {
				b.lost(where, "the temporary schedule from %s has two people at once; an override has one", t.Start.Format(time.RFC3339))
				return
			}
		}
		covered = append(covered, oncall.Gap{Start: s.Start, End: s.End})
		d.overrides = append(d.overrides, swap{s.Start, s.End, []string{b.who(s.UserID, "")}, "imported from a temporary schedule of GoAlert"})
	}
	for _, gap := range oncall.Between(covered, t.Start, t.End) {
		b.lost(where, "the temporary schedule has nobody from %s to %s; whose turn it is by the rotations is on call then", gap.Start.Format(time.RFC3339), gap.End.Format(time.RFC3339))
	}
}

// gaOverride puts somebody on call wherever somebody else is.
func (b *builder) gaOverride(where string, o gaOverride, first int) {
	switch {
	case !o.End.After(b.now):
		return
	case o.AddUserID == "" || o.RemoveUserID == "":
		b.lost(where, "the override from %s adds or removes somebody and does not replace one", o.Start.Format(time.RFC3339))
		return
	}
	gone, comes := b.who(o.RemoveUserID, ""), b.who(o.AddUserID, "")
	for _, d := range b.out.Schedules[first:] {
		spans, err := d.Spans(o.Start, o.End)
		if err != nil {
			continue // it was read before
		}
		for _, s := range spans {
			if s.Person == gone {
				b.override(d.Name, swap{s.Start, s.End, []string{comes}, "imported from GoAlert"}, 0)
			}
		}
	}
}

func (b *builder) gaPolicy(p gaPolicy) {
	where := "escalation policy " + p.Name
	out := policy.EscalationPolicy{Repeat: min(p.Repeat, 10)}
	var wait time.Duration
	for _, s := range p.Steps {
		step := policy.EscalationStep{After: common.Duration(wait)}
		for _, t := range s.Targets {
			switch t.Type {
			case "schedule":
				step.Notify = append(step.Notify, b.notify(where, t.ID, t.Name)...)
			case "user":
				step.Notify = append(step.Notify, policy.EscalationTarget{Person: b.who(t.ID, t.Name)})
			default:
				b.lost(where, "a step tells the %s %s: make it a schedule or a contact", t.Type, either(t.Name, t.ID))
			}
		}
		wait += time.Duration(s.DelayMinutes) * time.Minute
		if len(step.Notify) > 0 {
			out.Steps, wait = append(out.Steps, step), time.Duration(s.DelayMinutes)*time.Minute
		}
	}
	out.RepeatAfter = common.Duration(wait)
	for _, s := range p.AssignedTo {
		if s.Type == "" || strings.EqualFold(s.Type, "service") {
			out.Services = append(out.Services, b.service(s.Name))
		}
	}
	b.policy(p.Name, out)
}
