package openslo

import (
	"fmt"
	"strings"
	"time"
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
func refs[T any](r *reader, o *object, key, refKey, kind string, required bool, read func(*object) T, add func(name string, inline *T, line int)) {
	for _, n := range o.list(key, required) {
		if text, ok := scalar(r.resolve(n)); ok {
			add(text, nil, lineOf(n))
			continue
		}
		e := r.object(n, o.join(key))
		if e == nil {
			continue
		}
		if e.values[refKey] != nil {
			add(e.str(refKey, true), nil, e.line())
			e.end()
			continue
		}
		if k := e.str("kind", true); k != "" && k != kind {
			e.at("kind").problem(fmt.Sprintf("kind %q cannot stand here", k), "write "+kind+", or "+refKey+" with a name")
		}
		e.ignore("apiVersion")
		v := read(e)
		add("", &v, e.line())
	}
}

func (r *reader) alertPolicy(o *object) AlertPolicy {
	p := AlertPolicy{Meta: r.meta(o)}
	spec := o.object("spec", true)
	if spec == nil {
		return p
	}
	p.Description = spec.str("description", false)
	p.WhenNoData, p.WhenBreaching = spec.boolean("alertWhenNoData", false), spec.boolean("alertWhenBreaching", true)
	if !spec.boolean("alertWhenResolved", true) {
		spec.at("alertWhenResolved").warning("alertWhenResolved is the receiver's to decide", "set send_resolved: false in alertmanager.yml")
	}
	refs(r, spec, "conditions", "conditionRef", "AlertCondition", true, r.alertCondition, func(name string, inline *AlertCondition, line int) {
		p.Conditions = append(p.Conditions, ConditionRef{name, inline, line})
	})
	refs(r, spec, "notificationTargets", "targetRef", "AlertNotificationTarget", false, r.notificationTarget, func(name string, inline *NotificationTarget, line int) {
		p.Targets = append(p.Targets, TargetRef{name, inline, line})
	})
	spec.end()
	o.end()
	return p
}

func (r *reader) alertCondition(o *object) AlertCondition {
	c := AlertCondition{Meta: r.meta(o)}
	spec := o.object("spec", true)
	if spec == nil {
		return c
	}
	c.Description, c.Severity = spec.str("description", false), spec.str("severity", true)
	if cond := spec.object("condition", true); cond != nil {
		if kind := cond.str("kind", true); kind != "" && !strings.EqualFold(kind, "burnrate") {
			cond.at("kind").problem(fmt.Sprintf("condition kind %q is unknown", kind), "OpenSLO knows burnrate")
		}
		switch op := cond.str("op", false); op {
		case "", "gte", "gt":
		default:
			cond.at("op").problem(fmt.Sprintf("op %q would alert on a budget that lasts", op), "use gte")
		}
		var ok bool
		if c.Threshold, ok = cond.number("threshold"); !cond.has("threshold") {
			cond.at("threshold").problem("is missing", "give the burn rate, for example 14")
		} else if ok && c.Threshold <= 0 {
			cond.at("threshold").problem(fmt.Sprintf("the threshold is %v", c.Threshold), "give a burn rate above 0, for example 14")
		}
		c.Lookback = cond.duration("lookbackWindow", true)
		c.After = cond.duration("alertAfter", false)
		cond.end()
	}
	spec.end()
	o.end()
	return c
}

func (r *reader) notificationTarget(o *object) NotificationTarget {
	t := NotificationTarget{Meta: r.meta(o)}
	if spec := o.object("spec", true); spec != nil {
		t.Description, t.Target = spec.str("description", false), spec.str("target", true)
		spec.end()
	}
	o.end()
	return t
}

// duration reads a duration of whole minutes; 0s, 0m and the like are none.
func (o *object) duration(key string, required bool) time.Duration {
	text := o.str(key, required)
	if text == "" || strings.Trim(text, "0smhdw") == "" && strings.Contains(text, "0") {
		return 0
	}
	d, err := parseDuration(text)
	if err != nil {
		o.at(key).problem(fmt.Sprintf("%s %q is unknown: %v", key, text, err), "use a number with m, h, d or w, for example 1h")
	}
	return d
}

// policies reads an SLO's alertPolicies.
func (r *reader) policies(spec *object) (out []PolicyRef) {
	refs(r, spec, "alertPolicies", "alertPolicyRef", "AlertPolicy", false, r.alertPolicy, func(name string, inline *AlertPolicy, line int) {
		out = append(out, PolicyRef{name, inline, line})
	})
	return out
}
