package simulate

import (
	"math/rand/v2"
	"slices"
	"time"
)

type backlogKey struct{ region, queue string }

// backlog is one queue in one region.
type backlog struct {
	queue    queue
	waiting  []message // oldest first
	capacity float64   // messages that may be taken now; grows with time
	filled   time.Time
}

// Consumers take a message this long after it was sent at the earliest, and
// this many a second at most.
const (
	transitTime       = 180 * time.Millisecond
	normalConsumption = 40.0
	maxWaiting        = 200_000 // the oldest are dropped beyond, as a broker's retention would
)

func newBacklogs() map[backlogKey]*backlog {
	out := map[backlogKey]*backlog{}
	for _, region := range Regions() {
		for _, q := range queues() {
			out[backlogKey{region, q.name}] = &backlog{queue: q}
		}
	}
	return out
}

func (s *Simulator) enqueue(region, queueName string, m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.backlogs[backlogKey{region, queueName}]
	b.waiting = append(b.waiting, m)
	if len(b.waiting) > maxWaiting {
		b.waiting = slices.Delete(b.waiting, 0, len(b.waiting)-maxWaiting)
	}
}

// taken is a message with where it was taken from.
type taken struct {
	message
	queue  queue
	region string
}

// dequeue takes what the consumers can handle, in a fixed order of queues.
func (s *Simulator) dequeue(now time.Time, w world) []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []taken
	for _, region := range Regions() {
		for _, q := range queues() {
			b := s.backlogs[backlogKey{region, q.name}]
			for _, m := range b.take(now, w.consumption(q.name, region, normalConsumption)) {
				out = append(out, taken{message: m, queue: b.queue, region: region})
			}
		}
	}
	return out
}

func (b *backlog) take(now time.Time, perSecond float64) []message {
	if !b.filled.IsZero() {
		b.capacity = min(b.capacity+perSecond*now.Sub(b.filled).Seconds(), max(perSecond/4, 1))
	}
	b.filled = now
	n := 0
	for n < len(b.waiting) && b.capacity >= 1 && now.Sub(b.waiting[n].sent) >= transitTime {
		b.capacity--
		n++
	}
	out := slices.Clone(b.waiting[:n])
	b.waiting = slices.Delete(b.waiting, 0, n)
	return out
}

func (s *Simulator) gauges() *gauges {
	return &gauges{
		now: time.Now,
		poolUsed: func(service, region string) float64 {
			return s.world(time.Now()).poolUsed(service, region)
		},
		queues: s.queueStates,
	}
}

func (s *Simulator) queueStates(region string) []queueState {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []queueState
	for _, q := range queues() {
		b := s.backlogs[backlogKey{region, q.name}]
		st := queueState{name: q.name, depth: len(b.waiting)}
		if st.depth > 0 {
			st.age = max(0, now.Sub(b.waiting[0].sent))
		}
		out = append(out, st)
	}
	return out
}

func (p planner) deploymentTook(seq uint64) time.Duration {
	t := trip{planner: p, rng: rand.New(rand.NewPCG(p.seed^0x51ed270b, seq))}
	return t.draw(deploymentTime())
}
