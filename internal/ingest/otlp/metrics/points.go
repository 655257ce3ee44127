package metrics

import (
	"fmt"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Reasons for which single data points are refused before they are translated.
// The translation gives up a metric at its first bad point, so that each point is judged here.
const (
	reasonTime    = "timestamp_unset"
	reasonUnit    = "timestamp_unit"
	reasonKey     = "attribute_key"
	reasonNoValue = "no_value"
	reasonBuckets = "histogram_buckets"
	reasonScale   = "histogram_scale"
	reasonBelow   = "negative_counter"
)

// minScale is the smallest exponential scale that native histograms have.
const minScale = -4

// verdict is why a point is refused; the zero verdict takes it.
type verdict struct{ reason, message string }

// dataPoint is what points of all kinds have in common.
type dataPoint interface {
	Attributes() pcommon.Map
	Timestamp() pcommon.Timestamp
	Flags() pmetric.DataPointFlags
}

// judge looks at what points of all kinds have.
func judge(p dataPoint) verdict {
	t := uint64(p.Timestamp())
	switch {
	case t == 0:
		return verdict{reasonTime, "a data point has no time: set timeUnixNano"}
	case t < model.EarliestNanos:
		return verdict{reasonUnit, fmt.Sprintf("the time %d is %s, not nanoseconds, since 1970", t, model.UnitOf(int64(t)))}
	}
	if keepKeys(p.Attributes()) {
		return verdict{reasonKey, "a data point has an attribute without a key"}
	}
	return verdict{}
}

// judgePoints removes the points of a metric that cannot be stored and tells
// refuse why, one by one.
func judgePoints(m pmetric.Metric, refuse func(verdict), lostExemplars *int) {
	drop := func(v verdict) bool {
		if v.reason == "" {
			return false
		}
		v.message = fmt.Sprintf("metric %q: %s", m.Name(), v.message)
		refuse(v)
		return true
	}
	number := func(p pmetric.NumberDataPoint) bool {
		*lostExemplars += cleanExemplars(p.Exemplars(), p.Timestamp())
		return drop(judgeNumber(p, m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic()))
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		m.Gauge().DataPoints().RemoveIf(number)
	case pmetric.MetricTypeSum:
		m.Sum().DataPoints().RemoveIf(number)
	case pmetric.MetricTypeHistogram:
		m.Histogram().DataPoints().RemoveIf(func(p pmetric.HistogramDataPoint) bool {
			*lostExemplars += cleanExemplars(p.Exemplars(), p.Timestamp())
			return drop(judgeHistogram(p))
		})
	case pmetric.MetricTypeExponentialHistogram:
		m.ExponentialHistogram().DataPoints().RemoveIf(func(p pmetric.ExponentialHistogramDataPoint) bool {
			*lostExemplars += cleanExemplars(p.Exemplars(), p.Timestamp())
			return drop(judgeExponential(p))
		})
	case pmetric.MetricTypeSummary:
		m.Summary().DataPoints().RemoveIf(func(p pmetric.SummaryDataPoint) bool { return drop(judge(p)) })
	}
}

func judgeNumber(p pmetric.NumberDataPoint, counts bool) verdict {
	switch {
	case p.ValueType() == pmetric.NumberDataPointValueTypeEmpty && !p.Flags().NoRecordedValue():
		return verdict{reasonNoValue, "a data point has neither asDouble nor asInt (JavaScript writes null for NaN)"}
	case counts && (p.DoubleValue() < 0 || p.IntValue() < 0):
		// rate() would take the step below zero for a reset and count what never happened.
		return verdict{reasonBelow, "a counter is below zero: use an UpDownCounter for what also falls"}
	}
	return judge(p)
}

func judgeHistogram(p pmetric.HistogramDataPoint) verdict {
	bounds, counts := p.ExplicitBounds(), p.BucketCounts()
	if counts.Len() != 0 && counts.Len() != bounds.Len()+1 {
		return verdict{reasonBuckets, fmt.Sprintf("a histogram has %d bucket counts for %d bounds; there must be one more than bounds", counts.Len(), bounds.Len())}
	}
	for i := range bounds.Len() {
		if b := bounds.At(i); math.IsNaN(b) || i > 0 && b <= bounds.At(i-1) {
			return verdict{reasonBuckets, "a histogram's bounds do not increase"}
		}
	}
	return judge(p)
}

func judgeExponential(p pmetric.ExponentialHistogramDataPoint) verdict {
	if p.Scale() < minScale {
		return verdict{reasonScale, fmt.Sprintf("exponential histogram scale %d is below %d", p.Scale(), minScale)}
	}
	return judge(p)
}

// cleanExemplars removes exemplars without a value and answers how many. One without a time
// has its point's.
func cleanExemplars(list pmetric.ExemplarSlice, at pcommon.Timestamp) int {
	before := list.Len()
	list.RemoveIf(func(e pmetric.Exemplar) bool { return e.ValueType() == pmetric.ExemplarValueTypeEmpty })
	for _, e := range list.All() {
		if e.Timestamp() == 0 {
			e.SetTimestamp(at)
		}
	}
	return before - list.Len()
}
