package indicator

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// What was counted is kept under the source's identity: two that count the same queries differently must not share it.
func TestNoTwoWaysOfCountingAreTakenForOne(t *testing.T) {
	ratio := func(good bool) *Ratio {
		if good {
			return &Ratio{Good: counter(t, "g_total"), Total: counter(t, "t_total")}
		}
		return &Ratio{Bad: counter(t, "b_total"), Total: counter(t, "t_total")}
	}
	peak := zurich(t)
	utc := &openslo.PeakCalendar{Zone: time.UTC, Weekly: peak.Weekly, Dates: peak.Dates}
	later := &openslo.PeakCalendar{Zone: peak.Zone, Weekly: []openslo.PeakPeriod{{Days: peak.Weekly[0].Days, From: 91, To: 210}}, Dates: peak.Dates}
	always := &openslo.PeakCalendar{Zone: peak.Zone, Weekly: peak.Weekly}
	spans, logs := compare("service", "a"), &EventQuery{Signal: Logs}
	sources := []Source{
		ratio(true), ratio(false),
		&Slices{Counts: ratio(true), Slice: time.Minute, Target: 0.9}, &Slices{Counts: ratio(false), Slice: time.Minute, Target: 0.9},
		&Slices{Counts: ratio(true), Slice: 5 * time.Minute, Target: 0.9}, &Slices{Counts: ratio(true), Slice: time.Minute, Target: 0.95},
		&Slices{Counts: ratio(true), Slice: time.Minute},
		&Values{}, &Values{Success: true}, &Values{Op: "lt", Limit: 1}, &Values{Op: "lte", Limit: 1}, &Values{Op: "lt", Limit: 2},
		&Values{Op: "lt", Limit: 1, Peak: peak, PeakLimit: 2}, &Values{Op: "lt", Limit: 1, Peak: peak, PeakLimit: 3},
		&Values{Op: "lt", Limit: 1, Peak: utc, PeakLimit: 2}, &Values{Op: "lt", Limit: 1, Peak: always, PeakLimit: 2},
		&Slices{Counts: &Values{Op: "lt", Limit: 1}, Slice: time.Minute}, &Slices{Counts: &Values{Op: "lt", Limit: 2}, Slice: time.Minute},
		&EventRatio{Total: spans, Good: spans, Quiet: time.Minute}, &EventRatio{Total: spans, Bad: spans, Quiet: time.Minute},
		&EventRatio{Total: spans, Good: spans, Quiet: time.Hour}, &EventRatio{Total: logs, Good: logs, Quiet: time.Minute},
		&AtPeak{Source: ratio(true), Calendar: peak, Scale: 2}, &AtPeak{Source: ratio(true), Calendar: peak, Scale: 3},
		&AtPeak{Source: ratio(false), Calendar: peak, Scale: 2}, &AtPeak{Source: ratio(true), Calendar: utc, Scale: 2},
		&AtPeak{Source: ratio(true), Calendar: later, Scale: 2}, &AtPeak{Source: ratio(true), Calendar: always, Scale: 2},
	}
	seen := map[string]int{}
	for i, s := range sources {
		if k, twice := seen[s.Identity()]; twice {
			t.Errorf("%d and %d are both %q", k, i, s.Identity())
		}
		seen[s.Identity()] = i
	}
}

func TestErrorRatiosOfGroups(t *testing.T) {
	bad, good := &Ratio{Bad: counter(t, "b_total"), Total: counter(t, "t_total")}, &Ratio{Good: counter(t, "g_total"), Total: counter(t, "t_total")}
	total := "sum by (route, method) (increase(t_total[5m]))"
	if got, want := ErrorOver(bad, "", "5m", []string{"route", "method"}), "(sum by (route, method) (increase(b_total[5m])) or 0 * "+total+") / "+total; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := ErrorOver(good, "", "5m", []string{"route"}); !strings.HasPrefix(got, "1 - (sum by (route) (increase(g_total[5m])) or 0 * ") {
		t.Error(got)
	}
	if got, want := ErrorOver(&Values{}, "x > bool 2", "1h", []string{"queue"}), "avg by (queue) (avg_over_time((x > bool 2)[1h:1m]))"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, c := range []struct {
		query string
		apart bool
	}{
		{"sum(rate(t_total[5m]))", true},
		{"sum(rate(t_total[5m]) and on(instance) up)", false}, // joined minute by minute: in PromQL only as one sum
	} {
		src := &Slices{Counts: &Ratio{Bad: counter(t, "b_total"), Total: counter(t, c.query)}, Slice: time.Minute}
		if got := GroupsInPromQL(src); got != c.apart {
			t.Errorf("%s: groups can be told apart: %t", c.query, got)
		}
	}
	if !GroupsInPromQL(&Values{}) {
		t.Error("values have series of their own")
	}
}
