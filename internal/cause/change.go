package cause

import (
	"cmp"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// change finds the change of the symptom's own service that came closest before
// it and can still be its cause.
//
// Changes that came at the same time cannot be told apart: beside are those other than the one that is named.
func change(s Symptom, f Facts) (c model.Cause, beside []*model.Deploy) {
	c = model.Cause{Kind: model.CauseUnknown, Service: s.Service, Since: s.Since.UTC()}
	var best *model.Deploy
	var fit []*model.Deploy
	for i := range f.Changes {
		d := &f.Changes[i]
		if !concerns(s, d) || !near(s.Since, d) {
			continue
		}
		if why := ruledOut(s, d, f); why != "" {
			if !Mends(d) { // nobody suspects what put something back
				c.RuledOut = append(c.RuledOut, model.RuledOut{Change: *d, Why: why})
			}
			continue
		}
		fit = append(fit, d)
		if best == nil || closer(s.Since, d, best) {
			best = d
		}
	}
	slices.SortStableFunc(c.RuledOut, func(a, b model.RuledOut) int { return b.Change.Time.Compare(a.Change.Time) })
	if best == nil {
		return c, nil
	}
	for _, d := range fit {
		if d != best && rank(d) == rank(best) && What(d) != What(best) && begin(d).Sub(begin(best)).Abs() <= Slack {
			beside = append(beside, d)
		}
	}
	kept := *best
	c.Kind, c.Change = model.CauseChange, &kept
	if by := undone(best, f.Changes); by != nil && !by.Time.After(s.At) {
		at := by.Time.UTC()
		c.Undone = &at
	}
	return c, beside
}

func concerns(s Symptom, d *model.Deploy) bool {
	return d.Service == s.Service && same(s.Environment, d.Environment) && same(s.Region, d.Region)
}

// begin is when a change began to act.
func begin(d *model.Deploy) time.Time {
	if !d.Started.IsZero() && d.Started.Before(d.Time) {
		return d.Started
	}
	return d.Time
}

func near(onset time.Time, d *model.Deploy) bool {
	gap := onset.Sub(begin(d))
	return gap >= -Slack && gap <= Within
}

// closer prefers what changed something over what put it back, and the nearer one.
func closer(onset time.Time, a, b *model.Deploy) bool {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(onset.Sub(begin(a)).Abs(), onset.Sub(begin(b)).Abs())) < 0
}

func rank(d *model.Deploy) int {
	if Mends(d) {
		return 1
	}
	return 0
}

// Mends says whether a change puts something back: it answers what went wrong
// before.
func Mends(d *model.Deploy) bool { return d.Kind == "rollback" || d.Kind == "remediation" }

// undone is the change that took d back or replaced it, or nil.
func undone(d *model.Deploy, all []model.Deploy) *model.Deploy {
	var first *model.Deploy
	for i := range all {
		n := &all[i]
		if n.Service != d.Service || !same(n.Environment, d.Environment) || !same(n.Region, d.Region) || !n.Time.After(d.Time) || n.Status == "failed" {
			continue
		}
		replaces := n.Version != d.Version && n.Kind != "config" && d.Kind != "config"
		if !replaces && (!Mends(n) || n.Version == d.Version) {
			continue
		}
		if first == nil || n.Time.Before(first.Time) {
			first = n
		}
	}
	return first
}

// ruledOut is why a change that came at the right time is not the cause; "" when
// it may be.
func ruledOut(s Symptom, d *model.Deploy, f Facts) string {
	if by := undone(d, f.Changes); by != nil && s.live().Sub(by.Time) > s.Window+Slack {
		how := "was replaced by " + by.Version
		if Mends(by) {
			how = "was rolled back"
		}
		return how + " at " + human.Clock(by.Time) + ", and it went on"
	}
	if !s.Until.IsZero() || d.Kind == "config" || d.Kind == "remediation" {
		return "" // what versions do now says nothing about then, nor about a setting
	}
	return ruledOutByTraffic(d, f.Versions[s.Service])
}

// ruledOutByTraffic compares a version with the others that run.
func ruledOutByTraffic(d *model.Deploy, running []Version) string {
	var own, rest Version
	labelled := false
	for _, v := range running {
		labelled = labelled || v.Version != ""
		if v.Version == d.Version {
			own.Rate, own.Errors = own.Rate+v.Rate, own.Errors+v.Errors
		} else {
			rest.Rate, rest.Errors = rest.Rate+v.Rate, rest.Errors+v.Errors
		}
	}
	switch {
	case !labelled || rest.Rate == 0:
		return ""
	case own.Rate == 0:
		return "takes no traffic"
	case rest.Errors > 0 && own.Errors/own.Rate < 0.5*rest.Errors/rest.Rate:
		return "fails less than the versions beside it"
	}
	return ""
}
