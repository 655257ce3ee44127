package otlp

import (
	"fmt"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// Reasons for which data points are refused before they are translated.
const (
	reasonTemporality = "temporality"
	reasonDelta       = "delta_temporality"
	reasonType        = "metric_type"
	reasonName        = "metric_name"
	reasonScale       = "histogram_scale"
	reasonConversion  = "conversion"
)

const deltaMessage = "delta temporality is switched off here (otlp.max_delta_streams: 0): set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative in the sender"

// minScale is the smallest exponential scale that native histograms have.
const minScale = -4

// translation is how OTLP metrics become Prometheus series: names escaped with
// suffixes as Prometheus does by default, and the short identity names promoted to labels.
func translation() prometheusremotewrite.Settings {
	return prometheusremotewrite.Settings{
		AddMetricSuffixes: true,
		PromoteResourceAttributes: prometheusremotewrite.NewPromoteResourceAttributes(config.OTLPConfig{
			PromoteResourceAttributes: []string{"service", "namespace", "env", "region", "version", tenantAttribute},
		}),
	}
}

// prepareMetrics gives every resource its identity attributes, removes what
// cannot be translated, and returns the number of data points that came and why some will not
// be stored. Data points of delta temporality are removed unless allowDelta.
func prepareMetrics(md pmetric.Metrics, headerTenant string, allowDelta bool) (points int, hasDelta bool, refused []stream.Refusal) {
	points = md.DataPointCount()
	md.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
		res, err := resourceOf(rm.Resource(), headerTenant)
		if err != nil {
			refused = addRefusal(refused, reasonTenant, err.Error(), resourcePoints(rm))
			return true
		}
		setIdentity(rm.Resource().Attributes(), res)
		for _, sm := range rm.ScopeMetrics().All() {
			sm.Metrics().RemoveIf(func(m pmetric.Metric) bool {
				reason, message := untranslatable(m, allowDelta)
				if reason != "" {
					refused = addRefusal(refused, reason, message, metricPoints(m))
					return true
				}
				hasDelta = hasDelta || temporalityOf(m) == pmetric.AggregationTemporalityDelta
				return false
			})
		}
		return false
	})
	return points, hasDelta, refused
}

// setIdentity stores the identity under the short names that are promoted to
// labels; the default tenant has no label.
func setIdentity(attrs pcommon.Map, res *model.Resource) {
	put := func(key, value string) {
		if value == "" {
			attrs.Remove(key)
			return
		}
		attrs.PutStr(key, value)
	}
	if res.Service != unknownService {
		put("service", res.Service)
	}
	put("namespace", res.Namespace)
	put("env", res.Env)
	put("region", res.Region)
	put("version", res.Version)
	tenant := res.Tenant
	if tenant == model.DefaultTenant {
		tenant = ""
	}
	put(tenantAttribute, tenant)
	if _, ok := attrs.Get("service.name"); !ok && res.Service != unknownService {
		attrs.PutStr("service.name", res.Service)
	}
	if res.Instance != "" {
		attrs.PutStr("service.instance.id", res.Instance)
	}
}

// untranslatable says why a metric cannot be stored, or "".
func untranslatable(m pmetric.Metric, allowDelta bool) (reason, message string) {
	if m.Name() == "" {
		return reasonName, "a metric has no name"
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge, pmetric.MetricTypeSummary:
		return "", ""
	case pmetric.MetricTypeExponentialHistogram:
		points := m.ExponentialHistogram().DataPoints()
		for _, p := range points.All() {
			if p.Scale() < minScale {
				return reasonScale, fmt.Sprintf("metric %q: exponential histogram scale %d is below %d", m.Name(), p.Scale(), minScale)
			}
		}
	case pmetric.MetricTypeSum, pmetric.MetricTypeHistogram:
	default:
		return reasonType, fmt.Sprintf("metric %q has no data or a type that is not supported", m.Name())
	}
	switch temporalityOf(m) {
	case pmetric.AggregationTemporalityCumulative:
		return "", ""
	case pmetric.AggregationTemporalityDelta:
		if allowDelta {
			return "", ""
		}
		return reasonDelta, fmt.Sprintf("metric %q: %s", m.Name(), deltaMessage)
	}
	return reasonTemporality, fmt.Sprintf("metric %q has no aggregation temporality", m.Name())
}

func temporalityOf(m pmetric.Metric) pmetric.AggregationTemporality {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().AggregationTemporality()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().AggregationTemporality()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().AggregationTemporality()
	}
	return pmetric.AggregationTemporalityUnspecified
}

func metricPoints(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	}
	return 0
}

func resourcePoints(rm pmetric.ResourceMetrics) (n int) {
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			n += metricPoints(m)
		}
	}
	return n
}
