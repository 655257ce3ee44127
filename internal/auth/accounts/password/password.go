// Package password hashes and judges passwords.
//
// It knows no users and keeps nothing. In: what somebody typed. Out: a PHC string to keep, or whether it is the
// one that was kept.
//
// Invariants: at most Config.AtOnce hashes are worked on at once, and at most as many again times eight wait, so that a
// flood of logins holds a known amount of memory; every Verify costs one hash, also of a user that is not
// there. Parameters are those of a kept string, bounded, so that an edited database cannot ask for more.
//
// Start reading at Hasher.
package password

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/signalbox-project/signalbox/internal/auth/login"
	"github.com/signalbox-project/signalbox/internal/instrument"
)

// Config is what one hash costs.
type Config struct {
	// MemoryKiB, Iterations and Parallelism are argon2id's. Raising them hashes every password again at its next login.
	MemoryKiB   uint32 `yaml:"memory_kib"`
	Iterations  uint32 `yaml:"iterations"`
	Parallelism uint8  `yaml:"parallelism"`
	// AtOnce bounds the hashes that are worked on at once, each of which takes memory_kib.
	AtOnce int `yaml:"at_once"`
}

// DefaultConfig is the second recommended option of RFC 9106, section 4: 64 MiB, three passes, four lanes. Two at once
// take 128 MiB.
func DefaultConfig() Config {
	return Config{MemoryKiB: 64 << 10, Iterations: 3, Parallelism: 4, AtOnce: 2}
}

// The least is what OWASP's cheat sheet on password storage names as minimum; the most keeps a mistake, or an edited
// database, from taking the machine.
const (
	minMemoryKiB, maxMemoryKiB = 19 << 10, 1 << 20
	minIterations, maxPasses   = 2, 64
	maxLanes                   = 64
)

// Validate names every problem.
func (c Config) Validate() []error {
	var errs []error
	between := func(name string, v, least, most int) {
		if v < least || v > most {
			errs = append(errs, fmt.Errorf("%s: must be from %d to %d, got %d", name, least, most, v))
		}
	}
	between("memory_kib", int(c.MemoryKiB), minMemoryKiB, maxMemoryKiB)
	between("iterations", int(c.Iterations), minIterations, maxPasses)
	between("parallelism", int(c.Parallelism), 1, maxLanes)
	between("at_once", c.AtOnce, 1, 64)
	return errs
}

// Hasher hashes a bounded number of passwords at once.
type Hasher struct {
	cfg          Config
	slots, queue chan struct{}
	hashes       prometheus.Counter
}

// waitingEach is how many may wait for one slot.
const waitingEach = 8

// New makes a Hasher; reg may be nil.
func New(cfg Config, reg prometheus.Registerer) (*Hasher, error) {
	h := &Hasher{
		cfg: cfg, slots: make(chan struct{}, cfg.AtOnce), queue: make(chan struct{}, cfg.AtOnce*(1+waitingEach)),
		hashes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "signalbox_auth_password_hashes_total", Help: "Passwords that were hashed, to be kept or compared.",
		}),
	}
	return h, instrument.Register(reg, "password", h.hashes)
}

const (
	saltSize = 16
	keySize  = 32
)

// params are those of one PHC string.
type params struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

// Hash is a password as it is kept.
func (h *Hasher) Hash(ctx context.Context, text string) (string, error) {
	p := h.own()
	_, _ = rand.Read(p.salt) // never fails
	if err := h.key(ctx, &p, text); err != nil {
		return "", err
	}
	return p.String(), nil
}

func (h *Hasher) own() params {
	return params{memory: h.cfg.MemoryKiB, passes: h.cfg.Iterations, lanes: h.cfg.Parallelism, salt: make([]byte, saltSize), key: make([]byte, keySize)}
}

// Verify says whether text is the password that was kept. One that cannot be read, or "" for a user that is not
// there, costs the same and answers no. outdated says that the password is to be hashed anew.
func (h *Hasher) Verify(ctx context.Context, kept, text string) (right, outdated bool, err error) {
	p, readable := parse(kept)
	if !readable {
		p = h.own()
	}
	given := p
	given.key = make([]byte, len(p.key))
	if err := h.key(ctx, &given, text); err != nil {
		return false, false, err
	}
	right = subtle.ConstantTimeCompare(given.key, p.key) == 1 && readable
	return right, right && (p.memory < h.cfg.MemoryKiB || p.passes < h.cfg.Iterations || len(p.key) < keySize), nil
}

// key waits for its turn and fills p's key. What is typed in another form of Unicode is the same password
// (NIST SP 800-63B, 5.1.1.2: NFKC).
func (h *Hasher) key(ctx context.Context, p *params, text string) error {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return &login.Throttled{RetryAfter: time.Second}
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	h.hashes.Inc()
	p.key = argon2.IDKey(norm.NFKC.Bytes([]byte(text)), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.key)))
	return nil
}

// String is the PHC form.
func (p params) String() string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.lanes, b.EncodeToString(p.salt), b.EncodeToString(p.key))
}

// parse reads what String writes, and no more than is safe to compute.
func parse(phc string) (p params, ok bool) {
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return p, false
	}
	var saltErr, keyErr error
	p.salt, saltErr = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	p.key, keyErr = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	ok = errors.Join(saltErr, keyErr) == nil && p.String() == phc &&
		p.memory <= maxMemoryKiB && p.passes >= 1 && p.passes <= maxPasses && p.lanes >= 1 && p.lanes <= maxLanes &&
		len(p.salt) >= 8 && len(p.salt) <= 64 && len(p.key) >= 16 && len(p.key) <= 64
	return p, ok
}
