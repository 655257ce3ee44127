package detect

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// watched is one series of a detector.
type watched struct {
	labels   model.Labels // as the expression answers, without a name
	past     past
	breaches int // values outside the band in a row
	judged   bool
}

// key identifies a series by its labels.
func key(ls model.Labels) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(ls)) {
		if k != "__name__" {
			fmt.Fprintf(&b, "%q=%q,", k, ls[k])
		}
	}
	return b.String()
}

// result is what is written about one series.
type result struct {
	series *watched
	verdict
	ended bool // it was judged before and is not now
}

// evaluate judges the series of one detector and writes what came of it.
func (d *Detectors) evaluate(ctx context.Context, one *detector, now time.Time) error {
	interval := time.Duration(d.cfg.Interval)
	ctx, cancel := context.WithTimeout(ctx, max(interval, 10*time.Second))
	defer cancel()
	fail := func(reason string, err error) error {
		d.failures.WithLabelValues(one.def.Name, reason).Inc()
		return fmt.Errorf("detector %s: %w", one.def.Name, err)
	}
	samples, err := d.deps.Querier.Instant(ctx, one.def.Expr, now)
	if err != nil {
		return fail("query", err)
	}
	events := map[string]float64{}
	if one.def.Events != "" {
		counts, err := d.deps.Querier.Instant(ctx, one.def.Events, now)
		if err != nil {
			return fail("query", err)
		}
		for _, s := range counts {
			events[key(s.Labels)] = s.Value
		}
	}
	states := map[string]int{}
	fresh := d.arrange(one, samples, states)
	if fresh || now.Sub(one.refreshed) >= refreshEvery {
		if err := d.refresh(ctx, one, now); err != nil {
			return fail("query", err)
		}
		one.refreshed = now
	}
	results := d.judge(one, samples, events, now, states)
	for _, state := range []string{"judged", noValue, shortPast, fewSeasons, fewEvents, alwaysZero, tooManyRows} {
		d.series.WithLabelValues(one.def.Name, state).Set(float64(states[state]))
	}
	if err := d.write(ctx, &one.def, results, now); err != nil {
		return fail("write", err)
	}
	return nil
}

// arrange makes room for series that are seen for the first time, and says
// whether there were any.
func (d *Detectors) arrange(one *detector, samples []model.Sample, states map[string]int) (fresh bool) {
	for _, s := range samples {
		k := key(s.Labels)
		if one.watched[k] != nil {
			continue
		}
		if len(one.watched) >= d.cfg.MaxSeries {
			states[tooManyRows]++
			continue
		}
		ls := maps.Clone(s.Labels)
		delete(ls, "__name__")
		one.watched[k] = &watched{labels: ls}
		fresh = true
	}
	return fresh
}

// judge adds the values to the past of their series, after they were compared
// with it.
func (d *Detectors) judge(one *detector, samples []model.Sample, events map[string]float64, now time.Time, states map[string]int) []result {
	current := make(map[string]float64, len(samples))
	for _, s := range samples {
		current[key(s.Labels)] = s.Value
	}
	need := int(levelSpan / time.Duration(d.cfg.Interval) / 2)
	var out []result
	for _, k := range slices.Sorted(maps.Keys(one.watched)) {
		w := one.watched[k]
		v, has := current[k]
		if !has {
			v = math.NaN()
		}
		n, has := events[k]
		if !has {
			n = math.NaN()
		}
		before := w.past
		before.recent = w.past.before(now.Add(-one.def.guard()))
		r := result{series: w, verdict: judge(&one.def, now, v, n, &before, need)}
		outside := r.insufficient == "" && math.Abs(r.score) > 1
		if outside {
			w.breaches++
		} else {
			w.breaches = 0
		}
		if r.insufficient != noValue {
			w.past.add(point{t: now.UnixMilli(), v: v, flagged: outside}, now.Add(-levelSpan-one.def.guard()))
		}
		r.ended, w.judged = w.judged && r.insufficient != "", r.insufficient == ""
		if r.insufficient == "" {
			states["judged"]++
		} else {
			states[r.insufficient]++
		}
		out = append(out, r)
		if len(w.past.recent) == 0 && r.insufficient == noValue || w.past.endedBefore(now.Add(-levelSpan-one.def.guard())) {
			delete(one.watched, k) // it is gone; this once it says so
		}
	}
	return out
}

