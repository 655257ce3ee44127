package history

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/indicator"
)

// lookEvery is how often the time of the newest sample is looked up.
const lookEvery = 10 * time.Second

func (h *History) look(ctx context.Context, q indicator.Querier, now time.Time) error {
	if unseen := h.lastData.IsZero() && h.live.Minutes > 0; now.Sub(h.checked) < lookEvery && !unseen && h.checkedAt == h.loaded {
		if h.live.Total == 0 || h.live.Bad < h.live.Total {
			return nil
		}
		return h.lookForGood(ctx, q, now) // before anybody is paged
	}
	at, ok, err := h.def.Measure.Newest(ctx, q, now)
	if err != nil {
		return err
	}
	h.checked, h.checkedAt = now, h.loaded
	h.mu.Lock()
	if ok {
		h.lastData = times.Later(h.lastData, at)
	} else if last, has := h.ledger.Last(); has {
		h.lastData = times.Later(h.lastData, last)
	}
	h.mu.Unlock()
	if h.fault, err = indicator.FaultOf(ctx, h.def.Measure, q, now); err != nil {
		return err
	}
	if h.lastData.IsZero() {
		h.fault, err = indicator.Unstored(ctx, h.def.Measure, q)
		return err
	}
	return h.lookForGood(ctx, q, now)
}

// lookForGood finds a query of good events that matches nothing at all: then
// everything looks bad and most likely a selector is mistyped.
//
// Without new data there is nothing to be found in, and what was found before stands: an outage
// whose telemetry stops is no mistyped selector.
func (h *History) lookForGood(ctx context.Context, q indicator.Querier, now time.Time) error {
	r := indicator.RatioOf(h.def.Measure)
	if r == nil || now.Sub(h.lastData) > time.Minute {
		return nil
	}
	h.noGood = false
	if sum, _ := h.sum(now.Add(-h.def.Window), now); sum.Total == 0 || sum.Bad < sum.Total {
		return nil
	}
	unseen, err := r.Unseen(ctx, q, now)
	h.noGood = unseen
	return err
}
