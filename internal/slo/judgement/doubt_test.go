package judgement

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

var noon = time.Date(2026, 3, 16, 12, 0, 0, 0, time.UTC)

// edge is an SLO of 99.5 % over 28 days: four weeks of 100 events a minute allow 20,160 bad ones.
func edge() *definition.Definition {
	d := &definition.Definition{}
	d.Name, d.DisplayName, d.Service, d.File = "edge-ok", "Edge answers", "edge", "slos/edge.yaml"
	d.Objective, d.Window, d.Method = 0.995, 28*day, "occurrences"
	d.Queries.Total = "requests_total"
	return d
}

// seen is four weeks of data that ends now, with a share of bad events in the burn windows and another in the budget.
func seen(d *definition.Definition, burning, spent float64) Measured {
	minutes := d.Window.Minutes()
	m := aged(ledger.Cell{Bad: 100 * minutes * spent, Total: 100 * minutes, Minutes: minutes}, d.Window)
	m.Now, m.Loaded, m.History, m.LastData, m.Felt, m.Windows = noon, d.Window, d.Window, noon, m.Budget, map[time.Duration]ledger.Cell{}
	for _, w := range d.BurnWindows(DefaultLimits().BurnAlerts) {
		m.Windows[w] = ledger.Cell{Bad: 100 * w.Minutes() * burning, Total: 100 * w.Minutes(), Minutes: w.Minutes()}
	}
	return m
}

func active(names ...string) Standing {
	return Standing{Active: func(name string) bool { return slices.Contains(names, name) }}
}

// Any number of reasons for doubt may come together: the first of the order is named, nothing pages anew however much seems to
// burn, nobody is told that budget is left, and an alert that was active stays unless it never had a ground.
func TestAnyCombinationOfDoubtsIsNoVerdict(t *testing.T) {
	conditions := []struct {
		kind  model.SLODoubt
		apply func(m *Measured)
	}{
		{model.DoubtFailing, func(m *Measured) { m.Err = errors.New("timeout") }},
		{model.DoubtImpossible, func(m *Measured) { m.Fault = &indicator.Fault{Kind: indicator.GoodAboveTotal, Value: 12, Total: 10} }},
		{model.DoubtUnmatched, func(m *Measured) { m.NoGood = true }},
		{model.DoubtReading, func(m *Measured) { m.Loaded = 0 }},
		{model.DoubtCorrected, func(m *Measured) { m.Budget, m.Outside, m.Excluded = ledger.Cell{}, time.Hour, time.Hour }},
		{model.DoubtNoData, func(m *Measured) { m.LastData = time.Time{} }},
		{model.DoubtStale, func(m *Measured) {
			if !m.LastData.IsZero() {
				m.LastData = noon.Add(-5*time.Minute - time.Second)
			}
		}},
	}
	d := edge()
	table := []string{"SLOBurnRateFast", "SLOBurnRateSlow", "SLOBudgetBurnWarning", "SLOBudgetBurnTicket"}
	for set := 1; set < 1<<len(conditions); set++ {
		m := seen(d, 1, 0.001) // an outage for three days
		var want model.SLODoubt
		for i, c := range conditions {
			if set&(1<<i) != 0 {
				c.apply(&m)
				if want == "" {
					want = c.kind
				}
			}
		}
		s := Judge(DefaultLimits(), d, m, active()).Status
		if s.State != model.SLOInsufficient || s.Doubt != want || s.Reason == "" || s.Action == "" {
			t.Fatalf("set %b: %s, doubt %q, want %q: %q %q", set, s.State, s.Doubt, want, s.Reason, s.Action)
		}
		if len(s.Alerts) != 0 || s.ExhaustedIn != nil {
			t.Errorf("set %b (%s): %v fire, exhausted in %v", set, want, s.Alerts, s.ExhaustedIn)
		}
		// Of stale data the bad that was seen stays seen; of all else the budget is not known.
		if s.Budget.Unknown != (want != model.DoubtStale) || s.Budget.Reason != s.Reason {
			t.Errorf("set %b (%s): budget %+v", set, want, s.Budget)
		}
		for _, b := range s.Burn {
			if want.Wrong() && (b.Rate != 0 || b.Coverage != 0) {
				t.Errorf("set %b (%s): burn %+v", set, want, b)
			}
		}
		stays := Judge(DefaultLimits(), d, m, active(table...)).Status.Alerts
		if kept := slices.Equal(stays, table); kept == (want == model.DoubtUnmatched) {
			t.Errorf("set %b (%s): of the active alerts stay %v", set, want, stays)
		}
	}
}

