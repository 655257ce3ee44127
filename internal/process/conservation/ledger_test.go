package conservation

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/stream"
)

var _ stream.Counter = (*Ledger)(nil)

func TestSnapshotNamesEveryReasonMostFrequentFirst(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	l, err := New(reg)
	if err != nil {
		t.Fatal(err)
	}
	l.Received("logs", "otlp_grpc", 10)
	l.Received("logs", "otlp_http", 2)
	l.Stored("logs", 7)
	l.Refused("logs", "too_old", 1)
	l.Refused("logs", "too_large", 4)
	l.Received("spans", "otlp_grpc", 1)
	want := Snapshot{Signals: []Signal{
		{Signal: "logs", Received: 12, Stored: 7, Refused: []Refused{{"too_large", 4}, {"too_old", 1}}, Balanced: true},
		{Signal: "spans", Received: 1, Refused: []Refused{}},
	}}
	if diff := cmp.Diff(want, l.Snapshot()); diff != "" {
		t.Error(diff)
	}
	if n := testutil.ToFloat64(l.refused.WithLabelValues("logs", "too_large")); n != 4 {
		t.Errorf("refused metric = %v, want 4", n)
	}
	if n, err := testutil.GatherAndCount(reg, "signalbox_ledger_received_total"); err != nil || n != 3 {
		t.Errorf("received series = %d (%v), want 3", n, err)
	}
}

// Whatever is reported in whatever order, the books balance exactly when the
// sums are equal.
func TestBooksBalanceExactlyWhenNothingIsMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, err := New(nil)
		if err != nil {
			t.Fatal(err)
		}
		missing := 0
		for range rapid.IntRange(0, 20).Draw(t, "requests") {
			kept := rapid.IntRange(0, 50).Draw(t, "kept")
			refused := rapid.IntRange(0, 50).Draw(t, "refused")
			lost := rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "lost")
			missing += lost
			l.Received("spans", rapid.SampledFrom([]string{"otlp_grpc", "otlp_http"}).Draw(t, "protocol"), kept+refused+lost)
			l.Stored("spans", kept)
			l.Refused("spans", rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "reason"), refused)
		}
		for _, s := range l.Snapshot().Signals {
			var refused uint64
			for _, r := range s.Refused {
				refused += r.Count
			}
			if s.Balanced != (missing == 0) || s.Received-s.Stored-refused != uint64(missing) {
				t.Fatalf("%+v with %d missing", s, missing)
			}
		}
	})
}

func TestReportersMayRunAtTheSameTime(t *testing.T) {
	l, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	for range 4 {
		go func() {
			for range 500 {
				l.Received("logs", "otlp_grpc", 3)
				l.Stored("logs", 2)
				l.Refused("logs", "too_old", 1)
			}
			done <- struct{}{}
		}()
	}
	for range 4 {
		<-done
	}
	want := []Signal{{Signal: "logs", Received: 6000, Stored: 4000, Refused: []Refused{{"too_old", 2000}}, Balanced: true}}
	if diff := cmp.Diff(want, l.Snapshot().Signals); diff != "" {
		t.Error(diff)
	}
}
