package oidc

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/platform/loopback"
)

// The profiles: what is usual at a provider.
const (
	Keycloak = "keycloak"
	Entra    = "entra"
	Dex      = "dex"
	Generic  = "generic"
)

const maxLeeway = time.Minute

// Config is one provider, an entry of `auth.oidc`. What is left out is what the profile says.
type Config struct {
	// Name is what the provider is called in addresses, sessions and messages.
	Name string `yaml:"name"`
	// Profile is keycloak, entra, dex or generic; it sets what is usual there.
	Profile string `yaml:"profile"`
	// Issuer is the provider's address, exactly as it calls itself.
	Issuer string `yaml:"issuer"`
	// ClientID is what Signalbox is registered as. Without it nobody logs in here, and only bearer tokens count.
	ClientID string `yaml:"client_id"`
	// ClientSecretFile holds the secret; it is read at each login. A client without secret is protected by PKCE alone.
	ClientSecretFile string `yaml:"client_secret_file"`
	// ClientSecretEnv names an environment variable that holds it.
	ClientSecretEnv string `yaml:"client_secret_env"`
	// Scopes are asked for.
	Scopes []string `yaml:"scopes"`
	// Claims say where a person's name and groups stand.
	Claims Claims `yaml:"claims"`
	// Allowed says who may come in.
	Allowed Allowed `yaml:"allowed"`
	// Algorithms are the signatures that count.
	Algorithms []string `yaml:"algorithms"`
	// Leeway is how far the provider's clock may be off, at most a minute.
	Leeway model.Duration `yaml:"leeway"`
	// Recheck is how often the provider is asked whether a person may still be here, and their groups. It needs a
	// refresh token, for most providers the scope offline_access.
	Recheck model.Duration `yaml:"recheck"`
	// MaxSession is when a person must log in again.
	MaxSession model.Duration `yaml:"max_session"`
	// TLS says which certificates are trusted and shown, in Prometheus' words.
	TLS commoncfg.TLSConfig `yaml:"tls_config"`
	// Bearer says which of the provider's tokens are good for calls of machines.
	Bearer Bearer `yaml:"bearer"`
}

// Claims say where a person's name and groups stand; a path of names is written with dots, as realm_access.roles.
type Claims struct {
	// Username is the name by which roles are bound to them.
	Username string `yaml:"username"`
	// Display is their name for people.
	Display string `yaml:"display"`
	// Groups are a list of texts.
	Groups string `yaml:"groups"`
	// UsernamePrefix is put before their name, to tell it from that of another provider.
	UsernamePrefix string `yaml:"username_prefix"`
	// GroupsPrefix is put before each group's name, to tell it from that of another provider.
	GroupsPrefix string `yaml:"groups_prefix"`
}

// Allowed says who may come in; what is empty lets everybody in.
type Allowed struct {
	// Groups are those of which somebody needs one, without prefix.
	Groups []string `yaml:"groups"`
	// Domains are those of verified e-mail addresses.
	Domains []string `yaml:"domains"`
}

// Bearer says which tokens are good for calls of machines.
type Bearer struct {
	// Audiences are those of which a token needs one: name one of your own, so that no token for another service is good here.
	Audiences []string `yaml:"audiences"`
	// Subject is the claim by which a machine is called.
	Subject string `yaml:"subject"`
	// DiscoveryTokenFile holds a token that is shown when the provider's keys are fetched, as Kubernetes wants it.
	DiscoveryTokenFile string `yaml:"discovery_token_file"`
	// Rules say which machines count, and as what.
	Rules []Rule `yaml:"rules"`
}

// Rule gives groups to tokens that have some claims.
type Rule struct {
	// When are claims and what each must be; * stands for anything but / and :.
	When map[string]string `yaml:"when"`
	// Groups are those that such a token has, for binding roles to.
	Groups []string `yaml:"groups"`
}

