package slo_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/model"
)

// lasts is how much of a window spans take out, minute by minute, so that what
// two of them cover counts once.
func lasts(excluded []span, from, to time.Time) (d time.Duration) {
	for at := from; at.Before(to); {
		next := at.Truncate(time.Minute).Add(time.Minute)
		if next.After(to) {
			next = to
		}
		middle := at.Add(next.Sub(at) / 2)
		if slices.ContainsFunc(excluded, func(x span) bool { return x.holds(middle) }) {
			d += next.Sub(at)
		}
		at = next
	}
	return d
}

// Corrections lie anywhere: over each other, over the edges of the window, in
// silence, before the service was there, in the future.
func TestCorrectedBudgetsEqualACountOfEvents(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		end := time.Date(2026, 3, 30, 18, rapid.SampledFrom([]int{0, 0, 5, 17}).Draw(t, "minute"), 0, 0, time.UTC)
		l := drawLife(t, end)
		l.late = 0
		s := l.live()
		kolkata, err := time.LoadLocation("Asia/Kolkata")
		if err != nil {
			t.Fatal(err)
		}
		calendar := rapid.Bool().Draw(t, "calendar")
		doc := document([]string{"99.5", "7d"})
		if calendar {
			doc = calendarDocument("99.5", "1w", "Asia/Kolkata")
		}
		w := newTrial(t, dir, doc, s, end)
		w.status(t, "edge-ok")
		var excluded []span
		for range rapid.IntRange(1, 4).Draw(t, "corrections") {
			// To the minute.
			ago := rapid.SampledFrom([]int{0, 2, 5, 47, 200, 1440, 4000, 9990, 10080, 10100, -60}).Draw(t, "begins") + rapid.IntRange(0, 70).Draw(t, "more")
			from := end.Add(-time.Duration(ago) * time.Minute)
			to := from.Add(time.Duration(rapid.SampledFrom([]int{1, 30, 90, 1500}).Draw(t, "lasts")) * time.Minute)
			if _, err := w.engine.Correct(context.Background(), model.SLOCorrection{SLO: "edge-ok", Author: "kim", Reason: "moved", Start: from, End: to}); err != nil {
				t.Fatal(err)
			}
			excluded = append(excluded, span{from, to})
		}
		for range rapid.IntRange(0, 3).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "restart") {
				w.restart(t)
			}
			checkCorrected(t, w, s, excluded, calendar, kolkata)
			w.now = w.now.Add(rapid.SampledFrom([]time.Duration{time.Hour, 3 * time.Hour, 20 * time.Hour}).Draw(t, "pass"))
		}
	})
}

func checkCorrected(t *rapid.T, w *trial, s *stream, excluded []span, calendar bool, zone *time.Location) {
	t.Helper()
	now := w.now
	got := w.status(t, "edge-ok")
	start, end := now.Add(-7*24*time.Hour), now
	age := s.age(start, now)
	count := func(excluded []span) counted { return s.window(start, now, excluded) }
	if calendar {
		start, end = calendarSpan('w', now, zone)
		age = min(s.age(now.Add(-(7*24+2)*time.Hour), now), now.Sub(start))
		count = func(excluded []span) counted { return s.count(span{start, now}, now, excluded) }
	}
	length := end.Sub(start)
	if age == 0 {
		return
	}
	if !slices.ContainsFunc(excluded, func(x span) bool { return x.to.After(start) && x.from.Before(end) }) {
		if got.Felt != nil {
			t.Fatalf("at %s there is a felt budget without a correction in the window", now)
		}
	} else if diff := (spent{0.995, start, length, age}).differs(*got.Felt, count(nil)); diff != "" {
		t.Fatalf("felt at %s: %s", now, diff)
	}
	b := spent{0.995, start, length - lasts(excluded, start, end), age - lasts(excluded, now.Add(-age), now)}
	if b.age <= 0 || b.length <= 0 {
		return
	}
	if diff := b.differs(got.Budget, count(excluded)); diff != "" {
		t.Fatalf("at %s without %s: %s", now, fmt.Sprint(excluded), diff)
	}
	if diff := burnDiffers(got.Burn, 0.995, func(d time.Duration) counted { return s.window(now.Add(-d), now, excluded) }); diff != "" {
		t.Fatalf("at %s without %s: %s", now, fmt.Sprint(excluded), diff)
	}
}
