package judgement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
)

// doubt is why a SLO cannot be judged, and what to do about it.
type doubt struct {
	kind           model.SLODoubt
	reason, action string
}

// mistrust says why what was Measured cannot be judged, nil when it can: no burn rate counts then,
// however high.
func mistrust(limits Limits, d *definition.Definition, m Measured) *doubt {
	stale := time.Duration(limits.StaleAfter)
	switch {
	case m.Err != nil:
		return &doubt{model.DoubtFailing, fmt.Sprintf("Its query fails: %v.", m.Err), "Mend the query in " + d.File + " or free the metrics store; the verdict returns by itself."}
	case m.Fault != nil && m.Fault.Kind == indicator.UnknownMetric:
		return &doubt{model.DoubtNoData, "No data has been seen within " + WindowWords(d) + ". " + m.Fault.Reason(), m.Fault.Cure() + " The query stands in " + d.File + "."}
	case m.Fault != nil && m.Fault.Kind == indicator.NativeHistogram:
		return &doubt{model.DoubtNoData, m.Fault.Reason(), m.Fault.Cure() + " The query stands in " + d.File + "."}
	case m.Fault != nil:
		return &doubt{model.DoubtImpossible, m.Fault.Reason(), m.Fault.Cure() + " The query stands in " + d.File + "."}
	case m.NoGood:
		return &doubt{model.DoubtUnmatched, "The query of good events has matched nothing in the whole window, while there were " + human.Number(m.Budget.Total) + " events in all.", "Check the selector of the good events in " + d.File + "."}
	case m.Loaded == 0:
		return &doubt{model.DoubtReading, "Its history is being read.", "Wait a few seconds."}
	case m.Outside > 0 && m.Budget.Minutes == 0 && m.Felt.Minutes > 0:
		return &doubt{model.DoubtCorrected, "Corrections take out everything that was measured in the window.", "Wait, or remove a correction that is too long."}
	case m.LastData.IsZero() || m.Budget.Minutes == 0 && (d.Calendar == nil || m.History == 0):
		return &doubt{model.DoubtNoData, "No data has been seen within " + WindowWords(d) + ".", "Check that " + d.Service + " sends what the query selects: " + dataQuery(d)}
	case m.Now.Sub(m.LastData) > stale:
		return &doubt{model.DoubtStale, fmt.Sprintf("The newest data is %s old (limit %s).", human.Duration(m.Now.Sub(m.LastData)), human.Duration(stale)), "Check that " + d.Service + " runs and that its telemetry arrives."}
	}
	return nil
}

// thin says why there is too little to judge a SLO by that is not burning: for a
// burn alert the table says how much is enough.
func thin(limits Limits, d *definition.Definition, m Measured) *doubt {
	if age := max(m.Age, m.History); age < time.Duration(limits.MinData) {
		return &doubt{model.DoubtYoung, fmt.Sprintf("There are only %s of data so far; it is judged from %s on.", human.Duration(age), human.Duration(time.Duration(limits.MinData))), "Wait."}
	}
	begun := d.Calendar != nil && m.Now.Sub(m.Start) < time.Duration(limits.MinData) // a new budget is whole
	switch allowed := BudgetOf(d, m).Allowed; {
	case m.Idle != "" && !begun:
		return &doubt{model.DoubtFewEvents, fmt.Sprintf("Its part %s has counted no event within %s, neither good nor bad.", m.Idle, WindowWords(d)), "Send it traffic, synthetic if need be, or take the part out."}
	case d.Method != "occurrences" || m.Budget.Total <= 0 && begun:
	case m.Budget.Total <= 0:
		return &doubt{model.DoubtFewEvents, "No event has been counted within " + WindowWords(d) + ", neither good nor bad.", "Check that " + d.Service + " has traffic and that the query counts it, or add synthetic traffic: " + dataQuery(d)}
	case !budget.Reaches(allowed, limits.MinAllowedEvents):
		return &doubt{
			model.DoubtFewEvents,
			fmt.Sprintf("Too few events to judge: %s in %s would allow %s bad ones (at least %s are needed).", human.Number(m.Budget.Total), human.Duration(m.Age), human.Number(allowed), human.Number(limits.MinAllowedEvents)),
			"Choose a longer window, a lower objective or budgetingMethod Timeslices, or add synthetic traffic.",
		}
	}
	return nil
}

