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
	"testing/iotest"
	"testing/synctest"
	"time"

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

// A stream in a stream in a stream, each of a thousand times the size of the one before, has nothing at its end; what is between costs
// no more than the limit.
func TestLayersThatHoldNothingAreBounded(t *testing.T) {
	const limit = 64 << 10
	var empty bytes.Buffer
	for w := gzip.NewWriter(&empty); empty.Len() < 1<<20; w.Reset(&empty) { // members without a byte each
		_ = w.Close()
	}
	layer := func(b []byte) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = w.Write(b)
		_ = w.Close()
		return out.Bytes()
	}
	for encoding, body := range map[string][]byte{"gzip, gzip": layer(empty.Bytes()), "gzip, gzip, gzip": layer(layer(empty.Bytes()))} {
		r, err := Reader(bytes.NewReader(body), encoding, limit)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); !errors.Is(err, ErrTooLarge) || n != 0 {
			t.Errorf("%s: %d bytes, %v", encoding, n, err)
		}
		_ = r.Close()
	}
}

// endless is a stream that never ends, as what a bomb becomes.
type endless struct{}

func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// However much a body becomes, its reader takes what it wants and no more is made of it: neither memory nor time.
func TestBombsAreReadPieceByPiece(t *testing.T) {
	const limit = 16 << 10
	for encoding, open := range map[string]func(io.Writer) (io.WriteCloser, error){
		"gzip":    func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"zlib":    func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil },
		"deflate": func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 6) },
		"zstd":    func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
		"snappy":  func(w io.Writer) (io.WriteCloser, error) { return snappy.NewBufferedWriter(w), nil },
		"lz4":     func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil },
	} {
		from, to := io.Pipe()
		written := make(chan int64, 1)
		go func() {
			w, err := open(to)
			if err != nil {
				panic(err)
			}
			n, _ := io.Copy(w, endless{}) // until nobody reads any more
			written <- n
		}()
		r, err := Reader(from, encoding, limit)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, limit+1))
		_ = from.Close()
		if made := <-written; made > 1<<28 {
			t.Errorf("%s: %d bytes were taken of the body", encoding, made)
		}
		if n != limit+1 && !errors.Is(err, ErrTooLarge) && !errors.Is(err, zstd.ErrWindowSizeExceeded) {
			t.Errorf("%s: %d bytes, %v", encoding, n, err)
		}
		_ = r.Close()
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

// However many messages arrive, few become large at once; who finds no place, or no room, is told so and not that the message is broken.
func TestFewMessagesBecomeLargeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := packed(t, zstdCompressor{}.Compress)
		c := few{zstdCompressor{}, newGate(2, time.Second)}
		begin := func() io.Reader {
			t.Helper()
			r, err := c.Decompress(bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		all := func(r io.Reader) []byte {
			out, err := io.ReadAll(r)
			if err != nil {
				t.Error(err)
			}
			return out
		}
		first, second := begin(), begin()
		began := time.Now()
		if got := all(begin()); !Refused(got) || time.Since(began) != time.Second {
			t.Errorf("a third after %s: %d bytes", time.Since(began), len(got))
		}
		next := make(chan []byte)
		go func() { next <- all(begin()) }()
		synctest.Wait()
		if got := all(first); !bytes.Equal(got, text) || Refused(got) {
			t.Errorf("%d bytes", len(got))
		}
		if got := <-next; !bytes.Equal(got, text) {
			t.Errorf("who waited: %d bytes", len(got))
		}
		_ = second.(io.Closer).Close() // in the middle, as gRPC does with what is too large
		_ = second.(io.Closer).Close()
		full := true
		isFull := func() bool { return full }
		c.gate.full.Store(&isFull)
		if got := all(begin()); !Refused(got) {
			t.Errorf("without room: %d bytes", len(got))
		}
		full = false
		for range 10 {
			if got := all(begin()); !bytes.Equal(got, text) {
				t.Fatalf("places were not given back: %d bytes", len(got))
			}
		}
		if _, err := c.Decompress(iotest.ErrReader(io.ErrUnexpectedEOF)); err == nil && len(c.gate.places) > 1 {
			t.Error("a broken one keeps its place")
		}
	})
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
