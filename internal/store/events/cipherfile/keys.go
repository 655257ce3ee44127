package cipherfile

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile/roll"
	"github.com/signalbox-project/signalbox/internal/seal"
)

// ErrDamaged is the error of a file whose checksums or structure do not hold, and of one that was changed since it was encrypted.
var ErrDamaged = errors.New("file is damaged")

// ErrCutOff is ErrDamaged of a file that ends within its header: it never held more.
var ErrCutOff = fmt.Errorf("%w: it ends within its header", ErrDamaged)

const (
	magic    = "SBENC\x00\x01\n"
	headSize = len(magic) + 8
	keySize  = 32
	// maxSealed bounds the sealed key: key services choose how long theirs is.
	maxSealed = 64 << 10
	// cached is how many packages are kept open, 16 MiB: searches read a few bytes here and there.
	cached = 256
)

// Keys opens files, and makes them as is configured. A nil *Keys makes plain files and opens no others.
type Keys struct {
	sealer  seal.Sealer
	encrypt bool
	chunks  *lru.Cache[chunk, []byte]
}

// New opens what the sealer opens; encrypt says how files are made.
func New(sealer seal.Sealer, encrypt bool) (*Keys, error) {
	chunks, err := lru.New[chunk, []byte](cached)
	k := &Keys{sealer: sealer, encrypt: encrypt, chunks: chunks}
	if err == nil {
		_, _, err = k.begin("") // a key that cannot seal is found now, not when something is to be kept
	}
	return k, err
}

// Encrypts says whether files are made encrypted.
func (k *Keys) Encrypts() bool { return k != nil && k.encrypt }

// Kept is how a file stands on the disk.
type Kept struct {
	Encrypted bool
	// Current says that it is kept as it would be made today: plain, or by the first of the keys.
	Current bool
}

// And is how two files stand there together.
func (k Kept) And(o Kept) Kept {
	return Kept{Encrypted: k.Encrypted && o.Encrypted, Current: k.Current && o.Current}
}

// header is what stands before the body of an encrypted file.
type header struct {
	kept Kept
	key  []byte
	size int64 // 0: the file is plain
}

// begin makes a header with a new key; without one the file is to be plain. name is that of the file, without folders.
func (k *Keys) begin(name string) (head, key []byte, err error) {
	if !k.Encrypts() {
		return nil, nil, nil
	}
	key = make([]byte, keySize)
	_, _ = rand.Read(key) // never fails
	sealed, err := k.sealer.Seal(key, what(name))
	if err != nil {
		return nil, nil, fmt.Errorf("seal the key of %s: %w", name, err)
	}
	if !seal.Is(sealed) {
		return nil, nil, errors.New("no key seals: name one in seal.keys, without seal.undo")
	}
	head = append(head, magic...)
	head = binary.LittleEndian.AppendUint32(head, uint32(len(sealed)))
	head = binary.LittleEndian.AppendUint32(head, roll.Sum(sealed))
	return append(head, sealed...), key, nil
}

// what names a file's key to the Sealer: what was sealed for one file opens no other.
func what(name string) string { return "event file " + name }

// read reads the header of a file, if it has one; name is that which it was made under.
func (k *Keys) read(f io.ReaderAt, name string) (header, error) {
	fixed := make([]byte, headSize)
	n, err := f.ReadAt(fixed, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return header{}, err
	}
	if n < len(magic) || string(fixed[:len(magic)]) != magic {
		return header{kept: Kept{Current: !k.Encrypts()}}, nil
	}
	length := binary.LittleEndian.Uint32(fixed[len(magic):])
	switch {
	case n < headSize:
		return header{}, ErrCutOff
	case length > maxSealed:
		return header{}, fmt.Errorf("%w: its header", ErrDamaged)
	}
	sealed := make([]byte, length)
	if n, err := f.ReadAt(sealed, int64(headSize)); n < len(sealed) {
		if errors.Is(err, io.EOF) {
			err = ErrCutOff
		}
		return header{}, err
	}
	if roll.Sum(sealed) != binary.LittleEndian.Uint32(fixed[len(magic)+4:]) {
		return header{}, fmt.Errorf("%w: the checksum of its header", ErrDamaged)
	}
	key, current, err := k.unseal(sealed, name)
	if err != nil {
		return header{}, err
	}
	return header{kept: Kept{Encrypted: true, Current: current && k.Encrypts()}, key: key, size: int64(headSize) + int64(length)}, nil
}

func (k *Keys) unseal(sealed []byte, name string) (key []byte, current bool, err error) {
	var sealer seal.Sealer = seal.Plain{}
	if k != nil {
		sealer = k.sealer
	}
	key, current, err = seal.Open(sealer, sealed, what(name))
	switch {
	case errors.Is(err, seal.ErrDamaged):
		return nil, false, fmt.Errorf("%w: %w", ErrDamaged, err)
	case err == nil && len(key) != keySize:
		return nil, false, fmt.Errorf("%w: a key of %d bytes", ErrDamaged, len(key))
	}
	return key, current, err
}

// Check says how a file is kept, and whether its key is there: its error is ErrDamaged, seal.Locked, or that of opening it.
func (k *Keys) Check(path string) (Kept, error) {
	f, err := os.Open(path)
	if err != nil {
		return Kept{}, err
	}
	defer f.Close()
	h, err := k.read(f, filepath.Base(path))
	return h.kept, err
}
