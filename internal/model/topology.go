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
	// Hidden is of an edge whose other end the caller does not see.
	Hidden bool `json:"hidden,omitempty" doc:"one end belongs to a namespace that you do not see: it is named by its team alone, and the figures are absent"`
}

// SpanMetrics names: RED metrics that processing makes from spans, with labels
// service, namespace, route, region, env, version, kind, status. One place, so that rules, SLOs and
// pages agree on them.
const (
	MetricSpanDuration = "signalbox_span_duration_seconds"       // histogram; _count is the request counter
	MetricEdgeRequests = "signalbox_edge_requests_total"         // client, server, kind, client_namespace, server_namespace
	MetricEdgeErrors   = "signalbox_edge_errors_total"           // the same
	MetricEdgeDuration = "signalbox_edge_duration_seconds_total" // sum of durations: the same
)
