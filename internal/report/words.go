package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// length is minutes as people say them: "44.64 min", "3 h 21 min", "2 d 4 h".
func length(minutes float64) string {
	sign := ""
	if minutes < 0 {
		sign, minutes = "-", -minutes
	}
	switch {
	case minutes == 0:
		return "0 min"
	case minutes < 1:
		return sign + human.Number(60*minutes) + " s"
	case minutes < 60:
		return sign + strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(minutes, 'f', 2, 64), "0"), ".") + " min"
	case minutes < 48*60:
		whole := int(math.Round(minutes))
		return sign + two(whole/60, "h", whole%60, "min")
	}
	hours := int(math.Round(minutes / 60))
	return sign + two(hours/24, "d", hours%24, "h")
}

func two(a int, unit string, b int, smaller string) string {
	if b == 0 {
		return fmt.Sprintf("%d %s", a, unit)
	}
	return fmt.Sprintf("%d %s %d %s", a, unit, b, smaller)
}

// percent is an achieved share: as many digits as tell it from 100 % and from
// its objective, cut and never rounded up, so that 99.8999 % is not 99.9 %.
func percent(achieved, objective float64) string {
	p, o := tidy(100*achieved), 100*objective
	digits := 2
	for _, distance := range []float64{100 - p, math.Abs(p - o)} {
		if distance > 1e-6 {
			digits = max(digits, min(6, 1-int(math.Floor(math.Log10(distance)))))
		}
	}
	scale := math.Pow10(digits)
	s := strconv.FormatFloat(math.Floor(p*scale+1e-6)/scale, 'f', digits, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + " %"
}

// target is an objective: "99.9 %".
func target(objective float64) string {
	return strconv.FormatFloat(math.Round(100*objective*1e9)/1e9, 'f', -1, 64) + " %"
}

// points is a distance in percentage points.
func points(v float64) string { return human.Number(math.Abs(v)) + " points" }

// coverage is a share of time with data: whole percents, and never 100 % unless
// it is nearly so.
func coverage(v float64) string {
	switch {
	case v >= 0.9995:
		return "100 %"
	case v >= 0.99:
		return strconv.FormatFloat(math.Floor(1000*v)/10, 'f', 1, 64) + " %"
	}
	if v > 0 && v < 0.01 {
		return "under 1 %"
	}
	return strconv.FormatFloat(math.Round(100*v), 'f', -1, 64) + " %"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// reason is why the promise has its verdict.
func (p *promise) reason() string {
	f, d := p.out.Contract, p.def
	if f.Achieved == nil {
		if f.Coverage == 0 {
			return "There is no data " + p.period.in + "."
		}
		return "Nothing happened that could have been good or bad."
	}
	achieved := fmt.Sprintf("%s achieved of %s promised", percent(*f.Achieved, d.Objective), target(d.Objective))
	used := fmt.Sprintf("%s of %s used", length(f.UsedMinutes), length(f.AllowedMinutes))
	known := ""
	if f.Coverage < 0.9995 {
		known = fmt.Sprintf("; data for %s of the time", coverage(f.Coverage))
	}
	switch p.out.Verdict {
	case model.ReportMissed:
		if f.LeftMinutes < 0 {
			used += fmt.Sprintf(", %s too many", length(-f.LeftMinutes))
		}
		return fmt.Sprintf("%s: %s%s.", achieved, used, known)
	case model.ReportAtRisk:
		return fmt.Sprintf("%s so far: %s, %s left; at this rate it will be missed%s.", achieved, used, length(f.LeftMinutes), known)
	case model.ReportUnknown:
		return fmt.Sprintf("Data for %s of the time only, %s is unknown: %s in what is known.", coverage(f.Coverage), length(f.UnknownMinutes), achieved)
	}
	return fmt.Sprintf("%s: %s, %s left%s.", achieved, used, length(f.LeftMinutes), known)
}

// named is how many promises a summary names of each kind.
const named = 3

// summary answers in a sentence whether the promises were kept.
func (w *work) summary(c model.ReportCounts, list []model.ReportPromise) string {
	if c.Promises == 0 {
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
	parts := []string{fmt.Sprintf("%d of %s %s %s", kept, plural(c.Promises, "SLO", "SLOs"), verb, when)}
	by := func(p model.ReportPromise) string {
		if p.Contract.Points == nil || *p.Contract.Points >= 0 {
			return ""
		}
		return " by " + points(*p.Contract.Points)
	}
	if c.Missed > 0 {
		parts = append(parts, listed(list, model.ReportMissed, c.Missed, func(i int, p model.ReportPromise) string {
			if i == 0 {
				return p.Name + " missed" + by(p)
			}
			return p.Name + by(p)
		}))
	}
	if c.AtRisk > 0 {
		parts = append(parts, listed(list, model.ReportAtRisk, c.AtRisk, func(i int, p model.ReportPromise) string {
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

// unknown says how many promises are not known, and how much is known of them.
func unknown(list []model.ReportPromise, n int) string {
	known := func(p model.ReportPromise) string {
		if p.Contract.Achieved == nil && p.Contract.Coverage > 0 {
			return "nothing was counted"
		}
		return fmt.Sprintf("data for %s of the time", coverage(p.Contract.Coverage))
	}
	all := map[string]bool{}
	for _, p := range list {
		if p.Verdict == model.ReportUnknown {
			all[known(p)] = true
		}
	}
	verb := "are"
	if n == 1 {
		verb = "is"
	}
	text := listed(list, model.ReportUnknown, n, func(_ int, p model.ReportPromise) string {
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

func listed(list []model.ReportPromise, v model.ReportVerdict, n int, text func(i int, p model.ReportPromise) string) string {
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

// rank orders verdicts: what needs an answer comes first.
func rank(v model.ReportVerdict) int {
	switch v {
	case model.ReportMissed:
		return 0
	case model.ReportAtRisk:
		return 1
	case model.ReportUnknown:
		return 2
	case model.ReportOnTrack:
		return 3
	}
	return 4
}

// seconds is a duration as length has it.
func seconds(s float64) string { return length(s / 60) }

// clock is a time in the report's zone.
func clock(t time.Time) string { return t.Format("2006-01-02 15:04") }
