package slo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/pace"
	"github.com/signalbox-project/signalbox/internal/slo/results"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Querier evaluates PromQL; see indicator.Querier.
type Querier = indicator.Querier

// Records keeps what must survive a restart; store/state does.
type Records interface {
	SLORecords(ctx context.Context) ([]store.SLORecord, error)
	SaveSLORecords(ctx context.Context, records []store.SLORecord) error
}

// Deps is what the engine uses. Querier and Catalog are needed, the rest may
// be nil.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Catalog    *Catalog
	Querier    Querier
	Results    storage.AppendableV2 // where signalbox_slo_* metrics go
	Alerts     notify.Sender
	Records    Records
	// Ledgers keeps what was counted, so that a start need not read all history.
	Ledgers Ledgers
	// Corrections keeps what does not count; nil for none.
	Corrections Corrections
	// Arrivals subscribes to the news that samples were stored; news fold into
	// one while nobody listens.
	Arrivals func() (c <-chan struct{}, stop func())
	// Changes tells what happened to events that promises count; nil where the
	// Querier counts none.
	Changes Changes
	// ExternalURL is what links in alerts begin with.
	ExternalURL string
	// ExternalLabels are added to alerts that do not have them.
	ExternalLabels map[string]string
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Engine evaluates the catalog's promises.
type Engine struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	metrics *engineMetrics

	mu          sync.Mutex         // guards promises
	promises    []*promise         // sorted by name
	families    indicator.Families // who is asked for together
	restored    map[string]store.SLORecord
	groups      map[string]*groups         // by promise; only Run's goroutine touches it
	ledgers     map[string]store.SLOLedger // of the last run, until the first evaluation
	nextRecord  time.Time
	nextLate    time.Time
	list        atomic.Pointer[[]model.SLOStatus]                // worst first
	again       atomic.Bool                                      // read all history again
	corrections atomic.Pointer[map[string][]model.SLOCorrection] // by SLO
	events      <-chan struct{}                                  // news of them, where promises count them
	turn        int                                              // whose history is read next
}

type engineMetrics struct {
	evaluation prometheus.Histogram
	failures   *prometheus.CounterVec
	sent       *prometheus.CounterVec
	scanned    prometheus.Counter
}

// New makes an engine; it starts nothing.
func New(cfg Config, deps Deps) (*Engine, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if deps.Catalog == nil || deps.Querier == nil {
		return nil, errors.New("slo engine: it needs a catalog and a querier")
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	deps.ExternalURL = strings.TrimRight(deps.ExternalURL, "/")
	e := &Engine{cfg: cfg, deps: deps, log: deps.Logger, metrics: newMetrics()}
	e.list.Store(&[]model.SLOStatus{})
	e.corrections.Store(&map[string][]model.SLOCorrection{})
	if deps.Registerer != nil {
		m := e.metrics
		for _, c := range []prometheus.Collector{m.evaluation, m.failures, m.sent, m.scanned} {
			if err := deps.Registerer.Register(c); err != nil {
				return nil, fmt.Errorf("register slo metrics: %w", err)
			}
		}
	}
	return e, nil
}

// Ledgers keeps ledgers from one run to the next; store/state does.
type Ledgers interface {
	SaveSLOLedgers(ctx context.Context, ledgers []store.SLOLedger) error
	SLOLedgers(ctx context.Context, fn func(store.SLOLedger)) error
}

func newMetrics() *engineMetrics {
	return &engineMetrics{
		evaluation: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "signalbox_slo_evaluation_seconds", Help: "Time to judge all promises once.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_slo_failures_total", Help: "What went wrong while judging promises, by step (query, scan, record, save, send).",
		}, []string{"step"}),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_slo_alerts_sent_total", Help: "Burn alerts handed to the alert pipeline, by status (firing, resolved).",
		}, []string{"status"}),
		scanned: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_slo_history_reads_total", Help: "Pieces of history read into ledgers.",
		}),
	}
}

// How Run paces itself.
const (
	minInterval = 250 * time.Millisecond // between evaluations when samples keep arriving
	maxInterval = 10 * time.Second       // without any news: staleness must be noticed
)

// Run evaluates until ctx is done: at most minInterval after samples arrived,
// as long as that stays within Config.CPUShare.
func (e *Engine) Run(ctx context.Context) error {
	if err := e.restore(ctx); err != nil {
		return err
	}
	var arrivals <-chan struct{}
	if e.deps.Arrivals != nil {
		c, stop := e.deps.Arrivals()
		defer stop()
		arrivals = c
	}
	// What is charged is what this thread computes: see package pace.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	budget := pace.New(e.cfg.CPUShare, time.Now)
	for {
		start := pace.Computed()
		e.step(ctx, e.deps.Now())
		took := pace.Computed() - start
		budget.Spend(took)
		news := e.scan(ctx, took, budget)
		if !e.wait(ctx, arrivals, budget, news) {
			e.keepAll(ctx)
			return nil
		}
	}
}

