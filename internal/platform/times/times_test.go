package times_test

import (
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
)

func TestEarlierAndLater(t *testing.T) {
	a := time.Unix(100, 0)
	b := a.Add(time.Nanosecond)
	for _, pair := range [][2]time.Time{{a, b}, {b, a}} {
		if got := times.Earlier(pair[0], pair[1]); got != a {
			t.Errorf("earlier of %v is %v", pair, got)
		}
		if got := times.Later(pair[0], pair[1]); got != b {
			t.Errorf("later of %v is %v", pair, got)
		}
	}
}
