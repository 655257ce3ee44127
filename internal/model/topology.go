package model

// Edge is a dependency seen in spans: Client called Server, directly or
// through a queue.
type Edge struct {
	Client   string  `json:"client"`
	Server   string  `json:"server"`
	Kind     string  `json:"kind" enum:"call,queue"`
	Calls    uint64  `json:"calls"`
	Errors   uint64  `json:"errors"`
	MeanSecs float64 `json:"mean_seconds"`
}

// SpanMetrics names: RED metrics that processing makes from spans, with labels
// service, route, region, env, version, kind, status. One place, so that rules, SLOs and
// pages agree on them.
const (
	MetricSpanDuration = "signalbox_span_duration_seconds"       // histogram; _count is the request counter
	MetricEdgeRequests = "signalbox_edge_requests_total"         // client, server, kind
	MetricEdgeErrors   = "signalbox_edge_errors_total"           // client, server, kind
	MetricEdgeDuration = "signalbox_edge_duration_seconds_total" // sum of durations: client, server, kind
)
