package openslo

import (
	"fmt"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
)

// alpha reads a document of openslo/v1alpha, which Sloth and older tools write.
func (r *reader) alpha(o *document.Object, kind string, docs *Documents) {
	switch kind {
	case "Service":
		add(r, &docs.Services, func() Service { return r.service(o) })
	case "SLO":
		before := r.Errors()
		if slos := r.alphaSLO(o); r.Errors() == before {
			docs.SLOs = append(docs.SLOs, slos...)
		}
	default:
		o.At("kind").Problem(fmt.Sprintf("kind %q of %s is unknown", kind, AlphaVersion), "it has Service and SLO")
	}
}

// alphaSLO reads an SLO. Objectives with indicators of their own are SLOs of their own, as Sloth has it.
func (r *reader) alphaSLO(o *document.Object) (slos []SLO) {
	s := SLO{Meta: r.meta(o)}
	spec := o.Object("spec", true)
	if spec == nil {
		o.End()
		return nil
	}
	s.Description, s.Service = spec.Str("description", false), spec.Str("service", true)
	s.Method = method(spec)
	s.Window, s.Calendar = r.alphaWindow(spec)
	if in := spec.Object("indicator", false); in != nil {
		s.Indicator = &SLI{Meta: Meta{Name: s.Name, File: r.File, Line: in.Line()}}
		in.Ignore("metadata")
		if t := in.Object("thresholdMetric", true); t != nil {
			s.Indicator.Threshold = alphaMetric(t)
		}
		in.End()
	}
	list := spec.List("objectives", true)
	for i, n := range list {
		oo := n.Object("objectives")
		if oo == nil {
			continue
		}
		one := s
		ratio := oo.Object("ratioMetrics", false)
		if ratio != nil {
			one.Indicator = &SLI{Meta: Meta{Name: s.Name, File: r.File, Line: ratio.Line()}, Ratio: alphaRatio(ratio)}
			if len(list) > 1 {
				one.Name = fmt.Sprintf("%s-%d", s.Name, i)
			}
		}
		ob := r.objective(oo, one.Method)
		if one.Indicator == nil {
			oo.Problem("the objective has no indicator", "give ratioMetrics here, or spec.indicator.thresholdMetric")
		}
		if ratio == nil && len(slos) > 0 && slos[0].Indicator == s.Indicator {
			slos[0].Objectives = append(slos[0].Objectives, ob)
			continue
		}
		one.Objectives = []Objective{ob}
		slos = append(slos, one)
	}
	spec.End()
	o.End()
	return slos
}

func (r *reader) alphaWindow(spec *document.Object) (time.Duration, *Calendar) {
	windows := spec.List("timeWindows", false)
	if len(windows) == 0 {
		return slothPeriod, nil
	}
	o := windows[0].Object("timeWindows")
	if o == nil {
		return 0, nil
	}
	if len(windows) > 1 {
		o.Problem("the SLO has several timeWindows", "keep one")
	}
	unit := o.Str("unit", true)
	letter, known := map[string]string{"minute": "m", "hour": "h", "day": "d", "week": "w", "month": "M", "quarter": "Q", "year": "Y"}[strings.ToLower(unit)]
	if !known && unit != "" {
		o.At("unit").Problem(fmt.Sprintf("the unit %q is unknown", unit), "use Minute, Hour, Day, Week, Month, Quarter or Year")
	}
	count := o.Str("count", true)
	d, c := r.span(o, count+letter, o.Boolean("isRolling", !o.Has("calendar")), "count")
	return d, c
}

func alphaRatio(o *document.Object) *Ratio {
	q := &Ratio{Counter: true}
	q.Counter = o.Boolean("incremental", true)
	if o.Stands("counter") {
		q.Counter = o.Boolean("counter", true)
	}
	if good := o.Object("good", true); good != nil {
		q.Good = alphaMetric(good)
	}
	if total := o.Object("total", true); total != nil {
		q.Total = alphaMetric(total)
	}
	o.End()
	return q
}

func alphaMetric(o *document.Object) *Metric {
	m := query(o, "query")
	if source := o.Str("source", false); source != "" && !strings.EqualFold(source, "prometheus") && !strings.EqualFold(source, "sloth") {
		o.At("source").Problem(fmt.Sprintf("the source %q cannot be read", source), "only Prometheus is; its metrics must reach the own store")
	}
	if kind := o.Str("queryType", false); kind != "" && !strings.EqualFold(kind, "promql") {
		o.At("queryType").Problem(fmt.Sprintf("the query type %q cannot be read", kind), "use promql")
	}
	o.Ignore("metadata")
	o.End()
	return m
}
