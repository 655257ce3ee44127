package diagnose

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// A finding counts as unusual from these factors on. Small absolute values are
// never unusual: 0.02 % of errors is no news though it be ten times normal.
const (
	errorFactor   = 3.0
	latencyFactor = 2.0
	trafficFactor = 0.3 // at or below that share of normal
	minErrorRatio = 0.005
	minLatency    = 0.010 // seconds
)

// signalWindow is what the curves look back over.
const signalWindow = 2 * time.Minute

// unusual is what differs from the service's own last day, each nil when
// nothing does.
type unusual struct {
	errors, latency, traffic *change
	known                    bool // there is enough history to say what is normal
}

// change is a signal that left its normal value. Until is zero while it has not
// come back; then now is its end's value, afterwards its worst.
type change struct {
	normal, now  float64
	since, until time.Time
	// calm says that what is over came back to normal, not only closer to it; last is
	// the newest value.
	calm  bool
	last  float64
	cause string // a clause, see model.Cause
}

func (c *change) lasts() bool { return c != nil && c.until.IsZero() }
func (c *change) over() bool  { return c != nil && !c.until.IsZero() }

// curve describes how one signal is compared.
type curve struct {
	expr  func(window string) string
	apart func(value, normal float64) bool
	calm  func(value, normal float64) bool // no news at all
	worse func(a, b float64) float64       // the worse of two values
}

// unusual compares the end of the range with the day before it.
func (r *Diagnoser) unusual(ctx context.Context, tenant, name string, start, end time.Time) (u unusual, err error) {
	errorsOf := func(w string) string {
		return rateOf("", w, spans("_count", tenant, name, isError)) + " / " + rateOf("", w, spans("_count", tenant, name))
	}
	for _, c := range []struct {
		dst **change
		curve
	}{
		{&u.errors, curve{
			errorsOf,
			func(v, n float64) bool { return v >= minErrorRatio && v >= errorFactor*n },
			func(v, n float64) bool { return v < minErrorRatio || v <= 1.5*n }, math.Max,
		}},
		{&u.latency, curve{
			func(w string) string { return quantileOf(0.95, "", w, tenant, name) },
			func(v, n float64) bool { return v >= minLatency && v >= latencyFactor*n && n > 0 },
			func(v, n float64) bool { return v < minLatency || v <= 1.3*n }, math.Max,
		}},
		{&u.traffic, curve{
			func(w string) string { return rateOf("", w, spans("_count", tenant, name)) },
			func(v, n float64) bool { return n > 0 && v <= trafficFactor*n },
			func(v, n float64) bool { return v >= 0.7*n }, math.Min,
		}},
	} {
		var known bool
		if *c.dst, known, err = r.compare(ctx, c.curve, start, end); err != nil {
			return u, err
		}
		u.known = u.known || known
	}
	return u, nil
}

// compare also tells whether it is known what is normal.
func (r *Diagnoser) compare(ctx context.Context, c curve, start, end time.Time) (ch *change, known bool, err error) {
	const coarse, fine = 10 * time.Minute, time.Minute
	day, err := r.deps.Querier.Range(ctx, c.expr("10m"), end.Add(-24*time.Hour), end, coarse)
	if err != nil || len(day) == 0 {
		return nil, false, err
	}
	normal, ok := median(day[0].Points)
	if !ok {
		return nil, false, nil
	}
	from := start
	if from.Before(end.Add(-6 * time.Hour)) {
		from = end.Add(-6 * time.Hour)
	}
	now, err := r.deps.Querier.Range(ctx, c.expr("2m"), from, end, fine)
	if err != nil || len(now) == 0 {
		return nil, true, err
	}
	if ch := onset(now[0].Points, normal, c.apart, end); ch != nil {
		return ch, true, nil
	}
	ch = episode(now[0].Points, normal, c)
	return ch, true, r.peak(ctx, c, ch)
}

// peak takes the worst value of an episode from the curve that the page draws, so that
// sentence, chart and PromQL say the same.
func (r *Diagnoser) peak(ctx context.Context, c curve, ch *change) error {
	if ch == nil {
		return nil
	}
	drawn, err := r.deps.Querier.Range(ctx, c.expr(drawnWindow), ch.since, ch.until.Add(drawnOver), time.Minute)
	if err != nil || len(drawn) == 0 {
		return err
	}
	worst := math.NaN()
	for _, p := range drawn[0].Points {
		if math.IsNaN(worst) || !math.IsNaN(p.Value) && c.worse(worst, p.Value) != worst {
			worst = p.Value
		}
	}
	if !math.IsNaN(worst) {
		ch.now = worst
	}
	return nil
}

// episode finds the last time, of two points at least, that the curve was apart
// from normal and came back.
func episode(points []model.Point, normal float64, c curve) *change {
	var last *change
	run := 0
	for i, p := range points {
		if math.IsNaN(p.Value) || !c.apart(p.Value, normal) {
			run = 0
			continue
		}
		run++
		switch {
		case run == 2:
			first := points[i-1]
			// A point looks back two minutes: it began about one before.
			last = &change{normal: normal, now: c.worse(first.Value, p.Value), since: first.Time.Add(-time.Minute), until: p.Time}
		case run > 2:
			last.now, last.until = c.worse(last.now, p.Value), p.Time
		}
	}
	if last != nil {
		for _, p := range points {
			if !math.IsNaN(p.Value) {
				last.last = p.Value
			}
		}
		last.calm = c.calm(last.last, normal)
	}
	return last
}

// onset finds since when the curve's end has been apart from normal without a
// break of more than two points.
func onset(points []model.Point, normal float64, apart func(v, n float64) bool, end time.Time) *change {
	points = slices.DeleteFunc(slices.Clone(points), func(p model.Point) bool { return math.IsNaN(p.Value) || math.IsInf(p.Value, 0) })
	n := len(points)
	if n < 2 || end.Sub(points[n-1].Time) > 5*time.Minute {
		return nil
	}
	if !apart(points[n-1].Value, normal) || !apart(points[n-2].Value, normal) {
		return nil
	}
	c := &change{normal: normal, now: points[n-1].Value}
	misses := 0
	for i := n - 1; i >= 0 && misses <= 2; i-- {
		if apart(points[i].Value, normal) {
			// A point looks back two minutes: it began about one before.
			c.since, misses = points[i].Time.Add(-time.Minute), 0
		} else {
			misses++
		}
	}
	return c
}

// median needs an hour of points: less is no normal to compare with.
func median(points []model.Point) (float64, bool) {
	var vs []float64
	for _, p := range points {
		if !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
			vs = append(vs, p.Value)
		}
	}
	if len(vs) < 6 {
		return 0, false
	}
	slices.Sort(vs)
	return vs[len(vs)/2], true
}
