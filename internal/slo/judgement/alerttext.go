package judgement

import (
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

// AlertText is what a person reads first of a burn alert, with the query behind it; errors is the error ratio over the
// long window.
func AlertText(d *definition.Definition, s model.SLOStatus, b definition.BurnAlert, now time.Time) (text model.Labels, errors float64) {
	long := budget.Window(time.Duration(b.Long))
	text = alertWords(d, s, b, now)
	text["query"] = s.ErrorRatioQuery(long)
	return text, burnIn(s, long) * d.ErrorBudget()
}

func alertWords(d *definition.Definition, s model.SLOStatus, b definition.BurnAlert, now time.Time) model.Labels {
	long, short, factor := budget.Window(time.Duration(b.Long)), budget.Window(b.ShortWindow()), d.FactorAt(b, now)
	rest := fmt.Sprintf("objective %s over %s, %s. %s %s",
		human.Percent(d.Objective), WindowWords(d), leftWords(s.Budget), s.Reason, s.Action)
	switch {
	case b.NoData:
		return model.Labels{"summary": d.DisplayName + " has no data", "description": "Nobody can vouch for it; " + rest}
	case b.Name == AlertTrickle:
		return model.Labels{
			"summary": d.DisplayName + " fails a few at a time", "threshold": fmt.Sprint(factor),
			"description": "It has few events, and too many of them are bad for chance; " + rest,
		}
	}
	rate := burnIn(s, long)
	return model.Labels{
		"summary": fmt.Sprintf("%s burns its budget %s over %s", d.DisplayName, human.Times(rate), budget.Spaced(long)),
		"description": fmt.Sprintf("%s over %s and %s over %s (limit %s); %s",
			human.Times(rate), budget.Spaced(long), human.Times(burnIn(s, short)), budget.Spaced(short), human.Times(factor), rest),
		"threshold": fmt.Sprint(factor),
	}
}

func leftWords(b model.Budget) string {
	if b.Unknown {
		return "how much of the budget is left is not known"
	}
	return human.Percent(b.LeftRatio) + " of the budget left"
}

func burnIn(s model.SLOStatus, window string) float64 {
	for _, b := range s.Burn {
		if b.Window == window {
			return b.Rate
		}
	}
	return 0
}
