package probe

import (
	"maps"
	"net"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	bbconfig "github.com/prometheus/blackbox_exporter/config"
	common "github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/signalbox-project/signalbox/internal/platform/nearest"
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
func (r *reader) times(n *yaml.Node, e entry, d *Definition) {
	d.Interval, d.Timeout = time.Duration(e.Interval), time.Duration(e.Timeout)
	if d.Interval == 0 {
		d.Interval = defaultInterval
	}
	if d.Interval < leastInterval {
		r.bad(lineOf(field(n, "interval"), n), "interval: must be at least %s, got %s", leastInterval, d.Interval)
	}
	switch {
	case d.Timeout > d.Interval:
		r.bad(lineOf(field(n, "timeout"), n), "timeout: %s is more than the interval, %s: a probe must end before the next begins", d.Timeout, d.Interval)
	case d.Timeout == 0:
		d.Timeout = d.settings.Timeout
		if d.Timeout <= 0 {
			d.Timeout = defaultTimeout
		}
		d.Timeout = min(d.Timeout, d.Interval)
	}
}

// taken are labels that the series of probes have already.
func taken() []string {
	return []string{
		"__name__", "job", "instance", "probe", "target", "phase", "version", "cipher", "fingerprint_sha256",
		"subject", "issuer", "subjectalternative", "serialnumber", "serving_status",
	}
}

func (r *reader) check(n *yaml.Node, d Definition, modules map[string]bbconfig.Module) {
	if d.Name == "" {
		r.bad(lineOf(n), "name: must be given; alerts and the API use it")
	}
	names := slices.Sorted(maps.Keys(modules))
	if _, ok := modules[d.Module]; !ok {
		text := "there are " + strings.Join(names, ", ")
		if near := nearest.Name(d.Module, names); near != "" {
			text = "did you mean " + near + "?"
		}
		r.bad(lineOf(field(n, "module"), n), "module: there is no module %q; %s", d.Module, text)
	} else if cure := badTarget(d.settings.Prober, d.Target); cure != "" {
		r.bad(lineOf(field(n, "target"), n), "target: %q: %s", d.Target, cure)
	}
	for _, k := range slices.Sorted(maps.Keys(d.Labels)) {
		line := lineOf(field(field(n, "labels"), k), n)
		switch {
		case slices.Contains(taken(), k):
			r.bad(line, "labels.%s: the series of probes have a label of that name already; choose another", k)
		case !common.LegacyValidation.IsValidLabelName(k) || strings.HasPrefix(k, "__"):
			r.bad(line, "labels.%s: not a valid label name: letters, digits and _, not beginning with a digit or __", k)
		}
	}
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
