// Package sign puts a signature on gate decisions and checks it.
//
// It knows what is signed only as bytes: envelopes are DSSE
// (https://github.com/secure-systems-lab/dsse), signatures Ed25519, and
// Canonical gives a value its one JSON form. It decides and stores nothing beside its key.
//
// In: payloads and, from a file that it makes on first use, a private key. Out:
// model.GateEnvelope, or the sentence that says why one is not what it claims. Every public key that ever
// signed is kept by whoever Remember is given, so that a lost private key makes no
// decision unverifiable.
//
// Invariants: the private key's file can be read by its owner only; what
// Verify accepted was signed, byte by byte, by the key that was asked for. A Key is
// safe for concurrent use and takes no lock.
//
// Start reading at Key, then former.go.
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
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/seal"
)

// FileName is the private key's name in its folder: PKCS #8 in PEM, sealed where a key is configured for that.
const FileName = "ed25519.key"

// sealedAs names the key to what seals it.
const sealedAs = "the gate's signing key"

// ErrSignature says that an envelope is not what the key signed.
var ErrSignature = errors.New("the signature does not fit")

// Key signs. It also knows the public keys of before, once it was told (Remember).
type Key struct {
	private  ed25519.PrivateKey
	former   []Public
	problems []model.Problem
}

// Open reads the key of a folder, and makes both when there is none yet. A key that cannot be read is
// set aside and a new one takes its place, and one that others may read is closed to them; Problems
// names both. One that is sealed and does not open for want of a key is an error, and stays. A nil
// sealer keeps it plain.
func Open(dir string, sealer seal.Sealer) (*Key, error) {
	if sealer == nil {
		sealer = seal.Plain{}
	}
	if _, err := atomicfile.MakeDir(dir, 0o750, time.Now()); err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	file := filepath.Join(dir, FileName)
	atomicfile.Clean(file)
	st, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return create(file, sealer)
	}
	open := err == nil && st.Mode().IsRegular() && st.Mode().Perm()&0o077 != 0
	k, err := read(file, sealer)
	if err == nil {
		if open {
			k.problems = append(k.problems, closed(file, st.Mode().Perm()))
		}
		return k, nil
	}
	if seal.Locked(err) {
		return nil, fmt.Errorf("signing key %w", err)
	}
	aside, asideErr := atomicfile.SetAside(file, time.Now())
	if asideErr != nil {
		return nil, fmt.Errorf("signing key %s: %w; %w", file, err, asideErr)
	}
	if k, asideErr = create(file, sealer); asideErr != nil {
		return nil, asideErr
	}
	k.problems = append(k.problems, model.Problem{
		Severity: "warning",
		Message: fmt.Sprintf("The gate's signing key %s was damaged (%v) and is kept as %s; decisions are now signed by the new key %s. Decisions signed before stay verifiable by the old public key.",
			file, err, aside, KeyID(k.Public())),
		Cure: "tell whoever keeps the public key (signalbox gate verify --key) of the new one, or stop, restore the old file from a backup, and start",
	})
	return k, nil
}

// closed takes the right to read the key from others, as a copy or a backup often gives it: that is no reason not to
// start, but one to be told.
func closed(file string, was fs.FileMode) model.Problem {
	done := "it is closed to them now"
	if err := os.Chmod(file, 0o600); err != nil {
		done = "and still can be: " + err.Error()
	}
	return model.Problem{
		Severity: "warning",
		Message:  fmt.Sprintf("The gate's signing key %s could be read by others (mode %04o), %s.", file, was, done),
		Cure:     "If somebody may have read it, delete it and start again for a new one; chmod 600 it where that is not done yet.",
	}
}

// maxKeyBytes is more than any private key has.
const maxKeyBytes = 64 << 10

func read(file string, sealer seal.Sealer) (*Key, error) {
	text, behind, err := seal.ReadFile(file, maxKeyBytes, sealer, sealedAs)
	if err != nil {
		return nil, err
	}
	k, err := parsePrivate(text)
	if err == nil && behind != nil {
		k.problems = append(k.problems, model.Problem{
			Severity: "warning",
			Message:  fmt.Sprintf("The gate's signing key cannot be written as it is to be kept (%v); it stays as it was.", behind),
			Cure:     "Free disk space or make " + filepath.Dir(file) + " writable, and start again.",
		})
	}
	return k, err
}

func create(file string, sealer seal.Sealer) (*Key, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	k := &Key{private: private}
	if err := seal.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), sealer, sealedAs); err != nil {
		k.problems = []model.Problem{{
			Severity: "warning",
			Message:  fmt.Sprintf("The gate's new signing key %s cannot be kept (%v); decisions are signed by it until the process ends.", KeyID(k.Public()), err),
			Cure:     "Free disk space or make " + filepath.Dir(file) + " writable, and start again.",
		}}
	}
	return k, nil
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
