package openslo

import (
	"fmt"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/document"
)

// AlertPolicy says when an SLO alerts and whom that concerns.
type AlertPolicy struct {
	Meta
	Description   string
	WhenNoData    bool
	WhenBreaching bool
	Conditions    []ConditionRef
	Targets       []TargetRef
}

// ConditionRef names an AlertCondition or holds it.
type ConditionRef struct {
	Name   string
	Inline *AlertCondition
	Line   int
}

// TargetRef names an AlertNotificationTarget or holds it.
type TargetRef struct {
	Name   string
	Inline *NotificationTarget
	Line   int
}

// PolicyRef names an AlertPolicy or holds it.
type PolicyRef struct {
	Name   string
	Inline *AlertPolicy
	Line   int
}

// AlertCondition is a burn rate over a window that is too high.
type AlertCondition struct {
	Meta
	Description string
	Severity    string
	Threshold   float64
	Lookback    time.Duration
	After       time.Duration // how long it must hold
}

// NotificationTarget is a receiver.
type NotificationTarget struct {
	Meta
	Description string
	Target      string
}

// refs reads a list of references: a name, {key: name}, or a document.
func refs[T any](o *document.Object, key, refKey, kind string, required bool, read func(*document.Object) T, add func(name string, inline *T, line int)) {
	for _, n := range o.List(key, required) {
		if text, ok := n.Scalar(); ok {
			add(text, nil, n.Line())
			continue
		}
		e := n.Object(o.Join(key))
		if e == nil {
			continue
		}
		if e.Stands(refKey) {
			add(e.Str(refKey, true), nil, e.Line())
			e.End()
			continue
		}
		if k := e.Str("kind", true); k != "" && k != kind {
			e.At("kind").Problem(fmt.Sprintf("kind %q cannot stand here", k), "write "+kind+", or "+refKey+" with a name")
		}
		e.Ignore("apiVersion")
		v := read(e)
		add("", &v, e.Line())
	}
}

func (r *reader) alertPolicy(o *document.Object) AlertPolicy {
	p := AlertPolicy{Meta: r.meta(o)}
	spec := o.Object("spec", true)
	if spec == nil {
		o.End()
		return p
	}
	p.Description = spec.Str("description", false)
	p.WhenNoData, p.WhenBreaching = spec.Boolean("alertWhenNoData", false), spec.Boolean("alertWhenBreaching", true)
	if !spec.Boolean("alertWhenResolved", true) {
		spec.At("alertWhenResolved").Warning("alertWhenResolved is the receiver's to decide", "set send_resolved: false in alertmanager.yml")
	}
	// An empty list is the way to say that an SLO has no alerts.
	refs(spec, "conditions", "conditionRef", "AlertCondition", !spec.Has("conditions"), r.alertCondition, func(name string, inline *AlertCondition, line int) {
		p.Conditions = append(p.Conditions, ConditionRef{name, inline, line})
	})
	refs(spec, "notificationTargets", "targetRef", "AlertNotificationTarget", false, r.notificationTarget, func(name string, inline *NotificationTarget, line int) {
		p.Targets = append(p.Targets, TargetRef{name, inline, line})
	})
	spec.End()
	o.End()
	return p
}

func (r *reader) alertCondition(o *document.Object) AlertCondition {
	c := AlertCondition{Meta: r.meta(o)}
	spec := o.Object("spec", true)
	if spec == nil {
		o.End()
		return c
	}
	c.Description, c.Severity = spec.Str("description", false), spec.Str("severity", true)
	if cond := spec.Object("condition", true); cond != nil {
		if kind := cond.Str("kind", true); kind != "" && !strings.EqualFold(kind, "burnrate") {
			cond.At("kind").Problem(fmt.Sprintf("condition kind %q is unknown", kind), "OpenSLO knows burnrate")
		}
		switch op := cond.Str("op", false); op {
		case "", "gte", "gt":
		default:
			cond.At("op").Problem(fmt.Sprintf("op %q would alert on a budget that lasts", op), "use gte")
		}
		var ok bool
		if c.Threshold, ok = cond.Number("threshold"); !cond.Has("threshold") {
			cond.At("threshold").Problem("is missing", "give the burn rate, for example 14")
		} else if ok && c.Threshold <= 0 {
			cond.At("threshold").Problem(fmt.Sprintf("the threshold is %v", c.Threshold), "give a burn rate above 0, for example 14")
		}
		c.Lookback = duration(cond, "lookbackWindow", true)
		c.After = duration(cond, "alertAfter", false)
		cond.End()
	}
	spec.End()
	o.End()
	return c
}

func (r *reader) notificationTarget(o *document.Object) NotificationTarget {
	t := NotificationTarget{Meta: r.meta(o)}
	if spec := o.Object("spec", true); spec != nil {
		t.Description, t.Target = spec.Str("description", false), strings.TrimSpace(spec.Str("target", false))
		if t.Target == "" {
			spec.At("target").Problem("is missing", "name who is told, for example `target: pagerduty`")
		}
		spec.End()
	}
	o.End()
	return t
}

// duration reads a duration of whole minutes; 0s, 0m and the like are none.
func duration(o *document.Object, key string, required bool) time.Duration {
	text := o.Str(key, required)
	if text == "" || strings.Trim(text, "0smhdw") == "" && strings.Contains(text, "0") {
		return 0
	}
	d, err := parseDuration(text)
	if err != nil {
		o.At(key).Problem(fmt.Sprintf("%s %q is unknown: %v", key, text, err), "use a number with m, h, d or w, for example 1h")
	}
	return d
}

// policies reads an SLO's alertPolicies.
func (r *reader) policies(spec *document.Object) (out []PolicyRef) {
	refs(spec, "alertPolicies", "alertPolicyRef", "AlertPolicy", false, r.alertPolicy, func(name string, inline *AlertPolicy, line int) {
		out = append(out, PolicyRef{name, inline, line})
	})
	return out
}
