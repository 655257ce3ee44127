package slo

import (
	"context"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// promise is one definition under evaluation. Only Run's goroutine changes it;
// mu guards what readers see.
type promise struct {
	mu       sync.Mutex
	def      *Definition
	ledger   *ledger.Ledger
	live     ledger.Cell // (sealed, liveTo]
	liveTo   time.Time
	sealed   time.Time // ledger slots are read up to here
	lastData time.Time
	status   model.SLOStatus
	age      time.Duration

	loaded   time.Duration // how far back history was read without an error
	queue    []chunk       // history still to read, newest first
	nextScan time.Time
	backoff  time.Duration
	failing  time.Time // since when queries fail
	err      error
	noGood   bool
	checked  time.Time // when lastData was looked up

	alerts map[string]*store.SLOAlertRecord
	record store.SLORecord
	dirty  bool // record differs from what is stored
}

// chunk is a piece of history to read into one tier.
type chunk struct {
	tier     ledger.Tier
	from, to time.Time
}

// How often history is read again: soon while parts of the window are
// missing (somebody may be filling them), rarely once it is whole.
const (
	firstRescan = 5 * time.Second
	maxRescan   = 30 * time.Minute
	wholeRescan = 6 * time.Hour
)

// plan lists the chunks of a full read, newest first.
func (p *promise) plan(sealTo time.Time) []chunk {
	var out []chunk
	hour := sealTo.Truncate(time.Hour)
	end := sealTo
	for _, part := range []struct {
		tier ledger.Tier
		size time.Duration
	}{{ledger.Minute, 8 * time.Hour}, {ledger.FiveMinutes, 24 * time.Hour}, {ledger.Hour, 7 * 24 * time.Hour}} {
		start := p.ledger.Start(part.tier, sealTo)
		if windowStart := hour.Add(-p.def.Window); start.Before(windowStart) {
			start = windowStart
		}
		for end.After(start) {
			from := end.Add(-part.size).Truncate(time.Hour)
			if from.Before(start) {
				from = start
			}
			out = append(out, chunk{tier: part.tier, from: from, to: end})
			end = from
		}
	}
	return out
}

// seal reads the minutes that ended before sealTo and those that may have
// changed since.
func (p *promise) seal(ctx context.Context, q Querier, sealTo time.Time) error {
	if !sealTo.After(p.sealed) {
		return nil
	}
	from := p.sealed.Add(-p.def.source.reread())
	if start := p.ledger.Start(ledger.Minute, sealTo); from.Before(start) {
		from = start
	}
	if gap := sealTo.Sub(p.sealed); gap > time.Hour && !p.sealed.IsZero() {
		p.rescan(sealTo) // asleep for long: read it as history
	}
	if p.sealed.IsZero() {
		p.setSealed(sealTo)
		p.rescan(sealTo)
		return nil
	}
	cells, err := p.def.source.cells(ctx, q, from, sealTo, time.Minute)
	if err != nil {
		return err
	}
	p.put(ledger.Minute, from, cells)
	p.setSealed(sealTo)
	return nil
}

func (p *promise) setSealed(t time.Time) {
	p.mu.Lock()
	p.sealed = t
	p.mu.Unlock()
}

func (p *promise) put(tier ledger.Tier, from time.Time, cells []ledger.Cell) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, c := range cells {
		p.ledger.Put(tier, from.Add(time.Duration(i)*tier.Width()), c)
	}
}

// rescan queues all history to be read again.
func (p *promise) rescan(sealTo time.Time) { p.queue = p.plan(sealTo) }

// scan reads the next chunk of history.
func (p *promise) scan(ctx context.Context, q Querier, now time.Time) error {
	c := p.queue[0]
	cells, err := p.def.source.cells(ctx, q, c.from, c.to, c.tier.Width())
	if err != nil {
		return err
	}
	p.put(c.tier, c.from, cells)
	p.queue = p.queue[1:]
	loaded := now.Sub(c.from)
	if len(p.queue) == 0 {
		loaded = max(loaded, p.def.Window)
		p.scheduleScan(now)
	}
	p.mu.Lock()
	p.loaded = max(p.loaded, loaded)
	p.mu.Unlock()
	return nil
}

func (p *promise) scheduleScan(now time.Time) {
	p.mu.Lock()
	whole := p.ledger.Sum(now.Add(-p.def.Window), p.sealed).Minutes >= 0.99*p.def.Window.Minutes()
	p.mu.Unlock()
	switch {
	case whole:
		p.backoff = wholeRescan
	case p.backoff == 0 || p.backoff > maxRescan:
		p.backoff = firstRescan
	default:
		p.backoff = min(2*p.backoff, maxRescan)
	}
	p.nextScan = now.Add(p.backoff)
}

// readLive reads what happened since the sealed minutes.
func (p *promise) readLive(ctx context.Context, q Querier, now time.Time) error {
	c, err := p.def.source.live(ctx, q, p.sealed, now)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.live, p.liveTo = c, now
	p.mu.Unlock()
	return nil
}

// lookEvery is how often the time of the newest sample is looked up.
const lookEvery = 10 * time.Second

func (p *promise) look(ctx context.Context, q Querier, now time.Time) error {
	if unseen := p.lastData.IsZero() && p.live.Minutes > 0; now.Sub(p.checked) < lookEvery && !unseen {
		return nil
	}
	v, ok, err := value(ctx, q, p.def.source.lastSample(), now)
	if err != nil {
		return err
	}
	p.checked = now
	p.mu.Lock()
	if ok {
		p.lastData = later(p.lastData, unixSeconds(v))
	} else if last, has := p.ledger.Last(); has {
		p.lastData = later(p.lastData, last)
	}
	sum := p.sumLocked(now, p.def.Window)
	p.mu.Unlock()
	return p.lookForGood(ctx, q, now, sum)
}

// lookForGood finds a query of good events that matches nothing at all: then
// everything looks bad and most likely a selector is mistyped.
func (p *promise) lookForGood(ctx context.Context, q Querier, now time.Time, sum ledger.Cell) error {
	p.noGood = false
	r, ok := p.def.source.(*ratioSource)
	if !ok || r.good == nil {
		return nil
	}
	if sum.Total == 0 || sum.Bad < sum.Total {
		return nil
	}
	_, has, err := value(ctx, q, r.good.LastSample(), now)
	p.noGood = err == nil && !has
	return err
}

func unixSeconds(v float64) time.Time { return time.UnixMilli(int64(v * 1000)).UTC() }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// measure gathers what judge needs.
func (p *promise) measure(cfg Config, now time.Time) measured {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := measured{now: now, windows: map[time.Duration]ledger.Cell{}, lastData: p.lastData, loaded: p.loaded, noGood: p.noGood}
	for _, w := range burnWindows(cfg, p.def) {
		m.windows[w] = p.sumLocked(now, w)
	}
	m.budget = p.sumLocked(now, p.def.Window)
	if first, ok := p.ledger.First(now); ok {
		m.age = min(now.Sub(first), p.def.Window)
	} else if m.budget.Minutes > 0 {
		m.age = min(now.Sub(p.sealed), p.def.Window)
	}
	// A query that fails once is tried again; for half a minute the last
	// answer stands.
	if !p.failing.IsZero() && now.Sub(p.failing) >= 30*time.Second {
		m.err = p.err
	}
	p.age = m.age
	return m
}

// sumLocked is what happened in (now - window, now], the live part included.
func (p *promise) sumLocked(now time.Time, window time.Duration) ledger.Cell {
	return p.ledger.Sum(now.Add(-window), p.sealed).Add(p.live)
}
