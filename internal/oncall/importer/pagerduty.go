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

// pdRef is a reference of PagerDuty's.
type pdRef struct {
	ID, Type, Summary, Name string
}

type pdUser struct {
	ID, Name, Email string
	TimeZone        string      `json:"time_zone"`
	ContactMethods  []pdContact `json:"contact_methods"`
	Rules           []pdRule    `json:"notification_rules"`
}

type pdContact struct {
	ID, Type, Label, Address string
	CountryCode              int `json:"country_code"`
}

type pdRule struct {
	Delay   int   `json:"start_delay_in_minutes"`
	Contact pdRef `json:"contact_method"`
	Urgency string
}

type pdSchedule struct {
	ID, Name  string
	TimeZone  string    `json:"time_zone"`
	Layers    []pdLayer `json:"schedule_layers"`
	Overrides struct {
		Entries []pdOverride `json:"rendered_schedule_entries"`
	} `json:"overrides_subschedule"`
}

type pdOverride struct {
	Start, End time.Time
	User       pdRef
}

type pdLayer struct {
	ID, Name     string
	Start        time.Time
	End          *time.Time
	VirtualStart time.Time `json:"rotation_virtual_start"`
	TurnSeconds  int       `json:"rotation_turn_length_seconds"`
	Users        []struct{ User pdRef }
	Restrictions []pdRestriction
}

type pdRestriction struct {
	Type     string
	Start    string `json:"start_time_of_day"`
	Seconds  int    `json:"duration_seconds"`
	StartDay int    `json:"start_day_of_week"` // 1 is Monday
}

type pdPolicy struct {
	ID, Name string
	Loops    int `json:"num_loops"`
	Rules    []struct {
		Delay   int `json:"escalation_delay_in_minutes"`
		Targets []pdRef
	} `json:"escalation_rules"`
	Services []pdRef
}

// readPagerDuty reads answers of /users, /schedules and /escalation_policies of PagerDuty's REST API.
func readPagerDuty(b *builder, all objects) error {
	var schedules []pdSchedule
	var policies []pdPolicy
	for _, o := range all {
		has, err := o.fields(), error(nil)
		switch {
		case has["schedule_layers"] != nil:
			var s pdSchedule
			err = json.Unmarshal(o.raw, &s)
			schedules = append(schedules, s)
		case has["escalation_rules"] != nil:
			var p pdPolicy
			err = json.Unmarshal(o.raw, &p)
			policies = append(policies, p)
		case has["email"] != nil:
			var u pdUser
			if err = json.Unmarshal(o.raw, &u); err == nil {
				b.pdUser(u)
			}
		case o.list == "schedules" || o.list == "schedule":
			b.lost(o.file, "its schedules have no layers: ask /schedules with include[]=schedule_layers")
		case o.list == "overrides":
			b.lost(o.file, "a list of overrides does not say of which schedule they are: ask /schedules/ID?since=…&until=… instead, which has them with the schedule")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", o.file, err)
		}
	}
	for _, s := range schedules {
		b.pdSchedule(s)
	}
	for _, p := range policies {
		b.pdPolicy(p)
	}
	return nil
}

func (b *builder) pdUser(u pdUser) {
	p := oncall.Person{Shown: u.Name, Email: u.Email, TimeZone: u.TimeZone}
	where, names := "person "+either(u.Name, u.Email), map[string]string{}
	for _, c := range u.ContactMethods {
		channel := map[string]string{"email_contact_method": "email", "sms_contact_method": "sms", "phone_contact_method": "voice"}[c.Type]
		switch {
		case channel == "" && strings.HasSuffix(c.Type, "_reference"):
			b.lost(where, "the answer has no addresses of contacts: ask /users with include[]=contact_methods&include[]=notification_rules")
			continue
		case channel == "":
			b.lost(where, "the contact %s of kind %s is of PagerDuty's own app", either(c.Label, c.ID), c.Type)
			continue
		}
		address := c.Address
		if channel != "email" {
			address = fmt.Sprintf("+%d%s", c.CountryCode, digits(c.Address))
		}
		names[c.ID] = addContact(&p, channel, address)
	}
	for _, r := range u.Rules {
		name, ok := names[r.Contact.ID]
		if !ok || r.Urgency == "low" {
			b.lost(where, "the rule for %s urgency after %d min by %s: %s", either(r.Urgency, "any"), r.Delay, either(r.Contact.Summary, r.Contact.Type), ruleLoss(ok))
			continue
		}
		p.Rules = append(p.Rules, policy.Rule{Contact: name, After: common.Duration(time.Duration(r.Delay) * time.Minute)})
	}
	b.person(p, u.ID)
}

func ruleLoss(known bool) string {
	if known {
		return "what is not urgent pages nobody here; it is a notice by what wakes least"
	}
	return "its contact was not carried"
}

