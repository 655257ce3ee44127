package rulereview

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/signalbox-project/signalbox/internal/alerting/rules"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

const (
	// few is with how many firings anything is concluded.
	few = 3
	// flapWithin is how soon after an end the next beginning is a flap.
	flapWithin = 30 * time.Minute
	// together is from what share of the time on two rules are one.
	together = 0.8
	// maxFor bounds what is proposed: who waits longer than this for a page wants another condition.
	maxFor = time.Hour
)

// judge says what a rule did, and what could be changed.
func (r *Room) judge(ctx context.Context, h *history, file, group string, rule rulefmt.Rule) (ReviewedRule, error) {
	out := ReviewedRule{
		Alert: rule.Alert, Group: group, File: file, Severity: severityOf(rule),
		Findings: []RuleFinding{}, Proposals: []RuleEdit{}, Stale: []string{}, Together: []RuleCoincident{},
	}
	mine := h.of(rule)
	c := count(&out, mine)
	out.Missed = h.missed(rule, mine)
	out.Together = h.together(rule, mine)
	if len(mine) == 0 {
		var err error
		if out.Stale, err = r.stale(ctx, h, rule); err != nil {
			return out, err
		}
	}
	days := h.to.Sub(h.from).Hours() / 24
	find := func(kind, format string, args ...any) {
		out.Findings = append(out.Findings, RuleFinding{kind, fmt.Sprintf(format, args...)})
	}
	propose := func(kind, from, to, why string) {
		if h.covered >= enough {
			out.Proposals = append(out.Proposals, RuleEdit{Kind: kind, From: from, To: to, Why: why})
		}
	}
	switch {
	case len(mine) == 0 && len(out.Stale) > 0:
		find("stale", "it cannot fire: %s found no series in %.0f days", out.Stale[0], days)
		propose("remove", "", "", out.Findings[0].Text)
	case len(mine) == 0:
		find(NeverFired, "it has not fired in %.0f days; that is good for an alert about something rare, if a test shows that it can fire", days)
	}
	if out.Outcome.Quiet >= few && out.Outcome.Told == 0 {
		find("always-quiet", "%d firings, none of which reached anybody: silenced, inhibited or held back each time", out.Outcome.Quiet)
	}
	if out.Missed > 0 {
		find("missed-burn", "a budget of its service burned at %d× or more %d times while it did not fire", burning, out.Missed)
	}
	if d := duplicate(out, h, rule); d != "" {
		find("duplicate", "%s", d)
		propose("remove", "", "", d)
		return out, nil
	}
	if out.Firings.Flapped >= few {
		find("flapping", "%d of %d firings began within %s of the last end", out.Firings.Flapped, out.Firings.Count, human.Duration(flapWithin))
		if to := roundUp(quantile(c.pauses, 0.9)); to > time.Duration(rule.KeepFiringFor) {
			propose("keep_firing_for", text(rule.KeepFiringFor), prommodel.Duration(to).String(), fmt.Sprintf("%d of %d firings began within %s of the last end; nine of ten of these pauses were no longer than this", out.Firings.Flapped, out.Firings.Count, human.Duration(flapWithin)))
		}
	}
	quieter(&out, c, rule, find, propose)
	return out, nil
}

// quieter proposes a longer for, or else a lower severity, where nobody had anything to do.
func quieter(out *ReviewedRule, c counted, rule rulefmt.Rule, find func(kind, format string, args ...any), propose func(kind, from, to, why string)) {
	o := out.Outcome
	if o.AutoResolved < few {
		return
	}
	find("auto-resolved", "%d of %d firings that were told ended by themselves, without anybody acting", o.AutoResolved, o.Told)
	longer := roundUp(time.Duration(rule.For) + quantile(c.idle, 0.9))
	hides := longer - time.Duration(rule.For)
	keeps := !slices.ContainsFunc(c.acted, func(d time.Duration) bool { return d <= hides })
	if longer <= maxFor && keeps {
		acted := "nobody acted on any"
		if len(c.acted) > 0 {
			acted = fmt.Sprintf("all %d on which somebody acted lasted longer and would have been told", len(c.acted))
		}
		propose("for", text(rule.For), prommodel.Duration(longer).String(), fmt.Sprintf("nine of ten of the %d firings that ended by themselves would not have been told; %s", o.AutoResolved, acted))
		return
	}
	if o.ActedOn == 0 && o.Told >= few+2 && model.Wakes(out.Severity) {
		find("never-acted-on", "it woke people %d times, and nobody acted on any", o.Told)
		propose("severity", out.Severity, "warning", fmt.Sprintf("it woke people %d times, and nobody acted on any", o.Told))
	}
}

// counted are times of firings that are over.
type counted struct{ idle, acted, pauses []time.Duration }

func count(out *ReviewedRule, mine []*episode) (c counted) {
	last := map[string]*episode{}
	for _, e := range mine {
		lasted := e.end.Sub(e.start) + step
		out.Firings.Count++
		out.Firings.Seconds += lasted.Seconds()
		out.Firings.Last = e.start.Format(time.RFC3339)
		key := fmt.Sprint(e.labels)
		if before := last[key]; before != nil {
			if pause := e.start.Sub(before.end); pause <= flapWithin {
				out.Firings.Flapped++
				c.pauses = append(c.pauses, pause)
			}
		}
		last[key] = e
		if e.told {
			out.Outcome.Told++
		} else {
			out.Outcome.Quiet++
		}
		switch {
		case e.acted:
			out.Outcome.ActedOn++
			c.acted = append(c.acted, lasted)
		case e.open:
			out.Outcome.Open++
		case e.told:
			out.Outcome.AutoResolved++
			c.idle = append(c.idle, lasted)
		}
	}
	return c
}

