package app

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/cost"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify/courier"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/platform/turns"
)

// sizesAge is how old the sizes of a tenant's files may be when they are told: to sum them takes a look at each file.
const sizesAge = time.Minute

// sizes are how many bytes each store of a tenant has on disk.
type sizes struct {
	mu    sync.Mutex
	at    time.Time
	bytes map[string]int64
}

func (s *sizes) of(dir string, now time.Time) map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes == nil || now.Sub(s.at) > sizesAge {
		s.at, s.bytes = now, map[string]int64{}
		for _, store := range storeFolders() {
			s.bytes[store] = below(filepath.Join(dir, store))
		}
	}
	return maps.Clone(s.bytes)
}

// storeFolders are those of a tenant's stores.
func storeFolders() []string { return []string{"metrics", "events", "state"} }

// below is how many bytes the files of a folder have; one that goes meanwhile has none.
func below(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
}

// problemsFor are the problems and the channels as the caller may read them. Their texts name files, services and addresses of all
// namespaces, so who is bound to some is told how many problems there are, and how grave.
func (c *cell) problemsFor(ctx context.Context) ([]model.Problem, []courier.State) {
	problems := c.problems()
	if access.ScopeFor(ctx, access.StatusRead).All {
		return problems, c.courier.States()
	}
	graves := []string{"critical", "warning", "info"}
	worst := len(graves)
	for _, p := range problems {
		worst = min(worst, max(0, slices.Index(graves, p.Severity)))
	}
	if worst == len(graves) {
		return []model.Problem{}, []courier.State{}
	}
	return []model.Problem{{
		Severity: graves[worst], Message: fmt.Sprintf("problems of this installation: %d", len(problems)), Cure: "ask who sees all namespaces: they are shown to them alone",
	}}, []courier.State{}
}

// tenantsFor are the tenants that the caller may see, home first.
func (p *Process) tenantsFor(ctx context.Context) []api.TenantStatus {
	who := access.From(ctx)
	out := []api.TenantStatus{}
	for _, c := range append([]*cell{p.home}, p.others()...) {
		if p.maySee(who, c.tenant, access.StatusRead) {
			out = append(out, c.tenantStatus())
		}
	}
	return out
}

// Tenants implements api.TenantReporter.
func (c *cell) Tenants(ctx context.Context) api.TenantsResponse {
	p, who := c.all, access.From(ctx)
	out := api.TenantsResponse{}
	for _, c := range append([]*cell{p.home}, p.others()...) {
		if p.maySee(who, c.tenant, access.StatusRead) {
			out.Tenants = append(out.Tenants, c.usage())
		}
	}
	if p.maySee(who, model.DefaultTenant, access.StatusRead) {
		out.Unowned = p.unowned()
	}
	return out
}

// usage is what the tenant takes, and what it may.
func (c *cell) usage() api.TenantUsage {
	u := api.TenantUsage{
		TenantStatus: c.tenantStatus(), Since: c.opened.UTC(), Usage: c.registry.Usage(), Turns: c.turnsNow(),
		Limits: api.TenantLimits{
			MaxSeries: c.cfg.Metrics.MaxSeries, MaxBytes: c.cfg.Metrics.MaxBytes, MaxSamples: c.cfg.Query.MaxSamples,
			MaxQueries: c.cfg.Query.MaxConcurrency, MaxRequests: c.cfg.API.MaxInFlight,
			MaxDiskBytes: c.quota.most,
		},
		Retention: map[string]string{
			"metrics": c.cfg.Metrics.Retention.String(), "logs": c.cfg.Events.Retention.Logs.String(), "spans": c.cfg.Events.Retention.Spans.String(),
		},
	}
	if err := c.stopped.Load(); err != nil {
		u.Problem = redact.Text((*err).Error())
		return u
	}
	if last := c.ledger.Last().UTC(); !last.IsZero() {
		u.LastData = &last
	}
	for _, p := range c.problems() {
		if p.Severity == "critical" {
			u.Problems.Critical++
		} else {
			u.Problems.Warnings++
		}
	}
	return u
}

// turnsNow are what the tenant has under way.
func (c *cell) turnsNow() []api.TenantTurns {
	out := []api.TenantTurns{}
	for _, q := range []struct {
		kind string
		of   *turns.Queue
	}{{"questions", c.turns.Questions}, {"writes", c.turns.Writes}, {"evaluations", c.turns.Evaluations}} {
		if q.of != nil {
			now, waiting := q.of.Count(c.tenant)
			out = append(out, api.TenantTurns{Kind: q.kind, Now: now, Waiting: waiting, Most: q.of.Most()})
		}
	}
	return out
}

// costs are what all tenants take, for the metrics.
func (p *Process) costs() (out []cost.Tenant) {
	for _, c := range p.cells() {
		out = append(out, cost.Tenant{Name: c.tenant, Usage: c.registry.Usage(), Series: c.metrics.Active(), Disk: c.sizes.of(c.dir, time.Now())})
	}
	return out
}

// maySee says whether somebody has a permission with a tenant.
func (p *Process) maySee(who *access.Access, tenant string, needs access.Permission) bool {
	authorize := p.hooksOf().Authorize
	if who == nil || tenantOf(who) == tenant || authorize == nil {
		return true
	}
	_, refusal := authorize(who.Identity, tenant, needs)
	return refusal == nil
}

func (c *cell) tenantStatus() api.TenantStatus {
	s := api.TenantStatus{Name: c.tenant, Served: c.stopped.Load() == nil, Bytes: c.sizes.of(c.dir, time.Now())}
	left := false
	if s.Served {
		s.Series = c.metrics.Active()
		left = len(c.events.Encryption()) > 0
	}
	s.AtRest = atRest(c.all.cfg, c.cfg.Events.Encrypt, left)
	return s
}

// problemsOfTenants are what keeps other tenants from being served, and that their files have errors, for those who
// see to the whole process. What is wrong with the files is told to the tenant itself.
func (p *Process) problemsOfTenants() (out []model.Problem) {
	for _, c := range p.others() {
		if err := c.stopped.Load(); err != nil {
			out = append(out, model.Problem{
				Severity: "critical", Message: fmt.Sprintf("The tenant %s is not served, its alerts are not evaluated: %v", c.tenant, *err),
				Cure: "Mend what the message names and reload; the other tenants run.",
			})
			continue
		}
		out = append(out, c.quotaProblems()...)
		if c.last.Load().err != nil {
			out = append(out, model.Problem{
				Severity: "warning", Message: fmt.Sprintf("Files of the tenant %s have errors and are not taken.", c.tenant),
				Cure: fmt.Sprintf("Ask for the status as %s: it names them.", c.tenant),
			})
		}
	}
	return out
}
