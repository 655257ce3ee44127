package slo

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
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
	head     head
	tails    []tail
	birth    birth
	lastData time.Time
	status   model.SLOStatus
	whole    model.SLOStatus // of a promise that has groups, without regard to them
	ended    bool            // a group that sends nothing any more
	age      time.Duration

	loaded    time.Duration // how far back history was read without an error
	queue     []chunk       // history still to read, newest first
	nextScan  time.Time
	backoff   time.Duration
	failing   time.Time // since when queries fail
	err       error
	noGood    bool
	fault     *indicator.Fault // what was measured and cannot be
	checked   time.Time        // when lastData was looked up
	checkedAt time.Duration    // what was loaded then

	parts       []*promise // of a composite, whose ledger stays empty
	corrections []model.SLOCorrection
	exclusions  []*exclusion

	alerts map[string]*store.SLOAlertRecord
	record store.SLORecord
	dirty  bool      // record differs from what is stored
	kept   time.Time // when its ledger was stored
	judged judgement
}

// chunk is a piece of history to read into one tier.
type chunk struct {
	tier     ledger.Tier
	from, to time.Time
	excluded bool // only for the minutes that corrections take out
	head     bool // only for the minutes before a calendar window
	birth    bool // only for the first minute with data
	again    bool // read before; events came since
}

// special reports whether the chunk is for something else than the ledger.
func (c chunk) special() bool { return c.excluded || c.head || c.birth }

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
	from := p.sealed.Add(-p.def.Measure.Reread())
	if start := p.ledger.Start(ledger.Minute, sealTo); from.Before(start) {
		from = start
	}
	if gap := sealTo.Sub(p.sealed); gap > time.Hour && !p.sealed.IsZero() {
		p.catchUp(sealTo)
	}
	if p.sealed.IsZero() {
		p.setSealed(sealTo)
		p.rescan(sealTo)
		return nil
	}
	cells, err := p.def.Measure.Cells(ctx, q, from, sealTo, time.Minute)
	if err != nil {
		return err
	}
	p.put(ledger.Minute, from, cells)
	p.setSealed(sealTo)
	p.queueHead(sealTo, false)
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
	if tier == ledger.Minute {
		p.exclude(from, cells)
	}
	for i, c := range cells {
		p.ledger.Put(tier, from.Add(time.Duration(i)*tier.Width()), c)
	}
}

// rescan queues all history to be read again.
func (p *promise) rescan(sealTo time.Time) {
	p.queue = p.plan(sealTo)
	p.mu.Lock()
	p.birth = birth{} // samples may have come that are older
	p.mu.Unlock()
	p.queueHead(sealTo, true)
	p.queueExclusions(sealTo)
}

// catchUp queues what passed since the newest sealed minute: the process was
// asleep or not running. Older history that was still to be read stays so.
func (p *promise) catchUp(sealTo time.Time) {
	p.mu.Lock()
	p.loaded = 0 // what lies between is not known
	p.mu.Unlock()
	if slices.ContainsFunc(p.queue, func(c chunk) bool { return !c.special() }) {
		p.rescan(sealTo)
		return
	}
	since := p.sealed.Add(-p.def.Measure.Reread()).Truncate(time.Hour)
	p.rescan(sealTo)
	p.queue = slices.DeleteFunc(p.queue, func(c chunk) bool { return !c.special() && !c.to.After(since) })
	for i := range p.queue {
		if c := &p.queue[i]; !c.special() {
			c.from = times.Later(c.from, since)
		}
	}
}

// definition is the one in force.
func (p *promise) definition() *Definition {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.def
}

