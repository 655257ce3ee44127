// Package bin writes and reads the small binary forms of the event store: the .idx file's
// metadata and the write-ahead log's batches.
//
// It knows nothing of what they hold. A Reader never panics, and counts in damaged input
// cannot make it allocate more than a few bytes for each byte of it: after the first error it
// gives zero values, and Err tells. Integers are varints (zig-zag where signed), texts are length-prefixed.
package bin

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// ErrShort is the error of input that ends too early or counts too much.
var ErrShort = errors.New("input is too short")

// AppendText appends a length and s.
func AppendText(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// AppendTexts appends a count and texts.
func AppendTexts(dst []byte, list []string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = AppendText(dst, s)
	}
	return dst
}

// Alias is b as a text without a copy: b must not change as long as the text is used.
func Alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Reader reads what was appended. Texts alias the input.
type Reader struct {
	b   []byte
	err error
}

// NewReader reads b, which MUST NOT be changed as long as texts of it are used.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Err is the first error, or one that says that bytes are left over.
func (r *Reader) Err() error {
	if r.err == nil && len(r.b) > 0 {
		return fmt.Errorf("%d bytes left over", len(r.b))
	}
	return r.err
}

// OK reports whether all is well so far.
func (r *Reader) OK() bool { return r.err == nil }

func (r *Reader) fail() {
	if r.err == nil {
		r.err = ErrShort
	}
	r.b = nil
}

// Uint is an unsigned varint.
func (r *Reader) Uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Int is a signed varint.
func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Byte is one byte.
func (r *Reader) Byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

// Fixed fills dst.
func (r *Reader) Fixed(dst []byte) {
	if len(r.b) < len(dst) {
		r.fail()
		return
	}
	copy(dst, r.b)
	r.b = r.b[len(dst):]
}

// Count is a number of things that take at least size bytes each.
func (r *Reader) Count(size int) int {
	n := r.Uint()
	if n > uint64(len(r.b)/max(size, 1)) {
		r.fail()
		return 0
	}
	return int(n)
}

// Text is a text; it aliases the input.
func (r *Reader) Text() string {
	n := r.Count(1)
	if n == 0 {
		return ""
	}
	s := unsafe.String(&r.b[0], n)
	r.b = r.b[n:]
	return s
}

// Texts is a list of texts, copied out of the input.
func (r *Reader) Texts() []string {
	n := r.Count(1)
	if n == 0 {
		return nil
	}
	out := make([]string, n)
	for i := range out {
		out[i] = string([]byte(r.Text()))
	}
	return out
}
