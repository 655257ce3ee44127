package app

import (
	"math"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/platform/memory"
)

// Shares of the memory limit, beside those of active series, that settings are cut to
// where the limit is small. A query is counted with 16 bytes a sample, and two of the largest at once.
const (
	headShare    = 0.15
	bodyShare    = 0.05
	queryShare   = 0.20
	sampleBytes  = 16
	largeQueries = 2
)

// limitMemory has the garbage collector keep to the limit and cuts the settings to it.
func (p *Process) limitMemory() {
	limit, from := p.cfg.Limits.Memory, "limits.memory_bytes"
	if limit == 0 {
		limit, from = memory.Limit()
	}
	if limit == math.MaxInt64 {
		return
	}
	p.memory = limit
	debug.SetMemoryLimit(limit)
	p.cfg = fit(p.cfg, limit)
	p.log.Info("memory is limited", "bytes", limit, "by", from)
	p.tel.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "signalbox_memory_limit_bytes",
		Help: "What the process may use: limits.memory_bytes, GOMEMLIMIT, or what control group, resource limits and machine allow.",
	}, func() float64 { return float64(limit) }))
}

// fit cuts settings that would not go into the memory together.
func fit(cfg config.Config, limit int64) config.Config {
	if limit <= 0 {
		return cfg
	}
	of := func(share float64) int64 { return int64(share * float64(limit)) }
	cfg.Events.MaxBytes = min(cfg.Events.MaxBytes, of(headShare))
	cfg.Events.HeadBytes = min(cfg.Events.HeadBytes, cfg.Events.MaxBytes/2)
	cfg.Web.MaxBodyBytesInFlight = min(cfg.Web.MaxBodyBytesInFlight, of(bodyShare))
	cfg.OTLP.MaxBytesInFlight = max(min(cfg.OTLP.MaxBytesInFlight, of(bodyShare)), int64(cfg.OTLP.MaxMessageBytes))
	cfg.Query.MaxSamples = min(cfg.Query.MaxSamples, int(of(queryShare)/sampleBytes/largeQueries))
	return cfg
}
