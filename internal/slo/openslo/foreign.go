package openslo

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// Versions of the foreign formats that are read as the OpenSLO they mean.
const (
	SlothVersion = "prometheus/v1"
	PyrraVersion = "pyrra.dev/v1alpha1"
)

// annotationShortWindow is where an AlertCondition keeps its short window,
// for which OpenSLO has no field.
const annotationShortWindow = "signalbox.io/short-window"

const day = 24 * time.Hour

// BurnWindow is one pair of windows of a foreign tool, with its factor.
type BurnWindow struct {
	Name        string
	Severity    string
	Long, Short time.Duration
	For         time.Duration
	Factor      float64
}

// SlothWindows are Sloth's: each factor is the share of the budget that may be
// spent within the long window times period / long.
func SlothWindows(period time.Duration) []BurnWindow {
	rows := []BurnWindow{
		{Name: "page_quick", Severity: "page", Long: time.Hour, Short: 5 * time.Minute, Factor: 0.02},
		{Name: "page_slow", Severity: "page", Long: 6 * time.Hour, Short: 30 * time.Minute, Factor: 0.05},
		{Name: "ticket_quick", Severity: "ticket", Long: day, Short: 2 * time.Hour, Factor: 0.10},
		{Name: "ticket_slow", Severity: "ticket", Long: 3 * day, Short: 6 * time.Hour, Factor: 0.10},
	}
	for i := range rows {
		rows[i].Factor *= float64(period) / float64(rows[i].Long)
	}
	return rows
}

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

// policyOf makes an alert policy of foreign windows; keep says which severities
// are wanted, and name is what alerts begin with.
func policyOf(m Meta, name string, windows []BurnWindow, keep func(severity string) bool) *AlertPolicy {
	p := &AlertPolicy{Meta: Meta{Name: m.Name + "-burn", File: m.File, Line: m.Line}, WhenBreaching: true}
	for _, w := range windows {
		if !keep(w.Severity) {
			continue
		}
		p.Conditions = append(p.Conditions, ConditionRef{Line: m.Line, Inline: &AlertCondition{
			Meta:     Meta{Name: name + "_" + w.Name, File: m.File, Line: m.Line, Annotations: map[string]string{annotationShortWindow: w.Short.String()}},
			Severity: w.Severity, Threshold: w.Factor, Lookback: w.Long, After: w.For,
		}})
	}
	return p
}

// slothDocument reads a file of Sloth's.
func (r *reader) slothDocument(o *document.Object, docs *Documents) {
	o.Str("version", true)
	service, labels := o.Str("service", true), o.StrMap("labels")
	for _, n := range o.List("slos", true) {
		e := n.Object("slos")
		if e == nil {
			continue
		}
		add(r, &docs.SLOs, func() SLO { return r.slothSLO(e, service, labels) })
	}
	o.End()
}

func (r *reader) slothSLO(o *document.Object, service string, labels map[string]string) SLO {
	name := o.Str("name", true)
	m := Meta{Name: service + "-" + name, DisplayName: name, File: r.File, Line: o.Line(), Labels: merged(labels, o.StrMap("labels"))}
	if !validName(m.Name) {
		o.At("name").Problem(fmt.Sprintf("the name %q is not usable", name), "use letters, digits, . _ and -, at most 120 with the service's")
	}
	s := SLO{Meta: m, Description: o.Str("description", false), Service: service, Window: 30 * day, Method: Occurrences}
	s.Objectives = []Objective{{Target: percent(o, "objective"), SliceWindow: time.Minute, Line: m.Line}}
	if sli := o.Object("sli", true); sli != nil {
		s.Indicator = &SLI{Meta: Meta{Name: m.Name, File: r.File, Line: sli.Line()}, Ratio: r.slothSLI(sli)}
	}
	if a := o.Object("alerting", false); a != nil {
		r.slothAlerting(a, &s)
	} else {
		s.Policies = []PolicyRef{{Inline: policyOf(m, alertStem(m.Name), SlothWindows(s.Window), func(string) bool { return true }), Line: m.Line}}
	}
	o.End()
	return s
}

