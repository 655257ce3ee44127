package state_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/state"
)

func openAt(t *testing.T, dir string) *state.Store {
	t.Helper()
	s, err := state.Open(t.Context(), state.Config{Dir: dir}, state.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCorrectionsAndLedgersSurviveARestart(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	s := openAt(t, dir)
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	want, err := s.AddSLOCorrection(ctx, model.SLOCorrection{SLO: "a", Kind: "maintenance", Author: "kim", Reason: "new disks", Start: at, End: at.Add(time.Hour), Created: at})
	if err != nil || want.ID == "" {
		t.Fatal(want, err)
	}
	gone, err := s.AddSLOCorrection(ctx, model.SLOCorrection{SLO: "a", Kind: "exclusion", Author: "kim", Reason: "x", Start: at, End: at.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteSLOCorrection(ctx, "b", gone.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of another SLO: %v", err)
	}
	if err := s.DeleteSLOCorrection(ctx, "a", gone.ID); err != nil {
		t.Error(err)
	}
	ledger := store.SLOLedger{Name: "a", Measures: "x", Sealed: at, Heard: 1 << 62, Slots: []byte{0, 1, 255}}
	for range 2 {
		if err := s.SaveSLOLedgers(ctx, []store.SLOLedger{ledger}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, dir)
	defer s.Close()
	got, err := s.SLOCorrections(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]model.SLOCorrection{want}, got); diff != "" {
		t.Error(diff)
	}
	var ledgers []store.SLOLedger
	if err := s.SLOLedgers(ctx, func(l store.SLOLedger) { ledgers = append(ledgers, l) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]store.SLOLedger{ledger}, ledgers); diff != "" {
		t.Error(diff)
	}
}
