package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/report/paper"
)

// reason is why the SLO has its verdict.
func (p *sloWork) reason() string {
	f, d := p.out.Contract, p.def
	if f.Achieved == nil {
		if f.Coverage == 0 {
			return "There is no data " + p.period.in + "."
		}
		return "Nothing happened that could have been good or bad."
	}
	achieved := fmt.Sprintf("%s achieved of %s promised", paper.Percent(*f.Achieved, d.Objective), paper.Target(d.Objective))
	used := fmt.Sprintf("%s of %s used", paper.Length(f.UsedMinutes), paper.Length(f.AllowedMinutes))
	known := ""
	if f.Coverage < 0.9995 {
		known = fmt.Sprintf("; data for %s of the time", paper.Coverage(f.Coverage))
	}
	switch p.out.Verdict {
	case paper.Missed:
		if f.LeftMinutes < 0 {
			used += fmt.Sprintf(", %s too many", paper.Length(-f.LeftMinutes))
		}
		return fmt.Sprintf("%s: %s%s.", achieved, used, known)
	case paper.AtRisk:
		return fmt.Sprintf("%s so far: %s, %s left; at this rate it will be missed%s.", achieved, used, paper.Length(f.LeftMinutes), known)
	case paper.Unknown:
		return fmt.Sprintf("Data for %s of the time only, %s is unknown: %s in what is known.", paper.Coverage(f.Coverage), paper.Length(f.UnknownMinutes), achieved)
	}
	return fmt.Sprintf("%s: %s, %s left%s.", achieved, used, paper.Length(f.LeftMinutes), known)
}

// named is how many SLOs a summary names of each kind.
const named = 3

// summary answers in a sentence whether the SLOs were kept.
func (w *work) summary(c paper.Counts, list []paper.SLO) string {
	if c.SLOs == 0 {
		if w.req.Service+w.req.Team+w.req.SLO != "" {
			return "No SLO matches what was selected."
		}
		return "No SLOs are in force: name SLO documents in slo_files."
	}
	over := !w.period.end.After(w.asOf)
	kept, when := c.Met, "kept "+w.period.in
	if !over {
		kept, when = c.OnTrack, "on track so far "+w.period.in
	}
	verb := "are"
	switch {
	case over && kept == 1:
		verb = "was"
	case over:
		verb = "were"
	case kept == 1:
		verb = "is"
	}
	parts := []string{fmt.Sprintf("%d of %s %s %s", kept, paper.Plural(c.SLOs, "SLO", "SLOs"), verb, when)}
	by := func(p paper.SLO) string {
		if p.Contract.Points == nil || *p.Contract.Points >= 0 {
			return ""
		}
		return " by " + paper.Points(*p.Contract.Points)
	}
	if c.Missed > 0 {
		parts = append(parts, listed(list, paper.Missed, c.Missed, func(i int, p paper.SLO) string {
			if i == 0 {
				return p.Name + " missed" + by(p)
			}
			return p.Name + by(p)
		}))
	}
	if c.AtRisk > 0 {
		parts = append(parts, listed(list, paper.AtRisk, c.AtRisk, func(i int, p paper.SLO) string {
			if i == 0 {
				return p.Name + " is below its target" + by(p)
			}
			return p.Name + by(p)
		}))
	}
	if c.Unknown > 0 {
		parts = append(parts, unknown(list, c.Unknown))
	}
	return strings.Join(parts, "; ") + "."
}

// unknown says how many SLOs are not known, and how much is known of them.
func unknown(list []paper.SLO, n int) string {
	known := func(p paper.SLO) string {
		if p.Contract.Achieved == nil && p.Contract.Coverage > 0 {
			return "nothing was counted"
		}
		return fmt.Sprintf("data for %s of the time", paper.Coverage(p.Contract.Coverage))
	}
	all := map[string]bool{}
	for _, p := range list {
		if p.Verdict == paper.Unknown {
			all[known(p)] = true
		}
	}
	verb := "are"
	if n == 1 {
		verb = "is"
	}
	text := listed(list, paper.Unknown, n, func(_ int, p paper.SLO) string {
		if len(all) == 1 && n > 1 {
			return p.Name
		}
		return p.Name + ": " + known(p)
	})
	if len(all) == 1 && n > 1 {
		text += ": " + slices.Sorted(maps.Keys(all))[0]
	}
	return fmt.Sprintf("%d %s not known (%s)", n, verb, text)
}

func listed(list []paper.SLO, v paper.Verdict, n int, text func(i int, p paper.SLO) string) string {
	var out []string
	for _, p := range list {
		if p.Verdict == v && len(out) < named {
			out = append(out, text(len(out), p))
		}
	}
	s := strings.Join(out, ", ")
	if more := n - len(out); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}
