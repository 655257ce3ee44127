package probe

import (
	"fmt"
	"maps"
	"net"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	bbconfig "github.com/prometheus/blackbox_exporter/config"
	common "github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

const (
	defaultInterval = 30 * time.Second
	defaultTimeout  = 10 * time.Second
	leastInterval   = time.Second
)

// Definition is one probe of a file.
type Definition struct {
	Name     string // unique over all files
	Module   string
	Target   string // what the module's prober takes: a URL, host:port, a host
	Interval time.Duration
	Timeout  time.Duration // at most Interval
	Labels   map[string]string
	File     string
	Line     int

	settings    bbconfig.Module
	fingerprint string // equal when nothing about the probe changed
}

// times fills in what a probe leaves to its module and to the defaults.
func (d *Definition) times(e entry) (errs []error) {
	d.Interval, d.Timeout = time.Duration(e.Interval), time.Duration(e.Timeout)
	if d.Interval == 0 {
		d.Interval = defaultInterval
	}
	if d.Interval < leastInterval {
		errs = append(errs, fmt.Errorf("interval: must be at least %s, got %s", leastInterval, d.Interval))
	}
	switch {
	case d.Timeout > d.Interval:
		errs = append(errs, fmt.Errorf("timeout: %s is more than the interval, %s: a probe must end before the next begins", d.Timeout, d.Interval))
	case d.Timeout == 0:
		d.Timeout = d.settings.Timeout
		if d.Timeout <= 0 {
			d.Timeout = defaultTimeout
		}
		d.Timeout = min(d.Timeout, d.Interval)
	}
	return errs
}

// taken are labels that the series of probes have already.
func taken() []string {
	return []string{
		"__name__", "job", "instance", "probe", "target", "phase", "version", "cipher", "fingerprint_sha256",
		"subject", "issuer", "subjectalternative", "serialnumber", "serving_status",
	}
}

// check lists what is wrong; each message begins with the field.
func (d Definition) check(modules map[string]module) (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if d.Name == "" {
		bad("name: must be given; alerts and the API use it")
	}
	m, known := modules[d.Module]
	if !known {
		bad("module: there is no module %q; %s", d.Module, document.DidYouMean(d.Module, slices.Sorted(maps.Keys(modules))))
	} else if cure := badTarget(d.settings.Prober, d.Target); cure != "" && m.err == nil {
		bad("target: %q: %s", redact.Text(d.Target), cure)
	}
	for _, k := range slices.Sorted(maps.Keys(d.Labels)) {
		switch {
		case slices.Contains(taken(), k):
			bad("labels.%s: the series of probes have a label of that name already; choose another", k)
		case !common.LegacyValidation.IsValidLabelName(k) || strings.HasPrefix(k, "__"):
			bad("labels.%s: not a valid label name: letters, digits and _, not beginning with a digit or __", k)
		}
	}
	return errs
}

// badTarget says how to mend a target that a prober cannot take; "" if it can.
func badTarget(prober, target string) string {
	if target == "" {
		return "must be given"
	}
	switch prober {
	case "http":
		if strings.HasPrefix(target, "/") { // our own web address
			return ""
		}
		if !strings.Contains(target, "://") {
			target = "http://" + target // as the blackbox exporter reads it
		}
		u, err := url.Parse(target)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "give a URL, http://host/path or https://host/path, or a path alone for Signalbox itself"
		}
	case "tcp", "grpc":
		if host, port, err := net.SplitHostPort(target); err != nil || host == "" || port == "" {
			return "give host:port, for IPv6 [::1]:port"
		}
	}
	return ""
}

// target is where the probe goes: a path alone is one of our own web address.
func (t *task) target() string {
	if t.def.settings.Prober == "http" && strings.HasPrefix(t.def.Target, "/") {
		return t.p.deps.Self + t.def.Target
	}
	return t.def.Target
}

// module is the module with our name in the User-Agent, unless it has its own.
func (t *task) module() bbconfig.Module {
	m := t.def.settings
	if m.Prober != "http" || t.p.deps.UserAgent == "" {
		return m
	}
	headers := map[string]string{"User-Agent": t.p.deps.UserAgent}
	for k, v := range m.HTTP.Headers {
		if textproto.CanonicalMIMEHeaderKey(k) == "User-Agent" {
			return m
		}
		headers[k] = v
	}
	m.HTTP.Headers = headers
	return m
}
