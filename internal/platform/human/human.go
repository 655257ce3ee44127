// Package human writes figures the way sentences and pages show them: a space
// before the unit, three significant digits, thousands apart.
//
// It knows text only: no rounding here feeds a calculation. Functions are pure. Start
// reading at Duration.
package human

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is d in its two largest units, rounded: "3 h 10 m", "45 s", "28 d".
// Below one second it is in milliseconds, and zero is "0 s".
func Duration(d time.Duration) string {
	switch abs := d.Abs(); {
	case abs >= 24*time.Hour:
		return exact(d.Round(time.Hour))
	case abs >= time.Hour:
		return exact(d.Round(time.Minute))
	case abs >= time.Second:
		return exact(d.Round(time.Second))
	}
	if ms := float64(d) / 1e6; ms != 0 {
		return Number(ms) + " ms"
	}
	return "0 s"
}

// Exact is d to the second in as many units as it takes: "3 h 21 m 36 s".
func Exact(d time.Duration) string {
	if d.Abs() < time.Second {
		return Duration(d)
	}
	return exact(d.Round(time.Second))
}

// Seconds is Duration of a number of seconds. Infinity and NaN are "never".
func Seconds(s float64) string {
	if math.IsNaN(s) || math.Abs(s) > float64(math.MaxInt64)/1e9 {
		return "never"
	}
	return Duration(time.Duration(s * 1e9))
}

// Clock is the time of day of a moment: "15:04 UTC".
func Clock(t time.Time) string { return t.UTC().Format("15:04 UTC") }

func exact(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	var parts []string
	for _, u := range []struct {
		unit string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if n := d / u.size; n > 0 {
			parts = append(parts, strconv.FormatInt(int64(n), 10)+" "+u.unit)
			d %= u.size
		}
	}
	if len(parts) == 0 {
		return "0 s"
	}
	return sign + strings.Join(parts, " ")
}

// Number is x with three significant digits, "21.3", "0.0312", whole from 1,000
// on: "9,310". NaN is "no value".
func Number(x float64) string {
	switch {
	case math.IsNaN(x):
		return "no value"
	case math.IsInf(x, 0):
		return strings.Replace(strconv.FormatFloat(x, 'f', -1, 64), "Inf", "∞", 1)
	case x == 0:
		return "0"
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(x))))
	if digits <= 0 {
		return thousands(strconv.FormatFloat(math.Round(x), 'f', 0, 64))
	}
	s := strconv.FormatFloat(x, 'f', min(digits, 12), 64)
	return thousands(strings.TrimRight(strings.TrimRight(s, "0"), "."))
}

// Percent is a ratio as a percentage, "42.1 %". Between 90 % and 100 %, where
// objectives lie, it keeps as many digits as tell the distance to 100 % apart: "99.95 %".
func Percent(ratio float64) string {
	if p := ratio * 100; p > 90 && p < 100 {
		digits := 2 - int(math.Floor(math.Log10(100-p)))
		s := strconv.FormatFloat(p, 'f', min(max(digits-1, 1), 6), 64)
		return strings.TrimRight(strings.TrimRight(s, "0"), ".") + " %"
	}
	return Number(ratio*100) + " %"
}

// Times is a factor: "14×".
func Times(x float64) string { return Number(x) + "×" }

func thousands(s string) string {
	whole, frac, dot := strings.Cut(s, ".")
	start := 0
	if strings.HasPrefix(whole, "-") {
		start = 1
	}
	for i := len(whole) - 3; i > start; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if dot {
		return whole + "." + frac
	}
	return whole
}
