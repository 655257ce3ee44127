package definition

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
)

// recordedError is the recording rule of an SLO's error ratio over a window.
func recordedError(window string) string { return "slo:error_ratio:" + window }

// PrometheusRules writes definitions as a Prometheus rule file: a recording rule of the error
// ratio for each window, and the burn alerts over them. Parts of composites are recorded only.
// Peak calendars and SLOs with few events are for the engine alone: the file is the plain table.
func PrometheusRules(defaults []BurnAlert, defs []*Definition) ([]byte, error) {
	var groups []yaml.MapSlice
	for _, d := range defs {
		if err := d.exportable(); err != nil {
			return nil, err
		}
		var rules []yaml.MapSlice
		for _, w := range exportedWindows(defaults, d, defs) {
			rules = append(rules, yaml.MapSlice{
				{Key: "record", Value: recordedError(budget.Window(w))},
				{Key: "expr", Value: d.errorOver(w)},
				{Key: "labels", Value: d.withoutGroup(map[string]string{"slo": d.Name, "service": d.Service})},
			})
		}
		for _, b := range d.Table(defaults) {
			if time.Duration(b.Long) <= d.Window {
				rules = append(rules, d.alertRule(b))
			}
		}
		groups = append(groups, yaml.MapSlice{{Key: "name", Value: "slo-" + d.Name}, {Key: "rules", Value: rules}})
	}
	text, err := yaml.MarshalWithOptions(yaml.MapSlice{{Key: "groups", Value: groups}}, yaml.UseSingleQuote(true))
	if err != nil {
		return nil, fmt.Errorf("write Prometheus rules: %w", err)
	}
	return text, nil
}

// Exportable parts definitions that PrometheusRules writes from those that it
// refuses, with the reason of each.
func Exportable(defs []*Definition) (can []*Definition, refused []error) {
	for _, d := range defs {
		if err := d.exportable(); err != nil {
			refused = append(refused, err)
		} else {
			can = append(can, d)
		}
	}
	return can, refused
}

func (d *Definition) exportable() error {
	for _, p := range d.Parts {
		if err := p.Definition.exportable(); err != nil {
			return fmt.Errorf("SLO %s is made of one that cannot be exported: %w", d.Name, err)
		}
		if g := p.Definition.Grouping; g != nil {
			return fmt.Errorf("SLO %s is made of %s, which is recorded for each %s alone: it stays with Signalbox, or make it of an SLO that sums over all", d.Name, p.Definition.Name, strings.Join(g.By, ", "))
		}
	}
	if d.Grouping != nil && !indicator.GroupsInPromQL(d.Measure) {
		return fmt.Errorf("SLO %s has a budget for each %s and filters its counts, which a recording rule cannot do for each of them: it stays with Signalbox, or count by selectors alone", d.Name, strings.Join(d.Grouping.By, ", "))
	}
	if d.Grouping != nil && slices.ContainsFunc(d.Grouping.By, func(name string) bool { return name == "slo" || name == "severity" || name == "alertname" }) {
		return fmt.Errorf("SLO %s has a budget for each %s, and a rule's alert has a label of that name of its own: it stays with Signalbox, or sum by a label of another name", d.Name, strings.Join(d.Grouping.By, ", "))
	}
	if s := indicator.EventsOf(d.Measure); s != nil {
		return fmt.Errorf("SLO %s counts %s, which Prometheus does not keep: it stays with Signalbox, or count by a metric", d.Name, s.Signal())
	}
	return nil
}

// exportedWindows are a definition's burn windows and those of the composites
// that it is part of.
func exportedWindows(defaults []BurnAlert, d *Definition, defs []*Definition) []time.Duration {
	out := d.BurnWindows(defaults)
	for _, c := range defs {
		if slices.ContainsFunc(c.Parts, func(p Part) bool { return p.Definition == d }) {
			out = append(out, exportedWindows(defaults, c, defs)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// errorOver is the error ratio over a window in standard PromQL, one sample
// without labels or one for each group.
func (d *Definition) errorOver(w time.Duration) string {
	window := fmt.Sprintf("%ds", int(w.Seconds()))
	if w%time.Minute == 0 {
		window = fmt.Sprintf("%dm", int(w.Minutes()))
	}
	if len(d.Parts) > 0 {
		var texts []string
		for _, p := range d.Parts {
			texts = append(texts, fmt.Sprintf("%.10g * sum(%s{slo=%q})", p.Weight*budget.Share(d.Objective)/budget.Share(p.Objective), recordedError(budget.Window(w)), p.Definition.Name))
		}
		return strings.Join(texts, " + ")
	}
	if d.Grouping != nil {
		return indicator.ErrorOver(d.Measure, d.Queries.Error, window, d.Grouping.By)
	}
	return indicator.ErrorOver(d.Measure, d.Queries.Error, window, nil)
}

// withoutGroup leaves out what a rule would put over the labels of the groups: they would all be one.
func (d *Definition) withoutGroup(labels map[string]string) map[string]string {
	if d.Grouping != nil {
		for _, name := range d.Grouping.By {
			delete(labels, name)
		}
	}
	return labels
}

func (d *Definition) alertRule(b BurnAlert) yaml.MapSlice {
	long, short := budget.Window(time.Duration(b.Long)), budget.Window(b.ShortWindow())
	labels := d.withoutGroup(d.AlertLabels(b))
	delete(labels, "alertname")
	limit := b.Factor * d.ErrorBudget()
	expr := fmt.Sprintf("%s{slo=%q} >= %.10g and %s{slo=%q} >= %.10g", recordedError(long), d.Name, limit, recordedError(short), d.Name, limit)
	summary := fmt.Sprintf("%s burns its budget at %g times the sustainable rate or more", d.DisplayName, b.Factor)
	if b.NoData {
		expr = fmt.Sprintf("absent(%s{slo=%q})", recordedError(long), d.Name)
		summary = d.DisplayName + " has no data"
	}
	rule := yaml.MapSlice{{Key: "alert", Value: b.Title()}, {Key: "expr", Value: expr}}
	if b.For > 0 {
		rule = append(rule, yaml.MapItem{Key: "for", Value: b.For.String()})
	}
	// Braces in a text would be a template; those of an imported SLO are one.
	plain := plainBraces
	annotations := map[string]string{"summary": plain(summary)}
	given, _ := Carried(d.Annotations, b.Annotations)
	if b.Only {
		given, _ = Carried(b.Annotations)
		plain = strings.Clone
	}
	for name, v := range given {
		annotations[name] = plain(v)
	}
	return append(rule, yaml.MapItem{Key: "labels", Value: labels}, yaml.MapItem{Key: "annotations", Value: annotations})
}

// plainBraces parts braces that would begin or end a template, however many stand in a row.
func plainBraces(text string) string {
	for strings.Contains(text, "{{") || strings.Contains(text, "}}") {
		text = strings.NewReplacer("{{", "{ {", "}}", "} }").Replace(text)
	}
	return text
}
