// Package cause names what most likely made a service fail: an upstream that
// fails, a change of its own, or nothing that is known.
//
// Everybody who names a culprit (overview, service page, explanations of alerts, gate,
// reports) asks here, so that all name the same one. It gathers nothing and
// stores nothing: Of is a pure function of a symptom and the facts about it.
//
// Invariants. An upstream that fails too, and whose failing calls explain the symptom,
// comes before any change of the service itself. A change that was undone is no cause of
// what goes on without it, and a version without traffic fails no request. Nothing is named where
// nothing fits.
//
// Start reading at Of, then upstream.go and change.go.
package cause

import (
	"cmp"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

const (
	// Within is how long before a symptom began a change may be to count as its
	// cause. A pool takes a while to run empty.
	Within = time.Hour
	// Slack is how much later than the onset a marker may be: pipelines mark what
	// they did when they are done, and onsets are found to the minute.
	Slack = 2 * time.Minute
	// startsWithin is how much later than its caller an upstream may be seen to
	// fail: who is called more often notices sooner.
	startsWithin = 5 * time.Minute
	// minExplained is the share of a service's failed requests that its failed
	// calls to an upstream must make up to explain them.
	minExplained = 0.5
	// minCalls is how many calls make a dependency.
	minCalls = 10
	// maxHops is how many calls may lie between a symptom and its cause.
	maxHops = 4
)

// Symptom is what is to be explained: a service that fails.
type Symptom struct {
	Service string
	// Environment and Region narrow down which changes and upstreams count; "" is all.
	Environment, Region string
	Since               time.Time
	// Until is when it ended; zero while it lasts.
	Until time.Time
	// At is when the question is asked.
	At time.Time
	// Window is what the symptom is measured over: so long it is still seen after
	// its cause is gone.
	Window time.Duration
	// Slow says that it is about latency: failed calls need not explain it.
	Slow bool
}

// live is up to when the symptom was seen.
func (s Symptom) live() time.Time {
	if s.Until.IsZero() {
		return s.At
	}
	return s.Until
}

// Facts is what is known around a symptom. What is left empty is not known.
type Facts struct {
	// Changes are deployment markers of any service.
	Changes []model.Deploy
	// Edges are the calls in the last minutes.
	Edges []model.Edge
	// Failed is the number of failed requests of each service in the same time;
	// nil when it is not known.
	Failed map[string]float64
	// Failing are the services that fail now.
	Failing []Failing
	// Named is the service whose alert alerting holds the symptom's alert back for.
	Named string
	// Versions is the traffic now, by service.
	Versions map[string][]Version
}

// Failing is a service that somebody is told of, or whose SLO burns.
type Failing struct {
	Service, Environment, Region string
	Since                        time.Time
	// What names the alert or the SLO.
	What string
}

// Version is what one version of a service does now.
type Version struct {
	Version string
	Rate    float64 // requests a second
	Errors  float64 // failed ones a second
}

// Of names the cause of a symptom. Kind is model.CauseUnknown where nothing fits.
func Of(s Symptom, f Facts) model.Cause {
	if up, ok := upstream(s, f); ok {
		c, beside := change(Symptom{
			// Where the upstream fails may not be known; it is where the symptom is then.
			Service: up.failing.Service, Environment: cmp.Or(up.failing.Environment, s.Environment), Region: cmp.Or(up.failing.Region, s.Region),
			Since: up.failing.Since, Until: s.Until, At: s.At, Window: s.Window,
		}, f)
		c.Kind, c.Service, c.Path, c.Since = model.CauseUpstream, up.failing.Service, up.path, up.failing.Since.UTC()
		c.Text = upstreamText(s, up, c, beside)
		return c
	}
	c, beside := change(s, f)
	c.Text = changeText(s.Since, c, beside)
	return c
}
