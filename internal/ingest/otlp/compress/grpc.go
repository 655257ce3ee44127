package compress

import (
	"bytes"
	"crypto/rand"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/gzip" // senders compress with gzip by default
)

// RegisterGRPC makes gRPC read and write zstd and snappy, besides gzip, few messages at once. gRPC
// keeps compressors in a table of the process; registering again changes nothing.
func RegisterGRPC() { registerOnce() }

var registerOnce = sync.OnceFunc(func() {
	for _, c := range []encoding.Compressor{encoding.GetCompressor(gzip.Name), zstdCompressor{}, snappyCompressor{}} {
		encoding.RegisterCompressor(few{c, doors})
	}
})

// doors are where all messages of gRPC in this process become large. gRPC opens a message before it asks anybody, so that without them each
// that it reads could stand in memory in full at once.
var doors = newGate(2*runtime.GOMAXPROCS(0), time.Second)

// gate lets few messages be decompressed at once, and none while there is no room for what comes out.
type gate struct {
	places   chan struct{}
	patience time.Duration
	full     atomic.Pointer[func() bool]
}

func newGate(places int, patience time.Duration) *gate {
	return &gate{places: make(chan struct{}, places), patience: patience}
}

// CloseWhile has messages of gRPC refused, before they are decompressed, while full says so. There is one such bound in a process: the last.
func CloseWhile(full func() bool) { doors.full.Store(&full) }

// refused stands for a message that was not decompressed. It is a secret of the process, so that nobody sends it.
var refused = sync.OnceValue(func() []byte {
	out := make([]byte, 32)
	_, _ = rand.Read(out)
	return out
})

// Refused reports whether a message stands for one for which there was no room. gRPC knows no error of a decompressor but an internal one,
// which tells senders to throw away what they have.
func Refused(message []byte) bool { return bytes.Equal(message, refused()) }

// enter waits for a place; false if none came free in time, or there is no room.
func (g *gate) enter() bool {
	if full := g.full.Load(); full != nil && (*full)() {
		return false
	}
	select {
	case g.places <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(g.patience)
	defer timer.Stop()
	select {
	case g.places <- struct{}{}:
	case <-timer.C:
		return false
	}
	if full := g.full.Load(); full != nil && (*full)() {
		<-g.places
		return false
	}
	return true
}

// few is a compressor behind a gate.
type few struct {
	encoding.Compressor
	gate *gate
}

// Decompress implements encoding.Compressor.
func (f few) Decompress(r io.Reader) (io.Reader, error) {
	if !f.gate.enter() {
		return bytes.NewReader(refused()), nil
	}
	leave := sync.OnceFunc(func() { <-f.gate.places })
	out, err := f.Compressor.Decompress(r)
	if err != nil {
		leave()
		return nil, err
	}
	return &passing{out, leave}, nil
}

// passing gives its place back at its end, or when gRPC closes it since it is too large or broken.
type passing struct {
	io.Reader
	leave func()
}

// Read implements io.Reader.
func (p *passing) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	if err != nil {
		p.leave()
	}
	return n, err
}

// Close implements io.Closer, which gRPC looks for.
func (p *passing) Close() error {
	p.leave()
	if c, ok := p.Reader.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

type zstdCompressor struct{}

func (zstdCompressor) Name() string { return "zstd" }

func (zstdCompressor) Compress(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
}

func (zstdCompressor) Decompress(r io.Reader) (io.Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return &closing{z}, nil
}

// closing frees a decoder once it is read to its end, or closed.
type closing struct{ z *zstd.Decoder }

// Close implements io.Closer.
func (c *closing) Close() error {
	c.z.Close()
	return nil
}

func (c *closing) Read(p []byte) (int, error) {
	n, err := c.z.Read(p)
	if err != nil {
		c.z.Close()
	}
	return n, err
}

type snappyCompressor struct{}

func (snappyCompressor) Name() string { return "snappy" }

func (snappyCompressor) Compress(w io.Writer) (io.WriteCloser, error) {
	return snappy.NewBufferedWriter(w), nil
}

func (snappyCompressor) Decompress(r io.Reader) (io.Reader, error) { return snappy.NewReader(r), nil }
