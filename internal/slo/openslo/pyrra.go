package openslo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/document"
)

// pyrraPrefix marks the labels and annotations that Pyrra puts on its alerts, without it.
const pyrraPrefix = "pyrra.dev/"

// PyrraWindows are Pyrra's: those of 28 days scaled by window / 28 d and
// rounded to minutes, at least one.
func PyrraWindows(window time.Duration) []BurnWindow {
	scaled := func(parts time.Duration) time.Duration {
		return max((window / parts).Round(time.Minute), time.Minute)
	}
	return []BurnWindow{
		{Name: "critical_fast", Severity: "critical", Long: scaled(28 * 24), Short: scaled(28 * 24 * 12), For: scaled(28 * 24 * 30), Factor: 14},
		{Name: "critical_slow", Severity: "critical", Long: scaled(28 * 4), Short: scaled(28 * 24 * 2), For: scaled(28 * 24 * 4), Factor: 7},
		{Name: "warning_fast", Severity: "warning", Long: scaled(28), Short: scaled(28 * 12), For: scaled(28 * 24), Factor: 2},
		{Name: "warning_slow", Severity: "warning", Long: scaled(7), Short: scaled(28 * 4), For: scaled(28 * 8), Factor: 1},
	}
}

// pyrraDocument reads a ServiceLevelObjective of Pyrra's.
func (r *reader) pyrraDocument(o *document.Object) SLO {
	o.Ignore("apiVersion", "status")
	if kind := o.Str("kind", true); kind != "ServiceLevelObjective" {
		o.At("kind").Problem(fmt.Sprintf("kind %q is unknown", kind), "Pyrra has ServiceLevelObjective")
	}
	m, namespace := r.kubernetesMeta(o)
	p := pyrraSLO{name: m.Name, carried: stripped(m.Labels, true), annotations: stripped(m.Annotations, true)}
	s := SLO{Method: Occurrences, Meta: m, Service: m.Name}
	s.DisplayName = m.Name
	s.Labels, s.Annotations = merged(stripped(m.Labels, false), p.carried), merged(stripped(m.Annotations, false), p.annotations)
	if namespace != "" {
		// Names are unique in a namespace only.
		s.Name = namespace + "." + m.Name
		s.Labels = merged(map[string]string{"namespace": namespace}, s.Labels)
	}
	if m.Name != "" && !validName(s.Name) {
		o.At("metadata").Problem(fmt.Sprintf("the name %q is not usable", s.Name), "use letters, digits, . _ and -, at most 120 of them")
	}
	for _, key := range []string{"app", "app.kubernetes.io/name", "service"} {
		if v := s.Labels[key]; v != "" {
			s.Service = v
		}
	}
	spec := o.Object("spec", true)
	if spec == nil {
		o.End()
		return s
	}
	s.Description = spec.Str("description", false)
	s.Objectives = []Objective{{Target: percent(spec, "target"), SliceWindow: time.Minute, Line: spec.At("target").Line()}}
	s.Window = promDuration(spec, "window")
	if in := spec.Object("indicator", true); in != nil {
		s.Indicator = &SLI{Meta: Meta{Name: s.Name, File: r.File, Line: in.Line()}, Ratio: p.indicator(in)}
	}
	p.alerting(spec, &s)
	pyrraOutput(spec)
	spec.End()
	o.End()
	return s
}

// stripped are the labels with Pyrra's prefix, without it, or those that never had it.
func stripped(all map[string]string, prefixed bool) map[string]string {
	out := map[string]string{}
	for k, v := range all {
		if name, has := strings.CutPrefix(k, pyrraPrefix); has == prefixed {
			out[name] = v
		}
	}
	return merged(out)
}

// pyrraOutput reads how Pyrra is to write its rules, which are not made here.
func pyrraOutput(spec *document.Object) {
	spec.Boolean("performanceOverAccuracy", false)
	spec.Str("partial_response_strategy", false)
	if out := spec.Object("ruleOutput", false); out != nil {
		out.StrMap("shortRulesLabels")
		out.StrMap("longRulesLabels")
		out.Boolean("enableDescriptionAsLabel", false)
		out.End()
	}
}

