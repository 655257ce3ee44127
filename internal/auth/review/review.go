// Package review makes the access review: who may what, when they last used it, and what should be taken from them.
//
// It reads nothing and has no clock. In: Facts. Out: a Review. It proposes and changes nothing.
//
// Invariants: a removal is proposed only where what is known reaches back far enough to say so; each thing has each reason once;
// the same facts make the same review.
//
// Start reading at Of.
package review

import (
	"slices"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Idle is after how long without use a removal is proposed.
const Idle = 90 * 24 * time.Hour

// Facts are what a review is made of.
type Facts struct {
	// The period; Until may be past.
	From, Until, Now time.Time
	// KnownFrom is since when logins are kept: who did not log in before may have, and nobody knows.
	KnownFrom time.Time
	Users     []store.User
	Sessions  []store.Session
	Tokens    []store.Token
	Policy    policy.Config
	Logins    []Login // since From or Idle ago, whichever is earlier
	// Elsewhere are groups of what never logs in: of certificates, and of machines with a provider's tokens.
	Elsewhere []string
}

// Login is one that succeeded.
type Login struct {
	Subject string
	Time    time.Time
	// Groups it was in then, and what they gave, where Known.
	Groups, Grants []string
	Known          bool
}

// Review is who may what, and what of it should go.
type Review struct {
	Authentication bool       `json:"authentication" doc:"false where nobody is asked who they are: everybody may everything"`
	From           time.Time  `json:"from" doc:"the period's begin"`
	Until          time.Time  `json:"until" doc:"the period's end; what was used after it counts as used"`
	Holders        []Holder   `json:"holders" doc:"users, then bindings, tokens and roles, each by name"`
	Proposals      []Proposal `json:"proposals" doc:"removals, in the order of holders"`
	Notes          []string   `json:"notes" doc:"what could not be judged, and why"`
}

// Holder is something by which somebody may something.
type Holder struct {
	Kind     string    `json:"kind" enum:"user,binding,token,role"`
	Name     string    `json:"name" doc:"a subject, where a binding stands, token:ID, or a role"`
	Shown    string    `json:"shown,omitempty" doc:"for people"`
	Of       []string  `json:"of,omitempty" doc:"a user's groups, a binding's users and groups, a token's owner"`
	OfAt     time.Time `json:"of_at,omitzero" doc:"the login that a user's groups are known from; absent where they are kept here"`
	Was      *Was      `json:"was,omitempty" doc:"a user's last login of the period; absent where none is known or it gave what is given now"`
	Grants   []Given   `json:"grants"`
	Disabled bool      `json:"disabled,omitempty"`
	Created  time.Time `json:"created,omitzero"`
	Expires  time.Time `json:"expires,omitzero"`
	Last     time.Time `json:"last,omitzero" doc:"last login or use; absent where none is known"`
}

// Was is what a login of the period brought.
type Was struct {
	Time   time.Time `json:"time"`
	Groups []string  `json:"groups"`
	Grants []string  `json:"grants" doc:"what these gave then, for people"`
}

// Given is a role on tenants and namespaces.
type Given struct {
	Role       string   `json:"role"`
	Tenants    []string `json:"tenants" doc:"* is every tenant"`
	Namespaces []string `json:"namespaces,omitempty" doc:"absent for all"`
	By         string   `json:"by" doc:"the binding, the group or the token"`
}

// Proposal is a removal, with its reason.
type Proposal struct {
	Kind   string `json:"kind" enum:"user,binding,token,role"`
	Name   string `json:"name"`
	Reason string `json:"reason" enum:"no_login,disabled_with_groups,never_used,unused,expired,owner_gone,group_unused,role_unbound"`
	Text   string `json:"text" doc:"for people"`
}

// review is one that is being made.
type review struct {
	Facts
	out    Review
	last   map[string]time.Time  // by subject
	groups map[string][]string   // by subject, where they are known
	seen   map[string]time.Time  // since when they are those, of people of a provider
	was    map[string]Login      // by subject, the last of the period
	local  map[string]store.User // by subject
}

// Of makes a review.
func Of(f Facts) Review {
	r := &review{Facts: f, last: map[string]time.Time{}, groups: map[string][]string{}, seen: map[string]time.Time{}, was: map[string]Login{}, local: map[string]store.User{}}
	r.out = Review{Authentication: true, From: f.From, Until: f.Until, Holders: []Holder{}, Proposals: []Proposal{}, Notes: []string{}}
	r.gather()
	r.users()
	r.bindings()
	r.tokens()
	r.roles()
	return r.out
}

func (r *review) used(subject string, t time.Time) {
	if t.After(r.last[subject]) {
		r.last[subject] = t
	}
}

// gather finds who there is, when they were last here, and in which groups they are.
func (r *review) gather() {
	for _, t := range r.Tokens {
		if t.Owner.Subject != "" {
			r.groups[t.Owner.Subject] = t.Owner.Groups
		}
	}
	for _, l := range r.Logins {
		r.used(l.Subject, l.Time)
		if !l.Known {
			continue
		}
		r.came(l.Subject, l.Time, l.Groups)
		if r.within(l.Time) && l.Time.After(r.was[l.Subject].Time) {
			r.was[l.Subject] = l
		}
	}
	for _, s := range r.Sessions {
		r.used(s.Identity.Subject, s.Created)
		r.used(s.Identity.Subject, s.Seen)
		r.came(s.Identity.Subject, s.Created, s.Identity.Groups) // which are asked for again while it lasts
	}
	for _, u := range r.Users {
		subject := "user:" + u.Name
		r.local[subject], r.groups[subject] = u, u.Groups
		delete(r.seen, subject)
	}
}

// came notes the groups of who came; the newest count.
func (r *review) came(subject string, at time.Time, groups []string) {
	if !at.Before(r.seen[subject]) {
		r.seen[subject], r.groups[subject] = at, groups
	}
}

func (r *review) within(t time.Time) bool { return !t.Before(r.From) && t.Before(r.Until) }

func (r *review) propose(h Holder, reason, text string) {
	r.out.Proposals = append(r.out.Proposals, Proposal{Kind: h.Kind, Name: h.Name, Reason: reason, Text: text})
}

// idle says whether nothing was used since t, as far as logins are known.
func (r *review) idle(t time.Time) bool { return r.Now.Sub(t) >= Idle }

func (r *review) users() {
	subjects := map[string]bool{}
	for s := range r.groups {
		subjects[s] = true
	}
	for s := range r.last {
		subjects[s] = true
	}
	for _, s := range sorted(subjects) {
		u, local := r.local[s]
		h := Holder{
			Kind: "user", Name: s, Shown: u.Shown, Of: r.groups[s], OfAt: r.seen[s], Grants: grantsOf(r.Policy, s, r.groups[s], local),
			Disabled: u.Disabled, Created: u.Created, Last: r.last[s],
		}
		if l, ok := r.was[s]; ok && (!same(l.Groups, h.Of) || l.Grants != nil && !same(l.Grants, Words(h.Grants))) {
			h.Was = &Was{Time: l.Time, Groups: l.Groups, Grants: append([]string{}, l.Grants...)}
		}
		r.out.Holders = append(r.out.Holders, h)
		if !local {
			continue // the provider says whether they may still come
		}
		if r.idle(latest(h.Last, h.Created, r.KnownFrom)) {
			r.propose(h, "no_login", "no login for 90 days: delete or disable the user")
		}
		if u.Disabled && len(u.Groups) > 0 {
			r.propose(h, "disabled_with_groups", "disabled, and in groups still, which count again once enabled: take them out")
		}
	}
}

// same compares lists whose order means nothing.
func same(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// GrantsOf are what bindings and our own groups give a user who comes by a login.
func GrantsOf(cfg policy.Config, id access.Identity) []Given {
	return grantsOf(cfg, id.Subject, id.Groups, id.Provider == policy.Local)
}

func grantsOf(cfg policy.Config, subject string, groups []string, local bool) []Given {
	out := []Given{}
	for i, b := range cfg.Bindings {
		named := slices.ContainsFunc(b.Users, func(u string) bool { return policy.Subject(u) == subject })
		if named || slices.ContainsFunc(b.Groups, func(g string) bool {
			return slices.Contains(groups, g) && (local || !strings.HasPrefix(g, policy.OwnGroup))
		}) {
			out = append(out, given(b.Grant, b.ID(i)))
		}
	}
	for _, g := range groups {
		role, own := strings.CutPrefix(g, policy.OwnGroup)
		if !local || !own || !slices.ContainsFunc(append(policy.BuiltIn(), cfg.Roles...), func(x policy.Role) bool { return x.Name == role }) {
			continue
		}
		grant := access.Grant{Role: role}
		if role == policy.Admin {
			grant.Tenants = []string{"*"}
		}
		out = append(out, given(grant, "the group "+g))
	}
	return out
}

func given(g access.Grant, by string) Given {
	tenants := g.Tenants
	if len(tenants) == 0 {
		tenants = []string{model.DefaultTenant}
	}
	return Given{Role: g.Role, Tenants: tenants, Namespaces: g.Namespaces, By: by}
}

// Words are grants for people, one a line.
func Words(grants []Given) []string {
	out := []string{}
	for _, g := range grants {
		text := g.Role + " on " + strings.Join(g.Tenants, ", ")
		if len(g.Namespaces) > 0 {
			text += " in " + strings.Join(g.Namespaces, ", ")
		}
		out = append(out, text+" by "+g.By)
	}
	return out
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for s := range set {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, time.Time.Compare)
}
