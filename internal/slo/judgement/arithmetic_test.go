package judgement

import (
	"math"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/common/model"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

const day = 24 * time.Hour

// aged is what was counted since data began.
func aged(sum ledger.Cell, age time.Duration) (m Measured) {
	m.Budget, m.Age = sum, age
	return m
}

func TestBudgetsInMinutesOfFullOutage(t *testing.T) {
	for _, c := range []struct {
		objective float64
		window    time.Duration
		want      time.Duration
	}{
		{0.995, 28 * day, 3*time.Hour + 21*time.Minute + 36*time.Second},
		{0.995, 30 * day, 3*time.Hour + 36*time.Minute},
		{0.999, 30 * day, 43*time.Minute + 12*time.Second},
		{0.999, 365 * day, 8*time.Hour + 45*time.Minute + 36*time.Second},
		{0.9999, 30 * day, 4*time.Minute + 19200*time.Millisecond},
	} {
		if got := budget.Minutes(c.objective, c.window); !near(got, c.want.Minutes()) {
			t.Errorf("%v over %s is %v min, want %v", c.objective, c.window, got, c.want.Minutes())
		}
	}
}

// Expected values from first principles: with constant traffic and a clean
// history a total outage reaches factor × (1 - objective) of the long window after that
// share of it, and the alert resets when the short window holds less.
func TestWhenAlertsFireAndReset(t *testing.T) {
	for _, c := range []struct {
		name           string
		row            definition.BurnAlert
		objective      float64
		window         time.Duration
		fires, resets  float64 // minutes
		budgetConsumed float64
	}{
		{"workbook page fast, 30 d", row("1h", "5m", 14.4), 0.995, 30 * day, 4.32, 4.64, 0.02},
		{"workbook page slow, 30 d", row("6h", "30m", 6), 0.995, 30 * day, 10.8, 29.1, 0.05},
		{"workbook ticket fast, 30 d", row("1d", "2h", 3), 0.995, 30 * day, 21.6, 118.2, 0.10},
		{"workbook ticket slow, 30 d", row("3d", "6h", 1), 0.995, 30 * day, 21.6, 358.2, 0.10},
		{"sloth page fast, 28 d", row("1h", "5m", 13.44), 0.995, 28 * day, 4.032, 4.664, 0.02},
		{"pyrra page fast, 28 d", row("1h", "5m", 14), 0.995, 28 * day, 4.2, 4.65, 1.0 / 48},
		{"default page fast", DefaultLimits().BurnAlerts[0], 0.995, 28 * day, 4.2, 4.65, 1.0 / 48},
		{"default page slow", DefaultLimits().BurnAlerts[1], 0.995, 28 * day, 10.8, 29.1, 6.0 / 112},
		{"default warning", DefaultLimits().BurnAlerts[2], 0.995, 28 * day, 5.4, 29.55, 3.0 / 112},
		{"default ticket", DefaultLimits().BurnAlerts[3], 0.995, 28 * day, 21.6, 358.2, 3.0 / 28},
		{"page fast at three nines", row("1h", "5m", 14.4), 0.999, 30 * day, 0.864, 4.928, 0.02},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &definition.Definition{}
			d.Objective = c.objective
			d.Window = c.window
			d.Method = "timeslices"
			cfg := Limits{BurnAlerts: []definition.BurnAlert{c.row}}
			long, short := time.Duration(c.row.Long).Minutes(), c.row.ShortWindow().Minutes()
			firing := func(badLong, badShort float64) bool {
				m := Measured{}
				m.Loaded = c.window
				m.Windows = map[time.Duration]ledger.Cell{
					time.Duration(c.row.Long): {Bad: badLong, Total: long, Minutes: long},
					c.row.ShortWindow():       {Bad: badShort, Total: short, Minutes: short},
				}
				return burnRows(cfg, d, m, func(string) bool { return true })[0].Firing
			}
			if !firing(c.fires, min(c.fires, short)) || firing(c.fires-1e-6, min(c.fires, short)) {
				t.Errorf("does not fire exactly after %v min", c.fires)
			}
			// After the reset time the short window holds short - resets bad minutes.
			if !firing(long, short-c.resets) || firing(long, short-c.resets-1e-6) {
				t.Errorf("does not reset exactly after %v min", c.resets)
			}
			used := c.fires / budget.Minutes(c.objective, c.window)
			if !near(used, c.budgetConsumed) {
				t.Errorf("it has used %v of the budget by then, want %v", used, c.budgetConsumed)
			}
		})
	}
}

