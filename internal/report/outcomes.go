package report

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/report/paper"
)

// uptimeTarget is what watched services are to achieve on average.
const uptimeTarget = 0.9995

// outcomes compares with what the platform is there for, and with the period before.
func (w *work) outcomes(ctx context.Context, slos []*sloWork, pages []paper.Page) (paper.Outcomes, error) {
	out := paper.Outcomes{UptimeTarget: uptimeTarget}
	var sum float64
	for _, p := range slos {
		if a := p.out.Contract.Achieved; a != nil && p.out.Kind == kindErrors {
			out.SLOs++
			sum += *a
		}
	}
	if out.SLOs > 0 {
		mean := paper.Tidy(sum / float64(out.SLOs))
		out.Uptime = &mean
	}
	var before []paper.Page
	if n := len(w.trend); n > 1 {
		var err error
		if before, err = w.pagesIn(ctx, slos, w.trend[n-2].start, w.trend[n-2].end); err != nil {
			return out, err
		}
	}
	out.Detect = change(pages, before, func(p paper.Page) *float64 { return p.DetectSecs })
	out.Resolve = change(pages, before, func(p paper.Page) *float64 { return p.SolveSecs })
	return out, nil
}

func change(now, before []paper.Page, of func(paper.Page) *float64) (c paper.Change) {
	c.MeanSeconds, c.Known = meanOf(now, of)
	c.BeforeSeconds, c.KnownBefore = meanOf(before, of)
	if c.MeanSeconds != nil && c.BeforeSeconds != nil && *c.BeforeSeconds > 0 {
		v := paper.Tidy(*c.MeanSeconds / *c.BeforeSeconds - 1)
		c.Change = &v
	}
	return c
}

// meanOf is the mean over the pages that woke somebody.
func meanOf(pages []paper.Page, of func(paper.Page) *float64) (*float64, int) {
	var sum float64
	n := 0
	for _, p := range pages {
		if v := of(p); v != nil && wakes(p) {
			sum, n = sum+*v, n+1
		}
	}
	if n == 0 {
		return nil, 0
	}
	mean := paper.Tidy(sum / float64(n))
	return &mean, n
}
