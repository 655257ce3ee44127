package front

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// Config is the section `web`: what holds on every port.
type Config struct {
	// BodyTimeout is how long a request's body may take to arrive.
	BodyTimeout model.Duration `yaml:"body_timeout"`
	// HeaderTimeout is how long a request's head may take to arrive.
	HeaderTimeout model.Duration `yaml:"header_timeout"`
	// IdleTimeout closes a connection on which nothing is asked.
	IdleTimeout model.Duration `yaml:"idle_timeout"`
	// WriteTimeout is how long a client may not read while an answer waits.
	WriteTimeout model.Duration `yaml:"write_timeout"`
	// MaxConnections bounds the open connections of each port; beyond it idle ones
	// are closed first.
	MaxConnections int `yaml:"max_connections"`
	// MaxConnectionsPerAddress bounds those of one address, or one network /64 of IPv6, on each port, so that one does not take the places of
	// all; beyond it its own idle ones are closed first. Loopback and trusted_proxies have no such bound.
	MaxConnectionsPerAddress int `yaml:"max_connections_per_address"`
	// MaxBodyBytesInFlight bounds the bodies that are held at once, over all ports.
	MaxBodyBytesInFlight int64 `yaml:"max_body_bytes_in_flight"`
	// AllowedHosts are names, beside localhost, our own host name and that of the
	// external URL, that the Host header may have on a loopback connection.
	AllowedHosts []string `yaml:"allowed_hosts"`
	// TrustedProxies are networks, or addresses, of proxies before us: their word on whose request they hand on is taken, for limits,
	// logs and the audit log. Nobody else's is.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// ClientAddressHeader is where those proxies say it: X-Forwarded-For or Forwarded.
	ClientAddressHeader string `yaml:"client_address_header"`
	// Callers are the limits of each who asks, so that one does not hold up others. Without authentication there are none.
	Callers CallersConfig `yaml:"callers"`
}

// DefaultConfig suits senders on slow lines and one machine's file handles.
func DefaultConfig() Config {
	return Config{
		BodyTimeout:    model.Duration(30 * time.Second),
		HeaderTimeout:  model.Duration(10 * time.Second),
		IdleTimeout:    model.Duration(2 * time.Minute),
		WriteTimeout:   model.Duration(30 * time.Second),
		MaxConnections: 2048,

		MaxConnectionsPerAddress: 512,

		MaxBodyBytesInFlight: 128 << 20,
		ClientAddressHeader:  forwardedFor,
		Callers:              CallersConfig{HeavyAtOnce: 4, HeavyPerMinute: 600, QuestionsAtOnce: 64, TenantHeavyAtOnce: 16, TenantQuestionsAtOnce: 512},
	}
}

// Validate names every setting that cannot work.
func (c Config) Validate() []error {
	var errs []error
	for _, d := range []struct {
		name string
		v    model.Duration
	}{
		{"body_timeout", c.BodyTimeout},
		{"header_timeout", c.HeaderTimeout},
		{"idle_timeout", c.IdleTimeout},
		{"write_timeout", c.WriteTimeout},
	} {
		if d.v <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be > 0, got %s", d.name, d.v))
		}
	}
	if c.MaxConnections <= 0 {
		errs = append(errs, fmt.Errorf("max_connections: must be > 0, got %d", c.MaxConnections))
	}
	if c.MaxConnectionsPerAddress <= 0 {
		errs = append(errs, fmt.Errorf("max_connections_per_address: must be > 0, got %d", c.MaxConnectionsPerAddress))
	}
	if c.MaxBodyBytesInFlight < 1<<20 {
		errs = append(errs, fmt.Errorf("max_body_bytes_in_flight: must be at least 1048576, got %d", c.MaxBodyBytesInFlight))
	}
	for i, h := range c.AllowedHosts {
		if h == "" || strings.ContainsAny(h, "/:@ ") {
			errs = append(errs, fmt.Errorf("allowed_hosts[%d]: %q: give a host name alone, such as signalbox.example.org", i, h))
		}
	}
	errs = append(errs, c.Callers.validate()...)
	return append(errs, c.proxies()...)
}

func (c Config) proxies() []error {
	var errs []error
	for i, text := range c.TrustedProxies {
		if _, err := parsePrefix(text); err != nil {
			errs = append(errs, fmt.Errorf("trusted_proxies[%d]: %q: give a network such as 10.0.0.0/8, or an address", i, text))
		}
	}
	if h := http.CanonicalHeaderKey(c.ClientAddressHeader); h != forwardedFor && h != forwarded {
		errs = append(errs, fmt.Errorf("client_address_header: must be %s or %s, got %q", forwardedFor, forwarded, c.ClientAddressHeader))
	}
	return errs
}

// CheckOrigins names every entry that is neither "*" nor an origin, which may
// have one * in its host.
func CheckOrigins(field string, origins []string) []error {
	var errs []error
	for i, o := range origins {
		if o == "*" {
			continue
		}
		u, err := url.Parse(strings.Replace(o, "*", "any", 1))
		if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %q: give an origin, such as https://app.example.org, or \"*\"", field, i, o))
		}
	}
	return errs
}
