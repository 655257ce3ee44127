// Package samples decides which metric samples may enter, and counts every one
// of them.
//
// An Admission stands between the intakes (remote write, scrape, OTLP) and the
// metrics store as a storage.AppendableV2: it refuses samples whose labels are
// malformed or beyond the limits and whose timestamps are in the future or older than what is
// kept, turns the store's own refusals into messages that name the series and the cure, and
// reports received, stored and refused samples by reason. A sender that is bound to
// namespaces writes only to those: what names none gets the only one there is, or is refused. Labels that identify people are
// hashed. Of two values for one time of a series the second is refused, also of late samples, but not of those
// that two batches bring at once. It changes no other sample and keeps none; the one thing it remembers is type, help and unit of pushed metrics.
//
// Invariant: received = stored + refused, exactly, once Commit or Rollback has
// returned; a sample counts as stored only after the store's Commit.
// A RefusalError concerns one sample: the appender stays usable and the rest of the
// batch is kept. An Admission is safe for concurrent use, one appender is not.
//
// Start reading at New, then appender.go.
package samples

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/admit/identifiers"
)

// Signal is how the counter names what is counted here.
const Signal = "metrics"

// maxFamilies and maxHelpBytes bound the remembered metadata (about 10 MB at worst).
const (
	maxFamilies  = 20_000
	maxHelpBytes = 512
)

// Counter is told what became of every sample. Calls come once per batch.
type Counter interface {
	Received(signal, protocol string, n int)
	Stored(signal string, n int)
	Refused(signal, reason string, n int)
}

// Deps is what an Admission is given. Counter and Now may be nil.
type Deps struct {
	Next storage.AppendableV2
	// Acknowledged is the store for protocols whose senders forget a sample once it
	// was acknowledged; nil is Next.
	Acknowledged storage.AppendableV2
	// Stored is what the store has: a late sample of another value than the one of its time is refused. nil looks at none.
	Stored  storage.Queryable
	Counter Counter
	// Retention is how long the store keeps samples; older ones are refused.
	Retention time.Duration
	// OutOfOrderWindow is the store's; it is named in messages.
	OutOfOrderWindow time.Duration
	Now              func() time.Time
	// Identifiers hashes labels that identify people; nil hashes none.
	Identifiers *identifiers.Hasher
}

// Admission admits samples.
type Admission struct {
	cfg  Config
	deps Deps

	seen sync.Pool // of *batchTimes

	mu       sync.RWMutex
	families map[string]metadata.Metadata
}

// New makes an Admission.
func New(cfg Config, deps Deps) (*Admission, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if deps.Next == nil {
		return nil, errors.New("sample admission: no store given")
	}
	if deps.Acknowledged == nil {
		deps.Acknowledged = deps.Next
	}
	if deps.Counter == nil {
		deps.Counter = discard{}
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	return &Admission{cfg: cfg, deps: deps, seen: sync.Pool{New: func() any { return &batchTimes{} }}, families: map[string]metadata.Metadata{}}, nil
}

// For is the way in for one protocol (remote_write_v1, scrape, otlp, …), which
// is the name it is counted under.
func (a *Admission) For(protocol string) storage.AppendableV2 {
	return entrance{a: a, protocol: protocol, next: a.deps.Next}
}

// Acknowledged is an Admission for senders that forget what was acknowledged.
func (a *Admission) Acknowledged() Acknowledged { return Acknowledged{a} }

// Acknowledged is an Admission whose ways in lead to Deps.Acknowledged.
type Acknowledged struct{ *Admission }

// For is the way in for one protocol.
func (a Acknowledged) For(protocol string) storage.AppendableV2 {
	return entrance{a: a.Admission, protocol: protocol, next: a.deps.Acknowledged}
}

type entrance struct {
	a        *Admission
	protocol string
	next     storage.AppendableV2
}

func (e entrance) AppenderV2(ctx context.Context) storage.AppenderV2 {
	now := e.a.deps.Now()
	ap := &appender{
		a:        e.a,
		scope:    access.ScopeOf(ctx),
		next:     e.next.AppenderV2(ctx),
		protocol: e.protocol,
		now:      now,
		maxT:     now.Add(time.Duration(e.a.cfg.MaxFuture)).UnixMilli(),
	}
	if e.a.deps.Retention > 0 {
		ap.minT = now.Add(-e.a.deps.Retention).UnixMilli()
	}
	return ap
}

// Learn remembers type, help and unit of a metric family; beyond the bound new
// families are forgotten.
func (a *Admission) Learn(family string, m metadata.Metadata) {
	if family == "" || m.IsEmpty() {
		return
	}
	if len(m.Help) > maxHelpBytes {
		m.Help = strings.ToValidUTF8(m.Help[:maxHelpBytes], "")
	}
	a.mu.RLock()
	old, ok := a.families[family]
	full := len(a.families) >= maxFamilies
	a.mu.RUnlock()
	if (ok && old == m) || (!ok && full) || len(family) > a.cfg.MaxLabelValueBytes {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.families[strings.Clone(family)] = metadata.Metadata{Type: m.Type, Unit: strings.Clone(m.Unit), Help: strings.Clone(m.Help)}
}

// Metadata is what was learnt, by family name; the map is the caller's.
func (a *Admission) Metadata() map[string]metadata.Metadata {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return maps.Clone(a.families)
}

// family is the name a series' metadata is kept under: the suffixes of
// histograms and summaries belong to the series, not to the family.
func family(ls labels.Labels, opts storage.AOptions) string {
	if opts.MetricFamilyName != "" {
		return opts.MetricFamilyName
	}
	name := ls.Get(prommodel.MetricNameLabel)
	switch opts.Metadata.Type {
	case prommodel.MetricTypeHistogram, prommodel.MetricTypeGaugeHistogram, prommodel.MetricTypeSummary:
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if base, ok := strings.CutSuffix(name, suffix); ok {
				return base
			}
		}
	}
	return name
}

type discard struct{}

func (discard) Received(string, string, int) {}
func (discard) Stored(string, int)           {}
func (discard) Refused(string, string, int)  {}
