package report

import (
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/report/paper"
)

func TestPeriodsAsPeopleSayThem(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := utc(2026, 1, 1, 0, 7) // past midnight in Berlin as well
	for _, c := range []struct {
		text       string
		zone       *time.Location
		name, in   string
		start, end time.Time
		before     string // names of the two periods before
	}{
		{"last-month", time.UTC, "December 2025", "in December 2025", utc(2025, 12, 1, 0, 0), utc(2026, 1, 1, 0, 0), "October 2025, November 2025"},
		{"this-month", berlin, "January 2026", "in January 2026", utc(2025, 12, 31, 23, 0), utc(2026, 1, 31, 23, 0), "November 2025, December 2025"},
		{"2026-q1", time.UTC, "quarter 1 of 2026", "in quarter 1 of 2026", utc(2026, 1, 1, 0, 0), utc(2026, 4, 1, 0, 0), "quarter 3 of 2025, quarter 4 of 2025"},
		{"2025", time.UTC, "2025", "in 2025", utc(2025, 1, 1, 0, 0), utc(2026, 1, 1, 0, 0), "2023, 2024"},
		{"last-7d", time.UTC, "the last 7 days", "in the last 7 days", utc(2025, 12, 25, 0, 7), now, "2025-12-11, 2025-12-18"},
	} {
		p, err := periodOf(paper.Request{Period: c.text, Zone: c.zone}, now)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if p.name != c.name || p.in != c.in || !p.start.Equal(c.start) || !p.end.Equal(c.end) {
			t.Errorf("%s is %q (%q), %s to %s", c.text, p.name, p.in, p.start.UTC(), p.end.UTC())
		}
		var names []string
		for _, b := range p.before(2) {
			names = append(names, b.name)
		}
		if got := strings.Join(names, ", "); got != c.before {
			t.Errorf("before %s: %s", c.text, got)
		}
	}
	p, err := periodOf(paper.Request{Start: utc(2026, 1, 5, 0, 0), End: utc(2026, 1, 8, 0, 0), Zone: time.UTC}, now)
	if err != nil || p.name != "2026-01-05 to 2026-01-08" || p.in != "from 2026-01-05 to 2026-01-08" {
		t.Errorf("%+v %v", p, err)
	}
	if n := len(p.before(2000)); n != 366 { // three years of three days
		t.Errorf("%d periods before", n)
	}
}

func TestAPeriodToTheMinuteCountsToTheMinute(t *testing.T) {
	w := newWorld(t, utc(2026, 10, 9, 10, 7), availability("edge", "99.9"))
	// One bad minute before the period, one in its first, one in its last.
	start := utc(2026, 10, 8, 10, 7)
	w.minutes(utc(2026, 10, 1, 0, 0), w.now, map[string]traffic{
		"edge": during(start.Add(-time.Minute), 2*time.Minute, 1, during(w.now.Add(-time.Minute), time.Minute, 1, nil)),
	})
	r := w.report(paper.Request{Period: "last-1d", Months: 1})
	if f := r.SLOs[0].Contract; f.UsedMinutes != 2 || f.Total != 1440*600 || r.Period.Minutes != 1440 || !r.Period.Complete {
		t.Errorf("%+v of %g min", f, r.Period.Minutes)
	}
	if e := r.SLOs[0].Episodes; len(e) != 2 || e[0].Ongoing || !e[1].Ongoing {
		t.Errorf("episodes %+v", e)
	}
}

func FuzzPeriod(f *testing.F) {
	for _, text := range []string{"2026-10", "2026-q4", "2026", "last-month", "this-month", "last-28d", "last-0d", "9999-12", "0001-01", ""} {
		f.Add(text, "Europe/Berlin")
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		zone, err := time.LoadLocation(name)
		if err != nil || text == "" {
			return
		}
		p, err := periodOf(paper.Request{Period: text, Zone: zone}, utc(2026, 11, 21, 7, 3))
		if err != nil {
			return
		}
		if !p.end.After(p.start) || p.name == "" || p.in == "" {
			t.Errorf("%q in %s is %+v", text, name, p)
		}
		last := time.Time{}
		for _, b := range append(p.before(3), p) {
			if !last.IsZero() && !b.start.Equal(last) {
				t.Errorf("%q in %s: a period begins at %s, the one before ended at %s", text, name, b.start, last)
			}
			last = b.end
		}
	})
}
