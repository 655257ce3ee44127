package ledger

import (
	"encoding/binary"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestARingHoldsWhatAMapHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := ring{n: rapid.IntRange(1, 20).Draw(t, "n"), newest: -1}
		oracle := map[int64]Cell{}
		number := rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 1e12), rapid.Map(rapid.IntRange(0, 1<<33), func(i int) float64 { return float64(i) }), rapid.Map(rapid.IntRange(0, 300), func(i int) float64 { return float64(i) }))
		k := int64(1000)
		for range 60 {
			k += int64(rapid.IntRange(-5, 7).Draw(t, "step"))
			if !r.keeps(k) {
				continue
			}
			c := Cell{number.Draw(t, "bad"), number.Draw(t, "total"), number.Draw(t, "minutes")}
			r.set(k, c)
			oracle[k] = c
			for j := k - 40; j < k+10; j++ {
				want := oracle[j]
				if j <= r.newest-int64(r.n) {
					want = Cell{}
				}
				if got := r.get(j); got != want {
					t.Fatalf("slot %d is %v, want %v", j, got, want)
				}
			}
		}
	})
}

func TestALedgerIsReadAsItWasWritten(t *testing.T) {
	l := New(28 * 24 * time.Hour)
	at := time.Unix(1_700_000_040, 0)
	for m := range 600 {
		l.Put(Minute, at.Add(time.Duration(m)*time.Minute), Cell{Bad: float64(m%3) / 2, Total: float64(100 * m), Minutes: 1})
	}
	again := New(28 * 24 * time.Hour)
	if err := again.Unmarshal(l.Marshal()); err != nil {
		t.Fatal(err)
	}
	end := at.Add(600 * time.Minute)
	for _, w := range []time.Duration{time.Hour, 6 * time.Hour, 28 * 24 * time.Hour} {
		if got, want := again.Sum(end.Add(-w), end), l.Sum(end.Add(-w), end); got != want || want.Total == 0 {
			t.Errorf("over %s it is %v, was %v", w, got, want)
		}
	}
	if err := New(30 * 24 * time.Hour).Unmarshal(l.Marshal()); err == nil {
		t.Error("a ledger of another window is taken")
	}
}

func TestALedgerIsSmall(t *testing.T) {
	l := New(30 * 24 * time.Hour)
	end := time.Unix(1_700_000_040, 0)
	for at := end.Add(-30 * 24 * time.Hour); at.Before(end); at = at.Add(time.Minute) {
		l.Put(Minute, at, Cell{Bad: float64(at.Unix() / 60 % 2), Total: 500, Minutes: 1})
	}
	if n := len(l.Marshal()); n > 14<<10 {
		t.Errorf("a ledger of 500 events a minute takes %d bytes", n)
	} else {
		t.Logf("%d bytes", n)
	}
}

// A damaged ledger is read from history again; it must never count.
func TestEveryChangedByteOfAStoredLedgerIsNoticed(t *testing.T) {
	l := New(24 * time.Hour)
	at := time.Unix(1_700_000_040, 0)
	for m := range 300 {
		l.Put(Minute, at.Add(time.Duration(m)*time.Minute), Cell{Bad: float64(m%3) / 2, Total: float64(100 * m), Minutes: 1})
	}
	text := l.Marshal()
	for i := range text {
		text[i] ^= 1 << (i % 8)
		if New(24*time.Hour).Unmarshal(text) == nil {
			t.Fatalf("byte %d was changed, and nobody noticed", i)
		}
		text[i] ^= 1 << (i % 8)
	}
	if New(24*time.Hour).Unmarshal(text[:len(text)-1]) == nil || New(24*time.Hour).Unmarshal(append(text, 0)) == nil {
		t.Error("a ledger of another length is taken")
	}
}

func FuzzUnmarshal(f *testing.F) {
	l := New(time.Hour)
	l.Put(Minute, time.Unix(1_700_000_040, 0), Cell{Bad: 1, Total: 300, Minutes: 1})
	f.Add(l.Marshal())
	f.Add([]byte{formatVersion})
	f.Fuzz(func(t *testing.T, text []byte) {
		l := New(time.Hour)
		if len(text) > 4 { // a checksum that fits, or nothing else would be tried
			text = binary.LittleEndian.AppendUint32(text[:len(text)-4:len(text)-4], checksum(text[:len(text)-4]))
		}
		if l.Unmarshal(text) == nil {
			l.First(time.Unix(1_700_000_040, 0))
			l.Last()
			l.Put(Minute, time.Unix(1_700_000_040, 0), Cell{Bad: 1, Total: 2, Minutes: 1})
			l.Sum(time.Unix(1_700_000_000, 0), time.Unix(1_700_010_000, 0))
		}
	})
}