// scan reads history with what evaluation leaves over, and for as long as evaluation
// took where it leaves nothing over: thousands of promises would never be read.
// It reports whether it read any.
func (e *Engine) scan(ctx context.Context, fair time.Duration, budget *pace.Budget) (news bool) {
	start := time.Now()
	for ctx.Err() == nil && (time.Since(start) < fair || budget.Spare() && time.Since(start) < minInterval) {
		from := pace.Computed()
		if !e.scanOne(ctx, e.deps.Now()) {
			break
		}
		budget.Spend(pace.Computed() - from)
		news = true
	}
	return news
}

// wait sleeps until the next evaluation is due, false when ctx is done. After
// news or while history waits to be read that is soon.
func (e *Engine) wait(ctx context.Context, arrivals <-chan struct{}, budget *pace.Budget, news bool) bool {
	pause := time.NewTimer(max(minInterval, budget.Debt()))
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-pause.C:
	}
	if news || e.scanning() && budget.Spare() {
		return ctx.Err() == nil
	}
	idle := time.NewTimer(maxInterval)
	defer idle.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-arrivals:
	case <-e.events:
	case <-idle.C:
	}
	return true
}

// restore reads the records of the last run.
func (e *Engine) restore(ctx context.Context) error {
	e.restored = map[string]store.SLORecord{}
	if err := e.loadCorrections(ctx); err != nil {
		return err
	}
	if err := e.loadLedgers(ctx); err != nil {
		return err
	}
	if e.deps.Records == nil {
		return nil
	}
	records, err := e.deps.Records.SLORecords(ctx)
	if err != nil {
		return fmt.Errorf("restore SLO states: %w", err)
	}
	for _, r := range records {
		e.restored[r.Name] = r
	}
	return nil
}

// step judges every promise once at now. It runs no two at a time.
func (e *Engine) step(ctx context.Context, now time.Time) {
	start := time.Now()
	e.discover(ctx, now)
	promises := e.sync(ctx, now)
	q := indicator.NewBatch(e.deps.Querier, e.families)
	corrections := *e.corrections.Load()
	e.readLate(promises, now)
	for _, p := range promises {
		if ctx.Err() != nil {
			return
		}
		p.correct(corrections[p.def.Whole()])
		if len(p.parts) == 0 {
			e.note(p, "query", e.read(ctx, p, q, now), now)
		}
	}
	list, members := e.concludeAll(promises, now) // composites rest on what all others read
	e.list.Store(&list)
	e.sendAlerts(ctx, promises, now)
	e.save(ctx, promises)
	e.keep(ctx, promises, now)
	if e.deps.Results != nil && !now.Before(e.nextRecord) {
		e.nextRecord = now.Add(time.Duration(e.cfg.RecordEvery))
		if err := results.Write(ctx, e.deps.Results, append(slices.Clip(list), members...), e.peaks(now), now); err != nil {
			e.fail("record", err)
		}
	}
	e.metrics.evaluation.Observe(time.Since(start).Seconds())
}

// concludeAll judges all promises and answers how they stand, worst first, and how each group does.
func (e *Engine) concludeAll(promises []*promise, now time.Time) (list, members []model.SLOStatus) {
	list = make([]model.SLOStatus, 0, len(promises))
	of := map[string][]*promise{}
	for _, p := range promises {
		switch s := e.conclude(p, now); {
		case p.def.Group != nil:
			of[p.def.Group.Of] = append(of[p.def.Group.Of], p)
			members = append(members, s)
		case p.def.Grouping == nil:
			list = append(list, s)
		}
	}
	for _, p := range promises {
		if p.def.Grouping != nil {
			s := e.face(p, p.whole, of[p.def.Name], now)
			p.mu.Lock()
			p.status = s
			p.mu.Unlock()
			list = append(list, s)
		}
	}
	Sort(list)
	return list, members
}

func (e *Engine) read(ctx context.Context, p *promise, q Querier, now time.Time) error {
	sealTo := now.Add(-time.Duration(e.cfg.Lateness)).Truncate(time.Minute)
	if err := p.seal(ctx, q, sealTo); err != nil {
		return err
	}
	if err := p.readLive(ctx, q, now); err != nil {
		return err
	}
	if err := p.readTails(ctx, e.cfg, q, now); err != nil {
		return err
	}
	return p.look(ctx, q, now)
}

