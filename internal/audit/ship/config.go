package ship

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"

	promconfig "github.com/prometheus/common/config"

	"github.com/signalbox-project/signalbox/internal/outgoing"
)

// Target is one receiver of the audit log.
type Target struct {
	// Name tells targets apart; how far it is is kept under it.
	Name string `yaml:"name"`
	// OTLP sends OpenTelemetry logs.
	OTLP *OTLP `yaml:"otlp"`
	// Syslog sends messages of RFC 5424.
	Syslog *Syslog `yaml:"syslog"`
}

// OTLP names a receiver of OpenTelemetry logs.
type OTLP struct {
	// Endpoint is a URL: of HTTP with its path, https://collector:4318/v1/logs; of gRPC https://collector:4317, without TLS http://.
	Endpoint string `yaml:"endpoint"`
	// Protocol is http (by default) or grpc.
	Protocol string `yaml:"protocol"`
	// HTTP says how it is called, with the keys of Prometheus' scrape_configs. gRPC knows tls_config and authorization.
	HTTP *promconfig.HTTPClientConfig `yaml:"http_config"`
}

// Syslog names a receiver of RFC 5424.
type Syslog struct {
	// Address is tls://host:6514, tcp://host:601 or udp://host:514. Over TCP messages are framed by octet counting (RFC 6587).
	Address string `yaml:"address"`
	// TLS is in the words of Prometheus' tls_config.
	TLS *promconfig.TLSConfig `yaml:"tls_config"`
	// Hostname is what messages say they are from; the machine's name by default.
	Hostname string `yaml:"hostname"`
	// Facility is 13, log audit, by default.
	Facility *int `yaml:"facility"`
}

const protocolGRPC = "grpc"

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// Validate lists what is wrong with targets; each message begins with the field's path below `audit`.
func Validate(targets []Target) []error {
	var errs []error
	names := map[string]bool{}
	for i, t := range targets {
		at := fmt.Sprintf("ship[%d]", i)
		if !nameForm.MatchString(t.Name) {
			errs = append(errs, fmt.Errorf("%s.name: must be lower-case letters, digits, dots, dashes and underscores, at most 63, got %q", at, t.Name))
		} else if names[t.Name] {
			errs = append(errs, fmt.Errorf("%s.name: %q is another target's; each needs its own", at, t.Name))
		}
		names[t.Name] = true
		switch {
		case (t.OTLP == nil) == (t.Syslog == nil):
			errs = append(errs, fmt.Errorf("%s: must have either otlp or syslog", at))
		case t.OTLP != nil:
			errs = append(errs, t.OTLP.validate(at+".otlp.")...)
		default:
			errs = append(errs, t.Syslog.validate(at+".syslog.")...)
		}
	}
	return errs
}

func (o OTLP) validate(at string) (errs []error) {
	u, err := url.Parse(o.Endpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		errs = append(errs, errors.New(at+"endpoint: must be an absolute http or https URL, for example https://collector:4318/v1/logs"))
	case u.User != nil:
		errs = append(errs, errors.New(at+"endpoint: must not hold credentials; give them by http_config.authorization.credentials_file"))
	case o.Protocol == protocolGRPC && (u.Port() == "" || strings.Trim(u.Path, "/") != ""):
		errs = append(errs, errors.New(at+"endpoint: of gRPC must have a port and no path, for example https://collector:4317"))
	}
	switch o.Protocol {
	case "", "http":
	case protocolGRPC:
		if c := o.HTTP; c != nil && (c.BasicAuth != nil || c.OAuth2 != nil || c.HTTPHeaders != nil || c.ProxyURL.URL != nil || c.ProxyFromEnvironment || c.BearerTokenFile != "" || c.BearerToken != "") {
			errs = append(errs, errors.New(at+"http_config: with protocol grpc only tls_config and authorization are known; take protocol http for the rest"))
		}
	default:
		errs = append(errs, fmt.Errorf("%sprotocol: must be http or grpc, got %q", at, o.Protocol))
	}
	return errs
}

func (s Syslog) validate(at string) (errs []error) {
	u, err := url.Parse(s.Address)
	bad := err != nil || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" || u.Hostname() == "" || u.Port() == ""
	if bad || u.Scheme != schemeTCP && u.Scheme != schemeTLS && u.Scheme != schemeUDP {
		return []error{errors.New(at + "address: must be tls://, tcp:// or udp:// with host and port, for example tls://siem:6514")}
	}
	if s.TLS != nil && u.Scheme != schemeTLS {
		errs = append(errs, fmt.Errorf("%stls_config: is for tls:// addresses, this one is %s://", at, u.Scheme))
	}
	if s.Facility != nil && (*s.Facility < 0 || *s.Facility > 23) {
		errs = append(errs, fmt.Errorf("%sfacility: must be from 0 to 23, got %d", at, *s.Facility))
	}
	if strings.ContainsFunc(s.Hostname, notGraphic) || len(s.Hostname) > 255 {
		errs = append(errs, fmt.Errorf("%shostname: must be printable ASCII without spaces, at most 255, got %q", at, s.Hostname))
	}
	return errs
}

// notGraphic is what no header field of a message may hold.
func notGraphic(r rune) bool { return r < 33 || r > 126 }

// Files are the paths in the configuration of targets.
func Files(targets []Target) (out []*string) {
	for i := range targets {
		switch t := &targets[i]; {
		case t.OTLP != nil:
			out = append(out, outgoing.Files(t.OTLP.HTTP)...)
		case t.Syslog != nil && t.Syslog.TLS != nil:
			out = append(out, &t.Syslog.TLS.CAFile, &t.Syslog.TLS.CertFile, &t.Syslog.TLS.KeyFile)
		}
	}
	return out
}

// kind and address are how people are told of a target.
func (t Target) kind() string {
	switch {
	case t.Syslog != nil:
		return "syslog"
	case t.OTLP.Protocol == protocolGRPC:
		return "otlp/grpc"
	}
	return "otlp/http"
}

func (t Target) address() string {
	if t.Syslog != nil {
		return t.Syslog.Address
	}
	if u, err := url.Parse(t.OTLP.Endpoint); err == nil {
		return u.Redacted()
	}
	return ""
}

// hostPort is what is connected to.
func hostPort(u *url.URL) string { return net.JoinHostPort(u.Hostname(), u.Port()) }
