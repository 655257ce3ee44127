package pace_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/slo/pace"
)

func TestWorkIsPaidWithRest(t *testing.T) {
	now := time.Unix(1000, 0)
	b := pace.New(0.1, func() time.Time { return now })
	b.Spend(9 * time.Second)
	if b.Debt() != 0 || b.Spare() {
		t.Errorf("after 9 s of 10 there is a debt of %s, spare %v", b.Debt(), b.Spare())
	}
	b.Spend(1500 * time.Millisecond) // half a second too much, at a tenth
	if b.Debt() != 5*time.Second {
		t.Errorf("rest is %s, want 5s", b.Debt())
	}
	b.Spend(time.Hour)
	if b.Debt() != 10*time.Second {
		t.Errorf("rest is %s, want at most 10s", b.Debt())
	}
	now = now.Add(24 * time.Hour)
	b.Spend(0)
	if b.Debt() != 0 || !b.Spare() {
		t.Errorf("after a day there is a debt of %s, spare %v", b.Debt(), b.Spare())
	}
}

// A thread that waits for its turn, here for a channel, computes nothing.
func TestWaitingIsNotComputing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("computing time of a thread is known on Linux only")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := pace.Computed()
	<-time.After(300 * time.Millisecond)
	if d := pace.Computed() - before; d > 100*time.Millisecond {
		t.Errorf("waiting 300 ms counted %s", d)
	}
	before, sum := pace.Computed(), 0
	for end := time.Now().Add(50 * time.Millisecond); time.Now().Before(end) || pace.Computed() == before; sum++ {
	}
	if sum == 0 || pace.Computed() <= before {
		t.Error("computing counted nothing")
	}
}
