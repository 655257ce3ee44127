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
// the SLO's figures.
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
		r := slo.NewReplay(w.cfg, w.catalog.Definitions()[0], promexpr.NewEvaluator(w.db, time.Minute, nil), nil)
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
	r := slo.NewReplay(w.cfg, w.catalog.Definitions()[0], q, nil)
	r.Correct(corrections)
	if err := r.Load(t.Context(), start.Add(9*time.Hour)); err != nil {
		t.Fatal(err)
	}
	cells, err := r.Read(t.Context(), start.Add(9*time.Hour), w.now)
	if err != nil {
		t.Fatal(err)
	}
	r.Put(cells)
	s, _ := r.Judge(t.Context())
	if s.Budget.Bad != 3600 || s.Felt == nil || s.Felt.Bad != 7200 || s.Felt.Total-s.Budget.Total != 36000 || len(s.Corrections) != 1 {
		t.Errorf("contract %+v, felt %+v", s.Budget, s.Felt)
	}
}
