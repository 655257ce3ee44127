package simulate

import (
	"context"
	"hash/fnv"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// load counts what an instance did; the gauges read its change.
type load struct {
	requests atomic.Uint64

	mu   sync.Mutex
	last uint64
	at   time.Time
	rate float64
}

// perSecond is the request rate since the previous call.
func (l *load) perSecond(now time.Time) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.requests.Load()
	if dt := now.Sub(l.at).Seconds(); !l.at.IsZero() && dt > 0.5 {
		l.rate = float64(n-l.last) / dt
	}
	if l.at.IsZero() || now.Sub(l.at) > 500*time.Millisecond {
		l.last, l.at = n, now
	}
	return l.rate
}

// gauges reads the simulator's state for the instances' observable gauges.
type gauges struct {
	now      func() time.Time
	poolUsed func(service, region string) float64
	queues   func(region string) []queueState
}

// queueState is what an exporter of the event bus would report of a queue.
type queueState struct {
	name  string
	depth int
	age   time.Duration // of the oldest message; 0 when empty
}

// The size of the outbound connection pool of each instance.
const poolLimit = 64

func (g *gauges) register(m metric.Meter, in *instance) error {
	if in.key.service == EventBus {
		return g.registerQueues(m, in)
	}
	cpu, err := m.Float64ObservableGauge("process.cpu.utilization", metric.WithUnit("1"), metric.WithDescription("Share of the CPU limit in use."))
	if err != nil {
		return err
	}
	mem, err := m.Float64ObservableGauge("process.memory.utilization", metric.WithUnit("1"), metric.WithDescription("Share of the memory limit in use."))
	if err != nil {
		return err
	}
	db, err := m.Int64ObservableGauge("db.client.connection.count", metric.WithUnit("{connection}"), metric.WithDescription("Database connections by state."))
	if err != nil {
		return err
	}
	used, err := m.Int64ObservableGauge("net.pool.outbound.used", metric.WithUnit("{connection}"), metric.WithDescription("Outbound connections in use."))
	if err != nil {
		return err
	}
	limit, err := m.Int64ObservableGauge("net.pool.outbound.limit", metric.WithUnit("{connection}"), metric.WithDescription("Outbound connections allowed."))
	if err != nil {
		return err
	}
	usedState, idleState := state("used"), state("idle")
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		now := g.now()
		rate, wave := in.load.perSecond(now), drift(in.id, now)
		// A full pool changes nothing here: its calls wait, they do not compute.
		o.ObserveFloat64(cpu, math.Min(0.97, 0.14+0.02*rate+0.05*wave))
		o.ObserveFloat64(mem, 0.46+0.04*wave)
		busy := int64(math.Min(20, 2+0.4*rate+2*wave))
		o.ObserveInt64(db, busy, usedState)
		o.ObserveInt64(db, 20-busy, idleState)
		open := int64(math.Min(poolLimit*0.6, 6+1.2*rate+4*wave))
		// A filling pool never drops below what is open anyway.
		open = max(open, int64(poolLimit*g.poolUsed(in.key.service, in.key.region)))
		o.ObserveInt64(used, open)
		o.ObserveInt64(limit, poolLimit)
		return nil
	}, cpu, mem, db, used, limit)
	return err
}

func state(s string) metric.ObserveOption {
	return metric.WithAttributes(attribute.String("db.client.connection.state", s))
}

func (g *gauges) registerQueues(m metric.Meter, in *instance) error {
	depth, err := m.Int64ObservableGauge("event_bus.queue.depth", metric.WithUnit("{message}"), metric.WithDescription("Messages waiting in a queue."))
	if err != nil {
		return err
	}
	age, err := m.Float64ObservableGauge("event_bus.oldest_message.age", metric.WithUnit("s"), metric.WithDescription("Age of the oldest waiting message; 0 when none waits."))
	if err != nil {
		return err
	}
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, q := range g.queues(in.key.region) {
			name := metric.WithAttributes(attribute.String("queue", q.name))
			o.ObserveInt64(depth, int64(q.depth), name)
			o.ObserveFloat64(age, q.age.Seconds(), name)
		}
		return nil
	}, depth, age)
	return err
}

// drift is a slow wave between -1 and 1, different for each name.
func drift(name string, now time.Time) float64 {
	h := fnv.New32a()
	h.Write([]byte(name))
	phase := float64(h.Sum32()%1000) / 1000 * 2 * math.Pi
	t := float64(now.Unix())
	return 0.6*math.Sin(t/217+phase) + 0.4*math.Sin(t/61+2*phase)
}
