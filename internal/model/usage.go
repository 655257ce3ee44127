package model

// Usage is what a tenant took since it was opened.
type Usage struct {
	ReceivedBytes   uint64  `json:"received_bytes" doc:"of requests of OTLP and remote write, decompressed"`
	ReceivedSamples uint64  `json:"received_samples"`
	ReceivedLogs    uint64  `json:"received_logs"`
	ReceivedSpans   uint64  `json:"received_spans"`
	QuerySeconds    float64 `json:"query_seconds" doc:"of PromQL, rules included, of searches and of SQL"`
	QuerySamples    uint64  `json:"query_samples" doc:"that PromQL read"`
	Notifications   uint64  `json:"notifications" doc:"that were tried"`
}
