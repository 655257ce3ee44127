package metrics

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// maxOrigins bounds the metrics that are watched; beyond it watching begins anew.
const maxOrigins = 20_000

// families notices that two metrics of one service get one name by the translation, a.b and a_b
// for example, or a metric and another of its type: their samples mix.
type families struct {
	log   *slog.Logger
	count prometheus.Counter
	namer otlptranslator.MetricNamer
	now   func() time.Time

	mu       sync.Mutex
	origins  map[origin]string // a warning, or "" for a metric that is alone with its name
	families map[family]origin // that had the name first
	logged   time.Time
}

// origin is a metric as a service sends it.
type origin struct {
	service, name, unit string
	kind                otlptranslator.MetricType
}

type family struct{ service, name string }

func newFamilies(s otlptranslator.TranslationStrategyOption, log *slog.Logger, count prometheus.Counter) *families {
	return &families{
		log: log, count: count, namer: otlptranslator.NewMetricNamer("", s), now: time.Now,
		origins: map[origin]string{}, families: map[family]origin{},
	}
}

// see takes note of a metric; the answer is a warning if another has its name.
func (f *families) see(service string, m pmetric.Metric) (warning string) {
	if f == nil {
		return ""
	}
	o := origin{service: service, name: m.Name(), unit: m.Unit(), kind: prometheusremotewrite.TranslatorMetricFromOtelMetric(m).Type}
	f.mu.Lock()
	defer f.mu.Unlock()
	warning, known := f.origins[o]
	if !known {
		warning = f.learn(o)
	}
	if warning == "" {
		return ""
	}
	f.count.Inc()
	if now := f.now(); now.Sub(f.logged) >= warnEvery {
		f.logged = now
		f.log.Warn("two metrics have one name", "service", service, "warning", warning)
	}
	return warning
}

// learn finds out whether a metric shares its name.
func (f *families) learn(o origin) (warning string) {
	if len(f.origins) >= maxOrigins {
		clear(f.origins)
		clear(f.families)
	}
	name, err := f.namer.Build(otlptranslator.Metric{Name: o.name, Unit: o.unit, Type: o.kind})
	if err != nil {
		return "" // it is refused
	}
	first, taken := f.families[family{o.service, name}]
	switch {
	case !taken:
		f.families[family{o.service, name}] = o
	case first.name != o.name:
		warning = fmt.Sprintf("the metrics %q and %q are both stored as %s, where their samples mix: rename one, or set otlp.translation_strategy: NoUTF8EscapingWithSuffixes", kept(first.name), kept(o.name), kept(name))
	case shape(first.kind) != shape(o.kind):
		warning = fmt.Sprintf("the metric %q comes as a %s and as a %s, both stored as %s: rename one", kept(o.name), shape(first.kind), shape(o.kind), kept(name))
	case unit(first.unit) != unit(o.unit):
		warning = fmt.Sprintf("the metric %q comes in %q and in %q, both stored as %s: rename one", kept(o.name), first.unit, o.unit, kept(name))
	}
	f.origins[o] = warning
	return warning
}

// shape is what a type is to queries.
func shape(t otlptranslator.MetricType) string {
	switch t {
	case otlptranslator.MetricTypeMonotonicCounter:
		return "counter"
	case otlptranslator.MetricTypeHistogram, otlptranslator.MetricTypeExponentialHistogram:
		return "histogram"
	case otlptranslator.MetricTypeSummary:
		return "summary"
	}
	return "gauge"
}

// unit is a unit as it stands in names: annotations such as {request} are none.
func unit(u string) string {
	namer := otlptranslator.UnitNamer{}
	return namer.Build(u)
}
