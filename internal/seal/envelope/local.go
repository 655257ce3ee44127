package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/seal"
)

// nameBytes tell keys apart, and are too few to be anything else.
const nameBytes = 8

// local is a key that this process knows.
type local struct {
	id   string
	aead cipher.AEAD
}

// newLocal takes the name of a key and what it seals with from the key, so that the name gives nothing away.
func newLocal(root []byte) (wrapper, error) {
	name, err := hkdf.Key(sha256.New, root, nil, "signalbox seal name", nameBytes)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, root, nil, "signalbox seal wrap", keyBytes)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &local{id: hex.EncodeToString(name), aead: aead}, err
}

// ID implements wrapper.
func (l *local) ID() string { return l.id }

// Wrap implements wrapper.
func (l *local) Wrap(key []byte) ([]byte, error) {
	return l.aead.Seal(nil, nil, key, []byte(l.id)), nil
}

// Unwrap implements wrapper.
func (l *local) Unwrap(wrapped []byte) ([]byte, error) {
	key, err := l.aead.Open(nil, nil, wrapped, []byte(l.id))
	if err != nil {
		return nil, fmt.Errorf("%w: its data key does not open by the key that sealed it", seal.ErrDamaged)
	}
	return key, nil
}

// Generation implements wrapper.
func (*local) Generation([]byte) string { return "" }
