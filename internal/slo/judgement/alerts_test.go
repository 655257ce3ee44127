package judgement

import (
	"slices"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// At 99.5 % a page needs 7 % of the last hour and of the last five minutes; what lies below in either does not page.
func TestBothWindowsMustBurn(t *testing.T) {
	for _, c := range []struct {
		name        string
		hour, short float64 // bad of 6,000 and of 500
		fires       bool
	}{
		{"both on the limit", 420, 35, true},
		{"the hour just below", 419, 500, false},
		{"five minutes just below", 6000, 34, false},
		{"both far above", 6000, 500, true},
		{"over already", 6000, 0, false},
	} {
		m := seen(edge(), 0, 0)
		m.Windows[time.Hour] = ledger.Cell{Bad: c.hour, Total: 6000, Minutes: 60}
		m.Windows[5*time.Minute] = ledger.Cell{Bad: c.short, Total: 500, Minutes: 5}
		s := Judge(DefaultLimits(), edge(), m, active()).Status
		if want := map[bool]model.SLOState{true: model.SLOBurning, false: model.SLOOK}[c.fires]; s.State != want || slices.Contains(s.Alerts, "SLOBurnRateFast") != c.fires {
			t.Errorf("%s: %s, alerts %v", c.name, s.State, s.Alerts)
		}
	}
}

// An active alert ends when the short window says so, and not because it says nothing or is still to be read.
func TestSilenceAfterAFireIsNoAllClear(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(m *Measured)
		stays  bool
	}{
		{"the short window is good", func(m *Measured) { m.Windows[5*time.Minute] = ledger.Cell{Total: 500, Minutes: 5} }, false},
		{"the short window is empty", func(m *Measured) { m.Windows[5*time.Minute] = ledger.Cell{} }, true},
		{"both are empty", func(m *Measured) { m.Windows[5*time.Minute], m.Windows[time.Hour] = ledger.Cell{}, ledger.Cell{} }, false},
		{"the hour is still to be read", func(m *Measured) {
			m.Windows[5*time.Minute], m.Windows[time.Hour], m.Loaded = ledger.Cell{Total: 500, Minutes: 5}, ledger.Cell{}, 59*time.Minute
		}, true},
		{"few events, and one good one", func(m *Measured) {
			m.Trickle, m.Windows[5*time.Minute] = map[time.Duration]ledger.Cell{}, ledger.Cell{Total: 1, Minutes: 5}
		}, true},
		{"few events, and five good ones", func(m *Measured) {
			m.Trickle, m.Windows[5*time.Minute] = map[time.Duration]ledger.Cell{}, ledger.Cell{Total: 5, Minutes: 5}
		}, false},
	} {
		m := seen(edge(), 0, 0)
		m.Windows[time.Hour] = ledger.Cell{Bad: 3000, Total: 6000, Minutes: 60}
		c.change(&m)
		if s := Judge(DefaultLimits(), edge(), m, active("SLOBurnRateFast")).Status; slices.Contains(s.Alerts, "SLOBurnRateFast") != c.stays {
			t.Errorf("%s: %v", c.name, s.Alerts)
		}
		if s := Judge(DefaultLimits(), edge(), m, active()).Status; slices.Contains(s.Alerts, "SLOBurnRateFast") {
			t.Errorf("%s: it fires anew", c.name)
		}
	}
}

