// Package sign puts a signature on gate decisions and checks it.
//
// It knows what is signed only as bytes: envelopes are DSSE
// (https://github.com/secure-systems-lab/dsse), signatures Ed25519, and
// Canonical gives a value its one JSON form. It decides and stores nothing beside its key.
//
// In: payloads and, from a file that it makes on first use, a private key. Out:
// model.GateEnvelope, or the sentence that says why one is not what it claims.
//
// Invariants: the private key's file can be read by its owner only; what
// Verify accepted was signed, byte by byte, by the key that was asked for. A Key is
// safe for concurrent use and takes no lock.
//
// Start reading at Key.
package sign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/signalbox-project/signalbox/internal/model"
)

// FileName is the private key's name in its folder: PKCS #8 in PEM.
const FileName = "ed25519.key"

// ErrSignature says that an envelope is not what the key signed.
var ErrSignature = errors.New("the signature does not fit")

// Key signs.
type Key struct {
	private ed25519.PrivateKey
}

// Open reads the key of a folder, and makes both when there is none yet. A key
// that others may read is an error that says how to mend it.
func Open(dir string) (*Key, error) {
	file := filepath.Join(dir, FileName)
	st, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return create(file)
	case err != nil:
		return nil, fmt.Errorf("signing key: %w", err)
	case st.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("signing key %s may be read by others (mode %04o): chmod 600 it, or delete it for a new one if somebody may have read it", file, st.Mode().Perm())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	k, err := parsePrivate(text)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w; restore it from a backup, or move it away for a new one (decisions signed so far then need the old public key)", file, err)
	}
	return k, nil
}

func create(file string) (*Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	if err := write(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return nil, fmt.Errorf("write signing key %s: %w", file, err)
	}
	return &Key{private: private}, nil
}

// write makes the file whole or not at all.
func write(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func parsePrivate(text []byte) (*Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("it is a %T, not an Ed25519 key", key)
	}
	return &Key{private: private}, nil
}

// Public is the key that others verify with.
func (k *Key) Public() ed25519.PublicKey { return k.private.Public().(ed25519.PublicKey) }

// Sign puts a payload in an envelope.
func (k *Key) Sign(payloadType string, payload []byte) model.GateEnvelope {
	return model.GateEnvelope{
		PayloadType: payloadType, Payload: payload,
		Signatures: []model.GateSignature{{KeyID: KeyID(k.Public()), Sig: ed25519.Sign(k.private, encoded(payloadType, payload))}},
	}
}

// Verify answers nil when a key signed an envelope, and an error that wraps
// ErrSignature when it did not.
func Verify(public ed25519.PublicKey, e model.GateEnvelope) error {
	id := KeyID(public)
	for _, s := range e.Signatures {
		if s.KeyID != id {
			continue
		}
		if !ed25519.Verify(public, encoded(e.PayloadType, e.Payload), s.Sig) {
			return fmt.Errorf("%w: the signed decision was changed, or it was never signed by key %s", ErrSignature, id)
		}
		return nil
	}
	if len(e.Signatures) == 0 {
		return fmt.Errorf("%w: it is not signed", ErrSignature)
	}
	return fmt.Errorf("%w: it was signed by key %s, not by %s", ErrSignature, e.Signatures[0].KeyID, id)
}

// encoded is DSSE's pre-authentication encoding.
func encoded(payloadType string, payload []byte) []byte {
	var b bytes.Buffer
	b.WriteString("DSSEv1 " + strconv.Itoa(len(payloadType)) + " " + payloadType + " " + strconv.Itoa(len(payload)) + " ")
	b.Write(payload)
	return b.Bytes()
}

// KeyID names a public key: SHA-256 of its 32 bytes, in hex.
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:])
}

// PEM is a public key as openssl writes it.
func PEM(public ed25519.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return "", fmt.Errorf("encode public key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

// ParsePEM reads what PEM wrote.
func ParsePEM(text []byte) (ed25519.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("public key: it is not PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	public, ok := key.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("public key: it is a %T, not an Ed25519 key", key)
	}
	return public, nil
}
