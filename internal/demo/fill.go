package demo

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/signalbox-project/signalbox/internal/simulate"
)

const (
	// piece is how much of the past gets its logs and traces at once.
	piece = 2 * time.Minute
	// seam is the newest part of the past, which waits until it is older than the configuration's span_metrics.max_late: the
	// server would count its spans as live ones, beside the metrics that the history has for them.
	seam = 65 * time.Second
	// fillFrom keeps the numbers of these requests apart from those of the thin history.
	fillFrom = 1 << 20
)

// fill gives the newest hours of the history the logs and spans that the platform would have sent then: every request
// that the metrics count. It begins at the live data and goes back, while all else runs, and rests as
// long as it worked.
func (d *Demo) fill(ctx context.Context, now time.Time) {
	if d.cfg.HistoryFull == 0 {
		return
	}
	began, told, late := time.Now(), time.Duration(0), false
	var stats simulate.Stats
	deploys := pastDeploys(now)
	first := uint64(fillFrom)
	send := func(from, to time.Time) bool {
		start := time.Now()
		moments := arrivals(from, to, now, d.cfg.Simulate.TargetRPS, d.cfg.Simulate.Seed)
		for i := range moments {
			moments[i].Versions = versionsAt(deploys, moments[i].Time)
		}
		sent, err := d.replay(ctx, d.cfg.Simulate, simulate.Deps{Logger: d.log}, first, moments)
		first += uint64(len(moments))
		stats.Requests, stats.Spans, stats.Logs = stats.Requests+sent.Requests, stats.Spans+sent.Spans, stats.Logs+sent.Logs
		if err != nil {
			if ctx.Err() == nil {
				d.log.Warn("logs and spans of the past are incomplete", "from", from, "error", err)
			}
			return false
		}
		return sleep(ctx, time.Since(start))
	}
	for back := seam; back < d.cfg.HistoryFull; back += piece {
		if !late && time.Since(now) >= seam {
			if late = true; !send(now.Add(-seam), now) {
				return
			}
		}
		if !send(now.Add(-min(back+piece, d.cfg.HistoryFull)), now.Add(-back)) {
			return
		}
		if back-told >= 30*time.Minute {
			told = back
			d.log.Info("the past gets its logs and spans", "back_to", back.Round(time.Minute), "of", d.cfg.HistoryFull)
		}
	}
	if !late && (!sleep(ctx, seam-time.Since(now)) || !send(now.Add(-seam), now)) {
		return
	}
	d.log.Info("every request of the newest history has its logs and spans; older ones have a sample of "+
		"requests only", "back_to", d.cfg.HistoryFull, "requests", stats.Requests, "spans", stats.Spans, "logs", stats.Logs, "took", time.Since(began).Round(time.Second))
}

// arrivals are the requests between two times, as many as the history's metrics tell.
func arrivals(from, to, end time.Time, rps float64, seed uint64) []simulate.Moment {
	const most = 2.0 // times the live rate; the shape is below
	rng := rand.New(rand.NewPCG(seed, uint64(from.UnixNano())))
	var out []simulate.Moment
	for t := from; ; {
		t = t.Add(time.Duration(rng.ExpFloat64() / (rps * most) * float64(time.Second)))
		if !t.Before(to) {
			return out
		}
		if rng.Float64() < shape(t, end)/most {
			out = append(out, simulate.Moment{Time: t})
		}
	}
}
