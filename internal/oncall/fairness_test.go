package oncall

import (
	"testing"
	"time"
)

func TestWhoBearsWhat(t *testing.T) {
	r, _ := in(t, utc(t, "2026-03-01 00:00"), two)
	from, to := utc(t, "2026-03-30 07:00"), utc(t, "2026-04-13 07:00") // two hand-overs in Berlin's summer
	if _, err := r.Override(t.Context(), Override{Schedule: "edge", Person: "lee", Start: utc(t, "2026-04-04 10:00"), End: utc(t, "2026-04-04 14:00")}); err != nil {
		t.Fatal(err)
	}
	got, err := r.Fairness(t.Context(), "", from, to, nil)
	if err != nil || len(got.People) != 3 {
		t.Fatal(got, err)
	}
	byName := map[string]Burden{}
	var shares float64
	for _, l := range got.People {
		byName[l.Person.Name] = l
		shares += l.Share
	}
	// kim has the week of 30 March but for lee's four hours of Saturday, ada the next one.
	if l := byName["kim"]; l.Hours != 164 || l.Nights != 63 || l.Weekends != 44 || l.Turns != 2 || l.TimeZone != "Europe/Berlin" {
		t.Errorf("%+v", l)
	}
	if l := byName["ada"]; l.Hours != 168 || l.Nights != 63 || l.Weekends != 48 {
		t.Errorf("%+v", l)
	}
	// lee's nights by the clocks of UTC begin in the afternoon in New York: 20 to 8 is 16 to 4 there, and Saturday's 10 to 14 is 6 to 10.
	if l := byName["lee"]; l.TimeZone != "America/New_York" || l.Hours != 14*12+4 || l.Nights != 14*6+1 {
		t.Errorf("%+v", l)
	}
	if got.People[0].Person.Name != "lee" || shares < 0.999 || shares > 1.001 {
		t.Errorf("%+v", got.People)
	}
	if one, err := r.Fairness(t.Context(), "nights", from, to, nil); err != nil || len(one.People) != 1 || one.People[0].Share != 1 {
		t.Error(one, err)
	}
	if none, err := r.Fairness(t.Context(), "edge", from.AddDate(-10, 0, 0), from.AddDate(-9, 0, 0), nil); err != nil || len(none.People) != 2 || none.People[0].Hours != 0 || none.People[0].Share != 0 {
		t.Error(none, err)
	}
	if _, err := r.Fairness(t.Context(), "edgy", from, to, nil); err == nil {
		t.Error("a schedule that there is none of")
	}
}

// The goal is two pages a week on call, whoever has how many weeks of them.
func TestPagesAreCountedByTheWeek(t *testing.T) {
	r, _ := in(t, utc(t, "2026-03-01 00:00"), two)
	from, to := utc(t, "2026-03-30 07:00"), utc(t, "2026-04-27 07:00") // kim and ada have two weeks each
	page := func(person, at string, byItself bool) Paged {
		return Paged{Page: at, Person: person, At: utc(t, at), ByItself: byItself}
	}
	pages := []Paged{
		page("kim", "2026-03-30 08:00", true), page("kim", "2026-04-03 20:30", true), // Friday, 22:30 in Berlin
		page("kim", "2026-04-04 22:30", false), page("kim", "2026-04-05 05:30", false), // Sunday, 00:30 and 07:30 in Berlin
		page("kim", "2026-04-14 10:00", false),
		page("ada", "2026-04-07 10:00", false),
		page("boss", "2026-04-08 10:00", false), // whom a policy names
	}
	got, err := r.Fairness(t.Context(), "", from, to, pages)
	if err != nil || got.Goal != 2 {
		t.Fatal(got, err)
	}
	byName := map[string]PageLoad{}
	for _, b := range got.People {
		byName[b.Person.Name] = b.Pages
	}
	kim := byName["kim"]
	if kim.Count != 5 || kim.PerWeek != 2.5 || !kim.OverGoal || kim.Nights != 2 || kim.Weekends != 2 || kim.ByItself != 2 {
		t.Errorf("%+v", kim)
	}
	if len(kim.Weeks) != 2 || kim.Weeks[0] != (WeekOfPages{"2026-03-30", 4}) || kim.Weeks[1] != (WeekOfPages{"2026-04-13", 1}) {
		t.Errorf("%+v", kim.Weeks)
	}
	if ada := byName["ada"]; ada.Count != 1 || ada.PerWeek != 0.5 || ada.OverGoal {
		t.Errorf("%+v", ada)
	}
	// Of less than a week on call, two pages are no more than two a week.
	if boss := byName["boss"]; boss.Count != 1 || boss.PerWeek != 1 {
		t.Errorf("%+v", boss)
	}
	nights, err := r.Fairness(t.Context(), "nights", from, to, append(pages, page("lee", "2026-04-07 21:00", false), page("lee", "2026-04-07 10:00", false)))
	if err != nil || len(nights.People) != 1 || nights.People[0].Pages.Count != 1 {
		t.Errorf("a page outside of the schedule's turns counts: %+v %v", nights, err)
	}
	if got, want := loadOf(nil, time.UTC, time.Hour), 0; got.Count != want || got.Weeks == nil {
		t.Errorf("%+v", got)
	}
}