func (r *reader) slothSLI(sli *document.Object) *Ratio {
	ratio := &Ratio{Counter: true}
	if ev := sli.Object("events", false); ev != nil {
		ratio.Bad, ratio.Total = query(ev, "error_query"), query(ev, "total_query")
		ev.End()
	}
	if raw := sli.Object("raw", false); raw != nil {
		ratio.Raw, ratio.RawType = query(raw, "error_ratio_query"), "failure"
		// A ratio is read as it stands, over the shortest window it alerts on.
		text, err := promexpr.Expand(ratio.Raw.Query, "5m")
		if err != nil {
			raw.At("error_ratio_query").Problem(err.Error(), "write {{.window}} where the window stands")
		}
		ratio.Raw.Query = text
		raw.End()
	}
	if sli.Stands("plugin") {
		sli.Ignore("plugin")
		sli.At("plugin").Problem("plugins are code of Sloth's and are not run", "write the plugin's queries as events")
	} else if (ratio.Raw == nil) == (ratio.Total == nil) {
		sli.Problem("the SLI needs one of events and raw", "give error_query and total_query under events, or error_ratio_query under raw")
	}
	sli.End()
	return ratio
}

func (r *reader) slothAlerting(a *document.Object, s *SLO) {
	name := a.Str("name", false)
	if name == "" {
		name = alertStem(s.Name)
	}
	s.Annotations = merged(s.Annotations, a.StrMap("annotations"))
	s.Labels = merged(s.Labels, a.StrMap("labels"))
	wanted := map[string]bool{"page": true, "ticket": true}
	for severity, key := range map[string]string{"page": "page_alert", "ticket": "ticket_alert"} {
		if one := a.Object(key, false); one != nil {
			wanted[severity] = !one.Boolean("disable", false)
			one.StrMap("annotations")
			if len(one.StrMap("labels")) > 0 {
				one.At("labels").Warning("labels of one severity are not used", "route by the label severity")
			}
			one.End()
		}
	}
	a.End()
	s.Policies = []PolicyRef{{Inline: policyOf(s.Meta, name, SlothWindows(s.Window), func(severity string) bool { return wanted[severity] }), Line: a.Line()}}
}

// query reads a query that stands as text.
func query(o *document.Object, key string) *Metric {
	return &Metric{Query: strings.TrimSpace(o.Str(key, true)), Line: o.At(key).Line()}
}

// percent reads an objective in percent, a number or a text.
func percent(o *document.Object, key string) float64 {
	text := o.Str(key, true)
	v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
	if err != nil {
		if text != "" {
			o.At(key).Problem(fmt.Sprintf("must be a number of percent, got %q", text), "write it without words, for example 99.5")
		}
		return 0
	}
	target := shift(v)
	checkTarget(o, key, target)
	return target
}

