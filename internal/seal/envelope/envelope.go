// Package envelope seals the secrets that Signalbox keeps, so that its folder and its backups are worth nothing to who has not
// the key.
//
// It knows neither what a secret is for nor where it is kept. In: the section `seal`. Out: a seal.Sealer. The envelope: a
// random data key seals secrets (AES-256-GCM), and a configured key seals the data key, which stands beside what it sealed. So
// each sealed text opens by itself, in a backup too, and a key in Vault is asked once for a data key, not for each secret.
//
// Invariants: no error, log line or metric holds a secret or a key; what was sealed under one name opens under no other;
// nothing is sealed by a former key; a text that names a key that is not configured is never called damaged. A Sealer is safe for
// concurrent use, and has its lock while a key service is asked. Start reading at Sealer.
package envelope

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/signalbox-project/signalbox/internal/outgoing"
	"github.com/signalbox-project/signalbox/internal/seal"
)

// wrapper is a key that seals data keys.
type wrapper interface {
	// ID names the key in what it sealed, and gives nothing of it away.
	ID() string
	// Wrap seals a data key.
	Wrap(key []byte) ([]byte, error)
	// Unwrap opens what Wrap made. seal.ErrDamaged says that no key will ever open it.
	Unwrap(wrapped []byte) ([]byte, error)
	// Generation tells apart what one key sealed before and after it was rotated where it lives.
	Generation(wrapped []byte) string
}

const keyBytes = 32

// dataKey seals secrets.
type dataKey struct {
	head string // what stands before the secret: prefix, name of the key, sealed data key
	aead cipher.AEAD
}

// Sealer seals with the first of its keys, and opens with all. It implements seal.Sealer.
type Sealer struct {
	keys []wrapper
	undo bool

	mu      sync.Mutex
	opened  map[string]*dataKey // by head
	sealing *dataKey
	adopted bool   // sealing was found, not made by this process
	now     string // the generation of the first key
}

// Open reads the keys, and tries the first. Without one, nothing is sealed.
func Open(cfg Config, guard *outgoing.Guard) (seal.Sealer, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("seal.%w", err)
	}
	s, err := open(cfg, guard)
	if err == nil && cfg.Forget {
		s = forgetful{s}
	}
	return s, err
}

// forgetful gives up what no key is there for.
type forgetful struct{ seal.Sealer }

// Open implements seal.Sealer. A key service that does not answer is no key that is lost.
func (f forgetful) Open(kept []byte, what string) (plain []byte, current bool, err error) {
	plain, current, err = f.Sealer.Open(kept, what)
	if errors.Is(err, seal.ErrNoKey) {
		err = fmt.Errorf("%w: %w", seal.ErrDamaged, err)
	}
	return plain, current, err
}

func open(cfg Config, guard *outgoing.Guard) (seal.Sealer, error) {
	if len(cfg.Keys) == 0 {
		return seal.Plain{}, nil
	}
	var keys []wrapper
	for i, k := range cfg.Keys {
		w, err := k.open(guard)
		if err != nil {
			return nil, fmt.Errorf("seal.keys[%d]: %w", i, err)
		}
		for j, other := range keys {
			if other.ID() == w.ID() {
				return nil, fmt.Errorf("seal.keys[%d]: is the key of keys[%d]; name each key once", i, j)
			}
		}
		keys = append(keys, w)
	}
	s, err := newSealer(keys, cfg.Undo)
	if err != nil {
		return nil, fmt.Errorf("seal.keys[0]: %w", err)
	}
	return s, nil
}

func (k Key) open(guard *outgoing.Guard) (wrapper, error) {
	if k.Vault != nil {
		return newVault(*k.Vault, guard)
	}
	root, err := k.local().Read()
	if err != nil {
		return nil, err
	}
	return newLocal(root)
}

// newSealer makes a data key at once: a key that cannot seal is found at the start, not when a password is changed.
func newSealer(keys []wrapper, undo bool) (*Sealer, error) {
	s := &Sealer{keys: keys, undo: undo, opened: map[string]*dataKey{}}
	if undo {
		return s, nil
	}
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key) // never fails
	wrapped, err := keys[0].Wrap(key)
	if err != nil {
		return nil, err
	}
	s.now = keys[0].Generation(wrapped)
	s.sealing, err = newDataKey(head(keys[0].ID(), wrapped), key)
	return s, err
}

