// Package identifiers replaces what identifies people by keyed hashes, on the way in.
//
// It decides nothing about a record. In: labels, or a name with its value. Out: the same with every value of a configured name
// hashed: h1:KEY:HASH, of which KEY tells the keys apart and HASH is the first 128 bits of HMAC-SHA256. One identifier has one hash
// as long as a key is the current one, so that counting people still works; who has not the key cannot try names.
//
// Invariants: what a key that it knows has hashed is not hashed again; no error, message or counter holds a value or a key; it
// remembers no value. A nil Hasher hashes nothing. It is safe for concurrent use. Start reading at Hasher.
package identifiers

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

const (
	version   = "h1:"
	idBytes   = 4
	hashBytes = 16
)

// Hasher hashes.
type Hasher struct {
	names  []string // flat
	keys   []key    // the current one first
	hashed *prometheus.CounterVec
}

type key struct {
	secret []byte
	prefix string // of its hashes
}

// New reads the keys; without a name to hash there is no Hasher.
func New(cfg Config, reg prometheus.Registerer) (*Hasher, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("privacy: %w", err)
	}
	if len(cfg.Hash) == 0 {
		return nil, nil //nolint:nilnil // a nil Hasher works
	}
	h := &Hasher{hashed: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "signalbox_identifiers_hashed_total", Help: "Values that were replaced by their keyed hash on the way in, by signal.",
	}, []string{"signal"})}
	for _, n := range cfg.Hash {
		h.names = append(h.names, flat(n))
	}
	for i, k := range cfg.Keys {
		secret, err := k.Read()
		if err != nil {
			return nil, fmt.Errorf("privacy.keys[%d]: %w", i, err)
		}
		made, err := newKey(secret)
		if err != nil {
			return nil, fmt.Errorf("privacy.keys[%d]: %w", i, err)
		}
		for j, other := range h.keys {
			if other.prefix == made.prefix {
				return nil, fmt.Errorf("privacy.keys[%d]: is the key of keys[%d]; name each key once", i, j)
			}
		}
		h.keys = append(h.keys, made)
	}
	return h, instrument.Register(reg, "identifiers", h.hashed)
}

// newKey takes the name of a key and what it hashes with from the key, so that the name gives nothing away.
func newKey(root []byte) (key, error) {
	name, err := hkdf.Key(sha256.New, root, nil, "signalbox identifiers name", idBytes)
	if err != nil {
		return key{}, err
	}
	secret, err := hkdf.Key(sha256.New, root, nil, "signalbox identifiers hash", sha256.Size)
	return key{secret: secret, prefix: version + hex.EncodeToString(name) + ":"}, err
}

// Current is the key that hashes what arrives, for who replaces by the same hashes on the way out: how its hashes begin,
// what they are made with, and of how many bytes.
func Current(cfg Config) (prefix string, secret []byte, bytes int, err error) {
	if len(cfg.Keys) == 0 {
		return "", nil, 0, nil
	}
	root, err := cfg.Keys[0].Read()
	if err != nil {
		return "", nil, 0, fmt.Errorf("privacy.keys[0]: %w", err)
	}
	k, err := newKey(root)
	return k.prefix, k.secret, hashBytes, err
}

func (k key) hash(value string) string {
	mac := hmac.New(sha256.New, k.secret)
	_, _ = mac.Write([]byte(value))
	return k.prefix + hex.EncodeToString(mac.Sum(nil)[:hashBytes])
}

// Names reports whether values of a label, an attribute or a field are hashed.
func (h *Hasher) Names(name string) bool {
	if h == nil || kept(name) {
		return false
	}
	for _, n := range h.names {
		if endsWith(name, n) {
			return true
		}
	}
	return false
}

// MayName reports whether a text may hold a configured name; it errs on the side of yes.
func (h *Hasher) MayName(text string) bool {
	if h == nil {
		return false
	}
	text = flat(text)
	for _, n := range h.names {
		if strings.Contains(text, n) {
			return true
		}
	}
	return false
}

// None reports whether there is nothing to hash.
func (h *Hasher) None() bool { return h == nil }

// Hash is the current hash of a value; ok is false where it is to stay: it is empty, or a hash already.
func (h *Hasher) Hash(value string) (hash string, ok bool) {
	if value == "" || h.isHash(value) {
		return value, false
	}
	return h.keys[0].hash(value), true
}

// isHash reports whether one of the keys made a value, as far as can be seen.
func (h *Hasher) isHash(value string) bool {
	for _, k := range h.keys {
		rest, ok := strings.CutPrefix(value, k.prefix)
		if ok && len(rest) == 2*hashBytes && strings.Trim(rest, "0123456789abcdef") == "" {
			return true
		}
	}
	return false
}

// Forms is every hash that a value may be stored as, that of the current key first.
func (h *Hasher) Forms(value string) []string {
	if h == nil {
		return nil
	}
	out := make([]string, 0, len(h.keys))
	for _, k := range h.keys {
		out = append(out, k.hash(value))
	}
	return out
}

// Labels hashes those of a series or an exemplar.
func (h *Hasher) Labels(ls labels.Labels) labels.Labels {
	if h == nil {
		return ls
	}
	var b *labels.Builder
	ls.Range(func(l labels.Label) {
		if !h.Names(l.Name) {
			return
		}
		if hash, ok := h.Hash(l.Value); ok {
			if b == nil {
				b = labels.NewBuilder(ls)
			}
			b.Set(l.Name, hash)
			h.Count("metrics", 1)
		}
	})
	if b == nil {
		return ls
	}
	return b.Labels()
}

// Count adds to what was hashed of a signal.
func (h *Hasher) Count(signal string, n int) {
	if h != nil && n > 0 {
		h.hashed.WithLabelValues(signal).Add(float64(n))
	}
}
