package app

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	promconfig "github.com/prometheus/prometheus/config"

	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/cost"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/mask"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/probe"
)

// cell is everything that one tenant has for itself: stores, processors, rules, SLOs, gate, intakes and the surfaces
// that ask them. Tenants share no data, because no two cells do.
type cell struct {
	base // a copy: configuration, logger and group are the tenant's
	own

	stores
	processors
	alerts
	budgets
	gates
	actions
	intakes
	prober *probe.Prober
	responders
	announcing
	handbook
	forced
	surfaces
}

// own is what tells a cell from others.
type own struct {
	tenant   string
	home     model.Home // "" where the stores are those of whoever names a tenant, as without tenants
	dir      string     // of its stores
	sharing  int        // how many tenants share the process; 0 is this one alone
	registry *cost.Meter
	opened   time.Time
	gatherer prometheus.Gatherer
	sizes    sizes
	named    config.Tenant         // as the configuration names it; nothing for default
	stopped  atomic.Pointer[error] // why it does not run any more
	door     door
	quota    quota
	course   course
}

// forced is what files have put into force for one tenant, and what was wrong with them at the start.
type forced struct {
	// force holds everything that files put into force: one value, swapped whole.
	force   *document.Force
	inForce *document.Value[Loaded]
	scrape  *document.Value[*promconfig.Config]
	masks   *document.Value[*mask.Rules] // what is masked for whom
	first   []error
	last    atomic.Pointer[attempt] // how the last load went
}

// steps make a cell, one layer each, in their order.
func (c *cell) steps() []step {
	return []step{
		{"stores", c.buildStores},
		{"processors", c.buildProcessors},
		{"catalogue", c.buildHandbook},
		{"alerting", c.buildAlerting},
		{"budgets", c.buildBudgets},
		{"synthetic queries", c.buildSelfQuery},
		{"hooks", c.buildHooks},
		{"rollbacks", c.buildRemedy},
		{"remedies", c.buildRemediation},
		{"intakes", c.buildIntakes},
		{"probes", c.buildProbes},
		{"disk quota", c.buildQuota},
		{"channels", c.buildChannels},
		{"on-call", c.buildOnCall},
		{"incidents", c.buildIncidents},
		{"status pages", c.buildStatusPages},
		{"surfaces", c.buildSurfaces},
	}
}

// step makes one layer.
type step struct {
	name  string
	build func(context.Context) error
}

// build makes the parts of all steps. What was made is in the group even when a later one
// fails, so that the caller can close it.
func build(ctx context.Context, steps []step) error {
	for _, s := range steps {
		if err := s.build(ctx); err != nil {
			return fmt.Errorf("start %s: %w", s.name, err)
		}
	}
	return nil
}
