package slo_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// memoryCorrections keeps corrections as the state store does.
type memoryCorrections struct{ list []model.SLOCorrection }

func (m *memoryCorrections) SLOCorrections(context.Context) ([]model.SLOCorrection, error) {
	return slices.Clone(m.list), nil
}

func (m *memoryCorrections) AddSLOCorrection(_ context.Context, c model.SLOCorrection) (model.SLOCorrection, error) {
	c.ID = fmt.Sprint("c", len(m.list)+1)
	m.list = append(m.list, c)
	return c, nil
}

func (m *memoryCorrections) DeleteSLOCorrection(_ context.Context, slo, id string) error {
	n := len(m.list)
	m.list = slices.DeleteFunc(m.list, func(c model.SLOCorrection) bool { return c.SLO == slo && c.ID == id })
	if len(m.list) == n {
		return store.ErrNotFound
	}
	return nil
}

func TestACorrectionCountsForTheContractAndNotForUsers(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	begin := w.now
	w.traffic(10*time.Hour, 15*time.Second, 100, 0)
	from := w.now
	w.traffic(20*time.Minute, 15*time.Second, 40, 60) // announced
	to := w.now
	w.traffic(10*time.Hour, 15*time.Second, 99, 1)
	w.settle()
	status := func() model.SLOStatus {
		t.Helper()
		w.settle()
		s, err := w.engine.SLO(t.Context(), "edge-ok")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	before := status()
	if before.Felt != nil || math.Abs(before.Budget.Bad-(1200+600)) > 1e-6 {
		t.Fatalf("without a correction: %+v", before.Budget)
	}
	stored, err := w.engine.Correct(t.Context(), model.SLOCorrection{SLO: "edge-ok", Author: "kim", Reason: "new disks", Start: from, End: to})
	if err != nil || stored.ID == "" || stored.Kind != "maintenance" {
		t.Fatal(stored, err)
	}
	check := func(when string) {
		t.Helper()
		s := status()
		if s.Felt == nil || math.Abs(s.Budget.Bad-600) > 1e-6 || math.Abs(s.Felt.Bad-1800) > 1e-6 || math.Abs(s.Felt.UsedRatio-before.Budget.UsedRatio) > 1e-9 {
			t.Fatalf("%s: contract %+v, felt %+v", when, s.Budget, s.Felt)
		}
		// From first principles: 600 bad of all events but those of 20 minutes, over the age and the
		// window that remain.
		age, length := w.now.Sub(begin)-20*time.Minute, 28*24*time.Hour-20*time.Minute
		events := age.Minutes()*100 - 25 // a counter's first sample counts nothing
		want := 600 / events / 0.005 * age.Minutes() / length.Minutes()
		if math.Abs(s.Budget.UsedRatio-want) > 1e-9 || len(s.Corrections) != 1 || s.Corrections[0].Author != "kim" {
			t.Errorf("%s: used %v, want %v; corrections %v", when, s.Budget.UsedRatio, want, s.Corrections)
		}
	}
	check("at once")
	w.start()
	check("after a restart")
	if err := w.engine.Uncorrect(t.Context(), "edge-ok", stored.ID); err != nil {
		t.Fatal(err)
	}
	if s := status(); s.Felt != nil || math.Abs(s.Budget.Bad-1800) > 1e-6 {
		t.Errorf("taken back: %+v", s.Budget)
	}
}

func TestMaintenanceUnderWayPagesNobody(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	w.traffic(8*time.Hour, 15*time.Second, 100, 0)
	w.settle()
	if _, err := w.engine.Correct(t.Context(), model.SLOCorrection{SLO: "edge-ok", Author: "kim", Reason: "move", Start: w.now, End: w.now.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for range 59 {
		w.traffic(time.Minute, 15*time.Second, 0, 100)
		w.settle()
	}
	s, err := w.engine.SLO(t.Context(), "edge-ok")
	if err != nil || s.State != model.SLOOK || len(w.sent) > 0 || s.Felt == nil || s.Felt.Bad < 5000 {
		t.Errorf("%s: %s (%v), %d alerts, felt %+v", s.State, s.Reason, err, len(w.sent), s.Felt)
	}
	for range 12 { // it goes on after the announced hour
		w.traffic(time.Minute, 15*time.Second, 0, 100)
		w.settle()
	}
	if s, _ = w.engine.SLO(t.Context(), "edge-ok"); !slices.Contains(s.Alerts, "SLOBurnRateFast") {
		t.Errorf("after the maintenance %s: %s", s.State, s.Reason)
	}
}

func TestCorrectionsThatMakeNoSenseAreRefused(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	w.traffic(time.Hour, 15*time.Second, 100, 0)
	w.settle()
	good := model.SLOCorrection{SLO: "edge-ok", Author: "kim", Reason: "x", Start: w.now.Add(-time.Hour), End: w.now}
	for _, c := range []struct {
		name   string
		change func(*model.SLOCorrection)
		want   string
	}{
		{"no author", func(c *model.SLOCorrection) { c.Author = " " }, "an author and a reason"},
		{"an end before the begin", func(c *model.SLOCorrection) { c.End = c.Start }, "before it begins"},
		{"a year", func(c *model.SLOCorrection) { c.End = c.Start.Add(365 * 24 * time.Hour) }, "longer than"},
		{"another kind", func(c *model.SLOCorrection) { c.Kind = "holiday" }, "neither maintenance nor exclusion"},
	} {
		x := good
		c.change(&x)
		var mistake interface{ BadRequest() }
		if _, err := w.engine.Correct(t.Context(), x); !errors.As(err, &mistake) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	good.SLO = "nobody"
	if _, err := w.engine.Correct(t.Context(), good); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of an SLO that is not there: %v", err)
	}
}

// What failed in a maintenance that has just ended does not count, nor does what was well in it, or before it.
func TestACorrectionThatHasJustEndedTakesOutWhatFailedInIt(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	w.traffic(2*time.Hour, 15*time.Second, 100, 0)
	w.settle()
	to := w.now.Add(2 * time.Minute)
	if _, err := w.engine.Correct(t.Context(), model.SLOCorrection{SLO: "edge-ok", Author: "kim", Reason: "new disks", Start: w.now, End: to}); err != nil {
		t.Fatal(err)
	}
	w.traffic(2*time.Minute, 15*time.Second, 0, 100)
	for range 24 { // four minutes: the minutes of the maintenance are sealed on the way
		w.traffic(10*time.Second, 10*time.Second, 100, 0)
		w.settle()
		s, err := w.engine.SLO(t.Context(), "edge-ok")
		if err != nil {
			t.Fatal(err)
		}
		if s.State != model.SLOOK || math.Abs(s.Budget.Bad) > 1e-6 || s.Felt == nil || math.Abs(s.Felt.Bad-200) > 1e-6 || len(w.sent) > 0 {
			t.Fatalf("%s after it: %s, contract %v bad, felt %+v, %d alerts", w.now.Sub(to), s.State, s.Budget.Bad, s.Felt, len(w.sent))
		}
	}
}
