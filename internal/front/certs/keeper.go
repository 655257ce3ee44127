// Package certs keeps the certificates of the listeners: it reads them, reads them again when they change, and says
// when they end.
//
// It serves nothing and knows no identities. In: `tls_server_config` and `listeners`. Out: a crypto/tls configuration for
// each listener, made with the Prometheus exporter toolkit's own code, metrics, and what is wrong for the status page.
//
// Invariants: every handshake uses one whole set of certificate, key, authorities and revocations that belonged together
// when it was read; a set that cannot be used never replaces one that can; a client certificate counts as verified only if its
// chain ends at a configured authority and nothing of it is revoked, on resumed sessions too. Keeper.mu guards
// reading, an atomic pointer what is in force. Start reading at Keeper.current.
package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/signalbox-project/signalbox/internal/model"
)

// The listeners by name.
const (
	Web      = "web"
	OTLPGRPC = "otlp_grpc"
	OTLPHTTP = "otlp_http"
)

const (
	// lookEvery bounds how often files are read, however many clients come.
	lookEvery = time.Second
	// soon is how long before its end a certificate is a problem, and very soon a critical one.
	soon, verySoon = 14 * 24 * time.Hour, 3 * 24 * time.Hour
	tls13          = tls.VersionTLS13
)

// Keeper keeps the certificate of one listener, or of some that share it.
type Keeper struct {
	name string // for people
	cfg  Config
	now  func() time.Time

	inForce atomic.Pointer[material]

	mu      sync.Mutex
	looked  time.Time
	seen    contents // as they were read last, good or bad
	verdict error    // why seen cannot be used
	failed  error    // why the newest files are not in force: the verdict, or that they could not be read
}

// open reads the files of a listener. The first time they must be good.
func open(name string, cfg Config, now func() time.Time) (*Keeper, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if now == nil {
		now = time.Now
	}
	k := &Keeper{name: name, cfg: cfg, now: now}
	k.look()
	if k.failed != nil {
		return nil, fmt.Errorf("tls_server_config of %s: %w", name, k.failed)
	}
	return k, nil
}

// TLS is the listener's configuration for servers that speak the given protocols; nothing but the newest files counts at
// each handshake.
func (k *Keeper) TLS(protocols ...string) *tls.Config {
	outer := k.inForce.Load().tls.Clone()
	outer.NextProtos = protocols
	outer.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		cfg := k.current().tls.Clone()
		cfg.NextProtos = protocols
		return cfg, nil
	}
	return outer
}

// current is what is in force, after a look at the files if the last one was long ago.
func (k *Keeper) current() *material {
	if k.mu.TryLock() { // whoever comes meanwhile takes what is there
		k.look()
		k.mu.Unlock()
	}
	return k.inForce.Load()
}

// look reads the files and puts what changed into force if it is good; mu is held, but by open.
func (k *Keeper) look() {
	now := k.now()
	if since := now.Sub(k.looked); !k.looked.IsZero() && since >= 0 && since < lookEvery {
		return
	}
	k.looked = now
	read, err := readAll(k.cfg)
	if err != nil {
		k.failed = err
		return
	}
	if read != k.seen || k.inForce.Load() == nil {
		var m *material
		m, k.verdict = build(k.cfg, read, k.now)
		k.seen = read
		if k.verdict == nil {
			k.inForce.Store(m)
		}
	}
	k.failed = k.verdict
}

// failure is why the newest files are not in force, nil if they are.
func (k *Keeper) failure() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.failed
}

