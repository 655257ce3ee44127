package slo_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// calendarWindow is an SLO's window of a calendar unit in a zone.
func calendarDocument(objective, duration, zone string) string {
	return strings.Replace(document([]string{objective, "28d"}), "{duration: 28d, isRolling: true}",
		fmt.Sprintf("{duration: %s, isRolling: false, calendar: {startTime: \"2024-01-01 00:00:00\", timeZone: %s}}", duration, zone), 1)
}

// calendarSpan finds the day, week, month, quarter or year around a moment by
// walking from one local midnight to the next, as a person with a paper calendar would.
func calendarSpan(unit byte, at time.Time, zone *time.Location) (from, to time.Time) {
	begins := func(y int, m time.Month, d int) bool {
		switch unit {
		case 'd':
			return true
		case 'w':
			return time.Date(y, m, d, 12, 0, 0, 0, time.UTC).Weekday() == time.Monday
		case 'M':
			return d == 1
		case 'Q':
			return d == 1 && (m == 1 || m == 4 || m == 7 || m == 10)
		}
		return d == 1 && m == 1
	}
	midnight := func(noon time.Time) time.Time {
		y, m, d := noon.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, zone)
	}
	y, m, d := at.In(zone).Date()
	noon := time.Date(y, m, d, 12, 0, 0, 0, time.UTC) // days of UTC all have 24 hours
	for from = noon; !begins(from.Date()); from = from.Add(-24 * time.Hour) {
	}
	for to = noon.Add(24 * time.Hour); !begins(to.Date()); to = to.Add(24 * time.Hour) {
	}
	return midnight(from), midnight(to)
}

// The moments around which calendars are odd.
var oddMoments = []struct{ zone, unit, at string }{
	{"UTC", "M", "2026-02-28T23:00:00Z"}, {"UTC", "M", "2026-03-03T12:00:00Z"}, // 28 days
	{"Europe/Zurich", "M", "2028-02-29T20:00:00Z"}, {"Europe/Zurich", "M", "2028-03-01T07:00:00Z"}, // 29 days
	{"UTC", "M", "2026-04-30T23:30:00Z"}, {"UTC", "M", "2026-05-31T23:59:00Z"}, // 30 and 31 days
	{"Europe/Zurich", "M", "2026-03-31T12:00:00Z"}, {"Europe/Zurich", "M", "2026-10-30T12:00:00Z"}, // 743 and 745 hours
	{"America/New_York", "M", "2026-03-09T12:00:00Z"}, {"America/New_York", "d", "2026-11-01T18:05:00Z"}, {"America/New_York", "d", "2026-03-08T18:00:00Z"}, // 25 and 23 hours
	{"Europe/Zurich", "Y", "2026-12-31T23:30:00Z"}, {"Asia/Tokyo", "Y", "2026-01-12T00:00:00Z"}, {"UTC", "Y", "2026-12-31T23:59:00Z"}, // the year ends
	{"Asia/Kolkata", "M", "2026-01-03T01:00:00Z"}, {"Asia/Kolkata", "M", "2026-01-20T01:05:00Z"}, {"Asia/Kathmandu", "w", "2026-01-15T01:00:00Z"}, // half and quarter hours
	{"Australia/Lord_Howe", "M", "2026-04-20T12:00:00Z"}, {"Australia/Lord_Howe", "d", "2026-04-05T10:00:00Z"}, // the clocks change by half an hour
	{"UTC", "Q", "2026-05-20T10:00:00Z"}, {"Europe/Zurich", "w", "2026-03-30T00:30:00Z"},
}

func TestCalendarWindowsEqualACountOfEvents(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		odd := rapid.SampledFrom(oddMoments).Draw(t, "moment")
		zone, err := time.LoadLocation(odd.zone)
		if err != nil {
			t.Fatal(err)
		}
		end, err := time.Parse(time.RFC3339, odd.at)
		if err != nil {
			t.Fatal(err)
		}
		l := drawLife(t, end)
		s := l.live()
		steps := rapid.SliceOfN(pass(), 0, 5).Draw(t, "steps")
		now := end
		for _, d := range steps {
			now = now.Add(-d)
		}
		w := newTrial(t, dir, calendarDocument("99.5", "1"+odd.unit, odd.zone), s, now)
		for i := 0; ; i++ {
			got := w.status(t, "edge-ok")
			from, to := calendarSpan(odd.unit[0], w.now, zone)
			if got.WindowStart == nil || !got.WindowStart.Equal(from) || !got.WindowEnd.Equal(to) {
				t.Fatalf("at %s the window is %v to %v, want %s to %s", w.now, got.WindowStart, got.WindowEnd, from, to)
			}
			// A service that was there before the window began is as old as the window.
			days := map[byte]int{'d': 1, 'w': 7, 'M': 31, 'Q': 92, 'Y': 366}[odd.unit[0]]
			longest := time.Duration(days)*24*time.Hour + 2*time.Hour
			b := spent{0.995, from, to.Sub(from), min(s.age(w.now.Add(-longest), w.now), w.now.Sub(from))}
			if diff := b.differs(got.Budget, s.count(span{from, w.now}, w.now, nil)); diff != "" {
				t.Fatalf("at %s: %s", w.now, diff)
			}
			if i == len(steps) {
				return
			}
			w.now = w.now.Add(steps[i])
			if rapid.IntRange(0, 3).Draw(t, "restart") == 0 {
				w.restart(t)
			}
			if l.lateBy > 10*time.Minute {
				w.engine.Recompute()
			}
		}
	})
}
