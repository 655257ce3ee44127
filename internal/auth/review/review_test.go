package review_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/auth/review"
	"github.com/signalbox-project/signalbox/internal/store"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// ago is so long before now.
func ago(d time.Duration) time.Time { return now.Add(-d) }

const (
	short = review.Idle - time.Nanosecond
	long  = 2 * review.Idle
)

func proposals(f review.Facts) []string {
	f.Now, f.Until = now, now
	if f.From.IsZero() {
		f.From = ago(review.Idle)
	}
	if f.KnownFrom.IsZero() {
		f.KnownFrom = ago(2 * 365 * 24 * time.Hour)
	}
	out := []string{}
	for _, p := range review.Of(f).Proposals {
		out = append(out, p.Kind+" "+p.Name+" "+p.Reason)
	}
	return out
}

func TestEveryReasonIsProposedOnceAndFromExactly90DaysOn(t *testing.T) {
	user := func(created time.Time) []store.User { return []store.User{{Name: "ann", Created: created}} }
	token := func(change func(*store.Token)) review.Facts {
		tok := store.Token{ID: "1", Created: ago(long), Seen: ago(1), Expires: now.Add(1)}
		change(&tok)
		return review.Facts{Tokens: []store.Token{tok}}
	}
	local := access.Identity{Subject: "user:ann", Provider: policy.Local}
	owned := func(users ...store.User) review.Facts {
		f := token(func(t *store.Token) { t.Owner = local })
		f.Users = users
		return f
	}
	bound := func(groups ...string) policy.Config {
		return policy.Config{Bindings: []policy.Binding{{Groups: groups, Grant: access.Grant{Role: policy.Viewer}}}}
	}
	own := policy.Config{Roles: []policy.Role{{Name: "mine", Permissions: []access.Permission{access.LogsRead}}}}
	ann := access.Identity{Subject: "user:idp/ann", Provider: "idp", Groups: []string{"ops"}}
	for name, c := range map[string]struct {
		facts review.Facts
		want  []string
	}{
		"new user":           {review.Facts{Users: user(ago(short))}, nil},
		"user of 90 days":    {review.Facts{Users: user(ago(review.Idle))}, []string{"user user:ann no_login"}},
		"login in time":      {review.Facts{Users: user(ago(long)), Logins: []review.Login{{Subject: "user:ann", Time: ago(short)}, {Subject: "user:ann", Time: ago(long)}}}, nil},
		"login 90 days ago":  {review.Facts{Users: user(ago(long)), Logins: []review.Login{{Subject: "user:ann", Time: ago(review.Idle)}}}, []string{"user user:ann no_login"}},
		"session in use":     {review.Facts{Users: user(ago(long)), Sessions: []store.Session{{Identity: local, Created: ago(long), Seen: ago(1)}}}, nil},
		"log is too short":   {review.Facts{Users: user(ago(long)), KnownFrom: ago(short)}, nil},
		"namesake elsewhere": {review.Facts{Users: user(ago(long)), Logins: []review.Login{{Subject: "user:idp/ann", Time: ago(1)}}}, []string{"user user:ann no_login"}},
		"disabled in groups": {review.Facts{Users: []store.User{{Name: "ann", Created: ago(1), Disabled: true, Groups: []string{"a", "b"}}}}, []string{"user user:ann disabled_with_groups"}},
		"disabled":           {review.Facts{Users: []store.User{{Name: "ann", Created: ago(1), Disabled: true}}}, nil},

		"token in use":       {token(func(*store.Token) {}), nil},
		"used in time":       {token(func(t *store.Token) { t.Seen = ago(short) }), nil},
		"unused":             {token(func(t *store.Token) { t.Seen = ago(review.Idle) }), []string{"token token:1 unused"}},
		"new and not used":   {token(func(t *store.Token) { t.Seen, t.Created = time.Time{}, ago(short) }), nil},
		"never used":         {token(func(t *store.Token) { t.Seen, t.Created = time.Time{}, ago(review.Idle) }), []string{"token token:1 never_used"}},
		"expires now":        {token(func(t *store.Token) { t.Expires = now }), []string{"token token:1 expired"}},
		"expired and unused": {token(func(t *store.Token) { t.Expires, t.Seen = ago(1), ago(long) }), []string{"token token:1 expired", "token token:1 unused"}},
		"owner is there":     {owned(store.User{Name: "ann", Created: now}), nil},
		"owner is disabled":  {owned(store.User{Name: "ann", Created: now, Disabled: true}), []string{"token token:1 owner_gone"}},
		"owner is gone":      {owned(), []string{"token token:1 owner_gone"}},
		"owner elsewhere":    {token(func(t *store.Token) { t.Owner = ann }), nil},

		"group of nobody":    {review.Facts{Policy: bound("ops", "ops")}, []string{"binding auth.bindings[0] (viewer) group_unused"}},
		"group of a session": {review.Facts{Policy: bound("ops"), Sessions: []store.Session{{Identity: ann, Seen: now}}}, nil},
		"group of an owner": {func() review.Facts {
			f := token(func(t *store.Token) { t.Owner = ann })
			f.Policy = bound("ops")
			return f
		}(), nil},
		"group of a user":       {review.Facts{Policy: bound("ops"), Users: []store.User{{Name: "ann", Created: now, Groups: []string{"ops"}}}}, nil},
		"group of certificates": {review.Facts{Policy: bound("ops"), Elsewhere: []string{"ops"}}, nil},
		"unknown groups":        {review.Facts{Policy: bound("ops"), Logins: []review.Login{{Subject: "user:idp/kim", Time: ago(review.Idle)}}}, nil},
		"unknown groups before": {review.Facts{Policy: bound("ops"), Logins: []review.Login{{Subject: "user:idp/kim", Time: ago(review.Idle + 1)}}}, []string{"binding auth.bindings[0] (viewer) group_unused"}},
		"groups of a login":     {review.Facts{Policy: bound("ops"), Logins: []review.Login{came("user:idp/kim", review.Idle, "ops")}}, nil},
		"groups of one before":  {review.Facts{Policy: bound("ops"), Logins: []review.Login{came("user:idp/kim", review.Idle+1, "ops")}}, []string{"binding auth.bindings[0] (viewer) group_unused"}},
		"groups of others":      {review.Facts{Policy: bound("ops"), Logins: []review.Login{came("user:idp/kim", review.Idle, "dev")}}, []string{"binding auth.bindings[0] (viewer) group_unused"}},
		"one that was left":     {review.Facts{Policy: bound("ops"), Logins: []review.Login{came("user:idp/kim", 1, "dev"), came("user:idp/kim", review.Idle, "ops")}}, nil},
		"period before the log": {review.Facts{Policy: bound("ops"), KnownFrom: ago(short)}, nil},

		"role of nobody": {review.Facts{Policy: own}, []string{"role mine role_unbound"}},
		"role of a token": {func() review.Facts {
			f := token(func(t *store.Token) { t.Grants = []access.Grant{{Role: "mine"}} })
			f.Policy = own
			return f
		}(), nil},
		"role of a user":    {review.Facts{Policy: own, Users: []store.User{{Name: "ann", Created: now, Groups: []string{"signalbox:mine"}}}}, nil},
		"role of a binding": {review.Facts{Policy: policy.Config{Roles: own.Roles, Bindings: []policy.Binding{{Users: []string{"ann"}, Grant: access.Grant{Role: "mine"}}}}}, nil},
	} {
		if got := proposals(c.facts); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// came is a login whose groups were noted.
func came(subject string, before time.Duration, groups ...string) review.Login {
	return review.Login{Subject: subject, Time: ago(before), Groups: groups, Grants: []string{"as noted"}, Known: true}
}

// Who has no session any more is shown with the groups of the last login, and a period that is over with those of then.
func TestGroupsOfPastLoginsSayWhatTheyGave(t *testing.T) {
	cfg := policy.Config{Bindings: []policy.Binding{{Groups: []string{"ops"}, Grant: access.Grant{Role: policy.Editor}}, {Groups: []string{"dev"}, Grant: access.Grant{Role: policy.Viewer, Namespaces: []string{"pay"}}}}}
	const day = 24 * time.Hour
	ann := access.Identity{Subject: "user:idp/ann", Provider: "idp", Groups: []string{"dev"}}
	logins := []review.Login{came("user:idp/ann", 50*day, "ops", "dev"), came("user:idp/kim", 20*day, "ops"), came("user:idp/kim", 60*day), {Subject: "user:idp/old", Time: ago(50 * day)}}
	of := func(until time.Duration, sessions ...store.Session) map[string]review.Holder {
		out := map[string]review.Holder{}
		f := review.Facts{From: ago(80 * day), Until: ago(until), Now: now, KnownFrom: ago(1000 * day), Policy: cfg, Logins: logins, Sessions: sessions}
		for _, h := range review.Of(f).Holders {
			out[h.Name] = h
		}
		return out
	}
	got := of(0)
	if h := got["user:idp/ann"]; fmt.Sprint(h.Of, review.Words(h.Grants), h.OfAt.Equal(ago(50*day))) != "[ops dev] [editor on default by auth.bindings[0] (editor) viewer on default in pay by auth.bindings[1] (viewer)] true" {
		t.Errorf("%+v", h)
	}
	if h := got["user:idp/kim"]; !slices.Equal(h.Of, []string{"ops"}) || h.Was == nil || !slices.Equal(h.Was.Grants, []string{"as noted"}) {
		t.Errorf("%+v: what was given otherwise then is not shown", h)
	}
	if h := got["user:idp/old"]; h.Of != nil || h.Was != nil || !h.OfAt.IsZero() {
		t.Errorf("%+v", h)
	}
	// A session that began later has what the provider says now; the quarter that is over what it said then.
	got = of(30*day, store.Session{Identity: ann, Created: ago(2 * day), Seen: now})
	if h := got["user:idp/ann"]; !slices.Equal(h.Of, []string{"dev"}) || !h.OfAt.Equal(ago(2*day)) || h.Was == nil || !slices.Equal(h.Was.Groups, []string{"ops", "dev"}) || !h.Was.Time.Equal(ago(50*day)) {
		t.Errorf("%+v", h)
	}
	if h := got["user:idp/kim"]; h.Was == nil || len(h.Was.Groups) != 0 || !slices.Equal(h.Of, []string{"ops"}) {
		t.Errorf("%+v", h)
	}
}

// What is shown is what the policy decides, with where it comes from.
func TestGrantsAreThoseThatThePolicyDecides(t *testing.T) {
	cfg := policy.Config{Bindings: []policy.Binding{
		{Users: []string{"ann"}, Grant: access.Grant{Role: policy.Editor, Tenants: []string{"acme"}, Namespaces: []string{"pay"}}},
		{Groups: []string{"ops"}, Grant: access.Grant{Role: policy.Viewer}},
	}}
	forged := access.Identity{Subject: "user:idp/ann", Kind: access.User, Provider: "idp", Groups: []string{"ops", "signalbox:admin"}}
	ann := store.User{Name: "ann", Created: now, Groups: []string{"signalbox:admin", "signalbox:none", "ops"}}
	r := review.Of(review.Facts{Now: now, Policy: cfg, Users: []store.User{ann}, Sessions: []store.Session{{Identity: forged, Seen: now}}})
	p, err := policy.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]access.Identity{forged.Subject: forged, "user:ann": {Subject: "user:ann", Kind: access.User, Provider: policy.Local, Groups: ann.Groups}}
	for _, h := range r.Holders[:2] {
		for _, tenant := range []string{"default", "acme", "blue"} {
			for _, d := range access.Permissions() {
				var by []string
				for _, g := range h.Grants {
					role := slices.IndexFunc(p.Roles(), func(x policy.Role) bool { return x.Name == g.Role })
					covers := slices.Contains(g.Tenants, tenant) || slices.Contains(g.Tenants, "*")
					if covers && slices.Contains(p.Roles()[role].Permissions, d.Permission) && (len(g.Namespaces) == 0 || access.ClassOf(d.Permission) == access.Scoped) {
						by = append(by, g.By)
					}
				}
				slices.Sort(by)
				if got := p.Decide(ids[h.Name], d.Permission, tenant).By; access.ClassOf(d.Permission) == access.Scoped && fmt.Sprint(got) != fmt.Sprint(by) {
					t.Errorf("%s %s %s: the policy says %q, the review %q", h.Name, d.Permission, tenant, got, by)
				}
			}
		}
	}
}
