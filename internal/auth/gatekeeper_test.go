package auth

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/auth/certificate"
	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
	"github.com/signalbox-project/signalbox/internal/front/certs/certstest"
)

// badge proves an identity by a header, for the tests.
type badge struct {
	header string
	people map[string]access.Identity
	err    error
}

func (b badge) Identify(r *http.Request) (access.Identity, bool, error) {
	name := r.Header.Get(b.header)
	if name == "" {
		return access.Identity{}, false, nil
	}
	if b.err != nil {
		return access.Identity{}, true, b.err
	}
	id, ok := b.people[name]
	if !ok {
		return access.Identity{}, true, login.ErrUnauthenticated
	}
	return id, true, nil
}

func grant(role string, tenants, namespaces []string, groups ...string) policy.Binding {
	return policy.Binding{Groups: groups, Grant: access.Grant{Role: role, Tenants: tenants, Namespaces: namespaces}}
}

func keeper(t *testing.T, bindings ...policy.Binding) *Gatekeeper {
	t.Helper()
	g, err := New(Config{Enabled: true, Config: policy.Config{Bindings: bindings}}, Deps{
		Logger: slog.New(slog.DiscardHandler), Tenants: func() []string { return []string{"default", "acme", "blue"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestNobodyIsLetInWithoutAProof(t *testing.T) {
	g := keeper(t)
	r := httptest.NewRequest("GET", "/", nil)
	if _, refusal := g.Hooks().Identify(r); refusal == nil || refusal.Status != 401 || !strings.HasPrefix(refusal.Header.Get("WWW-Authenticate"), "Bearer") {
		t.Fatalf("%+v", refusal)
	}
	g.Accept(badge{header: "A", people: map[string]access.Identity{"ann": {Subject: "user:ann"}}}, badge{header: "B", err: &login.Unavailable{Provider: "sso", Err: errors.New("10.0.0.1: down")}})
	for _, c := range []struct {
		name    string
		header  []string
		subject string
		status  int
	}{
		{"a proof", []string{"A", "ann"}, "user:ann", 0},
		{"a wrong one", []string{"A", "eve"}, "", 401},
		{"a wrong one beside another", []string{"A", "eve", "B", "x"}, "", 401},
		{"the first that is shown decides", []string{"A", "ann", "B", "x"}, "user:ann", 0},
		{"a provider that is down", []string{"B", "x"}, "", 503},
		{"none", nil, "", 401},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		for i := 0; i+1 < len(c.header); i += 2 {
			r.Header.Set(c.header[i], c.header[i+1])
		}
		id, refusal := g.Hooks().Identify(r)
		status := 0
		if refusal != nil {
			if status = refusal.Status; strings.Contains(refusal.Message, "10.0.0.1") {
				t.Errorf("%s: the refusal tells of the inside: %s", c.name, refusal.Message)
			}
		}
		if id.Subject != c.subject || status != c.status {
			t.Errorf("%s: %q %d", c.name, id.Subject, status)
		}
	}
}

func TestWhichTenantARequestMeansAndWhatItSees(t *testing.T) {
	g := keeper(t,
		grant(policy.Viewer, nil, []string{"pay"}, "pay"),
		grant(policy.Admin, []string{"acme"}, nil, "acme"),
		grant(policy.Viewer, []string{"acme", "blue"}, nil, "two"),
	)
	for _, c := range []struct {
		name          string
		group, asked  string
		perm          access.Permission
		tenant, scope string
		status        int
		unmasked      bool
	}{
		{"one's own tenant without naming it", "acme", "", access.LogsRead, "acme", "*", 0, true},
		{"naming it", "acme", "acme", access.LogsRead, "acme", "*", 0, true},
		{"another's", "acme", "default", access.LogsRead, "default", "", 403, false},
		{"one that there is not, alike", "acme", "nothing", access.LogsRead, "nothing", "", 403, false},
		{"two, and none is named", "two", "", access.LogsRead, "", "", 400, false},
		{"default goes first", "pay", "", access.StatusRead, "default", "pay", 0, false},
		{"what does not keep namespaces apart is for those who see all", "pay", "", access.SilencesWrite, "default", "", 403, false},
		{"who has nothing", "none", "", access.LogsRead, "default", "", 403, false},
		{"anybody", "none", "", access.Anybody, "default", "", 0, false},
		{"the system is the operator's", "acme", "acme", access.AdminReload, "acme", "", 403, false},
	} {
		id := access.Identity{Subject: "user:x", Name: "x", Kind: access.User, Groups: []string{c.group}}
		a, refusal := g.Hooks().Authorize(id, c.asked, c.perm)
		status := 0
		if refusal != nil {
			status = refusal.Status
		}
		scope := strings.Join(a.Scope.Names, ",")
		if a.Scope.All {
			scope = "*"
		}
		if status != c.status || a.Tenant != c.tenant || scope != c.scope || a.Unmasked != c.unmasked {
			t.Errorf("%s: %d %+v", c.name, status, a)
		}
	}
	// What a refusal says of a tenant that exists and of one that does not differs in nothing but the name.
	id := access.Identity{Subject: "user:x", Name: "x"}
	_, there := g.Hooks().Authorize(id, "acme", access.LogsRead)
	_, not := g.Hooks().Authorize(id, "emca", access.LogsRead)
	if strings.ReplaceAll(there.Message, "acme", "T") != strings.ReplaceAll(not.Message, "emca", "T") || there.Status != not.Status {
		t.Errorf("%s\n%s", there.Message, not.Message)
	}
}

func TestACertificateIsTheLastProofThatIsAsked(t *testing.T) {
	g, err := New(Config{Enabled: true, Certificates: []certificate.Rule{{Match: certificate.Match{CommonName: "agent"}}}}, Deps{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	g.Accept(badge{header: "A", people: map[string]access.Identity{"ann": {Subject: "user:ann"}}})
	ca := certstest.NewCA(t, "ours")
	for _, c := range []struct{ name, shown, want string }{{"agent", "", "certificate:agent"}, {"agent", "ann", "user:ann"}, {"agent", "eve", ""}, {"other", "", ""}} {
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{ca.Issue(c.name).Cert}}}
		if c.shown != "" {
			r.Header.Set("A", c.shown)
		}
		if id, refusal := g.Hooks().Identify(r); id.Subject != c.want || (refusal == nil) != (c.want != "") {
			t.Errorf("%+v: %q %v", c, id.Subject, refusal)
		}
	}
}
