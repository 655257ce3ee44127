package openslo

import (
	"fmt"
	"time"

	"github.com/goccy/go-yaml"
)

// Format writes SLOs as OpenSLO v1 documents, with their indicators and alert
// policies within them: what was imported, ready to be kept.
func Format(slos []SLO) ([]byte, error) {
	var out []byte
	for i := range slos {
		text, err := yaml.MarshalWithOptions(slos[i].document(), yaml.UseSingleQuote(true))
		if err != nil {
			return nil, fmt.Errorf("write SLO %s: %w", slos[i].Name, err)
		}
		if i > 0 {
			out = append(out, "---\n"...)
		}
		out = append(out, text...)
	}
	return out, nil
}

// fields is a mapping that keeps its order and leaves out what is empty.
func fields(pairs ...any) (m yaml.MapSlice) {
	for i := 0; i < len(pairs); i += 2 {
		switch v := pairs[i+1].(type) {
		case nil:
		case string:
			if v != "" {
				m = append(m, yaml.MapItem{Key: pairs[i], Value: v})
			}
		case map[string]string:
			if len(v) > 0 {
				m = append(m, yaml.MapItem{Key: pairs[i], Value: v})
			}
		case yaml.MapSlice:
			if len(v) > 0 {
				m = append(m, yaml.MapItem{Key: pairs[i], Value: v})
			}
		case []yaml.MapSlice:
			if len(v) > 0 {
				m = append(m, yaml.MapItem{Key: pairs[i], Value: v})
			}
		default:
			m = append(m, yaml.MapItem{Key: pairs[i], Value: v})
		}
	}
	return m
}

func (m Meta) fields() yaml.MapSlice {
	return fields("name", m.Name, "displayName", m.DisplayName, "labels", m.Labels, "annotations", m.Annotations)
}

func (s *SLO) document() yaml.MapSlice {
	var objectives, policies []yaml.MapSlice
	for _, ob := range s.Objectives {
		objectives = append(objectives, fields("displayName", ob.DisplayName, "target", ob.Target))
	}
	for _, p := range s.Policies {
		if p.Inline != nil {
			policies = append(policies, p.Inline.document())
		} else {
			policies = append(policies, fields("alertPolicyRef", p.Name))
		}
	}
	window := fields("duration", durationText(s.Window), "isRolling", true)
	return fields("apiVersion", Version, "kind", "SLO", "metadata", s.fields(), "spec", fields(
		"description", s.Description, "service", s.Service,
		"indicator", fields("metadata", fields("name", s.Indicator.Name), "spec", fields("ratioMetric", s.Indicator.Ratio.fields())),
		"timeWindow", []yaml.MapSlice{window}, "budgetingMethod", s.Method, "objectives", objectives, "alertPolicies", policies,
	))
}

func (q *Ratio) fields() yaml.MapSlice {
	metric := func(m *Metric) yaml.MapSlice {
		if m == nil {
			return nil
		}
		return fields("metricSource", fields("type", "Prometheus", "spec", fields("query", m.Query)))
	}
	if q.Raw != nil {
		return fields("raw", metric(q.Raw), "rawType", q.RawType)
	}
	return fields("counter", q.Counter, "good", metric(q.Good), "bad", metric(q.Bad), "total", metric(q.Total))
}

func (p *AlertPolicy) document() yaml.MapSlice {
	var conditions, targets []yaml.MapSlice
	for _, c := range p.Conditions {
		if c.Inline == nil {
			conditions = append(conditions, fields("conditionRef", c.Name))
			continue
		}
		cond := fields("kind", "burnrate", "op", "gte", "threshold", c.Inline.Threshold, "lookbackWindow", durationText(c.Inline.Lookback))
		if c.Inline.After > 0 {
			cond = append(cond, yaml.MapItem{Key: "alertAfter", Value: durationText(c.Inline.After)})
		}
		conditions = append(conditions, fields("kind", "AlertCondition", "metadata", c.Inline.fields(),
			"spec", fields("severity", c.Inline.Severity, "condition", cond)))
	}
	for _, t := range p.Targets {
		targets = append(targets, fields("targetRef", t.Name))
	}
	return fields("kind", "AlertPolicy", "metadata", p.fields(), "spec", fields(
		"alertWhenBreaching", p.WhenBreaching, "alertWhenNoData", p.WhenNoData, "conditions", conditions, "notificationTargets", targets))
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
