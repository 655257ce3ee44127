package openslo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
)

func (r *reader) slo(o *document.Object) SLO {
	s := SLO{Meta: r.meta(o)}
	spec := o.Object("spec", true)
	if spec == nil {
		o.End()
		return s
	}
	s.Description, s.Service = spec.Str("description", false), spec.Str("service", true)
	s.IndicatorRef = spec.Str(r.keys.indicatorRef, false)
	if in := spec.Object(r.keys.indicator, false); in != nil {
		sli := r.indicator(in, s.Meta)
		s.Indicator = &sli
	}
	s.Window, s.Calendar = r.window(spec)
	s.Method = method(spec)
	for _, n := range spec.List("objectives", true) {
		if oo := n.Object("objectives"); oo != nil {
			s.Objectives = append(s.Objectives, r.objective(oo, s.Method))
		}
	}
	r.indicators(spec, &s)
	s.Policies = r.policies(spec)
	spec.End()
	o.End()
	return s
}

// method reads how a budget is counted; occurrences where nobody says.
func method(spec *document.Object) string {
	m := spec.Str("budgetingMethod", false)
	switch m {
	case "":
		return Occurrences
	case Occurrences, Timeslices, RatioTimeslices:
	default:
		spec.At("budgetingMethod").Problem(fmt.Sprintf("budgetingMethod %q is unknown", m), document.DidYouMean(m, []string{Occurrences, Timeslices, RatioTimeslices}))
	}
	return m
}

// indicators checks that the SLO has one indicator, or each of its objectives
// one of its own.
func (r *reader) indicators(spec *document.Object, s *SLO) {
	own := 0
	for _, ob := range s.Objectives {
		if ob.IndicatorRef != "" || ob.Indicator != nil {
			own++
		}
	}
	switch {
	case own > 0 && (s.IndicatorRef != "" || s.Indicator != nil):
		spec.Problem("the SLO has an indicator, and so have its objectives", "a composite has them in its objectives only")
	case own > 0 && own < len(s.Objectives):
		spec.At("objectives").Problem("some objectives have an indicator and some have none", "in a composite each has its own")
	case own == 0 && (s.IndicatorRef == "") == (s.Indicator == nil):
		spec.Problem(fmt.Sprintf("the SLO needs one of %s and %s", r.keys.indicator, r.keys.indicatorRef), "name an SLI document or write the indicator here")
	}
}

// Composite reports whether the SLO is made of others: its objectives have
// indicators of their own.
func (s *SLO) Composite() bool {
	return len(s.Objectives) > 0 && (s.Objectives[0].IndicatorRef != "" || s.Objectives[0].Indicator != nil)
}

// indicator is an SLI inside an SLO; its metadata may be left out.
func (r *reader) indicator(o *document.Object, slo Meta) SLI {
	meta := Meta{Name: slo.Name, File: slo.File, Line: o.Line()}
	o.Ignore("metadata") // known where it is left out, too
	if o.Has("metadata") {
		meta = r.meta(o)
	}
	sli := r.sli(o, meta)
	o.End()
	return sli
}

// maxWindow bounds a window: history is kept for it.
const maxWindow = 400 * 24 * time.Hour

func (r *reader) window(spec *document.Object) (time.Duration, *Calendar) {
	windows := spec.List("timeWindow", false)
	if len(windows) != 1 {
		spec.At("timeWindow").Problem("the SLO needs exactly one timeWindow", "for example `timeWindow: [{duration: 28d, isRolling: true}]`")
		return 0, nil
	}
	o := windows[0].Object("timeWindow")
	if o == nil {
		return 0, nil
	}
	text := o.Str("duration", true)
	return r.span(o, text, o.Boolean("isRolling", !o.Stands("calendar")), "duration")
}

// span reads how long a window is, of the key that says so.
func (r *reader) span(o *document.Object, text string, rolling bool, key string) (time.Duration, *Calendar) {
	if rolling && o.Stands("calendar") {
		o.Problem("the window rolls and follows a calendar", "keep one: `isRolling: false` with calendar, or `isRolling: true` without")
	}
	if text == "" {
		o.Ignore("calendar")
		o.End() // a key next to the missing one may be that one, misspelt
		return 0, nil
	}
	if !rolling {
		c := r.calendar(o, text, key)
		o.End()
		if c == nil {
			return 0, nil
		}
		return c.Longest(), c
	}
	o.Ignore("calendar")
	o.End()
	d, err := parseDuration(text)
	switch {
	case err != nil:
		o.At(key).Problem(fmt.Sprintf("window %q is unknown: %v", text, err), "use a number with m, h, d or w, for example 28d, or a calendar window")
	case d < time.Hour || d > maxWindow:
		o.At(key).Problem(fmt.Sprintf("window %s is out of bounds", text), "use 1h to 400d; 28d and 30d are customary")
	}
	return d, nil
}

