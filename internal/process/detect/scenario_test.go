package detect

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// asRate makes a detector of rates over window.
func asRate(window time.Duration) func(*Definition) {
	return func(d *Definition) {
		d.Kind = Rate
		if err := d.Window.Set(window.String()); err != nil {
			panic(err)
		}
	}
}

func both(fs ...func(*Definition)) func(*Definition) {
	return func(d *Definition) {
		for _, f := range fs {
			f(d)
		}
	}
}

func with(direction Direction) func(*Definition) {
	return func(d *Definition) { d.Direction = direction }
}

// change is the eleventh day, a Thursday, at two in the afternoon.
var change = monday.AddDate(0, 0, 10).Add(14 * time.Hour)

// from is when the watching begins: half an hour before; the past is read from
// the store.
var from = change.Add(-30 * time.Minute)

// times is daily traffic at rps, times f(t) after the change.
func times(rps float64, f func(since time.Duration) float64) func(time.Time) float64 {
	return func(t time.Time) float64 {
		v := rps * day(t)
		if since := t.Sub(change); since >= 0 {
			v *= f(since)
		}
		return v
	}
}

func constant(v float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return v }
}

// Labelled streams: what must fire within how long, and what must not. The
// delays are those of the rule's two minutes and of the five minutes of the rate too.
func TestLabelledScenarios(t *testing.T) {
	requests := asRate(5 * time.Minute)
	for _, c := range []struct {
		name   string
		rps    float64 // at the afternoon's peak, 1.25 times as many
		f      func(since time.Duration) float64
		def    func(*Definition)
		within time.Duration // 0: must not fire
	}{
		{"traffic drops to nothing", 10, constant(0), requests, 5 * time.Minute},
		{"traffic drops by 60 %", 10, constant(0.4), requests, 7 * time.Minute},
		{"traffic drops by half", 10, constant(0.5), requests, 8 * time.Minute},
		{"traffic drops by 20 %, less than anybody wants to know", 10, constant(0.8), requests, 0},
		{"traffic doubles", 10, constant(2), requests, 6 * time.Minute},
		{"traffic doubles, but only drops are asked for", 10, constant(2), both(requests, with(Drop)), 0},
		{"traffic halves, but only rises are asked for", 10, constant(0.5), both(requests, with(Rise)), 0},
		{"traffic of one request in eight seconds stops", 0.1, constant(0), requests, 8 * time.Minute},
		{"traffic of one request in eight seconds halves, which chance does too", 0.1, constant(0.5), requests, 0},
		{"traffic of one request in two minutes stops, which cannot be told", 0.007, constant(0), requests, 0},
		{"a spike: one minute of double traffic", 10, func(since time.Duration) float64 {
			if since < time.Minute {
				return 2
			}
			return 1
		}, requests, 0},
		{"a slow drift: a tenth less every half hour", 10, func(since time.Duration) float64 {
			return math.Pow(0.9, since.Hours()*2)
		}, requests, 0},
		{"a slow growth: a fifth more every hour", 10, func(since time.Duration) float64 {
			return math.Pow(1.2, since.Hours())
		}, requests, 0},
		{"a day like any other", 10, constant(1), requests, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			worst := time.Duration(0)
			for seed := range uint64(2) {
				w := &world{at: counted(times(c.rps, c.f), 5*time.Minute, 0.1, seed)}
				x := watch(t, w, 30*time.Second, from, c.def)
				if early := x.until(change); len(early) > 0 {
					t.Fatalf("fired before the change: %v", early)
				}
				fired := x.until(change.Add(3 * time.Hour))
				switch {
				case c.within == 0 && len(fired) > 0:
					t.Errorf("seed %d: fired %s after the change", seed, fired[0].Sub(change))
				case c.within > 0 && len(fired) == 0:
					t.Errorf("seed %d: did not fire within 3 h; score %g", seed, x.newest(scoreName))
				case c.within > 0:
					worst = max(worst, fired[0].Sub(change))
				}
			}
			if worst > c.within {
				t.Errorf("fired %s after the change, want within %s", worst, c.within)
			}
			t.Logf("slowest: %s", worst)
		})
	}
}

func TestAStepStaysOutsideUntilItIsTheNewLevelAndTheWayBackIsNoChange(t *testing.T) {
	back := 4 * time.Hour
	w := &world{at: counted(times(10, func(since time.Duration) float64 {
		if since < back {
			return 0.4
		}
		return 1
	}), 5*time.Minute, 0.1, 1)}
	x := watch(t, w, 30*time.Second, from, asRate(5*time.Minute))
	if fired := x.until(change.Add(15 * time.Minute)); len(fired) != 1 {
		t.Fatalf("fired %v, want once", fired)
	}
	x.until(change.Add(75 * time.Minute))
	if s := x.newest(scoreName); !(s < -1) {
		t.Errorf("score %g 75 minutes after the step, want still outside", s)
	}
	x.until(change.Add(3 * time.Hour))
	if s := x.newest(scoreName); !(s >= -1) {
		t.Errorf("score %g 3 hours after the step, want inside: the new level is known by then", s)
	}
	if fired := x.until(change.Add(back + 2*time.Hour)); len(fired) > 0 {
		t.Errorf("the return to the usual fired at %v", fired)
	}
}

