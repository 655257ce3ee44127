// Package app is the wiring room: it turns options and a configuration into
// running parts, in one order for start and the opposite for stop.
//
// It decides nothing about telemetry, promises or pages; every other room is
// handed what it needs here and nowhere else. Data in: Options. Out: a process that answers
// on its listeners until the context ends.
//
// Order: listeners (so that a port in use is said before anything is touched),
// stores, engines, domain rooms, intakes, web. Stop runs backwards, so that an
// intake drains into stores that are still there. Reload builds all new parts
// first and then swaps them; if one cannot be built nothing changes.
//
// Start reading at Run; each build function of the other files adds one layer.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/platform/lifecycle"
	"github.com/signalbox-project/signalbox/internal/telemetry"
)

// Run runs the whole platform until ctx ends. An error names what could not be
// started or what failed.
func Run(ctx context.Context, o Options) error {
	began := time.Now()
	tel, err := telemetry.New(telemetry.Config{Level: o.LogLevel, Format: o.LogFormat}, identity(o), o.Output)
	if err != nil {
		return err
	}
	cfg, err := config.Load(o.ConfigFile)
	if err != nil {
		return err
	}
	l, err := o.listen(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	p := &process{
		opts: o, cfg: cfg, tel: tel, log: tel.Logger, listeners: l, addresses: l.addresses(), began: began,
		group: &lifecycle.Group{Logger: tel.Logger},
	}
	if p.external, err = o.externalURL(p.addresses); err != nil {
		return err
	}
	if p.front, err = front.New(cfg.Web, front.Deps{Logger: p.component("web"), Registerer: tel.Registry, ExternalURL: p.external}); err != nil {
		return err
	}
	if err := p.build(ctx); err != nil {
		return errors.Join(err, p.group.Close())
	}
	return p.group.Run(ctx, p.ready)
}

func identity(o Options) telemetry.Identity {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return telemetry.Identity{Version: o.Version, Instance: host}
}

// build makes every part. What was made is in the group even when a later one
// fails, so that the caller can close it.
func (p *process) build(ctx context.Context) error {
	for _, step := range []struct {
		name  string
		build func(context.Context) error
	}{
		{"stores", p.buildStores},
		{"processors", p.buildProcessors},
		{"alerting", p.buildAlerting},
		{"promises", p.buildPromises},
		{"synthetic queries", p.buildSelfQuery},
		{"hooks", p.buildHooks},
		{"remedies", p.buildRemedy},
		{"intakes", p.buildIntakes},
		{"probes", p.buildProbes},
		{"reload", p.buildReload},
		{"web", p.buildWeb},
	} {
		if err := step.build(ctx); err != nil {
			return fmt.Errorf("start %s: %w", step.name, err)
		}
	}
	return nil
}

// ready says that everything answers.
func (p *process) ready() {
	p.isReady.Store(true)
	p.log.Info("web is listening", "url", p.addresses.Web)
	p.log.Info("otlp is listening", "grpc", p.addresses.OTLPGRPC, "http", p.addresses.OTLPHTTP)
	p.log.Info("ready", "took", time.Since(p.began).Round(time.Millisecond).String(), "version", p.opts.Version, "data", p.opts.StoragePath)
	// What start-up needed once is given back: idle memory is a promise.
	debug.FreeOSMemory()
	if p.opts.Ready != nil {
		p.opts.Ready(p.addresses)
	}
}

// run adds a part that runs until it is stopped.
func (p *process) run(name string, run func(context.Context) error, close func() error) {
	p.group.Add(lifecycle.Part{Name: name, Run: run, Close: close})
}

// component is the logger of one part.
func (p *process) component(name string) *slog.Logger { return p.log.With("component", name) }
