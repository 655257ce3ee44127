package slo_test

import (
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/slo"
)

func TestConfigIsCheckedWhole(t *testing.T) {
	if errs := slo.DefaultConfig().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	var bad slo.Config
	bad.BurnAlerts = []slo.BurnAlert{{Name: "a b", Effect: "shout"}, {Name: "A", Long: 1}, {Name: "A"}}
	bad.CPUShare, bad.MinBadEvents = 2, -1
	var text []string
	for _, err := range bad.Validate() {
		text = append(text, err.Error())
	}
	for _, want := range []string{"burn_alerts[0].name: ", "burn_alerts[0].long: ", "burn_alerts[0].short: ", "burn_alerts[0].factor: ", "burn_alerts[0].effect: ", "burn_alerts[2].name: ", "stale_after: ", "record_every: ", "resend_every: ", "cpu_share: ", "min_bad_events: "} {
		if !strings.Contains(strings.Join(text, "\n"), want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
}
