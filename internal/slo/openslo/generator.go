package openslo

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/document"
)

// generatorDocument reads an SLO of Google's slo-generator. Its windows stand in a configuration that all
// its SLOs share; the longest of its default error budget policy is taken.
func (r *reader) generatorDocument(o *document.Object) SLO {
	o.Ignore("apiVersion")
	if kind := o.Str("kind", true); kind != "ServiceLevelObjective" {
		o.At("kind").Problem(fmt.Sprintf("kind %q is unknown", kind), "slo-generator has ServiceLevelObjective")
	}
	s := SLO{Meta: r.meta(o), Method: Occurrences, Window: 28 * day}
	s.Service = s.Labels["service_name"]
	if s.Service == "" {
		s.Service = s.Name
	}
	spec := o.Object("spec", true)
	if spec == nil {
		o.End()
		return s
	}
	s.Description = spec.Str("description", false)
	spec.Ignore("exporters", "frequency", "error_budget_policy")
	spec.At("goal").Warning("the file names no window, and 28 days are taken", "write the SLO as OpenSLO, with `signalbox slo import`, to choose another")
	goal, _ := spec.Number("goal")
	if !spec.Has("goal") {
		spec.At("goal").Problem("is missing", "for example `goal: 0.999`")
	} else {
		checkTarget(spec, "goal", goal)
	}
	s.Objectives = []Objective{{Target: goal, SliceWindow: time.Minute, Line: spec.At("goal").Line()}}
	backend, _, _ := strings.Cut(spec.Str("backend", true), "/")
	method := spec.Str("method", true)
	in := spec.Object("service_level_indicator", true)
	switch {
	case backend == "":
	case backend != "prometheus":
		spec.At("backend").Problem(fmt.Sprintf("the backend %q is a store of its own, which is not asked", backend),
			"send its metrics here (OTLP, remote write or a scrape), and write the SLO over them with `backend: prometheus`")
	case in != nil:
		s.Indicator = &SLI{Meta: Meta{Name: s.Name, File: r.File, Line: in.Line()}, Ratio: generatorRatio(spec, method, in)}
		in.End()
	}
	spec.End()
	o.End()
	return s
}

func generatorRatio(spec *document.Object, method string, in *document.Object) *Ratio {
	q := &Ratio{Counter: true}
	switch method {
	case "good_bad_ratio":
		if in.Has("operators") {
			in.At("operators").Warning("operators are not applied", "events are counted by sum and increase, which is slo-generator's default")
		}
		in.Ignore("operators")
		q.Good = counted(query(in, "filter_good"))
		if !in.Has("filter_bad") {
			q.Total = counted(query(in, "filter_valid"))
			break
		}
		bad := counted(query(in, "filter_bad"))
		in.Ignore("filter_valid")
		q.Total = &Metric{Query: q.Good.Query + " + " + bad.Query, Line: bad.Line}
	case "query_sli":
		generatorQuery(in, q)
	case "distribution_cut":
		generatorCut(in, q)
	default:
		spec.At("method").Problem(fmt.Sprintf("the method %q cannot be read", method), document.DidYouMean(method, []string{"good_bad_ratio", "query_sli", "distribution_cut"}))
	}
	return q
}

// counted is a filter's number of events; `[window]` may stand behind it or not.
func counted(m *Metric) *Metric {
	m.Query = "sum(" + strings.TrimSpace(strings.TrimSuffix(m.Query, "[window]")) + ")"
	return m
}

// generatorQuery takes a quotient apart, so that its events are counted; another expression is a
// measured share of good events.
func generatorQuery(in *document.Object, q *Ratio) {
	m := query(in, "expression")
	m.Query = strings.ReplaceAll(m.Query, "[window", "[5m") // of a subquery too
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(m.Query)
	if err != nil {
		in.At("expression").Problem(fmt.Sprintf("is no PromQL: %v", err), "try it in Explore")
		return
	}
	quotient, ok := unwrapped(expr).(*parser.BinaryExpr)
	if !ok || quotient.Op != parser.DIV || quotient.LHS.Type() != parser.ValueTypeVector || quotient.RHS.Type() != parser.ValueTypeVector {
		q.Raw, q.RawType = m, "success"
		return
	}
	part := func(e parser.Expr) *Metric {
		if agg, ok := unwrapped(e).(*parser.AggregateExpr); ok && agg.Op == parser.SUM {
			return &Metric{Query: agg.String(), Line: m.Line}
		}
		return &Metric{Query: "sum(" + e.String() + ")", Line: m.Line}
	}
	q.Good, q.Total = part(quotient.LHS), part(quotient.RHS)
}

// unwrapped is an expression without the parentheses around it.
func unwrapped(e parser.Expr) parser.Expr {
	for {
		p, ok := e.(*parser.ParenExpr)
		if !ok {
			return e
		}
		e = p.Expr
	}
}

// generatorCut counts the events in a histogram's bucket as good.
func generatorCut(in *document.Object, q *Ratio) {
	m, limit := query(in, "expression"), in.Str("threshold_bucket", true)
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(strings.TrimSuffix(m.Query, "[window]"))
	v, ok := expr.(*parser.VectorSelector)
	if err != nil || !ok || !strings.HasSuffix(v.Name, "_bucket") {
		in.At("expression").Problem(fmt.Sprintf("%s is no selector of a histogram's buckets", m.Query), "for example http_request_duration_seconds_bucket{handler=\"/\"}")
		return
	}
	selector := func(name string, more ...*labels.Matcher) *Metric {
		one := &parser.VectorSelector{Name: name, LabelMatchers: []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, labels.MetricName, name)}}
		for _, m := range v.LabelMatchers {
			if m.Name != labels.MetricName {
				one.LabelMatchers = append(one.LabelMatchers, m)
			}
		}
		one.LabelMatchers = append(one.LabelMatchers, more...)
		return &Metric{Query: "sum(" + one.String() + ")", Line: m.Line}
	}
	q.Good = selector(v.Name, labels.MustNewMatcher(labels.MatchEqual, labels.BucketLabel, limit))
	q.Total = selector(strings.TrimSuffix(v.Name, "_bucket") + "_count")
}
