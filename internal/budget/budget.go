// Package budget is the arithmetic of error budgets: how much may fail, how fast it
// is spent, and how windows are written.
//
// It knows no SLO and keeps nothing; engine, gate, report and results count with
// these functions so that one number has one value everywhere. In: shares, counts and
// durations. Out: numbers and texts. Start reading at Share.
package budget

import (
	"math"
	"strconv"
	"time"
)

// Share is the share of events that may be bad under an objective: 1 - objective,
// without the noise that binary fractions bring (1 - 0.995 is 0.005).
func Share(objective float64) float64 {
	const digits = 1e12
	return math.Round((1-objective)*digits) / digits
}

// Minutes is the budget as minutes of full outage over a window:
// (1 - objective) × window. 99.5 % over 28 d is 201.6 min, 3 h 21 m 36 s.
func Minutes(objective float64, window time.Duration) float64 {
	return Share(objective) * window.Minutes()
}

// BurnRate is how many times faster than evenly the budget is spent:
// (bad / total) / (1 - objective). No events burn nothing.
func BurnRate(bad, total, objective float64) float64 {
	if total <= 0 {
		return 0
	}
	return bad / total / Share(objective)
}

// Reaches reports whether a figure that was computed is at least a limit, and allows for binary fractions: 7 % of errors
// at 99.5 % is 14×, and a quarter of an hour that was added up from pieces of minutes is one.
func Reaches(figure, limit float64) bool { return figure >= limit*(1-1e-9) }

// Exceeds reports whether it is above the limit: one that Reaches it by what binary fractions bring is not.
func Exceeds(figure, limit float64) bool { return figure > limit*(1+1e-9) }

// Window writes a window as configuration and API do: 5m, 1h, 28d.
// Prometheus' own form of 28 days would be 4w.
func Window(d time.Duration) string {
	for _, u := range []struct {
		unit string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if d != 0 && d%u.size == 0 {
			return strconv.FormatInt(int64(d/u.size), 10) + u.unit
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}

// Spaced writes a window's text as sentences do: 1h as 1 h.
func Spaced(window string) string {
	if n := len(window); n > 1 {
		return window[:n-1] + " " + window[n-1:]
	}
	return window
}
