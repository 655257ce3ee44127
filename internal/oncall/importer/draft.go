package importer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/oncall"
	"github.com/signalbox-project/signalbox/internal/oncall/rota"
)

// draft is a schedule as tools have them: several people may be on call at once.
type draft struct {
	shown, team string
	zone        *time.Location
	shifts      []shift
	overrides   []swap
}

// shift is one rotation of single people. Of those that have somebody, all of the highest level are on call.
type shift struct {
	level int
	layer oncall.Layer
}

// swap puts people on call in place of everybody else.
type swap struct {
	start, end time.Time
	people     []string
	reason     string
}

// overlapSpan is how long it is looked whether two rotations have somebody at once: patterns of weeks and of clocks that change come again by then.
const overlapSpan = 800 * 24 * time.Hour

// definitions are schedules of which each has one person at a time, and which have, all together, whom the draft has. Each has all rotations,
// so that none falls through to a lower level where the level above has somebody; in the n-th those of the n-th column go before the others of their level.
func (d draft) definitions(b *builder) (out []oncall.Definition) {
	if len(d.shifts) == 0 {
		b.lost("schedule "+d.shown, "nothing of it could be carried")
		return nil
	}
	var levels [][][]shift // by level, by column
	slices.SortStableFunc(d.shifts, func(a, c shift) int { return a.level - c.level })
	for i, s := range d.shifts {
		if i == 0 || s.level != d.shifts[i-1].level {
			levels = append(levels, nil)
		}
		last := &levels[len(levels)-1]
		at := slices.IndexFunc(*last, func(column []shift) bool {
			return !slices.ContainsFunc(column, func(other shift) bool { return d.overlap(s, other) })
		})
		if at < 0 {
			at = len(*last)
			*last = append(*last, nil)
		}
		(*last)[at] = append((*last)[at], s)
	}
	columns := 1
	for _, level := range levels {
		columns = max(columns, len(level))
	}
	for _, o := range d.overrides {
		columns = max(columns, len(o.people))
	}
	for n := range columns {
		def := oncall.Definition{Name: b.name("schedule", d.shown), Team: d.team, TimeZone: d.zone.String()}
		names := map[string]int{}
		add := func(column []shift) {
			for _, s := range column {
				if names[s.layer.Name]++; names[s.layer.Name] > 1 {
					s.layer.Name = fmt.Sprintf("%s (%d)", s.layer.Name, names[s.layer.Name])
				}
				def.Layers = append(def.Layers, s.layer)
			}
		}
		for _, level := range levels {
			first := min(n, len(level)-1)
			for c := range level {
				if c != first {
					add(level[c])
				}
			}
			add(level[first])
		}
		if _, err := def.Spans(b.now, b.now.Add(time.Hour)); err != nil {
			b.lost("schedule "+d.shown, "%v", err)
			return nil
		}
		for _, o := range d.overrides {
			b.override(def.Name, o, n)
		}
		out = append(out, def)
	}
	return out
}

// maxOverride is how long an override may last.
const maxOverride = 92 * 24 * time.Hour

// override adds the n-th person of a swap, in parts that are not too long.
func (b *builder) override(schedule string, o swap, n int) {
	for start := o.start; start.Before(o.end); start = start.Add(maxOverride) {
		end := o.end
		if end.Sub(start) > maxOverride {
			end = start.Add(maxOverride)
		}
		if end.After(b.now) {
			b.out.Overrides = append(b.out.Overrides, oncall.Override{
				Schedule: schedule, Person: o.people[min(n, len(o.people)-1)], Start: start.UTC(), End: end.UTC(), Reason: o.reason,
			})
		}
	}
}

// alone is a schedule of one rotation.
func (d draft) alone(l oncall.Layer) oncall.Definition {
	return oncall.Definition{Name: "x", TimeZone: d.zone.String(), Layers: []oncall.Layer{l}}
}

// overlap says whether two rotations ever have somebody at once.
func (d draft) overlap(a, c shift) bool {
	from := time.Time{}
	for _, s := range []shift{a, c} {
		day, _ := rota.ParseDate(s.layer.Start)
		if t := time.Date(day.Year, day.Month, day.Day, 0, 0, 0, 0, time.UTC); t.After(from) {
			from = t
		}
		if t, err := time.Parse(time.RFC3339, s.layer.Begins); err == nil && t.After(from) {
			from = t
		}
	}
	from = from.Add(-48 * time.Hour)
	one, err := d.alone(a.layer).Spans(from, from.Add(overlapSpan))
	two, err2 := d.alone(c.layer).Spans(from, from.Add(overlapSpan))
	if err != nil || err2 != nil {
		return true
	}
	for len(one) > 0 && len(two) > 0 {
		if one[0].Start.Before(two[0].End) && two[0].Start.Before(one[0].End) {
			return true
		}
		if one[0].End.Before(two[0].End) {
			one = one[1:]
		} else {
			two = two[1:]
		}
	}
	return false
}

