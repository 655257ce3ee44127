package rota

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// byTheMinute says who is on call at a minute, without the arithmetic: it looks at what the wall clocks show,
// minute by minute, and counts hand-overs one by one.
func byTheMinute(s Schedule, t time.Time) string {
	for i := len(s.Overrides) - 1; i >= 0; i-- {
		if o := s.Overrides[i]; !t.Before(o.Start) && t.Before(o.End) && o.Person != "" {
			return o.Person
		}
	}
	for i := len(s.Layers) - 1; i >= 0; i-- {
		if who := byTheMinuteIn(s, s.Layers[i], t); who != "" {
			return who
		}
	}
	return ""
}

func byTheMinuteIn(s Schedule, l Layer, t time.Time) string {
	if !inWindow(s, l, t) || t.Before(l.Begins) || !l.Ends.IsZero() && !t.Before(l.Ends) {
		return ""
	}
	var roster []string
	var since, turn int
	var begun bool
	first := firstShown(s.Zone, l.Start, l.At)
	for k := 0; ; k++ {
		begins, day := handover(s, l, k, first)
		if begins.After(t) {
			break
		}
		begun = true
		for i, r := range l.Rosters {
			if !day.Before(r.From) && len(r.People) > 0 && since <= i {
				roster, since, turn = r.People, i+1, -1
			}
		}
		turn++
	}
	if !begun || roster == nil {
		return ""
	}
	return roster[(turn+l.Offset)%len(roster)]
}

func handover(s Schedule, l Layer, k int, first time.Time) (time.Time, Date) {
	if l.Unit == Hours {
		for range k {
			first = first.Add(time.Duration(l.Every) * time.Hour)
		}
		return first, DateOf(first, s.Zone)
	}
	day := time.Date(l.Start.Year, l.Start.Month, l.Start.Day, 12, 0, 0, 0, time.UTC)
	if l.Unit == Months {
		month := time.Date(l.Start.Year, l.Start.Month, 1, 12, 0, 0, 0, time.UTC).AddDate(0, k*l.Every, 0)
		day = month.AddDate(0, 0, l.Start.Day-1)
		for day.Month() != month.Month() {
			day = day.AddDate(0, 0, -1)
		}
	} else {
		n := map[Unit]int{Days: 1, Weeks: 7}[l.Unit] * l.Every
		for range k {
			day = day.AddDate(0, 0, n)
		}
	}
	d := DateOf(day, time.UTC)
	return firstShown(s.Zone, d, l.At), d
}

// firstShown is the first minute at which the wall shows a time or a later one.
func firstShown(zone *time.Location, d Date, c Clock) time.Time {
	wanted := d.String() + " " + c.String()
	if c == Clock(24*time.Hour) {
		wanted = d.Add(1).String() + " 00:00"
	}
	t := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Add(time.Duration(c) - 27*time.Hour)
	for t.In(zone).Format("2006-01-02 15:04") < wanted {
		// Whole hours first, where they stay before it.
		if next := t.Add(3 * time.Hour); next.In(zone).Format("2006-01-02 15:04") < wanted {
			_, before := t.In(zone).Zone()
			if _, after := next.In(zone).Zone(); before == after {
				t = next
				continue
			}
		}
		t = t.Add(time.Minute)
	}
	return t
}

func inWindow(s Schedule, l Layer, t time.Time) bool {
	windows := l.Windows
	if len(windows) == 0 {
		if l.Holidays == HolidaysToo {
			return true
		}
		windows = []Window{{From: 0, To: Clock(24 * time.Hour)}}
	}
	today := DateOf(t, s.Zone)
	for back := range 3 {
		d := today.Add(-back)
		holiday := false
		for _, h := range s.Holidays {
			holiday = holiday || h == d
		}
		if l.Holidays == HolidaysNot && holiday || l.Holidays == HolidaysOnly && !holiday {
			continue
		}
		for _, w := range windows {
			ok := len(w.Days) == 0
			for _, day := range w.Days {
				ok = ok || day == d.Weekday()
			}
			end := d
			if w.To <= w.From {
				end = d.Add(1)
			}
			if ok && !t.Before(firstShown(s.Zone, d, w.From)) && t.Before(firstShown(s.Zone, end, w.To)) {
				return true
			}
		}
	}
	return false
}

var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns", "Africa/Casablanca", "America/Sao_Paulo"}

