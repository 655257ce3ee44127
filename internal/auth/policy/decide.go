package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/ast"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Decision is whether somebody may do something, on which namespaces, and why.
type Decision struct {
	Allowed bool
	Scope   access.Scope
	By      []string // the bindings that allow it, sorted
}

// maxCached bounds the remembered decisions; over it all are forgotten and made again.
const maxCached = 10_000

// Decide says whether an identity holds a permission on a tenant.
func (p *Policy) Decide(id access.Identity, perm access.Permission, tenant string) Decision {
	key := cacheKey(id, perm, tenant)
	p.mu.Lock()
	d, ok := p.cache[key]
	p.mu.Unlock()
	if ok {
		return d
	}
	d = p.decide(id, perm, tenant)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.cache) >= maxCached {
		clear(p.cache)
	}
	p.cache[key] = d
	return d
}

func (p *Policy) decide(id access.Identity, perm access.Permission, tenant string) Decision {
	d := p.alone(id, perm, tenant)
	if id.Owner == nil || !d.Allowed {
		return d
	}
	owner := p.decide(*id.Owner, perm, tenant)
	if !owner.Allowed {
		return Decision{}
	}
	d.Scope = d.Scope.Within(owner.Scope)
	d.Allowed = d.Scope.All || len(d.Scope.Names) > 0
	return d
}

// alone is what the identity may, whoever owns it.
func (p *Policy) alone(id access.Identity, perm access.Permission, tenant string) Decision {
	policies, named := p.policies, p.bound
	if len(id.Grants) > 0 {
		policies, named = p.withGrants(id)
	}
	who := uid(typeUser, id.Subject)
	decision, why := cedar.Authorize(policies, p.entities(id, who), cedar.Request{
		Principal: who, Action: uid(typeAction, string(perm)), Resource: resource(perm, tenant), Context: types.NewRecord(nil),
	})
	if decision != cedar.Allow {
		return Decision{}
	}
	d := Decision{Allowed: true}
	for _, r := range why.Reasons {
		b := named[r.PolicyID]
		d.Scope = d.Scope.Join(access.Scope{All: len(b.namespaces) == 0, Names: b.namespaces})
		d.By = append(d.By, b.by)
	}
	slices.Sort(d.By)
	d.By = slices.Compact(d.By)
	return d
}

// withGrants adds what the identity carries itself.
func (p *Policy) withGrants(id access.Identity) (*cedar.PolicySet, map[cedar.PolicyID]bound) {
	policies, named := cedar.NewPolicySet(), maps.Clone(p.bound)
	for pid, policy := range p.policies.All() {
		policies.Add(pid, policy)
	}
	for _, g := range id.Grants {
		p.add(policies, named, "the token ("+g.Role+")", ast.Permit().PrincipalEq(uid(typeUser, id.Subject)), g)
	}
	return policies, named
}

// entities is what Cedar may look up: the identity with its groups, the permissions, and that the process belongs to the
// operator's tenant.
type entities struct {
	who     types.Entity
	actions types.EntityMap
}

func (p *Policy) entities(id access.Identity, who types.EntityUID) entities {
	var parents []types.EntityUID
	for _, g := range groups(id) {
		parents = append(parents, uid(typeGroup, g))
	}
	return entities{who: types.Entity{UID: who, Parents: types.NewEntityUIDSet(parents...)}, actions: p.actions}
}

// Get implements types.EntityGetter.
func (e entities) Get(id types.EntityUID) (types.Entity, bool) {
	switch id.Type {
	case typeUser:
		return e.who, id == e.who.UID
	case typeSystem:
		return types.Entity{UID: id, Parents: types.NewEntityUIDSet(uid(typeTenant, model.DefaultTenant))}, true
	}
	return e.actions.Get(id)
}

func resource(perm access.Permission, tenant string) types.EntityUID {
	if access.ClassOf(perm) == access.System {
		return uid(typeSystem, "signalbox")
	}
	return uid(typeTenant, tenant)
}

// Line is one row of what somebody may.
type Line struct {
	Permission access.Permission `json:"permission"`
	Allows     string            `json:"allows"`
	Allowed    bool              `json:"allowed"`
	Namespaces []string          `json:"namespaces" doc:"empty where all are seen"`
	By         []string          `json:"by" doc:"the bindings that allow it"`
}

// Explain is everything that an identity may and may not on a tenant, and why.
func (p *Policy) Explain(id access.Identity, tenant string) []Line {
	var out []Line
	for _, d := range p.Permissions() {
		got := p.Decide(id, d.Permission, tenant)
		out = append(out, Line{
			Permission: d.Permission, Allows: d.Allows, Allowed: got.Allowed, Namespaces: got.Scope.Names, By: got.By,
		})
	}
	return out
}

// cacheKey is everything that a decision depends on.
func cacheKey(id access.Identity, perm access.Permission, tenant string) string {
	var b strings.Builder
	write := func(words ...string) {
		for _, w := range words {
			b.WriteString(w)
			b.WriteByte(0)
		}
		b.WriteByte(1)
	}
	write(string(perm), tenant)
	for who := &id; who != nil; who = who.Owner {
		write(string(who.Kind), who.Provider, who.Subject)
		write(who.Groups...)
		for _, g := range who.Grants {
			write(g.Role)
			write(g.Tenants...)
			write(g.Namespaces...)
		}
	}
	return b.String()
}
