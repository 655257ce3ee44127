package cost

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/model"
)

func TestUsageIsReadFromTheRoomsInstruments(t *testing.T) {
	m := NewMeter(prometheus.NewRegistry())
	counter := func(name string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: "h"}, labels)
		m.MustRegister(c)
		return c
	}
	records := counter(received, "signal", "protocol")
	records.WithLabelValues("metrics", "scrape").Add(5)
	records.WithLabelValues("metrics", "otlp").Add(2)
	records.WithLabelValues("logs", "otlp").Add(3)
	counter(otlpBytes, "signal").WithLabelValues("logs").Add(100)
	counter(writeBytes).WithLabelValues().Add(11)
	counter("unrelated_total").WithLabelValues().Add(99)
	counter(notifications, "integration").WithLabelValues("email").Add(4)
	prom := prometheus.NewSummaryVec(prometheus.SummaryOpts{Name: promSeconds, Help: "h"}, []string{"slice"})
	search := prometheus.NewHistogram(prometheus.HistogramOpts{Name: searchSeconds, Help: "h"})
	for _, c := range []prometheus.Collector{prom, search} {
		if err := m.Register(c); err != nil {
			t.Fatal(err)
		}
	}
	prom.WithLabelValues("inner_eval").Observe(1.5)
	prom.WithLabelValues("queue_time").Observe(50)
	search.Observe(0.5)
	want := model.Usage{ReceivedBytes: 111, ReceivedSamples: 7, ReceivedLogs: 3, QuerySeconds: 2, Notifications: 4}
	if d := cmp.Diff(want, m.Usage()); d != "" {
		t.Error(d)
	}
	if err := m.Register(search); err == nil {
		t.Error("what the registry refuses is taken")
	}
	all := prometheus.NewPedanticRegistry()
	all.MustRegister(Collector{func() []Tenant {
		return []Tenant{{Name: "acme", Usage: want, Series: 3, Disk: map[string]int64{"metrics": 9}}, {Name: "blue"}}
	}})
	got, err := all.Gather()
	if err != nil || len(got) != 7 {
		t.Errorf("%v %v", got, err)
	}
}
