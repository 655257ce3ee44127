package oidc

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/auth/login"
)

func said(t *testing.T, text string) claims {
	t.Helper()
	var c claims
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhoSomebodyIs(t *testing.T) {
	for _, c := range []struct {
		name    string
		cfg     Config
		claims  string
		subject string
		groups  []string
		refused string
	}{
		{"keycloak", Config{Profile: Keycloak}, `{"preferred_username":"ann","name":"Ann","groups":["/sre","/ops","/sre"]}`, "user:ann", []string{"/ops", "/sre"}, ""},
		{"roles of keycloak's realm", Config{Profile: Keycloak, Claims: Claims{Groups: "realm_access.roles"}}, `{"preferred_username":"ann","realm_access":{"roles":["sre"]}}`, "user:ann", []string{"sre"}, ""},
		{"a name with dots", Config{Profile: Keycloak, Claims: Claims{Groups: "https://example.org/groups"}}, `{"preferred_username":"ann","https://example.org/groups":["sre"]}`, "user:ann", []string{"sre"}, ""},
		{"a path below a name with dots", Config{Profile: Keycloak, Claims: Claims{Groups: "https://example.org/x.groups"}}, `{"preferred_username":"ann","https://example.org/x":{"groups":"sre"}}`, "user:ann", []string{"sre"}, ""},
		{"no groups", Config{Profile: Keycloak}, `{"preferred_username":"ann"}`, "user:ann", nil, ""},
		{"null groups", Config{Profile: Keycloak}, `{"preferred_username":"ann","groups":null}`, "user:ann", nil, ""},
		{"entra", Config{Profile: Entra}, `{"preferred_username":"Ann@Example.org","groups":["0f0f"]}`, "user:ann@example.org", []string{"0f0f"}, ""},
		{"entra, too many groups", Config{Profile: Entra}, `{"preferred_username":"ann","_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{"endpoint":"https://graph"}}}`, "", nil, "too many groups"},
		{"entra, too many groups, said shorter", Config{Profile: Entra}, `{"preferred_username":"ann","hasgroups":true}`, "", nil, "too many groups"},
		{"entra, roles of the app instead", Config{Profile: Entra, Claims: Claims{Groups: "roles"}}, `{"preferred_username":"ann","roles":["sre"],"_claim_names":{"groups":"src1"}}`, "user:ann", []string{"sre"}, ""},
		{"dex", Config{Profile: Dex}, `{"email":"Ann@example.org","email_verified":true,"groups":["org:sre"]}`, "user:ann@example.org", []string{"org:sre"}, ""},
		{"a text instead of truth", Config{Profile: Dex}, `{"email":"ann@example.org","email_verified":"true"}`, "user:ann@example.org", nil, ""},
		{"a mail nobody verified", Config{Profile: Dex}, `{"email":"ceo@example.org","email_verified":false}`, "", nil, "not verified"},
		{"a mail of which nobody says it", Config{Profile: Generic}, `{"email":"ceo@example.org"}`, "", nil, "not verified"},
		{"a subject as name keeps its letters", Config{Claims: Claims{Username: "sub"}}, `{"sub":"AbC"}`, "user:AbC", nil, ""},
		{"prefixes", Config{Profile: Keycloak, Claims: Claims{UsernamePrefix: "kc:", GroupsPrefix: "kc:"}}, `{"preferred_username":"ann","groups":["sre"]}`, "user:kc:ann", []string{"kc:sre"}, ""},
		{"nobody", Config{Profile: Keycloak}, `{"preferred_username":""}`, "", nil, "what you are called"},
		{"a name that doesn't print", Config{Profile: Keycloak}, `{"preferred_username":"ann\u0000"}`, "", nil, "what you are called"},
		{"a name with space around it", Config{Profile: Keycloak}, `{"preferred_username":"ann "}`, "", nil, "what you are called"},
		{"a name that is a list", Config{Profile: Keycloak}, `{"preferred_username":["ann"]}`, "", nil, "what you are called"},
		{"groups that are objects", Config{Profile: Keycloak}, `{"preferred_username":"ann","groups":[{"name":"sre"}]}`, "", nil, "no list of texts"},
		{"groups that are one object", Config{Profile: Keycloak}, `{"preferred_username":"ann","groups":{"sre":true}}`, "", nil, "no list of texts"},
		{"a group that doesn't print", Config{Profile: Keycloak}, `{"preferred_username":"ann","groups":["a\nb"]}`, "", nil, "does not print"},
		{"allowed", Config{Profile: Keycloak, Allowed: Allowed{Groups: []string{"sre"}}, Claims: Claims{GroupsPrefix: "kc:"}}, `{"preferred_username":"ann","groups":["sre"]}`, "user:ann", []string{"kc:sre"}, ""},
		{"not allowed", Config{Profile: Keycloak, Allowed: Allowed{Groups: []string{"sre"}}}, `{"preferred_username":"ann","groups":["SRE"]}`, "", nil, "none of the groups"},
		{"nothing said of groups", Config{Profile: Keycloak, Allowed: Allowed{Groups: []string{"sre"}}}, `{"preferred_username":"ann"}`, "", nil, "claim groups"},
		{"a domain", Config{Profile: Keycloak, Allowed: Allowed{Domains: []string{"Example.org"}}}, `{"preferred_username":"ann","email":"ann@example.org","email_verified":true}`, "user:ann", nil, ""},
		{"a domain nobody verified", Config{Profile: Keycloak, Allowed: Allowed{Domains: []string{"example.org"}}}, `{"preferred_username":"ann","email":"ann@example.org"}`, "", nil, "a verified one of a domain"},
		{"a domain that ends alike", Config{Profile: Keycloak, Allowed: Allowed{Domains: []string{"example.org"}}}, `{"preferred_username":"ann","email":"ann@evilexample.org","email_verified":true}`, "", nil, "a verified one of a domain"},
		{"a domain below", Config{Profile: Keycloak, Allowed: Allowed{Domains: []string{"example.org"}}}, `{"preferred_username":"ann","email":"ann@evil.example.org","email_verified":true}`, "", nil, "a verified one of a domain"},
		{"two signs", Config{Profile: Keycloak, Allowed: Allowed{Domains: []string{"example.org"}}}, `{"preferred_username":"ann","email":"a@example.org@evil.org","email_verified":true}`, "", nil, "a verified one of a domain"},
		{"no sign", Config{Profile: Keycloak, Allowed: Allowed{Domains: []string{"example.org"}}}, `{"preferred_username":"ann","email":"example.org","email_verified":true}`, "", nil, "a verified one of a domain"},
	} {
		p := newProvider(c.cfg, Deps{})
		id, err := p.identify(said(t, c.claims))
		var refused *login.Refused
		if c.refused != "" {
			if !errors.As(err, &refused) || !strings.Contains(refused.Why, c.refused) || refused.Cure == "" || id.Subject != "" {
				t.Errorf("%s: %+v, %v", c.name, id, err)
			}
			continue
		}
		if err != nil || id.Subject != c.subject || !slices.Equal(id.Groups, c.groups) || id.Name == "" {
			t.Errorf("%s: %+v, %v", c.name, id, err)
		}
	}
}

func TestOnOurSide(t *testing.T) {
	for to, want := range map[string]string{
		"/": "/", "/a/b?c=d&e=%2F%2Fevil#f": "/a/b?c=d&e=%2F%2Fevil#f", "/a//b": "/a//b", "/ü": "/%C3%BC",
		"": "/", "a": "/", "//evil.org": "/", "/\\evil.org": "/", "\\\\evil.org": "/", "https://evil.org": "/", "https:/evil.org": "/", "javascript:alert(1)": "/",
		"/\t/evil.org": "/", "/\n/evil.org": "/", " //evil.org": "/", "/ /evil.org": "/", "/%5cevil.org": "/", "/%2fevil.org": "/", "/%2F%2Fevil.org": "/", "/%09/evil.org": "/",
		"/auth/oidc/main/start": "/", "/auth": "/", "/auth/device?user_code=BCDF-GHJK": "/auth/device?user_code=BCDF-GHJK", "/auth/device/code": "/", "/authors": "/authors", "/a\r\nSet-Cookie: x=y": "/", "///evil.org": "/", "/.//evil.org": "/.//evil.org", "/" + strings.Repeat("a", 3000): "/",
		"/\u2028": "/", "/%zz": "/",
	} {
		if got := onOurSide(to); got != want {
			t.Errorf("%q: %q, want %q", to, got, want)
		}
	}
}

// Whatever is asked for, a browser stays here. The oracle reads an address as browsers do: no white space within, a
// backslash is a slash, and two of these begin a host.
func TestOnOurSideIsOurs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for _, part := range rapid.SliceOfN(rapid.SampledFrom([]string{"/", "\\", "//", ":", "@", "evil.org", "https:", "a", ".", "..", "%2f", "%5C", "%09", "\t", "\n", " ", "?", "#", "%00", "\u00a0", "ü"}), 0, 8).Draw(t, "parts") {
			b.WriteString(part)
		}
		got := onOurSide(b.String())
		plain := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(strings.TrimSpace(got))
		base, _ := url.Parse("https://signalbox.example.org/auth/oidc/main/callback")
		to, err := base.Parse(plain)
		if err != nil || to.Host != base.Host || to.Scheme != base.Scheme || strings.HasPrefix(plain, "//") || got != plain {
			t.Fatalf("%q becomes %q, which is %v", b.String(), got, to)
		}
		if unescaped, err := url.PathUnescape(got); err == nil && (strings.HasPrefix(unescaped, "//") || strings.HasPrefix(unescaped, "/\\")) {
			t.Fatalf("%q becomes %q, another host to who unescapes it", b.String(), got)
		}
	})
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"a", "a", true},
		{"a", "ab", false},
		{"a", "", false},
		{"a", "A", false},
		{"example/*", "example/shop", true},
		{"example/*", "example/", true},
		{"example/*", "example/shop/evil", false},
		{"example/*", "example", false},
		{"*/shop", "example/shop", true},
		{"*/shop", "evil/example/shop", false},
		{"repo:example/*:ref:refs/heads/main", "repo:example/shop:ref:refs/heads/main", true},
		{"repo:example/*:ref:refs/heads/main", "repo:example/shop:pull_request:ref:refs/heads/main", false},
		{"repo:example/*", "repo:example/shop:ref:refs/heads/main", false},
		{"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxbyy", false},
		{"a*b*b", "ab", false},
		{"*", "", true},
		{"**", "x", true},
	} {
		if got := like(c.pattern).MatchString(c.s); got != c.want {
			t.Errorf("%q, %q: %v", c.pattern, c.s, got)
		}
	}
}

