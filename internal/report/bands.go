package report

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/report/paper"
)

// bandStep is how often the budget of the SLO's own window is looked at.
const bandStep = time.Hour

// bandSlack is how far below a band's limit a budget must fall to have left it:
// a rolling window moves both ways by a little all the time.
const bandSlack = 0.01

// fillBands lists the bands of the budget policy that the SLO entered: by its own
// window, as the gate sees it, hour by hour.
func (p *sloWork) fillBands() {
	_, band := p.policies.BandLimits(model.SLOSnapshot{
		Status: model.SLOStatus{Service: p.def.Service, Labels: p.def.Labels}, Environment: p.def.Environment,
	})
	p.out.Bands = []paper.Band{}
	last := ""
	for at := p.period.start; !at.After(p.end()); at = at.Add(bandStep) {
		used, known := p.usedAt(at)
		if !known {
			continue
		}
		if name := band(used); name != last && band(used+bandSlack) != last {
			p.out.Bands = append(p.out.Bands, paper.Band{Time: at, Band: name, Used: paper.Tidy(used)})
			last = name
		}
	}
}

// usedAt is the share of its window's budget that the SLO had used: with
// data younger than the window measured against the whole of it, as live.
func (p *sloWork) usedAt(at time.Time) (used float64, known bool) {
	start, window := at.Add(-p.def.Window), p.def.Window
	if p.def.Calendar != nil {
		begin, end := p.def.Calendar.At(at)
		start, window = begin, end.Sub(begin)
	}
	first, ok := p.tl.Since(start, at)
	if !ok {
		return 0, false
	}
	contract, _, _ := p.sum(first, at)
	_, _, out := p.sum(start, start.Add(window))
	age := at.Sub(first) - outsideOf(p, first, at)
	if contract.Total <= 0 || age <= 0 || window <= out {
		return 0, false
	}
	return budget.BurnRate(contract.Bad, contract.Total, p.def.Objective) * float64(age) / float64(window-out), true
}

func outsideOf(p *sloWork, from, to time.Time) time.Duration {
	_, _, out := p.sum(from, to)
	return out
}
