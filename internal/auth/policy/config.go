package policy

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/signalbox-project/signalbox/internal/access"
)

// Config is the part of the section `auth` that says who may do what.
type Config struct {
	// Roles are added to those that are always there.
	Roles []Role `yaml:"roles"`
	// Bindings give roles to users and groups.
	Bindings []Binding `yaml:"bindings"`
}

// Binding gives a role to somebody on some tenants and namespaces.
type Binding struct {
	// Users are names of local users, or whole subjects such as certificate:spiffe://…, as `signalbox whoami` shows them.
	Users        []string `yaml:"users" json:"users,omitempty"`
	Groups       []string `yaml:"groups" json:"groups,omitempty"`
	access.Grant `yaml:",inline"`
}

// ID names a binding for people: where it stands and what it gives.
func (b Binding) ID(i int) string { return fmt.Sprintf("auth.bindings[%d] (%s)", i, b.Role) }

var roleName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	var errs []error
	known := map[access.Permission]bool{}
	for _, d := range access.Permissions() {
		known[d.Permission] = true
	}
	names := map[string]bool{}
	for _, r := range BuiltIn() {
		names[r.Name] = true
	}
	for i, r := range c.Roles {
		switch {
		case !roleName.MatchString(r.Name):
			errs = append(errs, fmt.Errorf("roles[%d].name: %q: use lower-case letters, digits, - and _, beginning with a letter", i, r.Name))
		case names[r.Name]:
			errs = append(errs, fmt.Errorf("roles[%d].name: there is a role %s already; choose another name", i, r.Name))
		}
		names[r.Name] = true
		if len(r.Permissions) == 0 {
			errs = append(errs, fmt.Errorf("roles[%d].permissions: a role without permissions gives nothing; list some, see docs/auth.md", i))
		}
		for j, p := range r.Permissions {
			if !known[p] && !access.Lifts(p) {
				errs = append(errs, fmt.Errorf("roles[%d].permissions[%d]: there is no permission %q; `signalbox roles` lists them, and unmasked.NAME lifts rules of masking", i, j, p))
			}
		}
	}
	for i, b := range c.Bindings {
		errs = append(errs, b.validate(i, names)...)
	}
	return errs
}

func (b Binding) validate(i int, roles map[string]bool) []error {
	var errs []error
	if !roles[b.Role] {
		errs = append(errs, fmt.Errorf("bindings[%d].role: there is no role %q; define it under auth.roles or use viewer, responder, editor, admin or ingest", i, b.Role))
	}
	if len(b.Users)+len(b.Groups) == 0 {
		errs = append(errs, fmt.Errorf("bindings[%d]: nobody is bound; name users or groups", i))
	}
	for _, list := range [][]string{b.Users, b.Groups, b.Tenants, b.Namespaces} {
		if slices.Contains(list, "") {
			errs = append(errs, fmt.Errorf("bindings[%d]: an empty name; delete it", i))
		}
	}
	if slices.Contains(b.Namespaces, "*") {
		errs = append(errs, fmt.Errorf("bindings[%d].namespaces: leave namespaces out to give all of them, instead of \"*\"", i))
	}
	return errs
}