func TestLikeWithManyStarsEnds(t *testing.T) {
	began := time.Now()
	like(strings.Repeat("*a", 12) + "b").MatchString(strings.Repeat("a", maxText))
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("%v", took)
	}
}

func TestValidate(t *testing.T) {
	rule := Rule{When: map[string]string{"repository": "example/shop"}, Groups: []string{"ci"}}
	good := Config{Issuer: "https://login.example.org/realms/main", ClientID: "signalbox"}
	machines := Config{Issuer: "https://token.example.org", Bearer: Bearer{Audiences: []string{"https://signalbox.example.org"}, Rules: []Rule{rule}}}
	for _, c := range []Config{good, machines, {Issuer: "http://127.0.0.1:5556/dex", ClientID: "x", Profile: Dex}} {
		if errs := c.WithDefaults().Validate(); len(errs) > 0 {
			t.Error(errs)
		}
	}
	both := machines
	both.ClientID = "signalbox"
	for _, c := range []struct {
		field  string
		from   Config
		change func(*Config)
	}{
		{"name", good, func(c *Config) { c.Name = "../x" }},
		{"profile", good, func(c *Config) { c.Profile = "okta" }},
		{"issuer", good, func(c *Config) { c.Issuer = "http://login.example.org" }},
		{"issuer", good, func(c *Config) { c.Issuer = "login.example.org" }},
		{"issuer", good, func(c *Config) { c.Issuer = "https://login.example.org/?x=y" }},
		{"issuer", good, func(c *Config) { c.Profile, c.Issuer = Entra, "https://login.microsoftonline.com/common/v2.0" }},
		{"client_id", good, func(c *Config) { c.ClientID = "" }},
		{"client_secret_file", good, func(c *Config) { c.ClientSecretFile, c.ClientSecretEnv = "f", "E" }},
		{"scopes", good, func(c *Config) { c.Scopes = []string{"profile"} }},
		{"algorithms[0]", good, func(c *Config) { c.Algorithms = []string{"none"} }},
		{"algorithms[1]", good, func(c *Config) { c.Algorithms = []string{"RS256", "HS256"} }},
		{"leeway", good, func(c *Config) { c.Leeway = 61e9 }},
		{"recheck", good, func(c *Config) { c.Recheck = -1 }},
		{"max_session", good, func(c *Config) { c.MaxSession = -1 }},
		{"allowed.domains[0]", good, func(c *Config) { c.Allowed.Domains = []string{"*.example.org"} }},
		{"tls_config", good, func(c *Config) { c.TLS.CertFile = "x" }},
		{"bearer.rules", good, func(c *Config) { c.Bearer.Audiences = []string{"x"} }},
		{"bearer.audiences", machines, func(c *Config) { c.Bearer.Audiences = nil }},
		{"bearer.audiences[0]", both, func(c *Config) { c.Bearer.Audiences = []string{"signalbox"} }},
		{"bearer.rules[0].when", machines, func(c *Config) { c.Bearer.Rules = []Rule{{Groups: []string{"ci"}}} }},
		{"bearer.rules[0].when.repository", machines, func(c *Config) {
			c.Bearer.Rules = []Rule{{When: map[string]string{"repository": "*"}, Groups: []string{"ci"}}}
		}},
		{"bearer.rules[0].groups", machines, func(c *Config) { c.Bearer.Rules = []Rule{{When: rule.When}} }},
	} {
		cfg := c.from
		c.change(&cfg)
		if errs := cfg.WithDefaults().Validate(); len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), c.field+": ") {
			t.Errorf("%s: %v", c.field, errs)
		}
	}
	if _, err := New([]Config{good, good}, Deps{Now: time.Now}); err == nil || !strings.Contains(err.Error(), "another name") {
		t.Errorf("two of one name: %v", err)
	}
}