// addContact adds a contact under a name of its own.
func addContact(p *oncall.Person, channel, address string) string {
	name := channel
	for n := 2; slices.ContainsFunc(p.Contacts, func(c policy.Contact) bool { return c.Name == name }); n++ {
		name = fmt.Sprintf("%s-%d", channel, n)
	}
	p.Contacts = append(p.Contacts, policy.Contact{Name: name, Channel: channel, Address: address})
	return name
}

func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func (b *builder) pdSchedule(s pdSchedule) {
	zone, ok := zoneOf(s.TimeZone)
	if !ok {
		b.lost("schedule "+s.Name, "the time zone %q is none of IANA's", s.TimeZone)
		return
	}
	d := draft{shown: s.Name, zone: zone}
	// The first of the answer goes before the others.
	for i, l := range slices.Backward(s.Layers) {
		where := fmt.Sprintf("schedule %s, layer %s", s.Name, either(l.Name, l.ID))
		if l.End != nil && !l.End.After(b.now) {
			b.lost(where, "it ended on %s", l.End.Format(time.DateOnly))
			continue
		}
		if layer, ok := b.pdLayer(where, l, zone); ok {
			b.turns(where, layer, l.VirtualStart.In(zone), len(s.Layers)-i, &d)
		}
	}
	for _, o := range s.Overrides.Entries {
		d.overrides = append(d.overrides, swap{o.Start, o.End, []string{b.who(o.User.ID, o.User.Summary)}, "imported from PagerDuty"})
	}
	b.schedule(d, s.ID)
}

func (b *builder) pdLayer(where string, l pdLayer, zone *time.Location) (out oncall.Layer, _ bool) {
	date, clock, _, whole := wall(l.VirtualStart, zone)
	every := lengthOf(time.Duration(l.TurnSeconds) * time.Second)
	switch {
	case every == "":
		b.lost(where, "its turns of %d s are no whole hours", l.TurnSeconds)
		return out, false
	case !whole:
		b.lost(where, "its hand-overs are at %s, which is no whole minute", l.VirtualStart.Format(time.RFC3339))
		return out, false
	case len(l.Users) == 0:
		b.lost(where, "nobody takes turns")
		return out, false
	}
	out = oncall.Layer{Name: either(l.Name, l.ID), Start: date, At: clock, Every: every}
	if l.Start.After(l.VirtualStart) {
		out.Begins = l.Start.UTC().Format(time.RFC3339)
	}
	if l.End != nil {
		out.Ends = l.End.UTC().Format(time.RFC3339)
	}
	for _, u := range l.Users {
		out.People = append(out.People, b.who(u.User.ID, either(u.User.Summary, u.User.Name)))
	}
	always := len(l.Restrictions) == 0
	for _, r := range l.Restrictions {
		from, err := time.Parse(time.TimeOnly, r.Start)
		if err != nil || from.Second() != 0 || r.Seconds%60 != 0 || r.Type == "weekly_restriction" && (r.StartDay < 1 || r.StartDay > 7) {
			b.lost(where, "the restriction from %s for %d s cannot be read", r.Start, r.Seconds)
			return out, false
		}
		minute := from.Hour()*60 + from.Minute()
		if r.Type == "weekly_restriction" {
			windows, all := everyWeek(time.Weekday(r.StartDay%7), minute, r.Seconds/60)
			out.Windows, always = append(out.Windows, windows...), always || all
		} else {
			out.Windows, always = append(out.Windows, everyDay(minute, r.Seconds/60)...), always || r.Seconds >= 24*3600
		}
	}
	if out.Windows = merged(out.Windows); always {
		out.Windows = nil
	}
	return out, true
}

func (b *builder) pdPolicy(p pdPolicy) {
	where := "escalation policy " + p.Name
	out := policy.EscalationPolicy{Repeat: min(p.Loops, 10)}
	var wait time.Duration
	for _, r := range p.Rules {
		step := policy.EscalationStep{After: common.Duration(wait)}
		for _, t := range r.Targets {
			switch {
			case strings.HasPrefix(t.Type, "schedule"):
				step.Notify = append(step.Notify, b.notify(where, t.ID, t.Summary)...)
			case strings.HasPrefix(t.Type, "user"):
				step.Notify = append(step.Notify, policy.EscalationTarget{Person: b.who(t.ID, t.Summary)})
			default:
				b.lost(where, "a rule tells %s of kind %s", either(t.Summary, t.ID), t.Type)
			}
		}
		wait += time.Duration(r.Delay) * time.Minute
		if len(step.Notify) > 0 {
			out.Steps, wait = append(out.Steps, step), time.Duration(r.Delay)*time.Minute
		}
	}
	out.RepeatAfter = common.Duration(wait)
	for _, s := range p.Services {
		out.Services = append(out.Services, b.service(either(s.Summary, s.Name)))
	}
	b.policy(p.Name, out)
}

// service is how the telemetry may call a service.
func (b *builder) service(shown string) string {
	name := strings.Trim(notName.ReplaceAllString(strings.ToLower(shown), "-"), "-")
	b.lost("service "+shown, "policies are for services by the label service of alerts: see whether it is %q there", name)
	return name
}
