// Package mirror keeps a small file twice, so that damage of either is found and repaired.
//
// Beside the file, whose format belongs to whoever reads it, stands a copy with a checksum. It decides nothing
// about what the content means. In: whole contents. Out: the content that was saved last, and a
// Finding when it did not lie on the disk as it was saved.
//
// Invariants: after Save returned nil both are on the disk; a crash within it leaves the content of
// before or the new one, and no Finding. What cannot be used is set aside, never deleted. A File is safe
// for concurrent use as long as Save is called by one at a time.
//
// Start reading at File.
package mirror

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

// CopyExt ends the copy's name.
const CopyExt = ".copy"

// The copy ends with a trailer: the mark, the content's SHA-256 and that of the content before,
// each in hex and after a space, and a line end.
const (
	mark        = "\nsignalbox-copy-1"
	trailerSize = len(mark) + 2*(1+2*sha256.Size) + 1
)

// File is a file that is kept twice.
type File struct {
	Path string
	Perm fs.FileMode
}

// Finding is what was wrong with a file when it was loaded.
type Finding struct {
	// Lost: neither the file nor its copy could be used, and there was one of them.
	Lost bool
	// Aside is where what could not be used is kept; "" when the file was just missing.
	Aside string
	Cause error
}

// Save replaces the content.
func (f File) Save(write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return fmt.Errorf("write %s: %w", f.Path, err)
	}
	before, err := f.readCopy()
	if err != nil {
		before = [sha256.Size]byte{}
	}
	content := b.Bytes()
	if err := f.saveCopy(content, before); err != nil {
		return err
	}
	return atomicfile.WriteBytes(f.Path, f.Perm, content)
}

func (f File) saveCopy(content []byte, before [sha256.Size]byte) error {
	return atomicfile.Write(f.Path+CopyExt, f.Perm, func(w io.Writer) error {
		sum := sha256.Sum256(content)
		_, err := w.Write(content)
		if err == nil {
			_, err = fmt.Fprintf(w, "%s %x %x\n", mark, sum, before)
		}
		return err
	})
}

// maxBytes is more than silences, alerts or notifications take: a larger file was damaged.
const maxBytes = 256 << 20

// Load answers the content saved last, nil when there was none. check says whether a content can
// be used; it judges the file where the copy cannot. The error is one that leaves nothing to do: a disk that
// cannot be read.
func (f File) Load(now time.Time, check func([]byte) error) (content []byte, found *Finding, err error) {
	atomicfile.Clean(f.Path)
	atomicfile.Clean(f.Path + CopyExt)
	own, ownErr := atomicfile.ReadAtMost(f.Path, maxBytes)
	text, copyErr := atomicfile.ReadAtMost(f.Path+CopyExt, maxBytes)
	var before [sha256.Size]byte
	if copyErr == nil {
		text, before, copyErr = parse(text)
	}
	if copyErr == nil {
		copyErr = check(text)
	}
	missing := errors.Is(ownErr, fs.ErrNotExist)
	switch {
	case copyErr == nil && ownErr == nil && bytes.Equal(own, text):
		return own, nil, nil
	case copyErr == nil && ownErr == nil && sha256.Sum256(own) == before:
		f.restore(text) // a crash came between the copy and the file
		return text, nil, nil
	case copyErr == nil && missing && before == [sha256.Size]byte{}:
		f.restore(text) // the same, at the first save
		return text, nil, nil
	case copyErr == nil:
		found = &Finding{Cause: cause(ownErr, errors.New("it is not what was saved last"))}
		if !missing {
			if found.Aside, err = atomicfile.SetAside(f.Path, now); err != nil {
				return text, found, err
			}
		}
		f.restore(text)
		return text, found, nil
	case missing && errors.Is(copyErr, fs.ErrNotExist):
		return nil, nil, nil
	}
	return f.withoutCopy(now, own, ownErr, copyErr, check)
}

// restore writes the file from its copy. A disk without room keeps the difference, and the next
// start finds it again.
func (f File) restore(content []byte) {
	_ = atomicfile.WriteBytes(f.Path, f.Perm, content)
}

// withoutCopy judges the file alone: the copy is missing or damaged.
func (f File) withoutCopy(now time.Time, own []byte, ownErr, copyErr error, check func([]byte) error) ([]byte, *Finding, error) {
	usable := ownErr
	if usable == nil {
		usable = check(own)
	}
	found := &Finding{Lost: usable != nil, Cause: cause(usable, copyErr)}
	if usable == nil && errors.Is(copyErr, fs.ErrNotExist) {
		found = nil // of a release that kept none
	}
	for _, bad := range []struct {
		path string
		err  error
	}{{f.Path + CopyExt, copyErr}, {f.Path, usable}} {
		if bad.err == nil || errors.Is(bad.err, fs.ErrNotExist) {
			continue
		}
		aside, err := atomicfile.SetAside(bad.path, now)
		if err != nil {
			return nil, found, err
		}
		found.Aside = aside
	}
	if usable != nil {
		return nil, found, nil //nolint:nilerr // what is lost is in the finding
	}
	_ = f.saveCopy(own, [sha256.Size]byte{}) // the next save makes it where this one cannot
	return own, found, nil
}

func cause(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (f File) readCopy() (sum [sha256.Size]byte, err error) {
	text, err := atomicfile.ReadAtMost(f.Path+CopyExt, maxBytes)
	if err != nil {
		return sum, err
	}
	content, _, err := parse(text)
	return sha256.Sum256(content), err
}

// parse takes a copy apart.
func parse(text []byte) (content []byte, before [sha256.Size]byte, err error) {
	bad := errors.New("the copy's end is damaged")
	if len(text) < trailerSize {
		return nil, before, bad
	}
	content, trailer := text[:len(text)-trailerSize], text[len(text)-trailerSize:]
	fields := bytes.Split(bytes.TrimSuffix(trailer, []byte("\n")), []byte(" "))
	if len(fields) != 3 || string(fields[0]) != mark || len(fields[1]) != 2*sha256.Size || len(fields[2]) != 2*sha256.Size {
		return nil, before, bad
	}
	var sum [sha256.Size]byte
	if _, err := hex.Decode(sum[:], fields[1]); err != nil {
		return nil, before, bad
	}
	if _, err := hex.Decode(before[:], fields[2]); err != nil {
		return nil, before, bad
	}
	if sum != sha256.Sum256(content) {
		return nil, before, errors.New("the copy's checksum does not fit")
	}
	return content, before, nil
}
