package openslo

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// OwnVersion is the apiVersion of documents that OpenSLO has no kind for.
const OwnVersion = "signalbox/v1"

// PeakCalendar says when it is peak time: parts of every week, and dates on which
// it is otherwise. Times are of the wall clock in Zone. It is immutable.
type PeakCalendar struct {
	Meta
	Description string
	Zone        *time.Location
	Weekly      []PeakPeriod
	Dates       map[string][]PeakPeriod // by 2006-01-02, instead of Weekly; none: no peak that day
}

// PeakPeriod is [From, To) in minutes of the day; To is up to 24 × 60.
type PeakPeriod struct {
	Days     []time.Weekday // of Weekly only
	From, To int
}

// Active reports whether it is peak time at a moment.
func (c *PeakCalendar) Active(at time.Time) bool {
	at = at.In(c.Zone)
	minute := at.Hour()*60 + at.Minute()
	periods, dated := c.Dates[at.Format(time.DateOnly)]
	if !dated {
		periods = c.Weekly
	}
	return slices.ContainsFunc(periods, func(p PeakPeriod) bool {
		return p.From <= minute && minute < p.To && (dated || slices.Contains(p.Days, at.Weekday()))
	})
}

var weekdays = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func (r *reader) peakCalendar(o *object) PeakCalendar {
	c := PeakCalendar{Meta: r.meta(o), Zone: time.UTC, Dates: map[string][]PeakPeriod{}}
	spec := o.object("spec", true)
	if spec == nil {
		return c
	}
	c.Description = spec.str("description", false)
	if name := spec.str("timeZone", true); name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "Local" {
			spec.at("timeZone").problem(fmt.Sprintf("time zone %q is unknown", name), "use an IANA name such as America/New_York")
		} else {
			c.Zone = zone
		}
	}
	for _, n := range spec.list("weekly", false) {
		if e := r.object(n, "weekly"); e != nil {
			p := e.period()
			p.Days = e.days()
			e.end()
			c.Weekly = append(c.Weekly, p)
		}
	}
	for _, n := range spec.list("exceptions", false) {
		if e := r.object(n, "exceptions"); e != nil {
			r.exception(e, &c)
		}
	}
	if len(c.Weekly) == 0 && len(c.Dates) == 0 {
		spec.problem("the calendar has no peak", "add weekly, for example `weekly: [{days: [mon, tue], from: \"09:30\", to: \"11:00\"}]`")
	}
	spec.end()
	o.end()
	return c
}

func (r *reader) exception(e *object, c *PeakCalendar) {
	date := e.str("date", true)
	if _, err := time.Parse(time.DateOnly, date); err != nil && date != "" {
		e.at("date").problem(fmt.Sprintf("%q is no date", date), "write it as 2026-12-25")
	}
	if e.boolean("closed", false) {
		if len(c.Dates[date]) > 0 || e.values["from"] != nil {
			e.problem("a date is closed and has a peak", "keep one")
		}
		c.Dates[date] = nil
	} else {
		c.Dates[date] = append(c.Dates[date], e.period())
	}
	e.str("description", false)
	e.end()
}

// period reads from and to.
func (o *object) period() (p PeakPeriod) {
	clock := func(key string) int {
		text := o.str(key, true)
		if text == "24:00" && key == "to" {
			return 24 * 60
		}
		at, err := time.Parse("15:04", text)
		if err != nil && text != "" {
			o.at(key).problem(fmt.Sprintf("%q is no time of day", text), "write it as \"09:30\"")
		}
		return at.Hour()*60 + at.Minute()
	}
	p.From, p.To = clock("from"), clock("to")
	if p.To <= p.From && o.values["from"] != nil && o.values["to"] != nil {
		o.problem("the peak ends before it begins", "end it at \"24:00\" and begin another the next day")
	}
	return p
}

func (o *object) days() (out []time.Weekday) {
	for _, n := range o.list("days", true) {
		text, _ := scalar(o.r.resolve(n))
		k := -1
		if len(text) >= 3 {
			k = slices.Index(weekdays[:], strings.ToLower(text[:3]))
		}
		if k < 0 {
			o.at("days").problem(fmt.Sprintf("%q is no day of the week", text), "use mon, tue, wed, thu, fri, sat and sun")
			continue
		}
		out = append(out, time.Weekday(k))
	}
	return out
}
