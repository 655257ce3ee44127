package oncall

import "testing"

func TestWhoBearsWhat(t *testing.T) {
	r, _ := in(t, utc(t, "2026-03-01 00:00"), two)
	from, to := utc(t, "2026-03-30 07:00"), utc(t, "2026-04-13 07:00") // two hand-overs in Berlin's summer
	if _, err := r.Override(t.Context(), Override{Schedule: "edge", Person: "lee", Start: utc(t, "2026-04-04 10:00"), End: utc(t, "2026-04-04 14:00")}); err != nil {
		t.Fatal(err)
	}
	got, err := r.Fairness(t.Context(), "", from, to)
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
	if one, err := r.Fairness(t.Context(), "nights", from, to); err != nil || len(one.People) != 1 || one.People[0].Share != 1 {
		t.Error(one, err)
	}
	if none, err := r.Fairness(t.Context(), "edge", from.AddDate(-10, 0, 0), from.AddDate(-9, 0, 0)); err != nil || len(none.People) != 2 || none.People[0].Hours != 0 || none.People[0].Share != 0 {
		t.Error(none, err)
	}
	if _, err := r.Fairness(t.Context(), "edgy", from, to); err == nil {
		t.Error("a schedule that there is none of")
	}
}
