package paper

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// Length is minutes as people say them: "44.64 min", "3 h 21 min", "2 d 4 h".
func Length(minutes float64) string {
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

// Percent is an achieved share: as many digits as tell it from 100 % and from
// its objective, cut and never rounded up, so that 99.8999 % is not 99.9 %.
func Percent(achieved, objective float64) string {
	p, o := Tidy(100*achieved), 100*objective
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

// Target is an objective: "99.9 %".
func Target(objective float64) string {
	return strconv.FormatFloat(math.Round(100*objective*1e9)/1e9, 'f', -1, 64) + " %"
}

// Points is a distance in percentage points.
func Points(v float64) string { return human.Number(math.Abs(v)) + " points" }

// Coverage is a share of time with data: whole percents, and never 100 % unless
// it is nearly so.
func Coverage(v float64) string {
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

// Plural is a count with its noun.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// Rank orders verdicts: what needs an answer comes first.
func Rank(v Verdict) int {
	switch v {
	case Missed:
		return 0
	case AtRisk:
		return 1
	case Unknown:
		return 2
	case OnTrack:
		return 3
	}
	return 4
}

// seconds is a duration as length has it.
func seconds(s float64) string { return Length(s / 60) }

// clock is a time in the report's zone.
func clock(t time.Time) string { return t.Format("2006-01-02 15:04") }

// Tidy takes the noise of binary fractions out of a figure.
func Tidy(v float64) float64 {
	const digits = 1e9
	if r := math.Round(v*digits) / digits; !math.IsInf(r, 0) {
		return r + 0 // no negative zero
	}
	return v
}

// Midnight reports whether a time is one, in its own zone.
func Midnight(t time.Time) bool { return t.Hour() == 0 && t.Minute() == 0 }