func newDataKey(head string, key []byte) (*dataKey, error) {
	if len(key) != keyBytes {
		return nil, fmt.Errorf("%w: its data key has %d bytes", seal.ErrDamaged, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &dataKey{head: head, aead: aead}, err
}

func encoding() *base64.Encoding { return base64.RawURLEncoding.Strict() }

func head(id string, wrapped []byte) string {
	return seal.Prefix + encoding().EncodeToString([]byte(id)) + "." + encoding().EncodeToString(wrapped) + "."
}

// Seal implements seal.Sealer.
func (s *Sealer) Seal(plain []byte, what string) ([]byte, error) {
	if s.undo {
		return plain, nil
	}
	s.mu.Lock()
	key := s.sealing
	s.mu.Unlock()
	body := key.aead.Seal(nil, nil, plain, []byte(key.head+what))
	return []byte(key.head + encoding().EncodeToString(body) + "\n"), nil
}

// Open implements seal.Sealer.
func (s *Sealer) Open(kept []byte, what string) (plain []byte, current bool, err error) {
	if !seal.Is(kept) {
		return kept, s.undo, nil
	}
	text := string(bytes.TrimSuffix(kept, []byte("\n")))
	last := strings.LastIndexByte(text, '.')
	body, err := encoding().DecodeString(text[last+1:])
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w: what was sealed is not as it was written", what, seal.ErrDamaged)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, current, err := s.dataKey(text[:last+1])
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", what, err)
	}
	if plain, err = key.aead.Open(nil, nil, body, []byte(key.head+what)); err != nil {
		return nil, false, fmt.Errorf("%s: %w: it does not open by the key that sealed it", what, seal.ErrDamaged)
	}
	return plain, current && !s.undo, nil
}

// dataKey opens a data key, or remembers it; s.mu is held.
func (s *Sealer) dataKey(head string) (key *dataKey, current bool, err error) {
	id, wrapped, err := parseHead(head)
	if err != nil {
		return nil, false, err
	}
	i := s.index(id)
	if i < 0 {
		return nil, false, s.noKey(id)
	}
	current = i == 0 && !s.undo && s.keys[0].Generation(wrapped) == s.now
	if key = s.opened[head]; key == nil {
		raw, err := s.keys[i].Unwrap(wrapped)
		if err != nil {
			return nil, false, fmt.Errorf("sealed by key %s: %w", id, err)
		}
		if key, err = newDataKey(head, raw); err != nil {
			return nil, false, err
		}
		s.opened[head] = key
	}
	if current && !s.adopted {
		// One data key for all, whenever it was sealed: a start asks for each that there is.
		s.sealing, s.adopted = key, true
	}
	return key, current, nil
}

func (s *Sealer) index(id string) int {
	for i, k := range s.keys {
		if k.ID() == id {
			return i
		}
	}
	return -1
}

func (s *Sealer) noKey(id string) error {
	var have []string
	for _, k := range s.keys {
		have = append(have, k.ID())
	}
	return fmt.Errorf("sealed by key %s: %w, but %s is: name that key in seal.keys too, behind the one that is to seal from now on",
		id, seal.ErrNoKey, strings.Join(have, ", "))
}

// parseHead reads what head made. A name that is no name was damaged; of any other it cannot be said.
func parseHead(text string) (id string, wrapped []byte, err error) {
	parts := strings.Split(strings.TrimPrefix(text, seal.Prefix), ".")
	if len(parts) != 3 || parts[2] != "" {
		return "", nil, fmt.Errorf("%w: it is cut off", seal.ErrDamaged)
	}
	name, err := encoding().DecodeString(parts[0])
	if err == nil {
		wrapped, err = encoding().DecodeString(parts[1])
	}
	if err != nil || len(name) == 0 || strings.ContainsFunc(string(name), func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", nil, fmt.Errorf("%w: its head is not as it was written", seal.ErrDamaged)
	}
	return string(name), wrapped, nil
}
