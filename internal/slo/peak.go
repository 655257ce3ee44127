package slo

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// Peak is what is different for a promise at peak time.
type Peak struct {
	Calendar *openslo.PeakCalendar
	Value    float64 // threshold at peak, with HasValue
	HasValue bool
	Target   float64 // objective at peak; 0: as ever
	Factor   float64 // burn factors are this many times higher at peak
}

// peak reads an SLO's peak annotations; nil without any.
func (r *resolver) peak(s *openslo.SLO) *Peak {
	name := s.Annotations[annotationPeaks]
	p := &Peak{Factor: 1}
	given := 0
	number := func(key string, low, high float64) (v float64, has bool) {
		text := s.Annotations[key]
		if text == "" {
			return 0, false
		}
		given++
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v > low && v < high) {
			r.report(s.Meta, s.Line, false, fmt.Sprintf("SLO %s: annotation %s is %q", s.Name, key, text), fmt.Sprintf("give a number between %v and %v", low, high))
		}
		return v, true
	}
	p.Value, p.HasValue = number(annotationPeakValue, -1e300, 1e300)
	p.Target, _ = number(annotationPeakTarget, 0, 1)
	if f, has := number(annotationPeakFactor, 0, 1e6); has {
		p.Factor = f
	}
	switch {
	case name == "" && given == 0:
		return nil
	case name == "":
		r.report(s.Meta, s.Line, false, fmt.Sprintf("SLO %s has figures of the peak and no calendar", s.Name), "name one in the annotation "+annotationPeaks)
		return nil
	case given == 0:
		r.report(s.Meta, s.Line, true, fmt.Sprintf("SLO %s names the calendar %s and nothing that changes at peak", s.Name, name), "add the annotation "+annotationPeakValue)
	}
	for i := range r.docs.Calendars {
		if r.docs.Calendars[i].Name == name {
			p.Calendar = &r.docs.Calendars[i]
			return p
		}
	}
	var known []string
	for _, c := range r.docs.Calendars {
		known = append(known, c.Name)
	}
	r.dangling(s.Meta, s.Line, "SLO "+s.Name, "PeakCalendar", name, known)
	return nil
}

// applyPeak makes the definition's indicator follow the calendar.
func (r *resolver) applyPeak(d *Definition, s *openslo.SLO) {
	p := r.peak(s)
	if p == nil || d.source == nil {
		return
	}
	d.Peak = p
	if p.HasValue {
		src := samplesOf(d.source)
		if src == nil || src.op == "" {
			r.report(s.Meta, s.Line, false, fmt.Sprintf("SLO %s: %s needs a threshold metric", s.Name, annotationPeakValue), "use "+annotationPeakTarget+" or "+annotationPeakFactor)
			return
		}
		src.peak, src.peakValue = p.Calendar, p.Value
		d.Indicator += fmt.Sprintf(" (%v at peak, %s)", p.Value, p.Calendar.Name)
	}
	if p.Target > 0 {
		d.source = &peakSource{source: d.source, calendar: p.Calendar, scale: errorBudget(d.Objective) / errorBudget(p.Target)}
	}
}

// factor is a row's factor at a time.
func (d *Definition) factor(b BurnAlert, now time.Time) float64 {
	if d.Peak != nil && d.Peak.Calendar.Active(now) {
		return b.Factor * d.Peak.Factor
	}
	return b.Factor
}

// Threshold is the value that a threshold metric is compared with at a time;
// false when the promise has none.
func (d *Definition) Threshold(now time.Time) (float64, bool) {
	if s := samplesOf(d.source); s != nil && s.op != "" {
		return s.limit(now), true
	}
	return 0, false
}

// samplesOf finds the values that a source judges, nil when it counts events.
func samplesOf(src source) *sampleSource {
	if p, ok := src.(*peakSource); ok {
		src = p.source
	}
	switch s := src.(type) {
	case *sampleSource:
		return s
	case *sliceSource:
		values, _ := s.counts.(*sampleSource)
		return values
	}
	return nil
}

// peakSource counts what is bad at peak by the objective of the peak: there an
// error of 2 % against an objective of 98 % spends what 1 % against 99 % does otherwise.
type peakSource struct {
	source
	calendar *openslo.PeakCalendar
	scale    float64
}

func (s *peakSource) identity() string {
	return fmt.Sprint("peak ", s.calendar.Zone, s.calendar.Weekly, s.calendar.Dates, s.scale, s.source.identity())
}

// at scales what ended after a minute that began at start.
func (s *peakSource) at(c ledger.Cell, start time.Time) ledger.Cell {
	if s.calendar.Active(start) {
		c.Bad *= s.scale
	}
	return c
}

// cells reads minutes, so that a slot may begin normal and end at peak.
func (s *peakSource) cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	fine, err := s.source.cells(ctx, q, from, to, time.Minute)
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Cell, int(to.Sub(from)/width))
	for i, c := range fine {
		at := time.Duration(i) * time.Minute
		if k := int(at / width); k < len(out) {
			out[k] = out[k].Add(s.at(c, from.Add(at)))
		}
	}
	return out, nil
}

func (s *peakSource) live(ctx context.Context, q Querier, from, to time.Time) (sum ledger.Cell, err error) {
	for start := from; start.Before(to); {
		end := start
		for active := s.calendar.Active(start); end.Before(to) && s.calendar.Active(end) == active; {
			end = earlier(end.Truncate(time.Minute).Add(time.Minute), to)
		}
		c, err := s.source.live(ctx, q, start, end)
		if err != nil {
			return sum, err
		}
		sum, start = sum.Add(s.at(c, start)), end
	}
	return sum, nil
}
