package judgement

import (
	"fmt"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// A month has as many minutes of budget as it has minutes: March of Zurich lacks an hour, October has one more.
func TestBudgetsOfCalendarMonths(t *testing.T) {
	zurich, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		t.Fatal(err)
	}
	d := edge()
	d.Objective = 0.999
	d.Calendar = &openslo.Calendar{Start: time.Date(2026, 1, 1, 0, 0, 0, 0, zurich), Count: 1, Unit: openslo.UnitMonth}
	for month, minutes := range map[time.Month]float64{
		time.January: 44.64, time.February: 40.32, time.March: 44.58, time.April: 43.2, time.October: 44.7,
	} {
		from, to := time.Date(2026, month, 1, 0, 0, 0, 0, zurich), time.Date(2026, month+1, 1, 0, 0, 0, 0, zurich)
		for _, now := range []time.Time{from, from.Add(36 * time.Hour), to.Add(-time.Nanosecond)} {
			m := Measured{Now: now}
			m.Start, m.Length = d.Span(now)
			m.Age = now.Sub(m.Start)
			m.Budget = ledger.Cell{Bad: m.Age.Minutes() / 1000, Total: m.Age.Minutes(), Minutes: m.Age.Minutes()} // just what the objective allows
			s := Judge(DefaultLimits(), d, m, active()).Status
			if !near(s.Budget.Minutes, minutes) || s.WindowStart == nil || !s.WindowStart.Equal(from) || !s.WindowEnd.Equal(to) {
				t.Errorf("%s: %g minutes from %v to %v, want %g", now, s.Budget.Minutes, s.WindowStart, s.WindowEnd, minutes)
			}
			share := float64(now.Sub(from)) / float64(to.Sub(from))
			if !near(s.Budget.UsedRatio, share) || !near(s.Budget.LeftRatio, 1-share) {
				t.Errorf("%s: %g used, %g left, want as much as has passed, %g", now, s.Budget.UsedRatio, s.Budget.LeftRatio, share)
			}
		}
	}
}

func TestWhatCorrectionsTakeOutIsNoPartOfTheWindow(t *testing.T) {
	d := edge()
	m := seen(d, 0, 0)
	// Half of the window is out; in the other half 50 of 10,000 were bad, which is all that 99.5 % allow of it.
	m.Budget, m.Felt = ledger.Cell{Bad: 50, Total: 10_000, Minutes: 14 * 1440}, ledger.Cell{Bad: 250, Total: 20_000, Minutes: 28 * 1440}
	m.Excluded, m.Outside, m.Fixed = 14*day, 14*day, []model.SLOCorrection{{ID: "a"}}
	s := Judge(DefaultLimits(), d, m, active()).Status
	if s.State != model.SLOExhausted || !near(s.Budget.UsedRatio, 1) || !near(s.Budget.Minutes, 100.8) || s.Budget.Coverage != 1 {
		t.Errorf("%s: %+v", s.State, s.Budget)
	}
	if s.Felt == nil || !near(s.Felt.UsedRatio, 2.5) || !near(s.Felt.Minutes, 201.6) || len(s.Corrections) != 1 {
		t.Errorf("felt %+v", s.Felt)
	}
}

func TestABudgetIsSpentWhenAllOfItIs(t *testing.T) {
	for bad, want := range map[float64]model.SLOState{0: model.SLOOK, 4999: model.SLOOK, 5000: model.SLOExhausted, 5001: model.SLOExhausted} {
		m := seen(edge(), 0, 0)
		m.Budget = ledger.Cell{Bad: bad, Total: 1e6, Minutes: 28 * 1440}
		s := Judge(DefaultLimits(), edge(), m, active()).Status
		if s.State != want || !near(s.Budget.LeftRatio, 1-bad/5000) {
			t.Errorf("%g of 5,000: %s, %g left", bad, s.State, s.Budget.LeftRatio)
		}
	}
}

