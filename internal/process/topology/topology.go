// Package topology finds out which service depends on which: an edge is a span
// whose parent, or whose linked message, belongs to another service.
//
// It does not draw, rank or store anything itself. Data in: durable spans
// through TapSpans. Data out: the counters signalbox_edge_… (store/cumulative
// writes them) and Edges, which reads them back for a range of time.
//
// The two spans of an edge arrive in any order and in different batches. Each
// span is remembered as a possible parent for Config.Window (producers for
// Config.QueueWindow, because messages wait), and each server or consumer span whose
// parent is unknown waits as long. Invariants: at most Config.MaxPending spans are remembered or
// waiting, the oldest go first; a pair is counted once, whichever comes first; a
// span that is sent twice within the window counts once. The one lock is the set's. Start
// reading at TapSpans, then join.go.
package topology

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/cumulative"
)

// Config is the section `topology`.
type Config struct {
	cumulative.Config `yaml:",inline"`
	// Window is how long the spans of a call may arrive apart.
	Window common.Duration `yaml:"window"`
	// QueueWindow is how long after its producer a message's consumer may arrive.
	QueueWindow common.Duration `yaml:"queue_window"`
	// MaxPending bounds the spans that are remembered, half of it for producers.
	MaxPending int `yaml:"max_pending"`
	// MaxEdges bounds the edges of all tenants.
	MaxEdges int `yaml:"max_edges"`
}

// DefaultConfig suits SDKs that send every five seconds.
func DefaultConfig() Config {
	return Config{
		Config: cumulative.DefaultConfig(), Window: common.Duration(30 * time.Second),
		QueueWindow: common.Duration(10 * time.Minute), MaxPending: 100_000, MaxEdges: 10_000,
	}
}

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	errs := c.Config.Validate()
	if c.Window <= 0 {
		errs = append(errs, fmt.Errorf("window: must be > 0, got %s", c.Window))
	}
	if c.QueueWindow < c.Window {
		errs = append(errs, fmt.Errorf("queue_window: must be at least window (%s), got %s", c.Window, c.QueueWindow))
	}
	if c.MaxPending < 2 {
		errs = append(errs, fmt.Errorf("max_pending: must be > 1, got %d", c.MaxPending))
	}
	if c.MaxEdges < 1 {
		errs = append(errs, fmt.Errorf("max_edges: must be > 0, got %d", c.MaxEdges))
	}
	return errs
}

// Deps is what the processor needs.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil registers nothing
	Appendable storage.AppendableV2
	Querier    Querier // for Edges; may be nil where nobody asks
	Home       model.Home
}

// edge is a dependency.
type edge struct{ tenant, client, clientSpace, server, serverSpace, kind string }

// The labels that say to whom the ends of an edge belong. It has no label namespace: it is of two.
const (
	clientSpace = "client_namespace"
	serverSpace = "server_namespace"
)

// The kinds of edge.
const (
	kindCall  = "call"
	kindQueue = "queue"
)

// The series of an edge's group, in order.
const (
	seriesRequests = iota
	seriesErrors
	seriesSeconds
)

// Processor implements stream.SpanTap.
type Processor struct {
	cfg     Config
	set     *cumulative.Set[edge]
	querier Querier
	pending *pending // guarded by the set's lock
	home    model.Home
	now     func() time.Time

	unmatched *prometheus.CounterVec
}

// New starts nothing; Run writes.
func New(cfg Config, d Deps) (*Processor, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("topology: %w", err)
	}
	set, err := cumulative.New[edge](cfg.Config, cumulative.Deps{Name: "topology", Logger: d.Logger, Registerer: d.Registerer, Appendable: d.Appendable})
	if err != nil {
		return nil, fmt.Errorf("topology: %w", err)
	}
	p := &Processor{
		cfg: cfg, set: set, querier: d.Querier, home: d.Home, now: time.Now,
		unmatched: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_topology_unmatched_total",
			Help: "Server and consumer spans that are in no edge: parent not seen within the window (expired), forgotten early because too many were pending (overflow), or too many edges (edge_limit).",
		}, []string{"reason"}),
	}
	p.pending = newPending(cfg, p.count, func(reason string) { p.unmatched.WithLabelValues(reason).Inc() })
	pendingSpans := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "signalbox_topology_pending_spans", Help: "Spans remembered or waiting for the other side of their edge.",
	}, func() float64 {
		set.Lock()
		defer set.Unlock()
		return float64(p.pending.size())
	})
	if err := instrument.Register(d.Registerer, "topology", p.unmatched, pendingSpans); err != nil {
		return nil, err
	}
	return p, nil
}

// Run writes the edges every interval until ctx is done, and once more then.
func (p *Processor) Run(ctx context.Context) error {
	return p.set.Run(ctx, func(now time.Time) {
		p.set.Lock()
		defer p.set.Unlock()
		p.pending.expire(now)
	})
}

// Flush writes what is due; Run calls it by itself.
func (p *Processor) Flush(ctx context.Context, now time.Time) error { return p.set.Flush(ctx, now) }

// TapSpans implements stream.SpanTap.
func (p *Processor) TapSpans(spans []model.Span) {
	p.set.Lock()
	defer p.set.Unlock()
	now := p.now()
	p.pending.expire(now)
	for i := range spans {
		p.pending.add(&spans[i], now)
	}
}

// count adds one request to an edge; the caller holds the lock.
func (p *Processor) count(e edge, failed bool, seconds float64) {
	g := p.set.Get(e)
	if g == nil {
		if p.set.Len() >= p.cfg.MaxEdges {
			p.unmatched.WithLabelValues("edge_limit").Inc()
			return
		}
		g = p.set.Put(e, seriesOf(e, p.home))
	}
	g.Add(seriesRequests, 1)
	if failed {
		g.Add(seriesErrors, 1)
	}
	g.Add(seriesSeconds, seconds)
}

func seriesOf(e edge, home model.Home) []cumulative.Series {
	b := labels.NewBuilder(labels.EmptyLabels())
	b.Set("client", e.client)
	b.Set("server", e.server)
	b.Set(clientSpace, e.clientSpace)
	b.Set(serverSpace, e.serverSpace)
	b.Set("kind", e.kind)
	b.Set("tenant", home.Label(e.tenant))
	named := func(name, unit, help string) cumulative.Series {
		b.Set(common.MetricNameLabel, name)
		return cumulative.Series{Labels: b.Labels(), Family: name, Meta: metadata.Metadata{Type: common.MetricTypeCounter, Unit: unit, Help: help}}
	}
	return []cumulative.Series{
		seriesRequests: named(model.MetricEdgeRequests, "", "Requests from one service to another; made from traces."),
		seriesErrors:   named(model.MetricEdgeErrors, "", "Failed requests from one service to another; made from traces."),
		seriesSeconds:  named(model.MetricEdgeDuration, "seconds", "Sum of the durations of requests from one service to another; made from traces."),
	}
}
