// Package seal keeps secrets in files so that they open with a key alone that lies elsewhere.
//
// It knows no cipher: that is envelope's. In: a Sealer, a file, and words for what it holds. Out: the secret.
//
// Invariants: a file that is not as it should be (plain while there is a key, or sealed by a former one) is written
// anew when it is read; one that cannot be opened for want of a key is never taken for a damaged one. Start reading at Sealer.
package seal

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

// Prefix begins whatever is sealed.
const Prefix = "signalbox-sealed-1."

// ErrDamaged is what was sealed and was changed since: no key opens it any more.
var ErrDamaged = errors.New("the sealed value is damaged")

// ErrNoKey is what was sealed by a key that is not configured.
var ErrNoKey = errors.New("the key that sealed it is not configured")

// lockedError is a secret that does not open now.
type lockedError struct{ error }

// Unwrap gives the reason.
func (e lockedError) Unwrap() error { return e.error }

// Locked says that an error of Open or ReadFile is of a secret that may open with another key or at another time: whoever
// gets one changes and makes nothing.
func Locked(err error) bool {
	var l lockedError
	return errors.As(err, &l)
}

// Open opens what was kept of a secret; its error is ErrDamaged, or Locked.
func Open(s Sealer, kept []byte, what string) (plain []byte, current bool, err error) {
	plain, current, err = s.Open(kept, what)
	if err != nil && !errors.Is(err, ErrDamaged) {
		err = lockedError{err}
	}
	return plain, current, err
}

// Sealer seals and opens. what names the secret: what was sealed under one name opens under no other.
type Sealer interface {
	// Seal answers what is to be kept of a secret: the secret itself where there is no key.
	Seal(plain []byte, what string) ([]byte, error)
	// Open answers the secret of what was kept, sealed or not, and whether Seal would keep it like that today.
	Open(kept []byte, what string) (plain []byte, current bool, err error)
}

// Is says whether something is sealed.
func Is(kept []byte) bool { return bytes.HasPrefix(kept, []byte(Prefix)) }

// Plain is where no key is configured: everything is kept as it is, and what is sealed does not open.
type Plain struct{}

// Seal implements Sealer.
func (Plain) Seal(plain []byte, _ string) ([]byte, error) { return plain, nil }

// Open implements Sealer.
func (Plain) Open(kept []byte, what string) ([]byte, bool, error) {
	if Is(kept) {
		return nil, false, fmt.Errorf("%s: %w, nor is any: name it in seal.keys", what, ErrNoKey)
	}
	return kept, true, nil
}

// ReadFile is the secret in a file. behind says why the file could not be written as it is to be kept; the
// secret is good all the same.
func ReadFile(path string, most int64, s Sealer, what string) (plain []byte, behind, err error) {
	const overhead = 4096 // of sealing, beside base64
	kept, err := atomicfile.ReadAtMost(path, 2*most+overhead)
	if err != nil {
		return nil, nil, err
	}
	plain, current, err := Open(s, kept, what)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if int64(len(plain)) > most {
		return nil, nil, fmt.Errorf("%s: %w: it is longer than %d bytes", path, ErrDamaged, most)
	}
	if !current {
		behind = WriteFile(path, plain, s, what)
	}
	return plain, behind, nil
}

// WriteFile keeps a secret.
func WriteFile(path string, plain []byte, s Sealer, what string) error {
	kept, err := s.Seal(plain, what)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.WriteBytes(path, 0o600, kept)
}
