package probe

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

// Why a probe that was due did not take place.
const (
	reasonNoSlot   = "no_free_slot"
	reasonLate     = "late"
	reasonOwnFault = "own_fault"
)

// task is one probe in force.
type task struct {
	p      *Prober
	def    Definition
	cancel context.CancelFunc // nil until it is started; under Prober.mu

	mu      sync.Mutex
	last    outcome
	state   string
	ran     time.Time // start of the last run
	changed time.Time
	next    time.Time
	removed bool // by a reload: its series must end

	series map[string]labels.Labels // written last; the loop's own
}

func newTask(p *Prober, def Definition) *task {
	return &task{p: p, def: def, state: statePending, next: def.nextAfter(time.Now()), series: map[string]labels.Labels{}}
}

// stop ends a task that a reload took away; Prober.mu is held.
func (t *task) stop() {
	t.mu.Lock()
	t.removed = true
	t.mu.Unlock()
	if t.cancel != nil {
		t.cancel()
	}
}

// nextAfter is the first start time after now: the interval's multiples plus an
// offset that follows from the name, so that probes spread and a restart changes nothing.
func (d Definition) nextAfter(now time.Time) time.Time {
	every := int64(d.Interval)
	offset := int64(xxhash.Sum64String(d.Name) % uint64(every))
	ns := now.UnixNano()
	since := (ns - offset) % every
	return time.Unix(0, ns-since+every)
}

// loop runs the probe whenever it is due until ctx is done.
func (t *task) loop(ctx context.Context) {
	defer t.cancel()
	timer := time.NewTimer(time.Until(t.plan()))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			t.due(ctx)
			timer.Reset(time.Until(t.plan()))
		case <-ctx.Done():
			t.end()
			return
		}
	}
}

// plan is when the next run is due. Times that passed meanwhile are gaps.
func (t *task) plan() time.Time {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ran.IsZero() {
		if missed := now.Sub(t.next) / t.def.Interval; missed > 0 {
			t.p.m.skipped.WithLabelValues(reasonLate).Add(float64(missed))
		}
	}
	t.next = t.def.nextAfter(now)
	return t.next
}

// due runs the probe once, if there is a slot within the interval.
func (t *task) due(ctx context.Context) {
	planned := t.plannedAt()
	wait := time.NewTimer(t.def.Interval)
	defer wait.Stop()
	select {
	case t.p.slots <- struct{}{}:
	case <-wait.C:
		t.gap(planned, reasonNoSlot, "no free slot for a whole interval: raise probes.concurrency or probe less often")
		return
	case <-ctx.Done():
		return
	}
	defer func() { <-t.p.slots }()
	start := time.Now()
	t.p.m.late.Observe(start.Sub(planned).Seconds())
	t.p.m.inFlight.Inc()
	out := t.once(ctx)
	t.p.m.inFlight.Dec()
	switch {
	case ctx.Err() != nil:
		// We ended it, so it says nothing about the target.
	case out.ownFault != "":
		t.gap(start, reasonOwnFault, out.ownFault)
	default:
		t.finish(start, out)
	}
}

func (t *task) plannedAt() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next
}

func (t *task) once(ctx context.Context) outcome {
	ctx, cancel := context.WithTimeout(ctx, t.def.Timeout)
	defer cancel()
	out := t.p.deps.run(ctx, t.target(), t.module())
	// They quote the target.
	out.reason, out.ownFault = redact.Text(out.reason), redact.Text(out.ownFault)
	return out
}

// finish writes and remembers a result.
func (t *task) finish(start time.Time, out outcome) {
	state, result := stateDown, "failure"
	if out.success {
		state, result = stateUp, "success"
	}
	t.p.m.runs.WithLabelValues(result).Inc()
	t.write(start, out.samples)
	t.set(start, state, out)
}

// gap ends the series, so that a query finds nothing rather than the result
// before, and remembers why.
func (t *task) gap(at time.Time, reason, why string) {
	t.p.m.skipped.WithLabelValues(reason).Inc()
	t.write(at, nil)
	t.set(at, stateNotRun, outcome{reason: why})
}

func (t *task) set(at time.Time, state string, out outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != state {
		t.changed = at
		t.p.log.Info("probe changed", "probe", t.def.Name, "target", t.def.Target, "from", t.state, "to", state, "reason", out.reason)
	}
	t.last, t.state, t.ran = out, state, at
}

// end is the last thing a loop does. When a reload took the probe away its series end;
// when the process stops they do not: the next one goes on with them.
func (t *task) end() {
	t.mu.Lock()
	removed := t.removed
	t.mu.Unlock()
	if removed {
		t.write(time.Now(), nil)
	}
}

func (t *task) view() Probe {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Probe{
		Name: t.def.Name, Module: t.def.Module, Target: redact.Text(t.target()), Labels: maps.Clone(t.def.Labels),
		Interval: t.def.Interval.Seconds(), Timeout: t.def.Timeout.Seconds(),
		State: t.state, Reason: t.last.reason, Duration: t.last.duration.Seconds(), Phases: t.last.phases, StatusCode: t.last.statusCode,
		NextRun: t.next, File: t.def.File, Line: t.def.Line,
	}
	if s.Labels == nil {
		s.Labels = map[string]string{}
	}
	for _, at := range []struct {
		to   **time.Time
		time time.Time
	}{{&s.LastRun, t.ran}, {&s.ChangedAt, t.changed}, {&s.CertificateExpires, t.last.certificate}} {
		if !at.time.IsZero() {
			*at.to = &at.time
		}
	}
	return s
}
