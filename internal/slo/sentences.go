package slo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
)

// doubt is why a promise cannot be judged, and what to do about it.
type doubt struct {
	kind           model.SLODoubt
	reason, action string
}

// mistrust says why what was measured cannot be judged, nil when it can: no burn rate counts then,
// however high.
func mistrust(cfg Config, d *Definition, m measured) *doubt {
	stale := time.Duration(cfg.StaleAfter)
	switch {
	case m.err != nil:
		return &doubt{model.DoubtFailing, fmt.Sprintf("Its query fails: %v.", m.err), "Mend the query in " + d.File + " or free the metrics store; the verdict returns by itself."}
	case m.fault != nil && m.fault.Kind == indicator.UnknownMetric:
		return &doubt{model.DoubtNoData, "No data has been seen within " + windowWords(d) + ". " + m.fault.Reason(), m.fault.Cure() + " The query stands in " + d.File + "."}
	case m.fault != nil && m.fault.Kind == indicator.NativeHistogram:
		return &doubt{model.DoubtNoData, m.fault.Reason(), m.fault.Cure() + " The query stands in " + d.File + "."}
	case m.fault != nil:
		return &doubt{model.DoubtImpossible, m.fault.Reason(), m.fault.Cure() + " The query stands in " + d.File + "."}
	case m.noGood:
		return &doubt{model.DoubtUnmatched, "The query of good events has matched nothing in the whole window, while there were " + human.Number(m.budget.Total) + " events in all.", "Check the selector of the good events in " + d.File + "."}
	case m.loaded == 0:
		return &doubt{model.DoubtReading, "Its history is being read.", "Wait a few seconds."}
	case m.outside > 0 && m.budget.Minutes == 0 && m.felt.Minutes > 0:
		return &doubt{model.DoubtCorrected, "Corrections take out everything that was measured in the window.", "Wait, or remove a correction that is too long."}
	case m.lastData.IsZero() || m.budget.Minutes == 0 && (d.Calendar == nil || m.history == 0):
		return &doubt{model.DoubtNoData, "No data has been seen within " + windowWords(d) + ".", "Check that " + d.Service + " sends what the query selects: " + dataQuery(d)}
	case m.now.Sub(m.lastData) > stale:
		return &doubt{model.DoubtStale, fmt.Sprintf("The newest data is %s old (limit %s).", human.Duration(m.now.Sub(m.lastData)), human.Duration(stale)), "Check that " + d.Service + " runs and that its telemetry arrives."}
	}
	return nil
}

// thin says why there is too little to judge a promise by that is not burning: for a
// burn alert the table says how much is enough.
func thin(cfg Config, d *Definition, m measured) *doubt {
	if age := max(m.age, m.history); age < time.Duration(cfg.MinData) {
		return &doubt{model.DoubtYoung, fmt.Sprintf("There are only %s of data so far; it is judged from %s on.", human.Duration(age), human.Duration(time.Duration(cfg.MinData))), "Wait."}
	}
	begun := d.Calendar != nil && m.now.Sub(m.start) < time.Duration(cfg.MinData) // a new budget is whole
	switch allowed := budgetOf(d, m).Allowed; {
	case m.idle != "" && !begun:
		return &doubt{model.DoubtFewEvents, fmt.Sprintf("Its part %s has counted no event within %s, neither good nor bad.", m.idle, windowWords(d)), "Send it traffic, synthetic if need be, or take the part out."}
	case d.Method != "occurrences" || m.budget.Total <= 0 && begun:
	case m.budget.Total <= 0:
		return &doubt{model.DoubtFewEvents, "No event has been counted within " + windowWords(d) + ", neither good nor bad.", "Check that " + d.Service + " has traffic and that the query counts it, or add synthetic traffic: " + dataQuery(d)}
	case allowed < cfg.MinAllowedEvents:
		return &doubt{
			model.DoubtFewEvents,
			fmt.Sprintf("Too few events to judge: %s in %s would allow %s bad ones (at least %s are needed).", human.Number(m.budget.Total), human.Duration(m.age), human.Number(allowed), human.Number(cfg.MinAllowedEvents)),
			"Choose a longer window, a lower objective or budgetingMethod Timeslices, or add synthetic traffic.",
		}
	}
	return nil
}

func dataQuery(d *Definition) string {
	if d.Queries.Total != "" {
		return d.Queries.Total
	}
	return d.Queries.Error
}

// unit names what the budget counts.
func unit(d *Definition) string {
	if d.Method == "timeslices" {
		return "minutes"
	}
	return "events"
}

