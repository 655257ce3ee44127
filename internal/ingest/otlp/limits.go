package otlp

import "sync/atomic"

// quota bounds the requests and bytes that are worked on at once, over both
// protocols. It never waits: what does not fit is told to come back.
type quota struct {
	maxRequests, maxBytes int64
	requests, bytes       atomic.Int64
	reading               atomic.Int64 // gRPC messages on their way
	waiting               atomic.Int64 // bytes of those that have arrived
}

func newQuota(cfg Config) *quota {
	return &quota{maxRequests: int64(cfg.MaxRequestsInFlight), maxBytes: cfg.MaxBytesInFlight}
}

// enter takes one request's place; leave gives it back.
func (q *quota) enter() bool { return take(&q.requests, 1, q.maxRequests) }

// full says that enter would refuse now.
func (q *quota) full() bool { return q.requests.Load() >= q.maxRequests }

func (q *quota) leave() { q.requests.Add(-1) }

// reserve takes n bytes; free gives them back.
func (q *quota) reserve(n int64) bool { return take(&q.bytes, n, q.maxBytes) }

func (q *quota) free(n int64) { q.bytes.Add(-n) }

func take(v *atomic.Int64, n, limit int64) bool {
	if v.Add(n) > limit {
		v.Add(-n)
		return false
	}
	return true
}
