// Package keys makes secrets, and holds the key of this installation's accounts.
//
// It knows nothing of what is signed, sealed or opened. In: a folder. Out: keys for one use each, texts that only this
// installation opens, and secrets with what is kept of them.
//
// Invariants: the key is a file that only the server's own user reads; one that is damaged is set aside, and what was made with
// it is not believed any more, which costs new links and new logins, and nothing else. Start reading at Keys.
package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/seal"
)

const (
	file = "accounts.key"
	size = 32
)

// Keys makes keys of one. It is safe for concurrent use.
type Keys struct{ root []byte }

// sealedAs names the key to what seals it.
const sealedAs = "the key of accounts"

// Sealer seals the key; nil keeps it plain.
type Sealer = seal.Sealer

// Open reads the key in a folder, or makes both. One that is sealed and does not open for want of a key is an error,
// and stays. odd is what went wrong with the file where there is a key all the same.
func Open(dir string, now time.Time, sealer Sealer) (k *Keys, odd, err error) {
	if _, err := atomicfile.MakeDir(dir, 0o700, now); err != nil {
		return nil, nil, fmt.Errorf("folder of accounts %s: %w", dir, err)
	}
	if sealer == nil {
		sealer = seal.Plain{}
	}
	path := filepath.Join(dir, file)
	key, behind, err := seal.ReadFile(path, size, sealer, sealedAs)
	if err == nil && len(key) == size {
		return &Keys{root: key}, behind, nil
	}
	if seal.Locked(err) {
		return nil, nil, fmt.Errorf("key of accounts %w", err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		aside, failed := atomicfile.SetAside(path, now)
		if failed != nil {
			return nil, nil, fmt.Errorf("key of accounts: %w", errors.Join(err, failed))
		}
		odd = fmt.Errorf("key of accounts: it was damaged and is kept as %s; links that were sent are void, and people of providers log in again", aside)
	}
	key = make([]byte, size)
	_, _ = rand.Read(key) // never fails
	if err := seal.WriteFile(path, key, sealer, sealedAs); err != nil {
		return nil, odd, fmt.Errorf("key of accounts: %w", err)
	}
	return &Keys{root: key}, odd, nil
}

// For is the key of one use.
func (k *Keys) For(use string) ([]byte, error) {
	return hkdf.Key(sha256.New, k.root, nil, "signalbox accounts "+use, size)
}

// SecretLength is that of NewSecret.
const SecretLength = 52

// NewSecret is 260 random bits as text.
func NewSecret() string { return rand.Text() + rand.Text() }

// Hash is what is kept of a secret: SHA-256. A secret of NewSecret leaves nothing to guess that a slow hash would make slower,
// and it is hashed with every request.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Box seals texts.
type Box struct{ aead cipher.AEAD }

// Box is the box of one use.
func (k *Keys) Box(use string) (*Box, error) {
	key, err := k.For(use)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &Box{aead: aead}, err
}

// Seal hides a text; it opens only for whom it was sealed.
func (b *Box) Seal(text []byte, whom string) string {
	return base64.RawStdEncoding.EncodeToString(b.aead.Seal(nil, nil, text, []byte(whom)))
}

// Open is the text that was sealed.
func (b *Box) Open(sealed, whom string) ([]byte, error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return nil, err
	}
	return b.aead.Open(nil, nil, raw, []byte(whom))
}
