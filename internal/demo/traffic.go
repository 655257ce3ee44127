package demo

import (
	"math"
	"time"

	"github.com/signalbox-project/signalbox/internal/simulate"
)

// The history is written at four densities: the closer, the denser.
const (
	recent      = 24 * time.Hour // every route and region, as the live data has them
	today       = 7 * time.Hour  // a sample a minute, which full coverage of the 6 h burn window takes
	latest      = 2 * time.Hour
	farStep     = 5 * time.Minute
	recentStep  = 2 * time.Minute
	todayStep   = time.Minute
	latestStep  = 15 * time.Second
	calm        = 3 * time.Hour    // before now, where the traffic settles
	calmTraffic = 0.65             // of the live rate: less than live, so that a bad release soon outweighs the past hour
	join        = 10 * time.Minute // in which the traffic rises to the live rate
)

// grid lists the times of samples from start to end in these densities;
// far are those at which only sums per service are written, near the rest.
func grid(start, end time.Time) (far, near []time.Time) {
	for t := start.Truncate(farStep).Add(farStep); !t.After(end.Add(-recent)); t = t.Add(farStep) {
		far = append(far, t)
	}
	from := end.Add(-recent).Truncate(recentStep)
	if len(far) > 0 {
		from = far[len(far)-1]
	}
	for t := from.Add(recentStep); t.Before(end.Add(-today)); t = t.Add(recentStep) {
		near = append(near, t)
	}
	for t := end.Add(-today).Truncate(todayStep).Add(todayStep); t.Before(end.Add(-latest)); t = t.Add(todayStep) {
		near = append(near, t)
	}
	for t := end.Add(-latest).Truncate(latestStep).Add(latestStep); !t.After(end); t = t.Add(latestStep) {
		near = append(near, t)
	}
	if len(near) > 0 && near[len(near)-1].Before(end) {
		near = append(near, end) // so that no requests are missing before the live ones
	}
	return far, near
}

// shape is the traffic at t as a share of the live rate: days with three
// peaks, at the markets' openings, quiet nights and quieter weekends.
func shape(t, end time.Time) float64 {
	t = t.UTC()
	hour := float64(t.Hour()) + float64(t.Minute())/60 + float64(t.Second())/3600
	peak := func(at, width, height float64) float64 {
		d := math.Mod(hour-at+36, 24) - 12
		return height * math.Exp(-d*d/(2*width*width))
	}
	v := 0.22 + peak(0.5, 1.3, 0.30) + peak(8.2, 1.9, 0.62) + peak(14.6, 2.4, 0.85)
	if wd := t.Weekday(); wd == time.Saturday || wd == time.Sunday {
		v *= 0.25
	}
	if left := end.Sub(t); left < calm {
		x := math.Min(1, (calm-left).Seconds()/(calm-time.Hour).Seconds()) // all of it in the last hour
		x = x * x * (3 - 2*x)
		settled := calmTraffic
		if left < join {
			y := 1 - left.Seconds()/join.Seconds()
			settled += (1 - calmTraffic) * y * y * (3 - 2*y)
		}
		v = v*(1-x) + settled*x
	}
	return v
}

// incident is something that went wrong in the past. Ago is when it began,
// before the end of the history.
type incident struct {
	service     string
	ago, lasted time.Duration
	errors      float64 // share of the requests that failed
	slow        float64 // share of the requests that became slow
	queueAge    float64 // seconds that the oldest message waited at the worst
	version     string  // whose release caused it; "" for none
	message     string
}

func (i incident) on(t, end time.Time) bool {
	since := t.Sub(end.Add(-i.ago))
	return since >= 0 && since < i.lasted
}

const day = 24 * time.Hour

// incidents of the past, each visible in a budget's curve.
func incidents() []incident {
	return []incident{
		{service: simulate.Edge, ago: 19*day + 2*time.Hour, lasted: 20 * time.Minute, errors: 0.3, version: "2.3.6", message: "nil session in request context"},
		{service: simulate.EventBus, ago: 12*day + 5*time.Hour, lasted: 95 * time.Minute, queueAge: 520, message: "consumers wait for a lock"},
		{service: simulate.Layout, ago: 9*day + 3*time.Hour, lasted: 18 * time.Minute, errors: 0.22, slow: 0.3, version: "3.11.9", message: "cannot decode revision: unknown field panes"},
		{service: simulate.FileServer, ago: 4*day + 90*time.Minute, lasted: 22 * time.Minute, errors: 0.45, version: "4.1.3", message: "object store answered 503 SlowDown"},
		{service: simulate.AccessControl, ago: 2*day + 4*time.Hour, lasted: 40 * time.Minute, slow: 0.6, message: "slow query on access-db"},
		{service: simulate.EventBus, ago: 3*day + 7*time.Hour, lasted: 25 * time.Minute, queueAge: 240, message: "consumers restarted"},
	}
}

// budgetUsed is the share of the 99.9 % availability budget that each service
// has used at the end of the history, its incidents included.
func budgetUsed() map[string]float64 {
	return map[string]float64{
		simulate.Edge: 0.42, simulate.Layout: 0.34, simulate.AccessControl: 0.21, simulate.Deployment: 0.57, simulate.FileServer: 0.81,
	}
}

const availability = 0.999

// errorRates gives for each service the share of requests that fail outside
// its incidents, such that budgetUsed comes out over the whole history.
func errorRates(times []time.Time, end time.Time) map[string]float64 {
	out := map[string]float64{}
	for service, used := range budgetUsed() {
		total, bad, calmTotal := 0.0, 0.0, 0.0
		previous := times[0]
		for _, t := range times[1:] {
			n := shape(t, end) * t.Sub(previous).Seconds()
			previous = t
			total += n
			if e := errorShare(service, t, end); e > 0 {
				bad += n * e
			} else {
				calmTotal += n
			}
		}
		out[service] = math.Max(0, used*(1-availability)*total-bad) / calmTotal
	}
	return out
}

// errorShare is what the incidents of a service fail at t; 0 outside them.
func errorShare(service string, t, end time.Time) float64 {
	for _, i := range incidents() {
		if i.service == service && i.errors > 0 && i.on(t, end) {
			return i.errors
		}
	}
	return 0
}

func slowShare(service string, t, end time.Time) float64 {
	for _, i := range incidents() {
		if i.service == service && i.slow > 0 && i.on(t, end) {
			return i.slow
		}
	}
	return 0
}

// queueAge is the age of the oldest message in seconds: well under one, and in
// an incident a slope up and a steeper one down.
func queueAge(t, end time.Time) float64 {
	for _, i := range incidents() {
		if i.queueAge == 0 || !i.on(t, end) {
			continue
		}
		x := float64(t.Sub(end.Add(-i.ago))) / float64(i.lasted)
		return i.queueAge * math.Min(x/0.15, math.Min(1, (1-x)/0.1))
	}
	return 0.4 + 0.3*math.Sin(float64(t.Unix())/1700)
}
