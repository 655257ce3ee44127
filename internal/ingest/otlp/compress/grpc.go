package compress

import (
	"io"
	"sync"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/gzip" // senders compress with gzip by default
)

// RegisterGRPC makes gRPC read and write zstd and snappy, besides gzip. gRPC
// keeps compressors in a table of the process; registering again changes nothing.
func RegisterGRPC() { registerOnce() }

var registerOnce = sync.OnceFunc(func() {
	encoding.RegisterCompressor(zstdCompressor{})
	encoding.RegisterCompressor(snappyCompressor{})
})

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

// closing frees a decoder once it is read to its end, since gRPC never closes one.
type closing struct{ z *zstd.Decoder }

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
