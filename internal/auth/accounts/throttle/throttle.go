// Package throttle slows down who guesses passwords.
//
// It knows no passwords. In: attempts, each of an account and an address, and which of them succeeded. Out: how long to
// wait. Every attempt counts as failed until it is said to have succeeded, so that attempts at the same moment do not slip
// through together.
//
// Invariants: the wait doubles and has a bound, so that nobody is locked out for good; both memories are bounded,
// and what was not tried for an hour is forgotten; a success takes back the waiting of its account, but of its address
// only itself, or somebody with an account of their own would guess without end. mu guards both memories.
//
// Start reading at Limiter.
package throttle

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// Config says how often one may fail.
type Config struct {
	// AccountFailures and AddressFailures are free; each further one doubles the wait, which begins at a second.
	AccountFailures int `yaml:"account_failures"`
	AddressFailures int `yaml:"address_failures"`
	// MaxWait bounds the wait.
	MaxWait model.Duration `yaml:"max_wait"`
}

// DefaultConfig leaves a guesser 288 attempts a day at an account.
func DefaultConfig() Config {
	return Config{AccountFailures: 5, AddressFailures: 20, MaxWait: model.Duration(5 * time.Minute)}
}

// Validate names every problem.
func (c Config) Validate() []error {
	var errs []error
	if c.AccountFailures < 1 {
		errs = append(errs, fmt.Errorf("account_failures: must be at least 1, got %d", c.AccountFailures))
	}
	if c.AddressFailures < 1 {
		errs = append(errs, fmt.Errorf("address_failures: must be at least 1, got %d", c.AddressFailures))
	}
	if w := time.Duration(c.MaxWait); w < time.Second || w > time.Hour {
		errs = append(errs, fmt.Errorf("max_wait: must be from 1s to 1h, got %s", c.MaxWait))
	}
	return errs
}

const (
	firstWait = time.Second
	forgotten = time.Hour
	remember  = 20_000 // keys in each memory, about 4 MB
)

// Limiter remembers who failed. It is safe for concurrent use.
type Limiter struct {
	now       func() time.Time
	mu        sync.Mutex
	accounts  *memory
	addresses *memory
	throttled *prometheus.CounterVec
}

// New makes a Limiter; reg may be nil.
func New(cfg Config, now func() time.Time, reg prometheus.Registerer) (*Limiter, error) {
	l := &Limiter{
		now: now, accounts: newMemory(cfg.AccountFailures, cfg.MaxWait), addresses: newMemory(cfg.AddressFailures, cfg.MaxWait),
		throttled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "signalbox_auth_throttled_total", Help: "Login attempts that were told to wait, by what was tried too often (account, address).",
		}, []string{"by"}),
	}
	return l, instrument.Register(reg, "throttle", l.throttled)
}

// Try counts an attempt and says how long to wait; 0 is now. One that must wait is not counted: asking again does not
// prolong the wait, and again says that it was told so before. known says that the account's owner uses this address: then failures
// elsewhere do not count.
func (l *Limiter) Try(account, address string, known bool) (wait time.Duration, again bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, account, address := l.now(), accountKey(account, address, known), network(address)
	if wait, again = l.addresses.wait(address, now); wait > 0 {
		l.throttled.WithLabelValues("address").Inc()
		return wait, again
	}
	if wait, again = l.accounts.wait(account, now); wait > 0 {
		l.throttled.WithLabelValues("account").Inc()
		return wait, again
	}
	l.addresses.failed(address, now)
	l.accounts.failed(account, now)
	return 0, false
}

// Succeeded takes back what Try counted.
func (l *Limiter) Succeeded(account, address string, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accounts.forget(accountKey(account, address, known))
	l.addresses.undo(network(address))
}

// Undo takes back what Try counted of an attempt that came to nothing: nothing was learnt by it.
func (l *Limiter) Undo(account, address string, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accounts.undo(accountKey(account, address, known))
	l.addresses.undo(network(address))
}

func accountKey(account, address string, known bool) string {
	if known {
		return account + "\x00" + network(address)
	}
	return account
}

// network is what counts as one sender: an address of IPv4, and half of one of IPv6, which is what one customer gets.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}

// memory holds the failures of keys; the one tried longest ago goes first.
type memory struct {
	free int
	max  time.Duration
	keys *simplelru.LRU[string, *entry]
}

type entry struct {
	failures    int
	last, until time.Time
	told        bool // that it must wait
}

func newMemory(free int, longest model.Duration) *memory {
	keys, _ := simplelru.NewLRU[string, *entry](remember, nil) // fails for a size of 0 alone
	return &memory{free: free, max: time.Duration(longest), keys: keys}
}

func (m *memory) wait(key string, now time.Time) (wait time.Duration, told bool) {
	e, ok := m.keys.Peek(key)
	if !ok {
		return 0, false
	}
	if now.Sub(e.last) > forgotten {
		m.forget(key)
		return 0, false
	}
	if wait = min(e.until.Sub(now), m.max); wait <= 0 { // also after the clock went back
		return 0, false
	}
	told, e.told = e.told, true
	return wait, told
}

func (m *memory) failed(key string, now time.Time) {
	e, ok := m.keys.Get(key)
	if !ok {
		e = &entry{}
		m.keys.Add(key, e)
	}
	e.failures, e.last, e.told = e.failures+1, now, false
	if over := e.failures - m.free; over >= 0 {
		e.until = now.Add(min(m.max, firstWait<<min(over, 20)))
	}
}

func (m *memory) undo(key string) {
	e, ok := m.keys.Peek(key)
	if !ok {
		return
	}
	if e.failures--; e.failures < m.free {
		e.until = time.Time{}
	}
	if e.failures <= 0 {
		m.forget(key)
	}
}

func (m *memory) forget(key string) { m.keys.Remove(key) }
