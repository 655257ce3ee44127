package paper

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/cause"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// section is a part of a report as people read it; Markdown and text are made of the same.
type section struct {
	title  string
	lines  []string
	header []string
	rows   [][]string
	none   string // said instead of an empty table
}

// sections is the whole report after its summary, with every column where there is
// room for it.
func sections(r Report, wide bool) []section {
	out := []section{sloSection(r, wide), episodeSection(r), correctionSection(r), trendSection(r)}
	if in := r.Internal; in != nil {
		out = append(out, outcomeSection(in), budgetSection(in), bandSection(r), severitySection(in), pageSection(in), deploySection(in), gateSection(in), platformSection(in))
		out = append(out, section{title: "Not measured", lines: in.NotMeasured})
	}
	return append(out, section{title: "How to read this", lines: r.Notes})
}

// heading says what the report is about.
func heading(r Report) []string {
	state := "complete"
	if !r.Period.Complete {
		state = Length(r.Period.ElapsedMinutes) + " of it have passed"
	}
	lines := []string{
		fmt.Sprintf("Period: %s to %s (%s), %s min, %s.", clock(r.Period.Start), clock(r.Period.End), r.Period.TimeZone, human.Number(r.Period.Minutes), state),
		fmt.Sprintf("Data as of %s. Audience: %s.", r.AsOf.Format("2006-01-02 15:04 MST"), r.Audience),
	}
	var scope []string
	for _, s := range [][2]string{{"service", r.Scope.Service}, {"SLO", r.Scope.SLO}, {"team", r.Scope.Team}} {
		if s[1] != "" {
			scope = append(scope, s[0]+" "+s[1])
		}
	}
	if len(scope) > 0 {
		lines = append(lines, "Only "+strings.Join(scope, ", ")+".")
	}
	return lines
}

func verdictWord(v Verdict) string {
	return map[Verdict]string{
		Met: "met", Missed: "missed", AtRisk: "at risk", OnTrack: "on track", Unknown: "not known",
	}[v]
}

const nothing = "–" // where there is no figure

func achieved(v *float64, objective float64) string {
	if v == nil {
		return nothing
	}
	return Percent(*v, objective)
}

// column is one of the table of SLOs.
type column struct {
	title string
	wide  bool // not for terminals
	text  func(p SLO) string
}

// columns are those of the table of SLOs; what only means something where
// something was counted is a dash elsewhere.
func columns(r Report) []column {
	known := func(text func(p SLO, f Figures) string) func(SLO) string {
		return func(p SLO) string {
			if p.Contract.Achieved == nil {
				return nothing
			}
			return text(p, p.Contract)
		}
	}
	out := []column{
		{"SLO", false, func(p SLO) string { return p.Name }},
		{"What", true, func(p SLO) string { return p.DisplayName }},
		{"Service", true, func(p SLO) string { return p.Service }},
		{"Objective", false, func(p SLO) string { return Target(p.Objective) }},
		{"Achieved", false, func(p SLO) string { return achieved(p.Contract.Achieved, p.Objective) }},
	}
	if slices.ContainsFunc(r.SLOs, func(p SLO) bool { return p.Felt != nil }) {
		out = append(out, column{"Felt by users", false, feltText})
	}
	return append(
		out,
		column{"Verdict", false, func(p SLO) string { return verdictWord(p.Verdict) }},
		column{"Allowed", false, func(p SLO) string { return Length(p.Contract.AllowedMinutes) }},
		column{"Used", false, known(func(_ SLO, f Figures) string { return Length(f.UsedMinutes) })},
		column{"Left", false, known(func(_ SLO, f Figures) string { return Length(f.LeftMinutes) })},
		column{"Bad", true, known(func(p SLO, f Figures) string {
			return fmt.Sprintf("%s of %s %s", human.Number(f.Bad), human.Number(f.Total), p.Unit)
		})},
		column{"Up", true, known(func(_ SLO, f Figures) string { return human.Number(f.UpMinutes) + " min" })},
		column{"Unknown", true, func(p SLO) string { return Length(p.Contract.UnknownMinutes) }},
		column{"Data", false, func(p SLO) string { return Coverage(p.Contract.Coverage) }},
	)
}

