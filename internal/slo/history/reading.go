package history

import (
	"context"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// Read reads what is new: minutes that are over, what happened since, and when the newest sample came.
func (h *History) Read(ctx context.Context, q indicator.Querier, limits judgement.Limits, lateness time.Duration, now time.Time) error {
	if err := h.seal(ctx, q, now.Add(-lateness).Truncate(time.Minute)); err != nil {
		return err
	}
	if err := h.readLive(ctx, q, now); err != nil {
		return err
	}
	if err := h.readTails(ctx, limits, q, now); err != nil {
		return err
	}
	return h.look(ctx, q, now)
}

// Waiting reports whether older history waits to be read.
func (h *History) Waiting() bool { return len(h.queue) > 0 }

// Due reports whether older history is to be read now, again if need be.
func (h *History) Due(now time.Time) bool {
	if len(h.queue) == 0 && !h.sealed.IsZero() && !h.nextScan.IsZero() && !now.Before(h.nextScan) {
		h.rescan(h.sealed)
	}
	if len(h.queue) == 0 {
		h.queueBirth()
	}
	return len(h.queue) > 0
}

// Scan reads the next piece of older history. After an error it waits, lest it be tried in a tight loop, and then reads all.
func (h *History) Scan(ctx context.Context, q indicator.Querier, now time.Time) error {
	err := h.scan(ctx, q, now)
	if err != nil {
		h.retry = min(max(firstRescan, 2*h.retry), maxRescan)
		h.queue, h.owed, h.nextScan = nil, true, now.Add(h.retry)
	}
	return err
}

// Load reads the window of history that ends at start, a full minute.
func (h *History) Load(ctx context.Context, q indicator.Querier, start time.Time) error {
	h.setSealed(start)
	h.rescan(start)
	for len(h.queue) > 0 {
		if err := h.scan(ctx, q, start); err != nil {
			return err
		}
	}
	if last, ok := h.ledger.Last(); ok {
		h.lastData = last
	}
	return nil
}

// Append adds the minutes that follow those that are known, and answers the time at which they end.
func (h *History) Append(cells []ledger.Cell) time.Time {
	h.put(ledger.Minute, h.sealed, cells)
	for i, c := range cells {
		if c.Minutes > 0 {
			h.lastData = h.sealed.Add(time.Duration(i+1) * time.Minute)
		}
	}
	h.setSealed(h.sealed.Add(time.Duration(len(cells)) * time.Minute))
	return h.sealed
}

// seal reads the minutes that ended before sealTo and those that may have
// changed since.
func (h *History) seal(ctx context.Context, q indicator.Querier, sealTo time.Time) error {
	if !sealTo.After(h.sealed) {
		return nil
	}
	from := h.sealed.Add(-h.def.Measure.Reread())
	if start := h.ledger.Start(ledger.Minute, sealTo); from.Before(start) {
		from = start
	}
	if gap := sealTo.Sub(h.sealed); gap > time.Hour && !h.sealed.IsZero() {
		h.catchUp(sealTo)
	}
	if h.sealed.IsZero() {
		h.setSealed(sealTo)
		h.rescan(sealTo)
		return nil
	}
	cells, err := h.def.Measure.Cells(ctx, q, from, sealTo, time.Minute)
	if err != nil {
		return err
	}
	h.put(ledger.Minute, from, cells)
	h.setSealed(sealTo)
	h.queueFirstHour(sealTo, false)
	return nil
}

func (h *History) setSealed(t time.Time) {
	h.mu.Lock()
	h.sealed = t
	h.mu.Unlock()
}

func (h *History) put(tier ledger.Tier, from time.Time, cells []ledger.Cell) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if tier == ledger.Minute {
		h.exclude(from, cells)
	}
	for i, c := range cells {
		h.ledger.Put(tier, from.Add(time.Duration(i)*tier.Width()), c)
	}
}

// scan reads the next piece.
func (h *History) scan(ctx context.Context, q indicator.Querier, now time.Time) error {
	c := h.queue[0]
	if h.outdated(c) {
		h.queue = h.queue[1:]
		h.replan([]chunk{c}, h.sealed)
		return nil
	}
	cells, err := h.def.Measure.Cells(ctx, q, c.from, c.to, c.tier.Width())
	if err != nil {
		return err
	}
	h.queue = h.queue[1:]
	h.reads++
	if len(h.queue) == 0 {
		h.retry = 0
	}
	switch {
	case c.firstHour:
		h.keepHead(c.to, cells)
		return nil
	case c.birth:
		h.keepBirth(c.from, cells)
		return nil
	case c.excluded:
		h.keepExcluded(c.from, cells)
		return nil
	}
	h.keepCounted(c.tier, c.from, cells)
	h.put(c.tier, c.from, cells)
	if c.again {
		return nil
	}
	loaded := now.Sub(c.from)
	if !slices.ContainsFunc(h.queue, func(c chunk) bool { return !c.again }) {
		loaded = max(loaded, h.def.Window)
		h.scheduleScan(now)
		h.mu.Lock()
		h.firstData(now)
		h.mu.Unlock()
		h.queueBirth()
	}
	h.mu.Lock()
	h.loaded = max(h.loaded, loaded)
	h.mu.Unlock()
	return nil
}

func (h *History) scheduleScan(now time.Time) {
	h.mu.Lock()
	whole := h.ledger.Sum(now.Add(-h.def.Window), h.sealed).Minutes >= 0.99*h.def.Window.Minutes()
	h.mu.Unlock()
	switch {
	case whole:
		h.backoff = wholeRescan
	case h.backoff == 0 || h.backoff > maxRescan:
		h.backoff = firstRescan
	default:
		h.backoff = min(2*h.backoff, maxRescan)
	}
	h.nextScan = now.Add(h.backoff)
}

// readLive reads what happened since the sealed minutes.
func (h *History) readLive(ctx context.Context, q indicator.Querier, now time.Time) error {
	c, err := h.def.Measure.Live(ctx, q, h.sealed, now)
	if err != nil {
		return err
	}
	excluded, err := h.readExcluded(ctx, q, c, now)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.live, h.liveTo = c, now
	for i, x := range h.exclusions {
		x.live = excluded[i]
	}
	return nil
}
