package rota

import (
	"slices"
	"time"
)

// Night is from 22:00 to 07:00 by the clocks of whoever is on call: it holds the seven hours with midnight to five that the
// ILO's Night Work Convention (C171, article 1) speaks of, and the way there and back.
const (
	NightFrom = Clock(22 * time.Hour)
	NightTo   = Clock(7 * time.Hour)
)

// Burden is how long somebody is on call, and how much of it others rest. A night of a weekend is in both.
type Burden struct {
	Total    time.Duration
	Nights   time.Duration
	Weekends time.Duration // Saturdays and Sundays
	Holidays time.Duration
}

// BurdenOf counts one person's spans by the clocks of a zone. Where spans overlap, somebody on call twice, the time counts once.
func BurdenOf(spans []Span, zone *time.Location, holidays []Date) (b Burden) {
	for _, s := range union(spans) {
		b.Total += s.End.Sub(s.Start)
		for day := DateOf(s.Start, zone); ; day = day.Add(1) {
			begins, ends := instant(day, 0, zone), instant(day.Add(1), 0, zone)
			if !begins.Before(s.End) {
				break
			}
			b.Nights += within(s, begins, instant(day, NightTo, zone)) + within(s, instant(day, NightFrom, zone), ends)
			if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
				b.Weekends += within(s, begins, ends)
			}
			if slices.Contains(holidays, day) {
				b.Holidays += within(s, begins, ends)
			}
		}
	}
	return b
}

// union makes spans in order of which none overlaps another.
func union(spans []Span) (out []Span) {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
	for _, s := range spans {
		if n := len(out); n > 0 && !s.Start.After(out[n-1].End) {
			if s.End.After(out[n-1].End) {
				out[n-1].End = s.End
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// within is how much of a span lies between two moments.
func within(s Span, from, to time.Time) time.Duration {
	if s.Start.After(from) {
		from = s.Start
	}
	if s.End.Before(to) {
		to = s.End
	}
	return max(0, to.Sub(from))
}