// before is the recent past that ends at t.
func (p *past) before(t time.Time) []point {
	n, _ := slices.BinarySearchFunc(p.recent, t.UnixMilli()+1, func(q point, t int64) int { return int(q.t - t) })
	return p.recent[:n]
}

func (p *past) endedBefore(t time.Time) bool {
	return len(p.recent) > 0 && p.recent[len(p.recent)-1].t < t.UnixMilli()
}

// add appends a value and forgets those before from.
func (p *past) add(q point, from time.Time) {
	n := 0
	for n < len(p.recent) && p.recent[n].t < from.UnixMilli() {
		n++
	}
	p.recent = append(slices.Delete(p.recent, 0, n), q)
}

// refresh reads the recent past and earlier seasons of every series again.
func (d *Detectors) refresh(ctx context.Context, one *detector, now time.Time) error {
	step := time.Duration(d.cfg.Interval)
	span := levelSpan + one.def.guard()
	from := now.Add(-span).Truncate(step).Add(step)
	recent, err := d.deps.Querier.Range(ctx, one.def.Expr, from, now.Add(-step), step)
	if err != nil {
		return fmt.Errorf("read the recent past: %w", err)
	}
	// What was outside its band then is known from what was written then.
	scores, err := d.deps.Querier.Range(ctx, fmt.Sprintf("%s{detector=%q}", scoreName, one.def.Name), from, now.Add(-step), step)
	if err != nil {
		return fmt.Errorf("read earlier scores: %w", err)
	}
	flagged := map[string][]model.Point{}
	for _, s := range scores {
		flagged[key(one.def.unlabel(s.Labels))] = s.Points
	}
	for _, s := range recent {
		if w := one.watched[key(s.Labels)]; w != nil {
			w.past.recent = points(s.Points, flagged[key(s.Labels)])
		}
	}
	if !one.refreshed.IsZero() || len(flagged) == 0 {
		return d.seasons(ctx, one, now)
	}
	for k, w := range one.watched { // a run of breaches goes on after a restart
		if w.breaches == 0 {
			w.breaches = run(flagged[k])
		}
	}
	return d.seasons(ctx, one, now)
}

// points joins values with the scores of their times.
func points(values, scores []model.Point) []point {
	outside := make(map[int64]bool, len(scores))
	for _, s := range scores {
		outside[s.Time.UnixMilli()] = math.Abs(s.Value) > 1
	}
	out := make([]point, 0, len(values))
	for _, p := range values {
		if !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
			t := p.Time.UnixMilli()
			out = append(out, point{t: t, v: p.Value, flagged: outside[t]})
		}
	}
	return out
}

// run is how many of the last scores in a row are outside the band.
func run(scores []model.Point) (n int) {
	for i := len(scores) - 1; i >= 0 && math.Abs(scores[i].Value) > 1; i-- {
		n++
	}
	return n
}

// seasons reads earlier seasons around this time, at seasonStep.
func (d *Detectors) seasons(ctx context.Context, one *detector, now time.Time) error {
	length, n := one.def.season()
	from := now.Add(-levelSpan - one.def.guard()).Truncate(seasonStep).Add(-2 * seasonStep)
	to := now.Add(refreshEvery + 3*seasonStep)
	rows := make(map[string][]seasonRow, len(one.watched))
	for i := 1; i <= n; i++ {
		back := time.Duration(i) * length
		answer, err := d.deps.Querier.Range(ctx, one.def.Expr, from.Add(-back), to.Add(-back), seasonStep)
		if err != nil {
			return fmt.Errorf("read the season %s ago: %w", back, err)
		}
		for _, s := range answer {
			k := key(s.Labels)
			if one.watched[k] == nil {
				continue
			}
			row := seasonRow{from: from.UnixMilli(), values: make([]float64, int(to.Sub(from)/seasonStep)+1)}
			for j := range row.values {
				row.values[j] = math.NaN()
			}
			for _, p := range s.Points {
				j := int(p.Time.Add(back).Sub(from) / seasonStep)
				if j >= 0 && j < len(row.values) && !math.IsInf(p.Value, 0) {
					row.values[j] = p.Value
				}
			}
			rows[k] = append(rows[k], row)
		}
	}
	for k, w := range one.watched {
		w.past.remember(rows[k])
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(errors.New("read earlier seasons"), err)
	}
	return nil
}
