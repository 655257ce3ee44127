package topology

import (
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// id is a span's identity; equal ids of two tenants are two spans.
type id struct {
	tenant string
	trace  model.TraceID
	span   model.SpanID
}

// side is what an edge needs to know of one of its spans.
type side struct {
	service, namespace string

	kind    model.SpanKind
	root    bool // names no parent
	shared  bool // its id was met at both ends of a call
	failed  bool
	seconds float64
}

// pending joins spans with their parents in whatever order they come.
type pending struct {
	known   map[id]side   // possible parents
	waiting map[id][]side // by the parent they wait for
	calls   fifo          // of everything but producers
	queues  fifo          // of producers, and of consumers that wait for one

	count func(e edge, failed bool, seconds float64)
	lost  func(reason string)
}

func newPending(cfg Config, count func(edge, bool, float64), lost func(string)) *pending {
	return &pending{
		known: map[id]side{}, waiting: map[id][]side{}, count: count, lost: lost,
		calls:  fifo{window: time.Duration(cfg.Window), limit: cfg.MaxPending - cfg.MaxPending/2},
		queues: fifo{window: time.Duration(cfg.QueueWindow), limit: cfg.MaxPending / 2},
	}
}

func (p *pending) size() int { return p.calls.len() + p.queues.len() }

// add takes one span: as a child of what is known or yet to come, and as a
// parent of what waits or is yet to come.
func (p *pending) add(s *model.Span, now time.Time) {
	own := id{s.Resource.Tenant, s.TraceID, s.SpanID}
	me := side{service: s.Resource.Service, namespace: s.Resource.Namespace, kind: s.Kind, root: s.ParentID.IsZero(), failed: s.Status == model.StatusError, seconds: float64(s.Duration) / 1e9}
	if first, twice := p.known[own]; twice {
		p.share(own, first, me)
		return
	}
	if s.Kind == model.SpanKindServer || s.Kind == model.SpanKindConsumer {
		parent := id{own.tenant, s.TraceID, s.ParentID}
		if !s.ParentID.IsZero() {
			p.child(parent, me, &p.calls, now)
		}
		if s.Kind == model.SpanKindConsumer {
			for _, l := range s.Links {
				if producer := (id{own.tenant, l.TraceID, l.SpanID}); producer != parent && producer != own {
					p.child(producer, me, &p.queues, now)
				}
			}
		}
	}
	for _, c := range p.waiting[own] {
		p.join(own.tenant, me, c)
	}
	delete(p.waiting, own)
	p.known[own] = me
	queue := &p.calls
	if s.Kind == model.SpanKindProducer {
		queue = &p.queues
	}
	queue.push(entry{id: own, at: now})
	p.trim(queue)
}

// share joins the two ends of a call that share one id, as Zipkin's libraries have it. A server
// that came first and names a parent was joined with that, which is in the client's service.
func (p *pending) share(own id, first, second side) {
	client, server := first, second
	if first.kind == model.SpanKindServer {
		client, server = second, first
	}
	if first.shared || client.kind != model.SpanKindClient || server.kind != model.SpanKindServer {
		return // a repeat
	}
	first.shared = true
	p.known[own] = first
	if second.kind == model.SpanKindServer || server.root {
		p.join(own.tenant, client, server)
	}
}

// child joins with the parent, or waits for it.
func (p *pending) child(parent id, me side, queue *fifo, now time.Time) {
	if known, ok := p.known[parent]; ok {
		p.join(parent.tenant, known, me)
		return
	}
	p.waiting[parent] = append(p.waiting[parent], me)
	queue.push(entry{id: parent, at: now, waits: true})
	p.trim(queue)
}

// join counts an edge. A call lasts as long as its client saw it, a message as
// long as its consumer worked on it; it failed if either side of a call says so.
func (p *pending) join(tenant string, parent, child side) {
	if parent.service == child.service {
		return
	}
	e := edge{tenant: tenant, client: parent.service, clientSpace: parent.namespace, server: child.service, serverSpace: child.namespace, kind: kindCall}
	failed, seconds := child.failed, child.seconds
	switch {
	case child.kind == model.SpanKindConsumer || parent.kind == model.SpanKindProducer:
		e.kind = kindQueue
	case parent.kind == model.SpanKindClient:
		failed, seconds = failed || parent.failed, parent.seconds
	}
	p.count(e, failed, seconds)
}

// expire forgets what is older than its window.
func (p *pending) expire(now time.Time) {
	for _, q := range []*fifo{&p.calls, &p.queues} {
		for q.len() > 0 && now.Sub(q.front().at) >= q.window {
			p.forget(q.pop(), "expired")
		}
	}
}

// trim forgets the oldest beyond the limit.
func (p *pending) trim(q *fifo) {
	for q.len() > q.limit {
		p.forget(q.pop(), "overflow")
	}
}

func (p *pending) forget(e entry, reason string) {
	if !e.waits {
		delete(p.known, e.id)
		return
	}
	w := p.waiting[e.id]
	if len(w) == 0 {
		return // found its parent
	}
	p.lost(reason)
	if len(w) == 1 {
		delete(p.waiting, e.id)
		return
	}
	p.waiting[e.id] = w[1:]
}

// entry is one thing to forget in time.
type entry struct {
	id    id
	at    time.Time
	waits bool // a child waiting for the span id, not the span itself
}

// fifo is a queue in order of arrival.
type fifo struct {
	window time.Duration
	limit  int
	items  []entry
	head   int
}

func (q *fifo) len() int      { return len(q.items) - q.head }
func (q *fifo) front() *entry { return &q.items[q.head] }
func (q *fifo) push(e entry)  { q.items = append(q.items, e) }

func (q *fifo) pop() entry {
	e := q.items[q.head]
	q.items[q.head] = entry{}
	q.head++
	if q.head > 1024 && q.head*2 > len(q.items) {
		q.items = append(q.items[:0], q.items[q.head:]...)
		q.head = 0
	}
	return e
}
