// Package app is the wiring room: it turns options and a configuration into
// running parts, in one order for start and the opposite for stop.
//
// It decides nothing about telemetry, SLOs or pages; every other room is
// handed what it needs here and nowhere else. Data in: Options. Out: a process that answers
// on its listeners until the context ends.
//
// Order: listeners (so that a port in use is said before anything is touched),
// the stores, engines, domain rooms and intakes of a cell, web. Stop runs backwards, so that an
// intake drains into stores that are still there. Reload reads and prepares everything
// first and then swaps it together; if one part cannot take it over nothing changes.
//
// What belongs to a tenant is a cell; what is shared is Process.
//
// Start reading at Build, then cell; each build function of the other files adds one layer.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/front/certs"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/outgoing"
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
	tel, err := telemetry.New(o.Log, telemetryIdentity(o), o.Output)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(o.ConfigFile)
	if err != nil {
		return nil, err
	}
	keep, err := certs.New(cfg.TLS, cfg.Listeners, nil)
	if err != nil {
		return nil, err
	}
	tel.Registry.MustRegister(keep)
	if cfg.Auth.Enabled = cfg.Auth.Enabled || o.Auth; cfg.Auth.Enabled { // by the flag, which the file's check does not know
		if err := errors.Join(cfg.Unproved()...); err != nil {
			return nil, err
		}
	}
	if o, err = o.closed(ctx, cfg.Auth.Enabled); err != nil {
		return nil, err
	}
	l, err := o.listen(ctx)
	if err != nil {
		return nil, err
	}
	p := &Process{base: base{
		opts: o, cfg: cfg, tel: tel, log: tel.Logger, listeners: l, addresses: l.addresses(keep), began: began,
		ways:  ways{certs: keep, inner: front.NewInner(), outgoing: outgoing.New(cfg.Outgoing)},
		group: &lifecycle.Group{Logger: tel.Logger}, guard: &guard{},
	}}
	p.all = p
	if len(cfg.Tenants) > 0 {
		p.turns = cfg.Turns.Turns()
	}
	p.limitMemory()
	if err := build(ctx, steps(p)); err != nil {
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

func telemetryIdentity(o Options) telemetry.Identity {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return telemetry.Identity{Version: o.Version, Instance: host}
}

// RoleAll runs every part in one process.
const RoleAll = "all"

// roles says which steps make each role, in their order.
func roles() map[string]func(*Process) []step {
	return map[string]func(*Process) []step{"": everything, RoleAll: everything}
}

func everything(p *Process) []step {
	return []step{
		{"seal", p.buildSealer},
		{"storage", p.openStorage},
		{"auth", p.buildAuth},
		{"front", p.buildFront},
		{"tenant " + model.DefaultTenant, p.buildHome},
		{"tenants", p.buildTenants},
		{"reads across tenants", p.buildAcross},
		{"otlp", p.buildOTLP},
		{"reload", p.buildReload},
		{"web", p.buildWeb},
	}
}

// buildHome makes the cell of the tenant default.
func (p *Process) buildHome(ctx context.Context) error {
	p.home = p.newHome()
	return build(ctx, p.home.steps())
}

// buildOTLP listens for what every tenant sends.
func (p *Process) buildOTLP(context.Context) error {
	p.run("otlp", p.home.otlp.Run, nil)
	return nil
}

// buildFront makes the way in that every other part mounts itself on.
func (p *Process) buildFront(context.Context) (err error) {
	if p.external, err = p.opts.externalURL(p.addresses); err != nil {
		return err
	}
	p.front, err = front.New(p.cfg.Web, front.Deps{
		Logger: p.component("web"), Registerer: p.tel.Registry, ExternalURL: p.external, Hooks: p.noting(p.hooksOf()), Tenants: len(p.cfg.Tenants) + 1, Turns: p.turns,
	})
	return err
}

// ready says that everything answers.
func (p *Process) ready() {
	p.isReady.Store(true)
	p.log.Info("web is listening", "url", p.addresses.Web)
	p.log.Info("otlp is listening", "grpc", p.addresses.OTLPGRPC, "http", p.addresses.OTLPHTTP)
	if p.addresses.Status != "" {
		p.log.Info("status pages are listening", "address", p.addresses.Status)
	}
	p.log.Info("ready", "took", time.Since(p.began).Round(time.Millisecond).String(), "version", p.opts.Version, "data", p.data)
	// What start-up needed once is given back: idle memory is a promise.
	debug.FreeOSMemory()
	p.inviteFirstAdmin(p.opts.Output)
	if p.opts.Ready != nil {
		p.opts.Ready(p.addresses)
	}
}
