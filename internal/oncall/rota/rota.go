package rota

import (
	"slices"
	"sort"
	"time"
)

// Unit is what the length of a shift is counted in.
type Unit string

// The units.
const (
	Hours  Unit = "hours"
	Days   Unit = "days"
	Weeks  Unit = "weeks"
	Months Unit = "months"
)

// Schedule is who is on call when.
type Schedule struct {
	Zone      *time.Location
	Layers    []Layer // a later one goes before an earlier one
	Holidays  []Date
	Overrides []Override // a later one goes before an earlier one
}

// Layer is one rotation.
type Layer struct {
	Name  string
	Start Date  // of the first hand-over
	At    Clock // when shifts are handed over
	Every int   // units that a shift lasts
	Unit  Unit
	// Offset moves everybody's turn: with 1 the second of the roster begins. A second layer with the same roster is so a
	// backup who is never the same person.
	Offset  int
	Rosters []Roster // by From
	Windows []Window // when the layer has somebody; always, without any
	// Holidays says what the schedule's holidays do to the layer.
	Holidays Holidays
	// Begins and Ends cut the layer, whatever shift that is in; zero does not.
	Begins, Ends time.Time
}

// Roster is who takes turns from a day on: the first from the first hand-over on that day or later. An empty name is a
// turn that nobody has.
type Roster struct {
	From   Date
	People []string
}

// Window is when in the week a layer has somebody. To at or before From is on the next day.
type Window struct {
	Days     []time.Weekday // every day, without any
	From, To Clock
}

// Holidays says what holidays do to a layer.
type Holidays string

// A layer counts on all days, on all but holidays, or on holidays alone.
const (
	HolidaysToo  Holidays = ""
	HolidaysNot  Holidays = "not"
	HolidaysOnly Holidays = "only"
)

// Override puts a person on call for a time, whoever had it.
type Override struct {
	ID         string
	Start, End time.Time
	Person     string
}

// Span is a time in which one person is on call.
type Span struct {
	Start, End time.Time
	Person     string
	Layer      string // "" for an override's
	Override   string // its ID
}

// Spans are who is on call from one instant to another, cut there.
func (s Schedule) Spans(from, to time.Time) []Span {
	if !from.Before(to) {
		return nil
	}
	var sources [][]Span
	for _, l := range s.Layers {
		sources = append(sources, s.layerSpans(l, from, to))
	}
	for _, o := range s.Overrides {
		if span, ok := cut(Span{Start: o.Start, End: o.End, Person: o.Person, Override: o.ID}, from, to); ok && o.Person != "" {
			sources = append(sources, []Span{span})
		}
	}
	return flatten(sources)
}

// layerSpans are the shifts of one layer, in its windows.
func (s Schedule) layerSpans(l Layer, from, to time.Time) (out []Span) {
	if l.Begins.After(from) {
		from = l.Begins
	}
	if !l.Ends.IsZero() && l.Ends.Before(to) {
		to = l.Ends
	}
	if !from.Before(to) {
		return nil
	}
	open := s.windows(l, from, to)
	for k := l.shiftAt(from, s.Zone); ; k++ {
		start, end := l.boundary(k, s.Zone), l.boundary(k+1, s.Zone)
		if !start.Before(to) {
			return out
		}
		person := l.person(k, s.Zone)
		if k < 0 || person == "" || !start.Before(end) {
			continue
		}
		for len(open) > 0 && !open[0].End.After(start) { // nor is it of a later shift
			open = open[1:]
		}
		for _, w := range open {
			if !w.Start.Before(end) {
				break
			}
			if span, ok := cut(Span{Start: start, End: end, Person: person, Layer: l.Name}, w.Start, w.End); ok {
				out = append(out, span)
			}
		}
	}
}

// boundary is when shift k begins; shift 0 is the first.
func (l Layer) boundary(k int, zone *time.Location) time.Time {
	if l.Unit == Hours {
		return instant(l.Start, l.At, zone).Add(time.Duration(k*l.Every) * time.Hour)
	}
	return instant(l.day(k), l.At, zone)
}

// day is the day on which shift k is handed over.
func (l Layer) day(k int) Date {
	switch l.Unit {
	case Weeks:
		return l.Start.Add(7 * k * l.Every)
	case Months:
		return l.Start.AddMonths(k * l.Every)
	}
	return l.Start.Add(k * l.Every)
}

// shiftAt is the shift that an instant lies in; below 0 before the first.
func (l Layer) shiftAt(t time.Time, zone *time.Location) int {
	if t.Before(l.boundary(0, zone)) {
		return -1
	}
	// The first of which it is past the end.
	reach := 1
	for !t.Before(l.boundary(reach, zone)) {
		reach *= 2
	}
	return sort.Search(reach, func(k int) bool { return t.Before(l.boundary(k+1, zone)) })
}

// person is whose turn shift k is.
func (l Layer) person(k int, zone *time.Location) string {
	day := func(k int) Date {
		if l.Unit == Hours {
			return DateOf(l.boundary(k, zone), zone)
		}
		return l.day(k)
	}
	for _, r := range slices.Backward(l.Rosters) {
		if day(k).Before(r.From) || len(r.People) == 0 {
			continue
		}
		first := sort.Search(k, func(i int) bool { return !day(i).Before(r.From) })
		n := len(r.People)
		return r.People[((k-first+l.Offset)%n+n)%n]
	}
	return ""
}

// windows are when a layer counts, in order, as spans of nobody.
func (s Schedule) windows(l Layer, from, to time.Time) (out []Span) {
	if len(l.Windows) == 0 && l.Holidays == HolidaysToo {
		return []Span{{Start: from, End: to}}
	}
	windows := l.Windows
	if len(windows) == 0 {
		windows = []Window{{To: Clock(24 * time.Hour)}}
	}
	last := DateOf(to, s.Zone)
	for d := DateOf(from, s.Zone).Add(-2); !last.Before(d); d = d.Add(1) {
		if holiday := slices.Contains(s.Holidays, d); l.Holidays == HolidaysNot && holiday || l.Holidays == HolidaysOnly && !holiday {
			continue
		}
		for _, w := range windows {
			if len(w.Days) > 0 && !slices.Contains(w.Days, d.Weekday()) {
				continue
			}
			end := d
			if w.To <= w.From {
				end = d.Add(1)
			}
			if span, ok := cut(Span{Start: instant(d, w.From, s.Zone), End: instant(end, w.To, s.Zone)}, from, to); ok {
				out = append(out, span)
			}
		}
	}
	slices.SortFunc(out, func(a, b Span) int { return a.Start.Compare(b.Start) })
	return out
}

// cut is the part of a span between two instants, if there is any.
func cut(s Span, from, to time.Time) (Span, bool) {
	if s.Start.Before(from) {
		s.Start = from
	}
	if s.End.After(to) {
		s.End = to
	}
	return s, s.Start.Before(s.End)
}