func (r *reader) objective(o *document.Object, method string) Objective {
	ob := Objective{DisplayName: o.Str("displayName", false), Op: o.Str("op", false), Line: o.Line()}
	if ob.Op != "" {
		switch ob.Op {
		case "lt", "lte", "gt", "gte":
		default:
			o.At("op").Problem(fmt.Sprintf("op %q is unknown", ob.Op), "use lt, lte, gt or gte")
		}
	}
	ob.Value, ob.HasValue = o.Number("value")
	r.part(o, &ob)
	if ob.IndicatorRef == "" || o.Stands("target") || o.Stands("targetPercent") {
		ob.Target = r.target(o)
	}
	o.Ignore("target", "targetPercent")
	ob.SliceWindow = time.Minute
	if text := o.Str("timeSliceWindow", false); text != "" {
		d, err := parseDuration(text)
		switch {
		case err != nil:
			o.At("timeSliceWindow").Problem(fmt.Sprintf("timeSliceWindow %q is unknown: %v", text, err), "use for example 1m or 5m")
		case d < time.Minute || d > time.Hour || time.Hour%d != 0:
			o.At("timeSliceWindow").Problem("timeSliceWindow must divide an hour into whole minutes", "use 1m, 2m, 3m, 5m, 10m, 15m, 20m, 30m or 1h")
		}
		ob.SliceWindow = d
	}
	if v, ok := o.Number("timeSliceTarget"); ok {
		ob.SliceTarget = v
		if v <= 0 || v > 1 {
			o.At("timeSliceTarget").Problem(fmt.Sprintf("timeSliceTarget is %v", v), "it is the share of good events that makes a slice good: above 0, at most 1")
		}
	} else if !o.Has("timeSliceTarget") && method == Timeslices && ob.Op == "" && ob.IndicatorRef == "" {
		o.Problem("budgetingMethod Timeslices needs a timeSliceTarget", "say which share of good events makes a slice good, for example 0.95")
	}
	o.End()
	return ob
}

// part reads what an objective of a composite has.
func (r *reader) part(o *document.Object, ob *Objective) {
	ob.IndicatorRef = o.Str(r.keys.indicatorRef, false)
	if in := o.Object(r.keys.indicator, false); in != nil {
		sli := r.indicator(in, Meta{Name: ob.DisplayName, File: r.File})
		ob.Indicator = &sli
	}
	if ob.IndicatorRef != "" && ob.Indicator != nil {
		o.Problem(fmt.Sprintf("the objective has both %s and %s", r.keys.indicator, r.keys.indicatorRef), "keep one")
	}
	weight, has := o.Number("compositeWeight")
	switch {
	case !has:
	case ob.IndicatorRef == "" && ob.Indicator == nil:
		o.At("compositeWeight").Problem("compositeWeight needs an indicator of the objective's own", fmt.Sprintf("add %s or %s to every objective", r.keys.indicator, r.keys.indicatorRef))
	case weight <= 0:
		o.At("compositeWeight").Problem(fmt.Sprintf("compositeWeight is %v", weight), "give a number above 0")
	default:
		ob.Weight = weight
	}
	if ob.Weight == 0 && (ob.IndicatorRef != "" || ob.Indicator != nil) {
		ob.Weight = 1
	}
}

func (r *reader) target(o *document.Object) float64 {
	key := "target"
	switch has, hasPercent := o.Has("target"), o.Has("targetPercent"); {
	case has == hasPercent:
		o.Problem("the objective needs one of target and targetPercent", "for example `target: 0.995`")
		return 0
	case hasPercent:
		key = "targetPercent"
	}
	target, ok := o.Number(key)
	if !ok {
		return 0
	}
	if key == "targetPercent" {
		// 99.5 / 100 is not 0.995 in binary; the decimal text moved by two
		// places is.
		target = shift(target)
	}
	checkTarget(o, key, target)
	return target
}

// leastBudget is the smallest error budget: the numbers of a smaller one would
// be lost in the noise of binary fractions.
const leastBudget = 1e-9

// checkTarget reports an objective that cannot be kept or need not be.
func checkTarget(o *document.Object, key string, target float64) {
	switch {
	case target > 1 && key == "target":
		o.At(key).Problem(fmt.Sprintf("the objective is %v, and 1 is everything", target), "write a share below 1, for example 0.995, or use targetPercent: 99.5")
	case target >= 1:
		o.At(key).Problem(fmt.Sprintf("an objective of %s leaves no error budget", percentText(target)), "promise less than 100 %, for example 99.9 %")
	case target <= 0:
		o.At(key).Problem(fmt.Sprintf("an objective of %s promises nothing", percentText(target)), "promise more than 0 %, for example 99.5 %")
	case 1-target < leastBudget:
		o.At(key).Problem(fmt.Sprintf("an objective of %v leaves an error budget of less than one event in a billion", target), "promise less, for example 0.9999")
	}
}

func shift(percent float64) float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(percent, 'f', -1, 64)+"e-2", 64)
	if err != nil { // it is infinite
		return percent / 100
	}
	return f
}

func percentText(target float64) string {
	return strconv.FormatFloat(target*100, 'g', 6, 64) + " %"
}

// longestDuration bounds what is read as a duration; what it is for bounds it further.
const longestDuration = 10 * 366 * day

// parseDuration reads OpenSLO's duration shorthand with fixed lengths.
func parseDuration(text string) (time.Duration, error) {
	if text == "" {
		return 0, fmt.Errorf("it is empty")
	}
	unit, ok := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[text[len(text)-1]]
	if !ok {
		switch text[len(text)-1] {
		case 'M', 'Q', 'Y':
			return 0, fmt.Errorf("months, quarters and years are calendar windows, `isRolling: false`")
		}
		return 0, fmt.Errorf("it has no unit")
	}
	most := uint64(longestDuration / unit) // more would not fit into nanoseconds and become another length
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 64)
	if err != nil || n == 0 || n > most {
		return 0, fmt.Errorf("%q is not a whole number of 1 to %d", text[:len(text)-1], most)
	}
	return time.Duration(n) * unit, nil
}
