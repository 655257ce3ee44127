package slo_test

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/platform/times"
)

// sliced is what slices of time are worth: minutes, and bad ones.
type sliced struct {
	size   time.Duration
	target float64 // 0: a slice is as bad as its events
}

// minutes judges every slice that reaches into a window by itself. A slice in
// which nothing was seen says nothing; one without events is good.
func (r sliced) minutes(s *stream, w span, known time.Time) (c counted) {
	for begin := w.from.Truncate(r.size); begin.Before(w.to); begin = begin.Add(r.size) {
		one := span{begin, begin.Add(r.size)}
		if one.to.After(known) {
			one.to = known
		}
		if len(s.scrapes(one, known)) == 0 {
			continue
		}
		n := s.countFast(one, known)
		bad := 0.0
		if n.total > 0 {
			bad = n.bad / n.total
		}
		if r.target > 0 {
			if 1-bad < r.target-1e-12 {
				bad = 1
			} else {
				bad = 0
			}
		}
		from, to := times.Later(one.from, w.from), one.to
		if to.After(w.to) {
			to = w.to
		}
		c.total += to.Sub(from).Minutes()
		c.bad += bad * to.Sub(from).Minutes()
	}
	return c
}

// countFast is count of a short span: it looks at the samples around it only.
func (s *stream) countFast(w span, known time.Time) (c counted) {
	near := &stream{series: map[string][]sample{}, good: s.good}
	around := span{w.from.Add(-6 * time.Minute), w.to}
	for name, samples := range s.series {
		for i, x := range samples {
			if x.at.After(w.to) {
				break
			}
			if around.holds(x.at) || i == 0 {
				near.series[name] = append(near.series[name], x)
			}
		}
	}
	return near.count(w, known, nil)
}

// proportion counts (from, now], what from cuts in proportion.
func proportion(from, now time.Time, count func(span) counted) counted {
	size := kept(from, sealedAt(now))
	begin := from.Truncate(size)
	if begin.Equal(from) || from.After(sealedAt(now)) {
		return count(span{from, now})
	}
	end := begin.Add(size)
	share := float64(end.Sub(from)) / float64(size)
	cut, rest := count(span{begin, end}), count(span{end, now})
	return counted{share*cut.bad + rest.bad, share*cut.total + rest.total}
}

func slicedDocument(method, size, target string) string {
	objective := ", timeSliceWindow: " + size
	if target != "" {
		objective += ", timeSliceTarget: " + target
	}
	text := document([]string{"99", "1d"})
	text = strings.Replace(text, "budgetingMethod: Occurrences", "budgetingMethod: "+method, 1)
	return strings.Replace(text, "{targetPercent: 99}", "{targetPercent: 99"+objective+"}", 1)
}

func TestSlicesEqualAJudgementOfEachByItself(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		// Two minutes past the hour every slice but the one under way is sealed.
		end := time.Date(2026, 3, 30, 18, 2, 0, 0, time.UTC)
		l := drawLife(t, end)
		if end.Sub(l.start) > 30*time.Hour {
			l.start = end.Add(-30 * time.Hour)
		}
		l.late = 0
		s := l.live()
		r := sliced{size: rapid.SampledFrom([]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}).Draw(t, "slice"), target: rapid.SampledFrom([]float64{0, 0.5, 0.95, 1}).Draw(t, "target")}
		doc := slicedDocument("RatioTimeslices", sliceText(r.size), "")
		if r.target > 0 {
			doc = slicedDocument("Timeslices", sliceText(r.size), fmt.Sprint(r.target))
		}
		steps := rapid.SliceOfN(rapid.SampledFrom([]time.Duration{time.Hour, 3 * time.Hour, 9 * time.Hour}), 0, 3).Draw(t, "steps")
		now := end
		for _, d := range steps {
			now = now.Add(-d)
		}
		w := newTrial(t, dir, doc, s, now)
		for i := 0; ; i++ {
			got := w.status(t, "edge-ok")
			count := func(x span) counted { return r.minutes(s, x, w.now) }
			want := proportion(w.now.Add(-24*time.Hour), w.now, count)
			used := want.bad / max(want.total, 1e-9) / 0.01
			if !equal(got.Budget.Total, want.total) || !equal(got.Budget.Bad, want.bad) || want.total > 0 && !equal(got.Budget.SLI, 1-want.bad/want.total) {
				t.Fatalf("at %s: %+v, want %+v (used %v)", w.now, got.Budget, want, used)
			}
			if diff := burnDiffers(got.Burn, 0.99, func(d time.Duration) counted { return proportion(w.now.Add(-d), w.now, count) }); diff != "" {
				t.Fatalf("at %s: %s", w.now, diff)
			}
			if i == len(steps) {
				return
			}
			w.now = w.now.Add(steps[i])
			if rapid.Bool().Draw(t, "restart") {
				w.restart(t)
			}
		}
	})
}

func sliceText(d time.Duration) string {
	if d == time.Hour {
		return "1h"
	}
	return fmt.Sprintf("%dm", int(d.Minutes()))
}

// gauge is a measured value, and what it was a minute at a time.
type gauge struct {
	samples []sample
	labels  labels.Labels
}

