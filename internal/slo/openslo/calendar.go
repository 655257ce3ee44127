package openslo

import (
	"fmt"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
	_ "time/tzdata" // a budget must not depend on what the host has installed
)

// Calendar is a window that follows the calendar: Count units long, one after
// the other since Start, in Start's time zone. It is immutable.
type Calendar struct {
	Start time.Time
	Count int
	Unit  Unit
}

// Unit is a calendar unit, as OpenSLO abbreviates it.
type Unit byte

// The units.
const (
	UnitDay     Unit = 'd'
	UnitWeek    Unit = 'w'
	UnitMonth   Unit = 'M'
	UnitQuarter Unit = 'Q'
	UnitYear    Unit = 'Y'
)

// Words is the window in words: calendar month (Europe/Zurich).
func (c *Calendar) Words() string {
	name := map[Unit]string{UnitDay: "day", UnitWeek: "week", UnitMonth: "month", UnitQuarter: "quarter", UnitYear: "year"}[c.Unit]
	if c.Count > 1 {
		name = fmt.Sprintf("%d calendar %ss", c.Count, name)
	} else {
		name = "calendar " + name
	}
	return name + " (" + c.Start.Location().String() + ")"
}

// Text is the window as OpenSLO writes it: 1M.
func (c *Calendar) Text() string { return fmt.Sprintf("%d%c", c.Count, c.Unit) }

// Longest is no shorter than any window of the calendar.
func (c *Calendar) Longest() time.Duration {
	const day = 24 * time.Hour
	unit := map[Unit]time.Duration{UnitDay: day, UnitWeek: 7 * day, UnitMonth: 31 * day, UnitQuarter: 92 * day, UnitYear: 366 * day}[c.Unit]
	return time.Duration(c.Count)*unit + 2*time.Hour // the clocks are set back on one of the days
}

// nth is the begin of window n. Days are those of the wall clock, so they last
// 23 to 25 hours; a month that lacks Start's day begins on its last one.
func (c *Calendar) nth(n int) time.Time {
	year, month, day := c.Start.Date()
	hour, minute, second := c.Start.Clock()
	switch steps := n * c.Count; c.Unit {
	case UnitDay:
		day += steps
	case UnitWeek:
		day += 7 * steps
	default:
		months := map[Unit]int{UnitMonth: 1, UnitQuarter: 3, UnitYear: 12}[c.Unit]
		total := int(month) - 1 + months*steps
		year, month = year+floorDiv(total, 12), time.Month(total-12*floorDiv(total, 12)+1)
		day = min(day, daysIn(year, month))
	}
	return time.Date(year, month, day, hour, minute, second, 0, c.Start.Location())
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// At is the window that holds now: [from, to).
func (c *Calendar) At(now time.Time) (from, to time.Time) {
	n := int(now.Sub(c.Start) / c.Longest()) // at most the window sought
	if now.Before(c.Start) {
		n = -1 - int(c.Start.Sub(now)/(c.Longest()/2))
	}
	for c.nth(n).After(now) {
		n--
	}
	for !c.nth(n + 1).After(now) {
		n++
	}
	return c.nth(n), c.nth(n + 1)
}

// calendarForms are the times that OpenSLO documents begin a calendar with.
var calendarForms = [...]string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02", time.RFC3339}

// calendar reads a calendar window's start and zone. Without a start, windows
// begin with their unit: the day at midnight, the week on Monday.
func (r *reader) calendar(o *document.Object, text, key string) *Calendar {
	c := &Calendar{Count: 1}
	zone := time.UTC
	var start string
	cal := o.Object("calendar", false)
	if cal == nil || !cal.Has("timeZone") {
		at := o.At(key)
		if cal != nil {
			at = o.At("calendar")
		}
		at.Warning("the calendar window has no time zone and begins at midnight UTC", "say whose midnight it is: `calendar: {timeZone: Europe/Zurich}`, or UTC")
	}
	if cal != nil {
		start = cal.Str("startTime", false)
		if name := cal.Str("timeZone", false); name != "" {
			loaded, err := time.LoadLocation(name)
			if err != nil || name == "Local" {
				cal.At("timeZone").Problem(fmt.Sprintf("time zone %q is unknown", name), "use an IANA name such as Europe/Zurich")
				return nil
			}
			zone = loaded
		}
		cal.End()
		if start != "" {
			at, err := parseStart(start, zone)
			if err != nil {
				cal.At("startTime").Problem(fmt.Sprintf("startTime %q is no time", start), "write it as 2026-01-01 00:00:00")
				return nil
			}
			c.Start = at
		}
	}
	if months, isMinutes := strings.CutSuffix(text, "m"); isMinutes && key == "duration" { // not where the unit is a word
		o.At(key).Warning(fmt.Sprintf("%s is minutes, and no calendar window is made of those: months are taken", text), "write "+months+"M")
		text = months + "M"
	}
	if _, err := fmt.Sscanf(text, "%d%c", &c.Count, &c.Unit); err != nil || c.Count < 1 || c.Text() != text {
		o.At(key).Problem(fmt.Sprintf("window %q is unknown", text), "use a number with d, w, M, Q or Y, for example 1M")
		return nil
	}
	switch c.Unit {
	case UnitDay, UnitWeek, UnitMonth, UnitQuarter, UnitYear:
	default:
		o.At(key).Problem("a calendar window is made of days, weeks, months, quarters or years", "for example `duration: 1M`")
		return nil
	}
	if c.Count > 400 || c.Longest() > maxWindow {
		o.At(key).Problem(fmt.Sprintf("window %s is out of bounds", text), "use at most a year")
		return nil
	}
	if start == "" {
		c.Start = time.Date(2024, 1, 1, 0, 0, 0, 0, zone) // a Monday, too
	}
	return c
}

func parseStart(text string, zone *time.Location) (at time.Time, err error) {
	for _, form := range calendarForms {
		if at, err = time.ParseInLocation(form, text, zone); err == nil {
			return at.In(zone), nil
		}
	}
	return at, err
}