func row(long, short string, factor float64) definition.BurnAlert {
	l, _ := prom.ParseDuration(long)
	s, _ := prom.ParseDuration(short)
	return definition.BurnAlert{Name: "A", Long: l, Short: s, Factor: factor, Effect: definition.EffectPage}
}

// The budget from a stream of single events, counted one by one.
func TestFiguresEqualANaiveCountOfEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objective := rapid.SampledFrom([]float64{0.9, 0.95, 0.99, 0.995, 0.999}).Draw(t, "objective")
		d := &definition.Definition{}
		d.Name = "a"
		d.Objective = objective
		d.Window = 28 * day
		d.Method = "occurrences"
		now := time.Unix(1_700_000_040, 0)
		l := ledger.New(d.Window)
		type event struct {
			at  time.Time
			bad bool
		}
		var events []event
		cells := map[int64]ledger.Cell{}
		for range rapid.IntRange(1, 300).Draw(t, "n") {
			ago := time.Duration(rapid.IntRange(0, int(27*day/time.Minute)).Draw(t, "minutes ago")) * time.Minute
			if rapid.Bool().Draw(t, "recent") {
				ago /= 5000
			}
			e := event{now.Add(-ago).Truncate(time.Minute).Add(-30 * time.Second), rapid.IntRange(0, 9).Draw(t, "bad") == 0}
			events = append(events, e)
			k := e.at.Truncate(time.Minute).Unix()
			c := ledger.Cell{Total: 1, Minutes: 1}
			if e.bad {
				c.Bad = 1
			}
			sum := cells[k].Add(c)
			sum.Minutes = 1
			cells[k] = sum
		}
		// Each minute goes where its age belongs, coarser slots whole.
		coarse := map[ledger.Tier]map[int64]ledger.Cell{ledger.Hour: {}, ledger.FiveMinutes: {}}
		for k, c := range cells {
			at := time.Unix(k, 0)
			switch {
			case !at.Before(l.Start(ledger.Minute, now)):
				l.Put(ledger.Minute, at, c)
			case !at.Before(l.Start(ledger.FiveMinutes, now)):
				s := at.Truncate(5 * time.Minute).Unix()
				coarse[ledger.FiveMinutes][s] = coarse[ledger.FiveMinutes][s].Add(c)
			default:
				s := at.Truncate(time.Hour).Unix()
				coarse[ledger.Hour][s] = coarse[ledger.Hour][s].Add(c)
			}
		}
		for tier, slots := range coarse {
			for s, c := range slots {
				l.Put(tier, time.Unix(s, 0), c)
			}
		}
		l.Put(ledger.Minute, now.Add(-time.Minute), cells[now.Add(-time.Minute).Unix()])
		for _, w := range []time.Duration{5 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour, 28 * day} {
			var bad, total float64
			for _, e := range events {
				if e.at.After(now.Add(-w)) {
					total++
					if e.bad {
						bad++
					}
				}
			}
			sum := l.Sum(now.Add(-w), now)
			want := 0.0
			if total > 0 {
				want = bad / total / (1 - objective)
			}
			if got := budget.BurnRate(sum.Bad, sum.Total, objective); !near(got, want) {
				t.Fatalf("burn over %s is %v, want %v", w, got, want)
			}
			if w == d.Window && total > 0 {
				b := BudgetOf(d, aged(sum, d.Window))
				if !near(b.UsedRatio, want) || !near(b.LeftRatio, 1-want) || !near(b.Allowed, (1-objective)*total) || !near(b.SLI, 1-bad/total) {
					t.Fatalf("budget %+v, want %v used", b, want)
				}
			}
		}
	})
}

