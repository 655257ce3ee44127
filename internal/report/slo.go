package report

import (
	"context"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/report/archive"
	"github.com/signalbox-project/signalbox/internal/report/paper"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// minCoverage is how much of the elapsed time must have data for an SLO to
// be called met. Below it the answer is unknown, unless what is known broke it.
const minCoverage = 0.95

// sloWork is one SLO under way.
type sloWork struct {
	*work
	def   *slo.Definition
	tl    *archive.Timeline
	parts []counted // of a composite, or the SLO itself
	out   paper.SLO

	// For the internal report:
	bursts  [][2]time.Time // first and last hot minute of every episode since the period before
	budgets []paper.Budget
}

// counted is a timeline and what does not count of it.
type counted struct {
	tl    *archive.Timeline
	holes []hole
}

// hole is a span of time that corrections take out; those that touch are one.
type hole struct{ from, to time.Time }

func holesOf(list []model.SLOCorrection) (out []hole) {
	for _, c := range list {
		if n := len(out); n > 0 && !c.Start.After(out[n-1].to) {
			out[n-1].to = times.Later(out[n-1].to, c.End)
			continue
		}
		out = append(out, hole{c.Start, c.End})
	}
	return out
}

// sum is what was counted in [from, to): all of it, and less the holes.
func (c counted) sum(from, to time.Time) (contract, felt ledger.Cell) {
	felt = c.tl.Sum(from, to)
	contract = felt
	for _, h := range c.holes {
		if a, b := times.Later(h.from, from), times.Earlier(h.to, to); b.After(a) {
			contract = contract.Sub(c.tl.Sum(a, b))
		}
	}
	return ledger.Cell{Bad: max(contract.Bad, 0), Total: max(contract.Total, 0), Minutes: max(contract.Minutes, 0)}, felt
}

// sloWork makes one SLO's part of the report.
func (w *work) sloWork(ctx context.Context, d *slo.Definition) (*sloWork, error) {
	p := &sloWork{work: w, def: d, out: describe(d)}
	from := w.trend[0].start
	if w.internal() { // the bands need the window before
		from = times.Earlier(from, w.period.start.Add(-d.Window))
	}
	var err error
	if p.tl, err = w.timeline(ctx, d, d.Whole(), from); err != nil {
		return nil, err
	}
	if len(d.Parts) == 0 {
		p.parts = []counted{{p.tl, holesOf(w.corrections[d.Whole()])}}
	}
	for _, part := range d.Parts {
		tl, err := w.timeline(ctx, part.Definition, part.Definition.Name, from)
		if err != nil {
			return nil, err
		}
		p.parts = append(p.parts, counted{tl, holesOf(w.corrections[part.Definition.Name])})
	}
	p.fill()
	p.tl, p.parts = nil, nil // thousands of them would fill the memory
	return p, nil
}

// timeline is what a definition counted since a time, exact where corrections and the
// period cut quarters of an hour. Where periods before cut them, it is in proportion.
func (w *work) timeline(ctx context.Context, d *slo.Definition, name string, from time.Time) (*archive.Timeline, error) {
	tl, err := w.archive.Load(ctx, d, from, w.end(), w.now, nil)
	if err != nil {
		return nil, err
	}
	cuts := []time.Time{w.period.start, w.end()}
	for _, h := range holesOf(w.corrections[name]) {
		if h.to.After(from) && h.from.Before(w.end()) {
			cuts = append(cuts, h.from, h.to)
		}
	}
	return tl, w.archive.Refine(ctx, d, tl, w.now, cuts...)
}

func describe(d *slo.Definition) paper.SLO {
	out := paper.SLO{
		Name: d.Name, DisplayName: d.DisplayName, Service: d.Service, Environment: d.Environment, Team: d.Labels["team"],
		Description: strings.TrimSpace(d.Description), Indicator: d.Indicator, Kind: kindOf(d), Objective: d.Objective, Window: d.WindowText(), Unit: "events",
	}
	if d.Method == "timeslices" {
		out.Unit = "minutes"
	}
	return out
}

// The kinds of trouble that spend a budget.
const (
	kindErrors = "errors"
	kindSlow   = "slow"
	kindOther  = "other"
)

// kindOf tells what spends an SLO's budget: its label sli says so, or else its queries do. A
// histogram's bucket counts what is fast enough.
func kindOf(d *slo.Definition) string {
	for _, key := range []string{"sli", "sli_type", "category"} {
		switch strings.ToLower(d.Labels[key]) {
		case "availability", "errors":
			return kindErrors
		case "latency", "slow":
			return kindSlow
		}
	}
	text := d.Queries.Good + d.Queries.Bad + d.Queries.Error
	switch {
	case strings.Contains(text, "le="):
		return kindSlow
	case strings.Contains(text, "le=~"), strings.Contains(text, "histogram_quantile"):
		return kindSlow
	case strings.Contains(text, "status"), strings.Contains(text, "code"), strings.Contains(text, "error"), strings.Contains(text, "fail"), strings.Contains(text, "probe_success"):
		return kindErrors
	}
	return kindOther
}

// sum is what the SLO counted in [from, to), and how much of the time the
// corrections take out.
func (p *sloWork) sum(from, to time.Time) (contract, felt ledger.Cell, out time.Duration) {
	if len(p.def.Parts) == 0 {
		contract, felt = p.parts[0].sum(from, to)
		return contract, felt, outside(p.parts[0].holes, from, to)
	}
	all := [2][]ledger.Cell{}
	for _, part := range p.parts {
		a, b := part.sum(from, to)
		all[0], all[1] = append(all[0], a), append(all[1], b)
		out = max(out, outside(part.holes, from, to))
	}
	return p.def.Compose(all[0]), p.def.Compose(all[1]), out
}

func outside(holes []hole, from, to time.Time) (sum time.Duration) {
	for _, h := range holes {
		if a, b := times.Later(h.from, from), times.Earlier(h.to, to); b.After(a) {
			sum += b.Sub(a)
		}
	}
	return sum
}

// fill makes everything that is said about the SLO.
func (p *sloWork) fill() {
	var corrected bool
	p.out.Contract, p.out.Felt, corrected = p.measure(p.period)
	if !corrected {
		p.out.Felt = nil
	}
	p.out.Verdict = p.judge(p.period, p.out.Contract)
	p.out.Reason = p.reason()
	p.fillEpisodes()
	p.fillCorrections()
	p.out.Trend = []paper.Trend{}
	for _, s := range p.trend {
		f, _, _ := p.measure(s)
		p.out.Trend = append(p.out.Trend, paper.Trend{
			Name: s.name, Start: s.start, End: s.end, Achieved: f.Achieved, Used: f.UsedRatio, Coverage: f.Coverage, Verdict: p.judge(s, f),
		})
	}
	p.out.Days = []paper.Day{}
	bounds := p.period.days(p.end())
	for i := range len(bounds) - 1 {
		f, _, _ := p.measure(span{start: bounds[i], end: bounds[i+1]})
		p.out.Days = append(p.out.Days, paper.Day{Start: bounds[i], Achieved: f.Achieved, UsedMinutes: f.UsedMinutes, Coverage: f.Coverage})
	}
	if p.internal() {
		p.fillBands()
		p.fillBudgets()
		from := p.period.start.Add(-archive.DayWidth)
		if n := len(p.trend); n > 1 {
			from = times.Earlier(from, p.trend[n-2].start)
		}
		for _, run := range p.runs(from, p.end()) {
			p.bursts = append(p.bursts, [2]time.Time{run[0].at, run[len(run)-1].at})
		}
	}
}

// measure is what a period has come to, by contract and as users felt it;
// corrected says whether the two differ in what they count.
func (p *sloWork) measure(s span) (contract paper.Figures, felt *paper.Figures, corrected bool) {
	to := times.Earlier(s.end, p.asOf)
	a, b, gone := p.sum(s.start, to)
	_, _, all := p.sum(s.start, s.end)
	contract = figures(p.def, a, s.end.Sub(s.start)-all, to.Sub(s.start)-gone)
	contract.ExcludedMinutes = paper.Tidy(all.Minutes())
	f := figures(p.def, b, s.end.Sub(s.start), to.Sub(s.start))
	return contract, &f, all > 0
}

// figures does the arithmetic. length is the time that counts in the whole
// period, elapsed that which has passed.
//
// Minutes are of full outage: the bad share times the time with data. Unknown time
// spends nothing and earns nothing: what is left is at most that.
func figures(d *slo.Definition, c ledger.Cell, length, elapsed time.Duration) paper.Figures {
	f := paper.Figures{
		Good: paper.Tidy(c.Total - c.Bad), Bad: paper.Tidy(c.Bad), Total: paper.Tidy(c.Total),
		AllowedMinutes: paper.Tidy(budget.Minutes(d.Objective, length)),
		UnknownMinutes: paper.Tidy(max(0, elapsed.Minutes()-c.Minutes)),
	}
	if elapsed > 0 {
		f.Coverage = paper.Tidy(min(1, c.Minutes/elapsed.Minutes()))
	}
	f.LeftMinutes = f.AllowedMinutes
	if c.Total <= 0 || c.Minutes <= 0 {
		return f
	}
	share := c.Bad / c.Total
	achieved, points := paper.Tidy(1-share), paper.Tidy(100*(1-share-d.Objective))
	f.Achieved, f.Points = &achieved, &points
	used := share * c.Minutes
	f.UsedMinutes, f.LeftMinutes = paper.Tidy(used), paper.Tidy(f.AllowedMinutes-used)
	f.UpMinutes = paper.Tidy(c.Minutes - used)
	f.Allowed = paper.Tidy(d.ErrorBudget() * c.Total * length.Minutes() / c.Minutes)
	if f.AllowedMinutes > 0 {
		ratio := paper.Tidy(used / f.AllowedMinutes)
		f.UsedRatio = &ratio
	}
	return f
}

// judge is the verdict on a period. What is known breaks an SLO however the
// rest went; only with nearly everything known is it called met.
func (p *sloWork) judge(s span, f paper.Figures) paper.Verdict {
	over := !s.end.After(p.asOf)
	switch {
	case f.Achieved == nil:
		return paper.Unknown
	case f.UsedRatio != nil && *f.UsedRatio > 1+1e-9:
		return paper.Missed
	case f.Coverage < minCoverage:
		return paper.Unknown
	case over && *f.Points < -1e-7:
		return paper.Missed
	case over:
		return paper.Met
	case *f.Points < -1e-7:
		return paper.AtRisk
	}
	return paper.OnTrack
}

// fillCorrections says what each correction changed.
func (p *sloWork) fillCorrections() {
	p.out.Corrections = []paper.Correction{}
	for _, c := range p.fixes(p.corrections) {
		a, b := times.Later(c.Start, p.period.start), times.Earlier(c.End, p.period.end)
		if !b.After(a) {
			continue
		}
		one := paper.Correction{SLOCorrection: c, Minutes: paper.Tidy(b.Sub(a).Minutes())}
		if len(p.def.Parts) == 0 && p.out.Felt != nil && p.out.Felt.UsedRatio != nil {
			alone, _ := counted{p.tl, []hole{{c.Start, c.End}}}.sum(p.period.start, p.end())
			length, elapsed := p.period.end.Sub(p.period.start), p.end().Sub(p.period.start)
			f := figures(p.def, alone, length-b.Sub(a), elapsed-max(0, times.Earlier(b, p.end()).Sub(a)))
			if f.UsedRatio != nil {
				one.BudgetPoints = paper.Tidy(100 * (*p.out.Felt.UsedRatio - *f.UsedRatio))
			}
		}
		p.out.Corrections = append(p.out.Corrections, one)
	}
	for _, c := range p.fixes(p.gone) {
		if c.Start.Before(p.period.end) && c.End.After(p.period.start) {
			p.out.Corrections = append(p.out.Corrections, paper.Correction{SLOCorrection: c}) // it takes out nothing
		}
	}
}
