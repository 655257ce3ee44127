package slo

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/store"
)

// How ledgers are kept: each once an hour and all at the end, a few at a time.
const (
	keepMost = 100             // in one evaluation
	keepEnd  = 5 * time.Second // for all of them at the end
)

func (e *Engine) loadLedgers(ctx context.Context) error {
	if e.deps.Ledgers == nil {
		return nil
	}
	e.last.ledgers = map[string]store.SLOLedger{}
	e.recallChanges()
	if err := e.deps.Ledgers.SLOLedgers(ctx, func(l store.SLOLedger) { e.last.ledgers[l.Name] = l }); err != nil {
		return fmt.Errorf("restore SLO ledgers: %w", err)
	}
	return nil
}

// keep stores the ledgers that are due. What cannot be stored is due again in
// an hour; until then a restart reads a little more.
func (e *Engine) keep(ctx context.Context, list []*objective, now time.Time) {
	if e.deps.Ledgers == nil {
		return
	}
	var due []store.SLOLedger
	for _, o := range list {
		if !o.history.KeepDue(now) || len(due) >= keepMost {
			continue
		}
		if l, ok := o.history.Stored(e.hearing.number); ok {
			o.history.Kept(now)
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
	list := e.members.all()
	for i, o := range list {
		if l, ok := o.history.Stored(e.hearing.number); ok {
			some = append(some, l)
		}
		if len(some) >= keepMost || i == len(list)-1 {
			if err := e.deps.Ledgers.SaveSLOLedgers(ctx, some); err != nil {
				e.fail("save", err)
				return
			}
			some = some[:0]
		}
	}
}

// save stores the records that changed. What cannot be stored is tried again
// at the next evaluation.
func (e *Engine) save(ctx context.Context, list []*objective) {
	if e.deps.Records == nil {
		return
	}
	var records []store.SLORecord
	for _, o := range list {
		if o.dirty {
			records = append(records, o.recorded(e.deps.Now().UTC()))
		}
	}
	if len(records) == 0 {
		return
	}
	if err := e.deps.Records.SaveSLORecords(ctx, records); err != nil {
		e.fail("save", err)
		return
	}
	for _, o := range list {
		o.dirty = false
	}
}