func newGauge(l life) *gauge {
	random := rand.New(rand.NewPCG(l.seed, 3))
	g := &gauge{labels: labels.FromStrings("__name__", "queue_age_seconds", "service", "edge")}
	v := 50.0
	for at := l.start; !at.After(l.end); at = at.Add(l.every) {
		if random.IntN(30) == 0 {
			v = []float64{10, 60, 61, 120, 180, 181, 500}[random.IntN(7)]
		}
		if random.Float64() >= l.misses {
			g.samples = append(g.samples, sample{at, at, v})
		}
	}
	return g
}

// at is the newest value that is less than five minutes old.
func (g *gauge) at(t time.Time) (v float64, ok bool) {
	for _, s := range g.samples {
		if s.at.After(t) {
			break
		}
		if s.at.After(t.Add(-5 * time.Minute)) {
			v, ok = s.v, true
		}
	}
	return v, ok
}

// The market opens at 09:30 in New York: from 09:30 to 11:00 of the wall clock
// on weekdays 180 s are allowed, otherwise 60 s. Written by hand for March 2026:
// 13:30 UTC from Sunday 8 March on, when the clocks change, 14:30 UTC before.
func marketOpen(at time.Time) bool {
	if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		return false
	}
	opens := 14*60 + 30
	if !at.Before(time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC)) {
		opens = 13*60 + 30
	}
	minute := at.Hour()*60 + at.Minute()
	return minute >= opens && minute < opens+90
}

const marketCalendar = `---
apiVersion: signalbox/v1
kind: PeakCalendar
metadata: {name: market-open}
spec:
  timeZone: America/New_York
  weekly: [{days: [mon, tue, wed, thu, fri], from: "09:30", to: "11:00"}]
`

func TestPeaksSwitchTheThresholdMinuteByMinute(t *testing.T) {
	dir := t.TempDir()
	doc := strings.Replace(document([]string{"99", "7d", "threshold", "60"}), "displayName: Edge answers}", "displayName: Edge answers, annotations: {signalbox.io/peak-calendar: market-open, signalbox.io/peak-value: \"180\"}}", 1)
	doc = strings.Replace(doc, "budgetingMethod: Timeslices", "budgetingMethod: Occurrences", 1)
	rapid.Check(t, func(t *rapid.T) {
		peak := rapid.Bool().Draw(t, "peak")
		day := rapid.SampledFrom([]int{6, 9, 10}).Draw(t, "day") // the Friday before the change, the Monday after it
		end := time.Date(2026, 3, day, rapid.SampledFrom([]int{14, 15, 16, 20}).Draw(t, "hour"), 0, 0, 0, time.UTC)
		l := life{
			start: end.Add(-rapid.SampledFrom([]time.Duration{3 * time.Hour, 26 * time.Hour, 80 * time.Hour, 200 * time.Hour}).Draw(t, "age")), end: end, every: time.Minute,
			seed: rapid.Uint64().Draw(t, "seed"), misses: rapid.SampledFrom([]float64{0, 0.2}).Draw(t, "misses"),
		}
		g := newGauge(l)
		text := strings.Replace(doc, "annotations: {signalbox.io/peak-calendar: market-open, signalbox.io/peak-value: \"180\"}", "annotations: {}", 1)
		if peak {
			text = doc + marketCalendar
		}
		w := newTrial(t, dir, text, &stream{}, end)
		w.memory.series = nil
		w.memory.add(g.labels, g.samples)
		verdict := map[time.Time]float64{}
		for at := l.start.Truncate(time.Minute); !at.After(end); at = at.Add(time.Minute) {
			if at.Before(end.Add(-8 * 24 * time.Hour)) {
				continue
			}
			if v, ok := g.atFast(at); ok {
				limit := 60.0
				if peak && marketOpen(at.Add(-time.Minute)) {
					limit = 180
				}
				verdict[at] = 0
				if v > limit {
					verdict[at] = 1
				}
			}
		}
		count := func(x span) (c counted) {
			for at := x.from.Add(time.Minute); !at.After(x.to); at = at.Add(time.Minute) {
				if bad, ok := verdict[at]; ok {
					c.total++
					c.bad += bad
				}
			}
			return c
		}
		for range 2 { // what is read again is the same
			got := w.status(t, "edge-ok")
			want := count(span{end.Add(-7 * 24 * time.Hour), end})
			if !equal(got.Budget.Total, want.total) || !equal(got.Budget.Bad, want.bad) {
				t.Fatalf("at %s: %v of %v minutes are bad, want %v of %v", end, got.Budget.Bad, got.Budget.Total, want.bad, want.total)
			}
			if diff := burnDiffers(got.Burn, 0.99, func(d time.Duration) counted { return count(span{end.Add(-d), end}) }); diff != "" {
				t.Fatalf("at %s: %s", end, diff)
			}
			w.engine.Recompute()
		}
	})
}

func (g *gauge) atFast(t time.Time) (v float64, ok bool) {
	k := sort.Search(len(g.samples), func(i int) bool { return g.samples[i].at.After(t) })
	return (&gauge{samples: g.samples[max(0, k-1):]}).at(t)
}
