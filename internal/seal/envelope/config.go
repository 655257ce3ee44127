package envelope

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/platform/loopback"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// Config is the section `seal`.
type Config struct {
	// Keys seal the secrets that are kept below --storage.path. The first seals; the others are former ones: what they sealed
	// is sealed anew by the first at the next start. A key is a file or a variable with base64 of at least 32 random
	// bytes, or a key of Vault's or OpenBao's transit engine (docs/operations.md).
	Keys []Key `yaml:"keys"`
	// Undo has the next start open what is sealed and keep it plain again; the keys are needed for it.
	Undo bool `yaml:"undo"`
	// Forget gives up what was sealed by keys that are not named, for keys that are lost for good: signing keys and the key of
	// links are set aside and made anew, and users whose password does not open need another.
	Forget bool `yaml:"forget"`
}

// Key says where a key is: one of the three.
type Key struct {
	File        string `yaml:"file"`        // relative to the configuration's folder
	Environment string `yaml:"environment"` // the name of a variable
	Vault       *Vault `yaml:"vault"`
}

// Vault is a key of a transit secrets engine, which never leaves it.
type Vault struct {
	Address string `yaml:"address"` // of the server, such as https://vault.example.org:8200
	Mount   string `yaml:"mount"`   // of the engine; transit by default
	Key     string `yaml:"key"`     // its name in the engine
	// HTTP says how Vault is asked, with the keys of Prometheus' scrape_configs: authorization with the token as
	// credentials_file, tls_config, http_headers (X-Vault-Namespace) and more.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config"`
}

// Validate names every setting that cannot work; keys are read by Open.
func (c Config) Validate() []error {
	var errs []error
	if c.Undo && len(c.Keys) == 0 {
		errs = append(errs, errors.New("undo: the keys that sealed are needed to open, name them in seal.keys"))
	}
	for i, k := range c.Keys {
		if err := k.validate(); err != nil {
			errs = append(errs, fmt.Errorf("keys[%d]: %w", i, err))
		}
	}
	return errs
}

func (k Key) validate() error {
	if k.Vault == nil {
		if k.local().Validate() != nil {
			return errors.New("needs one of file, environment and vault; make a key with: head -c 32 /dev/urandom | base64 > seal.key")
		}
		return nil
	}
	if k.File != "" || k.Environment != "" {
		return errors.New("needs one of file, environment and vault, not several")
	}
	if _, err := k.Vault.base(); err != nil {
		return fmt.Errorf("vault.address: %w", err)
	}
	for field, v := range map[string]string{"key": k.Vault.Key, "mount": k.Vault.mount()} {
		if v == "" || strings.Trim(v, "/") != v || strings.ContainsAny(v, "?#%\\ ") || strings.Contains(v, "..") || field == "key" && strings.Contains(v, "/") {
			return fmt.Errorf("vault.%s: %q: give its name, as `vault list` shows it", field, v)
		}
	}
	if k.Vault.HTTP != nil {
		if err := k.Vault.HTTP.Validate(); err != nil {
			return fmt.Errorf("vault.http_config: %w", err)
		}
	}
	return nil
}

func (k Key) local() secretfile.Key { return secretfile.Key{File: k.File, Environment: k.Environment} }

func (v *Vault) mount() string {
	if v.Mount == "" {
		return "transit"
	}
	return v.Mount
}

func (v *Vault) base() (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(v.Address, "/"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("give the server's address without user and query, such as https://vault.example.org:8200")
	}
	if u.Scheme == "http" && !loopback.Host(u.Hostname()) {
		return nil, errors.New("use https: keys travel over this connection")
	}
	return u.JoinPath("v1", v.mount()), nil
}

// Files are the paths that are relative to the configuration's folder.
func (c *Config) Files() []*string {
	var out []*string
	for i := range c.Keys {
		out = append(out, &c.Keys[i].File)
		if v := c.Keys[i].Vault; v != nil {
			out = append(out, outgoing.Files(v.HTTP)...)
		}
	}
	return out
}