// scan reads the next chunk of history.
func (p *promise) scan(ctx context.Context, q Querier, now time.Time) error {
	c := p.queue[0]
	cells, err := p.def.Measure.Cells(ctx, q, c.from, c.to, c.tier.Width())
	if err != nil {
		return err
	}
	p.queue = p.queue[1:]
	p.judged = judgement{} // on other history
	switch {
	case c.head:
		p.keepHead(c.to, cells)
		return nil
	case c.birth:
		p.keepBirth(c.from, cells)
		return nil
	}
	if c.excluded {
		p.mu.Lock()
		p.exclude(c.from, cells)
		p.mu.Unlock()
		return nil
	}
	p.keepCounted(c.tier, c.from, cells)
	p.put(c.tier, c.from, cells)
	if c.again {
		return nil
	}
	loaded := now.Sub(c.from)
	if !slices.ContainsFunc(p.queue, func(c chunk) bool { return !c.again }) {
		loaded = max(loaded, p.def.Window)
		p.scheduleScan(now)
		p.mu.Lock()
		p.firstData(now)
		p.mu.Unlock()
		p.queueBirth()
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
	c, err := p.def.Measure.Live(ctx, q, p.sealed, now)
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
	if unseen := p.lastData.IsZero() && p.live.Minutes > 0; now.Sub(p.checked) < lookEvery && !unseen && p.checkedAt == p.loaded {
		if p.live.Total == 0 || p.live.Bad < p.live.Total {
			return nil
		}
		return p.lookForGood(ctx, q, now) // before anybody is paged
	}
	at, ok, err := p.def.Measure.Newest(ctx, q, now)
	if err != nil {
		return err
	}
	p.checked, p.checkedAt = now, p.loaded
	p.mu.Lock()
	if ok {
		p.lastData = times.Later(p.lastData, at)
	} else if last, has := p.ledger.Last(); has {
		p.lastData = times.Later(p.lastData, last)
	}
	p.mu.Unlock()
	if p.fault, err = indicator.FaultOf(ctx, p.def.Measure, q, now); err != nil {
		return err
	}
	if p.lastData.IsZero() {
		p.fault, err = indicator.Unstored(ctx, p.def.Measure, q)
		return err
	}
	return p.lookForGood(ctx, q, now)
}

// lookForGood finds a query of good events that matches nothing at all: then
// everything looks bad and most likely a selector is mistyped.
//
// Without new data there is nothing to be found in, and what was found before stands: an outage
// whose telemetry stops is no mistyped selector.
func (p *promise) lookForGood(ctx context.Context, q Querier, now time.Time) error {
	r := indicator.RatioOf(p.def.Measure)
	if r == nil || now.Sub(p.lastData) > time.Minute {
		return nil
	}
	p.noGood = false
	if sum, _ := p.sum(now.Add(-p.def.Window), now); sum.Total == 0 || sum.Bad < sum.Total {
		return nil
	}
	unseen, err := r.Unseen(ctx, q, now)
	p.noGood = unseen
	return err
}

// measure gathers what judge needs.
func (p *promise) measure(cfg Config, now time.Time) measured {
	m := measured{now: now, windows: map[time.Duration]ledger.Cell{}}
	m.start, m.length = p.def.Span(now)
	for _, w := range p.def.BurnWindows(cfg.BurnAlerts) {
		m.windows[w], _ = p.sum(now.Add(-w), now)
	}
	if six, _ := p.sum(now.Add(-6*time.Hour), now); lowTraffic(cfg, p.def, six) {
		m.trickle = map[time.Duration]ledger.Cell{}
		longs, recents := trickleWindows()
		for _, w := range append(longs, recents...) {
			if w <= p.def.Window {
				m.trickle[w], _ = p.sum(now.Add(-w), now)
			}
		}
	}
	m.budget, m.felt = p.sum(m.start, now)
	p.since(&m)
	// A query that fails once is tried again; for half a minute the last
	// answer stands.
	for _, q := range p.within() {
		if !q.failing.IsZero() && now.Sub(q.failing) >= 30*time.Second {
			m.err = q.err
		}
		m.noGood = m.noGood || q.noGood
		m.fault = cmp.Or(m.fault, q.exceeds(now), q.fault)
		if sum, _ := q.sum(m.start, now); q != p && sum.Total <= 0 {
			m.idle = q.def.Name
		}
	}
	p.mu.Lock()
	p.age = m.age
	p.mu.Unlock()
	return m
}

// within is the promise and all that it is made of.
func (p *promise) within() []*promise {
	all := []*promise{p}
	for _, q := range p.parts {
		all = append(all, q.within()...)
	}
	return all
}

// exceeds is the fault of what was counted in the last hour or the window.
func (p *promise) exceeds(now time.Time) *indicator.Fault {
	if _, counts := p.def.Measure.(*indicator.Ratio); !counts {
		return nil
	}
	start, _ := p.def.Span(now)
	hour, _ := p.raw(now.Add(-time.Hour), now)
	all, _ := p.raw(start, now)
	return cmp.Or(indicator.Exceeds(p.def.Measure, hour, time.Hour), indicator.Exceeds(p.def.Measure, all, now.Sub(start)))
}

// since fills in how old data is, and what corrections take out of the window.
func (p *promise) since(m *measured) {
	if len(p.parts) > 0 {
		p.sinceParts(m)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m.lastData, m.loaded = p.lastData, p.loaded
	if first, ok := p.firstData(m.now); ok {
		m.history = m.now.Sub(first)
	} else if m.budget.Minutes > 0 {
		m.history = m.now.Sub(p.sealed)
	}
	m.age = min(m.history, m.now.Sub(m.start))
	if len(p.exclusions) == 0 {
		return
	}
	_, m.excluded = p.excludedIn(m.now.Add(-m.age), m.now)
	// What is announced for the rest of a calendar window is no part of it either.
	end := m.start.Add(m.length)
	_, m.outside = p.excludedIn(m.start, end)
	for _, c := range p.corrections {
		if c.End.After(m.start) && c.Start.Before(end) {
			m.fixed = append(m.fixed, c)
		}
	}
}

// sinceParts is as good as a composite's worst part.
func (p *promise) sinceParts(m *measured) {
	for i, q := range p.parts {
		one := measured{now: m.now, start: m.start, length: m.length}
		one.budget, one.felt = q.sum(m.start, m.now)
		q.since(&one)
		if i == 0 {
			m.lastData, m.loaded, m.history, m.age = one.lastData, one.loaded, one.history, one.age
		}
		m.lastData, m.loaded = times.Earlier(m.lastData, one.lastData), min(m.loaded, one.loaded)
		m.history, m.age = min(m.history, one.history), min(m.age, one.age)
		m.fixed = append(m.fixed, one.fixed...)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastData, p.loaded = m.lastData, m.loaded
	p.sealed, p.liveTo = p.parts[0].sealed, p.parts[0].liveTo
}

// sum is what happened in (from, to] and counts, and what users felt. The live
// part counts whole where to lies within it: it is a few minutes at most.
// So it does where from does, but for the windows that are judged.
func (p *promise) sum(from, to time.Time) (counts, felt ledger.Cell) {
	if len(p.parts) > 0 {
		return p.sumParts(from, to)
	}
	counts, felt = p.raw(from, to)
	return indicator.Within(p.def.Measure, counts), indicator.Within(p.def.Measure, felt)
}

// raw is sum as it was measured.
func (p *promise) raw(from, to time.Time) (counts, felt ledger.Cell) {
	p.mu.Lock()
	defer p.mu.Unlock()
	felt = p.ledgerSum(from, times.Earlier(to, p.sealed))
	if to.After(p.sealed) {
		felt = felt.Add(p.liveSince(from))
	}
	if len(p.exclusions) == 0 {
		return felt, felt
	}
	excluded, _ := p.excludedIn(from, to)
	return without(felt, excluded), felt
}

func (p *promise) sumParts(from, to time.Time) (counts, felt ledger.Cell) {
	both := [2][]ledger.Cell{}
	for _, q := range p.parts {
		a, b := q.sum(from, to)
		both[0], both[1] = append(both[0], a), append(both[1], b)
	}
	return p.def.Compose(both[0]), p.def.Compose(both[1])
}
