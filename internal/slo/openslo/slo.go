package openslo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
)

func (r *reader) slo(o *object) SLO {
	s := SLO{Meta: r.meta(o), Method: Occurrences}
	spec := o.object("spec", true)
	if spec == nil {
		o.end()
		return s
	}
	s.Description, s.Service = spec.str("description", false), spec.str("service", true)
	s.IndicatorRef = spec.str("indicatorRef", false)
	if in := spec.object("indicator", false); in != nil {
		sli := r.indicator(in, s.Meta)
		s.Indicator = &sli
	}
	s.Window, s.Calendar = r.window(spec)
	if m := spec.str("budgetingMethod", false); m != "" {
		s.Method = m
	}
	switch s.Method {
	case Occurrences, Timeslices, RatioTimeslices:
	default:
		spec.at("budgetingMethod").problem(fmt.Sprintf("budgetingMethod %q is unknown", s.Method),
			didYouMean(s.Method, []string{Occurrences, Timeslices, RatioTimeslices}))
	}
	for _, n := range spec.list("objectives", true) {
		if oo := r.object(n, "objectives"); oo != nil {
			s.Objectives = append(s.Objectives, r.objective(oo, s.Method))
		}
	}
	r.indicators(spec, &s)
	s.Policies = r.policies(spec)
	spec.end()
	o.end()
	return s
}

// indicators checks that the SLO has one indicator, or each of its objectives
// one of its own.
func (r *reader) indicators(spec *object, s *SLO) {
	own := 0
	for _, ob := range s.Objectives {
		if ob.IndicatorRef != "" || ob.Indicator != nil {
			own++
		}
	}
	switch {
	case own > 0 && (s.IndicatorRef != "" || s.Indicator != nil):
		spec.problem("the SLO has an indicator, and so have its objectives", "a composite has them in its objectives only")
	case own > 0 && own < len(s.Objectives):
		spec.at("objectives").problem("some objectives have an indicator and some have none", "in a composite each has its own")
	case own == 0 && (s.IndicatorRef == "") == (s.Indicator == nil):
		spec.problem("the SLO needs one of indicator and indicatorRef", "name an SLI document or write the indicator here")
	}
}

// Composite reports whether the SLO is made of others: its objectives have
// indicators of their own.
func (s *SLO) Composite() bool {
	return len(s.Objectives) > 0 && (s.Objectives[0].IndicatorRef != "" || s.Objectives[0].Indicator != nil)
}

// indicator is an SLI inside an SLO; its metadata may be left out.
func (r *reader) indicator(o *object, slo Meta) SLI {
	meta := Meta{Name: slo.Name, File: slo.File, Line: o.line()}
	if o.get("metadata", false) != nil {
		meta = r.meta(o)
	}
	sli := r.sli(o, meta)
	o.end()
	return sli
}

// maxWindow bounds a window: history is kept for it.
const maxWindow = 400 * 24 * time.Hour

func (r *reader) window(spec *object) (time.Duration, *Calendar) {
	windows := spec.list("timeWindow", false)
	if len(windows) != 1 {
		spec.at("timeWindow").problem("the SLO needs exactly one timeWindow", "for example `timeWindow: [{duration: 28d, isRolling: true}]`")
		return 0, nil
	}
	o := r.object(windows[0], "timeWindow")
	if o == nil {
		return 0, nil
	}
	text, rolling := o.str("duration", true), o.boolean("isRolling", o.values["calendar"] == nil)
	if rolling && o.values["calendar"] != nil {
		o.problem("the window rolls and follows a calendar", "keep one: `isRolling: false` with calendar, or `isRolling: true` without")
	}
	if text == "" {
		return 0, nil
	}
	if !rolling {
		c := r.calendar(o, text)
		o.end()
		if c == nil {
			return 0, nil
		}
		return c.Longest(), c
	}
	o.ignore("calendar")
	o.end()
	d, err := parseDuration(text)
	switch {
	case err != nil:
		o.at("duration").problem(fmt.Sprintf("window %q is unknown: %v", text, err), "use a number with m, h, d or w, for example 28d, or a calendar window")
	case d < time.Hour || d > maxWindow:
		o.at("duration").problem(fmt.Sprintf("window %s is out of bounds", text), "use 1h to 400d; 28d and 30d are customary")
	}
	return d, nil
}

