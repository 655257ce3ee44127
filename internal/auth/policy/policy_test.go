package policy

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/access"
)

func mustNew(t interface {
	Helper()
	Fatal(...any)
}, cfg Config,
) *Policy {
	t.Helper()
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func person(name string, groups ...string) access.Identity {
	return access.Identity{Subject: "user:" + name, Name: name, Kind: access.User, Provider: "sso", Groups: groups}
}

func bind(role string, groups, tenants, namespaces []string) Binding {
	return Binding{Groups: groups, Grant: access.Grant{Role: role, Tenants: tenants, Namespaces: namespaces}}
}

func TestDecide(t *testing.T) {
	p := mustNew(t, Config{
		Roles: []Role{{Name: "tailer", Permissions: []access.Permission{access.LogsRead}}},
		Bindings: []Binding{
			bind(Viewer, []string{"pay"}, nil, []string{"pay", "pay-eu"}),
			bind(Responder, []string{"oncall"}, []string{"default", "acme"}, nil),
			bind(Admin, []string{"pay-leads"}, nil, []string{"pay"}),
			bind(Admin, []string{"acme-admins"}, []string{"acme"}, nil),
			bind("tailer", []string{"trade"}, []string{"*"}, []string{"trade"}),
			{Users: []string{"ann", "certificate:spiffe://prod/agent"}, Grant: access.Grant{Role: Ingest}},
		},
	})
	local := person("root", "signalbox:admin")
	local.Provider = Local
	for _, c := range []struct {
		name       string
		who        access.Identity
		perm       access.Permission
		tenant     string
		allowed    bool
		all        bool
		namespaces string
	}{
		{"nobody is bound", person("eve"), access.LogsRead, "default", false, false, ""},
		{"a namespace of one's own", person("bob", "pay"), access.LogsRead, "default", true, false, "pay,pay-eu"},
		{"not on another tenant", person("bob", "pay"), access.LogsRead, "acme", false, false, ""},
		{"a viewer silences nothing", person("bob", "pay"), access.SilencesWrite, "default", false, false, ""},
		{"two groups see both", person("bob", "pay", "trade"), access.LogsRead, "default", true, false, "pay,pay-eu,trade"},
		{"one that sees all wins", person("bob", "pay", "oncall"), access.LogsRead, "default", true, true, ""},
		{"a custom role gives what it lists", person("tim", "trade"), access.TracesRead, "default", false, false, ""},
		{"on every tenant", person("tim", "trade"), access.LogsRead, "whatever", true, false, "trade"},
		{"an admin of a namespace silences in it", person("pam", "pay-leads"), access.SilencesWrite, "default", true, false, "pay"},
		{"but reloads nothing", person("pam", "pay-leads"), access.AdminReload, "default", false, false, ""},
		{"reads no audit", person("pam", "pay-leads"), access.AuditRead, "default", false, false, ""},
		{"deletes no series", person("pam", "pay-leads"), access.AdminStorage, "default", false, false, ""},
		{"an admin of a tenant reads its audit", person("al", "acme-admins"), access.AuditRead, "acme", true, true, ""},
		{"and reloads nothing", person("al", "acme-admins"), access.AdminReload, "acme", false, false, ""},
		{"a local admin reloads, whatever the tenant", local, access.AdminReload, "acme", true, true, ""},
		{"a provider cannot name our groups", person("eve", "signalbox:admin"), access.AdminReload, "default", false, false, ""},
		{"a user by name", person("ann"), access.TelemetryWrite, "default", true, true, ""},
		{"a subject", access.Identity{Subject: "certificate:spiffe://prod/agent", Kind: access.Certificate}, access.TelemetryWrite, "default", true, true, ""},
		{"ingest sees nothing", person("ann"), access.MetricsRead, "default", false, false, ""},
		{"nothing undeclared", local, access.Undeclared, "default", false, false, ""},
	} {
		d := p.Decide(c.who, c.perm, c.tenant)
		if d.Allowed != c.allowed || d.Scope.All != c.all || strings.Join(d.Scope.Names, ",") != c.namespaces || d.Allowed != (len(d.By) > 0) {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}

func TestATokenNeverMayMoreThanItsOwner(t *testing.T) {
	p := mustNew(t, Config{Bindings: []Binding{bind(Viewer, []string{"pay"}, nil, []string{"pay"})}})
	owner := person("bob", "pay")
	token := func(owner *access.Identity, grants ...access.Grant) access.Identity {
		return access.Identity{Subject: "token:1", Kind: access.Token, Owner: owner, Grants: grants}
	}
	nobody := person("bob") // left the group
	for _, c := range []struct {
		name  string
		token access.Identity
		perm  access.Permission
		want  string // "-" is refused
	}{
		{"as much as its owner", token(&owner, access.Grant{Role: Admin}), access.LogsRead, "pay"},
		{"not more", token(&owner, access.Grant{Role: Admin}), access.SilencesWrite, "-"},
		{"less if it was given less", token(&owner, access.Grant{Role: Ingest}), access.LogsRead, "-"},
		{"another namespace", token(&owner, access.Grant{Role: Viewer, Namespaces: []string{"trade"}}), access.LogsRead, "-"},
		{"nothing once its owner may nothing", token(&nobody, access.Grant{Role: Viewer}), access.LogsRead, "-"},
		{"a service's token stands for itself", token(nil, access.Grant{Role: Viewer}), access.LogsRead, "*"},
		{"without grants it gives nothing", token(&owner), access.LogsRead, "-"},
	} {
		d := p.Decide(c.token, c.perm, "default")
		got := "-"
		if d.Allowed {
			if got = strings.Join(d.Scope.Names, ","); d.Scope.All {
				got = "*"
			}
		}
		if got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

// naive is what the documentation says, in a loop over bindings.
func naive(cfg Config, id access.Identity, perm access.Permission, tenant string) (bool, access.Scope) {
	holds := func(role string) bool {
		for _, r := range append(BuiltIn(), cfg.Roles...) {
			if r.Name == role {
				return slices.Contains(r.Permissions, perm)
			}
		}
		return false
	}
	allowed, all := false, false
	var names []string
	for _, b := range cfg.Bindings {
		member := slices.ContainsFunc(b.Groups, func(g string) bool { return slices.Contains(id.Groups, g) })
		tenants := b.Tenants
		if len(tenants) == 0 {
			tenants = []string{"default"}
		}
		on := tenant
		if access.ClassOf(perm) == access.System {
			on = "default"
		}
		reaches := slices.Contains(tenants, "*") || slices.Contains(tenants, on)
		if !member || !reaches || !holds(b.Role) || len(b.Namespaces) > 0 && access.ClassOf(perm) != access.Scoped {
			continue
		}
		allowed = true
		all = all || len(b.Namespaces) == 0
		names = append(names, b.Namespaces...)
	}
	slices.Sort(names)
	if all {
		return allowed, access.Scope{All: true}
	}
	return allowed, access.Scope{Names: slices.Compact(names)}
}

func TestDecisionsAreThoseOfANaiveReading(t *testing.T) {
	groups, tenants, namespaces := []string{"a", "b", "c"}, []string{"default", "acme", "*"}, []string{"pay", "trade", "web"}
	some := func(t *rapid.T, of []string, least int, label string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(of), least, len(of), rapid.ID[string]).Draw(t, label)
	}
	rapid.Check(t, func(t *rapid.T) {
		var cfg Config
		for range rapid.IntRange(0, 5).Draw(t, "bindings") {
			cfg.Bindings = append(cfg.Bindings, bind(rapid.SampledFrom([]string{Viewer, Responder, Editor, Admin, Ingest}).Draw(t, "role"),
				some(t, groups, 1, "groups"), some(t, tenants, 0, "tenants"), some(t, namespaces, 0, "namespaces")))
		}
		p := mustNew(t, cfg)
		id := person("x", some(t, groups, 0, "member")...)
		for _, tenant := range []string{"default", "acme", "other"} {
			for _, perm := range access.Permissions() {
				allowed, scope := naive(cfg, id, perm.Permission, tenant)
				d := p.Decide(id, perm.Permission, tenant)
				if d.Allowed != allowed || d.Allowed && (d.Scope.All != scope.All || !slices.Equal(d.Scope.Names, scope.Names)) {
					t.Fatalf("%s on %s: %+v, want %v %+v", perm.Permission, tenant, d, allowed, scope)
				}
			}
		}
	})
}

func TestEveryPermissionIsHeldByAdminAndRolesGrow(t *testing.T) {
	roles := map[string][]access.Permission{}
	for _, r := range BuiltIn() {
		roles[r.Name] = r.Permissions
	}
	if len(roles[Admin]) != len(access.Permissions()) {
		t.Error("admin may everything")
	}
	for _, pair := range [][2]string{{Viewer, Responder}, {Responder, Editor}, {Editor, Admin}} {
		for _, perm := range roles[pair[0]] {
			if !slices.Contains(roles[pair[1]], perm) {
				t.Errorf("%s lacks %s of %s", pair[1], perm, pair[0])
			}
		}
	}
}

func TestValidateNamesThePlaceAndTheCure(t *testing.T) {
	for want, cfg := range map[string]Config{
		`roles[0].name: "Up"`:                       {Roles: []Role{{Name: "Up", Permissions: []access.Permission{access.LogsRead}}}},
		"roles[0].name: there is a role admin":      {Roles: []Role{{Name: Admin, Permissions: []access.Permission{access.LogsRead}}}},
		"roles[0].permissions: a role without":      {Roles: []Role{{Name: "none"}}},
		`roles[0].permissions[0]: there is no`:      {Roles: []Role{{Name: "odd", Permissions: []access.Permission{"logs.raed"}}}},
		`bindings[0].role: there is no role "boss"`: {Bindings: []Binding{bind("boss", []string{"a"}, nil, nil)}},
		"bindings[0]: nobody is bound":              {Bindings: []Binding{bind(Viewer, nil, nil, nil)}},
		"bindings[0]: an empty name":                {Bindings: []Binding{bind(Viewer, []string{"a"}, nil, []string{""})}},
		`bindings[0].namespaces: leave namespaces`:  {Bindings: []Binding{bind(Viewer, []string{"a"}, nil, []string{"*"})}},
	} {
		errs := cfg.Validate()
		if len(errs) != 1 || !strings.Contains(errs[0].Error(), want) {
			t.Errorf("%q: %v", want, errs)
		}
		if _, err := New(cfg); err == nil {
			t.Errorf("%q is taken", want)
		}
	}
}

func TestExplainSaysWhy(t *testing.T) {
	p := mustNew(t, Config{Bindings: []Binding{bind(Viewer, []string{"pay"}, nil, []string{"pay"})}})
	for _, line := range p.Explain(person("bob", "pay"), "default") {
		if line.Permission == access.LogsRead && (!line.Allowed || strings.Join(line.By, "") != "auth.bindings[0] (viewer)" || strings.Join(line.Namespaces, "") != "pay") {
			t.Errorf("%+v", line)
		}
		if line.Permission == access.AdminReload && (line.Allowed || len(line.By) > 0) {
			t.Errorf("%+v", line)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	var cfg Config
	for range 50 {
		cfg.Bindings = append(cfg.Bindings, bind(Viewer, []string{"a", "b"}, nil, []string{"pay"}))
	}
	p, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	id := person("bob", "b", "c", "d")
	b.Run("remembered", func(b *testing.B) {
		for b.Loop() {
			p.Decide(id, access.LogsRead, "default")
		}
	})
	b.Run("anew", func(b *testing.B) {
		for b.Loop() {
			p.decide(id, access.LogsRead, "default")
		}
	})
}

// A word that lifts a rule of masking is one of the configuration's own; no role that is always there has it.
func TestWordsThatLiftRulesOfMasking(t *testing.T) {
	p, err := New(Config{
		Roles:    []Role{{Name: "cards", Permissions: []access.Permission{"unmasked.cards"}}},
		Bindings: []Binding{{Users: []string{"ann"}, Grant: access.Grant{Role: "cards", Namespaces: []string{"pay"}}}, {Users: []string{"root"}, Grant: access.Grant{Role: Admin}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ann, root := access.Identity{Subject: "user:ann", Kind: access.User}, access.Identity{Subject: "user:root", Kind: access.User}
	if d := p.Decide(ann, "unmasked.cards", "default"); !d.Allowed || d.Scope.All || !d.Scope.Sees("pay") {
		t.Errorf("%+v", d)
	}
	if p.Decide(root, "unmasked.cards", "default").Allowed || !p.Decide(root, access.UnmaskedRead, "default").Allowed {
		t.Error("an administrator has the words of the configuration only where a role gives them")
	}
	lines := p.Explain(ann, "default")
	if last := lines[len(lines)-1]; last.Permission != "unmasked.cards" || !last.Allowed {
		t.Errorf("%+v", last)
	}
	if errs := (Config{Roles: []Role{{Name: "x", Permissions: []access.Permission{"unmasked.Cards", "cards"}}}}).Validate(); len(errs) != 2 {
		t.Error(errs)
	}
}
