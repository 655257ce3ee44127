package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"time"

	bbconfig "github.com/prometheus/blackbox_exporter/config"
	"github.com/prometheus/blackbox_exporter/prober"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// outcome is how one run went.
type outcome struct {
	success  bool
	reason   string // why not
	ownFault string // not "" when the run says nothing about the target

	samples     []sample
	duration    time.Duration
	phases      map[string]float64
	statusCode  int
	certificate time.Time
}

// sample is one value of a run; its labels are those of the metric alone.
type sample struct {
	name, help string
	labels     []*dto.LabelPair
	value      float64
}

type runFunc func(ctx context.Context, target string, module bbconfig.Module) outcome

// probers are the blackbox exporter's, by the name that modules use.
func probers() map[string]prober.ProbeFn {
	return map[string]prober.ProbeFn{
		"http": prober.ProbeHTTP, "tcp": prober.ProbeTCP, "dns": prober.ProbeDNS,
		"icmp": prober.ProbeICMP, "grpc": prober.ProbeGRPC, "unix": prober.ProbeUnix,
	}
}

// runBlackbox runs one probe with the blackbox exporter's code.
func runBlackbox(ctx context.Context, target string, module bbconfig.Module) (out outcome) {
	defer func() {
		if r := recover(); r != nil {
			out = outcome{ownFault: fmt.Sprintf("the prober gave up: %v", r)}
		}
	}()
	reg := prometheus.NewRegistry()
	said := &listener{}
	start := time.Now()
	out.success = probers()[module.Prober](ctx, target, module, reg, slog.New(said))
	out.duration = time.Since(start)
	if !out.success {
		out.reason = said.reason(ctx)
		if out.ownFault = said.ownFault(); out.ownFault != "" {
			return out
		}
	}
	families, err := reg.Gather()
	if err != nil {
		return outcome{ownFault: "gather results: " + err.Error()}
	}
	out.take(families)
	return out
}

// take turns metrics into samples, and remembers what the API shows.
func (o *outcome) take(families []*dto.MetricFamily) {
	success := 0.0
	if o.success {
		success = 1
	}
	o.samples = []sample{
		{name: "probe_success", help: "1 if the probe succeeded, 0 if the target failed it.", value: success},
		{name: "probe_duration_seconds", help: "How long the probe took.", value: o.duration.Seconds()},
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			v := m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
			o.samples = append(o.samples, sample{name: f.GetName(), help: f.GetHelp(), labels: m.GetLabel(), value: v})
			o.note(f.GetName(), m.GetLabel(), v)
		}
	}
}

func (o *outcome) note(name string, ls []*dto.LabelPair, v float64) {
	switch name {
	case "probe_http_status_code":
		o.statusCode = int(v)
	case "probe_ssl_earliest_cert_expiry":
		if v > 0 { // without a certificate it is the zero time
			o.certificate = time.Unix(int64(v), 0).UTC()
		}
	case "probe_http_duration_seconds", "probe_icmp_duration_seconds", "probe_dns_duration_seconds", "probe_grpc_duration_seconds":
		for _, l := range ls {
			if l.GetName() == "phase" {
				if o.phases == nil {
					o.phases = map[string]float64{}
				}
				o.phases[l.GetValue()] = v
			}
		}
	}
}

// listener keeps what a prober logs: the only way in which it says why.
type listener struct {
	mu   sync.Mutex
	said []remark
}

type remark struct {
	level   slog.Level
	message string
	details []string
	err     error
}

func (*listener) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (l *listener) WithAttrs([]slog.Attr) slog.Handler         { return l }
func (l *listener) WithGroup(string) slog.Handler              { return l }

// Handle implements slog.Handler.
func (l *listener) Handle(_ context.Context, r slog.Record) error {
	m := remark{level: r.Level, message: strings.TrimSuffix(r.Message, ":")}
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			m.err = err
			m.details = append(m.details, err.Error())
			return true
		}
		switch a.Key {
		case "known_rcode", "Existing types", "Existing classes": // whole tables
		default:
			m.details = append(m.details, fmt.Sprintf("%s %v", strings.ReplaceAll(a.Key, "_", " "), a.Value))
		}
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, m)
	return nil
}

func (r remark) String() string {
	if len(r.details) == 0 {
		return r.message
	}
	return r.message + ": " + strings.Join(r.details, ", ")
}

// maxReasonBytes bounds a reason: bodies and bytes of targets may be in it.
const maxReasonBytes = 500

// reason is what went wrong, in the prober's words.
func (l *listener) reason(ctx context.Context) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := "the prober does not say why"
	for _, r := range l.said {
		if r.level >= slog.LevelError || text == "" {
			text = r.String()
		}
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		text = "timeout: " + text
	}
	if len(text) > maxReasonBytes {
		text = strings.ToValidUTF8(text[:maxReasonBytes], "") + "…"
	}
	return text
}

// ownFault is what kept us from asking at all: it says nothing about the target.
func (l *listener) ownFault() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.said {
		if r.level < slog.LevelError {
			continue
		}
		if errors.Is(r.err, syscall.EMFILE) || errors.Is(r.err, syscall.ENFILE) || errors.Is(r.err, syscall.ENOBUFS) || errors.Is(r.err, syscall.ENOMEM) {
			return r.String()
		}
		switch r.message {
		case "Error listening to socket", "Error creating TLS configuration", "Failed to create TLS configuration",
			"Error generating HTTP client", "Error generating HTTP client without ServerName", "Error generating cookiejar",
			"Error creating TLS config for HTTP/3", "Error parsing source ip address", "Error creating raw connection":
			return r.String()
		}
	}
	return ""
}