func randomSchedule(t *testing.T, r *rand.Rand) Schedule {
	s := Schedule{Zone: zone(t, zones[r.IntN(len(zones))])}
	for i := range 1 + r.IntN(3) {
		// Near changes of the clocks more often than not.
		start := Date{2009 + r.IntN(20), time.Month([]int{1, 3, 4, 10, 11, 12}[r.IntN(6)]), 1 + r.IntN(31)}.Add(0)
		l := Layer{
			Name: fmt.Sprint("l", i), Start: start, At: Clock(time.Duration(r.IntN(48)) * 30 * time.Minute), Every: 1 + r.IntN(3),
			Unit: []Unit{Hours, Days, Weeks, Months}[r.IntN(4)], Offset: r.IntN(3), Holidays: []Holidays{HolidaysToo, HolidaysToo, HolidaysNot, HolidaysOnly}[r.IntN(4)],
		}
		if l.Unit == Hours {
			l.Every *= 4
		}
		for n := range 1 + r.IntN(2) {
			l.Rosters = append(l.Rosters, Roster{From: start.Add(n * r.IntN(30)), People: []string{"ada", "kim", "lee", ""}[:1+r.IntN(4)]})
		}
		for range r.IntN(3) {
			l.Windows = append(l.Windows, Window{
				From: Clock(time.Duration(r.IntN(48)) * 30 * time.Minute), To: Clock(time.Duration(1+r.IntN(48)) * 30 * time.Minute),
				Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}[r.IntN(7):],
			})
		}
		if r.IntN(4) == 0 {
			l.Begins = instant(start, 0, s.Zone).Add(time.Duration(r.IntN(30*48)) * 30 * time.Minute)
		}
		if r.IntN(4) == 0 {
			l.Ends = instant(start, 0, s.Zone).Add(time.Duration(r.IntN(60*48)) * 30 * time.Minute)
		}
		s.Layers = append(s.Layers, l)
	}
	begin := instant(s.Layers[0].Start, 0, s.Zone)
	for i := range r.IntN(3) {
		s.Holidays = append(s.Holidays, s.Layers[0].Start.Add(r.IntN(40)))
		from := begin.Add(time.Duration(r.IntN(40*24)) * time.Hour)
		s.Overrides = append(s.Overrides, Override{ID: fmt.Sprint(i), Start: from, End: from.Add(time.Duration(r.IntN(72)) * time.Hour), Person: []string{"max", ""}[r.IntN(2)]})
	}
	return s
}

// The arithmetic answers what counting by the minute does, for any schedule, the more so where clocks change.
// ROTA_SCHEDULES=10000 compares as many (make prove does).
func TestSchedulesAnswerWhatCountingDoes(t *testing.T) {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("ROTA_SCHEDULES"), "60"))
	if err != nil {
		t.Fatal(err)
	}
	compareWithCounting(t, n, 1)
}

func compareWithCounting(t *testing.T, schedules int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range schedules {
		s := randomSchedule(t, r)
		begin := instant(s.Layers[0].Start, 0, s.Zone).Add(-24 * time.Hour)
		for range 6 {
			when := begin.Add(time.Duration(r.IntN(45*24*60)) * time.Minute)
			span, _ := now(s, when)
			if want := byTheMinute(s, when); span.Person != want {
				t.Fatalf("schedule %d of seed %d, at %s: %q, want %q\n%+v", i, seed, when.In(s.Zone), span.Person, want, s)
			}
		}
		wholeSpans(t, s, begin, begin.Add(45*24*time.Hour))
	}
}

// wholeSpans checks what every list of spans promises, and that cutting a list in two changes nothing.
func wholeSpans(t *testing.T, s Schedule, from, to time.Time) {
	t.Helper()
	spans := s.Spans(from, to)
	for i, span := range spans {
		if !span.Start.Before(span.End) || span.Start.Before(from) || span.End.After(to) || span.Person == "" {
			t.Fatalf("span %+v", span)
		}
		if i > 0 && (span.Start.Before(spans[i-1].End) || span.Start.Equal(spans[i-1].End) && span.Person == spans[i-1].Person && span.Layer == spans[i-1].Layer && span.Override == spans[i-1].Override) {
			t.Fatalf("%+v follows on %+v", span, spans[i-1])
		}
	}
	middle := from.Add(to.Sub(from) / 2)
	var parts []Span
	for _, half := range [][]Span{s.Spans(from, middle), s.Spans(middle, to)} {
		for _, span := range half {
			parts = join(parts, span)
		}
	}
	if got, want := said(parts), said(spans); got != want {
		t.Fatalf("in two parts\n%s\nat once\n%s", got, want)
	}
}
