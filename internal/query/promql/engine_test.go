package promql

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
)

func TestInstantAnswersPlainSamples(t *testing.T) {
	s, now := openStore(t), time.UnixMilli(time.Now().UnixMilli())
	fill(t, s, now)
	e, ctx := engine(t, DefaultConfig(), s), context.Background()

	got, err := e.Instant(ctx, "reqs_total", now)
	want := []model.Sample{{Labels: model.Labels{"__name__": "reqs_total", "service": "edge"}, Time: now, Value: 600}}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("vector: %v\n%s", err, cmp.Diff(want, got))
	}
	if got, err := e.Instant(ctx, "3 * 2", now); err != nil || len(got) != 1 || got[0].Value != 6 {
		t.Errorf("scalar: %v, %v", got, err)
	}
	if got, err := e.Instant(ctx, "nosuch", now); err != nil || len(got) != 0 {
		t.Errorf("nothing: %v, %v", got, err)
	}
	for expr, want := range map[string]string{
		"lat":            "native histograms",
		"reqs_total[5m]": "instant vector or a scalar",
		"sum(":           "query sum(:",
	} {
		if _, err := e.Instant(ctx, expr, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one that says %q", expr, err, want)
		}
	}
}

func TestRangeAnswersPlainSeriesWithoutPointsForGaps(t *testing.T) {
	s, now := openStore(t), time.UnixMilli(time.Now().UnixMilli())
	fill(t, s, now)
	got, err := engine(t, DefaultConfig(), s).Range(context.Background(), "reqs_total > 500", now.Add(-time.Minute), now, 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	want := []model.Series{{
		Labels: model.Labels{"__name__": "reqs_total", "service": "edge"},
		Points: []model.Point{{Time: now.Add(-30 * time.Second), Value: 540}, {Time: now, Value: 600}},
	}}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
}

func TestQueriesBeyondTheirLimitsEndWithAnError(t *testing.T) {
	s, now := openStore(t), time.Now()
	fill(t, s, now)
	cfg := DefaultConfig()
	cfg.MaxSamples = 3
	if _, err := engine(t, cfg, s).Instant(context.Background(), "count_over_time(reqs_total[10m])", now); err == nil || !strings.Contains(err.Error(), "too many samples") {
		t.Errorf("over max_samples: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := engine(t, DefaultConfig(), s).Instant(ctx, "reqs_total", now); err == nil {
		t.Error("a query with a finished context answered")
	}
}

func TestSlotsWaitForARunningQuery(t *testing.T) {
	s := newSlots(1, nil)
	if _, err := s.Insert(context.Background(), "a"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Insert(ctx, "b"); err == nil {
		t.Error("a second query ran at once")
	}
	s.Delete(0)
	if _, err := s.Insert(context.Background(), "c"); err != nil {
		t.Error(err)
	}
}

func TestConfigNamesEveryWrongField(t *testing.T) {
	if errs := (Config{CORSOrigin: "("}).Validate(); len(errs) != 7 {
		t.Errorf("got %v", errs)
	}
}

// What nobody sent waits for its turn, and gives it back; what is sent had its turn when it came in.
func TestWhatNobodySentWaitsForItsTurn(t *testing.T) {
	held, taken := 0, 0
	fail := errors.New("no turn")
	s := newSlots(1, func(ctx context.Context) (func(), error) {
		if ctx.Value(t) != nil {
			return nil, fail
		}
		held, taken = held+1, taken+1
		return func() { held-- }, nil
	})
	for range 3 {
		slot, err := s.Insert(t.Context(), "a")
		if err != nil || held != 1 {
			t.Fatal(slot, err, held)
		}
		s.Delete(slot)
		if slot, err = s.Insert(access.With(t.Context(), &access.Access{}), "b"); err != nil || held != 0 {
			t.Fatal(slot, err, held)
		}
		s.Delete(slot)
		if _, err := s.Insert(context.WithValue(t.Context(), t, 1), "c"); !errors.Is(err, fail) {
			t.Fatal(err) // and the slot is free again
		}
	}
	if held != 0 || taken != 3 {
		t.Error(held, taken)
	}
}