// At a burn of 28 a budget of 28 days that is whole lasts a day; if the month ends before, it lasts.
func TestWhenTheBudgetWillBeGone(t *testing.T) {
	month := &openslo.Calendar{Start: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), Count: 1, Unit: openslo.UnitMonth}
	for _, c := range []struct {
		name     string
		hour     ledger.Cell
		calendar *openslo.Calendar
		now      time.Time
		hours    float64 // 0: never
	}{
		{"a burn of 28", ledger.Cell{Bad: 14, Total: 100}, nil, noon, 24},
		{"a burn of 1", ledger.Cell{Bad: 5, Total: 1000}, nil, noon, 28 * 24},
		{"nothing bad", ledger.Cell{Total: 100}, nil, noon, 0},
		{"nothing at all", ledger.Cell{}, nil, noon, 0},
		{"a day before the end of February, with a burn of 27", ledger.Cell{Bad: 27, Total: 200}, month, time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC), 0},
		{"and of 56", ledger.Cell{Bad: 28, Total: 100}, month, time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC), 12},
	} {
		d := edge()
		d.Calendar = c.calendar
		m := Measured{Now: c.now}
		m.Windows = map[time.Duration]ledger.Cell{time.Hour: c.hour}
		got := exhaustedIn(d, m, 1)
		if (got == nil) != (c.hours == 0) || got != nil && !near(*got, c.hours*3600) {
			t.Errorf("%s: %v, want %g h", c.name, got, c.hours)
		}
		if exhaustedIn(d, m, 0) != nil || exhaustedIn(d, m, -0.5) != nil {
			t.Errorf("%s: what is spent is spent again", c.name)
		}
	}
}

func TestWhatTheBudgetThatIsLeftAdvises(t *testing.T) {
	for bad, want := range map[float64]string{2499: "Nothing to do.", 2500: "Release with caution.", 3749: "Release with caution.", 3750: "Ship nothing but critical fixes."} {
		m := seen(edge(), 0, 0)
		m.Budget = ledger.Cell{Bad: bad, Total: 1e6, Minutes: 28 * 1440}
		if s := Judge(DefaultLimits(), edge(), m, active()).Status; s.Action != want {
			t.Errorf("%g of 5,000 spent: %q, want %q", bad, s.Action, want)
		}
	}
	m := seen(edge(), 0, 0.001)
	m.Age = 7 * day
	if s := Judge(DefaultLimits(), edge(), m, active()).Status; !strings.HasPrefix(s.Budget.Reason, "Data goes back 7 d of 28 d") {
		t.Errorf("%q", s.Budget.Reason)
	}
}

func TestWhatAPagedPersonReadsFirst(t *testing.T) {
	d := edge()
	m := seen(d, 0, 0.001)
	m.Windows[time.Hour] = ledger.Cell{Bad: 630, Total: 6000, Minutes: 60}
	m.Windows[5*time.Minute] = ledger.Cell{Bad: 75, Total: 500, Minutes: 5}
	fast := DefaultLimits().BurnAlerts[0]
	s := Judge(DefaultLimits(), d, m, active()).Status
	text, errs := AlertText(d, s, fast, noon)
	if !near(errs, 0.105) || text["threshold"] != "14" || text["summary"] != "Edge answers burns its budget 21× over 1 h" {
		t.Errorf("%g bad, %v", errs, text)
	}
	for _, want := range []string{"21× over 1 h and 30× over 5 m (limit 14×)", "objective 99.5 % over 28 d", "80 % of the budget left", "630 of 6,000 events were bad", "hold deployments"} {
		if !strings.Contains(text["description"], want) {
			t.Errorf("%q lacks %q", text["description"], want)
		}
	}
	m.Err = fmt.Errorf("timeout")
	s = Judge(DefaultLimits(), d, m, active("SLOBurnRateFast")).Status
	if text, _ := AlertText(d, s, fast, noon); !strings.Contains(text["description"], "how much of the budget is left is not known. Its query fails") {
		t.Error(text["description"])
	}
	fast.NoData = true
	if text, _ := AlertText(d, s, fast, noon); text["summary"] != "Edge answers has no data" || text["threshold"] != "" {
		t.Errorf("%v", text)
	}
	trickle, _ := RowOf(DefaultLimits(), d, AlertTrickle)
	if text, _ := AlertText(d, s, trickle, noon); text["summary"] != "Edge answers fails a few at a time" || text["threshold"] != "6" {
		t.Errorf("%v", text)
	}
}

