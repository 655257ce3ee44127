package metrics

import (
	"context"
	"testing"

	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
	"github.com/signalbox-project/signalbox/internal/ingest/otlp/wire"
)

func fuzzTranslator() *Translator {
	return &Translator{settings: translation(Config{Strategy: otlptranslator.UnderscoreEscapingWithSuffixes})}
}

// Each point of a request is either refused once or translated, whatever stands
// beside it.
func TestReceivedIsStoredAndRefused(t *testing.T) {
	in := fuzzTranslator()
	rapid.Check(t, func(t *rapid.T) {
		md := drawMetrics(t)
		p := in.prepare(md, common.Sender{Scope: access.Scope{All: true}})
		left := md.DataPointCount()
		if left+common.RefusedCount(p.refused) != p.points {
			t.Fatalf("%d points: %d left, %d refused", p.points, left, common.RefusedCount(p.refused))
		}
		want := samplesOf(md)
		app := newCountingAppender(discardAppender{})
		problems, err := in.append(context.Background(), app, md)
		if err != nil || len(problems) > 0 || app.taken != want {
			t.Fatalf("%d of %d samples, problems %v, %v", app.taken, want, problems, err)
		}
	})
}

// samplesOf is how many samples the points of a request stand for.
func samplesOf(md pmetric.Metrics) (n int) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				switch m.Type() {
				case pmetric.MetricTypeHistogram:
					for _, p := range m.Histogram().DataPoints().All() {
						n += 2 + min(p.ExplicitBounds().Len(), p.BucketCounts().Len())
						if p.HasSum() {
							n++
						}
					}
				case pmetric.MetricTypeSummary:
					for _, p := range m.Summary().DataPoints().All() {
						n += 2 + p.QuantileValues().Len()
					}
				default:
					n += metricPoints(m)
				}
			}
		}
	}
	return n
}

func drawMetrics(t *rapid.T) pmetric.Metrics {
	key := rapid.SampledFrom([]string{"", "a", "b.c", "温度", "_", "-", "1x", "__name__", "a\xff"})
	stamp := rapid.SampledFrom([]uint64{0, 1, 1_700_000_000, 1_700_000_000_000_000_000})
	md := pmetric.NewMetrics()
	for range rapid.IntRange(0, 2).Draw(t, "resources") {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr(key.Draw(t, "resource key"), "v")
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Scope().Attributes().PutStr(key.Draw(t, "scope key"), "v")
		for range rapid.IntRange(0, 3).Draw(t, "metrics") {
			m := sm.Metrics().AppendEmpty()
			m.SetName(rapid.SampledFrom([]string{"", "m", "温", "---", "9"}).Draw(t, "name"))
			drawPoints(t, m, func(p dataPoint, set func(uint64)) {
				set(stamp.Draw(t, "time"))
				p.Attributes().PutStr(key.Draw(t, "key"), "v")
			})
		}
	}
	return md
}

