package openslo

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Format writes documents as OpenSLO v1, SLOs with what they hold within them: what was
// imported, ready to be kept. Parse reads the same from it.
func Format(docs Documents) ([]byte, error) {
	var all []yaml.MapSlice
	for _, s := range docs.Services {
		all = append(all, head(Version, "Service", s.Meta, fields("description", s.Description)))
	}
	for _, s := range docs.Sources {
		all = append(all, head(Version, "DataSource", s.Meta, fields("type", s.Type)))
	}
	for i := range docs.SLIs {
		all = append(all, head(Version, "SLI", docs.SLIs[i].Meta, docs.SLIs[i].fields()))
	}
	for i := range docs.SLOs {
		all = append(all, head(Version, "SLO", docs.SLOs[i].Meta, docs.SLOs[i].fields()))
	}
	for i := range docs.Policies {
		all = append(all, head(Version, "AlertPolicy", docs.Policies[i].Meta, docs.Policies[i].fields()))
	}
	for i := range docs.Conditions {
		all = append(all, head(Version, "AlertCondition", docs.Conditions[i].Meta, docs.Conditions[i].fields()))
	}
	for _, t := range docs.Targets {
		all = append(all, head(Version, "AlertNotificationTarget", t.Meta, t.fields()))
	}
	for i := range docs.Calendars {
		all = append(all, head(OwnVersion, "PeakCalendar", docs.Calendars[i].Meta, docs.Calendars[i].fields()))
	}
	var out []byte
	for i, doc := range all {
		text, err := yaml.Marshal(doc)
		if err != nil {
			return nil, fmt.Errorf("write %v: %w", doc[1].Value, err)
		}
		if i > 0 {
			out = append(out, "---\n"...)
		}
		out = append(out, text...)
	}
	return out, nil
}

func head(version, kind string, m Meta, spec yaml.MapSlice) yaml.MapSlice {
	return fields("apiVersion", version, "kind", kind, "metadata", m.fields(), "spec", orEmpty(spec))
}

// orEmpty is a mapping that stands there even when it is empty.
func orEmpty(m yaml.MapSlice) any {
	if len(m) == 0 {
		return map[string]any{}
	}
	return m
}

// fields is a mapping that keeps its order and leaves out what is empty.
func fields(pairs ...any) (m yaml.MapSlice) {
	for i := 0; i < len(pairs); i += 2 {
		empty := false
		switch v := pairs[i+1].(type) {
		case nil:
			empty = true
		case string:
			empty = v == ""
			if strings.Contains(v, "\t") {
				pairs[i+1] = quoted(v)
			}
		case float64:
			empty = v == 0
		case yaml.MapSlice:
			empty = len(v) == 0
		case []yaml.MapSlice:
			empty = len(v) == 0
		case []string:
			empty = len(v) == 0
		}
		if !empty {
			m = append(m, yaml.MapItem{Key: pairs[i], Value: pairs[i+1]})
		}
	}
	return m
}

// quoted is a text that the library must put in quotes: with a tab in it, it could be taken for a list.
type quoted string

// MarshalYAML is yaml.BytesMarshaler's.
func (q quoted) MarshalYAML() ([]byte, error) { return []byte(strconv.Quote(string(q))), nil }

func (m Meta) fields() yaml.MapSlice {
	return fields("name", m.Name, "displayName", m.DisplayName, "labels", sorted(m.Labels), "annotations", sorted(m.Annotations))
}

func sorted(m map[string]string) (out yaml.MapSlice) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		value := any(m[name])
		if strings.Contains(m[name], "\t") {
			value = quoted(m[name])
		}
		out = append(out, yaml.MapItem{Key: name, Value: value})
	}
	return out
}

func (s *SLO) fields() yaml.MapSlice {
	var objectives, policies []yaml.MapSlice
	for i := range s.Objectives {
		objectives = append(objectives, s.Objectives[i].fields())
	}
	for _, p := range s.Policies {
		if p.Inline == nil {
			policies = append(policies, fields("alertPolicyRef", p.Name))
			continue
		}
		policies = append(policies, fields("kind", "AlertPolicy", "metadata", p.Inline.Meta.fields(), "spec", p.Inline.fields()))
	}
	window := fields("duration", durationText(s.Window), "isRolling", true)
	if c := s.Calendar; c != nil {
		window = fields("duration", c.Text(), "isRolling", false,
			"calendar", fields("startTime", c.Start.Format(calendarForms[0]), "timeZone", c.Start.Location().String()))
	}
	return fields(
		"description", s.Description, "service", s.Service, "indicatorRef", s.IndicatorRef, "indicator", s.Indicator.inline(),
		"timeWindow", []yaml.MapSlice{window}, "budgetingMethod", s.Method, "objectives", objectives, "alertPolicies", policies,
	)
}