// Chance explains two bad of two, and three of four: at 99.5 % P(X ≥ 3) is 5.5e-7 for three events and 1.3e-6 for four.
func TestFewBadEventsMustBeNoChance(t *testing.T) {
	for _, c := range []struct {
		bad, total float64
		method     string
		fires      bool
	}{
		{1, 1, "occurrences", false},
		{2, 2, "occurrences", false},
		{3, 3, "occurrences", true},
		{3, 4, "occurrences", false},
		{4, 20, "occurrences", false},
		{4, 8, "occurrences", true},
		{5, 50, "occurrences", true},
		{1, 1, "timeslices", true},
	} {
		d := edge()
		d.Method = c.method
		m := seen(d, 0, 0)
		m.Windows[time.Hour] = ledger.Cell{Bad: c.bad, Total: c.total, Minutes: 60}
		m.Windows[5*time.Minute] = ledger.Cell{Bad: 1, Total: 1, Minutes: 5}
		if got := Judge(DefaultLimits(), d, m, active()).Status.Alerts; slices.Contains(got, "SLOBurnRateFast") != c.fires {
			t.Errorf("%g bad of %g %s: %v", c.bad, c.total, c.method, got)
		}
	}
}

// With a wait of ten minutes an SLO burns at once and alerts after ten minutes without a break.
func TestAnAlertWaitsForAsLongAsItSays(t *testing.T) {
	d := edge()
	fast := row("1h", "5m", 14)
	fast.For = prom.Duration(10 * time.Minute)
	d.BurnAlerts = []definition.BurnAlert{fast}
	type step struct {
		at      time.Duration
		burns   bool
		fires   bool
		waiting bool
	}
	var pending map[string]time.Time
	for _, s := range []step{
		{0, true, false, true},
		{9*time.Minute + 59*time.Second, true, false, true},
		{10 * time.Minute, true, true, false},
		{20 * time.Minute, false, false, false},
		{21 * time.Minute, true, false, true},
		{25 * time.Minute, false, false, false},
		{26 * time.Minute, true, false, true},
		{35 * time.Minute, true, false, true},
		{36 * time.Minute, true, true, false},
	} {
		m := seen(d, map[bool]float64{true: 1}[s.burns], 0.001)
		m.Now = noon.Add(s.at)
		m.LastData = m.Now
		v := Judge(DefaultLimits(), d, m, Standing{Active: func(string) bool { return false }, Pending: pending})
		pending = v.Pending
		if got := len(v.Status.Alerts) > 0; got != s.fires || (len(pending) > 0) != s.waiting {
			t.Errorf("after %s: fires %t, waiting %v", s.at, got, pending)
		}
		if want := map[bool]model.SLOState{true: model.SLOBurning, false: model.SLOOK}[s.burns]; v.Status.State != want {
			t.Errorf("after %s: %s", s.at, v.Status.State)
		}
		if s.at == 0 && !strings.HasSuffix(v.Status.Reason, " A follows at 12:10:00 UTC if that goes on: it waits for 10 m.") {
			t.Error(v.Status.Reason)
		}
	}
	// While its hour is read nobody knows whether it went on: the wait is not begun anew.
	since := map[string]time.Time{"A": noon.Add(-5 * time.Minute)}
	m := seen(d, 0, 0)
	m.Loaded = 30 * time.Minute
	if v := Judge(DefaultLimits(), d, m, Standing{Active: func(string) bool { return false }, Pending: since}); !v.Pending["A"].Equal(since["A"]) {
		t.Errorf("waiting %v", v.Pending)
	}
}

