// Package sealtest has sealers for tests of what is kept sealed. They hide nothing.
//
// In: names of keys. Out: a seal.Sealer that keeps what the real one promises: what one name sealed opens under no other, what
// a former key sealed opens and is not current, and what a key is missing for is locked, not damaged. Start reading at Keys.
package sealtest

import (
	"bytes"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/seal"
)

// Keys seals by writing the name of the first key, and of the secret, before it, and opens what any of them sealed.
type Keys []string

func prefix(key, what string) []byte { return []byte(seal.Prefix + key + "|" + what + "|") }

// Seal implements seal.Sealer.
func (k Keys) Seal(plain []byte, what string) ([]byte, error) {
	return append(prefix(k[0], what), plain...), nil
}

// Open implements seal.Sealer.
func (k Keys) Open(kept []byte, what string) (plain []byte, current bool, err error) {
	if !seal.Is(kept) {
		return kept, false, nil
	}
	for i, key := range k {
		if plain, ok := bytes.CutPrefix(kept, prefix(key, what)); ok {
			return plain, i == 0, nil
		}
		if bytes.HasPrefix(kept, []byte(seal.Prefix+key+"|")) {
			return nil, false, fmt.Errorf("%s: %w", what, seal.ErrDamaged)
		}
	}
	return nil, false, fmt.Errorf("%s: %w: name it in seal.keys", what, seal.ErrNoKey)
}
