package auth

import (
	"fmt"

	"github.com/signalbox-project/signalbox/internal/auth/accounts"
	"github.com/signalbox-project/signalbox/internal/auth/certificate"
	"github.com/signalbox-project/signalbox/internal/auth/directory"
	"github.com/signalbox-project/signalbox/internal/auth/oidc"
	"github.com/signalbox-project/signalbox/internal/auth/policy"
)

// Config is the section `auth`.
type Config struct {
	// Enabled lets nobody in who does not say who they are. Without it only this machine is served, and everybody on it may everything.
	Enabled bool `yaml:"enabled"`
	// OIDC are providers of OpenID Connect, such as Keycloak, Entra ID or Dex.
	OIDC []oidc.Config `yaml:"oidc"`
	// LDAP are directories, Active Directory among them.
	LDAP []directory.Config `yaml:"ldap"`
	// Accounts are local users, sessions and tokens.
	Accounts accounts.Config `yaml:",inline"`
	// Roles and Bindings say who may do what.
	policy.Config `yaml:",inline"`
	// Certificates say who shows which client certificate (docs/tls.md).
	Certificates []certificate.Rule `yaml:"certificates"`
}

// DefaultConfig is without authentication.
func DefaultConfig() Config { return Config{Accounts: accounts.DefaultConfig()} }

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	errs := append(c.Config.Validate(), c.Accounts.Validate()...)
	for i, o := range c.OIDC {
		for _, err := range o.WithDefaults().Validate() {
			errs = append(errs, fmt.Errorf("oidc[%d].%w", i, err))
		}
	}
	for i, d := range c.LDAP {
		for _, err := range d.WithDefaults().Validate() {
			errs = append(errs, fmt.Errorf("ldap[%d].%w", i, err))
		}
	}
	errs = append(errs, certificate.Validate(c.Certificates)...)
	return append(errs, c.names()...)
}

// Files are the paths in the section, to be made absolute.
func (c *Config) Files() []*string {
	var out []*string
	for i := range c.OIDC {
		out = append(out, &c.OIDC[i].ClientSecretFile, &c.OIDC[i].Bearer.DiscoveryTokenFile)
	}
	for i := range c.LDAP {
		out = append(out, &c.LDAP[i].BindPasswordFile)
	}
	return out
}
