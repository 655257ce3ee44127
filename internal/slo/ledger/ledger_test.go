package ledger

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

// The oracle keeps every minute in a map and adds them up one by one.
func TestWindowsEqualANaiveSumOfMinutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		window := time.Duration(rapid.SampledFrom([]int{1, 7, 28}).Draw(t, "days")) * 24 * time.Hour
		l := New(window)
		end := time.Unix(1_700_000_000, 0).Truncate(time.Minute).Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "phase")) * time.Minute)
		oracle := map[int64]Cell{}
		// Hours from the far past, then five-minute slots, then minutes, as a scan does it;
		// each kept by the oracle as even minutes.
		for _, tier := range []Tier{Hour, FiveMinutes, Minute} {
			from := l.Start(tier, end)
			stop := end
			if tier > Minute {
				stop = l.Start(tier-1, end)
			}
			if tier == FiveMinutes && l.Start(Hour, end).After(from) {
				from = l.Start(Hour, end)
			}
			for at := from; at.Before(stop); at = at.Add(tier.Width()) {
				if rapid.IntRange(0, 3).Draw(t, "gap") == 0 {
					continue
				}
				n := float64(rapid.IntRange(0, 1000).Draw(t, "n"))
				minutes := tier.Width().Minutes()
				c := Cell{Bad: math.Floor(n / 7), Total: n, Minutes: minutes}
				l.Put(tier, at, c)
				for m := range int64(minutes) {
					oracle[at.Unix()/60+m] = c.Scale(1 / minutes)
				}
			}
		}
		// Some late corrections of minutes.
		for range 20 {
			at := end.Add(-time.Duration(rapid.IntRange(1, 350).Draw(t, "late")) * time.Minute)
			c := Cell{Bad: 1, Total: float64(rapid.IntRange(1, 50).Draw(t, "n")), Minutes: 1}
			l.Put(Minute, at, c)
			oracle[at.Unix()/60] = c
		}
		for _, w := range []time.Duration{5 * time.Minute, 30 * time.Minute, time.Hour, 6 * time.Hour} {
			compare(t, l, oracle, end.Add(-w), end)
		}
		compare(t, l, oracle, l.Start(FiveMinutes, end).Add(25*time.Minute), end)
		compare(t, l, oracle, l.Start(Hour, end).Add(5*time.Hour), end.Add(-17*time.Minute))
	})
}

func compare(t *rapid.T, l *Ledger, oracle map[int64]Cell, from, to time.Time) {
	t.Helper()
	if from.Before(l.Start(Hour, to)) {
		return
	}
	var want Cell
	for m := from.Unix() / 60; m < to.Unix()/60; m++ {
		want = want.Add(oracle[m])
	}
	got := l.Sum(from, to)
	if !near(got.Bad, want.Bad) || !near(got.Total, want.Total) || !near(got.Minutes, want.Minutes) {
		t.Fatalf("sum of %s to %s is %+v, want %+v", from.UTC(), to.UTC(), got, want)
	}
}

func TestACutSlotCountsInProportion(t *testing.T) {
	l := New(24 * time.Hour)
	at := time.Unix(1_700_000_040, 0) // a full minute
	l.Put(Minute, at, Cell{Bad: 6, Total: 60, Minutes: 1})
	if got := l.Sum(at.Add(30*time.Second), at.Add(45*time.Second)); !near(got.Total, 15) || !near(got.Bad, 1.5) {
		t.Errorf("a quarter of the minute is %+v", got)
	}
}

// Where only hours are kept, a bound on a multiple of five minutes cuts an hour
// like any other: there is no five-minute slot to take instead.
func TestACutHourCountsInProportionWhereverItIsCut(t *testing.T) {
	l := New(7 * 24 * time.Hour)
	end := time.Date(2026, 3, 28, 23, 53, 0, 0, time.UTC)
	old := end.Truncate(time.Hour).Add(-6 * 24 * time.Hour)
	l.Put(Hour, old, Cell{Bad: 6, Total: 60, Minutes: 60})
	l.Put(Minute, end.Add(-time.Minute), Cell{Minutes: 1})
	for m := range 60 {
		got := l.Sum(old.Add(time.Duration(m)*time.Minute), end)
		if want := float64(60 - m); !near(got.Total, want) || !near(got.Bad, want/10) {
			t.Errorf("from minute %d on it is %+v, want a total of %v", m, got, want)
		}
	}
}

func TestOldSlotsMakeRoomAndFirstAndLastAreFound(t *testing.T) {
	l := New(24 * time.Hour)
	start := time.Unix(1_699_999_200, 0) // a full hour
	if _, ok := l.First(start); ok {
		t.Error("an empty ledger has no first")
	}
	if _, ok := l.Last(); ok {
		t.Error("an empty ledger has no last")
	}
	for i := range 60 * 48 {
		l.Put(Minute, start.Add(time.Duration(i)*time.Minute), Cell{Total: 1, Minutes: 1})
	}
	end := start.Add(48 * time.Hour)
	if got := l.Sum(end.Add(-24*time.Hour), end); !near(got.Total, 24*60) {
		t.Errorf("a day has %v minutes", got.Total)
	}
	l.Put(Minute, start, Cell{Total: 99, Minutes: 1}) // far too old: ignored
	if got := l.Sum(end.Add(-24*time.Hour), end); !near(got.Total, 24*60) {
		t.Errorf("after a Put that is too old: %v", got.Total)
	}
	first, ok := l.First(end)
	if !ok || !first.Equal(end.Add(-24*time.Hour)) {
		t.Errorf("first is %s", first)
	}
	if last, ok := l.Last(); !ok || !last.Equal(end) {
		t.Errorf("last is %s", last)
	}
	young := New(24 * time.Hour)
	young.Put(Minute, start.Add(17*time.Minute), Cell{Total: 1, Minutes: 1})
	if first, _ := young.First(start.Add(time.Hour)); !first.Equal(start.Add(17 * time.Minute)) {
		t.Errorf("first is %s, want the minute", first)
	}
}

func TestTheFirstDataStaysFirstAsItsMinutesAreForgotten(t *testing.T) {
	l := New(28 * 24 * time.Hour)
	first := time.Date(2026, 3, 2, 9, 20, 0, 0, time.UTC)
	for m := first; m.Before(first.Add(30 * time.Hour)); m = m.Add(time.Minute) {
		l.Put(Minute, m, Cell{Total: 1, Minutes: 1})
		if got, ok := l.First(m.Add(time.Minute)); !ok || !got.Equal(first) {
			t.Fatalf("at %s the first data is of %s (%v), want %s", m, got, ok, first)
		}
	}
}
