package rota

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func date(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func clock(t testing.TB, s string) Clock {
	t.Helper()
	c, err := ParseClock(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// at reads a moment in UTC, such as 2026-03-29 01:00.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// now is who is on call at an instant; false if nobody is. The span is cut 40 days to either side.
func now(s Schedule, t time.Time) (Span, bool) {
	const shown = 40 * 24 * time.Hour
	for _, span := range s.Spans(t.Add(-shown), t.Add(shown)) {
		if !t.Before(span.Start) && t.Before(span.End) {
			return span, len(s.Spans(t, t.Add(1))) == 1
		}
	}
	return Span{}, len(s.Spans(t, t.Add(1))) != 0
}

// said is spans in UTC, as a person writes them.
func said(spans []Span) string {
	var out []string
	for _, s := range spans {
		out = append(out, fmt.Sprintf("%s..%s %s", s.Start.UTC().Format("01-02 15:04"), s.End.UTC().Format("01-02 15:04"), s.Person))
	}
	return strings.Join(out, "\n")
}

func weekly(t testing.TB, start, at string, people ...string) Layer {
	t.Helper()
	d := date(t, start)
	return Layer{Name: "weekly", Start: d, At: clock(t, at), Every: 1, Unit: Weeks, Rosters: []Roster{{From: d, People: people}}}
}

// Worked out by hand from the calendar and the zones' rules.
func TestSchedulesAsACalendarShowsThem(t *testing.T) {
	berlin := "Europe/Berlin"
	every := func(unit Unit, n int, l Layer) Layer { l.Unit, l.Every = unit, n; return l }
	windows := func(l Layer, ws ...Window) Layer { l.Windows = ws; return l }
	office := Window{Days: []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}, From: clock(t, "09:00"), To: clock(t, "17:00")}
	for _, c := range []struct {
		name, zone string
		s          Schedule
		from, to   string // UTC
		want       string
	}{
		{
			"a week in which the clocks go forward is an hour shorter", berlin,
			Schedule{Layers: []Layer{weekly(t, "2026-03-23", "09:00", "ada", "kim")}},
			"2026-03-23 08:00", "2026-04-06 07:00",
			"03-23 08:00..03-30 07:00 ada\n03-30 07:00..04-06 07:00 kim",
		},
		{
			"a week in which they go back is an hour longer", berlin,
			Schedule{Layers: []Layer{weekly(t, "2026-10-19", "09:00", "ada", "kim")}},
			"2026-10-19 07:00", "2026-11-02 08:00",
			"10-19 07:00..10-26 08:00 ada\n10-26 08:00..11-02 08:00 kim",
		},
		{
			"a hand-over at a time that does not exist is at the moment after", berlin,
			Schedule{Layers: []Layer{every(Days, 1, weekly(t, "2026-03-28", "02:30", "ada", "kim"))}},
			"2026-03-28 01:30", "2026-03-30 00:30",
			"03-28 01:30..03-29 01:00 ada\n03-29 01:00..03-30 00:30 kim",
		},
		{
			"at a time that comes twice it is at the first", berlin,
			Schedule{Layers: []Layer{every(Days, 1, weekly(t, "2026-10-24", "02:30", "ada", "kim"))}},
			"2026-10-24 00:30", "2026-10-26 01:30",
			"10-24 00:30..10-25 00:30 ada\n10-25 00:30..10-26 01:30 kim",
		},
		{
			"half an hour of daylight saving", "Australia/Lord_Howe",
			Schedule{Layers: []Layer{every(Days, 1, weekly(t, "2026-04-04", "08:00", "ada", "kim"))}},
			"2026-04-03 21:00", "2026-04-05 21:30",
			"04-03 21:00..04-04 21:30 ada\n04-04 21:30..04-05 21:30 kim",
		},
		{
			"a day that a zone left out", "Pacific/Apia",
			Schedule{Layers: []Layer{every(Days, 1, weekly(t, "2011-12-29", "09:00", "ada", "kim", "lee"))}},
			"2011-12-29 19:00", "2011-12-31 19:00",
			"12-29 19:00..12-30 10:00 ada\n12-30 10:00..12-30 19:00 kim\n12-30 19:00..12-31 19:00 lee",
		},
		{
			"shifts of hours are elapsed time", berlin,
			Schedule{Layers: []Layer{every(Hours, 12, weekly(t, "2026-03-28", "20:00", "ada", "kim"))}},
			"2026-03-28 19:00", "2026-03-29 19:00",
			"03-28 19:00..03-29 07:00 ada\n03-29 07:00..03-29 19:00 kim",
		},
		{
			"a leap day is a day", "UTC",
			Schedule{Layers: []Layer{every(Days, 1, weekly(t, "2028-02-28", "00:00", "ada", "kim"))}},
			"2028-02-28 00:00", "2028-03-02 00:00",
			"02-28 00:00..02-29 00:00 ada\n02-29 00:00..03-01 00:00 kim\n03-01 00:00..03-02 00:00 ada",
		},
		{
			"months keep to their last day", "UTC",
			Schedule{Layers: []Layer{every(Months, 1, weekly(t, "2026-01-31", "00:00", "ada", "kim"))}},
			"2026-01-31 00:00", "2026-04-30 00:00",
			"01-31 00:00..02-28 00:00 ada\n02-28 00:00..03-31 00:00 kim\n03-31 00:00..04-30 00:00 ada",
		},
		{
			"two weeks of a product team", berlin,
			Schedule{Layers: []Layer{every(Weeks, 2, weekly(t, "2026-06-01", "10:00", "ada", "kim"))}},
			"2026-06-01 08:00", "2026-06-29 08:00",
			"06-01 08:00..06-15 08:00 ada\n06-15 08:00..06-29 08:00 kim",
		},
		{
			"a roster of a date begins with its first at the next hand-over", "UTC",
			Schedule{Layers: []Layer{func() Layer {
				l := weekly(t, "2026-06-01", "09:00", "ada", "kim")
				l.Rosters = append(l.Rosters, Roster{From: date(t, "2026-06-10"), People: []string{"lee", "ada"}})
				return l
			}()}},
			"2026-06-01 09:00", "2026-06-29 09:00",
			"06-01 09:00..06-08 09:00 ada\n06-08 09:00..06-15 09:00 kim\n06-15 09:00..06-22 09:00 lee\n06-22 09:00..06-29 09:00 ada",
		},
		{
			"office hours, and nights that end on the next day", "UTC",
			Schedule{Layers: []Layer{
				windows(weekly(t, "2026-06-01", "00:00", "ada"), office),
				windows(weekly(t, "2026-06-01", "00:00", "kim"), Window{From: clock(t, "22:00"), To: clock(t, "06:00"), Days: []time.Weekday{time.Friday}}),
			}},
			"2026-06-05 00:00", "2026-06-08 12:00",
			"06-05 09:00..06-05 17:00 ada\n06-05 22:00..06-06 06:00 kim\n06-08 09:00..06-08 12:00 ada",
		},
		{
			"a holiday has others", "UTC",
			Schedule{Holidays: []Date{date(t, "2026-06-04")}, Layers: []Layer{
				func() Layer { l := weekly(t, "2026-06-01", "00:00", "ada"); l.Holidays = HolidaysNot; return l }(),
				func() Layer { l := weekly(t, "2026-06-01", "00:00", "kim"); l.Holidays = HolidaysOnly; return l }(),
			}},
			"2026-06-03 12:00", "2026-06-05 12:00",
			"06-03 12:00..06-04 00:00 ada\n06-04 00:00..06-05 00:00 kim\n06-05 00:00..06-05 12:00 ada",
		},
		{
			"a later layer goes first, an override before all", "UTC",
			Schedule{
				Layers: []Layer{weekly(t, "2026-06-01", "00:00", "ada"), windows(weekly(t, "2026-06-01", "00:00", "kim"), Window{From: clock(t, "08:00"), To: clock(t, "10:00")})},
				Overrides: []Override{
					{ID: "1", Start: at(t, "2026-06-01 09:00"), End: at(t, "2026-06-01 12:00"), Person: "lee"},
					{ID: "2", Start: at(t, "2026-06-01 11:00"), End: at(t, "2026-06-01 11:30"), Person: "max"},
				},
			},
			"2026-06-01 07:00", "2026-06-01 13:00",
			"06-01 07:00..06-01 08:00 ada\n06-01 08:00..06-01 09:00 kim\n06-01 09:00..06-01 11:00 lee\n06-01 11:00..06-01 11:30 max\n06-01 11:30..06-01 12:00 lee\n06-01 12:00..06-01 13:00 ada",
		},
		{
			"a turn that nobody has is a gap, and so is the time before the first", "UTC",
			Schedule{Layers: []Layer{every(Days, 1, weekly(t, "2026-06-02", "00:00", "ada", ""))}},
			"2026-06-01 00:00", "2026-06-05 00:00",
			"06-02 00:00..06-03 00:00 ada\n06-04 00:00..06-05 00:00 ada",
		},
		{
			"a backup of the same roster is the next in turn", "UTC",
			Schedule{Layers: []Layer{func() Layer { l := weekly(t, "2026-06-01", "00:00", "ada", "kim"); l.Offset = 1; return l }()}},
			"2026-06-01 00:00", "2026-06-09 00:00",
			"06-01 00:00..06-08 00:00 kim\n06-08 00:00..06-09 00:00 ada",
		},
	} {
		c.s.Zone = zone(t, c.zone)
		if got := said(c.s.Spans(at(t, c.from), at(t, c.to))); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// Ten years of weeks: the shift that a day is in follows from the number of weeks since the first.
func TestTenYearsOfARotation(t *testing.T) {
	s := Schedule{Zone: zone(t, "Europe/Berlin"), Layers: []Layer{weekly(t, "2026-01-05", "09:00", "ada", "kim", "lee")}}
	first := time.Date(2026, 1, 5, 12, 0, 0, 0, s.Zone)
	for week := range 10 * 52 {
		noon := first.AddDate(0, 0, 7*week)
		span, ok := now(s, noon)
		if want := []string{"ada", "kim", "lee"}[week%3]; !ok || span.Person != want {
			t.Fatalf("%s: %+v, want %s", noon, span, want)
		}
		if start, end := span.Start.In(s.Zone), span.End.In(s.Zone); start.Hour() != 9 || end.Hour() != 9 || start.Weekday() != time.Monday || end.Sub(start).Round(24*time.Hour) != 7*24*time.Hour {
			t.Fatalf("%s: from %s to %s", noon, start, end)
		}
	}
	if n := len(s.Spans(first, first.AddDate(10, 0, 0))); n != 522 {
		t.Errorf("%d shifts in ten years, want 522", n)
	}
}

func TestWhatIsNoDateOrTime(t *testing.T) {
	for _, bad := range []string{"", "2026-02-29", "29.03.2026", "2026-3-9"} {
		if d, err := ParseDate(bad); err == nil {
			t.Errorf("%q is read as %s", bad, d)
		}
	}
	for _, bad := range []string{"", "9:00", "24:01", "25:00", "09.00", "09:00:00", "9:5"} {
		if c, err := ParseClock(bad); err == nil {
			t.Errorf("%q is read as %s", bad, c)
		}
	}
	if c := clock(t, "24:00"); c.String() != "24:00" || clock(t, "09:05").String() != "09:05" {
		t.Error(c)
	}
}
