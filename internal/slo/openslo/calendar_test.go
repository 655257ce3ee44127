package openslo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func window(t *testing.T, duration, calendar string) *Calendar {
	t.Helper()
	text := strings.Replace(good, "28d\n      isRolling: true", fmt.Sprintf("%s\n      isRolling: false\n      calendar: {%s}", duration, calendar), 1)
	docs, problems := Parse("a.yaml", []byte(text))
	for _, p := range problems {
		if !p.Warning || strings.Contains(calendar, "timeZone") {
			t.Fatal(problems)
		}
	}
	if len(docs.SLOs) != 1 || len(problems) == 0 && !strings.Contains(calendar, "timeZone") {
		t.Fatalf("%d SLOs, %v", len(docs.SLOs), problems)
	}
	return docs.SLOs[0].Calendar
}

func TestCalendarWindows(t *testing.T) {
	for _, c := range []struct {
		name, duration, calendar, now, from, to string
		hours                                   float64
	}{
		{"a month of UTC", "1M", "", "2026-02-10T12:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z", 28 * 24},
		{"February of a leap year has 29 days", "1M", "", "2028-02-29T23:59:59Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z", 29 * 24},
		{"the first moment is in its month", "1M", "", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z", 31 * 24},
		{"the clocks go forward in March", "1M", "timeZone: Europe/Zurich", "2026-03-10T00:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z", 31*24 - 1},
		{"and back in October", "1M", "timeZone: Europe/Zurich", "2026-10-10T00:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z", 31*24 + 1},
		{"the day the clocks go forward has 23 hours", "1d", "timeZone: America/New_York", "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", 23},
		{"the day they go back has 25", "1d", "timeZone: America/New_York", "2026-11-01T12:00:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", 25},
		{"a week begins on Monday", "1w", "", "2026-03-08T12:00:00Z", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z", 168},
		{"or when it is told to", "1w", `startTime: "2026-01-04 18:00:00"`, "2026-03-08T12:00:00Z", "2026-03-01T18:00:00Z", "2026-03-08T18:00:00Z", 168},
		{"a quarter", "1Q", "", "2026-05-10T00:00:00Z", "2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z", 91 * 24},
		{"a year", "1Y", "", "2028-05-10T00:00:00Z", "2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z", 366 * 24},
		{"a fiscal year", "1Y", `startTime: "2020-04-01"`, "2026-03-31T23:00:00Z", "2025-04-01T00:00:00Z", "2026-04-01T00:00:00Z", 365 * 24},
		{"a month from the 31st begins on the last day of shorter ones", "1M", `startTime: "2026-01-31 00:00:00"`, "2026-03-01T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z", 31 * 24},
		{"a day of a zone with half an hour", "1d", "timeZone: Asia/Kolkata", "2026-03-08T18:45:00Z", "2026-03-08T18:30:00Z", "2026-03-09T18:30:00Z", 24},
		{"before the calendar's start", "1M", `startTime: "2030-06-15 00:00:00"`, "2026-03-01T00:00:00Z", "2026-02-15T00:00:00Z", "2026-03-15T00:00:00Z", 28 * 24},
	} {
		t.Run(c.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			from, to := window(t, c.duration, c.calendar).At(now)
			if got := from.UTC().Format(time.RFC3339); got != c.from {
				t.Errorf("begins at %s, want %s", got, c.from)
			}
			if got := to.UTC().Format(time.RFC3339); got != c.to {
				t.Errorf("ends at %s, want %s", got, c.to)
			}
			if got := to.Sub(from).Hours(); got != c.hours {
				t.Errorf("lasts %v h, want %v", got, c.hours)
			}
		})
	}
}

// Every moment is in exactly one window, and windows follow one another.
func TestCalendarWindowsTileTime(t *testing.T) {
	zones := []string{"UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		c := &Calendar{
			Start: time.Date(2024, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 31).Draw(t, "day"), rapid.IntRange(0, 23).Draw(t, "hour"), 0, 0, 0, zone),
			Count: rapid.IntRange(1, 3).Draw(t, "count"), Unit: rapid.SampledFrom([]Unit{UnitDay, UnitWeek, UnitMonth, UnitQuarter, UnitYear}).Draw(t, "unit"),
		}
		now := time.Unix(rapid.Int64Range(1.5e9, 2.2e9).Draw(t, "now"), 0)
		from, to := c.At(now)
		if now.Before(from) || !now.Before(to) || to.Sub(from) > c.Longest() {
			t.Fatalf("%s is not in [%s, %s) of %s", now, from, to, c.Text())
		}
		if begin, end := c.At(to); !begin.Equal(to) || !end.After(to) {
			t.Fatalf("after %s comes %s", to, begin)
		}
		if _, end := c.At(from.Add(-time.Nanosecond)); !end.Equal(from) {
			t.Fatalf("before %s ends %s", from, end)
		}
	})
}

