package tally

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Deployments keeps deployment records; store/state does.
type Deployments interface {
	AddDeploy(ctx context.Context, d model.Deploy) (model.Deploy, error)
	Deploys(ctx context.Context, q store.DeployQuery) ([]model.Deploy, error)
}

// Config says how counting is bounded.
type Config struct {
	Timeout  time.Duration // of one question to a store
	Lateness time.Duration // data older than that and the usual rereading is late
}

// Deps is where events are. Every field but Registerer, Masks and Now is needed.
type Deps struct {
	Registerer prometheus.Registerer
	Logs       store.LogReader
	Spans      store.SpanReader
	Deploys    Deployments
	// Masks are the rules in force of what is masked for whom; nil for none.
	Masks func() *mask.Rules
	Now   func() time.Time // time.Now by default
}

// How much is remembered.
const longest = 3 * time.Hour // a longer question is history: it is answered and forgotten

// Tally counts events. It is safe for concurrent use.
type Tally struct {
	cfg     Config
	deps    Deps
	reads   *prometheus.CounterVec
	unread  *prometheus.CounterVec
	arrived chan struct{}

	mu      sync.Mutex
	marks   map[indicator.Signal]*marks
	known   map[key]*memory
	deploys deployCache
}

type key struct {
	signal indicator.Signal
	text   string
}

// memory is what is known of one query, by Unix minute.
type memory struct {
	counts map[int64]counted
	reach  time.Duration // how far back it is asked for
}

type counted struct{ n, mark uint64 }

// New makes a tally; it reads nothing.
func New(cfg Config, deps Deps) (*Tally, error) {
	if deps.Logs == nil || deps.Spans == nil || deps.Deploys == nil {
		return nil, errors.New("tally: it needs readers of logs, spans and deployments")
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	t := &Tally{
		cfg: cfg, deps: deps, arrived: make(chan struct{}, 1), known: map[key]*memory{}, marks: map[indicator.Signal]*marks{},
		reads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_slo_event_reads_total", Help: "Questions to the stores for SLOs over events, by signal (spans, logs, deploys).",
		}, []string{"signal"}),
		unread: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_slo_event_read_failures_total", Help: "Events for SLOs that could not be counted, by signal and reason (timeout, error).",
		}, []string{"signal", "reason"}),
	}
	for _, s := range []indicator.Signal{indicator.Spans, indicator.Logs, indicator.Deploys} {
		t.marks[s] = newMarks()
	}
	if err := instrument.Register(deps.Registerer, "tally", t.reads, t.unread); err != nil {
		return nil, err
	}
	return t, nil
}

// CountEvents is indicator.Events'.
func (t *Tally) CountEvents(ctx context.Context, q *indicator.EventQuery, from, to time.Time) ([]uint64, error) {
	if !to.After(from) {
		return nil, nil
	}
	if q.Signal == indicator.Deploys {
		return t.countDeploys(ctx, q, from, to)
	}
	first, n := from.Unix()/60, int(to.Sub(from)/time.Minute)
	if to.Sub(from) > longest {
		return t.read(ctx, q, first, n)
	}
	out := make([]uint64, n)
	t.mu.Lock()
	m := t.memoryOf(q, from)
	missFrom, missTo := n, -1
	for i := range out {
		c, ok := m.counts[first+int64(i)]
		if out[i] = c.n; !ok || c.mark != t.marks[q.Signal].of(first+int64(i)) {
			missFrom, missTo = min(missFrom, i), i
		}
	}
	before := t.marks[q.Signal].copyOf(first+int64(missFrom), missTo-missFrom+1)
	t.mu.Unlock()
	if missTo < 0 {
		return out, nil
	}
	fresh, err := t.read(ctx, q, first+int64(missFrom), missTo-missFrom+1)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, v := range fresh {
		out[missFrom+i] = v
		m.counts[first+int64(missFrom+i)] = counted{v, before[i]}
	}
	return out, nil
}

// memoryOf is what is known of a query, rid of what is older than it is asked for. mu is held.
func (t *Tally) memoryOf(q *indicator.EventQuery, from time.Time) *memory {
	k := key{q.Signal, q.Text}
	m := t.known[k]
	if m == nil {
		m = &memory{counts: map[int64]counted{}}
		t.known[k] = m
	}
	now := t.deps.Now()
	m.reach = max(m.reach, min(now.Sub(from), longest))
	if oldest := now.Add(-m.reach).Unix() / 60; len(m.counts) > int(2*m.reach/time.Minute) {
		for at := range m.counts {
			if at < oldest {
				delete(m.counts, at)
			}
		}
	}
	return m
}

// read asks a store for n minutes.
func (t *Tally) read(ctx context.Context, q *indicator.EventQuery, first int64, n int) ([]uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	span := store.RangeOf(time.Unix(first*60, 0), time.Unix((first+int64(n))*60, 0))
	var h store.Histogram
	var err error
	if q.Signal == indicator.Spans {
		h, err = t.deps.Spans.SpanHistogram(ctx, store.TraceQuery{Range: span, Expr: q.Expr}, time.Minute, "")
	} else {
		h, err = t.deps.Logs.LogHistogram(ctx, store.LogQuery{Range: span, Expr: q.Expr}, time.Minute, "")
	}
	if t.note(q.Signal, err) != nil {
		return nil, fmt.Errorf("count %s %s: %w", q.Signal, q.Text, err)
	}
	out := make([]uint64, n)
	for _, s := range h.Series {
		for i, c := range s.Counts {
			if k := (h.Start+int64(i)*h.Step)/int64(time.Minute) - first; k >= 0 && k < int64(n) {
				out[k] += c
			}
		}
	}
	return out, nil
}

// note counts a question and, with an error, one without an answer.
func (t *Tally) note(s indicator.Signal, err error) error {
	t.reads.WithLabelValues(string(s)).Inc()
	switch {
	case err == nil || errors.Is(err, context.Canceled):
	case errors.Is(err, context.DeadlineExceeded):
		t.unread.WithLabelValues(string(s), "timeout").Inc()
	default:
		t.unread.WithLabelValues(string(s), "error").Inc()
	}
	return err
}
