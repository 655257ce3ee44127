package simulate

import (
	"math/rand/v2"
	"time"
)

// effect is what the world does to one endpoint at one moment.
type effect struct {
	errorRate  float64
	slower     time.Duration
	message    string
	poolWait   time.Duration // mean; 0 when connections are free
	poolErrors float64
}

const ordinaryFailure = "unexpected end of stream while reading the revision"

// version is the one that serves this request.
func (w world) version(rng *rand.Rand, service, region string) string {
	for _, f := range w.faults {
		if f.Kind == BadDeployment && f.hits(service, region) && rng.Float64() < f.Share {
			return f.Version
		}
	}
	if v := w.versions[service]; v != "" {
		return v
	}
	return StableVersion(service, region)
}

func (f Fault) hits(service, region string) bool {
	return f.Service == service && (f.Region == "" || f.Region == region)
}

// effect sums up the faults that are on for an endpoint of a version.
func (w world) effect(service, region, version, route string) effect {
	e := effect{errorRate: w.errorRate, message: ordinaryFailure, slower: w.slowness(service, region)}
	for _, f := range w.faults {
		if !f.hits(service, region) || f.Route != "" && f.Route != route {
			continue
		}
		switch f.Kind {
		case BadDeployment:
			if f.Version != version {
				continue
			}
			fallthrough
		case ErrorBurst:
			e.errorRate = 1 - (1-e.errorRate)*(1-f.ErrorRate)
			e.message = orDefault(f.Message, e.message)
			e.slower += time.Duration(f.Latency)
		case PoolExhaustion:
			if f.free > 0 {
				continue
			}
			e.poolWait += time.Duration(f.Latency)
			e.poolErrors = max(e.poolErrors, f.ErrorRate)
		}
	}
	return e
}

// slowness is what a slow service or database adds to each of its answers.
func (w world) slowness(dependency, region string) time.Duration {
	var d time.Duration
	for _, f := range w.faults {
		if f.Kind == SlowDependency && f.Dependency == dependency && (f.Region == "" || f.Region == region) {
			d += time.Duration(f.Latency)
		}
	}
	return d
}

// poolUsed is the share of a service's outbound pool that is taken by what a
// fault keeps open: 1 when it is exhausted.
func (w world) poolUsed(service, region string) (used float64) {
	for _, f := range w.faults {
		if f.Kind == PoolExhaustion && f.hits(service, region) {
			used = max(used, 1-f.free)
		}
	}
	return used
}

// consumption is how many messages a second the consumers of a queue can handle.
func (w world) consumption(queueName, region string, normal float64) float64 {
	for _, f := range w.faults {
		if f.Kind == QueueBacklog && f.Queue == queueName && (f.Region == "" || f.Region == region) {
			normal = min(normal, f.Rate)
		}
	}
	return normal
}