func drawPoints(t *rapid.T, m pmetric.Metric, shared func(dataPoint, func(uint64))) {
	n := rapid.IntRange(0, 3).Draw(t, "points")
	counts := rapid.SliceOfN(rapid.Uint64Range(0, 9), 0, 3)
	switch rapid.IntRange(0, 5).Draw(t, "type") {
	case 0:
		for range n {
			p := m.SetEmptyGauge().DataPoints().AppendEmpty()
			shared(p, func(v uint64) { p.SetTimestamp(pcommon.Timestamp(v)) })
			if rapid.Bool().Draw(t, "value") {
				p.SetDoubleValue(1)
			}
		}
	case 1:
		s := m.SetEmptySum()
		s.SetAggregationTemporality(pmetric.AggregationTemporality(rapid.IntRange(0, 2).Draw(t, "temporality")))
		for range n {
			p := s.DataPoints().AppendEmpty()
			p.SetIntValue(1)
			shared(p, func(v uint64) { p.SetTimestamp(pcommon.Timestamp(v)) })
			if e := p.Exemplars().AppendEmpty(); rapid.Bool().Draw(t, "exemplar") {
				e.SetDoubleValue(1)
			}
		}
	case 2:
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		for range n {
			p := h.DataPoints().AppendEmpty()
			p.BucketCounts().FromRaw(counts.Draw(t, "counts"))
			p.ExplicitBounds().FromRaw(rapid.SliceOfN(rapid.SampledFrom([]float64{0, 1, 2}), 0, 2).Draw(t, "bounds"))
			shared(p, func(v uint64) { p.SetTimestamp(pcommon.Timestamp(v)) })
		}
	case 3:
		h := m.SetEmptyExponentialHistogram()
		h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		for range n {
			p := h.DataPoints().AppendEmpty()
			p.SetScale(rapid.Int32Range(-6, 22).Draw(t, "scale"))
			p.Positive().BucketCounts().FromRaw(counts.Draw(t, "counts"))
			p.Positive().SetOffset(rapid.Int32Range(-5, 5).Draw(t, "offset"))
			shared(p, func(v uint64) { p.SetTimestamp(pcommon.Timestamp(v)) })
		}
	case 4:
		s := m.SetEmptySummary()
		for range n {
			p := s.DataPoints().AppendEmpty()
			p.QuantileValues().AppendEmpty().SetQuantile(0.5)
			shared(p, func(v uint64) { p.SetTimestamp(pcommon.Timestamp(v)) })
		}
	}
}

func FuzzMetrics(f *testing.F) {
	md := pmetric.NewMetrics()
	ms := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for i, set := range []func(pmetric.Metric){
		func(m pmetric.Metric) { m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(3) },
		func(m pmetric.Metric) {
			m.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			m.Sum().DataPoints().AppendEmpty().Exemplars().AppendEmpty().SetDoubleValue(1)
		},
		func(m pmetric.Metric) {
			m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			m.Histogram().DataPoints().AppendEmpty().BucketCounts().FromRaw([]uint64{1, 2})
		},
		func(m pmetric.Metric) {
			m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			m.ExponentialHistogram().DataPoints().AppendEmpty().Positive().BucketCounts().FromRaw([]uint64{1, 2})
		},
		func(m pmetric.Metric) {
			m.SetEmptySummary().DataPoints().AppendEmpty().QuantileValues().AppendEmpty().SetValue(2)
		},
	} {
		m := ms.AppendEmpty()
		m.SetName("m" + string(rune('a'+i)))
		set(m)
	}
	req := pmetricotlp.NewExportRequestFromMetrics(md)
	binary, _ := req.MarshalProto()
	f.Add(binary, false)
	text, _ := req.MarshalJSON()
	f.Add(text, true)
	in, reader := fuzzTranslator(), wire.NewReader()
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		m, _, err := reader.Metrics(body, isJSON)
		if err != nil {
			return
		}
		p := in.prepare(m, common.Sender{Scope: access.Scope{All: true}})
		if left := m.DataPointCount(); left+common.RefusedCount(p.refused) != p.points {
			t.Fatalf("%d points: %d left, %d refused", p.points, left, common.RefusedCount(p.refused))
		}
		// Every point that is left is translated: received = stored + refused.
		if problems, err := in.append(t.Context(), newCountingAppender(discardAppender{}), m); err != nil || len(problems) > 0 {
			t.Errorf("append: %v, problems %v", err, problems)
		}
	})
}

// discardAppender takes everything.
type discardAppender struct{}

func (discardAppender) Append(storage.SeriesRef, labels.Labels, int64, int64, float64, *histogram.Histogram, *histogram.FloatHistogram, storage.AOptions) (storage.SeriesRef, error) {
	return 1, nil
}
func (discardAppender) Commit() error   { return nil }
func (discardAppender) Rollback() error { return nil }

func TestARequestEndsWithItsClient(t *testing.T) {
	in := fuzzTranslator()
	md := pmetric.NewMetrics()
	for range 1000 {
		p := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		p.SetName("m")
		p.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	app := newCountingAppender(discardAppender{})
	if _, err := in.append(ctx, app, md); err == nil || app.taken > 128 {
		t.Errorf("%d samples taken after the client went, %v", app.taken, err)
	}
}