func feltText(p SLO) string {
	switch {
	case p.Felt != nil:
		return achieved(p.Felt.Achieved, p.Objective)
	case p.Contract.Achieved == nil:
		return nothing
	}
	return "the same"
}

func sloSection(r Report, wide bool) section {
	s := section{title: "SLOs", none: "There are none."}
	s.rows = make([][]string, len(r.SLOs))
	for _, c := range columns(r) {
		if c.wide && !wide {
			continue
		}
		s.header = append(s.header, c.title)
		for i, p := range r.SLOs {
			s.rows[i] = append(s.rows[i], c.text(p))
		}
	}
	return s
}

func episodeSection(r Report) section {
	s := section{
		title:  "Breaches and downtime",
		header: []string{"From", "To", "Lasted", "SLO", "What", "Worst burn", "Of the budget", "What is known"},
		none:   "No budget burned fast.",
	}
	type dated struct {
		at  time.Time
		row []string
	}
	small, all := 0, []dated{}
	for _, p := range r.SLOs {
		small += p.SmallEpisodes
		for _, e := range p.Episodes {
			what, to, share := "breach", clock(e.End), human.Number(100*e.BudgetRatio)+" %"
			if e.Downtime {
				what = "downtime"
			}
			if e.Ongoing {
				to = "goes on"
			}
			if e.Corrected {
				share = "none: corrected"
			}
			all = append(all, dated{e.Start, []string{clock(e.Start), to, seconds(e.Seconds), p.Name, what, human.Times(e.WorstBurn), share, e.Cause}})
		}
	}
	slices.SortStableFunc(all, func(a, b dated) int { return a.at.Compare(b.at) })
	for _, d := range all {
		s.rows = append(s.rows, d.row)
	}
	if small > 0 {
		s.lines = []string{Plural(small, "smaller one", "smaller ones") + " spent less than 1 % of a budget each and are not listed."}
		if len(s.rows) == 0 {
			s.none = ""
		}
	}
	return s
}

func correctionSection(r Report) section {
	s := section{
		title:  "Corrections",
		header: []string{"SLO", "Kind", "From", "To", "Of the period", "Author", "Reason", "Effect on the budget used"},
		none:   "Nothing was taken out.",
	}
	zone := r.Period.Start.Location()
	for _, p := range r.SLOs {
		for _, c := range p.Corrections {
			effect := "none"
			switch {
			case c.BudgetPoints > 0:
				effect = human.Number(c.BudgetPoints) + " points less"
			case c.BudgetPoints < 0:
				effect = human.Number(-c.BudgetPoints) + " points more"
			}
			s.rows = append(s.rows, []string{
				p.Name, c.Kind, clock(c.Start.In(zone)), clock(c.End.In(zone)), Length(c.Minutes), c.Author, reasonText(c), effect,
			})
		}
	}
	return s
}

// reasonText says first that it may not be the author's.
func reasonText(c Correction) string {
	if c.Tampered == "" {
		return c.Reason
	}
	return strings.ToUpper(model.Suspicion(c.Tampered)) + " (" + c.Tampered + "): " + c.Reason
}

// trendSection leaves out periods from before there was anything.
func trendSection(r Report) section {
	if len(r.SLOs) == 0 || len(r.SLOs[0].Trend) < 2 {
		return section{}
	}
	n := len(r.SLOs[0].Trend)
	first := n - 1
	for _, p := range r.SLOs {
		if i := slices.IndexFunc(p.Trend, func(t Trend) bool { return t.Achieved != nil }); i >= 0 {
			first = min(first, i)
		}
	}
	s := section{title: "Trend", header: []string{"SLO", "Objective"}}
	if first == n-1 {
		s.none = "Nothing is known of the periods before."
		return s
	}
	for _, t := range r.SLOs[0].Trend[first:] {
		s.header = append(s.header, t.Name)
	}
	for _, p := range r.SLOs {
		row := []string{p.Name, Target(p.Objective)}
		for _, t := range p.Trend[first:] {
			row = append(row, trendCell(t, p.Objective))
		}
		s.rows = append(s.rows, row)
	}
	return s
}

