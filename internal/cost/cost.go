// Package cost says what each tenant takes: what it sends, what is kept for it, what its questions and notifications cost.
//
// It counts nothing itself: a Meter stands before a tenant's registry, knows the instruments that its rooms register
// there, and reads them when asked. In: collectors. Out: a Usage, and the metrics signalbox_tenant_… of all tenants.
//
// mu guards the list of instruments. Start reading at Meter.
package cost

import (
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
)

// The instruments that a Usage is made of.
const (
	otlpBytes     = "signalbox_otlp_received_bytes_total"
	writeBytes    = "signalbox_remote_write_received_bytes_total"
	received      = "signalbox_ledger_received_total"
	promSeconds   = "prometheus_engine_query_duration_seconds"
	promSamples   = "prometheus_engine_query_samples_total"
	searchSeconds = "signalbox_search_duration_seconds"
	sqlSeconds    = "signalbox_sql_query_duration_seconds"
	notifications = "alertmanager_notifications_total"
)

// Meter is a registry that remembers what it reads a Usage from.
type Meter struct {
	prometheus.Registerer

	mu    sync.Mutex
	parts map[string][]prometheus.Collector
}

// NewMeter makes one before a registry.
func NewMeter(reg prometheus.Registerer) *Meter {
	return &Meter{Registerer: reg, parts: map[string][]prometheus.Collector{}}
}

// Register implements prometheus.Registerer.
func (m *Meter) Register(c prometheus.Collector) error {
	if err := instrument.Register(m.Registerer, "a tenant's", c); err != nil {
		return err
	}
	m.remember(c)
	return nil
}

// MustRegister implements prometheus.Registerer.
func (m *Meter) MustRegister(cs ...prometheus.Collector) {
	m.Registerer.MustRegister(cs...)
	for _, c := range cs {
		m.remember(c)
	}
}

func (m *Meter) remember(c prometheus.Collector) {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		c.Describe(descs)
	}()
	for d := range descs {
		for _, name := range []string{otlpBytes, writeBytes, received, promSeconds, promSamples, searchSeconds, sqlSeconds, notifications} {
			if strings.Contains(d.String(), `fqName: "`+name+`"`) {
				m.mu.Lock()
				m.parts[name] = append(m.parts[name], c)
				m.mu.Unlock()
			}
		}
	}
}

// Usage reads the instruments.
func (m *Meter) Usage() model.Usage {
	records := func(signal string) uint64 { return uint64(m.sum(received, "signal", signal)) }
	return model.Usage{
		ReceivedBytes:   uint64(m.sum(otlpBytes, "") + m.sum(writeBytes, "")),
		ReceivedSamples: records("metrics"), ReceivedLogs: records("logs"), ReceivedSpans: records("spans"),
		// The time in the queue is no work.
		QuerySeconds:  m.sum(promSeconds, "slice", "prepare_time", "inner_eval", "result_sort") + m.sum(searchSeconds, "") + m.sum(sqlSeconds, ""),
		QuerySamples:  uint64(m.sum(promSamples, "")),
		Notifications: uint64(m.sum(notifications, "")),
	}
}

// sum adds the values of an instrument; of those alone whose label is one of values, where a label is named.
func (m *Meter) sum(name, label string, values ...string) (total float64) {
	m.mu.Lock()
	parts := slices.Clone(m.parts[name])
	m.mu.Unlock()
	for _, c := range parts {
		found := make(chan prometheus.Metric)
		go func() {
			defer close(found)
			c.Collect(found)
		}()
		for one := range found {
			var v dto.Metric
			if !strings.Contains(one.Desc().String(), `fqName: "`+name+`"`) || one.Write(&v) != nil {
				continue
			}
			if label == "" || slices.ContainsFunc(v.GetLabel(), func(l *dto.LabelPair) bool { return l.GetName() == label && slices.Contains(values, l.GetValue()) }) {
				total += v.GetCounter().GetValue() + v.GetHistogram().GetSampleSum() + v.GetSummary().GetSampleSum()
			}
		}
	}
	return total
}

// Tenant is a tenant and what it takes.
type Tenant struct {
	Name   string
	Usage  model.Usage
	Series uint64
	Disk   map[string]int64 // bytes by store
}

// Collector shows what all tenants take. There are as many as the configuration names.
type Collector struct{ Tenants func() []Tenant }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("signalbox_tenant_"+name, help, append([]string{"tenant"}, labels...), nil)
}

var (
	bytesDesc   = desc("received_bytes_total", "Bytes of requests of OTLP and remote write that a tenant sent, decompressed.")
	recordsDesc = desc("received_records_total", "Samples, log records and spans that a tenant sent, by signal.", "signal")
	diskDesc    = desc("disk_bytes", "Bytes of a tenant's files by store, looked at once a minute at most.", "store")
	seriesDesc  = desc("active_series", "Active series of a tenant.")
	secondsDesc = desc("query_seconds_total", "Seconds that a tenant's PromQL, searches and SQL took.")
	samplesDesc = desc("query_samples_total", "Samples that a tenant's PromQL read.")
	noticesDesc = desc("notifications_total", "Notifications of a tenant that were tried.")
)

// Describe implements prometheus.Collector.
func (Collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{bytesDesc, recordsDesc, diskDesc, seriesDesc, secondsDesc, samplesDesc, noticesDesc} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c Collector) Collect(out chan<- prometheus.Metric) {
	for _, t := range c.Tenants() {
		put := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, kind, v, append([]string{t.Name}, labels...)...)
		}
		u := t.Usage
		put(bytesDesc, prometheus.CounterValue, float64(u.ReceivedBytes))
		put(recordsDesc, prometheus.CounterValue, float64(u.ReceivedSamples), "metrics")
		put(recordsDesc, prometheus.CounterValue, float64(u.ReceivedLogs), "logs")
		put(recordsDesc, prometheus.CounterValue, float64(u.ReceivedSpans), "spans")
		for store, n := range t.Disk {
			put(diskDesc, prometheus.GaugeValue, float64(n), store)
		}
		put(seriesDesc, prometheus.GaugeValue, float64(t.Series))
		put(secondsDesc, prometheus.CounterValue, u.QuerySeconds)
		put(samplesDesc, prometheus.CounterValue, float64(u.QuerySamples))
		put(noticesDesc, prometheus.CounterValue, float64(u.Notifications))
	}
}
