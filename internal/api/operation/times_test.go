package operation

import (
	"testing"
	"time"
)

// now is the time in every test of this package.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func TestParseTime(t *testing.T) {
	cases := []struct {
		name, text string
		want       time.Time // zero: an error
	}{
		{"RFC 3339", "2026-11-21T10:00:00Z", time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)},
		{"RFC 3339 with ns", "2026-11-21T10:00:00.123456789Z", time.Date(2026, 11, 21, 10, 0, 0, 123456789, time.UTC)},
		{"RFC 3339 whose + became a blank", "2026-11-21T12:00:00 02:00", time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)},
		{"Unix seconds", "1763718000", time.Unix(1763718000, 0)},
		{"Unix seconds with a fraction", "1763718000.5", time.Unix(1763718000, 500_000_000)},
		{"Unix ms", "1763718000123", time.UnixMilli(1763718000123)},
		{"Unix µs", "1763718000123456", time.UnixMicro(1763718000123456)},
		{"Unix ns", "1763718000123456789", time.Unix(0, 1763718000123456789)},
		{"now", "now", now},
		{"an hour ago", "now-1h", now.Add(-time.Hour)},
		{"a week ago", "now-7d", now.Add(-7 * 24 * time.Hour)},
		{"in five minutes", "now+5m", now.Add(5 * time.Minute)},
		{"in five minutes, + as a blank", "now 5m", now.Add(5 * time.Minute)},
		{"blanks around", " now-1h ", now.Add(-time.Hour)},
		{"nothing", "", time.Time{}},
		{"a word", "yesterday", time.Time{}},
		{"a date alone", "2026-11-21", time.Time{}},
		{"now and nonsense", "nowish", time.Time{}},
		{"a duration of nothing", "now-", time.Time{}},
		{"not a number", "NaN", time.Time{}},
		{"too far back", "now-100000y", time.Time{}},
		{"before 1970", "-5", time.Time{}},
		{"beyond Unix ns", "2300-01-01T00:00:00Z", time.Time{}},
		{"the smallest integer", "-9223372036854775808", time.Time{}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseTime(tc.text, now)
			if (err != nil) != tc.want.IsZero() {
				t.Fatalf("got %s, %v", got, err)
			}
			if err == nil && !got.Equal(tc.want) {
				t.Errorf("got %s, want %s", got.UTC(), tc.want)
			}
		})
	}
}

func TestParseStep(t *testing.T) {
	cases := []struct {
		name, text string
		span, want time.Duration // want 0: an error
	}{
		{"an hour in minutes", "", time.Hour, time.Minute},
		{"a day in half hours", "", 24 * time.Hour, 30 * time.Minute},
		{"28 days in half days", "", 28 * 24 * time.Hour, 12 * time.Hour},
		{"ten years in round days", "", 3650 * 24 * time.Hour, 61 * 24 * time.Hour},
		{"a moment in seconds", "", time.Millisecond, time.Second},
		{"a duration", "5m", time.Hour, 5 * time.Minute},
		{"seconds", "15", time.Hour, 15 * time.Second},
		{"parts of a second", "0.5", time.Minute, 500 * time.Millisecond},
		{"nothing", "0", time.Hour, 0},
		{"less than nothing", "-5", time.Hour, 0},
		{"too fine", "1s", 24 * time.Hour, 0},
		{"a word", "fast", time.Hour, 0},
		{"not a number", "NaN", time.Hour, 0},
		{"infinity", "Inf", time.Hour, 0},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseStep(tc.text, tc.span)
			if (err != nil) != (tc.want == 0) || got != tc.want {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"now-1h", "now", "1763718000", "1763718000123456789", "2026-11-21T10:00:00Z", "1e9", "-1", "now+5m", "NaN", "now-292y"} {
		f.Add(s, s, s)
	}
	f.Fuzz(func(t *testing.T, start, end, step string) {
		from, to, err := ParseRange(start, end, now)
		if err != nil {
			return
		}
		if !from.Before(to) || from.UnixNano() >= to.UnixNano() {
			t.Errorf("%q to %q gives %s to %s", start, end, from, to)
		}
		if d, err := ParseStep(step, to.Sub(from)); err == nil && (d < time.Millisecond || to.Sub(from)/d > maxBuckets) {
			t.Errorf("step %q over %s gives %s", step, to.Sub(from), d)
		}
	})
}