// wall is a moment as the clocks of a zone show it, and as text for a layer.
func wall(t time.Time, zone *time.Location) (date, clock string, minute int, whole bool) {
	local := t.In(zone)
	return local.Format(time.DateOnly), local.Format("15:04"), local.Hour()*60 + local.Minute(), local.Second() == 0 && local.Nanosecond() == 0
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

const dayMinutes = 24 * 60

func clockText(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// everyDay is a time of each day, by the clocks on the wall; none, if it is all of it.
func everyDay(from, minutes int) []oncall.Window {
	if minutes >= dayMinutes {
		return nil
	}
	return []oncall.Window{{From: clockText(from), To: clockText(endOf(from, minutes))}}
}

// endOf is the minute at which so many minutes end; that of midnight is 24:00.
func endOf(from, minutes int) int {
	end := (from + minutes) % dayMinutes
	if end == 0 {
		return dayMinutes
	}
	return end
}

// everyWeek is a time that begins on a day of the week; all of the week has no windows.
func everyWeek(day time.Weekday, from, minutes int) (out []oncall.Window, always bool) {
	if minutes >= 7*dayMinutes {
		return nil, true
	}
	for minutes > 0 {
		// A piece may run into the next day as long as it is no longer than one.
		n := min(minutes, dayMinutes)
		if minutes > dayMinutes {
			n = dayMinutes - from
		}
		out = append(out, oncall.Window{Days: []string{dayNames[day%7]}, From: clockText(from), To: clockText(endOf(from, n))})
		minutes -= n
		day, from = (day+time.Weekday((from+n)/dayMinutes))%7, (from+n)%dayMinutes
	}
	return out, false
}

// merged joins windows of the same time of the day.
func merged(windows []oncall.Window) (out []oncall.Window) {
	for _, w := range windows {
		i := slices.IndexFunc(out, func(o oncall.Window) bool {
			return o.From == w.From && o.To == w.To && len(o.Days) > 0 && len(w.Days) > 0
		})
		if i < 0 {
			w.Days = slices.Clone(w.Days)
			out = append(out, w)
			continue
		}
		for _, d := range w.Days {
			if !slices.Contains(out[i].Days, d) {
				out[i].Days = append(out[i].Days, d)
			}
		}
	}
	return out
}

// lengthOf writes the length of a shift; "" if it is no whole number of hours.
func lengthOf(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d <= 0:
	case d%(7*day) == 0:
		return fmt.Sprintf("%dw", d/(7*day))
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return ""
}

// turns adds the rotation of a layer, or those of its turns of some hours.
func (b *builder) turns(where string, l oncall.Layer, start time.Time, level int, d *draft) {
	layers := []oncall.Layer{l}
	if text, ok := strings.CutSuffix(l.Every, "h"); ok {
		hours, _ := strconv.Atoi(text) // made by us
		var why string
		if layers, why = hourly(l, start, hours); why != "" {
			b.lost(where, "%s", why)
		}
	}
	for _, one := range layers {
		d.shifts = append(d.shifts, shift{level: level, layer: one})
	}
}

// hourly are the rotations of turns of some hours, which are handed over by the clocks on the wall, of a layer with its windows: one for each turn
// of the day. Turns of no part of a day can be had only where clocks never change, since here they are elapsed time.
func hourly(l oncall.Layer, start time.Time, hours int) (out []oncall.Layer, why string) {
	if _, change := start.ZoneBounds(); change.IsZero() {
		l.Every = fmt.Sprintf("%dh", hours)
		return []oncall.Layer{l}, ""
	}
	if 24%hours != 0 {
		return nil, fmt.Sprintf("its turns of %d h are no part of a day: where clocks change they are elapsed time here", hours)
	}
	turns, n := 24/hours, len(l.People)
	for j := range turns {
		one := l
		begins := onWall(start, 0, j*hours*60)
		one.Name = fmt.Sprintf("%s, turn %d of %d", l.Name, j+1, turns)
		var minute int
		one.Start, one.At, minute, _ = wall(begins, start.Location())
		one.Every, one.People = "1d", nil
		for day := range n {
			one.People = append(one.People, l.People[(day*turns+j)%n])
		}
		one.Windows = everyDay(minute, hours*60)
		if len(l.Windows) > 0 {
			one.Windows = within(l.Windows, minute, hours*60)
		}
		if len(l.Windows) == 0 || len(one.Windows) > 0 {
			out = append(out, one)
		}
	}
	return out, ""
}

// within are the parts of windows that lie in a time of each day.
func within(windows []oncall.Window, from, minutes int) (out []oncall.Window) {
	const week = 7 * dayMinutes
	for _, w := range windows {
		begin, end := minuteOf(w.From), minuteOf(w.To)
		days := w.Days
		if len(days) == 0 {
			days = dayNames
		}
		for _, name := range days {
			day := slices.Index(dayNames, name)
			length := (end-begin+dayMinutes-1)%dayMinutes + 1 // the whole day, where it ends when it begins
			for slot := -1; slot < 9; slot++ {
				a := max(day*dayMinutes+begin, slot*dayMinutes+from)
				z := min(day*dayMinutes+begin+length, slot*dayMinutes+from+minutes)
				if a < z {
					a, z = (a+week)%week, (z+week)%week
					more, _ := everyWeek(time.Weekday(a/dayMinutes), a%dayMinutes, (z-a+week)%week)
					out = append(out, more...)
				}
			}
		}
	}
	return merged(out)
}

func minuteOf(clock string) int {
	c, _ := rota.ParseClock(clock)
	return int(time.Duration(c).Minutes())
}

// zoneOf is a time zone by its name.
func zoneOf(name string) (*time.Location, bool) {
	zone, err := time.LoadLocation(name)
	return zone, err == nil && name != "Local"
}
