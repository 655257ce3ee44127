package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/ast"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
)

// The entity types of our policies.
const (
	typeUser   = "User"
	typeGroup  = "Group"
	typeAction = "Action"
	typeTenant = "Tenant"
	typeSystem = "System"
)

// everyTenant in a binding is every tenant there is and will be.
const everyTenant = "*"

// Policy is what a configuration lets everybody do.
type Policy struct {
	roles    []Role
	policies *cedar.PolicySet
	bound    map[cedar.PolicyID]bound
	actions  types.EntityMap

	mu    sync.Mutex
	cache map[string]Decision
}

// bound is what a policy gives, beside what Cedar decides.
type bound struct {
	by         string // the binding, for people
	namespaces []string
}

// New makes a Policy.
func New(cfg Config) (*Policy, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	p := &Policy{
		roles: append(BuiltIn(), cfg.Roles...), policies: cedar.NewPolicySet(),
		bound: map[cedar.PolicyID]bound{}, actions: types.EntityMap{}, cache: map[string]Decision{},
	}
	p.describeActions()
	for i, b := range cfg.Bindings {
		for _, u := range b.Users {
			p.add(p.policies, p.bound, b.ID(i), ast.Permit().PrincipalEq(uid(typeUser, Subject(u))), b.Grant)
		}
		for _, g := range b.Groups {
			p.add(p.policies, p.bound, b.ID(i), ast.Permit().PrincipalIn(uid(typeGroup, g)), b.Grant)
		}
	}
	for _, r := range p.roles {
		g := access.Grant{Role: r.Name}
		if r.Name == Admin {
			g.Tenants = []string{everyTenant}
		}
		p.add(p.policies, p.bound, "the group "+GroupOf(r.Name), ast.Permit().PrincipalIn(uid(typeGroup, GroupOf(r.Name))), g)
	}
	return p, nil
}

// Subject is who a binding means by a user.
func Subject(user string) string {
	if strings.Contains(user, ":") {
		return user
	}
	return "user:" + user
}

// Roles are all roles, those that are always there first.
func (p *Policy) Roles() []Role { return p.roles }

// Permissions are all that a role can hold: those that are always there, and the words of the roles that lift rules of masking.
func (p *Policy) Permissions() []access.Described {
	out := access.Permissions()
	for _, r := range p.roles {
		for _, has := range r.Permissions {
			if access.Lifts(has) && !slices.ContainsFunc(out, func(d access.Described) bool { return d.Permission == has }) {
				out = append(out, access.Described{Permission: has, Allows: "see what rules with lifted_by: " + string(has) + " mask for others"})
			}
		}
	}
	return out
}

// describeActions says which roles and which class each permission belongs to.
func (p *Policy) describeActions() {
	for _, d := range p.Permissions() {
		var parents []types.EntityUID
		for _, r := range p.roles {
			for _, has := range r.Permissions {
				if has == d.Permission {
					parents = append(parents, roleUID(r.Name))
				}
			}
		}
		if access.ClassOf(d.Permission) != access.Scoped {
			parents = append(parents, uid(typeAction, "class:whole"))
		}
		id := uid(typeAction, string(d.Permission))
		p.actions[id] = types.Entity{UID: id, Parents: types.NewEntityUIDSet(parents...)}
	}
}

// add writes the policies of one grant.
func (p *Policy) add(to *cedar.PolicySet, named map[cedar.PolicyID]bound, by string, permit *ast.Policy, g access.Grant) {
	tenants := g.Tenants
	if len(tenants) == 0 {
		tenants = []string{model.DefaultTenant}
	}
	for _, tenant := range tenants {
		policy := *permit
		one := policy.ActionIn(roleUID(g.Role))
		if tenant != everyTenant {
			one = one.ResourceIn(uid(typeTenant, tenant))
		}
		if len(g.Namespaces) > 0 {
			one = one.Unless(ast.Action().In(ast.Value(uid(typeAction, "class:whole"))))
		}
		id := cedar.PolicyID(fmt.Sprintf("p%d", len(named)))
		to.Add(id, cedar.NewPolicyFromAST(one))
		named[id] = bound{by: by, namespaces: g.Namespaces}
	}
}

func uid(typ, id string) types.EntityUID {
	return types.NewEntityUID(types.EntityType(typ), types.String(id))
}

func roleUID(name string) types.EntityUID { return uid(typeAction, "role:"+name) }
