package slo_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
	"github.com/signalbox-project/signalbox/internal/store"
)

type memoryLedgers struct{ by map[string]store.SLOLedger }

func (m *memoryLedgers) SaveSLOLedgers(_ context.Context, ls []store.SLOLedger) error {
	for _, l := range ls {
		m.by[l.Name] = l
	}
	return nil
}

func (m *memoryLedgers) SLOLedgers(_ context.Context, fn func(store.SLOLedger)) error {
	for _, l := range m.by {
		fn(l)
	}
	return nil
}

// What was counted outlives the samples: the second engine never sees those
// of the first, and knows them all the same.
func TestARestartKnowsWhatWasCountedWithoutReadingIt(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	kept := &memoryLedgers{by: map[string]store.SLOLedger{}}
	start := func(w *world) *slo.Engine {
		e, err := slo.New(w.cfg, slo.Deps{Catalog: w.catalog, Querier: promexpr.NewEvaluator(w.db, 10*time.Second, nil), Ledgers: kept, Now: func() time.Time { return w.now }})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := start(w)
	w.traffic(20*time.Hour, 15*time.Second, 99, 1)
	if err := first.Settle(t.Context(), w.now); err != nil {
		t.Fatal(err)
	}
	for range 2 { // within an hour it is stored
		w.traffic(time.Hour, 15*time.Second, 99, 1)
		if err := first.Settle(t.Context(), w.now); err != nil {
			t.Fatal(err)
		}
	}
	if len(kept.by) != 1 {
		t.Fatalf("%d ledgers are kept", len(kept.by))
	}
	other := newWorld(t, availability("99.5")) // a store without the old samples
	other.now, other.counts = w.now.Add(-2*time.Hour), map[string]float64{}
	other.traffic(5*time.Hour, 15*time.Second, 99, 1)
	second := start(other)
	if err := second.Settle(t.Context(), other.now); err != nil {
		t.Fatal(err)
	}
	s, err := second.SLO(t.Context(), "edge-ok")
	if err != nil || math.Abs(s.Budget.Total-25*60*100) > 200 || s.State == "insufficient" {
		t.Errorf("%s: %+v (%v), want the events of 25 hours", s.Reason, s.Budget, err)
	}
	// An SLO that measures something else starts anew.
	third := newWorld(t, document([]string{"99.5", "28d", "timeslices", "0.9"}))
	third.now, third.db = other.now, other.db
	e := start(third)
	if err := e.Settle(t.Context(), third.now); err != nil {
		t.Fatal(err)
	}
	if s, _ := e.SLO(t.Context(), "edge-ok"); s.Budget.Total > 6*60 {
		t.Errorf("another method took %v of the old ledger", s.Budget.Total)
	}
}