// pyrraSLO is what Pyrra's alerts are made of.
type pyrraSLO struct {
	name                 string
	carried, annotations map[string]string // by its prefix
	selector             map[string]string // what the total selects by equality, but for the grouping
	native               bool              // the indicator is one of a native histogram
	errors               string            // the metric of errors where it is not that of the total
}

// alerting reads the alerts. Missing data is told by one alert; of a native histogram Pyrra tells none unless it is asked for.
func (p *pyrraSLO) alerting(spec *document.Object, s *SLO) {
	name, absentName, burns, absent := "ErrorBudgetBurn", "SLOMetricAbsent", true, !p.native
	severities := map[string]string{}
	if a := spec.Object("alerting", false); a != nil {
		disabled := a.Boolean("disabled", false)
		burns, absent = a.Boolean("burnrates", true) && !disabled, a.Boolean("absent", !p.native) && !disabled
		if own := a.Str("name", false); own != "" {
			name = own
		}
		if own := a.Str("absentName", false); own != "" {
			absentName = own
		}
		if own := a.Object("severities", false); own != nil {
			for _, key := range []string{"absent", "fastBurn", "mediumBurn", "slowBurn", "longTermBurn"} {
				severities[key] = own.Str(key, false)
			}
			own.End()
		}
		a.End()
	}
	windows := PyrraWindows(s.Window)
	if w := windows[0]; s.Window > 0 && w.Short >= w.Long { // from 17 h on they are 2 m and 1 m
		spec.At("window").Problem(fmt.Sprintf("a window of %s is too short for Pyrra's alerts, whose fastest would look back over %s and %s", prom.Duration(s.Window), prom.Duration(w.Long), prom.Duration(w.Short)), "use at least 17h, or write the SLO as OpenSLO with burn alerts of your own")
		burns, absent = false, false
	}
	stem := alertStem(s.Name) + "_" + alertStem(name)
	labels := merged(map[string]string{"slo": p.name}, p.carried, p.selector)
	severity := func(key, usual string) map[string]string {
		return map[string]string{"severity": cmp.Or(severities[key], usual)}
	}
	if absent && p.errors != "" {
		spec.At("indicator").Warning(fmt.Sprintf("Pyrra's %s is also about %s missing alone, which here is no error", absentName, p.errors), "if it must be there, add a rule: absent("+p.errors+")")
	}
	if absent {
		w := windows[0]
		w.Name, w.For = "absent", absentAfter(w, s.Objectives[0].Target)
		policy := policyOf(s.Meta, []ConditionRef{conditionOf(s.Meta, stem, w, foreignAlert{absentName, merged(labels, severity("absent", "critical")), p.annotations})})
		policy.Inline.Name, policy.Inline.WhenBreaching, policy.Inline.WhenNoData = s.Name+"-absent", false, true
		s.Policies = append(s.Policies, policy)
	}
	var conditions []ConditionRef
	for i, w := range windows {
		if !burns {
			break
		}
		own := map[string]string{
			"short": prom.Duration(w.Short).String(), "long": prom.Duration(w.Long).String(),
			"exhaustion": prom.Duration(time.Duration(s.Window.Seconds()/w.Factor) * time.Second).String(),
		}
		conditions = append(conditions, conditionOf(s.Meta, stem, w, foreignAlert{name, merged(labels, own, severity([]string{"fastBurn", "mediumBurn", "slowBurn", "longTermBurn"}[i], w.Severity)), p.annotations}))
	}
	s.Policies = append(s.Policies, policyOf(s.Meta, conditions))
}

// absentAfter is how long Pyrra waits before it tells of missing data: as long as an outage
// would take to reach the fastest window's limit.
func absentAfter(w BurnWindow, target float64) time.Duration {
	return (time.Duration(w.Factor*(1-target)*w.Long.Seconds())*time.Second + w.For).Round(time.Minute)
}

