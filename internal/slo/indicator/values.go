package indicator

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/times"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
	"github.com/signalbox-project/signalbox/internal/slo/promexpr"
)

// Values judges values, one a minute and series: a threshold, or a raw
// ratio. Cells are in minutes of series.
type Values struct {
	Query   *promexpr.Vector
	Op      string // lt, lte, gt or gte; "": the value is a ratio
	Limit   float64
	Success bool // the ratio is of good events

	Peak      *openslo.PeakCalendar // PeakLimit counts instead of Limit at its peaks
	PeakLimit float64
}

// LimitAt is the threshold at a time.
func (s *Values) LimitAt(at time.Time) float64 {
	if s.Peak != nil && s.Peak.Active(at) {
		return s.PeakLimit
	}
	return s.Limit
}

// Reread is Source's.
func (s *Values) Reread() time.Duration { return usualReread }

// Identity is Source's.
func (s *Values) Identity() string {
	text := fmt.Sprint("samples by minute ", s.Op, s.Limit, s.Success)
	if s.Peak != nil {
		text += fmt.Sprint(s.PeakLimit, s.Peak.Zone, s.Peak.Weekly, s.Peak.Dates)
	}
	return text
}

// Newest is Source's.
func (s *Values) Newest(ctx context.Context, q Querier, now time.Time) (time.Time, bool, error) {
	return newest(ctx, q, s.Query.LastSample(), now)
}

// bad is the bad share of one value that stands for the time since start.
func (s *Values) bad(v float64, start time.Time) float64 {
	var good bool
	limit := s.LimitAt(start)
	switch s.Op {
	case "lt":
		good = v < limit
	case "lte":
		good = v <= limit
	case "gt":
		good = v > limit
	case "gte":
		good = v >= limit
	default:
		bad := min(max(v, 0), 1) // but for binary fractions it is so: see fold
		if s.Success {
			bad = 1 - bad
		}
		return bad
	}
	if good {
		return 0
	}
	return 1
}

// valueStep is the distance of the values that are judged: whatever history is
// read into, an SLO that is read again must come out the same.
const valueStep = time.Minute

// maxValues bounds the values of one series that one query answers.
const maxValues = 24 * 60

func (s *Values) counted(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	return s.Cells(ctx, q, from, to, width)
}

// Cells is Source's.
func (s *Values) Cells(ctx context.Context, q Querier, from, to time.Time, width time.Duration) ([]ledger.Cell, error) {
	out := make([]ledger.Cell, int(to.Sub(from)/width))
	for at := from; at.Before(to); {
		end := times.Earlier(at.Add(maxValues*valueStep), to)
		values, err := s.values(ctx, q, at, end)
		if err != nil {
			return nil, err
		}
		for k, c := range values {
			if i := int(at.Add(time.Duration(k)*valueStep).Sub(from) / width); i < len(out) {
				out[i] = out[i].Add(c)
			}
		}
		at = end
	}
	return out, nil
}

// values judges (from, to] value by value.
func (s *Values) values(ctx context.Context, q Querier, from, to time.Time) ([]ledger.Cell, error) {
	series, err := q.Range(ctx, s.Query.Text, from.Add(valueStep), to, valueStep)
	if err != nil {
		return nil, err
	}
	values := make([]ledger.Cell, int(to.Sub(from)/valueStep))
	for _, sr := range series {
		for _, p := range sr.Points {
			k := int(p.Time.Sub(from)/valueStep) - 1
			if k >= 0 && k < len(values) {
				values[k] = s.fold(values[k], p.Value, p.Time.Add(-valueStep), valueStep.Minutes())
			}
		}
	}
	return values, nil
}

// fold adds one series' value, which stands for the minutes since start, to the cell of that time.
// What cannot be a ratio is no data; FaultOf names it.
func (s *Values) fold(c ledger.Cell, v float64, start time.Time, minutes float64) ledger.Cell {
	if math.IsNaN(v) || s.Op == "" && !aRatio(v) {
		return c
	}
	return ledger.Cell{Bad: c.Bad + s.bad(v, start)*minutes, Total: c.Total + minutes, Minutes: minutes}
}

// Live is Source's.
func (s *Values) Live(ctx context.Context, q Querier, from, to time.Time) (c ledger.Cell, err error) {
	if !to.After(from) {
		return c, nil
	}
	// Full minutes of the past count with their own values, the current one
	// with the value of now.
	whole := to.Truncate(time.Minute)
	if whole.After(from) {
		cells, err := s.Cells(ctx, q, from, whole, time.Minute)
		if err != nil {
			return c, err
		}
		for _, m := range cells {
			c = c.Add(m)
		}
	}
	if !to.After(whole) {
		return c, nil
	}
	samples, err := q.Instant(ctx, s.Query.Text, to)
	if err != nil {
		return c, err
	}
	var now ledger.Cell
	for _, v := range samples {
		now = s.fold(now, v.Value, whole, to.Sub(whole).Minutes())
	}
	return c.Add(now), nil
}