const peaks = `apiVersion: signalbox/v1
kind: PeakCalendar
metadata: {name: market-open}
spec:
  timeZone: America/New_York
  weekly: [{days: [mon, tue, wed, thu, Friday], from: "09:30", to: "11:00"}]
  exceptions:
    - {date: 2026-12-25, closed: true}
    - {date: 2026-11-28, from: "10:00", to: "12:00"}
`

func TestPeakCalendars(t *testing.T) {
	docs, problems := Parse("a.yaml", []byte(peaks))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, c := range []struct {
		name, at string
		want     bool
	}{
		{"before the opening", "2026-03-02T14:29:59Z", false},
		{"at the opening in winter", "2026-03-02T14:30:00Z", true},
		{"the same hour in summer is an hour earlier in UTC", "2026-03-09T13:30:00Z", true},
		{"after the first hour and a half", "2026-03-09T15:00:00Z", false},
		{"on Saturday", "2026-03-07T15:00:00Z", false},
		{"on a holiday", "2026-12-25T15:00:00Z", false},
		{"on a Saturday that trades", "2026-11-28T15:30:00Z", true},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := docs.Calendars[0].Active(at); got != c.want {
			t.Errorf("%s it is peak time: %v", c.name, got)
		}
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"no such zone", "America/New_York", "New_York", "time zone \"New_York\" is unknown"},
		{"an end before the begin", `to: "11:00"`, `to: "08:00"`, "ends before it begins"},
		{"no such day", "Friday", "Fryday", `"Fryday" is no day of the week`},
		{"no such date", "2026-12-25", "2026-13-25", `"2026-13-25" is no date`},
		{"an unknown key", "weekly:", "weekyl:", `did you mean "weekly"?`},
		{"another kind", "kind: PeakCalendar", "kind: Calendar", "it has PeakCalendar"},
	} {
		_, problems := Parse("a.yaml", []byte(strings.Replace(peaks, c.old, c.new, 1)))
		text := fmt.Sprint(problems)
		if !strings.Contains(text, c.want) || !strings.Contains(text, "a.yaml:") {
			t.Errorf("%s: %s", c.name, text)
		}
	}
}

func TestAlertPoliciesAreRead(t *testing.T) {
	docs, problems := Parse("a.yaml", []byte(`apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast}
spec:
  alertWhenBreaching: true
  alertWhenNoData: true
  alertWhenResolved: false
  conditions: [{conditionRef: burn}]
  notificationTargets:
    - targetRef: on-call
    - kind: AlertNotificationTarget
      metadata: {name: chat}
      spec: {target: slack}
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: burn}
spec:
  severity: page
  condition: {kind: burnrate, op: gte, threshold: 14, lookbackWindow: 1h, alertAfter: 5m}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: on-call}
spec: {target: pagerduty}
`))
	if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Error(), "send_resolved") {
		t.Fatal(problems)
	}
	p, c := docs.Policies[0], docs.Conditions[0]
	if !p.WhenNoData || p.Conditions[0].Name != "burn" || p.Targets[0].Name != "on-call" || p.Targets[1].Inline.Target != "slack" {
		t.Errorf("policy %+v", p)
	}
	if c.Threshold != 14 || c.Lookback != time.Hour || c.After != 5*time.Minute || docs.Targets[0].Target != "pagerduty" {
		t.Errorf("condition %+v", c)
	}
}
