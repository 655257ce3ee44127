package cipherfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/minio/sio"
)

// packageSize is the content of one of DARE's packages, which open one by one.
const (
	packageSize = 64 << 10
	overhead    = 16 + 16 // a package's header and tag
)

func dare(key []byte) sio.Config {
	return sio.Config{MinVersion: sio.Version20, MaxVersion: sio.Version20, CipherSuites: []byte{sio.AES_256_GCM}, Key: key}
}

// Make is what is to stand in the file of that name, without folders, for its content.
func (k *Keys) Make(name string, content []byte) ([]byte, error) {
	head, key, err := k.begin(name)
	if err != nil || head == nil {
		return content, err
	}
	size, err := sio.EncryptedSize(uint64(len(content)))
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, uint64(len(head))+size))
	out.Write(head)
	if _, err := sio.Encrypt(out, bytes.NewReader(content), dare(key)); err != nil {
		return nil, fmt.Errorf("encrypt %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// ReadFile is the whole content of a file.
func (k *Keys) ReadFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	h, err := k.read(bytes.NewReader(data), filepath.Base(path))
	if err != nil || !h.kept.Encrypted {
		return data, inFile(path, err)
	}
	body := data[h.size:]
	size, err := contentSize(int64(len(body)))
	if err != nil {
		return nil, inFile(path, err)
	}
	content, err := sio.DecryptBuffer(make([]byte, 0, size), body, dare(h.key))
	return content, inFile(path, damage(err))
}

// contentSize is the size of what is in a body of that size.
func contentSize(body int64) (int64, error) {
	size, err := sio.DecryptedSize(uint64(body))
	if err != nil || size == 0 { // no file of the store is empty
		return 0, fmt.Errorf("%w: it is cut off", ErrDamaged)
	}
	return int64(size), nil
}

func inFile(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", path, err)
}

// damage marks what sio says of a body that is not as it was written.
func damage(err error) error {
	var says sio.Error
	if errors.As(err, &says) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// File is an open file, read by the range. It is safe for concurrent use.
type File struct {
	Kept Kept

	f    *os.File
	keys *Keys
	head header
	size int64
}

// Open opens a file.
func (k *Keys) Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	file, err := k.of(f, filepath.Base(path))
	if err != nil {
		return nil, errors.Join(inFile(path, err), f.Close())
	}
	return file, nil
}

func (k *Keys) of(f *os.File, name string) (*File, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: f.Name(), Err: errors.New("is a folder")}
	}
	h, err := k.read(f, name)
	if err != nil {
		return nil, err
	}
	file := &File{Kept: h.kept, f: f, keys: k, head: h, size: st.Size()}
	if h.kept.Encrypted {
		file.size, err = contentSize(st.Size() - h.size)
	}
	return file, err
}

// Size is the size of the content.
func (f *File) Size() int64 { return f.size }

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }

// chunk is a package of an open file.
type chunk struct {
	of     *File
	number int64
}

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (n int, err error) {
	if !f.Kept.Encrypted {
		return f.f.ReadAt(p, off)
	}
	if off < 0 {
		return 0, &fs.PathError{Op: "read", Path: f.f.Name(), Err: fs.ErrInvalid}
	}
	for n < len(p) && off < f.size {
		content, err := f.chunk(off / packageSize)
		if err != nil {
			return n, err
		}
		done := copy(p[n:], content[off%packageSize:])
		n, off = n+done, off+int64(done)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// chunk is the content of one package; it is shared and never changed.
func (f *File) chunk(number int64) ([]byte, error) {
	at := chunk{f, number}
	if content, ok := f.keys.chunks.Get(at); ok {
		return content, nil
	}
	content := make([]byte, min(packageSize, f.size-number*packageSize))
	cfg := dare(f.head.key)
	cfg.SequenceNumber = uint32(number)
	// DecryptReaderAt would open the package before as well.
	r, err := sio.DecryptReader(io.NewSectionReader(f.f, f.head.size+number*(packageSize+overhead), packageSize+overhead), cfg)
	if err == nil {
		_, err = io.ReadFull(r, content)
	}
	if end := (number+1)*packageSize >= f.size; err == nil && end {
		if _, err = r.Read(make([]byte, 1)); errors.Is(err, io.EOF) { // any other says that the end of the file was cut off
			err = nil
		}
	}
	if err != nil {
		return nil, inFile(f.f.Name(), damage(err))
	}
	f.keys.chunks.Add(at, content)
	return content, nil
}
