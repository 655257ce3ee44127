package slo_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// All expected values in this file were worked out by hand, from two sentences:
//
//   - the budget in minutes of full outage is (1 - objective) × window;
//   - after a clean history a full outage of t minutes is a burn rate of
//     t / long / (1 - objective) over the long window, so an alert at a factor fires at
//     t = factor × (1 - objective) × long (if the short window, which is reached sooner, agrees),
//     and, as long as the long window still burns, it resets when the short window holds less than factor × (1 -
//     objective) × short: short × (1 - factor × (1 - objective)) after the end.
//
// A day has 1,440 minutes.

func TestBudgetsOfEveryWindowThatIsShipped(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		objective float64
		window    time.Duration
		minutes   float64
		words     string
	}{
		{0.995, 30 * day, 216, "0.005 × 43,200"},
		{0.995, 28 * day, 201.6, "0.005 × 40,320, the 3 h 21 m 36 s that R175 speaks of"},
		{0.995, 7 * day, 50.4, "0.005 × 10,080"},
		{0.99, 30 * day, 432, "0.01 × 43,200"},
		{0.95, 28 * day, 2016, "0.05 × 40,320"},
		{0.999, 30 * day, 43.2, "0.001 × 43,200, R176 and R178"},
		{0.999, 28 * day, 40.32, "0.001 × 40,320"},
		{0.999, 7 * day, 10.08, "0.001 × 10,080"},
		{0.999, 365 * day, 525.6, "0.001 × 525,600: 8.76 h a year, R178"},
		{0.9999, 30 * day, 4.32, "0.0001 × 43,200, R186"},
		{0.9997, 30 * day, 12.96, "0.0003 × 43,200, R186"},
		{0.99999, 30 * day, 0.432, "0.00001 × 43,200"},
		{0.999, 90 * day, 129.6, "0.001 × 129,600, a quarter"},
	} {
		if got := budget.Minutes(c.objective, c.window); !equal(got, c.minutes) {
			t.Errorf("%v over %s: %v min, want %v (%s)", c.objective, c.window, got, c.minutes, c.words)
		}
	}
}

// outage runs the engine by the second through a full outage, and answers after
// how many seconds an alert fired and how many after its end it was over.
func outage(t *testing.T, objective, window string, row slo.BurnAlert, lasts time.Duration) (fires, resets time.Duration) {
	t.Helper()
	began := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	ended := began.Add(lasts)
	long := time.Duration(row.Long)
	at := func(now time.Time) bool {
		s := &stream{series: map[string][]sample{}, good: map[string]bool{"ok-a": true}}
		ok, bad := 0.0, 0.0
		for x := began.Add(-long - 10*time.Minute).Truncate(time.Hour); !x.After(now); x = x.Add(time.Second) {
			if x.After(began) && !x.After(ended) {
				bad += 10
			} else {
				ok += 10
			}
			if x.Second()%10 == 0 || x.After(now.Add(-10*time.Second)) {
				s.series["ok-a"] = append(s.series["ok-a"], sample{x, x, ok})
				s.series["error-a"] = append(s.series["error-a"], sample{x, x, bad})
			}
		}
		w := newTrial(t, t.TempDir(), document([]string{objective, window}), s, now)
		cfg := slo.DefaultConfig()
		cfg.BurnAlerts = []slo.BurnAlert{row}
		w.engineWith(t, cfg)
		for _, name := range w.status(t, "edge-ok").Alerts {
			if name == row.Name {
				return true
			}
		}
		return false
	}
	search := func(from time.Time, within time.Duration, wanted bool) time.Duration {
		low, high := time.Duration(0), within // not yet, already
		for high-low > time.Second {
			if middle := ((low + high) / 2).Truncate(time.Second); at(from.Add(middle)) == wanted {
				high = middle
			} else {
				low = middle
			}
		}
		return high
	}
	return search(began, lasts, true), search(ended, time.Duration(row.Short), false)
}

