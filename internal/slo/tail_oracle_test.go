package slo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Pyrra's windows of an SLO over 7 days begin with 1 minute: shorter than
// what is not yet sealed.
func TestBurnOverAMinuteEqualsACountOfEvents(t *testing.T) {
	doc := strings.Replace(document([]string{"99.5", "7d"}), "  objectives:", `  alertPolicies:
    - kind: AlertPolicy
      metadata: {name: short}
      spec:
        conditions:
          - kind: AlertCondition
            metadata: {name: quick, annotations: {signalbox.io/short-window: 1m}}
            spec: {severity: page, condition: {kind: burnrate, op: gte, threshold: 14, lookbackWindow: 5m}}
          - kind: AlertCondition
            metadata: {name: slow, annotations: {signalbox.io/short-window: 2m}}
            spec: {severity: page, condition: {kind: burnrate, op: gte, threshold: 7, lookbackWindow: 1h}}
  objectives:`, 1)
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		end := time.Date(2026, 3, 29, 12, 0, rapid.IntRange(0, 59).Draw(t, "second"), 0, time.UTC)
		l := life{
			start: end.Truncate(time.Minute).Add(-2 * time.Hour), end: end, every: rapid.SampledFrom([]time.Duration{5 * time.Second, 10 * time.Second, 15 * time.Second}).Draw(t, "every"),
			seed: rapid.Uint64().Draw(t, "seed"), rate: 20, misses: 0.1,
		}
		s := l.live()
		w := newTrial(t, dir, doc, s, end)
		got := w.status(t, "edge-ok")
		exact := func(d time.Duration) counted { return s.count(span{end.Add(-d), end}, end, nil) }
		for _, b := range got.Burn {
			if b.Window == "1m" || b.Window == "2m" {
				d, _ := time.ParseDuration(b.Window)
				want := exact(d)
				if d == time.Minute || end.Second() == 0 {
					if !equal(b.Events, want.total) || want.total > 0 && !equal(b.Rate, want.bad/want.total/0.005) {
						t.Fatalf("over %s: %v of %v, want %v of %v", b.Window, b.Rate, b.Events, want.bad, want.total)
					}
				}
			}
		}
		if text := fmt.Sprint(got.Burn); !strings.Contains(text, "{1m ") || !strings.Contains(text, "{2m ") {
			t.Fatalf("windows %s", text)
		}
	})
}
