// Package compress reads the encodings that the OpenTelemetry Collector's
// receiver reads: over HTTP gzip, zstd, zlib, deflate, snappy and lz4, over gRPC gzip,
// zstd and snappy.
//
// It bounds what comes out of an encoding that another one is below, and zstd's window. What comes out at the end its reader bounds.
//
// In: a body and its Content-Encoding. Out: a reader of what it holds.
package compress

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// ErrUnknown is an encoding that is not read here.
var ErrUnknown = errors.New("send gzip, zstd, zlib, deflate, snappy, lz4 or none")

// maxWindow bounds the memory of a zstd reader, bytes.
const maxWindow = 8 << 20

// Reader opens a body by its Content-Encoding; several encodings are undone in
// the opposite order. limit bounds what zstd may announce and what comes out of each but the last, bytes. Close ends the
// reader and not the body.
func Reader(body io.Reader, encoding string, limit int) (io.ReadCloser, error) {
	names := strings.Split(encoding, ",")
	if len(names) > 3 {
		return nil, fmt.Errorf("%d encodings on top of each other: %w", len(names), ErrUnknown)
	}
	out := io.NopCloser(body)
	for i := len(names) - 1; i >= 0; i-- {
		inner, err := open(out, strings.ToLower(strings.TrimSpace(names[i])), limit)
		if err != nil {
			return nil, errors.Join(err, out.Close())
		}
		out = inner
		if i > 0 {
			out = &bounded{ReadCloser: inner, left: int64(limit)}
		}
	}
	return out, nil
}

// ErrTooLarge is a body that becomes more than it may.
var ErrTooLarge = zstd.ErrDecoderSizeExceeded

// bounded ends a stream that another is read from. Without it a megabyte in three layers keeps a core busy with a
// terabyte, of which nothing has to come out at the end.
type bounded struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}

func open(body io.ReadCloser, encoding string, limit int) (io.ReadCloser, error) {
	switch encoding {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, fmt.Errorf("the body is not gzip: %w", err)
		}
		return z, nil
	case "zstd":
		z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(limit)), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, fmt.Errorf("the body is not zstd: %w", err)
		}
		return z.IOReadCloser(), nil
	case "zlib", "deflate":
		return openDeflate(body, encoding)
	case "snappy", "x-snappy-framed":
		return openSnappy(body, limit)
	case "lz4":
		return io.NopCloser(lz4.NewReader(body)), nil
	}
	return nil, fmt.Errorf("content encoding %q is not supported: %w", encoding, ErrUnknown)
}

// openDeflate reads the zlib format, which HTTP calls deflate, and the bare one, which
// some senders take it for.
func openDeflate(body io.Reader, encoding string) (io.ReadCloser, error) {
	b := bufio.NewReader(body)
	head, err := b.Peek(2)
	if err == nil && encoding == "deflate" && (head[0]&0x0f != 8 || (int(head[0])<<8|int(head[1]))%31 != 0) {
		return flate.NewReader(b), nil
	}
	z, err := zlib.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("the body is not %s: %w", encoding, err)
	}
	return z, nil
}

// openSnappy reads the framed format and, as remote write has it, one block.
func openSnappy(body io.Reader, limit int) (io.ReadCloser, error) {
	b := bufio.NewReader(body)
	if head, err := b.Peek(len(snappyMagic)); err == nil && string(head) == snappyMagic {
		return io.NopCloser(snappy.NewReader(b)), nil
	}
	block, err := io.ReadAll(io.LimitReader(b, int64(snappy.MaxEncodedLen(limit))+1))
	if err != nil {
		return nil, fmt.Errorf("read the body: %w", err)
	}
	n, err := snappy.DecodedLen(block)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the body is not snappy: %w", err)
	case n > limit:
		return nil, ErrTooLarge
	}
	text, err := snappy.Decode(nil, block)
	if err != nil {
		return nil, fmt.Errorf("the body is not snappy: %w", err)
	}
	return io.NopCloser(bytes.NewReader(text)), nil
}

const snappyMagic = "\xff\x06\x00\x00sNaPpY"
