package certs

import (
	"errors"
	"fmt"

	"github.com/prometheus/exporter-toolkit/web"
)

// Config is `tls_server_config`, in the words of the web configuration file that Prometheus, Alertmanager and the exporters
// read, and one word more: client_crl_file.
type Config struct {
	// CertFile and KeyFile are certificate (with those between it and its authority) and key; read again when they change.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ClientAuth says what is asked of clients: NoClientCert (the default), RequestClientCert, RequireAnyClientCert,
	// VerifyClientCertIfGiven or RequireAndVerifyClientCert. A certificate that was not verified proves nothing about who asks.
	ClientAuth string `yaml:"client_auth_type"`
	// ClientCAFile holds the authorities of client certificates; read again when it changes.
	ClientCAFile string `yaml:"client_ca_file"`
	// ClientAllowedSANs are names (DNS, e-mail, IP, URI) of which a client certificate must have one; empty takes all.
	ClientAllowedSANs []string `yaml:"client_allowed_sans"`
	// ClientCRLFile holds lists of revoked client certificates, PEM or DER, signed by their authorities; read again when it changes.
	ClientCRLFile string `yaml:"client_crl_file"`
	// MinVersion is TLS13 unless it is set to TLS12 or lower.
	MinVersion web.TLSVersion `yaml:"min_version"`
	// MaxVersion is the newest version that is spoken; the newest there is by default.
	MaxVersion web.TLSVersion `yaml:"max_version"`
	// CipherSuites are those offered below TLS 1.3, which chooses its own.
	CipherSuites []web.Cipher `yaml:"cipher_suites"`
	// CurvePreferences are the key exchanges offered; Go's choice by default.
	CurvePreferences []web.Curve `yaml:"curve_preferences"`
}

// Listeners is `listeners`: what is different on one listener.
type Listeners struct {
	Web      Listener `yaml:"web"`       // UI, API and HTTP intakes
	OTLPGRPC Listener `yaml:"otlp_grpc"` // OTLP over gRPC
	OTLPHTTP Listener `yaml:"otlp_http"` // OTLP over HTTP
}

// Listener is how one listener is served.
type Listener struct {
	// TLS has the keys of tls_server_config and takes its place on this listener, whole.
	TLS *Config `yaml:"tls_server_config"`
	// Plaintext serves this listener without TLS although tls_server_config is set.
	Plaintext bool `yaml:"plaintext"`
}

// Enabled says whether anything is set.
func (c Config) Enabled() bool {
	return c.CertFile != "" || c.KeyFile != "" || c.ClientAuth != "" || c.ClientCAFile != "" || c.ClientCRLFile != "" || len(c.ClientAllowedSANs) > 0
}

// verifies says whether client certificates are checked against the authorities.
func (c Config) verifies() bool {
	return c.ClientAuth == "VerifyClientCertIfGiven" || c.ClientAuth == "RequireAndVerifyClientCert"
}

// Validate lists what is wrong; each message begins with the field's name.
func (c Config) Validate() []error {
	var errs []error
	wrong := func(bad bool, text string) {
		if bad {
			errs = append(errs, errors.New(text))
		}
	}
	if !c.Enabled() {
		return nil
	}
	wrong(c.CertFile == "", "cert_file: must be set: without a certificate nothing is served over TLS")
	wrong(c.KeyFile == "", "key_file: must be set: it belongs to cert_file")
	switch c.ClientAuth {
	case "", "NoClientCert", "RequestClientCert", "RequireAnyClientCert", "RequireClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert":
	default:
		errs = append(errs, fmt.Errorf("client_auth_type: %q: must be NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert", c.ClientAuth))
	}
	wrong(c.verifies() && c.ClientCAFile == "", "client_ca_file: must be set for "+c.ClientAuth+": without it every public authority could make clients")
	const verify = " needs client_auth_type VerifyClientCertIfGiven or RequireAndVerifyClientCert: otherwise no certificate is checked"
	wrong(!c.verifies() && c.ClientCAFile != "", "client_ca_file:"+verify)
	wrong(!c.verifies() && c.ClientCRLFile != "", "client_crl_file:"+verify)
	wrong(!c.verifies() && len(c.ClientAllowedSANs) > 0, "client_allowed_sans:"+verify)
	wrong(c.MaxVersion != 0 && c.MaxVersion < c.minVersion(), "max_version: must not be older than min_version, which is TLS13 unless it is set")
	return errs
}

func (c Config) minVersion() web.TLSVersion {
	if c.MinVersion == 0 {
		return tls13
	}
	return c.MinVersion
}

// Files are the paths in the configuration.
func (c *Config) Files() []*string {
	return []*string{&c.CertFile, &c.KeyFile, &c.ClientCAFile, &c.ClientCRLFile}
}

// Validate lists what is wrong; each message begins with the field's path.
func (l Listeners) Validate() []error {
	var errs []error
	for _, one := range l.all() {
		if one.TLS == nil {
			continue
		}
		if one.Plaintext {
			errs = append(errs, fmt.Errorf("%s.plaintext: contradicts its tls_server_config: leave one of the two out", one.name))
		}
		if !one.TLS.Enabled() {
			errs = append(errs, fmt.Errorf("%s.tls_server_config: is empty: to serve this listener without TLS write `plaintext: true` instead", one.name))
		}
		for _, err := range one.TLS.Validate() {
			errs = append(errs, fmt.Errorf("%s.tls_server_config.%w", one.name, err))
		}
	}
	return errs
}

// Files are the paths in the configuration.
func (l Listeners) Files() []*string {
	var out []*string
	for _, one := range l.all() {
		if one.TLS != nil {
			out = append(out, one.TLS.Files()...)
		}
	}
	return out
}

type named struct {
	name string
	Listener
}

func (l Listeners) all() []named {
	return []named{{Web, l.Web}, {OTLPGRPC, l.OTLPGRPC}, {OTLPHTTP, l.OTLPHTTP}}
}
