package promwrite

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/golang/snappy"
)

// MaxBodyBytes bounds a request before and after decompression; Prometheus and
// agents send a few hundred KB.
const MaxBodyBytes = 32 << 20

// maxKept bounds the buffers that are used again: a huge request must not stay
// in memory.
const maxKept = 4 << 20

// plainBody is a decompressed body.
type plainBody struct {
	*bytes.Reader
	text []byte
}

// Close implements io.Closer.
func (plainBody) Close() error { return nil }

// bodyOf is the request's body, which is good until the answer is written.
func bodyOf(r *http.Request) ([]byte, error) {
	if b, ok := r.Body.(plainBody); ok {
		return b.text, nil
	}
	return io.ReadAll(r.Body)
}

// decode decompresses the body for next. It stands in for client_golang's
// middleware, whose errors do not say what was wrong with what.
func (h *Handler) decode(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buf := h.buffers.Get().(*buffers)
		defer h.releaseBuffers(buf)
		body, status, err := buf.read(r)
		if err != nil {
			http.Error(w, err.Error(), status)
			return
		}
		r.Body = plainBody{Reader: bytes.NewReader(body), text: body}
		next.ServeHTTP(w, r)
	})
}

// buffers are what one request is read into.
type buffers struct {
	compressed bytes.Buffer
	plain      []byte
}

func (h *Handler) releaseBuffers(b *buffers) {
	if b.compressed.Cap() <= maxKept && cap(b.plain) <= maxKept {
		b.compressed.Reset()
		h.buffers.Put(b)
	}
}

func (b *buffers) read(r *http.Request) (body []byte, status int, err error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-protobuf" {
		return nil, http.StatusUnsupportedMediaType, fmt.Errorf("content type %q: remote write is application/x-protobuf", r.Header.Get("Content-Type"))
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "snappy" {
		return nil, http.StatusUnsupportedMediaType, fmt.Errorf("content encoding %q: remote write is compressed with snappy", enc)
	}
	if _, err := b.compressed.ReadFrom(io.LimitReader(r.Body, MaxBodyBytes+1)); err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("read body: %w", err)
	}
	size, err := snappy.DecodedLen(b.compressed.Bytes())
	if b.compressed.Len() > MaxBodyBytes || err == nil && size > MaxBodyBytes {
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("the request has more than %d MiB; send smaller batches", MaxBodyBytes>>20)
	}
	if b.plain, err = snappy.Decode(b.plain[:cap(b.plain)], b.compressed.Bytes()); err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("the body is not snappy block format: %w", err)
	}
	return b.plain, 0, nil
}
