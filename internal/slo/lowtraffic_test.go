package slo

import (
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/store"
)

// quiet is a promise that gets few events, judged every 30 minutes.
type quiet struct {
	engine *Engine
	p      *promise
	at     time.Time
	random *rand.Rand
}

func newQuiet(seed uint64, objective float64, window time.Duration) *quiet {
	d := &Definition{Name: "a", DisplayName: "A", Objective: objective, Window: window, Method: "occurrences"}
	p := newPromise(d, nil, store.SLORecord{})
	at := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	p.sealed, p.loaded = at, window
	return &quiet{engine: &Engine{cfg: DefaultConfig(), metrics: newMetrics(), log: slog.New(slog.DiscardHandler)}, p: p, at: at, random: rand.New(rand.NewPCG(seed, 1))}
}

// pass lets time pass with perDay events a day, of which the share bad fails,
// and answers at which evaluations somebody was paged.
func (q *quiet) pass(d time.Duration, perDay, bad float64) (paged []bool) {
	for end := q.at.Add(d); q.at.Before(end); {
		cells := make([]ledger.Cell, 30)
		for i := range cells {
			cells[i].Minutes = 1
			if q.random.Float64() < perDay/1440 {
				cells[i].Total = 1
				if q.random.Float64() < bad {
					cells[i].Bad = 1
				}
			}
		}
		paged = append(paged, q.judge(cells))
	}
	return paged
}

func (q *quiet) judge(cells []ledger.Cell) bool {
	q.p.put(ledger.Minute, q.at, cells)
	q.at = q.at.Add(time.Duration(len(cells)) * time.Minute)
	q.p.setSealed(q.at)
	q.p.lastData = q.at
	s := q.engine.conclude(q.p, q.at)
	for name := range q.p.alerts { // as the pipeline takes what ended
		ended := true
		for _, active := range s.Alerts {
			ended = ended && active != name
		}
		if ended {
			delete(q.p.alerts, name)
		}
	}
	for _, name := range s.Alerts {
		if row, _ := rowOf(q.engine.cfg, q.p.def, name); row.Effect == EffectPage {
			return true
		}
	}
	return false
}

func count(bs []bool) (n int) {
	for _, b := range bs {
		if b {
			n++
		}
	}
	return n
}

func TestAt37RequestsADayOneErrorPagesNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newQuiet(rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]float64{0.99, 0.995, 0.999}).Draw(t, "objective"), 28*day)
		before := q.pass(time.Duration(rapid.IntRange(0, 48).Draw(t, "hours before"))*time.Hour, 37, 0)
		hit := q.judge([]ledger.Cell{{Bad: 1, Total: 1, Minutes: 1}})
		after := q.pass(3*day, 37, 0)
		if n := count(before) + count(after); n > 0 || hit {
			t.Fatalf("one error of a few requests paged at %d evaluations", n)
		}
	})
}

func TestAt37RequestsADayEightDaysAt90PercentFailurePage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := newQuiet(rapid.Uint64().Draw(t, "seed"), rapid.SampledFrom([]float64{0.99, 0.995, 0.999}).Draw(t, "objective"), 28*day)
		q.pass(time.Duration(rapid.IntRange(0, 96).Draw(t, "hours before"))*time.Hour, 37, 0)
		failing := q.pass(8*day, 37, 0.9)
		first := 0
		for first < len(failing) && !failing[first] {
			first++
		}
		if took := time.Duration(first) * 30 * time.Minute; took > day {
			t.Fatalf("nobody was paged for %s", took)
		}
		// The page stands, with hardly an interruption, until it is over.
		if share := float64(count(failing[first:])) / float64(len(failing)-first); share < 0.95 {
			t.Fatalf("the page stood for %v of the time", share)
		}
		if over := q.pass(8*day, 37, 0); over[len(over)-1] {
			t.Fatal("the page never ends")
		}
	})
}
