package metrics

import (
	"fmt"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/signalbox-project/signalbox/internal/ingest/otlp/common"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/stream"
)

// Reasons for which data points are refused before they are translated.
const (
	reasonTemporality = "temporality"
	reasonDelta       = "delta_temporality"
	reasonType        = "metric_type"
	reasonName        = "metric_name"
	reasonConversion  = "conversion"
)

const deltaMessage = "delta temporality is switched off here (otlp.max_delta_streams: 0): set OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative in the sender"

// translation is how OTLP metrics become Prometheus series: names by the
// strategy, as Prometheus has it (see names.go for what that would lose), the short identity
// names and the chosen resource attributes promoted to labels, and the scope, which is a part of
// a metric's identity, as the otel_scope_ labels of the specification. target_info is written by targetinfo.go.
func translation(cfg Config) prometheusremotewrite.Settings {
	names := []string{"service", "namespace", "env", "region", "version", common.TenantAttribute}
	for _, name := range cfg.Promote {
		names = append(names, keep(name))
	}
	return prometheusremotewrite.Settings{
		AddMetricSuffixes:         cfg.Strategy.ShouldAddSuffixes(),
		AllowUTF8:                 !cfg.Strategy.ShouldEscape(),
		DisableTargetInfo:         true,
		PromoteScopeMetadata:      true,
		PromoteResourceAttributes: prometheusremotewrite.NewPromoteResourceAttributes(config.OTLPConfig{PromoteResourceAttributes: names}),
	}
}

// preparation is what became of a request before its translation.
type preparation struct {
	points    int  // data points that came
	delta     bool // there are some of delta temporality
	refused   []stream.Refusal
	exemplars int // that were removed
	warning   string
}

// prepare gives every resource its identity attributes and removes what cannot be
// translated, point by point.
func (t *Translator) prepare(md pmetric.Metrics, from common.Sender) preparation {
	p := preparation{points: md.DataPointCount()}
	md.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
		res, refusal := common.ResourceOf(rm.Resource(), from)
		if refusal != nil { // before deltas are summed up: nobody adds to another namespace's
			p.refused = common.Refuse(p.refused, refusal.Reason, refusal.Message, resourcePoints(rm))
			return true
		}
		setIdentity(rm.Resource().Attributes(), res, t.home)
		dropEmptyKeys(rm.Resource().Attributes())
		keepKeys(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			dropEmptyKeys(sm.Scope().Attributes())
			keepKeys(sm.Scope().Attributes())
			sm.Metrics().RemoveIf(func(m pmetric.Metric) bool {
				if p.metric(m, t.deltas != nil) {
					return true
				}
				if warning := t.families.see(res.Namespace+"/"+res.Service, m); warning != "" {
					p.warning = warning
				}
				return false
			})
		}
		return false
	})
	return p
}

// metric reports whether a metric is to be removed. Data points of delta temporality are,
// unless allowDelta.
func (p *preparation) metric(m pmetric.Metric, allowDelta bool) bool {
	if reason, message := untranslatable(m, allowDelta); reason != "" {
		p.refused = common.Refuse(p.refused, reason, message, metricPoints(m))
		return true
	}
	judgePoints(m, func(v verdict) { p.refused = common.Refuse(p.refused, v.reason, v.message, 1) }, &p.exemplars)
	if metricPoints(m) == 0 {
		return true
	}
	p.delta = p.delta || temporalityOf(m) == pmetric.AggregationTemporalityDelta
	m.SetName(keep(m.Name()))
	return false
}

// setIdentity stores the identity under the short names that are promoted to
// labels; the default tenant has no label.
func setIdentity(attrs pcommon.Map, res *model.Resource, home model.Home) {
	put := func(key, value string) {
		if value == "" {
			attrs.Remove(key)
			return
		}
		attrs.PutStr(key, value)
	}
	if res.Service != common.UnknownService {
		put("service", res.Service)
	}
	put("namespace", res.Namespace)
	put("env", res.Env)
	put("region", res.Region)
	put("version", res.Version)
	put(common.TenantAttribute, home.Label(res.Tenant))
	if _, ok := attrs.Get("service.name"); !ok && res.Service != common.UnknownService {
		attrs.PutStr("service.name", res.Service)
	}
	if instance := instanceOf(res.Instance, attrs); instance != "" {
		attrs.PutStr("service.instance.id", instance)
	}
}

// instanceOf tells senders apart that do not name their instance, which is the
// default of most SDKs: by what runs them, and by the process where several may run there.
func instanceOf(named string, attrs pcommon.Map) string {
	if named != "" {
		return named
	}
	place := ""
	for _, key := range []string{"k8s.pod.uid", "k8s.pod.name", "container.id", "faas.instance", "aws.ecs.task.arn", "host.id", "host.name"} {
		if place = text(attrs, key); place != "" {
			break
		}
	}
	pid := text(attrs, "process.pid")
	if place == "" || pid == "" || pid == "1" { // the one process of a container
		return place
	}
	return place + ":" + pid
}

// untranslatable says why a metric cannot be stored, or "".
func untranslatable(m pmetric.Metric, allowDelta bool) (reason, message string) {
	if m.Name() == "" {
		return reasonName, "a metric has no name"
	}
	switch m.Type() {
	case pmetric.MetricTypeGauge, pmetric.MetricTypeSummary:
		return "", ""
	case pmetric.MetricTypeSum, pmetric.MetricTypeHistogram, pmetric.MetricTypeExponentialHistogram:
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