// WithDefaults fills in what is usual for the profile.
func (c Config) WithDefaults() Config {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&c.Profile, Generic)
	def(&c.Name, c.Profile)
	scopes, username := []string{"openid", "profile", "email"}, "email"
	switch c.Profile {
	case Keycloak:
		username = "preferred_username"
	case Entra:
		username = "preferred_username"
		scopes = append(scopes, "offline_access")
	case Dex:
		scopes = append(scopes, "groups", "offline_access")
	}
	def(&c.Claims.Username, username)
	def(&c.Claims.Display, "name")
	def(&c.Claims.Groups, "groups")
	def(&c.Bearer.Subject, "sub")
	if len(c.Scopes) == 0 {
		c.Scopes = scopes
	}
	if len(c.Algorithms) == 0 {
		c.Algorithms = []string{oidc.RS256, oidc.ES256, oidc.EdDSA, oidc.PS256}
	}
	for _, d := range []struct {
		v   *model.Duration
		def time.Duration
	}{{&c.Leeway, maxLeeway}, {&c.Recheck, 5 * time.Minute}, {&c.MaxSession, 12 * time.Hour}} {
		if *d.v == 0 {
			*d.v = model.Duration(d.def)
		}
	}
	return c
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Validate names every setting that cannot work, of what WithDefaults gave.
func (c Config) Validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !nameForm.MatchString(c.Name) {
		bad("name: %q: write at most 32 small letters, digits and hyphens", c.Name)
	}
	if !slices.Contains([]string{Keycloak, Entra, Dex, Generic}, c.Profile) {
		bad("profile: %q: write %s, %s, %s or %s", c.Profile, Keycloak, Entra, Dex, Generic)
	}
	if err := c.checkIssuer(); err != nil {
		bad("issuer: %q: %w", c.Issuer, err)
	}
	if c.ClientSecretFile != "" && c.ClientSecretEnv != "" {
		bad("client_secret_file: give either client_secret_file or client_secret_env")
	}
	if c.ClientID == "" && len(c.Bearer.Rules) == 0 {
		bad("client_id: give what Signalbox is registered as, or bearer.rules if only machines come by this provider")
	}
	if !slices.Contains(c.Scopes, oidc.ScopeOpenID) {
		bad("scopes: must have openid")
	}
	for i, a := range c.Algorithms {
		if !slices.Contains(asymmetric(), a) {
			bad("algorithms[%d]: %q: write some of %s", i, a, strings.Join(asymmetric(), ", "))
		}
	}
	if c.Leeway < 0 || time.Duration(c.Leeway) > maxLeeway {
		bad("leeway: must be at most %s, got %s: set the clocks right instead", model.Duration(maxLeeway), c.Leeway)
	}
	if c.Recheck < 0 {
		bad("recheck: must be > 0, got %s", c.Recheck)
	}
	if c.MaxSession < 0 {
		bad("max_session: must be > 0, got %s", c.MaxSession)
	}
	for i, d := range c.Allowed.Domains {
		if d == "" || strings.ContainsAny(d, "@/* ") {
			bad("allowed.domains[%d]: %q: write a domain alone, such as example.org", i, d)
		}
	}
	if err := c.TLS.Validate(); err != nil {
		bad("tls_config: %w", err)
	}
	return append(errs, c.Bearer.validate(c.ClientID)...)
}

// asymmetric are the signatures that a provider alone can make.
func asymmetric() []string {
	return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}
}

func (c Config) checkIssuer() error {
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("write the address by which the provider calls itself, as https://login.example.org/realms/main")
	}
	if u.Scheme == "http" && !loopback.Host(u.Hostname()) {
		return errors.New("its keys would come unprotected: write https://")
	}
	if c.Profile == Entra {
		for _, part := range strings.Split(u.Path, "/") {
			if part == "common" || part == "organizations" || part == "consumers" {
				return fmt.Errorf("%s lets in people of every organization: write your directory's id in its place", part)
			}
		}
	}
	return nil
}

func (b Bearer) validate(clientID string) []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(b.Rules) == 0 {
		if len(b.Audiences) > 0 || b.DiscoveryTokenFile != "" {
			bad("bearer.rules: name at least one; without it no token counts")
		}
		return errs
	}
	if len(b.Audiences) == 0 {
		bad("bearer.audiences: name at least one of your own, such as https://signalbox.example.org, that machines ask their token for")
	}
	for i, a := range b.Audiences {
		if a == "" || a == clientID {
			bad("bearer.audiences[%d]: %q: name one that is not client_id: what proves a login to a browser must not be a key", i, a)
		}
	}
	for i, r := range b.Rules {
		if len(r.When) == 0 {
			bad("bearer.rules[%d].when: name claims and what they must be; without them everybody at this provider could call", i)
		}
		for claim, want := range r.When {
			if claim == "" || strings.Trim(want, "*") == "" {
				bad("bearer.rules[%d].when.%s: %q: write what the claim must be; a * alone lets in everybody", i, claim, want)
			}
		}
		if len(r.Groups) == 0 {
			bad("bearer.rules[%d].groups: name at least one, to bind roles to", i)
		}
	}
	return errs
}
