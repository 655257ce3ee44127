package slo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A composite burns as the weighted mean of its parts, each counted alone.
func TestCompositesEqualTheWeightedMeanOfCountedParts(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		end := time.Date(2026, 3, 30, 18, 0, 0, 0, time.UTC)
		l := drawLife(t, end)
		if end.Sub(l.start) > 75*time.Hour {
			l.start = end.Add(-75*time.Hour - 10*time.Minute)
		}
		l.late, l.silences, l.misses, l.every = 0, 0, 0, time.Minute
		s, g := l.live(), newGauge(l)
		weights := [2]int{rapid.IntRange(1, 5).Draw(t, "weight"), rapid.IntRange(1, 5).Draw(t, "other weight")}
		doc := document([]string{"99.5", "28d"}) + "---\n" + strings.NewReplacer("compositeWeight: 3", fmt.Sprintf("compositeWeight: %d", weights[0]),
			"displayName: fresh", fmt.Sprintf("displayName: fresh\n      compositeWeight: %d", weights[1])).Replace(composite)
		w := newTrial(t, dir, doc, s, end.Add(-time.Duration(rapid.IntRange(0, 3).Draw(t, "steps"))*time.Hour))
		w.memory.add(g.labels, g.samples)
		for ; ; w.now = w.now.Add(time.Hour) {
			got := w.status(t, "edge-all")
			if w.now.Sub(l.start) < 10*time.Minute { // a composite begins where all of its parts have data
				if !w.now.Before(end) {
					return
				}
				continue
			}
			burn := func(from time.Time) float64 {
				events := s.count(span{from, w.now}, w.now, nil)
				var minutes counted
				for at := from.Add(time.Minute); !at.After(w.now); at = at.Add(time.Minute) {
					if v, ok := g.atFast(at); ok && !at.Before(l.start) {
						minutes.total++
						if v > 60 {
							minutes.bad++
						}
					}
				}
				rate := func(c counted, budget float64) float64 {
					if c.total == 0 {
						return 0
					}
					return c.bad / c.total / budget
				}
				a, b := float64(weights[0]), float64(weights[1])
				return (a*rate(events, 0.005) + b*rate(minutes, 0.01)) / (a + b)
			}
			for _, b := range got.Burn {
				d := map[string]time.Duration{"5m": 5 * time.Minute, "30m": 30 * time.Minute, "1h": time.Hour, "6h": 6 * time.Hour, "3d": 72 * time.Hour}[b.Window]
				if want := burn(w.now.Add(-d)); !equal(b.Rate, want) {
					t.Fatalf("at %s over %s it burns %v, want %v", w.now, b.Window, b.Rate, want)
				}
			}
			if got.Budget.Total > 0 {
				age := w.now.Sub(l.start)
				want := burn(w.now.Add(-28*24*time.Hour)) * float64(age) / float64(28*24*time.Hour)
				if !equal(got.Budget.UsedRatio, want) {
					t.Fatalf("at %s it has used %v, want %v", w.now, got.Budget.UsedRatio, want)
				}
			}
			if !w.now.Before(end) {
				return
			}
			if rapid.Bool().Draw(t, "restart") {
				w.restart(t)
			}
		}
	})
}
