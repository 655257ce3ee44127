package gate

import (
	"context"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// edgesOver is how long ago a call may be that makes a service a dependency.
const edgesOver = time.Hour

// maxPages bounds how many open pages are looked through.
const maxPages = 500

// gather reads what a decision rests on. SLOs and overrides must be
// readable; what else is not is named in the input, and the rules that need
// it say so.
func (g *Gate) gather(ctx context.Context, req model.GateRequest) (Input, error) {
	in := Input{Request: req, Time: g.deps.Now().UTC(), Dependencies: []Dependency{}, Pages: []OpenPage{}, Overrides: []model.GateOverride{}, Unknown: []string{}}
	ctx = access.Whole(ctx) // a verdict does not depend on who asks
	var err error
	if in.SLOs, err = g.deps.SLOs.Snapshots(ctx, req.Service, req.Environment); err != nil {
		return in, err
	}
	if g.deps.Overrides != nil {
		if in.Overrides, err = g.deps.Overrides.Overrides(ctx, req.Service, req.Environment, req.Version, in.Time); err != nil {
			return in, err
		}
		in.Overrides, in.Refused = g.genuine(ctx, in.Overrides)
	}
	if err := g.why(ctx, &in); err != nil {
		g.unreadable(ctx, &in, "changes", err)
	}
	asked := g.asked(in)
	if asked.pages && g.deps.Pages != nil {
		if in.Pages, err = g.pages(ctx, req); err != nil {
			g.unreadable(ctx, &in, "open pages", err)
		}
	}
	if asked.dependencies {
		if in.Dependencies, err = g.dependencies(ctx, in, asked.named); err != nil {
			g.unreadable(ctx, &in, "dependencies", err)
		}
	}
	return in, nil
}

func (g *Gate) unreadable(ctx context.Context, in *Input, what string, err error) {
	in.Unknown = append(in.Unknown, what+": "+err.Error())
	g.deps.Logger.WarnContext(ctx, "gate input could not be read", "what", what, "service", in.Request.Service, "err", err)
}

// asked is what the policies concerned want to know.
type asked struct {
	pages, dependencies bool
	named               []string
}

func (g *Gate) asked(in Input) (a asked) {
	for _, p := range g.set().forRequest(in.Request, in.SLOs) {
		a.pages = a.pages || p.Rules.OpenPages != EffectOff
		if p.Rules.Dependencies != EffectOff {
			a.dependencies = true
			a.named = append(a.named, p.Rules.DependsOn...)
		}
	}
	return a
}

// pages are the open ones about a service and, where both say one, its
// environment.
func (g *Gate) pages(ctx context.Context, req model.GateRequest) ([]OpenPage, error) {
	firing, err := g.deps.Pages.Pages(ctx, store.PageQuery{Status: "firing", Limit: maxPages})
	if err != nil {
		return []OpenPage{}, err
	}
	out := []OpenPage{}
	for _, p := range firing {
		if slices.ContainsFunc(p.Alerts, func(a model.PageAlert) bool { return a.Status == "firing" && about(a, req) }) {
			out = append(out, OpenPage{ID: p.ID, Title: p.Title, Severity: p.Severity, Since: p.Time.UTC(), AckedBy: p.AckedBy, Tampered: p.Tampered})
		}
	}
	return out, nil
}

func about(a model.PageAlert, req model.GateRequest) bool {
	return a.Labels.Own("service") == req.Service && model.SameEnvironment(model.Environments(a.Labels), req.Environment)
}

// dependencies are how the SLOs of the services called stand.
func (g *Gate) dependencies(ctx context.Context, in Input, named []string) ([]Dependency, error) {
	called := map[string]bool{}
	for _, name := range named {
		called[name] = false
	}
	if g.deps.Edges != nil {
		edges, err := g.deps.Edges.Edges(ctx, model.DefaultTenant, store.RangeOf(in.Time.Add(-edgesOver), in.Time))
		if err != nil {
			return []Dependency{}, err
		}
		for _, e := range edges {
			if e.Client == in.Request.Service {
				called[e.Server] = true
			}
		}
	}
	delete(called, in.Request.Service)
	names := make([]string, 0, len(called))
	for name := range called {
		names = append(names, name)
	}
	slices.Sort(names)
	out := []Dependency{}
	for _, name := range names {
		slos, err := g.deps.SLOs.Snapshots(ctx, name, in.Request.Environment)
		if err != nil {
			return out, err
		}
		for _, s := range slos {
			out = append(out, Dependency{
				Service: name, Environment: s.Environment, SLO: s.Status.Name, State: s.Status.State,
				Reason: s.Status.Reason, UsedRatio: s.Status.Budget.UsedRatio, Unknown: s.Status.Budget.Unknown, Called: called[name], Touched: touched(s.Status.Corrections),
			})
		}
	}
	return out, nil
}