func TestListsAreWorstFirst(t *testing.T) {
	of := func(name string, state model.SLOState, left float64) model.SLOStatus {
		return model.SLOStatus{Name: name, DisplayName: strings.ToUpper(name), State: state, Reason: "It is so.", Budget: model.Budget{LeftRatio: left}}
	}
	list := []model.SLOStatus{
		of("g", model.SLOOK, 0.9), of("f", model.SLOOK, 0.2), of("e", model.SLOInsufficient, 1), of("d", model.SLOBurning, 0.5),
		of("c", model.SLOBurning, 0.1), of("b", model.SLOExhausted, -1), of("a", model.SLOBurning, 0.1), of("h", model.SLOExhausted, -2),
	}
	Sort(list)
	order := ""
	for _, s := range list {
		order += s.Name
	}
	if order != "hbacdefg" {
		t.Error(order)
	}
	for want, some := range map[string][]model.SLOStatus{
		"5 of 8 SLOs are in danger; worst is H: it is so. 1 cannot be judged.": list,
		"1 of 1 SLO is in danger; worst is H: it is so.":                       list[:1],
		"1 of 3 SLOs cannot be judged; first is E: it is so.":                  list[5:],
		"The one SLO is kept.": list[7:],
		"All 2 SLOs are kept.": list[6:],
		"No SLOs are defined; put OpenSLO files where slo_files points.": nil,
	} {
		if got := Summary(some); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestLimitsThatMakeNoSenseAreRefusedByTheirPath(t *testing.T) {
	if errs := DefaultLimits().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	for want, change := range map[string]func(l *Limits){
		`burn_alerts[0].name: must be letters, digits and _, got ""`:       func(l *Limits) { l.BurnAlerts[0].Name = "" },
		`burn_alerts[1].name: must be letters, digits and _, got "a b"`:    func(l *Limits) { l.BurnAlerts[1].Name = "a b" },
		`burn_alerts[1].name: "SLOBurnRateFast" is used twice`:             func(l *Limits) { l.BurnAlerts[1].Name = "SLOBurnRateFast" },
		"burn_alerts[2].long: must be whole minutes, got 1h30s":            func(l *Limits) { l.BurnAlerts[2].Long = prom.Duration(time.Hour + 30*time.Second) },
		"burn_alerts[0].short: must be at least 1m and below long, got 1h": func(l *Limits) { l.BurnAlerts[0].Short = l.BurnAlerts[0].Long },
		"burn_alerts[0].factor: must be > 0, got 0":                        func(l *Limits) { l.BurnAlerts[0].Factor = 0 },
		"burn_alerts[0].for: must be >= 0, got -1s":                        func(l *Limits) { l.BurnAlerts[0].For = prom.Duration(-time.Second) },
		`burn_alerts[0].effect: must be page, warn or ticket, got "shout"`: func(l *Limits) { l.BurnAlerts[0].Effect = "shout" },
		"low_traffic.max_events: must be >= 0, got -1":                     func(l *Limits) { l.LowTraffic.MaxEvents = -1 },
		"low_traffic.min_events: must be at least 3, got 2":                func(l *Limits) { l.LowTraffic.MinEvents = 2 },
		"low_traffic.significance: must be at least 0 and below 1, got 1":  func(l *Limits) { l.LowTraffic.Significance = 1 },
		"low_traffic.factor: must be > 0, got -6":                          func(l *Limits) { l.LowTraffic.Factor = -6 },
		`low_traffic.effect: must be page, warn or ticket, got ""`:         func(l *Limits) { l.LowTraffic.Effect = "" },
		"stale_after: must be > 0, got 0s":                                 func(l *Limits) { l.StaleAfter = 0 },
		"min_data: must be >= 0, got -1s":                                  func(l *Limits) { l.MinData = prom.Duration(-time.Second) },
		"min_bad_events: must be >= 0, got -1":                             func(l *Limits) { l.MinBadEvents = -1 },
		"min_allowed_events: must be >= 0, got -1":                         func(l *Limits) { l.MinAllowedEvents = -1 },
	} {
		l := DefaultLimits()
		change(&l)
		if errs := l.Validate(); len(errs) != 1 || errs[0].Error() != want {
			t.Errorf("%v, want %s", errs, want)
		}
	}
}

// The trickle's page of an imported SLO goes where its other pages go.
func TestTheTrickleIsRoutedAsOtherPages(t *testing.T) {
	d := edge()
	warn, page := row("6h", "30m", 3), row("1h", "5m", 14)
	warn.Name, warn.Effect, warn.Only, warn.Labels = "W", definition.EffectWarn, true, map[string]string{"team": "warned"}
	page.Only, page.Labels = true, map[string]string{"team": "paged"}
	d.BurnAlerts = []definition.BurnAlert{warn, page}
	if r, ok := RowOf(DefaultLimits(), d, AlertTrickle); !ok || !r.Only || r.Labels["team"] != "paged" {
		t.Errorf("%+v", r)
	}
	if r, ok := RowOf(DefaultLimits(), d, "W"); !ok || r.Labels["team"] != "warned" {
		t.Errorf("%+v", r)
	}
	if _, ok := RowOf(DefaultLimits(), d, "SLOBurnRateFast"); ok {
		t.Error("a table of its own has no rows of the default")
	}
}
