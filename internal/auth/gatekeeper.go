package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/certificate"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Source reads one kind of proof of a request: a session's cookie, a token, a certificate.
type Source interface {
	// Identify says whose proof a request shows; shown is false where it shows none of this kind. An error is one of
	// package login, for a proof that is wrong.
	Identify(r *http.Request) (id access.Identity, shown bool, err error)
}

// Deps are what a Gatekeeper uses.
type Deps struct {
	Logger *slog.Logger
	// Tenants are those that there are.
	Tenants func() []string
}

// Gatekeeper is asked by the front about every request. It lets nobody in until it has sources.
type Gatekeeper struct {
	policy  *policy.Policy
	log     *slog.Logger
	tenants func() []string
	sources []Source
	last    Source // certificates: who shows another proof beside one is who that says
}

// New makes a Gatekeeper of a section that is valid.
func New(cfg Config, deps Deps) (*Gatekeeper, error) {
	p, err := policy.New(cfg.Config)
	if err != nil {
		return nil, err
	}
	return &Gatekeeper{policy: p, log: deps.Logger, tenants: deps.Tenants, last: certificate.New(cfg.Certificates)}, nil
}

// Accept adds sources, in the order in which they are asked. Call it before the first request.
func (g *Gatekeeper) Accept(sources ...Source) { g.sources = append(g.sources, sources...) }

// Policy is what decides.
func (g *Gatekeeper) Policy() *policy.Policy { return g.policy }

// Hooks are what the front asks.
func (g *Gatekeeper) Hooks() front.Hooks {
	return front.Hooks{Identify: g.identify, Authorize: g.authorize}
}

// identify asks the sources; the first whose proof is shown decides.
func (g *Gatekeeper) identify(r *http.Request) (access.Identity, *front.Refusal) {
	for _, s := range append(slices.Clip(g.sources), g.last) {
		id, shown, err := s.Identify(r)
		if err != nil {
			g.log.DebugContext(r.Context(), "a proof of identity was refused", "path", r.URL.Path, "remote", r.RemoteAddr, "err", err)
			return access.Identity{}, g.refuse(err)
		}
		if shown {
			return id, nil
		}
	}
	return access.Identity{}, unauthenticated("Nobody is logged in. Log in, or send an API token as Authorization: Bearer.")
}

func (g *Gatekeeper) refuse(err error) *front.Refusal {
	said := login.Says(err)
	message := strings.TrimSpace(said.Message + " " + said.Cure)
	if said.Status == http.StatusUnauthorized {
		return unauthenticated(message)
	}
	return &front.Refusal{Status: said.Status, Reason: "identity", Message: message, RetryAfter: said.RetryAfter}
}

func unauthenticated(message string) *front.Refusal {
	return &front.Refusal{
		Status: http.StatusUnauthorized, Reason: "identity", Message: message,
		Header: http.Header{"Www-Authenticate": {`Bearer realm="Signalbox"`}},
	}
}

// authorize says what an identity sees of a tenant with a permission.
func (g *Gatekeeper) authorize(id access.Identity, tenant string, perm access.Permission) (access.Access, *front.Refusal) {
	tenant, err := g.tenant(id, tenant, perm)
	if err != nil {
		return access.Access{Identity: id}, &front.Refusal{Status: http.StatusBadRequest, Reason: "tenant", Message: err.Error()}
	}
	a := access.Access{Identity: id, Tenant: tenant}
	if perm == access.Anybody {
		return a, nil
	}
	d := g.policy.Decide(id, perm, tenant)
	if !d.Allowed {
		return a, &front.Refusal{
			Status: http.StatusForbidden, Reason: "permission",
			Message: fmt.Sprintf("%s may not do this: it needs the permission %s on the tenant %s, which no binding gives. "+
				"`signalbox whoami` shows what is given; an administrator can give more.", id.Name, perm, tenant),
		}
	}
	if !d.Scope.All && !access.KeepsApart(perm) {
		return a, &front.Refusal{
			Status: http.StatusForbidden, Reason: "namespaces",
			Message: fmt.Sprintf("%s sees only some namespaces of the tenant %s, and what needs the permission %s does not keep namespaces apart: "+
				"it is for those who see all.", id.Name, tenant, perm),
		}
	}
	a.Scope = d.Scope
	a.Of = func(p access.Permission) access.Scope {
		d := g.policy.Decide(id, p, tenant)
		if !d.Allowed {
			return access.Scope{}
		}
		return d.Scope
	}
	a.Unmasked = g.policy.Decide(id, access.UnmaskedRead, tenant).Allowed
	return a, nil
}

// tenant is the one that a request means: the one that it names, or the only one that its caller may see.
func (g *Gatekeeper) tenant(id access.Identity, asked string, perm access.Permission) (string, error) {
	if asked != "" {
		return asked, nil
	}
	may := func(tenant string) bool {
		return perm == access.Anybody || g.policy.Decide(id, perm, tenant).Allowed
	}
	if may(model.DefaultTenant) || access.ClassOf(perm) == access.System {
		return model.DefaultTenant, nil
	}
	var mine []string
	for _, t := range g.tenants() {
		if may(t) {
			mine = append(mine, t)
		}
	}
	switch slices.Sort(mine); len(mine) {
	case 0:
		return model.DefaultTenant, nil
	case 1:
		return mine[0], nil
	}
	return "", errors.New("say which tenant is meant, in the header " + model.TenantHeader + ": " + strings.Join(mine, ", "))
}