// The tables of the SRE workbook (chapter 5), of both source policies and of the
// product, each run through the engine on counters: in a full outage the alert fires at the
// second that arithmetic says, and resets at the second it says.
func TestEveryRowFiresAndResetsAtTheSecondThatArithmeticSays(t *testing.T) {
	duration := func(text string) prom.Duration {
		d, err := prom.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name, objective, window, long, short string
		factor                               float64
		fires, resets                        float64 // minutes
	}{
		// 14.4 × 0.001 × 60 = 0.864; 5 × (1 - 0.0144) = 4.928
		{"workbook, 14.4× over 1 h, 99.9 % over 30 d", "99.9", "30d", "1h", "5m", 14.4, 0.864, 4.928},
		// 14.4 × 0.005 × 60 = 4.32; 5 × (1 - 0.072) = 4.64
		{"workbook, 14.4× over 1 h, 99.5 % over 30 d: the 4.32 and 4.64 minutes", "99.5", "30d", "1h", "5m", 14.4, 4.32, 4.64},
		// 6 × 0.001 × 360 = 2.16; 30 × (1 - 0.006) = 29.82
		{"workbook, 6× over 6 h, 99.9 %", "99.9", "30d", "6h", "30m", 6, 2.16, 29.82},
		// 6 × 0.005 × 360 = 10.8; 30 × (1 - 0.03) = 29.1
		{"workbook, 6× over 6 h, 99.5 %", "99.5", "30d", "6h", "30m", 6, 10.8, 29.1},
		// 3 × 0.005 × 1,440 = 21.6; 120 × (1 - 0.015) = 118.2
		{"workbook, 3× over 1 d, 99.5 %", "99.5", "30d", "1d", "2h", 3, 21.6, 118.2},
		// 1 × 0.005 × 4,320 = 21.6; 360 × (1 - 0.005) = 358.2
		{"workbook, 1× over 3 d, 99.5 %", "99.5", "30d", "3d", "6h", 1, 21.6, 358.2},
		// 14 × 0.001 × 60 = 0.84; 5 × (1 - 0.014) = 4.93
		{"R194 and R260, 14× over 1 h, 99.9 %", "99.9", "28d", "1h", "5m", 14, 0.84, 4.93},
		// 14 × 0.005 × 60 = 4.2; 5 × (1 - 0.07) = 4.65
		{"R194 and R260, 14× over 1 h, 99.5 %", "99.5", "28d", "1h", "5m", 14, 4.2, 4.65},
		// 3 × 0.001 × 360 = 1.08; 30 × (1 - 0.003) = 29.91
		{"R195, 3× over 6 h, 99.9 %", "99.9", "28d", "6h", "30m", 3, 1.08, 29.91},
		// 3 × 0.005 × 360 = 5.4; 30 × (1 - 0.015) = 29.55
		{"R195, 3× over 6 h, 99.5 %", "99.5", "28d", "6h", "30m", 3, 5.4, 29.55},
		// 13.44 × 0.005 × 60 = 4.032; 5 × (1 - 0.0672) = 4.664
		{"Sloth, 13.44× over 1 h, 99.5 % over 28 d", "99.5", "28d", "1h", "5m", 13.44, 4.032, 4.664},
	} {
		t.Run(c.name, func(t *testing.T) {
			row := slo.BurnAlert{Name: "A", Long: duration(c.long), Short: duration(c.short), Factor: c.factor, Effect: slo.EffectPage}
			fires, resets := outage(t, c.objective, c.window, row, 25*time.Minute)
			// Counters are scraped every second in the end: an alert comes with the first full second.
			if want := math.Ceil(c.fires*60 - 1e-6); fires.Seconds() != want {
				t.Errorf("fires after %v s, want %v (%v min)", fires.Seconds(), want, c.fires)
			}
			// At the exact time the short window is still at the factor; a second later it is below.
			if want := math.Floor(c.resets*60+1e-6) + 1; resets.Seconds() != want {
				t.Errorf("resets %v s after the end, want %v (%v min)", resets.Seconds(), want, c.resets)
			}
		})
	}
}

// The share of the budget that is gone when a row fires: factor × long / window.
func TestWhatEachRowHasSpentWhenItFires(t *testing.T) {
	cfg := slo.DefaultConfig()
	for _, c := range []struct {
		row  int
		days float64
		want float64
	}{
		{0, 28, 1.0 / 48},  // 14 h of 672 h
		{0, 30, 7.0 / 360}, // 14 h of 720 h
		{1, 28, 3.0 / 56},  // 36 h of 672 h
		{1, 30, 1.0 / 20},  // 36 h of 720 h: the workbook's 5 %
		{2, 28, 3.0 / 112}, // 18 h of 672 h
		{3, 28, 3.0 / 28},  // 3 days of 28
		{3, 30, 1.0 / 10},  // 3 days of 30: the workbook's 10 %
	} {
		b := cfg.BurnAlerts[c.row]
		if got := b.Factor * time.Duration(b.Long).Hours() / (24 * c.days); !equal(got, c.want) {
			t.Errorf("%s over %v days: %v, want %v", b.Name, c.days, got, c.want)
		}
	}
	// The table itself: R184, R194, R195, R260, and the workbook's slow ticket.
	var rows []string
	for _, b := range cfg.BurnAlerts {
		rows = append(rows, fmt.Sprintf("%s/%s %v× %s", budget.Window(time.Duration(b.Long)), budget.Window(time.Duration(b.Short)), b.Factor, b.Effect))
	}
	if got := strings.Join(rows, ", "); got != "1h/5m 14× page, 6h/30m 6× page, 6h/30m 3× warn, 3d/6h 1× ticket" {
		t.Error(got)
	}
}