func trendCell(t Trend, objective float64) string {
	switch {
	case t.Achieved == nil:
		return "no data"
	case t.Verdict == Missed:
		return Percent(*t.Achieved, objective) + " missed"
	case t.Verdict == Unknown:
		return fmt.Sprintf("%s (data for %s)", Percent(*t.Achieved, objective), Coverage(t.Coverage))
	}
	return Percent(*t.Achieved, objective)
}

func outcomeSection(in *Internal) section {
	o := in.Outcomes
	s := section{title: "Outcomes"}
	if o.Uptime != nil {
		s.lines = append(s.lines, fmt.Sprintf("Uptime of what is watched: %s, the mean of %s about errors; the target is %s.",
			Percent(*o.Uptime, o.UptimeTarget), Plural(o.SLOs, "SLO", "SLOs"), Target(o.UptimeTarget)))
	}
	return section{title: s.title, lines: append(s.lines, changeText("detect", o.Detect), changeText("resolve", o.Resolve))}
}

func changeText(what string, c Change) string {
	if c.MeanSeconds == nil {
		return "Mean time to " + what + ": not known of any page."
	}
	text := fmt.Sprintf("Mean time to %s: %s, known of %s", what, seconds(*c.MeanSeconds), Plural(c.Known, "page", "pages"))
	switch {
	case c.Change == nil:
		return text + "; nothing is known of the period before."
	case *c.Change <= 0:
		return fmt.Sprintf("%s; %s less than the %s of the period before.", text, human.Percent(-*c.Change), seconds(*c.BeforeSeconds))
	}
	return fmt.Sprintf("%s; %s more than the %s of the period before.", text, human.Percent(*c.Change), seconds(*c.BeforeSeconds))
}

func budgetSection(in *Internal) section {
	s := section{title: "What spent the budgets", header: []string{"Service", "SLO", "Kind", "Used", "Allowed for all kinds", "Of the budget"}, none: "Nothing is known."}
	for _, b := range in.Budgets {
		kind := map[string]string{"slow": "too slow", "downtime": "downtime", "errors": "errors", "other": "other"}[b.Kind]
		s.rows = append(s.rows, []string{b.Service, b.SLO, kind, Length(b.UsedMinutes), Length(b.AllowedMinutes), human.Number(100*b.UsedRatio) + " %"})
	}
	return s
}

func bandSection(r Report) section {
	s := section{
		title: "Budget bands", lines: []string{"By the window that each SLO is watched over, as the gate sees it, hour by hour."},
		header: []string{"When", "SLO", "Window", "Band", "Budget used"}, none: "None is known.",
	}
	for _, p := range r.SLOs {
		for _, b := range p.Bands {
			s.rows = append(s.rows, []string{clock(b.Time), p.Name, p.Window, b.Band, human.Number(100*b.Used) + " %"})
		}
	}
	return s
}

func severitySection(in *Internal) section {
	s := section{
		title: "Pages", header: []string{"Severity", "Pages", "Time to detect", "Time to acknowledge", "Time to resolve"}, none: "Nobody was notified.",
		lines: []string{fmt.Sprintf("%s woke somebody, %s a week; the target is about %s.", Plural(in.Pages.Pages, "page", "pages"), human.Number(in.Pages.PerWeek), human.Number(in.Pages.TargetPerWeek))},
	}
	for _, v := range in.Pages.Severities {
		s.rows = append(s.rows, []string{v.Severity, strconv.Itoa(v.Pages), spanText(v.Detect, v.Pages), spanText(v.Acknowledge, v.Pages), spanText(v.Resolve, v.Pages)})
	}
	return s
}