// problems says what is wrong with the files, and what will be.
func (k *Keeper) problems() []model.Problem {
	m := k.current()
	failed := k.failure()
	var out []model.Problem
	say := func(severity, cure, format string, args ...any) {
		out = append(out, model.Problem{Severity: severity, Message: "TLS of " + k.name + ": " + fmt.Sprintf(format, args...), Cure: cure})
	}
	if failed != nil {
		say("warning", "write files that belong together; they are read again by themselves", "the files changed and cannot be used, the last good ones stay in force: %s", failed)
	}
	const renew = "renew the certificate and write it to the same file; it is read again by itself"
	now := k.now()
	left := m.ends.Sub(now)
	switch {
	case now.Before(m.begins):
		say("critical", "set the clock of this machine, or use a certificate that is valid already", "the certificate %s is not valid before %s: clients refuse it", k.cfg.CertFile, m.begins.UTC().Format(time.RFC3339))
	case left <= 0:
		say("critical", renew, "the certificate %s ended at %s: clients refuse it", k.cfg.CertFile, m.ends.UTC().Format(time.RFC3339))
	case left < verySoon:
		say("critical", renew, "the certificate %s ends at %s", k.cfg.CertFile, m.ends.UTC().Format(time.RFC3339))
	case left < soon:
		say("warning", renew, "the certificate %s ends at %s", k.cfg.CertFile, m.ends.UTC().Format(time.RFC3339))
	}
	if until := m.revoked.until; !until.IsZero() && now.After(until) {
		say("warning", "write a new list to the same file; it is read again by itself", "the list of revoked clients %s was good until %s: what it names stays refused, later revocations are not known", k.cfg.ClientCRLFile, until.UTC().Format(time.RFC3339))
	}
	return out
}

// Set is the keepers of all listeners.
type Set struct {
	now func() time.Time

	mu      sync.Mutex
	keepers map[string]*Keeper
}

// New opens the files of every listener. A nil clock is the machine's.
func New(all Config, each Listeners, now func() time.Time) (*Set, error) {
	s := &Set{now: now, keepers: map[string]*Keeper{}}
	var alike []string // listeners that share one certificate, which is read once and complained of once
	for _, one := range each.all() {
		switch {
		case one.Plaintext:
		case one.TLS != nil:
			if _, err := s.Open(one.name, *one.TLS); err != nil {
				return nil, err
			}
		case all.Enabled():
			alike = append(alike, one.name)
		}
	}
	if len(alike) == 0 {
		return s, nil
	}
	shared, err := open(strings.Join(alike, ", "), all, now)
	for _, name := range alike {
		s.keepers[name] = shared
	}
	return s, err
}

// None keeps none yet.
func None() *Set { return &Set{keepers: map[string]*Keeper{}} }

// Open adds a listener that is not one of Listeners.
func (s *Set) Open(listener string, cfg Config) (*Keeper, error) {
	k, err := open(listener, cfg, s.now)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepers[listener] = k
	return k, nil
}

// TLS is the configuration of a listener, nil where it is served without TLS.
func (s *Set) TLS(listener string, protocols ...string) *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keepers[listener]; k != nil {
		return k.TLS(protocols...)
	}
	return nil
}

// all is a copy of the keepers by listener.
func (s *Set) all() map[string]*Keeper {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.keepers)
}

// Problems says what is wrong with the files of all listeners.
func (s *Set) Problems() []model.Problem {
	var out []model.Problem
	said := map[*Keeper]bool{}
	keepers := s.all()
	for _, listener := range slices.Sorted(maps.Keys(keepers)) {
		if k := keepers[listener]; !said[k] {
			said[k] = true
			out = append(out, k.problems()...)
		}
	}
	return out
}

// Describe implements prometheus.Collector.
func (s *Set) Describe(ch chan<- *prometheus.Desc) {
	ch <- expiryDesc()
	ch <- failedDesc()
}

// Collect implements prometheus.Collector.
func (s *Set) Collect(ch chan<- prometheus.Metric) {
	for listener, k := range s.all() {
		ends := k.current().ends
		failed := 0.0
		if k.failure() != nil {
			failed = 1
		}
		ch <- prometheus.MustNewConstMetric(expiryDesc(), prometheus.GaugeValue, float64(ends.Unix()), listener)
		ch <- prometheus.MustNewConstMetric(failedDesc(), prometheus.GaugeValue, failed, listener)
	}
}

func expiryDesc() *prometheus.Desc {
	return prometheus.NewDesc("signalbox_tls_certificate_expiry_timestamp_seconds", "Unix time at which the certificate of a listener ends, or one between it and its authority.", []string{"listener"}, nil)
}

func failedDesc() *prometheus.Desc {
	return prometheus.NewDesc("signalbox_tls_reload_failed", "1 while the files of a listener's certificate cannot be used and the last good ones are in force.", []string{"listener"}, nil)
}
