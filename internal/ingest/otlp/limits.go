package otlp

import "sync/atomic"

// gate bounds the requests and bytes that are worked on at once, over both
// protocols. It never waits: what does not fit is told to come back.
type gate struct {
	maxRequests, maxBytes int64
	requests, bytes       atomic.Int64
	reading               atomic.Int64 // gRPC messages on their way
}

func newGate(cfg Config) *gate {
	return &gate{maxRequests: int64(cfg.MaxRequestsInFlight), maxBytes: cfg.MaxBytesInFlight}
}

// enter takes one request's place; leave gives it back.
func (g *gate) enter() bool { return take(&g.requests, 1, g.maxRequests) }

// full says that enter would refuse now.
func (g *gate) full() bool { return g.requests.Load() >= g.maxRequests }

func (g *gate) leave() { g.requests.Add(-1) }

// reserve takes n bytes; free gives them back.
func (g *gate) reserve(n int64) bool { return take(&g.bytes, n, g.maxBytes) }

func (g *gate) free(n int64) { g.bytes.Add(-n) }

func take(v *atomic.Int64, n, limit int64) bool {
	if v.Add(n) > limit {
		v.Add(-n)
		return false
	}
	return true
}
