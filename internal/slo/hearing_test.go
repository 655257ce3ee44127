package slo

import (
	"testing"
	"time"
)

// What reading again costs is paid with rest, so that it takes a quarter of the share; nobody waits longer than two minutes.
func TestReadingAgainIsPaidWithRest(t *testing.T) {
	for cost, want := range map[time.Duration]time.Duration{
		0: 2 * time.Second, 50 * time.Millisecond: 2 * time.Second, time.Second: 40 * time.Second, time.Minute: 2 * time.Minute,
	} {
		if got := (hearing{cost: cost}).rest(0.1); got != want {
			t.Errorf("after %s of reading: %s, want %s", cost, got, want)
		}
	}
}