func (o *Objective) fields() yaml.MapSlice {
	m := fields("displayName", o.DisplayName, "op", o.Op)
	if o.HasValue {
		m = append(m, yaml.MapItem{Key: "value", Value: o.Value})
	}
	slice := ""
	if o.SliceWindow != time.Minute {
		slice = durationText(o.SliceWindow)
	}
	return append(m, fields("target", o.Target, "timeSliceTarget", o.SliceTarget, "timeSliceWindow", slice,
		"indicatorRef", o.IndicatorRef, "indicator", o.Indicator.inline(), "compositeWeight", o.Weight)...)
}

// inline is an SLI within an SLO.
func (s *SLI) inline() yaml.MapSlice {
	if s == nil {
		return nil
	}
	return fields("metadata", s.Meta.fields(), "spec", s.fields())
}

func (s *SLI) fields() yaml.MapSlice {
	return fields("description", s.Description, "ratioMetric", s.Ratio.fields(), "thresholdMetric", s.Threshold.fields())
}

func (q *Ratio) fields() yaml.MapSlice {
	switch {
	case q == nil:
		return nil
	case q.Raw != nil:
		return fields("counter", q.Counter, "raw", q.Raw.fields(), "rawType", q.RawType)
	}
	return fields("counter", q.Counter, "rawType", q.RawType, "good", q.Good.fields(), "bad", q.Bad.fields(), "total", q.Total.fields())
}

func (m *Metric) fields() yaml.MapSlice {
	if m == nil {
		return nil
	}
	kind, quiet := m.Type, ""
	if kind == "" && m.Source == "" {
		kind = "Prometheus"
	}
	if m.Quiet > 0 {
		quiet = durationText(m.Quiet)
	}
	return fields("metricSource", fields("metricSourceRef", m.Source, "type", kind, "spec", fields("query", m.Query, "quiet", quiet, "by", m.By)))
}

func (p *AlertPolicy) fields() yaml.MapSlice {
	conditions := []any{}
	var targets []yaml.MapSlice
	for _, c := range p.Conditions {
		if c.Inline == nil {
			conditions = append(conditions, fields("conditionRef", c.Name))
			continue
		}
		conditions = append(conditions, fields("kind", "AlertCondition", "metadata", c.Inline.Meta.fields(), "spec", c.Inline.fields()))
	}
	for _, t := range p.Targets {
		if t.Inline == nil {
			targets = append(targets, fields("targetRef", t.Name))
			continue
		}
		targets = append(targets, fields("kind", "AlertNotificationTarget", "metadata", t.Inline.Meta.fields(), "spec", t.Inline.fields()))
	}
	return fields("description", p.Description, "alertWhenBreaching", p.WhenBreaching, "alertWhenNoData", p.WhenNoData,
		"conditions", conditions, "notificationTargets", targets)
}

func (c *AlertCondition) fields() yaml.MapSlice {
	after := ""
	if c.After > 0 {
		after = durationText(c.After)
	}
	return fields("description", c.Description, "severity", c.Severity,
		"condition", fields("kind", "burnrate", "op", "gte", "threshold", c.Threshold, "lookbackWindow", durationText(c.Lookback), "alertAfter", after))
}

func (t *NotificationTarget) fields() yaml.MapSlice {
	return fields("description", t.Description, "target", t.Target)
}

func (c *PeakCalendar) fields() yaml.MapSlice {
	var weekly, exceptions []yaml.MapSlice
	clock := func(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }
	for _, p := range c.Weekly {
		var days []string
		for _, d := range p.Days {
			days = append(days, weekdays[d])
		}
		weekly = append(weekly, fields("days", days, "from", clock(p.From), "to", clock(p.To)))
	}
	for _, date := range slices.Sorted(maps.Keys(c.Dates)) {
		if len(c.Dates[date]) == 0 {
			exceptions = append(exceptions, fields("date", date, "closed", true))
		}
		for _, p := range c.Dates[date] {
			exceptions = append(exceptions, fields("date", date, "from", clock(p.From), "to", clock(p.To)))
		}
	}
	return fields("description", c.Description, "timeZone", c.Zone.String(), "weekly", weekly, "exceptions", exceptions)
}

// durationText writes whole minutes as OpenSLO does.
func durationText(d time.Duration) string {
	switch {
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}
