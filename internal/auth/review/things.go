package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/auth/policy"
)

// bindings shows them, and names groups that nobody of the period was in.
func (r *review) bindings() {
	present, unknown := r.present()
	if unknown != "" && slices.ContainsFunc(r.Policy.Bindings, func(b policy.Binding) bool { return len(b.Groups) > 0 }) {
		r.out.Notes = append(r.out.Notes, "Whether groups of bindings are used is not judged: "+unknown+".")
	}
	for i, b := range r.Policy.Bindings {
		h := Holder{Kind: "binding", Name: b.ID(i), Grants: []Given{given(b.Grant, b.ID(i))}}
		for _, u := range b.Users {
			h.Of = append(h.Of, policy.Subject(u))
			h.Last = latest(h.Last, r.last[policy.Subject(u)])
		}
		var unused []string
		for _, g := range b.Groups {
			h.Of = append(h.Of, "group:"+g)
			if !present[g] && !slices.Contains(unused, g) {
				unused = append(unused, g)
			}
			for subject, groups := range r.groups {
				if slices.Contains(groups, g) {
					h.Last = latest(h.Last, r.last[subject])
				}
			}
		}
		r.out.Holders = append(r.out.Holders, h)
		if unknown == "" && len(unused) > 0 {
			r.propose(h, "group_unused", "no user, and no login of the period, has "+strings.Join(unused, ", ")+": take it out of the binding")
		}
	}
}

// present are the groups that somebody has, and why there may be others.
func (r *review) present() (groups map[string]bool, unknown string) {
	groups = map[string]bool{}
	for _, g := range r.Elsewhere {
		groups[g] = true
	}
	strangers := map[string]bool{}
	note := func(list []string) {
		for _, g := range list {
			groups[g] = true
		}
	}
	for _, u := range r.Users {
		note(u.Groups)
	}
	for _, s := range r.Sessions {
		note(s.Identity.Groups)
	}
	for _, t := range r.Tokens {
		note(t.Owner.Groups)
	}
	for _, l := range r.Logins {
		if l.Time.Before(r.From) {
			continue
		}
		note(l.Groups)
		if _, known := r.groups[l.Subject]; !known {
			strangers[l.Subject] = true
		}
	}
	switch {
	case r.From.Before(r.KnownFrom):
		unknown = "the audit log does not reach back to the period's begin"
	case len(strangers) > 0:
		unknown = fmt.Sprintf("%d who logged in have no session now, and their groups were not noted", len(strangers))
	}
	return groups, unknown
}

func (r *review) tokens() {
	for _, t := range r.Tokens {
		h := Holder{Kind: "token", Name: "token:" + t.ID, Shown: t.Name, Created: t.Created, Expires: t.Expires, Last: t.Seen, Grants: []Given{}}
		if t.Owner.Subject != "" {
			h.Of = []string{t.Owner.Subject}
		}
		for _, g := range t.Grants {
			h.Grants = append(h.Grants, given(g, "the token"))
		}
		r.out.Holders = append(r.out.Holders, h)
		if !r.Now.Before(t.Expires) {
			r.propose(h, "expired", "expired: revoke it")
		}
		switch {
		case t.Seen.IsZero() && r.idle(t.Created):
			r.propose(h, "never_used", "never used in the 90 days and more since it was made: revoke it")
		case !t.Seen.IsZero() && r.idle(t.Seen):
			r.propose(h, "unused", "not used for 90 days: revoke it")
		}
		if u, there := r.local[t.Owner.Subject]; t.Owner.Provider == policy.Local && (!there || u.Disabled) {
			r.propose(h, "owner_gone", "its owner "+t.Owner.Subject+" is gone or disabled: revoke it")
		}
	}
}

// roles shows those that the configuration adds.
func (r *review) roles() {
	bound := map[string]bool{}
	for _, b := range r.Policy.Bindings {
		bound[b.Role] = true
	}
	for _, t := range r.Tokens {
		for _, g := range t.Grants {
			bound[g.Role] = true
		}
	}
	for _, u := range r.Users {
		for _, g := range u.Groups {
			if role, own := strings.CutPrefix(g, policy.OwnGroup); own {
				bound[role] = true
			}
		}
	}
	for _, role := range r.Policy.Roles {
		h := Holder{Kind: "role", Name: role.Name, Shown: role.Description, Grants: []Given{}}
		for _, p := range role.Permissions {
			h.Of = append(h.Of, string(p))
		}
		r.out.Holders = append(r.out.Holders, h)
		if !bound[role.Name] {
			r.propose(h, "role_unbound", "no binding, user or token has the role: delete it from auth.roles")
		}
	}
}