func (r *reader) objective(o *object, method string) Objective {
	ob := Objective{DisplayName: o.str("displayName", false), Op: o.str("op", false), Line: o.line()}
	if ob.Op != "" {
		switch ob.Op {
		case "lt", "lte", "gt", "gte":
		default:
			o.at("op").problem(fmt.Sprintf("op %q is unknown", ob.Op), "use lt, lte, gt or gte")
		}
	}
	ob.Value, _ = o.number("value")
	r.part(o, &ob)
	if ob.IndicatorRef == "" || o.values["target"] != nil || o.values["targetPercent"] != nil {
		ob.Target = r.target(o)
	}
	o.ignore("target", "targetPercent")
	ob.SliceWindow = time.Minute
	if text := o.str("timeSliceWindow", false); text != "" {
		d, err := parseDuration(text)
		switch {
		case err != nil:
			o.at("timeSliceWindow").problem(fmt.Sprintf("timeSliceWindow %q is unknown: %v", text, err), "use for example 1m or 5m")
		case d < time.Minute || d > time.Hour || time.Hour%d != 0:
			o.at("timeSliceWindow").problem("timeSliceWindow must divide an hour into whole minutes", "use 1m, 2m, 3m, 5m, 10m, 15m, 20m, 30m or 1h")
		}
		ob.SliceWindow = d
	}
	if v, ok := o.number("timeSliceTarget"); ok {
		ob.SliceTarget = v
		if v <= 0 || v > 1 {
			o.at("timeSliceTarget").problem(fmt.Sprintf("timeSliceTarget is %v", v), "it is the share of good events that makes a slice good: above 0, at most 1")
		}
	} else if !o.has("timeSliceTarget") && method == Timeslices && ob.Op == "" && ob.IndicatorRef == "" {
		o.problem("budgetingMethod Timeslices needs a timeSliceTarget", "say which share of good events makes a slice good, for example 0.95")
	}
	o.end()
	return ob
}

// part reads what an objective of a composite has.
func (r *reader) part(o *object, ob *Objective) {
	ob.IndicatorRef = o.str("indicatorRef", false)
	if in := o.object("indicator", false); in != nil {
		sli := r.indicator(in, Meta{Name: ob.DisplayName, File: r.file})
		ob.Indicator = &sli
	}
	if ob.IndicatorRef != "" && ob.Indicator != nil {
		o.problem("the objective has both indicator and indicatorRef", "keep one")
	}
	weight, has := o.number("compositeWeight")
	switch {
	case !has:
	case ob.IndicatorRef == "" && ob.Indicator == nil:
		o.at("compositeWeight").problem("compositeWeight needs an indicator of the objective's own", "add indicator or indicatorRef to every objective")
	case weight <= 0:
		o.at("compositeWeight").problem(fmt.Sprintf("compositeWeight is %v", weight), "give a number above 0")
	default:
		ob.Weight = weight
	}
	if ob.Weight == 0 && (ob.IndicatorRef != "" || ob.Indicator != nil) {
		ob.Weight = 1
	}
}

func (r *reader) target(o *object) float64 {
	key := "target"
	switch has, hasPercent := o.has("target"), o.has("targetPercent"); {
	case has == hasPercent:
		o.problem("the objective needs one of target and targetPercent", "for example `target: 0.995`")
		return 0
	case hasPercent:
		key = "targetPercent"
	}
	target, ok := o.number(key)
	if !ok {
		return 0
	}
	if key == "targetPercent" {
		// 99.5 / 100 is not 0.995 in binary; the decimal text moved by two
		// places is.
		target = shift(target)
	}
	o.checkTarget(key, target)
	return target
}

// has reports whether a key has a value.
func (o *object) has(key string) bool {
	n := o.values[key]
	return n != nil && n.Type() != ast.NullType
}

// leastBudget is the smallest error budget: the numbers of a smaller one would
// be lost in the noise of binary fractions.
const leastBudget = 1e-9

// checkTarget reports an objective that cannot be kept or need not be.
func (o *object) checkTarget(key string, target float64) {
	switch {
	case target > 1 && key == "target":
		o.at(key).problem(fmt.Sprintf("the objective is %v, and 1 is everything", target), "write a share below 1, for example 0.995, or use targetPercent: 99.5")
	case target >= 1:
		o.at(key).problem(fmt.Sprintf("an objective of %s leaves no error budget", percentText(target)), "promise less than 100 %, for example 99.9 %")
	case target <= 0:
		o.at(key).problem(fmt.Sprintf("an objective of %s promises nothing", percentText(target)), "promise more than 0 %, for example 99.5 %")
	case 1-target < leastBudget:
		o.at(key).problem(fmt.Sprintf("an objective of %v leaves an error budget of less than one event in a billion", target), "promise less, for example 0.9999")
	}
}

func shift(percent float64) float64 {
	f, err := strconv.ParseFloat(strconv.FormatFloat(percent, 'g', -1, 64)+"e-2", 64)
	if err != nil { // an exponent stood there already
		return percent / 100
	}
	return f
}

func percentText(target float64) string {
	return strconv.FormatFloat(target*100, 'g', 6, 64) + " %"
}

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
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is not a whole number of 1 to 65535", text[:len(text)-1])
	}
	return time.Duration(n) * unit, nil
}

func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}
