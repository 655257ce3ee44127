package api

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

type metrics struct {
	requests *prometheus.CounterVec   // route, code
	duration *prometheus.HistogramVec // route
	rejected *prometheus.CounterVec   // reason
	panics   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, inFlight func() float64) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_api_requests_total", Help: "Requests served on the web port, by route and status code.",
		}, []string{"route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "signalbox_api_request_duration_seconds", Help: "Time to serve a request, without log tails.",
			Buckets: []float64{0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30},
		}, []string{"route"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_api_rejected_total", Help: "Requests refused before a handler saw them, by reason.",
		}, []string{"reason"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_api_panics_total", Help: "Panics while serving a request.",
		}),
	}
	busy := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "signalbox_api_in_flight_requests", Help: "Requests being served, without log tails.",
	}, inFlight)
	if err := instrument.Register(reg, "API", m.requests, m.duration, m.rejected, m.panics, busy); err != nil {
		return nil, err
	}
	return m, nil
}
