package slo_test

import (
	"testing"
	"time"
)

// TestARestartPagesNobodyBeforeHistoryIsRead: one bad minute of an hour burns at 3.3×.
// Until the hour is read the last minutes are all that is known, and they burn at 66×.
func TestARestartPagesNobodyBeforeHistoryIsRead(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	w.traffic(7*time.Hour, 15*time.Second, 100, 0)
	w.settle()
	w.traffic(time.Minute, 15*time.Second, 0, 100)
	w.settle()
	w.start()
	w.engine.Judge(t.Context(), w.now)
	w.settle()
	if len(w.sent) != 0 {
		t.Errorf("%+v", w.sent)
	}
	// What really burns pages after a restart as before it, once.
	w.traffic(4*time.Minute, 15*time.Second, 0, 100)
	w.start()
	w.engine.Judge(t.Context(), w.now)
	w.settle()
	fast := 0
	for _, a := range w.sent {
		if a.Labels["alertname"] == "SLOBurnRateFast" {
			fast++
		}
	}
	if fast != 1 {
		t.Errorf("%d pages: %+v", fast, w.sent)
	}
}
