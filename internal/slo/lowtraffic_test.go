package slo_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
	"github.com/signalbox-project/signalbox/internal/slo/judgement"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

const day = 24 * time.Hour

// quiet is an SLO that gets few events, judged every 30 minutes.
type quiet struct {
	replay *slo.Replay
	at     time.Time
	random *rand.Rand
	paging map[string]bool // names of alerts that page
}

func newQuiet(seed uint64, objective float64, window time.Duration) *quiet {
	d := &definition.Definition{}
	d.Name, d.DisplayName, d.Objective, d.Window, d.Method, d.Measure = "a", "A", objective, window, "occurrences", empty{}
	q := &quiet{at: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), random: rand.New(rand.NewPCG(seed, 1)), paging: map[string]bool{}}
	cfg := slo.DefaultConfig()
	for _, row := range cfg.BurnAlerts {
		q.paging[row.Name] = row.Effect == slo.EffectPage
	}
	q.paging[judgement.AlertTrickle] = cfg.LowTraffic.Effect == slo.EffectPage
	q.replay = slo.NewReplay(cfg, d, nil, nil)
	if err := q.replay.Load(context.Background(), q.at); err != nil {
		panic(err) // nothing is asked
	}
	return q
}

// empty measured nothing.
type empty struct{ indicator.Source }

func (empty) Cells(_ context.Context, _ indicator.Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	return make([]ledger.Cell, to.Sub(from)/width), nil
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
	q.at = q.at.Add(time.Duration(len(cells)) * time.Minute)
	q.replay.Put(cells)
	s, _ := q.replay.Judge(context.Background())
	return slices.ContainsFunc(s.Alerts, func(name string) bool { return q.paging[name] })
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
