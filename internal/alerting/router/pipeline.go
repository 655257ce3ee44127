package router

import (
	"fmt"
	"time"

	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/inhibit"
	amnotify "github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
)

// dispatchMaintenance is how often empty groups are forgotten.
const dispatchMaintenance = 30 * time.Second

// pipeline is what a configuration is made into; it lives until the next one.
type pipeline struct {
	inhibitor  *inhibit.Inhibitor
	dispatcher *dispatch.Dispatcher
	underway   *underway
}

func (p *pipeline) stop() {
	p.underway.end(p.dispatcher.Stop)
	p.inhibitor.Stop()
}

// built is the part of a pipeline that can fail to be built.
type built struct {
	template  *template.Template
	receivers map[string][]amnotify.Integration
}

// receivers builds every receiver, used by a route or not, so that an error in
// one is found when it is written and not when a route first needs it.
func (r *Router) receivers(cfg *amconfig.Config) (built, error) {
	tmpl, err := templates(cfg.Templates)
	if err != nil {
		return built{}, fmt.Errorf("templates: %w", err)
	}
	tmpl.ExternalURL = r.external
	b := built{template: tmpl, receivers: make(map[string][]amnotify.Integration, len(cfg.Receivers))}
	for _, rcv := range cfg.Receivers {
		integrations, err := receiver.BuildReceiverIntegrations(rcv, tmpl, r.log, r.clients...)
		if err != nil {
			return built{}, fmt.Errorf("receiver %s: %w", rcv.Name, err)
		}
		b.receivers[rcv.Name] = r.recorder.Integrations(rcv.Name, integrations, addressees(rcv))
	}
	return b, nil
}

// apply replaces the running pipeline; r.mu is held. All that can fail was built
// before. The old pipeline ends before the new one begins: two at once
// would deliver twice.
func (r *Router) apply(next routes) {
	cfg, b := next.config, next.built
	r.resolve.Store(int64(cfg.Global.ResolveTimeout))
	if !r.running {
		r.updateAPI(cfg)
		return
	}
	if old := r.current.Load(); old != nil {
		old.stop()
	}
	intervals := map[string][]timeinterval.TimeInterval{}
	for _, ti := range cfg.MuteTimeIntervals {
		intervals[ti.Name] = ti.TimeIntervals
	}
	for _, ti := range cfg.TimeIntervals {
		intervals[ti.Name] = ti.TimeIntervals
	}
	p := &pipeline{underway: &underway{}, inhibitor: inhibit.NewInhibitor(r.alerts, cfg.InhibitRules, r.log, eventrecorder.NopRecorder())}
	p.underway.next = r.withHolding(r.builder.New(b.receivers, func() time.Duration { return 0 }, p.inhibitor, r.silencer,
		timeinterval.NewIntervener(intervals), r.groups, r.nflog, nil))
	p.dispatcher = dispatch.NewDispatcher(r.alerts, dispatch.NewRoute(cfg.Route, nil), p.underway, r.groups,
		func(d time.Duration) time.Duration { return max(d, amnotify.MinTimeout) },
		dispatchMaintenance, nil, r.log, eventrecorder.NopRecorder(), r.metrics, b.template)
	// Inhibitions must be known before the first notification is considered.
	go p.inhibitor.Run()
	p.inhibitor.WaitForLoading()
	go p.dispatcher.Run(r.start)
	p.dispatcher.WaitForLoading()
	r.current.Store(p)
	r.updateAPI(cfg)
}
