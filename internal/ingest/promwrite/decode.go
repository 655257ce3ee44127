package promwrite

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/golang/snappy"
)

// maxBodyBytes bounds a request before and after decompression; Prometheus and
// agents send a few hundred KB.
const maxBodyBytes = 32 << 20

// decode decompresses the body for next. It stands in for client_golang's
// middleware, whose errors do not say what was wrong with what.
func decode(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, status, err := readBody(r)
		if err != nil {
			http.Error(w, err.Error(), status)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func readBody(r *http.Request) (body []byte, status int, err error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-protobuf" {
		return nil, http.StatusUnsupportedMediaType, fmt.Errorf("content type %q: remote write is application/x-protobuf", r.Header.Get("Content-Type"))
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "snappy" {
		return nil, http.StatusUnsupportedMediaType, fmt.Errorf("content encoding %q: remote write is compressed with snappy", enc)
	}
	compressed, err := io.ReadAll(io.LimitReader(r.Body, maxBodyBytes+1))
	if err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("read body: %w", err)
	}
	size, err := snappy.DecodedLen(compressed)
	if len(compressed) > maxBodyBytes || err == nil && size > maxBodyBytes {
		return nil, http.StatusRequestEntityTooLarge, fmt.Errorf("the request has more than %d MiB; send smaller batches", maxBodyBytes>>20)
	}
	if err == nil {
		body, err = snappy.Decode(nil, compressed)
	}
	if err != nil {
		return nil, http.StatusBadRequest, fmt.Errorf("the body is not snappy block format: %w", err)
	}
	return body, 0, nil
}
