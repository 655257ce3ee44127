package indicator

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/human"
	"github.com/signalbox-project/signalbox/internal/slo/ledger"
)

// FaultKind says which rule a measurement breaks.
type FaultKind string

// The kinds of faults.
const (
	NotARatio       FaultKind = "not a ratio"       // a ready ratio outside 0…1
	NotFinite       FaultKind = "not finite"        // a count without end
	GoodAboveTotal  FaultKind = "good above total"  // more good events than events
	BadAboveTotal   FaultKind = "bad above total"   // more bad events than events
	TotalBelowZero  FaultKind = "total below zero"  // fewer events than none
	PartBelowZero   FaultKind = "part below zero"   // fewer good or bad events than none
	NativeHistogram FaultKind = "native histogram"  // histograms where numbers are counted
	UnknownMetric   FaultKind = "metric never seen" // nothing is stored under the name
)

// Fault is a measurement that cannot be: no verdict rests on it.
type Fault struct {
	Kind   FaultKind
	Value  float64       // the offending value or count
	Total  float64       // what it exceeds, of counts
	Window time.Duration // what was counted over, of counts
	Metric string        // of NativeHistogram and UnknownMetric
}

// Reason says what was measured.
func (f *Fault) Reason() string {
	over := " in " + human.Duration(f.Window)
	switch f.Kind {
	case NotARatio:
		return fmt.Sprintf("The ratio is %s, which is not between 0 and 1.", human.Number(f.Value))
	case GoodAboveTotal:
		return fmt.Sprintf("There were more good events (%s) than events (%s)%s.", human.Number(f.Value), human.Number(f.Total), over)
	case BadAboveTotal:
		return fmt.Sprintf("There were more bad events (%s) than events (%s)%s.", human.Number(f.Value), human.Number(f.Total), over)
	case TotalBelowZero:
		return fmt.Sprintf("The number of events is negative (%s%s).", human.Number(f.Value), over)
	case PartBelowZero:
		return fmt.Sprintf("The number of good or bad events is negative (%s%s).", human.Number(f.Value), over)
	case NativeHistogram:
		return fmt.Sprintf("No numbers to count: %s is stored as a native histogram.", f.Metric)
	case UnknownMetric:
		return fmt.Sprintf("Nothing has ever been stored under the name %s.", f.Metric)
	}
	return fmt.Sprintf("The query counts %v events.", f.Value)
}

// Cure says what to do about it.
func (f *Fault) Cure() string {
	switch f.Kind {
	case NotARatio:
		if f.Value > 1 && f.Value <= 100 {
			return "Divide by 100 if it is in percent: the query must answer 0 to 1."
		}
		return "Make the query answer 0 to 1."
	case NativeHistogram:
		return "Count with histogram_count(…), or histogram_fraction(0, limit, …) * histogram_count(…) for those below a limit."
	case UnknownMetric:
		return "Check the metric's name, and that its sender runs."
	case NotFinite:
		return "Make the query answer finite numbers."
	}
	return "Check that both queries select the same events, each counted once."
}

// tolerance takes up binary fractions of ratios that were computed.
const tolerance = 1e-9

// aRatio reports whether a value can be a share.
func aRatio(v float64) bool { return v >= -tolerance && v <= 1+tolerance }

// What two counters may differ by though nothing is wrong: they are scraped one after the
// other, so what came in skew may be in one of them only; and a series that begins loses its first
// events.
const (
	skew      = 2 * time.Minute
	skewShare = 0.001
)

// FaultOf asks whether what is measured now cannot be; nil when it can. What was counted
// over longer times is for Exceeds.
func FaultOf(ctx context.Context, src Source, q Querier, now time.Time) (*Fault, error) {
	switch s := Inner(src).(type) {
	case *Values:
		return s.fault(ctx, q, now)
	case *Ratio:
		if src != s { // a calendar scales what is bad: sums do not tell
			return s.fault(ctx, q, now, time.Hour)
		}
		return s.fault(ctx, q, now, maxScrape)
	case *Slices:
		switch counts := s.Counts.(type) {
		case *Values:
			return counts.fault(ctx, q, now)
		case *Ratio:
			return counts.fault(ctx, q, now, max(s.Slice, time.Hour))
		}
	}
	return nil, nil
}