// note keeps track of failing queries; the first failure is logged.
func (e *Engine) note(p *promise, step string, err error, now time.Time) {
	switch {
	case err == nil:
		p.failing, p.err = time.Time{}, nil
	case errors.Is(err, context.Canceled):
	default:
		if p.failing.IsZero() {
			p.failing = now
			e.log.Warn("SLO query fails", "slo", p.def.Name, "err", err)
		}
		p.err = err
		e.metrics.failures.WithLabelValues(step).Inc()
	}
}

func (e *Engine) fail(step string, err error) {
	e.metrics.failures.WithLabelValues(step).Inc()
	e.log.Error("SLO results", "step", step, "err", err)
}

// sync makes promises follow the catalog. A definition that measures what it
// measured before keeps its ledger; a changed one reads its history again.
func (e *Engine) sync(ctx context.Context, now time.Time) []*promise {
	e.mu.Lock()
	defer e.mu.Unlock()
	defs := e.definitions()
	again := e.again.Swap(false)
	if len(defs) == len(e.promises) && !again && slices.EqualFunc(defs, e.promises, func(d *Definition, p *promise) bool { return d == p.def }) {
		return e.promises
	}
	old := map[string]*promise{}
	for _, p := range e.promises {
		old[p.def.Name] = p
	}
	next := make([]*promise, 0, len(defs))
	for _, d := range defs {
		p := old[d.Name]
		if p != nil && p.def.MeasuresLike(d) {
			p.mu.Lock()
			p.def = d
			p.mu.Unlock()
		} else {
			p = newPromise(d, p, e.restored[d.Name])
			p.resume(e.ledgers[d.Name], now)
		}
		if again && !p.sealed.IsZero() {
			p.rescan(p.sealed)
			p.backoff = 0
		}
		next = append(next, p)
		delete(old, d.Name)
	}
	e.retire(ctx, old, now)
	link(next)
	e.events = nil
	if e.deps.Changes != nil && slices.ContainsFunc(next, func(p *promise) bool { return indicator.EventsOf(p.def.Measure) != nil }) {
		e.events = e.deps.Changes.Arrived()
	}
	e.families = indicator.FamiliesOf(sources(next))
	e.ledgers = nil // those of the last run were for the first promises
	e.promises = next
	return next
}

func sources(promises []*promise) []indicator.Source {
	out := make([]indicator.Source, len(promises))
	for i, p := range promises {
		out[i] = p.def.Measure
	}
	return out
}

// link connects composites with the promises they are made of.
func link(promises []*promise) {
	by := map[string]*promise{}
	for _, p := range promises {
		by[p.def.Name] = p
	}
	for _, p := range promises {
		p.parts = nil
		for _, part := range p.def.Parts {
			p.parts = append(p.parts, by[part.Definition.Name])
		}
	}
}

func newPromise(d *Definition, before *promise, restored store.SLORecord) *promise {
	p := &promise{def: d, ledger: ledger.New(d.Window), alerts: map[string]*store.SLOAlertRecord{}, record: restored}
	if before != nil {
		p.record = before.record
	}
	p.record.Name = d.Name
	for _, a := range p.record.Alerts {
		p.alerts[a.Name] = &a
	}
	return p
}

// scanning reports whether history waits to be read.
func (e *Engine) scanning() bool {
	for _, p := range e.promises {
		if len(p.queue) > 0 {
			return true
		}
	}
	return false
}

// scanOne reads one chunk of one promise's history, in turn; false when there
// is none to read.
func (e *Engine) scanOne(ctx context.Context, now time.Time) bool {
	n := len(e.promises)
	for i := range n {
		p := e.promises[(e.turn+i)%n]
		if len(p.parts) > 0 {
			continue
		}
		if len(p.queue) == 0 && !p.sealed.IsZero() && !p.nextScan.IsZero() && !now.Before(p.nextScan) {
			p.rescan(p.sealed)
		}
		if len(p.queue) == 0 {
			p.queueBirth()
		}
		if len(p.queue) == 0 {
			continue
		}
		e.turn = (e.turn + i + 1) % n
		err := p.scan(ctx, e.deps.Querier, now)
		e.note(p, "scan", err, now)
		if err != nil { // later, and not in a tight loop
			p.queue, p.nextScan = nil, now.Add(max(firstRescan, p.backoff))
			return false
		}
		e.metrics.scanned.Inc()
		return true
	}
	return false
}

// Recompute reads all history again: somebody wrote into the past.
func (e *Engine) Recompute() { e.again.Store(true) }
