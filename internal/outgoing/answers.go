package outgoing

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"sync/atomic"

	promconfig "github.com/prometheus/common/config"
)

// defaultAnswer is more than any service that Signalbox calls has to say at once.
const defaultAnswer = 64 << 20

// Unbounded is a MaxAnswerBytes for who reads as it comes, and keeps nothing.
const Unbounded = math.MaxInt64

// TooLargeError is an answer that is larger than may be read.
type TooLargeError struct{ Limit int64 }

// Error implements error.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the answer is larger than %d bytes, the most that is read of one: mend what answers, or raise outgoing.max_answer_bytes", e.Limit)
}

func (g *Guard) answer() int64 {
	if g == nil || g.most <= 0 {
		return defaultAnswer
	}
	return g.most
}

// bounded bounds the body of an answer, after it was decompressed.
func (g *Guard) bounded(resp *http.Response) (*http.Response, error) {
	most := g.answer()
	if resp.StatusCode == http.StatusSwitchingProtocols || most == Unbounded {
		return resp, nil
	}
	if resp.ContentLength > most && resp.Request.Method != http.MethodHead {
		_ = resp.Body.Close()
		return nil, &TooLargeError{most}
	}
	resp.Body = &body{ReadCloser: resp.Body, limit: most, left: most}
	return resp, nil
}

type body struct {
	io.ReadCloser
	limit, left int64
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, &TooLargeError{b.limit}
	}
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, &TooLargeError{b.limit}
	}
	return n, err
}

// Options guard clients that a library of Prometheus makes itself. It lets us have the connection alone: what is read of it since
// the last question is bounded, and there is one question at a time, as HTTP/1 has it. They decompress nothing.
func (g *Guard) Options() []promconfig.HTTPClientOption {
	return []promconfig.HTTPClientOption{promconfig.WithDialContextFunc(g.dialBounded), promconfig.WithHTTP2Disabled()}
}

func (g *Guard) dialBounded(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := g.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &boundConn{Conn: conn, limit: g.answer()}
	c.left.Store(c.limit)
	return c, nil
}

// boundConn is a connection over which one question follows another.
type boundConn struct {
	net.Conn
	limit int64
	left  atomic.Int64
}

// question is less than any request takes, and more than what TLS has a client say when the server makes it.
const question = 40

// Write implements net.Conn.
func (c *boundConn) Write(p []byte) (int, error) {
	if len(p) > question {
		c.left.Store(c.limit)
	}
	return c.Conn.Write(p)
}

// Read implements net.Conn.
func (c *boundConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.left.Add(-int64(n)) < 0 {
		return 0, &TooLargeError{c.limit}
	}
	return n, err
}
