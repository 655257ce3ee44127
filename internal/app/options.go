package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/front/certs"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
	"github.com/signalbox-project/signalbox/internal/telemetry"
)

// Options are the flags of serve.
type Options struct {
	Listening
	ConfigFile  string // "" runs on defaults
	StoragePath string
	ExternalURL string // as users reach us; "" derives it from ListenAddress
	Log         telemetry.Config

	// Role names the parts that run; "" is RoleAll.
	Role string
	// Hangup asks for a reload; nil leaves POST /-/reload.
	Hangup <-chan os.Signal
	// Hooks are asked about every request; see front.Hooks.
	Hooks front.Hooks
	// SQLWorker is the command that answers SQL in a process of its own; nil is
	// this program's subcommand SQLWorkerCommand.
	SQLWorker []string

	Version string
	Demo    bool      // shown in /sb/v1/status
	Output  io.Writer // console log; nil writes none
	// Ready, if set, is called once everything answers.
	Ready func(Addresses)
}

// Listening is where a process is to listen, and whether for everybody.
type Listening struct {
	ListenAddress   string // web
	OTLPGRPCAddress string // "" turns the listener off
	OTLPHTTPAddress string
	// Auth turns authentication on, whatever the configuration says.
	Auth bool
}

// Addresses are where a running process listens.
type Addresses struct {
	Web      string // base URL
	OTLPGRPC string // host:port
	OTLPHTTP string // base URL
	Status   string // host:port of status pages alone; "" where nothing listens
}

// DefaultOptions are the documented defaults.
func DefaultOptions() Options {
	return Options{
		StoragePath: "data",
		Listening:   Listening{ListenAddress: AutoAddress, OTLPGRPCAddress: AutoAddress, OTLPHTTPAddress: AutoAddress},
		Log:         telemetry.DefaultConfig(),
	}
}

// listeners are opened before anything else, so that a port in use is the
// first thing said and nothing was touched yet.
type listeners struct {
	web, grpc, http net.Listener
}

func (o Options) listen(ctx context.Context) (*listeners, error) {
	var l listeners
	var errs []error
	open := func(flag, address string) net.Listener {
		if address == "" {
			return nil
		}
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			errs = append(errs, fmt.Errorf("listen on %s (--%s): %w; stop the other program or choose another address", address, flag, reason(err)))
		}
		return ln
	}
	l.web = open("web.listen-address", o.ListenAddress)
	l.grpc = open("otlp.grpc-address", o.OTLPGRPCAddress)
	l.http = open("otlp.http-address", o.OTLPHTTPAddress)
	if err := errors.Join(errs...); err != nil {
		l.close()
		return nil, err
	}
	return &l, nil
}

// reason strips the address that net repeats in its errors.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

func (l *listeners) close() {
	for _, ln := range []net.Listener{l.web, l.grpc, l.http} {
		if ln != nil {
			ln.Close()
		}
	}
}

func (l *listeners) addresses(keep *certs.Set) Addresses {
	scheme := func(listener string) string {
		if keep.TLS(listener) != nil {
			return "https://"
		}
		return "http://"
	}
	a := Addresses{Web: scheme(certs.Web) + reachable(l.web)}
	if l.grpc != nil {
		a.OTLPGRPC = reachable(l.grpc)
	}
	if l.http != nil {
		a.OTLPHTTP = scheme(certs.OTLPHTTP) + reachable(l.http)
	}
	return a
}

// reachable turns a wildcard address into one that can be dialled.
func reachable(ln net.Listener) string {
	host, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return ln.Addr().String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// withoutUser is an address as it may be shown, which need not be a URL.
func withoutUser(address string) string {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return redact.Mask + address[at:]
	}
	return redact.Text(address)
}

func (o Options) externalURL(a Addresses) (*url.URL, error) {
	if o.ExternalURL == "" {
		return url.Parse(a.Web)
	}
	u, err := url.Parse(o.ExternalURL)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, fmt.Errorf("--web.external-url %q: must be an absolute URL such as https://signalbox.example.org", withoutUser(o.ExternalURL))
	}
	if u.User != nil {
		return nil, fmt.Errorf("--web.external-url %s: must not have a user or a password: it stands in every alert", u.Redacted())
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, nil
}

// ConsoleHandler logs to Output alone, in the form the options ask for.
func ConsoleHandler(o Options) (slog.Handler, error) {
	return telemetry.ConsoleHandler(o.Log, o.Output)
}