func spanText(s Span, of int) string {
	text := "known of none"
	if s.Known > 0 {
		text = fmt.Sprintf("mean %s, worst %s (of %d)", seconds(*s.MeanSeconds), seconds(*s.WorstSeconds), s.Known)
	}
	if s.TargetSeconds != nil {
		text += fmt.Sprintf("; %d of %d within %s", s.InTime, of, seconds(*s.TargetSeconds))
	}
	return text
}

func pageSection(in *Internal) section {
	if len(in.Pages.List) == 0 {
		return section{}
	}
	s := section{title: "Every page", header: []string{"When", "Severity", "What", "SLO", "Detected after", "Acknowledged after", "By", "Resolved after"}}
	after := func(v *float64) string {
		if v == nil {
			return nothing
		}
		return seconds(*v)
	}
	for _, p := range in.Pages.List {
		s.rows = append(s.rows, []string{clock(p.Time), p.Severity, p.Title, p.SLO, after(p.DetectSecs), after(p.AckSecs), p.AckedBy, after(p.SolveSecs)})
	}
	if in.Pages.LeftOut > 0 {
		s.lines = []string{fmt.Sprintf("The newest %d; %d more are counted above.", len(s.rows), in.Pages.LeftOut)}
	}
	return s
}

func deploySection(in *Internal) section {
	d := in.Deploys
	s := section{
		title: "Deployments",
		lines: []string{fmt.Sprintf("%s: %d failed, %d rolled back, %d followed by a breach within %s.", Plural(d.Deploys, "deployment", "deployments"), d.Failed, d.RolledBack, d.Breached, Length(cause.Within.Minutes()))},
	}
	if len(d.List) == 0 {
		return s
	}
	s.header = []string{"When", "Service", "Environment", "Version", "By", "What came of it"}
	for _, x := range d.List {
		s.rows = append(s.rows, []string{clock(x.Time), x.Service, x.Environment, x.Version, x.Actor, x.Outcome})
	}
	return s
}

func gateSection(in *Internal) section {
	g := in.Gate
	s := section{
		title: "Deployment gate",
		lines: []string{fmt.Sprintf("%s: %d allowed, %d held, %d blocked, %d insufficient; %d overridden.", Plural(g.Decisions, "decision", "decisions"), g.Allowed, g.Held, g.Blocked, g.Insufficient, g.Overridden)},
	}
	if len(g.List) == 0 {
		return s
	}
	s.header = []string{"When", "Service", "Version", "Verdict", "Why", "Overridden"}
	for _, d := range g.List {
		over := ""
		if d.OverriddenBy != "" {
			over = d.OverriddenBy + ": " + d.OverrideReason
		}
		s.rows = append(s.rows, []string{clock(d.Time), d.Service, d.Version, string(d.Verdict), d.Summary, over})
	}
	if g.LeftOut > 0 {
		s.lines = append(s.lines, fmt.Sprintf("The newest %d that did not simply allow; %d more are counted above.", len(s.rows), g.LeftOut))
	}
	return s
}

func platformSection(in *Internal) section {
	s := section{title: "Signalbox itself"}
	p := in.Platform
	if p == nil {
		s.lines = []string{"Not known: nothing is stored about Signalbox itself in this period."}
		return s
	}
	s.lines = []string{fmt.Sprintf("%s of %s promised since %s: %s recorded, %s not; %s.",
		achieved(p.Achieved, p.Objective), Target(p.Objective), clock(p.Since), Length(p.UpMinutes), Length(p.DownMinutes), verdictWord(p.Verdict))}
	if len(p.Gaps) == 0 {
		return s
	}
	s.header = []string{"Between", "And", "Recorded nothing for"}
	for _, g := range p.Gaps {
		s.rows = append(s.rows, []string{clock(g.Start), clock(g.End), Length(g.Seconds / float64(time.Minute/time.Second))})
	}
	return s
}