func TestAYoungSLOsBudgetIsThatOfTheWholeWindow(t *testing.T) {
	d := &definition.Definition{}
	d.Objective = 0.995
	d.Window = 28 * day
	// One day old, 1 % bad: a fifth of… 2 × 1/28 of the budget.
	b := BudgetOf(d, aged(ledger.Cell{Bad: 10, Total: 1000, Minutes: 1440}, day))
	if !near(b.UsedRatio, 2.0/28) || !near(b.Coverage, 1.0/28) || !near(b.Allowed, 140) {
		t.Errorf("budget %+v", b)
	}
	if b := BudgetOf(d, Measured{}); b.LeftRatio != 1 || b.Reason == "" {
		t.Errorf("without data %+v", b)
	}
}

func TestSentences(t *testing.T) {
	d := &definition.Definition{}
	d.Name = "edge-ok"
	d.DisplayName = "Edge answers"
	d.Service = "edge"
	d.Objective = 0.995
	d.Window = 28 * day
	d.Method = "occurrences"
	d.File = "slos/edge.yaml"
	now := time.Unix(1_700_000_040, 0)
	steady := func() Measured {
		m := aged(ledger.Cell{Bad: 1000, Total: 1e6, Minutes: d.Window.Minutes()}, d.Window)
		m.Now, m.Loaded, m.LastData, m.Windows = now, d.Window, now, map[time.Duration]ledger.Cell{}
		for _, w := range d.BurnWindows(DefaultLimits().BurnAlerts) {
			m.Windows[w] = ledger.Cell{Bad: 0, Total: w.Minutes() * 100, Minutes: w.Minutes()}
		}
		return m
	}
	judged := func(m Measured) model.SLOStatus {
		return Judge(DefaultLimits(), d, m, Standing{Active: func(string) bool { return false }}).Status
	}
	s := judged(steady())
	if s.State != model.SLOOK || s.Reason != "80 % of the budget of 28 d is left (2 h 41 m 17 s of 3 h 21 m 36 s)." || s.Action != "Nothing to do." {
		t.Errorf("%s: %s %s", s.State, s.Reason, s.Action)
	}
	m := steady()
	m.Windows[time.Hour] = ledger.Cell{Bad: 630, Total: 6000, Minutes: 60}
	m.Windows[5*time.Minute] = ledger.Cell{Bad: 60, Total: 500, Minutes: 5}
	s = judged(m)
	if want := "Burning 21× over 1 h (limit 14×): 630 of 6,000 events were bad; at the rate of the last hour the budget is gone in 1 d 2 h."; s.State != model.SLOBurning || s.Reason != want {
		t.Errorf("%s: %s\n want %s", s.State, s.Reason, want)
	}
	if *s.ExhaustedIn < 0.8*28*86400/21-1 || *s.ExhaustedIn > 0.8*28*86400/21+1 {
		t.Errorf("exhausted in %v", *s.ExhaustedIn)
	}
	m = steady()
	m.NoGood = true
	if s := judged(m); s.State != model.SLOInsufficient || !strings.Contains(s.Reason, "matched nothing") {
		t.Errorf("%s: %s", s.State, s.Reason)
	}
	list := []model.SLOStatus{{Name: "a", State: model.SLOOK}, {Name: "b", State: model.SLOInsufficient, Reason: "Old."}, s}
	s.DisplayName = "Edge answers"
	Sort(list)
	if got := Summary(list); !strings.HasPrefix(got, "1 of 3 SLOs is in danger; worst is Edge answers: burning 21×") || !strings.HasSuffix(got, "1 cannot be judged.") {
		t.Errorf("summary %q", got)
	}
	if got := Summary([]model.SLOStatus{{State: model.SLOOK}, {State: model.SLOOK}}); got != "All 2 SLOs are kept." {
		t.Errorf("summary %q", got)
	}
}
