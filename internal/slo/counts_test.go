package slo_test

import (
	"testing"

	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/slo/openslo"
)

const countsDocuments = `apiVersion: openslo/v1
kind: SLO
metadata: {name: ratio}
spec:
  service: a
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
  indicator:
    spec:
      ratioMetric:
        good: {metricSource: {spec: {query: 'sum(rate(x_total{ok="1"}[5m]))'}}}
        total: {metricSource: {spec: {query: 'sum(x_total)'}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: slices}
spec:
  service: a
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 5m}]
  indicator:
    spec:
      ratioMetric:
        bad: {metricSource: {spec: {query: 'sum(x_total{ok="0"})'}}}
        total: {metricSource: {spec: {query: 'sum(x_total)'}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: threshold}
spec:
  service: a
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.995, op: lte, value: 60, timeSliceTarget: 1}]
  indicator:
    spec:
      thresholdMetric: {metricSource: {spec: {query: 'max(age_seconds)'}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: both}
spec:
  service: a
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives:
    - {displayName: r, indicatorRef: ratio, compositeWeight: 3}
    - {displayName: s, indicatorRef: slices, compositeWeight: 1}
`

// Days are kept for years under these names. Where one changes, every report on
// a month whose samples are gone says unknown after the upgrade: keep the text that it is made of.
func TestWhatIsCountedKeepsItsName(t *testing.T) {
	docs, problems := openslo.Parse("x.yaml", []byte(countsDocuments))
	defs, more := definition.Define(docs)
	for _, p := range append(problems, more...) {
		if !p.Warning {
			t.Fatal(p)
		}
	}
	want := map[string]string{
		"ratio":     "e0a63f95d2419164ceca77f1feb0e952",
		"slices":    "ab0a66a816324c352da95c9bba16ffef",
		"threshold": "24700ba5c0eeeb4de447b655ce77200a",
		"both":      "9e25fff49f0c30424bc35281374dc737",
	}
	for _, d := range defs {
		if got := d.Counts(); got != want[d.Name] {
			t.Errorf("%s is counted as %q, was %q", d.Name, got, want[d.Name])
		}
	}
	if len(defs) != len(want) {
		t.Errorf("%d definitions", len(defs))
	}
}
