package slo_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// timeline is what was seen minute by minute: which alerts began and ended, and
// the promise's figures.
type timeline struct {
	Events []event
	States []model.SLOState
	Used   []float64
	Burn   []float64 // over 1 h
	open   map[string]bool
}

type event struct {
	Alert string
	At    time.Time
	Fires bool
}

func (l *timeline) see(at time.Time, s model.SLOStatus, alerts []notify.Alert) {
	byName := func(a, b notify.Alert) int { return strings.Compare(a.Labels["alertname"], b.Labels["alertname"]) }
	for _, a := range slices.SortedFunc(slices.Values(alerts), byName) {
		name := a.Labels["alertname"]
		if fires := a.EndsAt.After(at); fires != l.open[name] {
			l.Events = append(l.Events, event{name, at, fires})
			l.open[name] = fires
		}
	}
	l.States = append(l.States, s.State)
	l.Used = append(l.Used, s.Budget.UsedRatio)
	for _, b := range s.Burn {
		if b.Window == "1h" {
			l.Burn = append(l.Burn, b.Rate)
		}
	}
}

// TestAReplaySeesWhatTheEngineSaw runs the engine minute by minute through
// random phases of traffic, failures and silence, and then a replay over the
// same samples.
func TestAReplaySeesWhatTheEngineSaw(t *testing.T) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 0))
		w := newWorld(t, availability("99.5"))
		w.traffic(3*time.Hour, 15*time.Second, 600, 0)
		w.settle()
		start := w.now
		live := timeline{open: map[string]bool{}}
		minutes := 0
		for minutes < 300 {
			n := 5 + random.IntN(40)
			bad := []float64{0, 0, 0.02, 0.1, 1}[random.IntN(5)]
			every := []time.Duration{15 * time.Second, time.Minute}[random.IntN(2)]
			for range n {
				sent := len(w.sent)
				w.traffic(time.Minute, every, 600*(1-bad), 600*bad)
				w.settle()
				s, err := w.engine.SLO(t.Context(), "edge-ok")
				if err != nil {
					t.Fatal(err)
				}
				live.see(w.now, s, w.sent[sent:])
			}
			minutes += n
		}
		replay := timeline{open: map[string]bool{}}
		r := slo.NewReplay(w.cfg, w.catalog.Definitions()[0], promexpr.NewEvaluator(w.db, time.Minute, nil))
		if err := r.Load(t.Context(), start); err != nil {
			t.Fatal(err)
		}
		cells, err := r.Read(t.Context(), start, w.now)
		if err != nil {
			t.Fatal(err)
		}
		for i := range cells {
			r.Put(cells[i : i+1])
			s, alerts := r.Judge(t.Context())
			replay.see(start.Add(time.Duration(i+1)*time.Minute), s, alerts)
		}
		if len(live.Events) < 4 {
			t.Errorf("seed %d: only %d alerts began or ended: %v", seed, len(live.Events), live.Events)
		}
		if diff := cmp.Diff(live, replay, cmpopts.EquateApprox(1e-9, 1e-9), cmpopts.IgnoreUnexported(timeline{})); diff != "" {
			t.Errorf("seed %d (-live +replay):\n%s", seed, diff)
		}
	}
}

// TestAPeriodMeasuresWhatHappenedInIt has three days, the second of which was
// bad for two hours.
func TestAPeriodMeasuresWhatHappenedInIt(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	w.now = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	start := w.now
	w.traffic(30*time.Hour, time.Minute, 600, 0)
	w.traffic(2*time.Hour, time.Minute, 540, 60)
	w.traffic(40*time.Hour, time.Minute, 600, 0)
	q := promexpr.NewEvaluator(w.db, time.Minute, nil)
	p, err := slo.Measure(t.Context(), w.catalog.Definitions()[0], q, start, start.Add(72*time.Hour), w.now, nil)
	if err != nil {
		t.Fatal(err)
	}
	// 7,200 of 72 × 60 × 600 events; the first sample of a counter counts nothing.
	if len(p.Days) != 3 || p.Days[0].Bad != 0 || p.Days[1].Bad != 7200 || p.Days[2].Bad != 0 {
		t.Fatalf("days %+v", p.Days)
	}
	total := 72*60*600.0 - 600
	if got, want := p.Budget.UsedRatio, 7200/(0.005*total); got < want-1e-9 || got > want+1e-9 {
		t.Errorf("used %v, want %v", got, want)
	}
	if p.Budget.Minutes != 21.6 || p.Budget.Coverage < 0.999 || p.Age != 72*time.Hour {
		t.Errorf("budget %+v, age %s", p.Budget, p.Age)
	}
}

// TestACorrectionCountsNeitherAsGoodNorAsBad takes the second of the two bad
// hours out.
func TestACorrectionCountsNeitherAsGoodNorAsBad(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	w.now = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	start := w.now
	w.traffic(10*time.Hour, time.Minute, 600, 0)
	w.traffic(2*time.Hour, time.Minute, 540, 60)
	w.traffic(12*time.Hour, time.Minute, 600, 0)
	q := promexpr.NewEvaluator(w.db, time.Minute, nil)
	corrections := []model.SLOCorrection{{ID: "1", Start: start.Add(11 * time.Hour), End: start.Add(12 * time.Hour), Author: "ann", Reason: "maintenance"}}
	p, err := slo.Measure(t.Context(), w.catalog.Definitions()[0], q, start, start.Add(24*time.Hour), w.now, corrections)
	if err != nil {
		t.Fatal(err)
	}
	if p.Budget.Bad != 3600 || p.Felt == nil || p.Felt.Bad != 7200 || p.Felt.Total-p.Budget.Total != 36000 || len(p.Corrections) != 1 {
		t.Errorf("contract %+v, felt %+v", p.Budget, p.Felt)
	}
	// 23 h of budget, 24 h as felt.
	if p.Budget.Minutes != 6.9 || p.Felt.Minutes != 7.2 {
		t.Errorf("minutes %v and %v", p.Budget.Minutes, p.Felt.Minutes)
	}
	r := slo.NewReplay(w.cfg, w.catalog.Definitions()[0], q)
	r.Correct(corrections)
	if err := r.Load(t.Context(), start.Add(9*time.Hour)); err != nil {
		t.Fatal(err)
	}
	cells, err := r.Read(t.Context(), start.Add(9*time.Hour), w.now)
	if err != nil {
		t.Fatal(err)
	}
	r.Put(cells)
	if s, _ := r.Judge(t.Context()); s.Budget.Bad != 3600 {
		t.Errorf("the replay counts %v bad", s.Budget.Bad)
	}
}
