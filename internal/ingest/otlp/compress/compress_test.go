package compress

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"google.golang.org/grpc/encoding"
)

var text = []byte(strings.Repeat("telemetry ", 1000))

func packed(t testing.TB, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func bodies(t testing.TB) map[string][]byte {
	framed := packed(t, func(w io.Writer) (io.WriteCloser, error) { return snappy.NewBufferedWriter(w), nil })
	z := packed(t, func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil })
	g := packed(t, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	return map[string][]byte{
		"": text, "identity": text, "gzip": g, "X-GZIP": g,
		"zstd": packed(t, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }),
		"zlib": z, "deflate": z, " deflate": packed(t, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 6) }),
		"snappy": framed, "x-snappy-framed": framed, " snappy": snappy.Encode(nil, text),
		"lz4": packed(t, func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil }),
	}
}

func TestEveryEncodingOfTheCollectorIsRead(t *testing.T) {
	for encoding, body := range bodies(t) {
		r, err := Reader(bytes.NewReader(body), encoding, 1<<20)
		if err != nil {
			t.Errorf("%q: %v", encoding, err)
			continue
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%q: %d bytes, %v", encoding, len(got), err)
		}
		_ = r.Close()
	}
	twice := packed(t, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(twice)
	_ = z.Close()
	r, err := Reader(&b, "gzip, zlib", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, text) {
		t.Errorf("gzip within zlib: %d bytes, %v", len(got), err)
	}
}

func TestWhatIsNotReadIsNamed(t *testing.T) {
	if _, err := Reader(bytes.NewReader(text), "br", 1<<20); !errors.Is(err, ErrUnknown) {
		t.Errorf("br: %v", err)
	}
	if _, err := Reader(bytes.NewReader(text), "gzip,gzip,gzip,gzip", 1<<20); !errors.Is(err, ErrUnknown) {
		t.Errorf("four times: %v", err)
	}
	for _, encoding := range []string{"gzip", "zlib", "snappy"} {
		if _, err := Reader(strings.NewReader("no such thing"), encoding, 1<<20); err == nil {
			t.Errorf("%s took rubbish", encoding)
		}
	}
	if _, err := Reader(bytes.NewReader(snappy.Encode(nil, text)), "snappy", 100); !errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		t.Errorf("a block of %d bytes under a limit of 100: %v", len(text), err)
	}
}

func TestGRPCReadsWhatItWrites(t *testing.T) {
	RegisterGRPC()
	RegisterGRPC()
	for _, name := range []string{"gzip", "zstd", "snappy"} {
		c := encoding.GetCompressor(name)
		if c == nil {
			t.Errorf("%s is not registered", name)
			continue
		}
		r, err := c.Decompress(bytes.NewReader(packed(t, c.Compress)))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

func FuzzReader(f *testing.F) {
	for encoding, body := range bodies(f) {
		f.Add(encoding, body)
	}
	f.Fuzz(func(_ *testing.T, encoding string, body []byte) {
		r, err := Reader(bytes.NewReader(body), encoding, 1<<16)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(r, 1<<16))
		_ = r.Close()
	})
}
