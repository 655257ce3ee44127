package openslo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
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

func (r *reader) peakCalendar(o *document.Object) PeakCalendar {
	c := PeakCalendar{Meta: r.meta(o), Zone: time.UTC, Dates: map[string][]PeakPeriod{}}
	spec := o.Object("spec", true)
	if spec == nil {
		o.End()
		return c
	}
	c.Description = spec.Str("description", false)
	if name := spec.Str("timeZone", true); name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "Local" {
			spec.At("timeZone").Problem(fmt.Sprintf("time zone %q is unknown", name), "use an IANA name such as America/New_York")
		} else {
			c.Zone = zone
		}
	}
	for _, n := range spec.List("weekly", false) {
		if e := n.Object("weekly"); e != nil {
			p := period(e)
			p.Days = days(e)
			e.End()
			c.Weekly = append(c.Weekly, p)
		}
	}
	for _, n := range spec.List("exceptions", false) {
		if e := n.Object("exceptions"); e != nil {
			r.exception(e, &c)
		}
	}
	if len(c.Weekly) == 0 && len(c.Dates) == 0 {
		spec.Problem("the calendar has no peak", "add weekly, for example `weekly: [{days: [mon, tue], from: \"09:30\", to: \"11:00\"}]`")
	}
	spec.End()
	o.End()
	return c
}

func (r *reader) exception(e *document.Object, c *PeakCalendar) {
	date := e.Str("date", true)
	if _, err := time.Parse(time.DateOnly, date); err != nil && date != "" {
		e.At("date").Problem(fmt.Sprintf("%q is no date", date), "write it as 2026-12-25")
	}
	if e.Boolean("closed", false) {
		if len(c.Dates[date]) > 0 || e.Stands("from") {
			e.Problem("a date is closed and has a peak", "keep one")
		}
		c.Dates[date] = nil
	} else {
		if open, twice := c.Dates[date]; twice && len(open) == 0 {
			e.Problem("a date is closed and has a peak", "keep one")
		}
		c.Dates[date] = append(c.Dates[date], period(e))
	}
	e.Str("description", false)
	e.End()
}

// period reads from and to.
func period(o *document.Object) (p PeakPeriod) {
	clock := func(key string) int {
		text := o.Str(key, true)
		if text == "24:00" && key == "to" {
			return 24 * 60
		}
		at, err := time.Parse("15:04", text)
		if err != nil && text != "" {
			o.At(key).Problem(fmt.Sprintf("%q is no time of day", text), "write it as \"09:30\"")
		}
		return at.Hour()*60 + at.Minute()
	}
	p.From, p.To = clock("from"), clock("to")
	if p.To <= p.From && o.Stands("from") && o.Stands("to") {
		o.Problem("the peak ends before it begins", "end it at \"24:00\" and begin another the next day")
	}
	return p
}

func days(o *document.Object) (out []time.Weekday) {
	for _, n := range o.List("days", true) {
		text, _ := n.Scalar()
		k := slices.IndexFunc(weekdays[:], func(short string) bool { return strings.HasPrefix(strings.ToLower(text), short) })
		// Thursday may be thu, thur and thurs; mon-fri is no day.
		if k >= 0 && !strings.HasPrefix(strings.ToLower(time.Weekday(k).String()), strings.ToLower(text)) {
			k = -1
		}
		if k < 0 {
			o.At("days").Problem(fmt.Sprintf("%q is no day of the week", text), "use mon, tue, wed, thu, fri, sat and sun")
			continue
		}
		out = append(out, time.Weekday(k))
	}
	return out
}