// of are the firings of a rule: two rules may have one name, and differ in labels.
func (h *history) of(rule rulefmt.Rule) (out []*episode) {
	for _, e := range h.episodes[rule.Alert] {
		if s, static := rule.Labels["severity"]; !static || e.labels["severity"] == s {
			out = append(out, e)
		}
	}
	return out
}

// missed counts the times in which a budget of the rule's service burned and it did not fire.
func (h *history) missed(rule rulefmt.Rule, mine []*episode) (n int) {
	services := map[string]bool{}
	if s := rule.Labels["service"]; s != "" {
		services[s] = true
	}
	for _, e := range mine {
		services[e.labels.Own("service")] = true
	}
	delete(services, "")
	for service := range services {
		for _, b := range h.burns[service] {
			if !slices.ContainsFunc(mine, func(e *episode) bool {
				return e.labels.Own("service") == service && !e.start.After(b.end.Add(flapWithin)) && !e.end.Before(b.start.Add(-flapWithin))
			}) {
				n++
			}
		}
	}
	return n
}

// together are the rules that fire while this one does.
func (h *history) together(rule rulefmt.Rule, mine []*episode) []RuleCoincident {
	out := []RuleCoincident{}
	var all time.Duration
	for _, e := range mine {
		all += e.end.Sub(e.start) + step
	}
	for name, others := range h.episodes {
		if name == rule.Alert || name == "Watchdog" || len(mine) < few || len(others) < few {
			continue
		}
		var both time.Duration
		for _, e := range mine {
			both += e.within(others)
		}
		if share := both.Seconds() / all.Seconds(); share >= together {
			out = append(out, RuleCoincident{name, math.Round(share*1000) / 1000})
		}
	}
	slices.SortFunc(out, func(a, b RuleCoincident) int { return int(math.Copysign(1, b.Share-a.Share)) })
	return out
}

// within is how much of a firing lies in others of the same service.
func (e *episode) within(others []*episode) time.Duration {
	minutes := 0
	for at := e.start; !at.After(e.end); at = at.Add(step) {
		if slices.ContainsFunc(others, func(o *episode) bool {
			return o.labels.Own("service") == e.labels.Own("service") && !at.Before(o.start) && !at.After(o.end)
		}) {
			minutes++
		}
	}
	return time.Duration(minutes) * step
}

// duplicate says whether a rule tells nothing of its own: whenever it fires, one that is at least as severe fires for the same
// service. Of two that tell the same, the one whose name comes later goes.
func duplicate(out ReviewedRule, h *history, rule rulefmt.Rule) string {
	mine := h.of(rule)
	for _, t := range out.Together {
		others := h.episodes[t.Alert]
		more := severe(others[0].labels["severity"]) - severe(out.Severity)
		var all, both time.Duration
		for _, e := range others {
			all += e.end.Sub(e.start) + step
			both += e.within(mine)
		}
		same := both.Seconds() >= together*all.Seconds()
		if more < 0 || more == 0 && same && rule.Alert < t.Alert {
			continue
		}
		return fmt.Sprintf("%s fired for the same service in %s of the time in which it did, and is no less severe", t.Alert, human.Percent(t.Share))
	}
	return ""
}

func severe(s string) int {
	switch {
	case model.Wakes(s):
		return 2
	case s == "warning":
		return 1
	}
	return 0
}

// stale are the selectors of a rule that found nothing in the period; none for one that waits for something to be absent.
func (r *Room) stale(ctx context.Context, h *history, rule rulefmt.Rule) ([]string, error) {
	expr, err := rules.ParseExpr(rule.Expr)
	if err != nil {
		return []string{}, nil //nolint:nilerr // of a feature that is off here: nothing is known of it
	}
	gone, absent := []string{}, false
	var selectors []string
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.Call:
			absent = absent || n.Func.Name == "absent" || n.Func.Name == "absent_over_time"
		case *parser.BinaryExpr:
			absent = absent || n.Op == parser.LUNLESS || n.Op == parser.LOR
		case *parser.VectorSelector:
			selectors = append(selectors, (&parser.VectorSelector{Name: n.Name, LabelMatchers: n.LabelMatchers}).String())
		}
		return nil
	})
	if absent {
		return gone, nil
	}
	slices.Sort(selectors)
	for _, s := range slices.Compact(selectors) {
		found, err := r.deps.Querier.Instant(ctx, fmt.Sprintf("count(present_over_time(%s[%ds]))", s, int(h.to.Sub(h.from).Seconds())), h.to)
		if err != nil {
			return gone, fmt.Errorf("look for series of %s: %w", rule.Alert, err)
		}
		if len(found) == 0 {
			gone = append(gone, s)
		}
	}
	return gone, nil
}

// quantile of times, 0 of none.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(list))
	return s[min(int(math.Ceil(q*float64(len(s))))-1, len(s)-1)]
}

// roundUp is a time that people write.
func roundUp(d time.Duration) time.Duration {
	for _, minutes := range []int{1, 2, 3, 5, 10, 15, 20, 30, 45, 60} {
		if m := time.Duration(minutes) * time.Minute; d <= m {
			return m
		}
	}
	return d.Truncate(time.Hour) + time.Hour
}

func text(d prommodel.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}
