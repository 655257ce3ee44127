package definition

import (
	"fmt"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// Peak is what is different for an SLO at peak time.
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
	if p == nil || d.Measure == nil {
		return
	}
	d.Peak = p
	if p.HasValue {
		src := indicator.ValuesOf(d.Measure)
		if src == nil || src.Op == "" {
			r.report(s.Meta, s.Line, false, fmt.Sprintf("SLO %s: %s needs a threshold metric", s.Name, annotationPeakValue), "use "+annotationPeakTarget+" or "+annotationPeakFactor)
			return
		}
		src.Peak, src.PeakLimit = p.Calendar, p.Value
		d.Indicator += fmt.Sprintf(" (%v at peak, %s)", p.Value, p.Calendar.Name)
	}
	if p.Target > 0 {
		d.Measure = &indicator.AtPeak{Source: d.Measure, Calendar: p.Calendar, Scale: budget.Share(d.Objective) / budget.Share(p.Target)}
	}
}

// FactorAt is a row's factor at a time.
func (d *Definition) FactorAt(b BurnAlert, now time.Time) float64 {
	if d.Peak != nil && d.Peak.Calendar.Active(now) {
		return b.Factor * d.Peak.Factor
	}
	return b.Factor
}

// Threshold is the value that a threshold metric is compared with at a time;
// false when the SLO has none.
func (d *Definition) Threshold(now time.Time) (float64, bool) {
	if s := indicator.ValuesOf(d.Measure); s != nil && s.Op != "" {
		return s.LimitAt(now), true
	}
	return 0, false
}
