package indicator

import (
	"context"
	"fmt"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

// AtPeak counts what is bad at peak by the objective of the peak: there an
// error of 2 % against an objective of 98 % spends what 1 % against 99 % does otherwise.
type AtPeak struct {
	Source
	Calendar *openslo.PeakCalendar
	Scale    float64
}

// Identity is Source's.
func (s *AtPeak) Identity() string {
	return fmt.Sprint("peak ", s.Calendar.Zone, s.Calendar.Weekly, s.Calendar.Dates, s.Scale, s.Source.Identity())
}

// at scales what ended after a minute that began at start.
func (s *AtPeak) at(c ledger.Cell, start time.Time) ledger.Cell {
	if s.Calendar.Active(start) {
		c.Bad *= s.Scale
	}
	return c
}

// Cells reads minutes, so that a slot may begin normal and end at peak.
func (s *AtPeak) Cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	fine, err := s.Source.Cells(ctx, q, from, to, time.Minute)
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Cell, int(to.Sub(from)/width))
	for i, c := range fine {
		at := time.Duration(i) * time.Minute
		if k := int(at / width); k < len(out) {
			out[k] = out[k].Add(s.at(c, from.Add(at)))
		}
	}
	return out, nil
}

// Live is Source's.
func (s *AtPeak) Live(ctx context.Context, q Querier, from, to time.Time) (sum ledger.Cell, err error) {
	for start := from; start.Before(to); {
		end := start
		for active := s.Calendar.Active(start); end.Before(to) && s.Calendar.Active(end) == active; {
			end = times.Earlier(end.Truncate(time.Minute).Add(time.Minute), to)
		}
		c, err := s.Source.Live(ctx, q, start, end)
		if err != nil {
			return sum, err
		}
		sum, start = sum.Add(s.at(c, start)), end
	}
	return sum, nil
}

// Inner is what a source reads, whatever a calendar makes of it.
func Inner(src Source) Source {
	if p, ok := src.(*AtPeak); ok {
		return p.Source
	}
	return src
}

// RatioOf finds the counters that a source counts by, nil when it reads anything else.
func RatioOf(src Source) *Ratio {
	switch s := Inner(src).(type) {
	case *Ratio:
		return s
	case *Slices:
		ratio, _ := s.Counts.(*Ratio)
		return ratio
	}
	return nil
}

// ValuesOf finds the values that a source judges, nil when it counts events.
func ValuesOf(src Source) *Values {
	switch s := Inner(src).(type) {
	case *Values:
		return s
	case *Slices:
		values, _ := s.Counts.(*Values)
		return values
	}
	return nil
}
