package repeats

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheSecondOfTwoEqualBatchesWaitsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBatches[string](time.Now)
		if _, known, err := b.Begin(t.Context(), 1); known || err != nil {
			t.Fatal(known, err)
		}
		var wg sync.WaitGroup
		var had string
		wg.Go(func() { had, _, _ = b.Begin(t.Context(), 1) })
		synctest.Wait()
		b.End(1, "stored", true)
		wg.Wait()
		if had != "stored" {
			t.Error("the second was not told that the batch is stored")
		}
	})
}

func TestBatchesAreForgottenAfterTheWindow(t *testing.T) {
	now := time.Unix(0, 0)
	b := NewBatches[int](func() time.Time { return now })
	again := func(key uint64) bool {
		_, known, err := b.Begin(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		if !known {
			b.End(key, 0, true)
		}
		return known
	}
	again(1)
	if now = now.Add(Window); !again(1) {
		t.Error("forgotten within the window")
	}
	if now = now.Add(3 * Window); again(1) {
		t.Error("remembered for four windows")
	}
	for key := range uint64(3 * MaxBatches) {
		again(10 + key)
	}
	if n := len(b.young) + len(b.before); n > 2*MaxBatches {
		t.Errorf("%d batches are remembered", n)
	}
}

func all(int) bool { return true }

func claim(t testing.TB, s *Spans, kept func(int) bool, keys ...uint64) []int {
	t.Helper()
	c, err := s.Begin(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	s.End(c, kept)
	return c.New
}

func TestASpanCountsOnceWhereverBatchesBegin(t *testing.T) {
	now := time.Unix(0, 0)
	s := NewSpans(func() time.Time { return now })
	if got := claim(t, s, all, 1, 2, 2, 3); len(got) != 3 || got[2] != 3 {
		t.Errorf("new are %v", got)
	}
	if got := claim(t, s, all, 3, 4); len(got) != 1 || got[0] != 1 {
		t.Errorf("new are %v", got)
	}
	// What was not stored is new again.
	claim(t, s, func(i int) bool { return i != 0 }, 5, 6)
	if got := claim(t, s, all, 6, 5); len(got) != 1 || got[0] != 1 {
		t.Errorf("new are %v", got)
	}
	now = now.Add(Window)
	if got := claim(t, s, all, 4, 5, 6); len(got) != 0 {
		t.Errorf("forgotten within the window: %v", got)
	}
	now = now.Add(3 * Window)
	if got := claim(t, s, all, 4); len(got) != 1 {
		t.Error("remembered for four windows")
	}
	s.limit = 10_000
	for key := uint64(10); key < 50_000; key += 1000 {
		batch := make([]uint64, 1000)
		for i := range batch {
			batch[i] = key + uint64(i)
		}
		claim(t, s, all, batch...)
	}
	if n := len(s.young) + len(s.before); n > 2*s.limit+2000 {
		t.Errorf("%d spans are remembered", n)
	}
}

// A span that is under way elsewhere is waited for: it is told stored only when it is, and taken
// when the other failed. Two requests that hold spans of each other do not wait for ever.
func TestASpanUnderWayIsWaitedFor(t *testing.T) {
	for _, stored := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := NewSpans(time.Now)
			first, err := s.Begin(t.Context(), []uint64{1, 2})
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			got := make([][]int, 2)
			wg.Go(func() { got[0] = claim(t, s, all, 3, 2) })
			wg.Go(func() { got[1] = claim(t, s, all, 1, 4) })
			synctest.Wait()
			if got[0] != nil || got[1] != nil {
				t.Error("answered before the span was stored")
			}
			s.End(first, func(int) bool { return stored })
			wg.Wait()
			want := 2
			if stored {
				want = 1
			}
			if len(got[0]) != want || len(got[1]) != want {
				t.Errorf("stored %t: new are %v", stored, got)
			}
			if len(s.underWay) != 0 {
				t.Errorf("%d are under way", len(s.underWay))
			}
		})
	}
}

func BenchmarkSpans(b *testing.B) {
	s := NewSpans(time.Now)
	keys := make([]uint64, 1000)
	next := uint64(0)
	for b.Loop() {
		for i := range keys {
			next += 0x9e3779b97f4a7c15
			keys[i] = next
		}
		c, _ := s.Begin(b.Context(), keys)
		s.End(c, all)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/span")
}
