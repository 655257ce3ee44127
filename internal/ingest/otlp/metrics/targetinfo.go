package metrics

import (
	"maps"
	"slices"

	prommodel "github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// targetInfo is the family of the series that carry resource attributes.
const targetInfo = "target_info"

// targetInfoEvery is the distance of its samples: half of PromQL's lookback, so
// that each stored sample finds one.
const targetInfoEvery = 150_000 // ms

// targetInfoOf are the labels of a resource's target_info, as Prometheus' own
// translation makes them; false where there would be nothing in it beyond job and instance.
// That translation writes samples from the earliest to the latest time of a
// resource, millions of them when a clock is off; ours are as many as the sender's points at most.
func targetInfoOf(res pcommon.Resource, namer otlptranslator.LabelNamer) (labels.Labels, bool) {
	attrs := res.Attributes()
	name, namespace, instance := text(attrs, "service.name"), text(attrs, "service.namespace"), text(attrs, "service.instance.id")
	keys := make([]string, 0, attrs.Len())
	for key := range attrs.All() {
		if key != "service.name" && key != "service.namespace" && key != "service.instance.id" && key != prommodel.MetricNameLabel {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 || name == "" && instance == "" {
		return labels.EmptyLabels(), false
	}
	slices.Sort(keys)
	b := labels.NewBuilder(labels.EmptyLabels())
	for _, key := range keys {
		label, err := namer.Build(key)
		if err != nil {
			continue // only an empty key, and those were removed
		}
		label = kept(label)
		v, _ := attrs.Get(key)
		value := v.AsString()
		if before := b.Get(label); before != "" {
			value = before + ";" + value
		}
		b.Set(label, value)
	}
	if namespace != "" {
		name = namespace + "/" + name
	}
	b.Set(prommodel.JobLabel, name)
	b.Set(prommodel.InstanceLabel, instance)
	b.Set(prommodel.MetricNameLabel, targetInfo)
	return b.Labels(), true
}

func text(attrs pcommon.Map, key string) string {
	v, ok := attrs.Get(key)
	if !ok {
		return ""
	}
	return v.AsString()
}

// target appends target_info beside the samples that the store took since the
// last call.
func (a *countingAppender) target(res pcommon.Resource, namer otlptranslator.LabelNamer) {
	defer clear(a.times)
	if a.fatal != nil || len(a.times) == 0 {
		return
	}
	ls, ok := targetInfoOf(res, namer)
	if !ok {
		return
	}
	for _, t := range slices.Sorted(maps.Values(a.times)) { // a store may not take them in another order
		_, err := a.AppenderV2.Append(0, ls, 0, t, 1, nil, nil, storage.AOptions{
			Metadata: metadata.Metadata{Type: prommodel.MetricTypeGauge, Help: "Target metadata"}, MetricFamilyName: targetInfo,
		})
		if err != nil && ends(err) {
			a.fatal = err
			return
		}
	}
}
