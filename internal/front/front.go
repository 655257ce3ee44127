// Package front is the one way in over HTTP: every handler on every port is
// mounted here, and every request passes the same checks before its handler sees it.
//
// It knows nothing of what is asked. In: connections. Out: requests whose Host
// and origin were checked, whose caller was identified, holds the permission that the endpoint declares, was
// admitted and is noted by the hooks, and whose body has
// arrived whole, in time and within its size, so that no handler and none of its limits ever waits for
// a slow sender.
//
// Invariants: a handler is reached through Port.Mount alone; an endpoint that declares no permission is shut; every
// handler finds an access.Access in the request's context; a body that has not
// arrived holds a connection and its own bytes, nothing else; a refusal before the body closes the
// connection. mu guards the list of mounts; nothing is locked while serving.
//
// Start reading at Port.Mount, then Port.pass.
package front

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// Deps is what a Front is given; all of it may be missing.
type Deps struct {
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	// ExternalURL is the address users reach us at: its host and origin are ours.
	ExternalURL *url.URL
	Hooks       Hooks
	// Tenants is how many share the process: no one of them can take all the bytes of bodies. 0 is one.
	Tenants int
	// Turns divide what is worked on at once among tenants; without, nobody waits.
	Turns Turns
}

// Front holds what is common to all ports.
type Front struct {
	cfg     Config
	log     *slog.Logger
	hooks   Hooks
	hosts   map[string]bool
	origin  string // of the external URL
	prefix  string // its path, without a slash at the end
	before  proxies
	callers *callers
	met     *instruments
	held    *budget // bytes of bodies
	turns   Turns
	pool    pieces

	mu     sync.Mutex
	mounts []MountInfo
}

// New makes a Front without ports.
func New(cfg Config, d Deps) (*Front, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	f := &Front{cfg: cfg, log: d.Logger, hooks: d.Hooks, hosts: ownHosts(cfg, d.ExternalURL), held: newBudget(cfg.MaxBodyBytesInFlight, d.Tenants), turns: d.Turns}
	f.log = instrument.Logger(f.log)
	f.callers = newCallers(cfg.Callers, time.Now)
	f.before = newProxies(cfg, func() {
		f.log.Warn("requests come by way of a proxy that is not trusted, so all its users count as one address where logins and requests are limited, and in the audit log; " +
			"name the proxy in web.trusted_proxies")
	})
	if d.ExternalURL != nil {
		f.origin = d.ExternalURL.Scheme + "://" + d.ExternalURL.Host
		f.prefix = strings.TrimRight(d.ExternalURL.Path, "/")
	}
	var err error
	f.met, err = newInstruments(d.Registerer, func() float64 { return float64(f.held.held()) })
	return f, err
}

// Share divides what is reserved for tenants among so many.
func (f *Front) Share(tenants int) { f.held.share(tenants) }

// Mounts lists what can be reached, in the order in which it was mounted.
func (f *Front) Mounts() []MountInfo {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]MountInfo(nil), f.mounts...)
}

type instruments struct {
	refused     *prometheus.CounterVec
	panics      prometheus.Counter
	connections *prometheus.GaugeVec
	evicted     *prometheus.CounterVec
	crowding    *prometheus.CounterVec
}

func newInstruments(reg prometheus.Registerer, held func() float64) (*instruments, error) {
	m := &instruments{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_web_refused_total", Help: "Requests refused before their handler saw them, by port and reason.",
		}, []string{"port", "reason"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_web_panics_total", Help: "Handlers that panicked.",
		}),
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "signalbox_web_connections", Help: "Open connections by port.",
		}, []string{"port"}),
		evicted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_web_connections_evicted_total", Help: "Connections closed because a port had too many.",
		}, []string{"port"}),
	}
	m.crowding = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "signalbox_web_connections_of_one_address_closed_total", Help: "Connections closed because their address had too many on the port.",
	}, []string{"port"})
	bodies := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "signalbox_web_body_bytes_in_flight", Help: "Bytes of request bodies held now.",
	}, held)
	if err := instrument.Register(reg, "web", m.refused, m.panics, m.connections, m.evicted, m.crowding, bodies); err != nil {
		return nil, err
	}
	return m, nil
}