func (p *pyrraSLO) indicator(in *document.Object) *Ratio {
	ratio := &Ratio{Counter: true}
	kinds := 0
	for _, kind := range []string{"ratio", "latency", "latencyNative", "bool_gauge"} {
		o := in.Object(kind, false)
		if o == nil {
			continue
		}
		kinds++
		g := pyrraGroup(o.Strings("grouping"))
		var total *Metric
		switch kind {
		case "ratio":
			ratio.Bad, total = selectorBelow(o, "errors"), selectorBelow(o, "total")
			if bad, all := selectorOf(ratio.Bad), selectorOf(total); bad != nil && all != nil && bad.Name != all.Name {
				p.errors = ratio.Bad.Query
			}
			ratio.Total = g.sum(total)
			ratio.Bad = g.sum(ratio.Bad)
		case "latency":
			ratio.Good, total = selectorBelow(o, "success"), selectorBelow(o, "total")
			ratio.Total = g.sum(total)
			ratio.Good = g.sum(ratio.Good)
		case "latencyNative":
			p.native = true
			total = selectorBelow(o, "total")
			text := o.Str("latency", true)
			limit, err := prom.ParseDuration(text)
			if err != nil && text != "" {
				o.At("latency").Problem("is no duration", "for example `latency: 250ms`")
			}
			rate := g.over("rate", total)
			ratio.Good = &Metric{Query: fmt.Sprintf("histogram_fraction(0, %v, %s) * histogram_count(%s)", time.Duration(limit).Seconds(), rate, rate), Line: o.Line()}
			ratio.Total = &Metric{Query: "histogram_count(" + rate + ")", Line: o.Line()}
		case "bool_gauge":
			total = query(o, "metric")
			ratio.Good = &Metric{Query: g.over("sum_over_time", total), Line: total.Line}
			ratio.Total = &Metric{Query: g.over("count_over_time", total), Line: total.Line}
		}
		p.selects(o, total, g)
		o.End()
	}
	if kinds != 1 {
		in.Problem("the indicator needs one of ratio, latency, latencyNative and bool_gauge", "keep one of them")
	}
	in.End()
	return ratio
}

// pyrraGroup are the labels of which each set of values is an SLO of its own.
type pyrraGroup []string

func (g pyrraGroup) by() string {
	if len(g) == 0 {
		return "sum"
	}
	return "sum by (" + strings.Join(g, ", ") + ") "
}

func (g pyrraGroup) sum(m *Metric) *Metric {
	if m == nil {
		return nil
	}
	return &Metric{Query: g.by() + "(" + m.Query + ")", Line: m.Line}
}

func (g pyrraGroup) over(function string, m *Metric) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%s(%s(%s[5m]))", g.by(), function, m.Query)
}

func selectorBelow(o *document.Object, key string) *Metric {
	m := o.Object(key, true)
	if m == nil {
		return nil
	}
	defer m.End()
	return query(m, "metric")
}

// selectorOf is the selector that a metric of Pyrra's is, or nil.
func selectorOf(m *Metric) *parser.VectorSelector {
	if m == nil {
		return nil
	}
	if expr, err := parser.NewParser(parser.Options{}).ParseExpr(m.Query); err == nil {
		v, _ := expr.(*parser.VectorSelector)
		return v
	}
	return nil
}

// selects remembers what the total selects by equality: Pyrra puts it on its alerts.
func (p *pyrraSLO) selects(o *document.Object, total *Metric, grouping pyrraGroup) {
	if total == nil || total.Query == "" {
		return
	}
	v := selectorOf(total)
	if v == nil {
		o.Problem(fmt.Sprintf("%s is no selector of one metric", total.Query), `for example http_requests_total{job="shop"}`)
		return
	}
	p.selector = map[string]string{}
	for _, m := range v.LabelMatchers {
		if m.Type == labels.MatchEqual && m.Name != labels.MetricName && !slices.Contains(grouping, m.Name) {
			p.selector[m.Name] = m.Value
		}
	}
}

// promDuration reads a window as Prometheus writes it: 4w, 1d12h, 30m.
func promDuration(o *document.Object, key string) time.Duration {
	text := o.Str(key, true)
	d, err := prom.ParseDuration(text)
	window := time.Duration(d)
	least := time.Minute
	if key == "window" {
		least = time.Hour
	}
	if text != "" && (err != nil || window < least || window%time.Minute != 0 || window > maxWindow) {
		o.At(key).Problem(fmt.Sprintf("%s %q is not %s to 400d in whole minutes", key, text, durationText(least)), "use for example 4w")
	}
	return window
}
