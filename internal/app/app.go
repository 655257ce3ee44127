// Package app is the wiring room: it turns options and a configuration into
// running parts, in one order for start and the opposite for stop.
//
// It decides nothing about telemetry, promises or pages; every other room is
// handed what it needs here and nowhere else. Data in: Options. Out: a process that answers
// on its listeners until the context ends.
//
// Order: listeners (so that a port in use is said before anything is touched),
// stores, engines, domain rooms, intakes, web. Stop runs backwards, so that an
// intake drains into stores that are still there. Reload reads and prepares everything
// first and then swaps it together; if one part cannot take it over nothing changes.
//
// Start reading at Build; each build function of the other files adds one layer.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/platform/lifecycle"
	"github.com/signalbox-project/signalbox/internal/telemetry"
)

// Run builds the role's parts and runs them until ctx ends. An error names what
// could not be started or what failed.
func Run(ctx context.Context, o Options) error {
	p, err := Build(ctx, o)
	if err != nil {
		return err
	}
	return p.Run(ctx)
}

// Build makes all parts of the role that o names, with its listeners open and
// nothing running. Run or Close must follow.
func Build(ctx context.Context, o Options) (*Process, error) {
	steps, ok := roles()[o.Role]
	if !ok {
		return nil, fmt.Errorf("--role %s: there is only the role %s so far", o.Role, RoleAll)
	}
	began := time.Now()
	if o.Output == nil {
		o.Output = io.Discard
	}
	tel, err := telemetry.New(o.Log, identity(o), o.Output)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(o.ConfigFile)
	if err != nil {
		return nil, err
	}
	l, err := o.listen(ctx)
	if err != nil {
		return nil, err
	}
	p := &Process{base: base{
		opts: o, cfg: cfg, tel: tel, log: tel.Logger, listeners: l, addresses: l.addresses(), began: began,
		group: &lifecycle.Group{Logger: tel.Logger},
	}, reloads: reloads{force: document.NewForce()}}
	p.limitMemory()
	if err := p.build(ctx, steps(p)); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// Run runs what Build made until ctx ends.
func (p *Process) Run(ctx context.Context) error {
	defer p.listeners.close()
	return p.group.Run(ctx, p.ready)
}

// Close frees what Build made and Run never ran.
func (p *Process) Close() error {
	defer p.listeners.close()
	return p.group.Close()
}

// Addresses are where the process listens.
func (p *Process) Addresses() Addresses { return p.addresses }

func identity(o Options) telemetry.Identity {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return telemetry.Identity{Version: o.Version, Instance: host}
}

// step makes one layer of a role.
type step struct {
	name  string
	build func(context.Context) error
}

// RoleAll runs every part in one process.
const RoleAll = "all"

// roles says which steps make each role, in their order.
func roles() map[string]func(*Process) []step {
	return map[string]func(*Process) []step{"": everything, RoleAll: everything}
}

func everything(p *Process) []step {
	return []step{
		{"front", p.buildFront},
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
	}
}

// build makes every part. What was made is in the group even when a later one
// fails, so that the caller can close it.
func (p *Process) build(ctx context.Context, steps []step) error {
	for _, s := range steps {
		if err := s.build(ctx); err != nil {
			return fmt.Errorf("start %s: %w", s.name, err)
		}
	}
	return nil
}

// buildFront makes the way in that every other part mounts itself on.
func (p *Process) buildFront(context.Context) (err error) {
	if p.external, err = p.opts.externalURL(p.addresses); err != nil {
		return err
	}
	p.front, err = front.New(p.cfg.Web, front.Deps{
		Logger: p.component("web"), Registerer: p.tel.Registry, ExternalURL: p.external, Hooks: p.opts.Hooks,
	})
	return err
}

// ready says that everything answers.
func (p *Process) ready() {
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
func (p *Process) run(name string, run func(context.Context) error, close func() error) {
	p.group.Add(lifecycle.Part{Name: name, Run: run, Close: close})
}

// component is the logger of one part.
func (p *Process) component(name string) *slog.Logger { return p.log.With("component", name) }
