package diagnose

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

func TestAnEpisodeThatIsOverIsStillTold(t *testing.T) {
	f := newFacts(t)
	f.traffic(25*time.Hour, time.Minute, "2.4.0", 10, 0.01, 0.05)
	released := f.now
	f.traffic(5*time.Minute, time.Minute, "2.4.1", 10, 0.2, 0.05)
	f.traffic(20*time.Minute, time.Minute, "2.4.0", 10, 0.01, 0.05)
	f.deploys = []model.Deploy{{Service: "edge", Version: "2.4.1", Kind: "deploy", Time: released}}
	d, err := f.room().Service(t.Context(), "default", "edge", f.now.Add(-time.Hour), f.now)
	if err != nil {
		t.Fatal(err)
	}
	want := "All is normal again. Errors reached 20 % over 5 m, from 15:01 UTC to 15:05 UTC, right after version 2.4.1."
	if d.Summary != want {
		t.Errorf("got  %s\nwant %s", d.Summary, want)
	}
}

func TestNormalIsNotSaidWhileItIsNot(t *testing.T) {
	burning := model.SLOStatus{Name: "edge-availability", Service: "edge", State: model.SLOBurning, Reason: "Burning 15× over 1 h (limit 14×)."}
	spent := model.SLOStatus{Name: "edge-availability", Service: "edge", State: model.SLOExhausted, Reason: "The budget is spent.", Alerts: []string{"SLOBurnRateFast"}}
	old := spent
	old.Alerts = nil
	for _, tc := range []struct {
		name string
		now  float64 // the error share after the episode; 1 % is normal, 20 % was reached
		slos []model.SLOStatus
		want string
	}{
		{"it is normal again", 0.01, nil, "All is normal again. Errors reached 20 % over 5 m, from"},
		{"it fell, but not to normal", 0.025, nil, "Errors are still 2.5 % (normal 1 %). Errors reached 20 %"},
		{"an SLO burns above its limit", 0.01, []model.SLOStatus{burning}, "SLO edge-availability: Burning 15× over 1 h (limit 14×). Errors reached 20 %"},
		{"one whose budget is spent burns", 0.01, []model.SLOStatus{spent}, "SLO edge-availability: The budget is spent. Errors reached"},
		{"a budget that was spent long ago is no news", 0.01, []model.SLOStatus{old}, "All is normal again."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFacts(t)
			f.slos = tc.slos
			f.traffic(25*time.Hour, time.Minute, "2.4.0", 10, 0.01, 0.05)
			f.traffic(10*time.Minute, time.Minute, "2.4.0", 10, 0.2, 0.05)
			f.traffic(20*time.Minute, time.Minute, "2.4.0", 10, tc.now, 0.05)
			d, err := f.room().Service(t.Context(), "default", "edge", f.now.Add(-time.Hour), f.now)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(d.Summary, tc.want) {
				t.Errorf("got  %s\nwant %s…", d.Summary, tc.want)
			}
		})
	}
}

func TestAPeakIsWhatPromQLSaysOfTheChartsQuery(t *testing.T) {
	f := newFacts(t)
	f.traffic(25*time.Hour, time.Minute, "2.4.0", 10, 0.01, 0.05)
	f.traffic(time.Minute, time.Minute, "2.4.0", 10, 0.9, 0.05) // one minute at 90 %
	f.traffic(4*time.Minute, time.Minute, "2.4.0", 10, 0.15, 0.05)
	f.traffic(20*time.Minute, time.Minute, "2.4.0", 10, 0.01, 0.05)
	r := f.room()
	d, err := r.Service(t.Context(), "default", "edge", f.now.Add(-time.Hour), f.now)
	if err != nil {
		t.Fatal(err)
	}
	peak, err := r.deps.Querier.Instant(t.Context(), "max_over_time(("+d.Queries.Errors+")[30m:1m])", f.now)
	if err != nil || len(peak) != 1 {
		t.Fatalf("%v, %v", peak, err)
	}
	if want := "Errors reached " + human.Percent(peak[0].Value) + " over 5 m"; !strings.Contains(d.Summary, want) {
		t.Errorf("%q does not say %q", d.Summary, want)
	}
}
