package slo

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/signalbox-project/signalbox/internal/store"
)

// How ledgers are kept: each once an hour and all at the end, a few at a time.
const (
	keepEvery = time.Hour
	keepMost  = 100             // in one evaluation
	keepEnd   = 5 * time.Second // for all of them at the end
)

func (e *Engine) loadLedgers(ctx context.Context) error {
	if e.deps.Ledgers == nil {
		return nil
	}
	e.ledgers = map[string]store.SLOLedger{}
	if err := e.deps.Ledgers.SLOLedgers(ctx, func(l store.SLOLedger) { e.ledgers[l.Name] = l }); err != nil {
		return fmt.Errorf("restore SLO ledgers: %w", err)
	}
	return nil
}

// resume takes what the last run counted, where it counted the same; what
// passed since is read as if the process had slept.
func (p *promise) resume(l store.SLOLedger, now time.Time) {
	if l.Slots == nil || l.Measures != p.def.Measures() || l.Sealed.After(now) || now.Sub(l.Sealed) > p.def.Window {
		return
	}
	slots, err := s2.Decode(nil, l.Slots)
	if err != nil || p.ledger.Unmarshal(slots) != nil {
		return // damaged: history is read
	}
	p.sealed, p.loaded, p.kept = l.Sealed, p.def.Window, now
	p.backoff, p.nextScan = wholeRescan, now.Add(wholeRescan)
	if last, ok := p.ledger.Last(); ok {
		p.lastData = last
	}
}

// stored is the ledger for Ledgers; false when it is not worth keeping yet.
func (p *promise) stored() (store.SLOLedger, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.parts) > 0 || p.loaded < p.def.Window || len(p.queue) > 0 {
		return store.SLOLedger{}, false
	}
	return store.SLOLedger{Name: p.def.Name, Measures: p.def.Measures(), Sealed: p.sealed, Slots: s2.Encode(nil, p.ledger.Marshal())}, true
}

// keep stores the ledgers that are due. What cannot be stored is due again in
// an hour; until then a restart reads a little more.
func (e *Engine) keep(ctx context.Context, promises []*promise, now time.Time) {
	if e.deps.Ledgers == nil {
		return
	}
	var due []store.SLOLedger
	for _, p := range promises {
		if p.kept.IsZero() { // each at its own time of the hour
			h := fnv.New32a()
			_, _ = h.Write([]byte(p.def.Name))
			p.kept = now.Add(-time.Duration(h.Sum32()) % keepEvery)
		}
		if now.Sub(p.kept) < keepEvery || len(due) >= keepMost {
			continue
		}
		if l, ok := p.stored(); ok {
			p.kept = now
			due = append(due, l)
		}
	}
	if err := e.deps.Ledgers.SaveSLOLedgers(ctx, due); err != nil {
		e.fail("save", err)
	}
}

// keepAll stores all ledgers at the end, as far as time allows.
func (e *Engine) keepAll(ctx context.Context) {
	if e.deps.Ledgers == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepEnd)
	defer cancel()
	var some []store.SLOLedger
	for i, p := range e.promises {
		if l, ok := p.stored(); ok {
			some = append(some, l)
		}
		if len(some) >= keepMost || i == len(e.promises)-1 {
			if err := e.deps.Ledgers.SaveSLOLedgers(ctx, some); err != nil {
				e.fail("save", err)
				return
			}
			some = some[:0]
		}
	}
}
