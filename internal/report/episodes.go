package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/report/paper"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// What an episode is.
const (
	episodeBurn  = 6               // a minute that burns as fast belongs to one
	episodePause = 5 * time.Minute // that may lie within
	episodeShare = 0.01            // of the period's budget that makes it worth a line
	maxEpisodes  = 100             // lines of an SLO
)

// fillEpisodes lists the times when the budget burned fast.
func (p *sloWork) fillEpisodes() {
	p.out.Episodes = []paper.Episode{}
	var all []paper.Episode
	for _, run := range p.runs(p.period.start, p.end()) {
		all = append(all, p.episode(run))
	}
	var listed []paper.Episode
	for _, e := range all {
		if e.BudgetRatio >= episodeShare-1e-9 || e.Ongoing {
			listed = append(listed, e)
		}
	}
	if len(listed) > maxEpisodes {
		slices.SortStableFunc(listed, func(a, b paper.Episode) int { return cmp.Compare(b.BudgetRatio, a.BudgetRatio) })
		listed = listed[:maxEpisodes]
		slices.SortStableFunc(listed, func(a, b paper.Episode) int { return a.Start.Compare(b.Start) })
	}
	p.out.Episodes = append(p.out.Episodes, listed...)
	p.out.SmallEpisodes = len(all) - len(listed)
}

// minuteOf is a minute of an episode.
type minuteOf struct {
	at   time.Time
	cell ledger.Cell
}

// runs are the minutes of each episode in [from, to).
func (p *sloWork) runs(from, to time.Time) (out [][]minuteOf) {
	p.tl.Hot(from, to, func(at time.Time, c ledger.Cell) {
		if budget.BurnRate(c.Bad, c.Total, p.def.Objective) < episodeBurn*(1-1e-9) && 2*c.Bad < c.Total {
			return
		}
		m := minuteOf{at, c}
		if n := len(out); n > 0 {
			if last := out[n-1][len(out[n-1])-1]; at.Sub(last.at.Add(time.Minute)) <= episodePause {
				out[n-1] = append(out[n-1], m)
				return
			}
		}
		out = append(out, []minuteOf{m})
	})
	return out
}

func (p *sloWork) episode(run []minuteOf) paper.Episode {
	e := paper.Episode{Start: run[0].at.In(p.req.Zone), End: run[len(run)-1].at.Add(time.Minute).In(p.req.Zone)}
	e.Seconds = e.End.Sub(e.Start).Seconds()
	e.Ongoing = p.end().Sub(e.End) <= episodePause && p.asOf.Equal(p.end())
	var bad, excluded float64
	for _, m := range run {
		bad += m.cell.Bad
		if p.excluded(m.at) {
			excluded += m.cell.Bad
		}
		if burn := budget.BurnRate(m.cell.Bad, m.cell.Total, p.def.Objective); burn > e.WorstBurn {
			e.WorstBurn, e.WorstAt = burn, m.at.In(p.req.Zone)
		}
		e.Downtime = e.Downtime || p.down(m.cell)
	}
	e.WorstBurn = paper.Tidy(e.WorstBurn)
	e.Corrected = excluded >= bad*(1-1e-9)
	e.Bad = paper.Tidy(bad - excluded)
	if e.Corrected {
		e.Bad = paper.Tidy(bad)
	}
	if p.out.Contract.Allowed > 0 {
		e.BudgetRatio = paper.Tidy(e.Bad / p.out.Contract.Allowed)
	}
	e.Cause, e.Version = p.cause(e, excluded > 0)
	return e
}

// down reports whether a minute counts as downtime: slow or late is not down.
func (p *sloWork) down(c ledger.Cell) bool { return p.out.Kind == kindErrors && 2*c.Bad >= c.Total }

// excluded reports whether a minute does not count; of a composite, whether
// it does not for one of its parts.
func (p *sloWork) excluded(at time.Time) bool {
	return slices.ContainsFunc(p.parts, func(c counted) bool {
		return slices.ContainsFunc(c.holes, func(h hole) bool { return !at.Before(h.from) && at.Before(h.to) })
	})
}

// fixes are the SLO's corrections, or those of its parts, of those by SLO.
func (p *sloWork) fixes(of map[string][]model.SLOCorrection) []model.SLOCorrection {
	list := slices.Clone(of[p.def.Whole()])
	for _, part := range p.def.Parts {
		list = append(list, of[part.Definition.Name]...)
	}
	return list
}

// cause is what is known: the reason of a correction that reaches into it, and the change right
// before it. A rollback counts only where nothing was released: it answers what
// went wrong before.
func (p *sloWork) cause(e paper.Episode, corrected bool) (text, version string) {
	var parts []string
	if corrected {
		for _, c := range p.fixes(p.corrections) {
			if c.Start.Before(e.End) && c.End.After(e.Start) {
				parts = append(parts, fmt.Sprintf("%s (%s): %s", c.Kind, c.Author, c.Reason))
			}
		}
	}
	symptom := cause.Symptom{Service: p.def.Service, Environment: p.def.Environment, Since: e.Start, Until: e.End, At: p.asOf, Window: episodePause}
	if e.Ongoing {
		symptom.Until = time.Time{}
	}
	if c := cause.Of(symptom, cause.Facts{Changes: p.deploys}); c.Change != nil {
		parts = append(parts, rightAfter(c.Change, e.Start))
		version = c.Change.Version
	}
	return strings.Join(parts, "; "), version
}

func rightAfter(d *model.Deploy, onset time.Time) string {
	what := "version " + d.Version + " was deployed"
	switch d.Kind {
	case "rollback":
		what = "it was rolled back to " + d.Version
	case "config":
		what = "the configuration was changed to " + d.Version
	case "remediation":
		what = "a remedy set " + d.Version
	}
	gap := onset.Sub(d.Time).Round(time.Minute)
	if gap <= 0 {
		return "right when " + what
	}
	return fmt.Sprintf("%s after %s", paper.Length(gap.Minutes()), what)
}

// onset is when the episode began that a time lies in, or that ended shortly before it.
func (p *sloWork) onset(at time.Time) (time.Time, bool) {
	for _, b := range slices.Backward(p.bursts) {
		if !b[0].After(at) {
			return b[0], at.Sub(b[1]) <= detectWithin
		}
	}
	return time.Time{}, false
}

// detectWithin is how long after an SLO's last bad minute a page can still
// be about it.
const detectWithin = 30 * time.Minute
