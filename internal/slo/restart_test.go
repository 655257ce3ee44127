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

// TestAlertsOfOneEvaluationAreHandedOverTogether: the pipeline writes to the disk before it
// answers, once for all. One that it refuses does not hold up the others.
func TestAlertsOfOneEvaluationAreHandedOverTogether(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	w.traffic(7*time.Hour, 15*time.Second, 100, 0)
	w.traffic(30*time.Minute, 15*time.Second, 0, 100)
	w.settle()
	if len(w.sent) < 3 || w.calls != 1 {
		t.Fatalf("%d alerts in %d calls", len(w.sent), w.calls)
	}
	w.sent, w.refuse = nil, "SLOBurnRateFast"
	w.start()
	w.settle()
	w.now = w.now.Add(2 * time.Minute)
	w.settle()
	if len(w.sent) == 0 {
		t.Error("none was sent because one was refused")
	}
	for _, a := range w.sent {
		if a.Labels["alertname"] == w.refuse {
			t.Errorf("taken though refused: %+v", a)
		}
	}
}

// TestHistoryIsReadThoughEvaluationTakesAllTheTime: 10,000 SLOs that are judged
// whenever samples arrive leave nothing over.
func TestHistoryIsReadThoughEvaluationTakesAllTheTime(t *testing.T) {
	w := newWorld(t, availability("99.5"))
	w.traffic(time.Hour, 15*time.Second, 100, 0)
	w.engine.Judge(t.Context(), w.now)
	if w.engine.ScanInDebt(t.Context(), 0) {
		t.Error("history was read with time that there was not")
	}
	if !w.engine.ScanInDebt(t.Context(), time.Minute) {
		t.Error("history was not read")
	}
}
