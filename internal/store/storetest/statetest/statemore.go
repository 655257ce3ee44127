package statetest

import (
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

func stateCorrections(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	add := func(slo string, after time.Duration) model.SLOCorrection {
		c, err := s.AddSLOCorrection(ctx, model.SLOCorrection{
			SLO: slo, Kind: "maintenance", Author: "kim", Reason: "new disks", Created: stateEpoch,
			Start: stateEpoch.Add(after), End: stateEpoch.Add(after + time.Hour),
		})
		must(t, err)
		return c
	}
	b, late, early := add("b", 0), add("a", time.Hour), add("a", 0)
	s = reopen(t, s, open)
	got, err := s.SLOCorrections(ctx)
	must(t, err)
	equal(t, "by SLO and time", got, []model.SLOCorrection{early, late, b})
	notFound(t, s.DeleteSLOCorrection(ctx, "b", late.ID)) // of another SLO
	must(t, s.DeleteSLOCorrection(ctx, "a", late.ID))
	notFound(t, s.DeleteSLOCorrection(ctx, "a", late.ID))
	s = reopen(t, s, open)
	got, err = s.SLOCorrections(ctx)
	must(t, err)
	equal(t, "after one was taken back", got, []model.SLOCorrection{early, b})
}

func stateLedgers(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	ledger := store.SLOLedger{Name: "a", Measures: "x", Sealed: stateEpoch, Slots: []byte{0, 1, 255}}
	must(t, s.SaveSLOLedgers(ctx, []store.SLOLedger{ledger, {Name: "b", Sealed: stateEpoch, Slots: []byte{9}}}))
	ledger.Slots = []byte{7}
	must(t, s.SaveSLOLedgers(ctx, []store.SLOLedger{ledger}))
	must(t, s.SaveSLOLedgers(ctx, nil))
	s = reopen(t, s, open)
	var got []store.SLOLedger
	must(t, s.SLOLedgers(ctx, func(l store.SLOLedger) { got = append(got, l) }))
	equal(t, "ledgers, by name", got, []store.SLOLedger{ledger, {Name: "b", Sealed: stateEpoch, Slots: []byte{9}}})
}

func stateDays(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	midnight := stateEpoch.Truncate(24 * time.Hour)
	day := func(n int, cells byte) store.SLODay {
		return store.SLODay{SLO: "a", Counts: "good", Day: midnight.AddDate(0, 0, n), Read: stateEpoch, Cells: []byte{cells}, Settled: cells == 9}
	}
	must(t, s.SaveSLODays(ctx, []store.SLODay{day(2, 2), day(0, 0), day(1, 1)}))
	must(t, s.SaveSLODays(ctx, []store.SLODay{day(1, 9)}))
	s = reopen(t, s, open)
	for _, c := range []struct {
		name, slo, counts string
		from, to          int
		want              []store.SLODay
	}{
		{"oldest first, the last saved of each", "a", "good", 0, 3, []store.SLODay{day(0, 0), day(1, 9), day(2, 2)}},
		{"half-open", "a", "good", 1, 2, []store.SLODay{day(1, 9)}},
		{"other counts", "a", "bad", 0, 3, nil},
		{"another SLO", "b", "good", 0, 3, nil},
	} {
		got, err := s.SLODays(ctx, c.slo, c.counts, midnight.AddDate(0, 0, c.from), midnight.AddDate(0, 0, c.to))
		must(t, err)
		equal(t, c.name, got, c.want)
	}
	must(t, s.DropSLODays(ctx, midnight.AddDate(0, 0, 2)))
	got, err := s.SLODays(ctx, "a", "good", midnight, midnight.AddDate(0, 0, 3))
	must(t, err)
	equal(t, "after the old ones were dropped", got, []store.SLODay{day(2, 2)})
}

func stateGateKeys(t *testing.T, open func() store.State) {
	ctx, s := t.Context(), open()
	newer, older := model.GateKey{ID: "a", PEM: "pem a", Since: stateEpoch.Add(time.Hour)}, model.GateKey{ID: "b", PEM: "pem b", Since: stateEpoch}
	must(t, s.SaveGateKey(ctx, newer))
	must(t, s.SaveGateKey(ctx, older))
	must(t, s.SaveGateKey(ctx, model.GateKey{ID: "b", PEM: "another", Since: stateEpoch.Add(time.Minute)}))
	if err := s.SaveGateKey(ctx, model.GateKey{ID: "c"}); err == nil {
		t.Error("a key without the key must be an error")
	}
	s = reopen(t, s, open)
	got, err := s.GateKeys(ctx)
	must(t, err)
	equal(t, "oldest first, none changed", got, []model.GateKey{older, newer})
}
