package cipherfile

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
)

// Key seals and opens the records of one file that grows. A nil *Key leaves them as they are.
type Key struct {
	// Kept is how they are kept.
	Kept Kept
	aead cipher.AEAD
}

// Begin is what a file of records begins with, and the key for them. name is the file's, without folders.
func (k *Keys) Begin(name string) (head []byte, key *Key, err error) {
	head, raw, err := k.begin(name)
	if err != nil || head == nil {
		return nil, nil, err
	}
	key, err = newKey(raw, Kept{Encrypted: true, Current: true})
	return head, key, err
}

// Records reads the header of a file of records, given whole: how long it is, and the key for what follows.
func (k *Keys) Records(data []byte, name string) (size int, key *Key, err error) {
	h, err := k.read(bytes.NewReader(data), name)
	if err != nil || !h.kept.Encrypted {
		return 0, nil, err
	}
	key, err = newKey(h.key, h.kept)
	return int(h.size), key, err
}

func newKey(raw []byte, kept Kept) (*Key, error) {
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &Key{Kept: kept, aead: aead}, err
}

// Overhead is how much longer a sealed record is.
func (k *Key) Overhead() int {
	if k == nil {
		return 0
	}
	return k.aead.Overhead()
}

// Seal appends a record to dst as it is to be kept.
func (k *Key) Seal(dst, record []byte) []byte {
	if k == nil {
		return append(dst, record...)
	}
	return k.aead.Seal(dst, nil, record, nil)
}

// Open is the record of what Seal made.
func (k *Key) Open(kept []byte) ([]byte, error) {
	if k == nil {
		return kept, nil
	}
	record, err := k.aead.Open(nil, nil, kept, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: a record does not open by the file's key", ErrDamaged)
	}
	return record, nil
}