func TestTheWayBackAfterHalfAnHourEndsTheAlertAndStartsNoOther(t *testing.T) {
	w := &world{at: counted(times(10, func(since time.Duration) float64 {
		if since < 30*time.Minute {
			return 0.3
		}
		return 1
	}), 5*time.Minute, 0.1, 1)}
	x := watch(t, w, 30*time.Second, from, asRate(5*time.Minute))
	x.until(change.Add(30 * time.Minute))
	if got := x.newest(breachesName); got < 40 {
		t.Errorf("%g breaches in a row after half an hour of 30 s steps", got)
	}
	x.until(change.Add(37 * time.Minute))
	if s, n := x.newest(scoreName), x.newest(breachesName); math.Abs(s) > 1 || n != 0 {
		t.Errorf("score %g and %g breaches in a row 7 minutes after the end", s, n)
	}
	if fired := x.until(change.Add(4 * time.Hour)); len(fired) > 0 {
		t.Errorf("fired again at %v", fired)
	}
}

func TestALatencyThatDeterioratesFires(t *testing.T) {
	w := &world{at: func(t time.Time) float64 {
		rng := rand.New(rand.NewPCG(1, uint64(t.Unix())))
		v := 0.2 * (1 + 0.3*day(t)) * math.Exp(0.05*rng.NormFloat64())
		if !t.Before(change) {
			v *= 1.8
		}
		return v
	}}
	x := watch(t, w, 30*time.Second, from, with(Rise))
	if early := x.until(change); len(early) > 0 {
		t.Fatalf("fired before: %v", early)
	}
	if fired := x.until(change.Add(30 * time.Minute)); len(fired) != 1 || fired[0].Sub(change) > 3*time.Minute {
		t.Errorf("fired %v, want once within 3 minutes of %s", fired, change)
	}
}

func TestOneValueFarAwayIsNoChange(t *testing.T) {
	w := &world{at: func(t time.Time) float64 {
		if t.Equal(change) {
			return 100
		}
		return 1
	}}
	x := watch(t, w, 30*time.Second, from, nil)
	if fired := x.until(change.Add(2 * time.Hour)); len(fired) > 0 {
		t.Errorf("fired %v", fired)
	}
	if len(w.written[breachesName]) == 0 || x.newest(breachesName) != 0 {
		t.Errorf("%g breaches in a row at the end", x.newest(breachesName))
	}
}

func TestAnErrorRatioFiresByItsNumberOfEvents(t *testing.T) {
	for _, c := range []struct {
		name    string
		n       float64 // events behind each value
		errors  float64 // afterwards, in each window
		fires   bool
		because string
	}{
		{"one error among 40 requests is chance", 40, 1, false, ""},
		{"20 errors among 40 requests", 40, 20, true, ""},
		{"3 of 20 are too few to say anything", 20, 3, false, fewEvents},
		{"30 of 3,000 where there was one", 3000, 30, true, ""},
		{"12 of 3,000: less than min_absolute", 3000, 12, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{
				at: func(t time.Time) float64 {
					if t.Before(change) {
						return math.Mod(float64(t.Minute()), 10) / 9 / c.n // an error now and then
					}
					return c.errors / c.n
				},
				events: func(time.Time) float64 { return c.n },
			}
			x := watch(t, w, 30*time.Second, from, func(d *Definition) {
				d.Kind, d.Events, d.Direction, d.Season, d.MinAbsolute = Ratio, "events", Rise, "none", 0.005
			})
			if fired := x.until(change.Add(20 * time.Minute)); (len(fired) > 0) != c.fires {
				t.Errorf("fired %v, score %g, expected %g to %g", fired, x.newest(scoreName), x.newest(lowerName), x.newest(upperName))
			}
			if ready := x.newest(readyName); (ready == 1) != (c.because == "") {
				t.Errorf("ready %g", ready)
			}
		})
	}
}

func TestTheFirstDaysAreInsufficientAndRaiseNothing(t *testing.T) {
	born := monday.Add(9 * time.Hour)
	w := &world{at: counted(func(t time.Time) float64 { return 10 * day(t) }, 5*time.Minute, 0.1, 3), born: born}
	x := watch(t, w, 2*time.Minute, born, asRate(5*time.Minute))
	fired := x.until(born.Add(47 * time.Hour))
	if len(fired) > 0 || len(w.written[scoreName]) > 0 || x.newest(readyName) != 0 {
		t.Errorf("fired %v, %d scores, ready %g within 47 hours of the first value", fired, len(w.written[scoreName]), x.newest(readyName))
	}
	if fired = x.until(born.Add(9 * 24 * time.Hour)); len(fired) > 0 || x.newest(readyName) != 1 {
		t.Errorf("fired %v, ready %g in the week after, with its weekend", fired, x.newest(readyName))
	}
}