func TestEachDoubtSaysWhatItIsAndWhatToDo(t *testing.T) {
	for _, c := range []struct {
		name           string
		change         func(m *Measured)
		kind           model.SLODoubt
		reason, action string
	}{
		{"failing", func(m *Measured) { m.Err = errors.New("timeout") }, model.DoubtFailing, "Its query fails: timeout.", "Mend the query in slos/edge.yaml or free the metrics store; the verdict returns by itself."},
		{"impossible", func(m *Measured) { m.Fault = &indicator.Fault{Kind: indicator.NotARatio, Value: 42} }, model.DoubtImpossible, "The ratio is 42, which is not between 0 and 1.", "Divide by 100"},
		{"never seen", func(m *Measured) { m.Fault = &indicator.Fault{Kind: indicator.UnknownMetric, Metric: "x"} }, model.DoubtNoData, "No data has been seen within 28 d. Nothing has ever been stored under the name x.", "slos/edge.yaml"},
		{"histograms", func(m *Measured) { m.Fault = &indicator.Fault{Kind: indicator.NativeHistogram, Metric: "x"} }, model.DoubtNoData, "x is stored as a native histogram", "histogram_count"},
		{"unmatched", func(m *Measured) { m.NoGood = true }, model.DoubtUnmatched, "has matched nothing in the whole window, while there were", "Check the selector of the good events in slos/edge.yaml."},
		{"corrected", func(m *Measured) { m.Budget, m.Outside = ledger.Cell{}, day }, model.DoubtCorrected, "Corrections take out everything that was measured in the window.", "Wait, or remove a correction"},
		{"no data", func(m *Measured) { m.LastData = time.Time{} }, model.DoubtNoData, "No data has been seen within 28 d.", "edge sends what the query selects: requests_total"},
		{"on the limit", func(m *Measured) { m.LastData = noon.Add(-5 * time.Minute) }, "", "left", "Nothing to do."},
		{"stale", func(m *Measured) { m.LastData = noon.Add(-6 * time.Minute) }, model.DoubtStale, "The newest data is 6 m old (limit 5 m).", "Check that edge runs"},
	} {
		d := edge()
		m := seen(d, 0, 0.001)
		c.change(&m)
		s := Judge(DefaultLimits(), d, m, active()).Status
		if s.Doubt != c.kind || !strings.Contains(s.Reason, c.reason) || !strings.Contains(s.Action, c.action) {
			t.Errorf("%s: %q, %q, %q\nwant %q, %q, %q", c.name, s.Doubt, s.Reason, s.Action, c.kind, c.reason, c.action)
		}
	}
}

// At 99.5 % two hundred events over the window allow the one bad event that is needed, 199 do not; in minutes it does not matter.
func TestTooLittleToJudgeBy(t *testing.T) {
	month := &openslo.Calendar{Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Count: 1, Unit: openslo.UnitMonth}
	events := func(n float64) func(*definition.Definition, *Measured) {
		return func(_ *definition.Definition, m *Measured) { m.Budget.Total, m.Budget.Bad = n, 0 }
	}
	old := func(age time.Duration) func(*definition.Definition, *Measured) {
		return func(_ *definition.Definition, m *Measured) { m.Age, m.History = age, age }
	}
	for _, c := range []struct {
		name   string
		change func(*definition.Definition, *Measured)
		want   model.SLODoubt
	}{
		{"200 events", events(200), ""},
		{"199 events", events(199), model.DoubtFewEvents},
		{"none", events(0), model.DoubtFewEvents},
		{"none, in minutes", func(d *definition.Definition, m *Measured) { d.Method = "timeslices"; m.Budget.Total = 0 }, ""},
		{"a quarter of an hour", old(15 * time.Minute), ""},
		{"a second less", old(15*time.Minute - time.Second), model.DoubtYoung},
		{"young in the window, old before it", func(_ *definition.Definition, m *Measured) { m.Age = time.Minute; m.Budget.Total = 100 }, ""},
		{"an idle part", func(d *definition.Definition, m *Measured) { d.Method = "timeslices"; m.Idle = "a" }, model.DoubtFewEvents},
		{"a month that has just begun", func(d *definition.Definition, m *Measured) {
			d.Calendar, m.Start, m.Budget.Total = month, noon.Add(-14*time.Minute), 0
		}, ""},
		{"a month that has begun a while ago", func(d *definition.Definition, m *Measured) {
			d.Calendar, m.Start, m.Budget.Total = month, noon.Add(-15*time.Minute), 0
		}, model.DoubtFewEvents},
	} {
		d := edge()
		m := seen(d, 0, 0)
		c.change(d, &m)
		if s := Judge(DefaultLimits(), d, m, active()).Status; s.Doubt != c.want || TooThin(DefaultLimits(), d, m) != (c.want != "") {
			t.Errorf("%s: doubt %q, want %q: %s", c.name, s.Doubt, c.want, s.Reason)
		}
		m = seen(d, 1, 0.001)
		c.change(d, &m) // what burns is said whatever the budget is worth
		if s := Judge(DefaultLimits(), d, m, active()).Status; s.State != model.SLOBurning || !slices.Contains(s.Alerts, "SLOBurnRateFast") {
			t.Errorf("%s: an outage is %s, alerts %v", c.name, s.State, s.Alerts)
		}
	}
}
