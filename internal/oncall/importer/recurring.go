package importer

import (
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/rota"
)

// recurring is an event that comes again (RFC 5545), and whose turns people take. Its times are those of the clocks on the wall.
type recurring struct {
	name      string
	start     time.Time // in its zone
	minutes   int       // how long it is
	freq      string    // hourly, daily, weekly, monthly; "" comes once
	interval  int       // each so many hours, days or weeks
	days      []int     // of the week, of weekly and daily events
	weekStart int
	until     time.Time // none begins after it; zero never ends
	people    []string  // in the order of their turns
}

// layers are the rotations of such an event; why says what keeps it from being any.
func (r recurring) layers(zone *time.Location) (all []oncall.Layer, why string) {
	out, why := r.layer(zone)
	if why != "" {
		return nil, why
	}
	if r.freq != "hourly" || r.interval%24 == 0 {
		return []oncall.Layer{out}, ""
	}
	return hourly(out, r.start.In(zone), r.interval)
}

func (r recurring) layer(zone *time.Location) (out oncall.Layer, why string) {
	r.start, r.interval = r.start.In(zone), max(r.interval, 1)
	date, clock, minute, whole := wall(r.start, zone)
	if !whole || r.minutes <= 0 {
		return out, "its times are no whole minutes"
	}
	out = oncall.Layer{Name: r.name, Start: date, At: clock, People: r.people}
	switch {
	case r.freq == "":
		out.Every, out.Begins, out.Ends = "1w", stamp(r.start), stamp(r.after(r.start))
		return out, ""
	case r.freq == "daily" && len(r.days) > 0 && r.interval == 1 && len(r.people) == 1:
		r.freq = "weekly" // the same days
	case r.freq == "hourly" && r.interval%24 == 0:
		r.freq, r.interval = "daily", r.interval/24 // whole days go by the clocks on the wall
	}
	ownDay := r.freq == "weekly" && len(r.days) == 1 && r.days[0] == int(r.start.Weekday())
	byDay := len(r.days) > 0 && !ownDay
	switch {
	case byDay && r.freq == "weekly":
		why = r.weekly(&out, minute)
	case byDay:
		return out, "its turns are " + r.freq + " and leave days of the week out"
	case r.freq == "hourly":
		if r.minutes != r.interval*60 {
			why = "it comes each " + lengthOf(time.Duration(r.interval)*time.Hour) + " and is not as long"
		}
	case r.freq == "daily":
		why = r.turns(&out, "d", dayMinutes, func() []oncall.Window { return everyDay(minute, r.minutes) })
	case r.freq == "weekly":
		why = r.turns(&out, "w", 7*dayMinutes, func() []oncall.Window {
			w, _ := everyWeek(r.start.Weekday(), minute, r.minutes)
			return merged(w)
		})
	default:
		why = "it comes " + r.freq + ", and no month is as long as it is"
	}
	if why == "" && !r.until.IsZero() {
		out.Ends = stamp(r.ends())
	}
	return out, why
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// after is when an event ends that begins at a moment.
func (r recurring) after(t time.Time) time.Time {
	return onWall(t, 0, r.minutes)
}

// onWall is so many days and minutes later, by the clocks on the wall.
func onWall(t time.Time, days, minutes int) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day()+days, t.Hour(), t.Minute()+minutes, 0, 0, t.Location())
}

// turns writes how long turns are, for events that come each so many units.
func (r recurring) turns(out *oncall.Layer, unit string, unitMinutes int, windows func() []oncall.Window) string {
	out.Every = lengthOf(time.Duration(r.interval*unitMinutes) * time.Minute)
	switch {
	case r.minutes == r.interval*unitMinutes:
		return ""
	case r.minutes > r.interval*unitMinutes:
		return "one begins before the last has ended"
	case r.minutes > unitMinutes:
		return "it is longer than one " + map[string]string{"d": "day", "w": "week"}[unit] + " and shorter than what it comes after"
	}
	out.Every, out.People, out.Windows = "1"+unit, r.spread(), windows()
	return ""
}

// spread gives the turns between two events to nobody.
func (r recurring) spread() (out []string) {
	for _, p := range r.people {
		out = append(out, p)
		for range r.interval - 1 {
			out = append(out, "")
		}
	}
	return out
}

// weekly is an event of several days of the week. Turns are handed over when the first of a week begins, so that one that runs into the
// next week stays with whom it began with.
func (r recurring) weekly(out *oncall.Layer, minute int) string {
	if !slices.Contains(r.days, int(r.start.Weekday())) {
		return "it begins on none of its days"
	}
	fromWeekStart := func(day int) int { return (day - r.weekStart + 7) % 7 }
	days := slices.Clone(r.days)
	slices.SortFunc(days, func(a, b int) int { return fromWeekStart(a) - fromWeekStart(b) })
	days = slices.Compact(days)
	for i, day := range days {
		gap := (days[(i+1)%len(days)] - day + 7) % 7
		if gap == 0 {
			gap = 7
		}
		if r.minutes > gap*dayMinutes {
			return "one begins before the last has ended"
		}
		w, _ := everyWeek(time.Weekday(day), minute, r.minutes)
		out.Windows = append(out.Windows, w...)
	}
	out.Windows = merged(out.Windows)
	back := fromWeekStart(int(r.start.Weekday())) - fromWeekStart(days[0])
	out.Start = rota.DateOf(r.start, r.start.Location()).Add(-back).String()
	out.Every, out.People = "1w", r.spread()
	if back > 0 {
		out.Begins = stamp(r.start)
	}
	return ""
}

// ends is when the last event ends that begins no later than until.
func (r recurring) ends() time.Time {
	until := r.until.In(r.start.Location())
	step := 1
	if len(r.days) == 0 {
		step = r.interval
		if r.freq == "weekly" {
			step *= 7
		}
	}
	if r.freq == "hourly" {
		last := r.start
		for n := 1; ; n++ {
			next := onWall(r.start, 0, n*r.interval*60)
			if next.After(until) {
				return r.after(last)
			}
			last = next
		}
	}
	last := r.start
	for n := step; ; n += step {
		next := onWall(r.start, n, 0)
		if next.After(until) {
			return r.after(last)
		}
		if len(r.days) == 0 || slices.Contains(r.days, int(next.Weekday())) {
			last = next
		}
	}
}
