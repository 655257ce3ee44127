package courier

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	tries   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newMetrics() *metrics {
	return &metrics{
		tries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_notify_channel_tries_total",
			Help: "Tries to hand a message to a channel, by outcome: delivered, failed, refused, later, cancelled.",
		}, []string{"channel", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "signalbox_notify_channel_try_seconds", Help: "How long a try took.", Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20},
		}, []string{"channel"}),
	}
}

func (m *metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.tries, m.seconds}
}

func (m *metrics) tried(channel, outcome string, took time.Duration) {
	m.tries.WithLabelValues(channel, outcome).Inc()
	m.seconds.WithLabelValues(channel).Observe(took.Seconds())
}

// collector shows the states.
type collector struct{ c *Courier }

// stateDescs are what is shown of a state.
func stateDescs() (waiting, down, success *prometheus.Desc) {
	channel := []string{"channel"}
	return prometheus.NewDesc("signalbox_notify_channel_waiting", "Messages under way to a channel.", channel, nil),
		prometheus.NewDesc("signalbox_notify_channel_down", "1 while the service of a channel does not answer, and is asked only now and then.", channel, nil),
		prometheus.NewDesc("signalbox_notify_channel_last_success_timestamp_seconds", "When a channel last took a message; 0 for never.", channel, nil)
}

// Describe implements prometheus.Collector.
func (collector) Describe(out chan<- *prometheus.Desc) {
	waiting, down, success := stateDescs()
	out <- waiting
	out <- down
	out <- success
}

// Collect implements prometheus.Collector.
func (s collector) Collect(out chan<- prometheus.Metric) {
	waiting, down, success := stateDescs()
	for _, one := range s.c.States() {
		gauge := func(d *prometheus.Desc, v float64) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, one.Channel)
		}
		isDown, at := 0.0, 0.0
		if one.Down {
			isDown = 1
		}
		if one.LastSuccess != nil {
			at = float64(one.LastSuccess.UnixNano()) / 1e9
		}
		gauge(waiting, float64(one.Waiting))
		gauge(down, isDown)
		gauge(success, at)
	}
}
