package pace

import (
	"time"

	"golang.org/x/sys/unix"
)

// Computed is what the calling thread has computed since it began. The goroutine must be
// locked to its thread.
func Computed() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(t.Nano())
}
