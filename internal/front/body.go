package front

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net/http"
	"os"
	"sync"
)

const (
	// firstPiece is what a body gets before it has shown that it comes at all.
	firstPiece = 4 << 10
	// lastPooled is the largest piece that is kept for the next body.
	lastPooled = 1 << 20
)

// body is a request's body that has arrived.
type body struct {
	f      *Front
	tenant string
	data   []byte // cap is what it took of the budget
}

// pieces keeps buffers of each power of two from firstPiece to lastPooled.
type pieces [10]sync.Pool

func class(size int) int { return bits.Len(uint(size-1) / firstPiece) }

func (p *pieces) get(size int) []byte {
	if size <= lastPooled {
		if b, ok := p[class(size)].Get().(*[]byte); ok {
			return (*b)[:0]
		}
	}
	return make([]byte, 0, size)
}

func (p *pieces) put(b []byte) {
	if size := cap(b); size <= lastPooled && size >= firstPiece && size&(size-1) == 0 {
		p[class(size)].Put(&b)
	}
}

// receive reads a body whole. What it takes doubles with what has arrived and
// does not follow what was announced, so that a slow sender costs no more than twice what it
// sent. The body is the caller's to free, also after a refusal.
func (f *Front) receive(r *http.Request, tenant string, limit int64) (*body, *Refusal) {
	b := &body{f: f, tenant: tenant}
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return b, nil
	}
	if r.ContentLength > limit {
		return b, tooLarge(limit)
	}
	for {
		if len(b.data) == cap(b.data) && !b.grow() {
			return b, overloaded(f.cfg.MaxBodyBytesInFlight)
		}
		n, err := r.Body.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		switch {
		case int64(len(b.data)) > limit:
			return b, tooLarge(limit)
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return b, f.broken(err, len(b.data))
		}
	}
}

// grow doubles the buffer, if the budget of all bodies has room.
func (b *body) grow() bool {
	size := max(firstPiece, 2*cap(b.data))
	if !b.f.held.take(b.tenant, int64(size)) {
		return false
	}
	next := append(b.f.pool.get(size), b.data...)
	b.free()
	b.data = next
	return true
}

func (b *body) free() {
	b.f.held.give(b.tenant, int64(cap(b.data)))
	b.f.pool.put(b.data)
	b.data = nil
}

// request gives r, which is the caller's own copy, the body that arrived.
func (b *body) request(r *http.Request) *http.Request {
	if b.data == nil {
		return r
	}
	// r is a copy: the server still needs its own body.
	r.Body = io.NopCloser(bytes.NewReader(b.data))
	r.ContentLength = int64(len(b.data))
	r.TransferEncoding = nil
	return r
}

func (f *Front) broken(err error, got int) *Refusal {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &Refusal{
			Status: http.StatusRequestTimeout, Reason: "slow_body", RetryAfter: 1,
			Message: fmt.Sprintf("the body did not arrive within %s, only its first %d bytes: send smaller requests, or raise web.body_timeout", f.cfg.BodyTimeout, got),
		}
	}
	return &Refusal{Status: http.StatusBadRequest, Reason: "broken_body", Message: "read the body: " + err.Error()}
}

func tooLarge(limit int64) *Refusal {
	return &Refusal{
		Status: http.StatusRequestEntityTooLarge, Reason: "body_too_large",
		Message: fmt.Sprintf("the body has more than %d bytes, which this endpoint does not take: send less at once", limit),
	}
}

func overloaded(limit int64) *Refusal {
	return &Refusal{
		Status: http.StatusTooManyRequests, Reason: "body_bytes", RetryAfter: 1,
		Message: fmt.Sprintf("the bodies of all requests together hold more than %d bytes (web.max_body_bytes_in_flight), or those of this tenant more than it may have of them: try again in a second", limit),
	}
}
