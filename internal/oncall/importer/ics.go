package importer

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

// calendar is a schedule of Grafana OnCall's that reads a calendar, which stands in a file of its own.
func (b *builder) calendar(s grafanaSchedule) {
	where := "schedule " + s.Name
	at := slices.IndexFunc(b.calendars, func(f File) bool { return sameCalendar(f.Name, s.Primary, s.Name) })
	if at < 0 {
		b.lost(where, "it reads the calendar %s: fetch it into a file %s.ics and give that, too", pathOf(s.Primary), s.Name)
		return
	}
	f := b.calendars[at]
	b.calendars = slices.Delete(b.calendars, at, at+1)
	cal, err := ics.ParseCalendar(bytes.NewReader(f.Text))
	if err != nil {
		b.lost(where, "%s is no calendar: %v", f.Name, err)
		return
	}
	d := draft{shown: s.Name}
	zone := calendarZone(cal)
	if zone == nil {
		b.lost(where, "%s has events of several time zones, or of none of IANA's", f.Name)
		return
	}
	d.zone = zone
	for _, e := range cal.Events() {
		b.event(where, e, &d)
	}
	if s.Overrides != "" {
		b.calendarOverrides(where, s.Overrides, &d)
	}
	b.schedule(d, s.ID)
}

// pathOf names an address without what may be a secret of it.
func pathOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return either(host, "of no address")
}

// calendarOverrides takes the events of a calendar of overrides.
func (b *builder) calendarOverrides(where, url string, d *draft) {
	at := slices.IndexFunc(b.calendars, func(f File) bool { return sameCalendar(f.Name, url, d.shown+" overrides") })
	if at < 0 {
		b.lost(where, "its overrides are in a calendar of %s: fetch it into a file \"%s overrides.ics\" and give that, too", pathOf(url), d.shown)
		return
	}
	f := b.calendars[at]
	b.calendars = slices.Delete(b.calendars, at, at+1)
	cal, err := ics.ParseCalendar(bytes.NewReader(f.Text))
	if err != nil {
		b.lost(where, "%s is no calendar: %v", f.Name, err)
		return
	}
	for _, e := range cal.Events() {
		who, _ := b.summary(text(e, ics.ComponentPropertySummary))
		start, err := e.GetStartAt()
		end, err2 := e.GetEndAt()
		if err != nil || err2 != nil || e.GetProperty(ics.ComponentPropertyRrule) != nil || len(who) == 0 {
			b.lost(where, "the override %q comes again, or cannot be read", text(e, ics.ComponentPropertySummary))
			continue
		}
		d.overrides = append(d.overrides, swap{start, end, who, "imported from Grafana OnCall"})
	}
}

// calendarZone is the one time zone that all events have; UTC's events have any.
func calendarZone(cal *ics.Calendar) *time.Location {
	var out *time.Location
	for _, e := range cal.Events() {
		start, err := e.GetStartAt()
		if err != nil {
			return nil
		}
		if out != nil && out.String() != start.Location().String() {
			return nil
		}
		out = start.Location()
	}
	if out == nil || out == time.Local {
		return time.UTC
	}
	if _, ok := zoneOf(out.String()); !ok {
		return nil
	}
	return out
}

func text(e *ics.VEvent, p ics.ComponentProperty) string {
	if v := e.GetProperty(p); v != nil {
		return v.Value
	}
	return ""
}

var levelRE = regexp.MustCompile(`\[L(\d+)\]`)

// summary reads whom an event is of, and its level: "[L1] ada, kim".
func (b *builder) summary(s string) (who []string, level int) {
	if m := levelRE.FindStringSubmatch(s); m != nil {
		level, _ = strconv.Atoi(m[1])
		s = strings.Replace(s, m[0], "", 1)
	}
	for _, one := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == '\\' }) {
		if one = strings.TrimSpace(one); one != "" {
			who = append(who, b.who(one, one))
		}
	}
	return who, level
}

// event adds the rotations of an event: one for each of its people.
func (b *builder) event(where string, e *ics.VEvent, d *draft) {
	summary := text(e, ics.ComponentPropertySummary)
	what := fmt.Sprintf("%s, event %q", where, summary)
	start, err := e.GetStartAt()
	end, err2 := e.GetEndAt()
	who, level := b.summary(summary)
	if err != nil || err2 != nil || len(who) == 0 {
		b.lost(what, "its times or its people cannot be read")
		return
	}
	for _, p := range []ics.ComponentProperty{ics.ComponentPropertyRdate, ics.ComponentPropertyExdate, "RECURRENCE-ID"} {
		if e.GetProperty(p) != nil {
			b.lost(what, "it has exceptions (%s)", p)
			return
		}
	}
	r := recurring{name: summary, start: start, minutes: wallMinutes(start, end), weekStart: 1}
	if why := r.rule(text(e, ics.ComponentPropertyRrule)); why != "" {
		b.lost(what, "%s", why)
		return
	}
	for _, one := range who {
		r.people = []string{one}
		if why := d.add(r, level, "", b.now); why != "" {
			b.lost(what, "%s", why)
			return
		}
	}
}

// wallMinutes is how long it is between two moments, by the clocks on the wall.
func wallMinutes(a, b time.Time) int {
	b = b.In(a.Location())
	utc := func(t time.Time) time.Time {
		return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	}
	return int(utc(b).Sub(utc(a)) / time.Minute)
}

// rule reads a rule of recurrence; why says what of it has no meaning here.
func (r *recurring) rule(text string) (why string) {
	for part := range strings.SplitSeq(text, ";") {
		if part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		switch strings.ToUpper(key) {
		case "FREQ":
			r.freq = strings.ToLower(value)
		case "INTERVAL":
			r.interval, _ = strconv.Atoi(value)
		case "WKST":
			r.weekStart = max(weekday(value), 0)
		case "BYDAY":
			for day := range strings.SplitSeq(value, ",") {
				r.days = append(r.days, weekday(day))
			}
			if slices.Contains(r.days, -1) {
				return "its days " + value + " are no plain days of the week"
			}
		case "UNTIL":
			at, err := time.Parse("20060102T150405Z", value)
			if err != nil {
				if at, err = time.ParseInLocation("20060102T150405", value, r.start.Location()); err != nil {
					if at, err = time.ParseInLocation("20060102", value, r.start.Location()); err != nil {
						return "its end " + value + " cannot be read"
					}
					at = at.AddDate(0, 0, 1).Add(-time.Second)
				}
			}
			r.until = at
		default:
			return "its rule has " + key
		}
	}
	return ""
}
