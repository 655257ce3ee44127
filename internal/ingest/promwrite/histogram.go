package promwrite

import "github.com/prometheus/prometheus/model/histogram"

// nativeHistogram is what the histograms of both versions have in common.
type nativeHistogram interface {
	IsFloatHistogram() bool
	ToIntHistogram() *histogram.Histogram
	ToFloatHistogram() *histogram.FloatHistogram
}
