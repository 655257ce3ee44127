package slo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/storage"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/slo/groups"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
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
	// Changes tell of events, which are nil where the Querier counts none, and of samples that come late.
	Changes Changes
	// Asked are the windows that the gate's policies judge by; nil for none.
	Asked func() []time.Duration
	// ExternalURL is what links in alerts begin with.
	ExternalURL string
	// ExternalLabels are added to alerts that do not have them.
	ExternalLabels map[string]string
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Engine evaluates the catalog's SLOs.
type Engine struct {
	cfg     Config
	deps    Deps
	log     *slog.Logger
	metrics *engineMetrics
	courier *courier
	members members
	groups  map[string]*groups.Groups // by SLO; only Run's goroutine touches it
	last    lastRun
	next    schedule
	hearing hearing

	list        atomic.Pointer[[]model.SLOStatus]                // worst first
	corrections atomic.Pointer[map[string][]model.SLOCorrection] // by SLO
}

// lastRun is what the run before this one left behind.
type lastRun struct {
	records map[string]store.SLORecord // by SLO
	ledgers map[string]store.SLOLedger // until the first evaluation
	changes recalled                   // as long
}

// schedule is when what is not done at every evaluation is done next.
type schedule struct {
	record time.Time // of results
	late   time.Time // look for late events
	turn   int       // whose history is read next
}

// New makes an engine; it starts nothing.
func New(cfg Config, deps Deps) (*Engine, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if deps.Catalog == nil || deps.Querier == nil {
		return nil, errors.New("slo engine: it needs a catalog and a querier")
	}
	deps.Logger = instrument.Logger(deps.Logger)
	if deps.Now == nil {
		deps.Now = time.Now
	}
	deps.ExternalURL = strings.TrimRight(deps.ExternalURL, "/")
	e := &Engine{cfg: cfg, deps: deps, log: deps.Logger, metrics: newMetrics()}
	e.courier = &courier{
		limits: cfg.Limits, resendEvery: time.Duration(cfg.ResendEvery), to: deps.Alerts,
		url: deps.ExternalURL, external: deps.ExternalLabels, log: e.log, metrics: e.metrics,
	}
	e.list.Store(&[]model.SLOStatus{})
	e.corrections.Store(&map[string][]model.SLOCorrection{})
	if deps.Registerer != nil {
		m := e.metrics
		if err := instrument.Register(deps.Registerer, "SLO", m.evaluation, m.failures, m.sent, m.scanned); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// Ledgers keeps ledgers from one run to the next; store/state does.
type Ledgers interface {
	SaveSLOLedgers(ctx context.Context, ledgers []store.SLOLedger) error
	SLOLedgers(ctx context.Context, fn func(store.SLOLedger)) error
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
// took where it leaves nothing over: thousands of SLOs would never be read.
// It reports whether it read any.
func (e *Engine) scan(ctx context.Context, fair time.Duration, budget *pace.Budget) (news bool) {
	start := time.Now()
	for ctx.Err() == nil && (time.Since(start) < fair || budget.Spare() && time.Since(start) < minInterval) {
		from, again := pace.Computed(), false
		if !e.scanOne(ctx, e.deps.Now(), &again) {
			break
		}
		took := pace.Computed() - from
		budget.Spend(took)
		if again {
			e.hearing.cost += took
		}
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
	if news || e.members.waiting() && budget.Spare() {
		return ctx.Err() == nil
	}
	idle := time.NewTimer(maxInterval)
	defer idle.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-arrivals:
	case <-e.members.events:
	case <-idle.C:
	}
	return true
}

// restore reads the records of the last run.
func (e *Engine) restore(ctx context.Context) error {
	e.last.records = map[string]store.SLORecord{}
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
		e.last.records[r.Name] = r
	}
	return nil
}

// step judges every SLO once at now. It runs no two at a time.
func (e *Engine) step(ctx context.Context, now time.Time) {
	start := time.Now()
	list := e.sync(ctx, e.discover(ctx, now), now)
	q := indicator.NewBatch(e.deps.Querier, e.members.families)
	corrections := *e.corrections.Load()
	e.readLate(list, now)
	limits := e.limits()
	for _, o := range list {
		if ctx.Err() != nil {
			return
		}
		o.history.Correct(corrections[o.def.Whole()])
		if !o.history.Composite() {
			e.note(o, "query", o.history.Read(ctx, q, limits, time.Duration(e.cfg.Lateness), now), now)
		}
	}
	stand, members := e.concludeAll(limits, list, now) // composites rest on what all others read
	e.list.Store(&stand)
	e.courier.send(ctx, list, now)
	e.save(ctx, list)
	e.keep(ctx, list, now)
	if e.deps.Results != nil && !now.Before(e.next.record) {
		e.next.record = now.Add(time.Duration(e.cfg.RecordEvery))
		if err := results.Write(ctx, e.deps.Results, append(slices.Clip(stand), members...), e.peaks(now), now); err != nil {
			e.fail("record", err)
		}
	}
	e.metrics.evaluation.Observe(time.Since(start).Seconds())
}

// limits are the configured ones, with the windows that others judge by now.
func (e *Engine) limits() judgement.Limits {
	l := e.cfg.Limits
	if e.deps.Asked != nil {
		l.Asked = e.deps.Asked()
	}
	return l
}

// concludeAll judges all SLOs and answers how they stand, worst first, and how each group does.
func (e *Engine) concludeAll(limits judgement.Limits, list []*objective, now time.Time) (stand, members []model.SLOStatus) {
	stand = make([]model.SLOStatus, 0, len(list))
	of := map[string][]*objective{}
	for _, o := range list {
		switch s := o.conclude(limits, e.log, now); {
		case o.def.Group != nil:
			of[o.def.Group.Of] = append(of[o.def.Group.Of], o)
			members = append(members, s)
		case o.def.Grouping == nil:
			stand = append(stand, s)
		}
	}
	for _, o := range list {
		if o.def.Grouping != nil {
			s, live := face(e.groups[o.def.Name], o.whole, of[o.def.Name], now)
			o.fresh.status = s
			e.members.show(o, of[o.def.Name], live)
			stand = append(stand, s)
		}
	}
	judgement.Sort(stand)
	return stand, members
}

// note keeps track of failing queries; the first failure is logged.
func (e *Engine) note(o *objective, step string, err error, now time.Time) {
	if errors.Is(err, context.Canceled) {
		return
	}
	if o.history.Note(err, now) {
		e.log.Warn("SLO query fails", "slo", o.def.Name, "err", err)
	}
	if err != nil {
		e.metrics.failures.WithLabelValues(step).Inc()
	}
}

func (e *Engine) fail(step string, err error) { e.metrics.fail(e.log, step, err) }

// scanOne reads one piece of one SLO's history, in turn; false when there
// is none to read. again is whether it was read before, and changed.
func (e *Engine) scanOne(ctx context.Context, now time.Time, again *bool) bool {
	list := e.members.all()
	for i := range list {
		o := list[(e.next.turn+i)%len(list)]
		if o.history.Composite() || !o.history.Due(now) {
			continue
		}
		e.next.turn = (e.next.turn + i + 1) % len(list)
		*again = o.history.Rereads()
		err := o.history.Scan(ctx, e.deps.Querier, now)
		e.note(o, "scan", err, now)
		if err != nil {
			return false
		}
		e.metrics.scanned.Inc()
		return true
	}
	return false
}
