package forecast

import (
	"fmt"
	"strings"
)

// Ratio is PromQL for the share of a pool that is used. What has no limit (0, or none) is no pool.
func (p Pair) Ratio() string { return fmt.Sprintf("(%s) / ((%s) > 0)", p.Used, p.Limit) }

// HoursLeft is PromQL for how long a pool lasts as it has been filling over a window: nothing for one that does not fill, and
// where less than three quarters of the window are known.
func (p Pair) HoursLeft(w Window) string {
	over := fmt.Sprintf("(%s)[%s:%s]", p.Used, w.over, w.step)
	return fmt.Sprintf("((%s) - (%s)) / (deriv(%s) > 0) / 3600 and %s", p.Limit, p.Used, over, p.Known(w))
}

// Known is PromQL for the series of which there is enough to forecast.
func (p Pair) Known(w Window) string {
	return fmt.Sprintf("count_over_time((%s)[%s:%s]) >= %d", p.Used, w.over, w.step, w.points*3/4)
}

// Window is how far a forecast looks back.
type Window struct {
	over, step string
	points     int
}

// The windows that are looked back over.
var (
	LastHour = Window{"1h", "1m", 60}
	SixHours = Window{"6h", "5m", 72}
)

// The thresholds of the rules.
const (
	nearlyFull = 0.8
	soon       = 4  // hours, by the last hour
	slowly     = 72 // hours, by the last six
	halfFull   = 0.5
)

// Rules writes a rule file for pools. None of its alerts wakes anybody: what users feel does that; a pool asks for somebody in time.
func Rules(pairs []Pair) string {
	var b strings.Builder
	b.WriteString("# Pools that run out: used and limit were paired by signalbox rules pools. Look at each pair before you use it.\n")
	if len(pairs) == 0 {
		b.WriteString("groups: []\n")
		return b.String()
	}
	b.WriteString("groups:\n  - name: pools\n    interval: 1m\n    rules:\n")
	for _, p := range pairs {
		by := "of the table"
		if p.Named {
			by = "by their names"
		}
		fmt.Fprintf(&b, "      # %s, %s\n", p.Pool, by)
		rule := func(alert, expr, wait, severity, summary string) {
			fmt.Fprintf(&b, "      - alert: %s\n        expr: >-\n          %s\n        for: %s\n        labels: {severity: %s, pool: %q}\n        annotations:\n          summary: '%s'\n", alert, expr, wait, severity, p.Pool, summary)
		}
		what := strings.ToUpper(p.Pool[:1]) + p.Pool[1:]
		rule("PoolRunsOut", fmt.Sprintf("(%s) < %d and %s > %g", p.HoursLeft(LastHour), soon, p.Ratio(), halfFull), "10m", "warning",
			what+`: {{ printf "%.1f" $value }} hours left, as it has been filling for an hour.`)
		rule("PoolFillsUp", fmt.Sprintf("(%s) < %d and %s > %g", p.HoursLeft(SixHours), slowly, p.Ratio(), halfFull), "1h", "info",
			what+`: {{ printf "%.0f" $value }} hours left, as it has been filling for six.`)
		rule("PoolNearlyFull", fmt.Sprintf("%s > %g", p.Ratio(), nearlyFull), "5m", "warning",
			what+": {{ $value | humanizePercentage }} used.")
	}
	return b.String()
}
