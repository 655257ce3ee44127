package metrics

import (
	"math"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/signalbox-project/signalbox/internal/store/metrics/past"
)

// usuallySettled is how old a sample is that nobody waits for any more, where it is not configured.
const usuallySettled = 11 * time.Minute

// slowBatch is how long a batch may be under way: who reads the newest minutes again waits a minute longer than Deps.Settled.
const slowBatch = 30 * time.Second

// news is what others are told of what is stored.
type news struct {
	arrivals broadcast
	past     *past.Log
	settled  time.Duration
	now      func() time.Time
}

// Changes tells which hours change that lie further back than Deps.Settled, one who asks. Samples are committed when an hour
// is told, and an hour stands in the folder before its samples do.
func (s *Store) Changes() *past.Reader { return s.news.past.Reader() }

// behind are the late samples of one batch: those before edge, Unix milliseconds.
type behind struct {
	n           *news
	edge, least int64 // the oldest sample is of least
	begun       time.Time
	batch       *past.Batch // nil: there are none
}

func (n *news) behind() behind {
	now := n.now()
	return behind{n: n, edge: now.Add(-n.settled).UnixMilli(), least: math.MaxInt64, begun: now}
}

// see looks at one sample that was taken. It is asked of every sample.
func (b *behind) see(t int64, ls labels.Labels) {
	if t < b.least {
		b.least = t
	}
	if t < b.edge {
		b.gather().Add(t, ls.Get(labels.MetricName))
	}
}

func (b *behind) gather() *past.Batch {
	if b.batch == nil {
		b.batch = b.n.past.Batch()
	}
	return b.batch
}

// span adds what is about to be deleted: samples from mint to maxt, of which the oldest is known, and none is of the future.
func (b *behind) span(oldest, mint, maxt int64, ms []*labels.Matcher) {
	mint, maxt = max(mint, oldest), min(maxt, b.begun.Add(time.Hour).UnixMilli())
	if maxt < mint {
		return
	}
	var names []string
	for _, m := range ms {
		if m.Name == labels.MetricName && m.Type == labels.MatchEqual {
			names = append(names, m.Value)
		}
	}
	b.gather().Span(mint, maxt, names...)
}

func (b *behind) drop() {
	if b.batch != nil {
		b.n.past.Drop(b.batch)
		b.batch = nil
	}
}

// commit commits the samples.
func (b *behind) commit(commit func() error) error {
	b.age()
	if b.batch != nil {
		b.n.past.Note(b.batch)
	}
	err := commit()
	if b.age() {
		b.n.past.Note(b.batch)
	}
	if b.batch != nil {
		b.n.past.Tell(b.batch) // after an error too: the samples may be kept
		b.batch = nil
	}
	return err
}

// age looks for samples that have become late while the batch was under way, and reports whether there are any.
func (b *behind) age() bool {
	now := b.n.now()
	edge := now.Add(-b.n.settled).UnixMilli()
	if now.Sub(b.begun) <= slowBatch || b.least >= edge {
		return false
	}
	b.gather().Span(max(b.edge, b.least), edge)
	b.edge, b.begun = edge, now
	return true
}

// Arrivals is a channel that has an element soon after samples were committed;
// many commits fold into one. Each caller has its own channel until it calls stop.
func (s *Store) Arrivals() (c <-chan struct{}, stop func()) { return s.news.arrivals.subscribe() }

type broadcast struct {
	mu   sync.RWMutex
	subs map[chan struct{}]struct{}
}

func (b *broadcast) subscribe() (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subs == nil {
		b.subs = map[chan struct{}]struct{}{}
	}
	b.subs[c] = struct{}{}
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs, c)
	}
}

func (b *broadcast) notify() {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for c := range b.subs {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