func TestWhichRowsApply(t *testing.T) {
	none := definition.BurnAlert{Name: "N", Long: prom.Duration(time.Hour), Factor: 1, Effect: definition.EffectWarn, NoData: true}
	for _, c := range []struct {
		name   string
		change func(d *definition.Definition)
		want   []string
	}{
		{"all", func(*definition.Definition) {}, []string{"A", "N"}},
		{"a window shorter than the row's", func(d *definition.Definition) { d.Window = 59 * time.Minute }, nil},
		{"as long as the row's", func(d *definition.Definition) { d.Window = time.Hour }, []string{"A", "N"}},
		{"each group burns alone", func(d *definition.Definition) { d.Grouping = &definition.Grouping{} }, []string{"N"}},
		{"whether data comes is asked of all", func(d *definition.Definition) { d.Group = &definition.Group{} }, []string{"A"}},
		{"no alerts at all", func(d *definition.Definition) { d.BurnAlerts = []definition.BurnAlert{} }, nil},
	} {
		d := edge()
		d.BurnAlerts = []definition.BurnAlert{row("1h", "5m", 14), none}
		c.change(d)
		m := seen(d, 1, 0.001)
		m.LastData = noon.Add(-time.Hour)
		var got []string
		for _, r := range Judge(DefaultLimits(), d, m, active()).Rows {
			got = append(got, r.Alert.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: rows %v, want %v", c.name, got, c.want)
		}
	}
	// The row for missing data fires when data is missing, whatever else is not known, and not before anything was read.
	d := edge()
	d.BurnAlerts = []definition.BurnAlert{none}
	for age, fires := range map[time.Duration]bool{0: false, 5 * time.Minute: false, 5*time.Minute + time.Second: true} {
		m := seen(d, 0, 0)
		m.LastData = noon.Add(-age)
		if got := len(Judge(DefaultLimits(), d, m, active()).Status.Alerts) > 0; got != fires {
			t.Errorf("data of %s ago: fires %t", age, got)
		}
		m.Loaded = 0
		if len(Judge(DefaultLimits(), d, m, active()).Status.Alerts) > 0 || len(Judge(DefaultLimits(), d, m, active("N")).Status.Alerts) == 0 {
			t.Errorf("data of %s ago, nothing read: it changed", age)
		}
	}
}

// 99 %, twenty events in a day: six bad ones are no chance (P = 7.1e-8), five are (P = 2.3e-6).
func TestASlowTrickle(t *testing.T) {
	for _, c := range []struct {
		name        string
		day, recent ledger.Cell
		was, fires  bool
	}{
		{"six of twenty, three of the last ten", ledger.Cell{Bad: 6, Total: 20}, ledger.Cell{Bad: 3, Total: 10}, false, true},
		{"five of twenty", ledger.Cell{Bad: 5, Total: 20}, ledger.Cell{Bad: 3, Total: 10}, false, false},
		{"six, but none of the last ten", ledger.Cell{Bad: 6, Total: 20}, ledger.Cell{Total: 10}, false, false},
		{"it was active, and the last ten were good", ledger.Cell{Bad: 6, Total: 20}, ledger.Cell{Total: 10}, true, false},
		{"it was active, and nothing came since", ledger.Cell{Bad: 6, Total: 20}, ledger.Cell{}, true, true},
		{"nothing came lately", ledger.Cell{Bad: 6, Total: 20}, ledger.Cell{}, false, false},
		{"too few to speak of", ledger.Cell{Bad: 9, Total: 9}, ledger.Cell{Bad: 9, Total: 9}, false, false},
		{"too few to speak of, and active", ledger.Cell{Bad: 9, Total: 9}, ledger.Cell{Bad: 9, Total: 9}, true, true},
	} {
		d := edge()
		d.Objective = 0.99
		m := seen(d, 0, 0)
		for w := range m.Windows {
			m.Windows[w] = ledger.Cell{}
		}
		m.Trickle = map[time.Duration]ledger.Cell{24 * time.Hour: c.day, 12 * time.Hour: c.recent}
		was := active()
		if c.was {
			was = active(AlertTrickle)
		}
		if got := Judge(DefaultLimits(), d, m, was).Status.Alerts; slices.Contains(got, AlertTrickle) != c.fires {
			t.Errorf("%s: %v", c.name, got)
		}
		d.BurnAlerts = []definition.BurnAlert{}
		if got := Judge(DefaultLimits(), d, m, was).Status.Alerts; len(got) != 0 {
			t.Errorf("%s: an SLO that wants no alerts has %v", c.name, got)
		}
	}
	d := edge()
	for total, few := range map[float64]bool{0: true, 59: true, 60: false} {
		if FewEvents(DefaultLimits(), d, ledger.Cell{Total: total}) != few {
			t.Errorf("%g events in six hours are few: %t", total, !few)
		}
	}
}