// TooThin reports whether there is too little to judge an SLO by that is not burning.
func TooThin(limits Limits, d *definition.Definition, m Measured) bool {
	return thin(limits, d, m) != nil
}

func dataQuery(d *definition.Definition) string {
	if d.Queries.Total != "" {
		return d.Queries.Total
	}
	return d.Queries.Error
}

// unit names what the budget counts.
func unit(d *definition.Definition) string {
	if d.Method == "timeslices" {
		return "minutes"
	}
	return "events"
}

func burningText(d *definition.Definition, s model.SLOStatus, r *Row) (reason, action string) {
	reason = fmt.Sprintf("Burning %s over %s (limit %s): %s of %s %s were bad", human.Times(r.Long.Rate), budget.Spaced(r.Long.Window),
		human.Times(r.Alert.Factor), human.Number(r.LongBad), human.Number(r.Long.Events), unit(d))
	if s.ExhaustedIn != nil {
		reason += fmt.Sprintf("; at the rate of the last hour the budget is gone in %s", human.Seconds(*s.ExhaustedIn))
	}
	reason += "."
	if !r.Firing {
		wait := time.Duration(r.Alert.For)
		reason += fmt.Sprintf(" %s follows at %s if that goes on: it waits for %s.", r.Alert.Title(), r.Since.Add(wait).Format("15:04:05 UTC"), human.Duration(wait))
	}
	switch r.Alert.Effect {
	case definition.EffectPage:
		action = "Find what changed in " + d.Service + " and undo it; hold deployments."
	case definition.EffectWarn:
		action = "Look at failing traces of " + d.Service + " today; deploy with care."
	default:
		action = "Open a ticket for " + d.Service + ": the budget will not last the window."
	}
	return reason, action
}

func exhaustedText(d *definition.Definition, s model.SLOStatus, r *Row) (reason, action string) {
	reason = fmt.Sprintf("The budget of %s (%s) is spent: %s used, %s of %s %s were bad",
		WindowWords(d), human.Exact(minutes(s.Budget.Minutes)), human.Percent(s.Budget.UsedRatio), human.Number(s.Budget.Bad), human.Number(s.Budget.Total), unit(d))
	if r != nil {
		reason += fmt.Sprintf("; still burning %s over %s", human.Times(r.Long.Rate), budget.Spaced(r.Long.Window))
	}
	return reason + ".", "Freeze deployments of " + d.Service + " except for repairs until the budget recovers."
}

func okText(d *definition.Definition, s model.SLOStatus) (reason, action string) {
	reason = fmt.Sprintf("%s of the budget of %s is left (%s of %s)", human.Percent(s.Budget.LeftRatio), WindowWords(d),
		human.Exact(minutes(s.Budget.Minutes*s.Budget.LeftRatio)), human.Exact(minutes(s.Budget.Minutes)))
	switch used := s.Budget.UsedRatio; {
	case used >= 0.75:
		return reason + ".", "Ship nothing but critical fixes."
	case used >= 0.5:
		return reason + ".", "Release with caution."
	}
	return reason + ".", "Nothing to do."
}

func youngText(d *definition.Definition, m Measured) string {
	return fmt.Sprintf("Data goes back %s of %s; the budget is that of the whole window at the traffic so far.", human.Duration(m.Age), WindowWords(d))
}

// WindowWords is the budget window in words: 28 d, or the calendar month.
func WindowWords(d *definition.Definition) string {
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

// Sort orders SLOs worst first: by state, then by budget left.
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
		return "No SLOs are defined; put OpenSLO files where slo_files points."
	case danger > 0:
		text := fmt.Sprintf("%d of %d %s in danger; worst is %s: %s", danger, len(list), plural(len(list), danger), list[0].DisplayName, lowerFirst(list[0].Reason))
		if unknown > 0 {
			text += fmt.Sprintf(" %d cannot be judged.", unknown)
		}
		return text
	case unknown > 0:
		return fmt.Sprintf("%d of %d SLOs cannot be judged; first is %s: %s", unknown, len(list), list[0].DisplayName, lowerFirst(list[0].Reason))
	case len(list) == 1:
		return "The one SLO is kept."
	}
	return fmt.Sprintf("All %d SLOs are kept.", len(list))
}

func plural(total, danger int) string {
	noun, verb := "SLOs", "are"
	if total == 1 {
		noun = "SLO"
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
