package throttle

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func limiter(t *testing.T) (*Limiter, *clock) {
	t.Helper()
	c := &clock{t: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	l, err := New(DefaultConfig(), c.now, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l, c
}

func try(l *Limiter, account, address string) time.Duration {
	w, _ := l.Try(account, address, false)
	return w
}

func TestWaitingDoublesAndHasABound(t *testing.T) {
	l, c := limiter(t)
	for i := range 5 {
		if w := try(l, "ann", fmt.Sprint("192.0.2.", i)); w != 0 {
			t.Fatalf("attempt %d waits %s", i, w)
		}
	}
	want := time.Second
	for i := range 14 {
		w, again := l.Try("ann", "198.51.100.1", false)
		if w != want || again {
			t.Fatalf("after %d failures it waits %s, want %s", 5+i, w, want)
		}
		if w, again := l.Try("ann", "198.51.100.2", false); w != want || !again {
			t.Fatalf("asking again: %s %v, want %s", w, again, want)
		}
		c.t = c.t.Add(want)
		if w := try(l, "ann", fmt.Sprint("203.0.113.", i)); w != 0 {
			t.Fatalf("after waiting it waits %s", w)
		}
		want = min(2*want, 5*time.Minute)
	}
	if got := testutil.ToFloat64(l.throttled.WithLabelValues("account")); got != 28 {
		t.Error(got)
	}
	if w := try(l, "bob", "192.0.2.9"); w != 0 {
		t.Error("another account waits", w)
	}
	c.t = c.t.Add(time.Hour + 5*time.Minute + 1)
	for range 5 {
		if w := try(l, "ann", "192.0.2.1"); w != 0 {
			t.Error("after an hour it is forgotten, not", w)
		}
	}
}

// Whoever guesses at ann from elsewhere does not keep her out where she works, and is not let in by her being known.
func TestAGuesserDoesNotKeepTheOwnerOut(t *testing.T) {
	l, _ := limiter(t)
	for i := range 50 {
		try(l, "ann", fmt.Sprint("192.0.2.", i))
	}
	if w := try(l, "ann", "198.51.100.1"); w == 0 {
		t.Error("the account is not slowed down")
	}
	if w, _ := l.Try("ann", "203.0.113.1", true); w != 0 {
		t.Error("her own address waits", w)
	}
	l.Succeeded("ann", "203.0.113.1", true)
	if w := try(l, "ann", "198.51.100.1"); w == 0 {
		t.Error("her login lets the guesser go on")
	}
	waits := 0
	for range 10 {
		if w, _ := l.Try("ann", "203.0.113.1", true); w > 0 {
			waits++
		}
	}
	if waits == 0 {
		t.Error("from her address anybody may guess without end")
	}
}

// Somebody with an account of their own does not wash their address clean by logging in to it.
func TestALoginOfOnesOwnDoesNotHelpGuessing(t *testing.T) {
	l, _ := limiter(t)
	guesses := 0
	for i := range 200 {
		if try(l, fmt.Sprint("victim", i), "192.0.2.1") == 0 {
			guesses++
		}
		if try(l, "own", "192.0.2.1") == 0 {
			l.Succeeded("own", "192.0.2.1", false)
		}
	}
	if guesses > 20 {
		t.Errorf("%d guesses in one moment", guesses)
	}
}

// Attempts at one moment do not slip through together.
func TestAttemptsAtOnceAreCounted(t *testing.T) {
	l, _ := limiter(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for i := range 100 {
		wg.Go(func() {
			if try(l, "ann", fmt.Sprintf("10.0.%d.1", i)) == 0 {
				mu.Lock()
				passed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if passed != 5 {
		t.Errorf("%d passed", passed)
	}
}

func TestWhatCountsAsOneSender(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "2001:db8:1:2:ffff::": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "@": "@", "": "",
	} {
		if got := network(address); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}

// What is remembered is bounded, and an attempt that came to nothing counts for nothing.
func TestMemoryIsBounded(t *testing.T) {
	l, c := limiter(t)
	for i := range remember + 1000 {
		try(l, fmt.Sprint(i), fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
	}
	if l.accounts.keys.Len() > remember || l.addresses.keys.Len() > remember {
		t.Error(l.accounts.keys.Len(), l.addresses.keys.Len())
	}
	for range 100 {
		if try(l, "x", "192.0.2.1") != 0 {
			t.Fatal("it waits though nothing was learnt")
		}
		l.Undo("x", "192.0.2.1", false)
	}
	for range 6 {
		try(l, "y", "192.0.2.2")
	}
	c.t = c.t.Add(-24 * time.Hour)
	if w := try(l, "y", "192.0.2.2"); w > 5*time.Minute {
		t.Error("a clock that went back locks out for", w)
	}
}

func TestConfig(t *testing.T) {
	if errs := DefaultConfig().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	if errs := (Config{}).Validate(); len(errs) != 3 {
		t.Error(errs)
	}
}