func merged(a, b map[string]string) map[string]string {
	if len(a)+len(b) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, m := range []map[string]string{a, b} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

func alertStem(name string) string { return strings.NewReplacer("-", "_", ".", "_").Replace(name) }

// pyrraDocument reads a ServiceLevelObjective of Pyrra's.
func (r *reader) pyrraDocument(o *document.Object) SLO {
	o.Ignore("status")
	if kind := o.Str("kind", true); kind != "ServiceLevelObjective" {
		o.At("kind").Problem(fmt.Sprintf("kind %q is unknown", kind), "Pyrra has ServiceLevelObjective")
	}
	s := SLO{Method: Occurrences, Meta: Meta{File: r.File, Line: o.Line()}}
	if m := o.Object("metadata", true); m != nil {
		s.Name, s.Line = m.Str("name", true), m.Line()
		if !validName(s.Name) {
			m.At("name").Problem(fmt.Sprintf("the name %q is not usable", s.Name), "use letters, digits, . _ and -, at most 120 of them")
		}
		s.Labels, s.Annotations = m.StrMap("labels"), m.StrMap("annotations")
		if ns := m.Str("namespace", false); ns != "" {
			s.Labels = merged(map[string]string{"namespace": ns}, s.Labels)
		}
	}
	s.Service = s.Name
	for _, key := range []string{"app", "app.kubernetes.io/name", "pyrra.dev/service", "service"} {
		if v := s.Labels[key]; v != "" {
			s.Service = v
		}
	}
	spec := o.Object("spec", true)
	if spec == nil {
		return s
	}
	s.Description = spec.Str("description", false)
	s.Objectives = []Objective{{Target: percent(spec, "target"), SliceWindow: time.Minute, Line: spec.At("target").Line()}}
	text := spec.Str("window", true)
	window, err := parseDuration(text)
	if text != "" && (err != nil || window < time.Hour || window > maxWindow) {
		spec.At("window").Problem(fmt.Sprintf("window %q is not 1h to 400d", text), "use for example 4w")
	}
	s.Window = window
	if in := spec.Object("indicator", true); in != nil {
		s.Indicator = &SLI{Meta: Meta{Name: s.Name, File: r.File, Line: in.Line()}, Ratio: r.pyrraIndicator(in)}
	}
	r.pyrraAlerting(spec, &s)
	spec.End()
	o.End()
	return s
}

func (r *reader) pyrraAlerting(spec *document.Object, s *SLO) {
	name, burns, absent := alertStem(s.Name)+"_ErrorBudgetBurn", true, true
	if a := spec.Object("alerting", false); a != nil {
		burns = !a.Boolean("disabled", false) && a.Boolean("burnrates", true)
		absent = a.Boolean("absent", true) && burns
		if own := a.Str("name", false); own != "" {
			name = alertStem(own)
		}
		a.End()
	}
	p := policyOf(s.Meta, name, PyrraWindows(s.Window), func(string) bool { return burns })
	if absent && len(p.Conditions) > 0 { // one alert for missing data is enough
		first := p.Conditions[0]
		s.Policies = append(s.Policies, PolicyRef{Line: s.Line, Inline: &AlertPolicy{
			Meta: Meta{Name: s.Name + "-absent", File: s.File, Line: s.Line}, WhenNoData: true, Conditions: []ConditionRef{first},
		}})
	}
	s.Policies = append(s.Policies, PolicyRef{Inline: p, Line: s.Line})
}

func (r *reader) pyrraIndicator(in *document.Object) *Ratio {
	ratio := &Ratio{Counter: true}
	metric := func(o *document.Object, key string) *Metric {
		m := o.Object(key, true)
		if m == nil {
			return nil
		}
		defer m.End()
		q := query(m, "metric")
		q.Query = "sum(" + q.Query + ")"
		return q
	}
	kinds := 0
	for _, kind := range []string{"ratio", "latency", "bool_gauge"} {
		o := in.Object(kind, false)
		if o == nil {
			continue
		}
		kinds++
		switch kind {
		case "ratio":
			ratio.Bad, ratio.Total = metric(o, "errors"), metric(o, "total")
		case "latency":
			ratio.Good, ratio.Total = metric(o, "success"), metric(o, "total")
		case "bool_gauge":
			q := query(o, "metric")
			ratio.Good = &Metric{Query: "sum(sum_over_time(" + q.Query + "[5m]))", Line: q.Line}
			ratio.Total = &Metric{Query: "sum(count_over_time(" + q.Query + "[5m]))", Line: q.Line}
		}
		if len(o.List("grouping", false)) > 0 {
			o.At("grouping").Warning("grouping is read as one promise over all groups", "write one SLO for each group that must keep it alone")
		}
		o.End()
	}
	if kinds != 1 {
		in.Problem("the indicator needs one of ratio, latency and bool_gauge", "latencyNative is not read: count a bucket's events as good")
	}
	in.Ignore("latencyNative")
	in.End()
	return ratio
}
