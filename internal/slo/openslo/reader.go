package openslo

import "github.com/signalbox-project/signalbox/internal/document"

// Problem is one thing wrong with a document.
type Problem = document.Problem

// reader reads the documents of one file.
type reader struct {
	*document.Reader
	keys objectKeys
}

// objectKeys are what OpenSLO's versions call the same things.
type objectKeys struct{ indicator, indicatorRef string }

func keysOf(version string) objectKeys {
	if version == NextVersion {
		return objectKeys{"sli", "sliRef"}
	}
	return objectKeys{"indicator", "indicatorRef"}
}

// lenient reads a document of a tool that passes over keys that it does not know.
func (r *reader) lenient(tool string, read func()) {
	r.Lenient = tool
	defer func() { r.Lenient = "" }()
	read()
}

// examples are what keys look like, for whom one is missing.
func examples() map[string]string {
	return map[string]string{
		"apiVersion": Version, "kind": "SLO", "metadata": "{name: checkout-availability}", "name": "checkout-availability", "spec": "… with the keys below it",
		"service": "checkout", "duration": "28d", "timeWindow": "[{duration: 28d, isRolling: true}]", "objectives": "[{target: 0.995}]",
		"target": "0.995", "targetPercent": "99.5", "objective": "99.5", "value": "0.3", "compositeWeight": "2", "timeSliceTarget": "0.95",
		"metricSource": "{spec: {query: 'sum(requests_total)'}}", "query": "'sum(requests_total)'", "severity": "page",
		"condition": "{kind: burnrate, op: gte, threshold: 14, lookbackWindow: 1h}", "lookbackWindow": "1h", "threshold": "14",
		"conditions": "[{conditionRef: burn}]", "type": "Prometheus", "timeZone": "Europe/Zurich", "days": "[mon, tue]", "from": `"09:30"`, "to": `"11:00"`, "date": "2026-12-25",
		"version": SlothVersion, "window": "4w", "metric": "http_requests_total", "error_query": "sum(rate(errors_total[{{.window}}]))", "total_query": "sum(rate(requests_total[{{.window}}]))",
	}
}
