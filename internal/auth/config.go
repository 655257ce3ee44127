package auth

import "github.com/signalbox-project/signalbox/internal/auth/policy"

// Config is the section `auth`.
type Config struct {
	// Enabled lets nobody in who does not say who they are. Without it only this machine is served, and everybody on it may everything.
	Enabled bool `yaml:"enabled"`
	// Roles and Bindings say who may do what.
	policy.Config `yaml:",inline"`
}

// DefaultConfig is without authentication.
func DefaultConfig() Config { return Config{} }

// Validate names every setting that cannot work.
func (c Config) Validate() []error { return c.Config.Validate() }
