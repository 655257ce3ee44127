package slo

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
)

type engineMetrics struct {
	evaluation prometheus.Histogram
	failures   *prometheus.CounterVec
	sent       *prometheus.CounterVec
	scanned    prometheus.Counter
}

func newMetrics() *engineMetrics {
	return &engineMetrics{
		evaluation: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "signalbox_slo_evaluation_seconds", Help: "Time to judge all SLOs once.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_slo_failures_total", Help: "What went wrong while judging SLOs, by step (query, scan, record, save, send).",
		}, []string{"step"}),
		sent: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_slo_alerts_sent_total", Help: "Burn alerts handed to the alert pipeline, by status (firing, resolved).",
		}, []string{"status"}),
		scanned: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_slo_history_reads_total", Help: "Pieces of history read into ledgers.",
		}),
	}
}

func (m *engineMetrics) fail(log *slog.Logger, step string, err error) {
	m.failures.WithLabelValues(step).Inc()
	log.Error("SLO results", "step", step, "err", err)
}
