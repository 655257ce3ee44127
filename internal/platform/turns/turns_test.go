package turns

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// somebody waits in a queue; leave is nil until it is their turn.
type somebody struct {
	tenant string
	leave  func()
	err    error
	told   chan outcome
}

type outcome struct {
	leave func()
	err   error
}

// see takes over what they were told, in the goroutine of the test.
func see(all ...*somebody) {
	synctest.Wait()
	for _, s := range all {
		select {
		case o := <-s.told:
			s.leave, s.err = o.leave, o.err
		default:
		}
	}
}

// come enters tenants in order, each before the next.
func come(q *Queue, ctx context.Context, tenants ...string) []*somebody {
	var all []*somebody
	for _, tenant := range tenants {
		s := &somebody{tenant: tenant, told: make(chan outcome, 1)}
		all = append(all, s)
		go func() {
			leave, err := q.Enter(ctx, tenant)
			s.told <- outcome{leave, err}
		}()
		see(s)
	}
	return all
}

func flood(tenant string, n int) (out []string) {
	for range n {
		out = append(out, tenant)
	}
	return out
}

// However much one tenant asks, whoever has nothing under way waits for nobody, and whoever has waits for one place at most for each
// other tenant that waits. It is counted in places that become free, not in time.
func TestOneTenantsFloodCostsOthersNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Limits{Common: 4, Waiting: 100})
		acme := come(q, t.Context(), flood("acme", 50)...)
		blue := come(q, t.Context(), flood("blue", 4)...)
		if held, waiting := q.Count("acme"); held != 3 || waiting != 47 {
			t.Fatalf("acme holds %d, %d wait: want its own place and half of the common ones", held, waiting)
		}
		for i, s := range blue[:3] {
			if s.leave == nil {
				t.Fatalf("blue's request %d waits while acme has only half", i)
			}
		}
		if blue[3].leave != nil {
			t.Fatal("blue has more than half")
		}
		for _, one := range come(q, t.Context(), "c", "d", "e") {
			if one.leave == nil {
				t.Errorf("%s has nothing under way and waits", one.tenant)
			}
		}
		second := come(q, t.Context(), "c")[0]
		acme[0].leave()
		see(second)
		if second.leave == nil { // acme waited longer, and has the first place that becomes free; c the next
			acme[1].leave()
			see(second)
		}
		if second.leave == nil {
			t.Error("c waits for more than one place of the one tenant before it")
		}
		for _, s := range append(acme, blue...) {
			if see(s); s.leave == nil {
				t.Fatal("somebody never got a turn")
			}
			s.leave()
			s.leave() // again does nothing
		}
	})
}

func TestWaitingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Limits{Common: 1, Waiting: 2, Wait: 10 * time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		in := come(q, t.Context(), "acme", "acme")
		gone := come(q, ctx, "acme")[0]
		late := come(q, t.Context(), "acme")[0]
		if full := come(q, t.Context(), "acme")[0]; !errors.Is(full.err, ErrFull) {
			t.Errorf("one more than may wait: %v", full.err)
		}
		if other := come(q, t.Context(), "blue")[0]; other.leave == nil {
			t.Error("blue is held up by those of acme that wait")
		}
		cancel()
		see(gone)
		if !errors.Is(gone.err, context.Canceled) {
			t.Error(gone.err)
		}
		time.Sleep(10 * time.Second)
		see(late)
		if !errors.Is(late.err, ErrLate) {
			t.Error(late.err)
		}
		in[0].leave()
		in[1].leave()
		if held, waiting := q.Count("acme"); held+waiting != 0 || len(q.ring) != 0 || len(q.lines) != 1 {
			t.Errorf("%d, %d; %v %v", held, waiting, q.ring, q.lines)
		}
	})
}

// Any order of coming, going and giving up keeps the promises: nobody without a place waits, places are neither lost nor made, no
// place is free while somebody waits who may have it.
func TestPromisesHoldInAnyOrder(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			q := New(Limits{Common: r.IntN(6), Waiting: 5, Wait: 20 * time.Second})
			var all []*somebody
			for range 200 {
				switch r.IntN(5) {
				case 0, 1, 2:
					all = append(all, come(q, t.Context(), fmt.Sprint(r.IntN(4)))...)
				case 3:
					if len(all) > 0 {
						if s := all[r.IntN(len(all))]; s.leave != nil {
							s.leave()
						}
					}
				case 4:
					time.Sleep(time.Duration(r.IntN(8)) * time.Second)
				}
				see(all...)
				check(t, q)
			}
			for range 50 {
				for _, s := range all {
					if s.leave != nil {
						s.leave()
					}
				}
				see(all...)
			}
			if len(q.lines) != 0 || len(q.ring) != 0 || q.common != 0 {
				t.Errorf("seed %d: not empty: %v %v %d", seed, q.lines, q.ring, q.common)
			}
		})
	}
}

func check(t *testing.T, q *Queue) {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	common, ringed := 0, 0
	for name, l := range q.lines {
		common += max(0, l.held-1)
		if len(l.waiting) > 0 {
			ringed++
			if q.free(l) {
				t.Errorf("%s waits and may have a place", name)
			}
		}
		if l.held == 0 || l.held-1 > q.most {
			t.Errorf("%s holds %d", name, l.held)
		}
	}
	if common != q.common || common > q.limits.Common || ringed != len(q.ring) {
		t.Errorf("common %d, counted %d; in the ring %d, wait %d", q.common, common, len(q.ring), ringed)
	}
}

func TestWithoutTenantsNobodyWaits(t *testing.T) {
	var q *Queue
	for range 1000 {
		if _, err := q.Enter(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
}

// What a turn costs where nobody waits, alone and from all cores at once.
func BenchmarkTurn(b *testing.B) {
	turn := func(b *testing.B, q *Queue, tenant string) {
		leave, err := q.Enter(context.Background(), tenant)
		if err != nil {
			b.Error(err)
			return
		}
		leave()
	}
	b.Run("alone", func(b *testing.B) {
		q := New(Limits{Common: 16, Waiting: 200, Wait: time.Second})
		for b.Loop() {
			turn(b, q, "acme")
		}
	})
	b.Run("many", func(b *testing.B) {
		q := New(Limits{Common: 16, Waiting: 200, Wait: time.Second})
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				turn(b, q, "acme")
			}
		})
	})
}
