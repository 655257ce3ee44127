package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/signalbox-project/signalbox/internal/report/paper"
)

// report puts the SLOs together.
func (w *work) report(slos []*sloWork) paper.Report {
	end := w.end()
	out := paper.Report{
		Title: "Service levels, " + w.period.name, Audience: w.req.Audience, AsOf: w.known.In(w.req.Zone),
		Period: paper.Period{
			Name: w.period.name, Start: w.period.start, End: w.period.end, TimeZone: w.req.Zone.String(),
			Minutes: w.period.end.Sub(w.period.start).Minutes(), ElapsedMinutes: end.Sub(w.period.start).Minutes(), Complete: !w.period.end.After(w.asOf),
		},
		Scope: paper.Scope{Service: w.req.Service, SLO: w.req.SLO, Team: w.req.Team},
		Notes: w.notes(), SLOs: []paper.SLO{},
	}
	for _, p := range slos {
		out.Counts.SLOs++
		switch p.out.Verdict {
		case paper.Met:
			out.Counts.Met++
		case paper.Missed:
			out.Counts.Missed++
		case paper.AtRisk:
			out.Counts.AtRisk++
		case paper.OnTrack:
			out.Counts.OnTrack++
		default:
			out.Counts.Unknown++
		}
		out.SLOs = append(out.SLOs, p.out)
	}
	slices.SortStableFunc(out.SLOs, func(a, b paper.SLO) int {
		return cmp.Or(paper.Rank(a.Verdict)-paper.Rank(b.Verdict), cmp.Compare(a.Name, b.Name))
	})
	out.Summary = w.summary(out.Counts, out.SLOs)
	return out
}

func (w *work) notes() []string {
	notes := []string{
		"Every SLO is judged over the whole period, whatever window it is watched over from day to day.",
		"Minutes are minutes of full outage: the share of bad events times the time with data.",
		fmt.Sprintf("Time without data is neither good nor bad. With data for less than %s of the time an SLO is not called met.", paper.Target(minCoverage)),
		"Achieved is the contractual number: without what corrections take out. What users felt stands beside it where the two differ.",
		fmt.Sprintf("An episode is a time in which the budget burned at least %d times too fast; it is listed if it spent 1 %% of the budget or goes on.", episodeBurn),
	}
	notes = append(notes, w.unsaid...)
	if !w.internal() {
		notes = append(notes, "How fast support answers is not measured here.")
	}
	if !w.period.end.After(w.asOf) {
		return notes
	}
	return append(notes, fmt.Sprintf("The period is not over: figures are as of %s.", w.stamp(w.asOf)))
}
