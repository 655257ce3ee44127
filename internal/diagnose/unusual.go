package diagnose

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/human"
)

// A finding counts as unusual from these factors on. Small absolute values are
// never unusual: 0.02 % of errors is no news though it be ten times normal.
const (
	errorFactor   = 3.0
	latencyFactor = 2.0
	trafficFactor = 0.3 // at or below that share of normal
	minErrorRatio = 0.005
	minLatency    = 0.010 // seconds
	afterDeploy   = 15 * time.Minute
)

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
}

func (c *change) lasts() bool { return c != nil && c.until.IsZero() }
func (c *change) over() bool  { return c != nil && !c.until.IsZero() }

// curve describes how one signal is compared.
type curve struct {
	expr  func(window string) string
	apart func(value, normal float64) bool
	worse func(a, b float64) float64 // the worse of two values
}

// unusual compares the end of the range with the day before it.
func (r *Room) unusual(ctx context.Context, tenant, name string, start, end time.Time) (u unusual, err error) {
	errorsOf := func(w string) string {
		return rateOf("", w, spans("_count", tenant, name, isError)) + " / " + rateOf("", w, spans("_count", tenant, name))
	}
	for _, c := range []struct {
		dst **change
		curve
	}{
		{&u.errors, curve{errorsOf, func(v, n float64) bool { return v >= minErrorRatio && v >= errorFactor*n }, math.Max}},
		{&u.latency, curve{
			func(w string) string { return quantileOf(0.95, "", w, tenant, name) },
			func(v, n float64) bool { return v >= minLatency && v >= latencyFactor*n && n > 0 }, math.Max,
		}},
		{&u.traffic, curve{
			func(w string) string { return rateOf("", w, spans("_count", tenant, name)) },
			func(v, n float64) bool { return n > 0 && v <= trafficFactor*n }, math.Min,
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
func (r *Room) compare(ctx context.Context, c curve, start, end time.Time) (ch *change, known bool, err error) {
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
	return episode(now[0].Points, normal, c), true, nil
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

// sentence says the most important thing about a service.
func (u unusual) sentence(d model.ServiceDetail) string {
	if d.Rate == nil {
		return "No requests were seen in this range."
	}
	var parts []string
	if c := u.errors; c.lasts() {
		if c.normal > 0 {
			parts = append(parts, fmt.Sprintf("Errors %s normal since %s%s.", human.Times(c.now/c.normal), clock(c.since), rightAfter(d.Deploys, c.since)))
		} else {
			parts = append(parts, fmt.Sprintf("%s of requests fail since %s%s; normally none do.", human.Percent(c.now), clock(c.since), rightAfter(d.Deploys, c.since)))
		}
	}
	if c := u.latency; c.lasts() {
		parts = append(parts, fmt.Sprintf("P95 %s normal (%s) since %s%s.", human.Times(c.now/c.normal), human.Seconds(c.now), clock(c.since), rightAfter(d.Deploys, c.since)))
	}
	if c := u.traffic; c.lasts() {
		parts = append(parts, fmt.Sprintf("Traffic is down to %s of normal since %s%s.", human.Percent(c.now/c.normal), clock(c.since), rightAfter(d.Deploys, c.since)))
	}
	if len(parts) > 0 {
		return strings.Join(parts, " ")
	}
	if text := u.past(d); text != "" {
		return text
	}
	text := "Nothing unusual: "
	if !u.known {
		text = "There is less than an hour of history to compare with: "
	}
	text += human.Number(*d.Rate) + " requests/s"
	if d.ErrorRatio != nil {
		text += ", " + human.Percent(*d.ErrorRatio) + " errors"
	}
	if d.P95Seconds != nil {
		text += ", P95 " + human.Seconds(*d.P95Seconds)
	}
	return text + "."
}

// past says what was unusual in the range and is over, the worst kind first.
func (u unusual) past(d model.ServiceDetail) string {
	var what string
	var c *change
	switch {
	case u.errors.over():
		c, what = u.errors, "Errors reached "+human.Percent(u.errors.now)
	case u.latency.over():
		c, what = u.latency, "P95 reached "+human.Seconds(u.latency.now)
	case u.traffic.over():
		c, what = u.traffic, "Traffic fell to "+human.Percent(u.traffic.now/u.traffic.normal)+" of normal"
	default:
		return ""
	}
	return fmt.Sprintf("All is normal again. %s from %s to %s%s.", what, clock(c.since), clock(c.until), rightAfter(d.Deploys, c.since))
}

// rightAfter names the change that came closest before t. A rollback counts only
// where nothing was released: it answers what went wrong before.
func rightAfter(deploys []model.Deploy, t time.Time) string {
	var best *model.Deploy
	for i, d := range deploys {
		// Deployments are marked to the second, onsets found to the minute.
		if gap := t.Sub(d.Time); gap < -2*time.Minute || gap > afterDeploy {
			continue
		}
		if best == nil || best.Kind == "rollback" && d.Kind != "rollback" ||
			(best.Kind == "rollback") == (d.Kind == "rollback") && t.Sub(d.Time).Abs() < t.Sub(best.Time).Abs() {
			best = &deploys[i]
		}
	}
	switch {
	case best == nil:
		return ""
	case best.Kind == "rollback":
		return ", right after the rollback to " + best.Version
	case best.Kind == "config":
		return ", right after the change " + best.Version
	}
	return ", right after version " + best.Version
}

func clock(t time.Time) string { return t.UTC().Format("15:04") + " UTC" }
