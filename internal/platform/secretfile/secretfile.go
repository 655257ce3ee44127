// Package secretfile reads secrets from files, so that none stands in a
// configuration or a process list.
//
// It reads and redacts only; whoever uses a secret compares or sends it. In: a
// path. Out: a Secret, which prints as "<secret>" wherever it is formatted,
// logged or encoded.
//
// Invariant: no method but Bytes and Text gives the secret away. A file is read at every use, so
// that a rotated secret counts at once. Start reading at Read.
package secretfile

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
)

const (
	redacted = "<secret>"
	maxBytes = 64 << 10
)

// Secret is a secret that does not show itself.
type Secret struct{ value []byte }

// Read is the secret that file holds, without white space around it. An empty file is
// an error.
func Read(file string) (Secret, error) {
	f, err := os.Open(file)
	if err != nil {
		return Secret{}, fmt.Errorf("read secret: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return Secret{}, fmt.Errorf("read secret: %w", err)
	}
	if len(b) > maxBytes {
		return Secret{}, fmt.Errorf("read secret %s: more than %d bytes", file, maxBytes)
	}
	if b = bytes.TrimSpace(b); len(b) == 0 {
		return Secret{}, errors.New("read secret " + file + ": the file is empty")
	}
	return Secret{value: b}, nil
}

// Of makes a secret of a value that was obtained at run time.
func Of(value string) Secret { return Secret{value: []byte(value)} }

// Bytes is the secret itself.
func (s Secret) Bytes() []byte { return s.value }

// Text is the secret itself.
func (s Secret) Text() string { return string(s.value) }

// Equal compares without telling by its time how much agrees.
func (s Secret) Equal(given string) bool {
	return len(s.value) > 0 && subtle.ConstantTimeCompare(s.value, []byte(given)) == 1
}

// String implements fmt.Stringer.
func (s Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return redacted }

// Format implements fmt.Formatter: no verb shows the secret.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, for JSON and YAML too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
