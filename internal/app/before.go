package app

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/signalbox-project/signalbox/internal/api"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// maxBefore bounds how many names of before tenants are told.
const maxBefore = 100

// lookBefore counts once, in the background, what default's stores hold under other names: rows of before those were tenants.
func (p *Process) lookBefore(ctx context.Context) error {
	logs, err := p.home.events.LogValues(ctx, store.LogQuery{}, "tenant", maxBefore)
	if err == nil {
		var spans []store.ValueCount
		if spans, err = p.home.events.SpanValues(ctx, store.TraceQuery{}, "tenant", maxBefore); err == nil {
			p.found(logs, spans)
		}
	}
	if err != nil && ctx.Err() == nil {
		p.log.Warn("what was stored under other names before there were tenants could not be counted", "err", err)
	}
	<-ctx.Done()
	return nil
}

func (p *Process) found(logs, spans []store.ValueCount) {
	byName := map[string]*api.Unowned{}
	of := func(name string) *api.Unowned {
		if byName[name] == nil {
			byName[name] = &api.Unowned{
				Tenant: name, Where: p.home.dir,
				Cure: fmt.Sprintf("The rows belong to default and nobody sees them while tenants are named; they go with the retention of default. To read them, or to send them "+
					"to the tenant %s, stop, copy the folder %s, and serve the copy with a configuration without tenants: there the header %s: %s reads them.",
					name, p.home.dir, model.TenantHeader, name),
			}
		}
		return byName[name]
	}
	for _, v := range logs {
		if v.Value != model.DefaultTenant && v.Value != "" {
			of(v.Value).Logs = v.Count
		}
	}
	for _, v := range spans {
		if v.Value != model.DefaultTenant && v.Value != "" {
			of(v.Value).Spans = v.Count
		}
	}
	out := []api.Unowned{}
	for _, u := range byName {
		out = append(out, *u)
		p.log.Warn("rows of before tenants lie in default under another name", "tenant", u.Tenant, "logs", u.Logs, "spans", u.Spans, "cure", u.Cure)
	}
	slices.SortFunc(out, func(a, b api.Unowned) int { return cmp.Compare(a.Tenant, b.Tenant) })
	p.before.Store(&out)
}

// unowned is what lies on the disk that no tenant sees as its own.
func (p *Process) unowned() []api.Unowned {
	out := []api.Unowned{}
	if found := p.before.Load(); found != nil {
		out = append(out, *found...)
	}
	root := filepath.Join(p.data, tenantsFolder)
	folders, err := os.ReadDir(root)
	if err != nil {
		return out // there never was a tenant
	}
	named := map[string]bool{}
	for _, name := range p.names() {
		named[name] = true
	}
	for _, f := range folders {
		if f.IsDir() && !named[f.Name()] {
			path := filepath.Join(root, f.Name())
			out = append(out, api.Unowned{
				Tenant: f.Name(), Where: path,
				Cure: fmt.Sprintf("Add it under tenants: and reload to have it again, or remove the folder %s.", path),
			})
		}
	}
	return out
}

// problemsOf tells of rows that nobody sees any more; of a folder whose tenant was taken out on purpose, the list of tenants tells.
func problemsOf(unowned []api.Unowned) (out []model.Problem) {
	for _, u := range unowned {
		if u.Logs+u.Spans > 0 {
			out = append(out, model.Problem{
				Severity: "warning", Message: fmt.Sprintf("Rows were stored under the name %s before tenants were named: log records %d, spans %d.", u.Tenant, u.Logs, u.Spans), Cure: u.Cure,
			})
		}
	}
	return out
}