func burningText(d *Definition, s model.SLOStatus, r *burnRow) (reason, action string) {
	reason = fmt.Sprintf("Burning %s over %s (limit %s): %s of %s %s were bad", human.Times(r.long.Rate), budget.Spaced(r.long.Window),
		human.Times(r.alert.Factor), human.Number(r.longBad), human.Number(r.long.Events), unit(d))
	if s.ExhaustedIn != nil {
		reason += fmt.Sprintf("; at the rate of the last hour the budget is gone in %s", human.Seconds(*s.ExhaustedIn))
	}
	reason += "."
	if !r.firing {
		wait := time.Duration(r.alert.For)
		reason += fmt.Sprintf(" %s follows at %s if that goes on: it waits for %s.", r.alert.Title(), r.since.Add(wait).Format("15:04:05 UTC"), human.Duration(wait))
	}
	switch r.alert.Effect {
	case EffectPage:
		action = "Find what changed in " + d.Service + " and undo it; hold deployments."
	case EffectWarn:
		action = "Look at failing traces of " + d.Service + " today; deploy with care."
	default:
		action = "Open a ticket for " + d.Service + ": the budget will not last the window."
	}
	return reason, action
}

func exhaustedText(d *Definition, s model.SLOStatus, r *burnRow) (reason, action string) {
	reason = fmt.Sprintf("The budget of %s (%s) is spent: %s used, %s of %s %s were bad",
		windowWords(d), human.Exact(minutes(s.Budget.Minutes)), human.Percent(s.Budget.UsedRatio), human.Number(s.Budget.Bad), human.Number(s.Budget.Total), unit(d))
	if r != nil {
		reason += fmt.Sprintf("; still burning %s over %s", human.Times(r.long.Rate), budget.Spaced(r.long.Window))
	}
	return reason + ".", "Freeze deployments of " + d.Service + " except for repairs until the budget recovers."
}

func okText(d *Definition, s model.SLOStatus) (reason, action string) {
	reason = fmt.Sprintf("%s of the budget of %s is left (%s of %s)", human.Percent(s.Budget.LeftRatio), windowWords(d),
		human.Exact(minutes(s.Budget.Minutes*s.Budget.LeftRatio)), human.Exact(minutes(s.Budget.Minutes)))
	switch used := s.Budget.UsedRatio; {
	case used >= 0.75:
		return reason + ".", "Ship nothing but critical fixes."
	case used >= 0.5:
		return reason + ".", "Release with caution."
	}
	return reason + ".", "Nothing to do."
}

func youngText(d *Definition, m measured) string {
	return fmt.Sprintf("Data goes back %s of %s; the budget is that of the whole window at the traffic so far.", human.Duration(m.age), windowWords(d))
}

// windowWords is the budget window in words: 28 d, or the calendar month.
func windowWords(d *Definition) string {
	if d.Calendar != nil {
		return "the " + d.Calendar.Words()
	}
	return human.Duration(d.Window)
}

func minutes(m float64) time.Duration { return time.Duration(m * float64(time.Minute)) }

// rank orders states, worst first: what needs a person now, then what
// nobody can vouch for.
func rank(s model.SLOState) int {
	return slices.Index([]model.SLOState{model.SLOExhausted, model.SLOBurning, model.SLOInsufficient, model.SLOOK}, s)
}

// Sort orders promises worst first: by state, then by budget left.
func Sort(list []model.SLOStatus) {
	slices.SortStableFunc(list, func(a, b model.SLOStatus) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), cmp.Compare(a.Budget.LeftRatio, b.Budget.LeftRatio), strings.Compare(a.Name, b.Name))
	})
}

// Summary is one sentence about a list that is sorted worst first.
func Summary(list []model.SLOStatus) string {
	count := map[model.SLOState]int{}
	for _, s := range list {
		count[s.State]++
	}
	danger, unknown := count[model.SLOExhausted]+count[model.SLOBurning], count[model.SLOInsufficient]
	switch {
	case len(list) == 0:
		return "No promises are defined; put OpenSLO files where slo_files points."
	case danger > 0:
		text := fmt.Sprintf("%d of %d %s in danger; worst is %s: %s", danger, len(list), plural(len(list), danger), list[0].DisplayName, lowerFirst(list[0].Reason))
		if unknown > 0 {
			text += fmt.Sprintf(" %d cannot be judged.", unknown)
		}
		return text
	case unknown > 0:
		return fmt.Sprintf("%d of %d promises cannot be judged; first is %s: %s", unknown, len(list), list[0].DisplayName, lowerFirst(list[0].Reason))
	case len(list) == 1:
		return "The one promise is kept."
	}
	return fmt.Sprintf("All %d promises are kept.", len(list))
}

func plural(total, danger int) string {
	noun, verb := "promises", "are"
	if total == 1 {
		noun = "promise"
	}
	if danger == 1 {
		verb = "is"
	}
	return noun + " " + verb
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
