package rota

import (
	"fmt"
	"time"
)

// Date is a day of the calendar, in no time zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day that an instant falls on in a time zone.
func DateOf(t time.Time, zone *time.Location) Date {
	y, m, d := t.In(zone).Date()
	return Date{y, m, d}
}

// ParseDate reads 2026-03-29.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date like 2026-03-29", s)
	}
	return DateOf(t, time.UTC), nil
}

// String is 2026-03-29.
func (d Date) String() string { return d.utc().Format(time.DateOnly) }

// utc is midnight of the day in UTC, where every day has 24 hours: what days are counted with.
func (d Date) utc() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// Add is so many days later.
func (d Date) Add(days int) Date { return DateOf(d.utc().AddDate(0, 0, days), time.UTC) }

// AddMonths is so many months later: the same day, or the month's last where it has none such.
func (d Date) AddMonths(months int) Date {
	first := Date{d.Year, d.Month + time.Month(months), 1}.Add(0)
	last := Date{first.Year, first.Month + 1, 0}.Add(0)
	return Date{first.Year, first.Month, min(d.Day, last.Day)}
}

// Before says whether a day is earlier than another.
func (d Date) Before(other Date) bool { return d.utc().Before(other.utc()) }

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// Clock is a time of the day on the wall, since midnight; 24 h is the end of the day.
type Clock time.Duration

// ParseClock reads 09:00, up to 24:00.
func ParseClock(s string) (Clock, error) {
	if s == "24:00" {
		return Clock(24 * time.Hour), nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, fmt.Errorf("%q is not a time of the day like 09:00", s)
	}
	return Clock(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute), nil
}

// String is 09:00.
func (c Clock) String() string {
	return fmt.Sprintf("%02d:%02d", int(time.Duration(c).Hours()), int(time.Duration(c).Minutes())%60)
}

// instant is when the wall clocks of a zone first show a time of a day or a later one.
func instant(d Date, c Clock, zone *time.Location) time.Time {
	wall := d.utc().Add(time.Duration(c)) // as if the zone were UTC
	// No zone is further than 26 hours from UTC: the wall shows an earlier time here. From here each period in which
	// the zone has one offset is asked in turn.
	at := wall.Add(-26 * time.Hour).In(zone)
	for {
		_, offset := at.Zone()
		start, end := at.ZoneBounds()
		u := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if !start.IsZero() && u.Before(start) {
			return start // the clocks were put forward over it
		}
		if end.IsZero() || u.Before(end) {
			return u
		}
		at = end
	}
}
