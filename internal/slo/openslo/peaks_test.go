package openslo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// peakWith is a calendar with a spec.
func peakWith(spec string) string {
	return "apiVersion: signalbox/v1\nkind: PeakCalendar\nmetadata: {name: p}\nspec: {timeZone: UTC, " + spec + "}\n"
}

func TestEveryPartOfAPeakCalendarArrives(t *testing.T) {
	docs := read(t, peakWith(`description: d, weekly: [{days: [SUN, thurs, Wednesday], from: "00:00", to: "24:00"}, {days: [sat], from: "9:30", to: "09:31"}], `+
		`exceptions: [{date: 2026-12-24, description: morning, from: "08:00", to: "12:00"}, {date: 2026-12-24, from: "20:00", to: "24:00"}, {date: 2026-12-25, closed: true}]`))
	want := PeakCalendar{
		Meta: Meta{Name: "p", File: "a.yaml", Line: 3}, Description: "d", Zone: time.UTC,
		Weekly: []PeakPeriod{{Days: []time.Weekday{time.Sunday, time.Thursday, time.Wednesday}, From: 0, To: 1440}, {Days: []time.Weekday{time.Saturday}, From: 570, To: 571}},
		Dates:  map[string][]PeakPeriod{"2026-12-24": {{From: 480, To: 720}, {From: 1200, To: 1440}}, "2026-12-25": nil},
	}
	if diff := cmp.Diff(want, docs.Calendars[0], places()); diff != "" {
		t.Error(diff)
	}
	if err := roundTrip(docs); err != nil {
		t.Error(err)
	}
}

func TestPeakCalendarsSayWhatIsWrongWithThem(t *testing.T) {
	const weekly = `weekly: [{days: [%s], from: "%s", to: "%s"}]`
	for _, c := range []struct{ spec, want string }{
		{"description: d", "a.yaml:4: spec: the calendar has no peak; add weekly"},
		{fmt.Sprintf(weekly, "mon-fri", "09:00", "10:00"), `a.yaml:4: weekly.days: "mon-fri" is no day of the week; use mon, tue, wed, thu, fri, sat and sun`},
		{fmt.Sprintf(weekly, "mo", "09:00", "10:00"), `"mo" is no day of the week`},
		{fmt.Sprintf(weekly, "month", "09:00", "10:00"), `"month" is no day of the week`},
		{fmt.Sprintf(weekly, "", "09:00", "10:00"), "a.yaml:4: weekly.days is empty"},
		{fmt.Sprintf(weekly, "mon", "24:00", "24:00"), `a.yaml:4: weekly.from: "24:00" is no time of day; write it as "09:30"`},
		{fmt.Sprintf(weekly, "mon", "09:60", "10:00"), `"09:60" is no time of day`},
		{fmt.Sprintf(weekly, "mon", "09:00", "09:00"), `a.yaml:4: weekly: the peak ends before it begins; end it at "24:00" and begin another the next day`},
		{fmt.Sprintf(weekly, "fri", "22:00", "02:00"), "the peak ends before it begins"},
		{`weekly: [{days: [mon], from: "09:00"}]`, "a.yaml:4: weekly.to is missing; for example `to: \"11:00\"`"},
		{`exceptions: [{date: 2026-02-30, closed: true}]`, `a.yaml:4: exceptions.date: "2026-02-30" is no date; write it as 2026-12-25`},
		{`exceptions: [{date: 2026-12-25, closed: true}, {date: 2026-12-25, from: "08:00", to: "12:00"}]`, "a.yaml:4: exceptions: a date is closed and has a peak; keep one"},
		{`exceptions: [{date: 2026-12-25, from: "08:00", to: "12:00"}, {date: 2026-12-25, closed: true}]`, "a date is closed and has a peak"},
		{`exceptions: [{date: 2026-12-25, closed: true, from: "08:00"}]`, "a date is closed and has a peak"},
	} {
		docs, problems := Parse("a.yaml", []byte(peakWith(c.spec)))
		if got := fmt.Sprint(problems); !strings.Contains(got, c.want) || len(docs.Calendars) != 0 {
			t.Errorf("%s: %s", c.spec, got)
		}
	}
}

// Against a table of every minute of the week: it is peak time in those that a period of that day covers, of the wall clock.
func TestPeakTimeIsThatOfTheWallClock(t *testing.T) {
	zones := []string{"UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		c := PeakCalendar{Zone: zone, Dates: map[string][]PeakPeriod{}}
		var busy [7][1440]bool
		for range rapid.IntRange(0, 4).Draw(t, "periods") {
			p := PeakPeriod{Days: []time.Weekday{time.Weekday(rapid.IntRange(0, 6).Draw(t, "day"))}, From: rapid.IntRange(0, 1439).Draw(t, "from")}
			p.To = rapid.IntRange(p.From+1, 1440).Draw(t, "to")
			c.Weekly = append(c.Weekly, p)
			for m := p.From; m < p.To; m++ {
				busy[p.Days[0]][m] = true
			}
		}
		at := time.Unix(rapid.Int64Range(1.7e9, 1.9e9).Draw(t, "at"), 0)
		wall := at.In(zone)
		want := busy[wall.Weekday()][wall.Hour()*60+wall.Minute()]
		if got := c.Active(at); got != want {
			t.Fatalf("%s: %v of %+v", wall, got, c.Weekly)
		}
		c.Dates[wall.Format(time.DateOnly)] = nil
		if c.Active(at) {
			t.Fatalf("%s is closed and it is peak time", wall)
		}
		c.Dates[wall.Format(time.DateOnly)] = []PeakPeriod{{From: 0, To: 1440}}
		if !c.Active(at) {
			t.Fatalf("%s has a peak all day and it is none", wall)
		}
	})
}