// Exceeds is the fault of what a source counted over a window, nil when such a sum can be.
func Exceeds(src Source, c ledger.Cell, window time.Duration) *Fault {
	if s, ok := src.(*Ratio); ok {
		return s.exceeds(c, window)
	}
	return nil
}

func (s *Values) fault(ctx context.Context, q Querier, now time.Time) (*Fault, error) {
	if s.Op != "" {
		return nil, nil
	}
	samples, err := q.Instant(ctx, s.Query.Text, now)
	for _, v := range samples {
		if !aRatio(v.Value) {
			return &Fault{Kind: NotARatio, Value: v.Value}, err
		}
	}
	return nil, err
}

// fault counts anew; over all but short windows that costs.
func (s *Ratio) fault(ctx context.Context, q Querier, now time.Time, window time.Duration) (*Fault, error) {
	total, has, err := countAt(ctx, q, s.Total, window, now)
	if err != nil || !has {
		return nil, err
	}
	part, hasPart, err := countAt(ctx, q, s.part(), window, now)
	if err != nil {
		return nil, err
	}
	if !hasPart {
		if noNumber, err := s.noNumber(ctx, q, now); noNumber || err != nil {
			return &Fault{Kind: NotFinite, Value: math.NaN()}, err
		}
	}
	for _, v := range []float64{total, part} {
		if !finite(v) {
			return &Fault{Kind: NotFinite, Value: v, Window: window}, nil
		}
	}
	return s.exceeds(s.cell(total, part, true, window.Minutes()), window), nil
}

// noNumber reports whether the query of bad events answers something that is no number: taken for
// none it would be a failure that nobody sees. Of good events Unseen tells.
func (s *Ratio) noNumber(ctx context.Context, q Querier, now time.Time) (bool, error) {
	if s.Bad == nil {
		return false, nil
	}
	if _, stored, err := countAt(ctx, q, s.Bad, 0, now); err != nil || !stored {
		return false, err
	}
	count := s.Bad.Over(maxScrape)
	v, has, err := value(ctx, q, "("+count+") != bool ("+count+")", now)
	return has && v == 1, err
}

// exceeds is the fault of counts that differ by more than skew explains.
func (s *Ratio) exceeds(c ledger.Cell, window time.Duration) *Fault {
	slack := 1 + math.Abs(c.Total)*max(skewShare, skew.Minutes()/max(c.Minutes, skew.Minutes()))
	part := c.Bad
	if s.Good != nil {
		part = c.Total - c.Bad
	}
	switch {
	case c.Total < -slack:
		return &Fault{Kind: TotalBelowZero, Value: c.Total, Window: window}
	case part < -slack:
		return &Fault{Kind: PartBelowZero, Value: part, Window: window}
	case part > c.Total+slack && s.Good != nil:
		return &Fault{Kind: GoodAboveTotal, Value: part, Total: c.Total, Window: window}
	case part > c.Total+slack:
		return &Fault{Kind: BadAboveTotal, Value: part, Total: c.Total, Window: window}
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Within is a sum of cells as a verdict may use it: what skew between counters left over
// or under is cut off once, where the window ends, so that a burst that one counter shows
// earlier than the other is not counted as bad.
func Within(src Source, c ledger.Cell) ledger.Cell {
	most := 1.0
	if p, ok := src.(*AtPeak); ok {
		most = max(1, p.Scale)
	}
	c.Total = max(c.Total, 0)
	c.Bad = min(max(c.Bad, 0), c.Total*most)
	return c
}