func TestAWeeklySeasonKnowsWhatASaturdayIs(t *testing.T) {
	w := &world{at: counted(func(t time.Time) float64 {
		v := 10.0
		if wd := t.Weekday(); wd == time.Saturday || wd == time.Sunday {
			v = 2 // from one minute to the next, as a scheduled job would
		}
		return v
	}, 5*time.Minute, 0.1, 3)}
	weekly := both(asRate(5*time.Minute), func(d *Definition) { d.Season = "1w" })
	x := watch(t, w, time.Minute, monday.AddDate(0, 0, 32), weekly) // a Friday, after four weeks
	if fired := x.until(monday.AddDate(0, 0, 34)); len(fired) > 0 {
		t.Errorf("fired at %v", fired)
	}
	daily := watch(t, &world{at: w.at}, time.Minute, monday.AddDate(0, 0, 32), asRate(5*time.Minute))
	if fired := daily.until(monday.AddDate(0, 0, 34)); len(fired) == 0 {
		t.Error("a daily season took the step at midnight for usual: the scenario proves nothing")
	}
}

func TestWhatIsNotThereIsInsufficientAndNotADrop(t *testing.T) {
	gap := [2]time.Time{change, change.Add(40 * time.Minute)}
	traffic := counted(func(t time.Time) float64 { return 10 * day(t) }, 5*time.Minute, 0.1, 5)
	w := &world{at: func(t time.Time) float64 {
		if !t.Before(gap[0]) && t.Before(gap[1]) {
			return math.NaN()
		}
		return traffic(t)
	}}
	x := watch(t, w, 30*time.Second, from, asRate(5*time.Minute))
	x.until(change.Add(10 * time.Minute))
	if ready, score := x.newest(readyName), x.newest(scoreName); ready != 0 || !math.IsNaN(score) {
		t.Errorf("in the gap: ready %g, score %g, want 0 and a staleness marker", ready, score)
	}
	if fired := x.until(change.Add(4 * time.Hour)); len(fired) > 0 || x.newest(readyName) != 1 {
		t.Errorf("after the gap: fired %v, ready %g", fired, x.newest(readyName))
	}
}

func TestConstantSeries(t *testing.T) {
	flat := func(before, after float64) *world {
		return &world{at: func(t time.Time) float64 {
			if t.Before(change) {
				return before
			}
			return after
		}}
	}
	x := watch(t, flat(5, 5.1), 30*time.Second, from, nil)
	if fired := x.until(change.Add(time.Hour)); len(fired) > 0 || x.newest(readyName) != 1 {
		t.Errorf("2 %% more than always: fired %v, ready %g", fired, x.newest(readyName))
	}
	x = watch(t, flat(5, 9), 30*time.Second, from, nil)
	if fired := x.until(change.Add(time.Hour)); len(fired) != 1 {
		t.Errorf("80 %% more than always: fired %v", fired)
	}
	x = watch(t, flat(0, 0), 30*time.Second, from, nil)
	if fired := x.until(change.Add(time.Hour)); len(fired) > 0 || x.newest(readyName) != 0 {
		t.Errorf("always zero, which has no band without min_absolute: fired %v, ready %g", fired, x.newest(readyName))
	}
	x = watch(t, flat(0, 3), 30*time.Second, from, func(d *Definition) { d.MinAbsolute = 2 })
	if fired := x.until(change.Add(time.Hour)); len(fired) != 1 {
		t.Errorf("3 where zero was, and 2 are of interest: fired %v", fired)
	}
}

func TestARestartGoesOnWhereItWas(t *testing.T) {
	w := &world{at: counted(times(10, constant(0.3)), 5*time.Minute, 0.1, 1)}
	x := watch(t, w, 30*time.Second, from, asRate(5*time.Minute))
	x.until(change.Add(20 * time.Minute))
	before, breaches := x.newest(scoreName), x.newest(breachesName)
	again := watch(t, w, 30*time.Second, x.now, asRate(5*time.Minute))
	again.until(x.now.Add(time.Second))
	if s := again.newest(scoreName); !(s < -1) || math.Abs(s-before) > 0.5 {
		t.Errorf("score %g after the restart, %g before", s, before)
	}
	if n := again.newest(breachesName); n != breaches+1 {
		t.Errorf("%g breaches in a row after the restart, %g before", n, breaches)
	}
}

// The default was chosen here: less than one false alarm in a series-month. Of
// 24 series-months (0.05 to 50 requests a second, scatter of the level of 0, 30 and 70 % in
// each half minute, weekends) "medium" raised 1, "low" none, "high" 47. This runs one of them.
func TestNoiseRaisesLessThanOneFalseAlarmInASeriesMonth(t *testing.T) {
	w := &world{at: counted(func(t time.Time) float64 { return 5 * day(t) }, 5*time.Minute, 0.7, 1)}
	x := watch(t, w, 2*time.Minute, monday.AddDate(0, 0, 8), asRate(5*time.Minute))
	if fired := x.until(monday.AddDate(0, 0, 38)); len(fired) > 0 {
		t.Errorf("fired %v", fired)
	}
}
