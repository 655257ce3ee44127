package archive

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

func someCells(t *rapid.T) []ledger.Cell {
	value := rapid.OneOf(rapid.Float64Range(0, 1e9), rapid.Map(rapid.IntRange(0, 1<<40), func(n int) float64 { return float64(n) }), rapid.Just(0.0))
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ledger.Cell {
		total := value.Draw(t, "total")
		return ledger.Cell{Bad: total * rapid.SampledFrom([]float64{0, 0, 0.0005, 0.01, 0.5, 1}).Draw(t, "share"), Total: total, Minutes: rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "minutes")}
	}), 0, minutesADay+10).Draw(t, "cells")
}

func TestADayIsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := fold(someCells(t), 0.001)
		got, err := decodeDay(d.encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, got, cmp.AllowUnexported(day{}, hotMinute{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestADayIsSmall(t *testing.T) {
	cells := make([]ledger.Cell, minutesADay)
	for i := range cells {
		cells[i] = ledger.Cell{Bad: float64(i % 3 / 2), Total: float64(1000 + i*i%977), Minutes: 1}
	}
	d := fold(cells, 0.001)
	if n := len(d.encode()); n > 700 {
		t.Errorf("a calm day takes %d bytes", n)
	}
	if len(d.hot) != 0 {
		t.Errorf("%d minutes of a calm day are hot", len(d.hot))
	}
}

func FuzzDecodeDay(f *testing.F) {
	var d day
	f.Add(d.encode())
	d = fold([]ledger.Cell{{Bad: 1, Total: 1.5, Minutes: 1}, {}, {Bad: 600, Total: 600, Minutes: 1}}, 0.001)
	f.Add(d.encode())
	f.Add([]byte{})
	f.Add([]byte{1, 0, 1})
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := decodeDay(text)
		if err != nil {
			return
		}
		again, err := decodeDay(got.encode())
		if err != nil {
			t.Fatalf("what was decoded does not encode: %v", err)
		}
		if diff := cmp.Diff(got, again, cmp.AllowUnexported(day{}, hotMinute{})); diff != "" {
			t.Fatal(diff)
		}
	})
}