// Sloth's windows are shares of the budget (2, 5, 10 and 10 %) within 1 h, 6 h, 1 d
// and 3 d: factor = share × period / long. Pyrra's are those of 28 days, scaled by
// window / 28 d and rounded to full minutes, at fixed factors.
func TestForeignTablesOfEveryPeriod(t *testing.T) {
	const m, h, d = time.Minute, time.Hour, 24 * time.Hour
	for _, c := range []struct {
		name string
		got  []openslo.BurnWindow
		want []openslo.BurnWindow
	}{
		{"Sloth over 30 d", openslo.SlothWindows(30 * d), []openslo.BurnWindow{
			{Name: "page_quick", Severity: "page", Long: h, Short: 5 * m, Factor: 14.4},       // 0.02 × 720
			{Name: "page_slow", Severity: "page", Long: 6 * h, Short: 30 * m, Factor: 6},      // 0.05 × 120
			{Name: "ticket_quick", Severity: "ticket", Long: d, Short: 2 * h, Factor: 3},      // 0.10 × 30
			{Name: "ticket_slow", Severity: "ticket", Long: 3 * d, Short: 6 * h, Factor: 1.0}, // 0.10 × 10
		}},
		{"Sloth over 28 d", openslo.SlothWindows(28 * d), []openslo.BurnWindow{
			{Name: "page_quick", Severity: "page", Long: h, Short: 5 * m, Factor: 13.44},              // 0.02 × 672
			{Name: "page_slow", Severity: "page", Long: 6 * h, Short: 30 * m, Factor: 5.6},            // 0.05 × 112
			{Name: "ticket_quick", Severity: "ticket", Long: d, Short: 2 * h, Factor: 2.8},            // 0.10 × 28
			{Name: "ticket_slow", Severity: "ticket", Long: 3 * d, Short: 6 * h, Factor: 14.0 / 15.0}, // 0.10 × 28/3
		}},
		{"Sloth over 7 d", openslo.SlothWindows(7 * d), []openslo.BurnWindow{
			{Name: "page_quick", Severity: "page", Long: h, Short: 5 * m, Factor: 3.36},              // 0.02 × 168
			{Name: "page_slow", Severity: "page", Long: 6 * h, Short: 30 * m, Factor: 1.4},           // 0.05 × 28
			{Name: "ticket_quick", Severity: "ticket", Long: d, Short: 2 * h, Factor: 0.7},           // 0.10 × 7
			{Name: "ticket_slow", Severity: "ticket", Long: 3 * d, Short: 6 * h, Factor: 7.0 / 30.0}, // 0.10 × 7/3
		}},
		{"Pyrra over 28 d", openslo.PyrraWindows(28 * d), []openslo.BurnWindow{
			{Name: "critical_fast", Severity: "critical", Long: h, Short: 5 * m, For: 2 * m, Factor: 14},
			{Name: "critical_slow", Severity: "critical", Long: 6 * h, Short: 30 * m, For: 15 * m, Factor: 7},
			{Name: "warning_fast", Severity: "warning", Long: d, Short: 2 * h, For: h, Factor: 2},
			{Name: "warning_slow", Severity: "warning", Long: 4 * d, Short: 6 * h, For: 3 * h, Factor: 1},
		}},
		{"Pyrra over 30 d", openslo.PyrraWindows(30 * d), []openslo.BurnWindow{ // × 15/14
			{Name: "critical_fast", Severity: "critical", Long: 64 * m, Short: 5 * m, For: 2 * m, Factor: 14},    // 64.29, 5.36, 2.14
			{Name: "critical_slow", Severity: "critical", Long: 386 * m, Short: 32 * m, For: 16 * m, Factor: 7},  // 385.7, 32.14, 16.07
			{Name: "warning_fast", Severity: "warning", Long: 1543 * m, Short: 129 * m, For: 64 * m, Factor: 2},  // 1542.9, 128.6, 64.29
			{Name: "warning_slow", Severity: "warning", Long: 6171 * m, Short: 386 * m, For: 193 * m, Factor: 1}, // 6171.4, 385.7, 192.9
		}},
		{"Pyrra over 7 d", openslo.PyrraWindows(7 * d), []openslo.BurnWindow{ // ÷ 4
			{Name: "critical_fast", Severity: "critical", Long: 15 * m, Short: m, For: m, Factor: 14},        // 1.25 and 0.5 min: rounded half up
			{Name: "critical_slow", Severity: "critical", Long: 90 * m, Short: 8 * m, For: 4 * m, Factor: 7}, // 7.5, 3.75
			{Name: "warning_fast", Severity: "warning", Long: 6 * h, Short: 30 * m, For: 15 * m, Factor: 2},
			{Name: "warning_slow", Severity: "warning", Long: d, Short: 90 * m, For: 45 * m, Factor: 1},
		}},
	} {
		if len(c.got) != len(c.want) {
			t.Fatalf("%s: %d rows", c.name, len(c.got))
		}
		for i, want := range c.want {
			got := c.got[i]
			factor := got.Factor
			got.Factor, want.Factor = 0, 0
			if got != want || math.Abs(factor-c.want[i].Factor) > 1e-9 {
				t.Errorf("%s: row %d is %+v × %v, want %+v", c.name, i, got, factor, c.want[i])
			}
		}
	}
}
