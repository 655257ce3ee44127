package events

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics are the store's own. A nil registerer makes them, unregistered.
type metrics struct {
	intakeMetrics
	sealMetrics
	startMetrics
	sizeMetrics
}

// intakeMetrics tell of what comes in.
type intakeMetrics struct {
	rows     *prometheus.CounterVec
	refused  *prometheus.CounterVec
	walBytes *prometheus.CounterVec
	walSync  prometheus.Histogram
}

// sealMetrics tell of what becomes of it on the disk.
type sealMetrics struct {
	sealSeconds *prometheus.HistogramVec
	sealErrors  *prometheus.CounterVec
	sealedBytes *prometheus.CounterVec
	merges      *prometheus.CounterVec
	dropped     *prometheus.CounterVec
}

// startMetrics tell of what a start found.
type startMetrics struct {
	replayed    *prometheus.CounterVec
	torn        prometheus.Counter
	quarantined *prometheus.CounterVec
	rebuilt     prometheus.Counter
}

// sizeMetrics tell how much there is, and whether there is room.
type sizeMetrics struct {
	headRows  *prometheus.GaugeVec
	headBytes *prometheus.GaugeVec
	parts     *prometheus.GaugeVec
	partBytes *prometheus.GaugeVec
	freeBytes prometheus.Gauge
	readOnly  prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	f := promauto.With(reg)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: "signalbox_events_" + name, Help: help}, labels)
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return f.NewGaugeVec(prometheus.GaugeOpts{Name: "signalbox_events_" + name, Help: help}, []string{"signal"})
	}
	single := func(name, help string) prometheus.Gauge {
		return f.NewGauge(prometheus.GaugeOpts{Name: "signalbox_events_" + name, Help: help})
	}
	return &metrics{
		intakeMetrics: intakeMetrics{
			rows:     counter("rows_total", "Rows made durable.", "signal"),
			refused:  counter("refused_rows_total", "Rows that were not accepted.", "signal", "reason"),
			walBytes: counter("wal_bytes_total", "Bytes of batches written to the log, before compression.", "signal"),
			walSync: f.NewHistogram(prometheus.HistogramOpts{
				Name: "signalbox_events_wal_sync_seconds", Help: "Duration of one fdatasync of the log.",
				Buckets: prometheus.ExponentialBuckets(0.0001, 2.5, 12),
			}),
		},
		sealMetrics: sealMetrics{
			sealSeconds: f.NewHistogramVec(prometheus.HistogramOpts{
				Name: "signalbox_events_seal_seconds", Help: "Duration of sealing one head.",
				Buckets: prometheus.ExponentialBuckets(0.002, 2.5, 10),
			}, []string{"signal"}),
			sealErrors:  counter("seal_errors_total", "Failed attempts to seal a head; it is tried again.", "signal"),
			sealedBytes: counter("sealed_bytes_total", "Bytes of Parquet written by sealing.", "signal"),
			merges:      counter("merged_parts_total", "Small parts merged into larger ones.", "signal"),
			dropped:     counter("dropped_rows_total", "Rows deleted, by reason.", "signal", "reason"),
		},
		startMetrics: startMetrics{
			replayed:    counter("replayed_rows_total", "Rows read back from the log at start.", "signal"),
			torn:        f.NewCounter(prometheus.CounterOpts{Name: "signalbox_events_wal_torn_total", Help: "Log segments whose end a crash had cut off."}),
			quarantined: counter("quarantined_total", "Damaged files set aside or damaged ranges skipped.", "kind"),
			rebuilt:     f.NewCounter(prometheus.CounterOpts{Name: "signalbox_events_index_rebuilt_total", Help: "Indexes rebuilt from their rows."}),
		},
		sizeMetrics: sizeMetrics{
			headRows:  gauge("head_rows", "Rows in memory, not yet sealed."),
			headBytes: gauge("head_bytes", "Memory of rows not yet sealed."),
			parts:     gauge("parts", "Sealed parts."),
			partBytes: gauge("part_bytes", "Bytes of sealed Parquet files."),
			freeBytes: single("free_bytes", "Free space of the disk."),
			readOnly:  single("read_only", "1 while nothing is accepted because the disk is full or not writable."),
		},
	}
}
