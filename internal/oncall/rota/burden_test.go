package rota

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheWeekInWhichTheClocksChange(t *testing.T) {
	zone := zoneOf(t, "Europe/Berlin")
	week := func(from, to string) Span {
		a, err1 := time.ParseInLocation(time.DateTime, from, zone)
		b, err2 := time.ParseInLocation(time.DateTime, to, zone)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		return Span{Start: a, End: b}
	}
	h := func(n int) time.Duration { return time.Duration(n) * time.Hour }
	for name, c := range map[string]struct {
		spans    []Span
		holidays []Date
		want     Burden
	}{
		"a week":                       {[]Span{week("2026-03-02 09:00:00", "2026-03-09 09:00:00")}, nil, Burden{h(168), h(63), h(48), 0}},
		"an hour of a night less":      {[]Span{week("2026-03-23 09:00:00", "2026-03-30 09:00:00")}, nil, Burden{h(167), h(62), h(47), 0}},
		"an hour of a night more":      {[]Span{week("2026-10-19 09:00:00", "2026-10-26 09:00:00")}, nil, Burden{h(169), h(64), h(49), 0}},
		"a day at work":                {[]Span{week("2026-03-03 09:00:00", "2026-03-03 17:00:00")}, nil, Burden{h(8), 0, 0, 0}},
		"a holiday":                    {[]Span{week("2026-12-24 20:00:00", "2026-12-25 20:00:00")}, []Date{{2026, time.December, 25}}, Burden{h(24), h(9), 0, h(20)}},
		"on call by two schedules":     {[]Span{week("2026-03-03 09:00:00", "2026-03-03 17:00:00"), week("2026-03-03 12:00:00", "2026-03-03 23:00:00")}, nil, Burden{h(14), h(1), 0, 0}},
		"nobody has been on call":      {nil, nil, Burden{}},
		"two turns, one after another": {[]Span{week("2026-03-03 09:00:00", "2026-03-03 12:00:00"), week("2026-03-03 12:00:00", "2026-03-03 13:00:00")}, nil, Burden{h(4), 0, 0, 0}},
	} {
		if got := BurdenOf(c.spans, zone, c.holidays); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// Counted by what the wall clocks show in each quarter of an hour.
func TestTheBurdenIsWhatTheWallClocksShow(t *testing.T) {
	const step = 15 * time.Minute
	rapid.Check(t, func(t *rapid.T) {
		zone := zoneOf(t, rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "Pacific/Apia"}).Draw(t, "zone"))
		base := time.Date(2011, 12, 1, 0, 0, 0, 0, time.UTC)
		var spans []Span
		for range rapid.IntRange(0, 4).Draw(t, "spans") {
			from := base.Add(time.Duration(rapid.IntRange(0, 150*96).Draw(t, "from")) * step)
			spans = append(spans, Span{Start: from, End: from.Add(time.Duration(rapid.IntRange(1, 20*96).Draw(t, "length")) * step)})
		}
		holiday := DateOf(base, time.UTC).Add(rapid.IntRange(0, 150).Draw(t, "holiday"))
		var want Burden
		seen := map[time.Time]bool{}
		for _, s := range spans {
			for at := s.Start; at.Before(s.End); at = at.Add(step) {
				if seen[at] {
					continue
				}
				seen[at] = true
				want.Total += step
				shown := at.In(zone)
				if shown.Hour() >= 22 || shown.Hour() < 7 {
					want.Nights += step
				}
				if w := shown.Weekday(); w == time.Saturday || w == time.Sunday {
					want.Weekends += step
				}
				if DateOf(at, zone) == holiday {
					want.Holidays += step
				}
			}
		}
		if got := BurdenOf(spans, zone, []Date{holiday}); got != want {
			t.Fatalf("%+v, want %+v of %v", got, want, spans)
		}
	})
}

func zoneOf(t interface{ Fatal(...any) }, name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}
