package metrics

import (
	"strconv"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// zeroLabel carries the zero threshold of an exponential histogram through the
// translation, which drops it: what lies within ±threshold would be taken for almost exactly zero.
const zeroLabel = placeholder + "_zero_threshold"

// markZero notes the thresholds of a resource's exponential histograms.
func markZero(rm pmetric.ResourceMetrics) {
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			if m.Type() != pmetric.MetricTypeExponentialHistogram {
				continue
			}
			for _, p := range m.ExponentialHistogram().DataPoints().All() {
				if p.ZeroThreshold() > 0 {
					p.Attributes().PutStr(zeroLabel, strconv.FormatFloat(p.ZeroThreshold(), 'g', -1, 64))
				}
			}
		}
	}
}

// withZero gives a histogram the threshold that its labels carry.
func withZero(ls labels.Labels, h *histogram.Histogram) labels.Labels {
	if h == nil {
		return ls
	}
	text := ls.Get(zeroLabel)
	if text == "" {
		return ls
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		h.ZeroThreshold = v
	}
	return labels.NewBuilder(ls).Del(zeroLabel).Labels()
}
