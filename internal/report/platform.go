package report

import (
	"context"
	"errors"
	"time"

	"github.com/signalbox-project/signalbox/internal/budget"
	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/report/archive"
	"github.com/signalbox-project/signalbox/internal/report/paper"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
)

// platformObjective is what Signalbox promises of itself.
const platformObjective = 0.9999

// platformDocument counts the minutes in which the SLO engine recorded its
// results: it does so every 15 s while the process runs and can write.
const platformDocument = `apiVersion: openslo/v1
kind: SLO
metadata: {name: signalbox.platform}
spec:
  service: signalbox
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.9999, op: gt, value: 0, timeSliceTarget: 1, timeSliceWindow: 1m}]
  indicator:
    spec:
      thresholdMetric: {metricSource: {spec: {query: 'count(last_over_time(signalbox_slo_objective[1m]))'}}}
`

// platformSettles is how late its own results may be seen.
const platformSettles = 2 * time.Minute

func platformDefinition() (*slo.Definition, error) {
	defs, problems := definition.Parse("platform", []byte(platformDocument))
	var errs []error
	for _, p := range problems {
		errs = append(errs, p)
	}
	if len(defs) != 1 || len(errs) > 0 {
		return nil, errors.Join(append(errs, errors.New("the platform's own SLO does not read"))...)
	}
	return defs[0], nil
}

// platform is how much of the period Signalbox itself was at work; nil where it stored
// nothing about itself. A minute without results is down, if there were results before.
func (w *work) platform(ctx context.Context) (*paper.Platform, error) {
	end := times.Earlier(w.period.end, w.asOf.Add(-platformSettles))
	tl, err := w.archive.Load(ctx, w.self, w.period.start.Add(-archive.DayWidth), end, w.now, nil)
	if err != nil {
		return nil, err
	}
	if err := w.archive.Refine(ctx, w.self, tl, w.now, end); err != nil {
		return nil, err
	}
	start, ok := tl.Since(w.period.start.Add(-archive.DayWidth), end)
	if !ok {
		return nil, nil
	}
	if start, err = w.firstMinute(ctx, tl, start); err != nil {
		return nil, err
	}
	start = times.Later(start, w.period.start)
	known := end.Sub(start).Minutes()
	up := min(known, tl.Sum(start.Truncate(archive.SlotWidth), end).Minutes)
	if known <= 0 {
		return nil, nil
	}
	achieved := paper.Tidy(up / known)
	out := &paper.Platform{
		Objective: platformObjective, Since: start.In(w.req.Zone), Achieved: &achieved,
		UpMinutes: paper.Tidy(up), DownMinutes: paper.Tidy(known - up), KnownMinutes: paper.Tidy(known), Gaps: gaps(tl, start, end, w.req.Zone),
	}
	whole, over := w.period.end.Sub(w.period.start).Minutes(), !w.period.end.After(w.asOf)
	switch {
	case known-up > budget.Minutes(platformObjective, w.period.end.Sub(w.period.start))+1e-9:
		out.Verdict = paper.Missed
	case known < minCoverage*min(whole, w.end().Sub(w.period.start).Minutes()):
		out.Verdict = paper.Unknown
	case over && achieved < platformObjective:
		out.Verdict = paper.Missed
	case over:
		out.Verdict = paper.Met
	case achieved < platformObjective:
		out.Verdict = paper.AtRisk
	default:
		out.Verdict = paper.OnTrack
	}
	return out, nil
}

// firstMinute is the first with data of the slot that holds start; where the samples
// are gone, the slot counts as if it had ended with data.
func (w *work) firstMinute(ctx context.Context, tl *archive.Timeline, start time.Time) (time.Time, error) {
	slot := start.UTC().Truncate(archive.SlotWidth)
	if err := w.archive.Refine(ctx, w.self, tl, w.now, slot.Add(time.Minute)); err != nil {
		return start, err
	}
	for i, c := range tl.Minutes(slot) {
		if c.Minutes > 0 {
			return slot.Add(time.Duration(i) * time.Minute), nil
		}
	}
	return slot.Add(archive.SlotWidth - time.Duration(tl.Slot(slot).Minutes*float64(time.Minute))), nil
}

// gaps are the quarters of an hour with minutes missing, neighbours joined;
// their seconds are exact.
func gaps(tl *archive.Timeline, start, end time.Time, zone *time.Location) []paper.Episode {
	out := []paper.Episode{}
	for at := start; at.Before(end); at = at.Truncate(archive.SlotWidth).Add(archive.SlotWidth) {
		slot := at.Truncate(archive.SlotWidth)
		next := times.Earlier(slot.Add(archive.SlotWidth), end)
		missing := next.Sub(at).Minutes() - tl.Sum(slot, next).Minutes
		if missing < 0.5 {
			continue
		}
		if n := len(out); n > 0 && out[n-1].End.Equal(at) {
			out[n-1].End, out[n-1].Seconds = next.In(zone), paper.Tidy(out[n-1].Seconds+60*missing)
			continue
		}
		if len(out) == maxListed {
			break
		}
		out = append(out, paper.Episode{Start: at.In(zone), End: next.In(zone), Seconds: paper.Tidy(60 * missing), Downtime: true})
	}
	return out
}
