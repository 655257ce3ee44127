package access

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// NamespaceLabel is the label of series, alerts and SLOs that says which namespace they belong to.
const NamespaceLabel = "namespace"

// ReasonNamespace is why what belongs to another namespace is refused, in counters.
const ReasonNamespace = "namespace"

// Kind is how somebody proved who they are.
type Kind string

// The kinds of identities.
const (
	User        Kind = "user"        // a person with a session, of whatever provider
	Token       Kind = "token"       // an API token
	Certificate Kind = "certificate" // a client certificate
	Link        Kind = "link"        // a signed link, good for one thing
	Nobody      Kind = "nobody"      // authentication is off: whoever reaches a loopback address
)

// Identity is who asks, as it was proved.
type Identity struct {
	// Subject names the identity for good: user:ann, token:01J…, certificate:spiffe://…. It is what the audit log keeps.
	Subject string   `json:"subject"`
	Name    string   `json:"name"` // for people
	Kind    Kind     `json:"kind"`
	Groups  []string `json:"groups,omitempty"`
	// Provider is local, the name of an OpenID Connect provider, ldap; empty for what is no user.
	Provider string `json:"provider,omitempty"`
	// Session is the id of the session or token that was shown.
	Session string `json:"-"`
	// Grants are what the identity carries itself, as a token does.
	Grants []Grant `json:"grants,omitempty"`
	// Owner is whose token it is: it never may more than its owner may at the time. Nil for a service's token.
	Owner *Identity `json:"owner,omitempty"`
}

// Grant is a role on tenants and namespaces.
type Grant struct {
	Role       string   `json:"role" yaml:"role"`
	Tenants    []string `json:"tenants,omitempty" yaml:"tenants"`       // "*" is every tenant; none is the tenant default
	Namespaces []string `json:"namespaces,omitempty" yaml:"namespaces"` // none is all of them
}

// Scope is which namespaces of a tenant somebody sees. The zero value sees none.
type Scope struct {
	All   bool     // every namespace, and what has none
	Names []string // otherwise these; sorted
}

// Sees says whether what belongs to a namespace is visible; what has none is visible to those alone who see all.
func (s Scope) Sees(namespace string) bool {
	return s.All || namespace != "" && slices.Contains(s.Names, namespace)
}

// Place is the namespace of something that is sent by who sees s: the one it names or, where it names none, the only one of s.
// False says that it may not be sent.
func (s Scope) Place(namespace string) (string, bool) {
	if namespace == "" && !s.All && len(s.Names) == 1 {
		namespace = s.Names[0]
	}
	return namespace, s.Sees(namespace)
}

// RefusedSending tells a sender why Place said no.
func (s Scope) RefusedSending(namespace string) string {
	if namespace == "" {
		return "it names no namespace, and this sender may write to those of " + s.Text() + " only"
	}
	return "the namespace " + strconv.Quote(namespace) + " is none that this sender may write to: it may write to " + s.Text()
}

// Hidden names what belongs to a namespace that the caller does not see, so that they know whom to ask.
func Hidden(namespace string) string {
	if namespace == "" {
		return "hidden"
	}
	return "hidden: team " + namespace
}

// None says that nothing at all is visible.
func (s Scope) None() bool { return !s.All && len(s.Names) == 0 }

// Text names the namespaces for people.
func (s Scope) Text() string {
	switch {
	case s.All:
		return "all namespaces"
	case len(s.Names) == 0:
		return "no namespace"
	}
	return strings.Join(s.Names, ", ")
}

// Key tells scopes apart where what was sent is remembered; "" for who sees all.
func (s Scope) Key() string {
	if s.All {
		return ""
	}
	return "\x00" + strings.Join(s.Names, "\x00")
}

// Join sees what either sees.
func (s Scope) Join(o Scope) Scope {
	if s.All || o.All {
		return Scope{All: true}
	}
	return Scope{Names: sorted(append(slices.Clone(s.Names), o.Names...))}
}

// Within sees what both see.
func (s Scope) Within(o Scope) Scope {
	switch {
	case s.All:
		return o
	case o.All:
		return s
	}
	var both []string
	for _, n := range s.Names {
		if slices.Contains(o.Names, n) {
			both = append(both, n)
		}
	}
	return Scope{Names: sorted(both)}
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// Access is what one request may: an identity, its tenant, and what of it.
type Access struct {
	Identity
	Tenant string
	Scope  Scope
	Remote string // address without port that a request comes from
	// Unmasked sees fields that are masked for others.
	Unmasked bool
	// Of says what the identity sees of this tenant with another permission, for rooms that show what that guards; the zero Scope where
	// it does not have it. Nil is as much as Scope.
	Of func(Permission) Scope
	// Needs is the permission that the endpoint needs.
	Needs Permission
	// Across is what the request may of each tenant, by name, where it reads several; Tenant then names all of them.
	Across []*Access
	// Room is what the wiring found for the tenant when it let the request in.
	Room any
	// Notes are what handlers say for the audit log; never nil on a request.
	Notes *Notes
}

type key struct{}

// With gives a context an Access.
func With(ctx context.Context, a *Access) context.Context { return context.WithValue(ctx, key{}, a) }

// From is the Access of a request, and nil for work of Signalbox itself.
func From(ctx context.Context) *Access {
	a, _ := ctx.Value(key{}).(*Access)
	return a
}

// Whole is ctx for a conclusion that rests on all there is, whoever asks; whoever concludes hides what they may not see.
func Whole(ctx context.Context) context.Context { return With(ctx, nil) }

// ScopeOf is what ctx may see: everything for work of Signalbox itself.
func ScopeOf(ctx context.Context) Scope {
	if a := From(ctx); a != nil {
		return a.Scope
	}
	return Scope{All: true}
}

// ScopeFor is what ctx may see of what another permission than its endpoint's guards: no more than with that of the endpoint.
func ScopeFor(ctx context.Context, p Permission) Scope {
	a := From(ctx)
	switch {
	case a == nil:
		return Scope{All: true}
	case a.Of == nil:
		return a.Scope
	}
	return a.Scope.Within(a.Of(p))
}

// SubjectOf is who to name for what is done in ctx: the proved identity where there is one, otherwise what the caller
// claims. With authentication off everybody may claim any name.
func SubjectOf(ctx context.Context, claimed string) string {
	a := From(ctx)
	if a == nil || a.Kind == Nobody {
		return claimed
	}
	return a.Subject
}
