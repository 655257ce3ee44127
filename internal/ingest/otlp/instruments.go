package otlp

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// instruments are the room's own metrics.
type instruments struct {
	requests  *prometheus.CounterVec
	bytes     *prometheus.CounterVec
	bodies    *prometheus.CounterVec
	negative  prometheus.Counter
	exemplars prometheus.Counter
	badIDs    prometheus.Counter

	collisions prometheus.Counter
	oneName    prometheus.Counter
}

func newInstruments(reg prometheus.Registerer, q *quota) (*instruments, error) {
	m := &instruments{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_otlp_requests_total",
			Help: "Export requests by protocol (grpc, http), signal and result: ok, also where a part was refused, or why nothing was taken.",
		}, []string{"protocol", "signal", "result"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_otlp_received_bytes_total",
			Help: "Bytes of export requests after decompression.",
		}, []string{"protocol", "signal"}),
		bodies: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_otlp_log_bodies_total",
			Help: "Log bodies by form: map and json were taken apart into fields, text and other were wrapped as the message.",
		}, []string{"form"}),
		negative: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_otlp_negative_durations_total",
			Help: "Spans that ended before they started; their duration was set to 0.",
		}),
		exemplars: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_otlp_exemplars_refused_total",
			Help: "Exemplars that the metrics store did not take (out of order, too long) while taking their samples.",
		}),
	}
	m.badIDs = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "signalbox_otlp_bad_ids_total",
		Help: "Trace and span ids of a wrong length that log records, links and exemplars were kept without.",
	})
	m.collisions = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "signalbox_otlp_colliding_senders_total",
		Help: "Samples whose start time went back to one from before: two senders without an instance write the same series.",
	})
	m.oneName = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "signalbox_otlp_colliding_metrics_total",
		Help: "Metrics that came and share their name, after its translation, with another metric of their service.",
	})
	inFlight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "signalbox_otlp_requests_in_flight", Help: "Export requests being worked on.",
	}, func() float64 { return float64(q.requests.Load()) })
	bytesInFlight := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "signalbox_otlp_bytes_in_flight", Help: "Decompressed bytes of the export requests being worked on.",
	}, func() float64 { return float64(q.bytes.Load()) })
	if err := instrument.Register(reg, "OTLP", m.requests, m.bytes, m.bodies, m.negative, m.exemplars, m.collisions, m.badIDs, m.oneName, inFlight, bytesInFlight); err != nil {
		return nil, err
	}
	return m, nil
}
