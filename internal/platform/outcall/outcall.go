// Package outcall calls the HTTP API of one other system: below one base URL,
// with bounded attempts, time and answers.
//
// It knows nothing of what is called. In: a Request. Out: the answer of the
// last attempt, or an error that says what was asked and answered.
//
// Invariants: nothing outside the base URL is ever called, redirects are not
// followed, and a request that is not idempotent is repeated only when it
// was certainly not carried out. A Client is safe for concurrent use. Start reading at Do.
package outcall

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

const (
	maxAnswer     = 8 << 20
	maxRetryAfter = time.Minute
	shownAnswer   = 300
)

// Client calls one API.
type Client struct {
	// Base is where the API lives; nothing outside it is called.
	Base *url.URL
	// Transport carries the requests; it must be given.
	Transport http.RoundTripper
	// Attempts is how often a request is tried, at least once.
	Attempts int
	// Timeout bounds one attempt; Backoff is the first pause, doubled each time.
	Timeout, Backoff time.Duration
}

// Request is one call.
type Request struct {
	Method string
	// URL is absolute, and below the client's base.
	URL    *url.URL
	Header http.Header
	Body   []byte
	// Idempotent requests may be repeated after any failure.
	Idempotent bool
}

// Response is an answer with a status of 2xx.
type Response struct {
	Status   int
	Header   http.Header
	Body     []byte
	Attempts int
}

// StatusError is an answer of any other status.
type StatusError struct {
	Status   int
	Body     string // its beginning
	Answer   []byte // all of it
	Attempts int
	After    time.Duration // as Retry-After says
	Header   http.Header
}

// Error implements error.
func (e *StatusError) Error() string {
	text := fmt.Sprintf("status %d", e.Status)
	if e.Body != "" {
		text += ": " + e.Body
	}
	return text
}

// Below parses a URL that another system gave and refuses what is not below
// base: another scheme, host or port, a user, a fragment, dots in the path.
func Below(base *url.URL, target string) (*url.URL, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, errors.New("it is no URL")
	}
	prefix := strings.TrimSuffix(base.Path, "/") + "/"
	switch {
	case !strings.EqualFold(u.Scheme, base.Scheme) || !strings.EqualFold(host(u), host(base)):
		return nil, fmt.Errorf("it is not on %s://%s", base.Scheme, base.Host)
	case u.User != nil || u.Fragment != "" || u.Opaque != "":
		return nil, errors.New("it has a user or a fragment")
	case u.RawPath != "" || path.Clean(u.Path) != u.Path || !strings.HasPrefix(u.Path, prefix):
		return nil, fmt.Errorf("its path is not below %s", prefix)
	}
	return u, nil
}

func host(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	port := "443"
	if strings.EqualFold(u.Scheme, "http") {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// Do calls and repeats: after a failure of the network, 429 and 5xx, waiting
// longer each time or as long as Retry-After says, up to a minute.
func (c *Client) Do(ctx context.Context, r Request) (Response, error) {
	if !strings.EqualFold(r.URL.Scheme, c.Base.Scheme) || !strings.EqualFold(host(r.URL), host(c.Base)) {
		return Response{}, fmt.Errorf("%s %s: it is not on %s", r.Method, r.URL.Redacted(), c.Base.Host)
	}
	pause := c.Backoff
	for attempt := 1; ; attempt++ {
		status, header, body, err := c.once(ctx, r)
		after := retryAfter(header)
		switch {
		case err == nil && status/100 == 2:
			return Response{Status: status, Header: header, Body: body, Attempts: attempt}, nil
		case err == nil:
			err = &StatusError{Status: status, Body: shown(body), Answer: body, Attempts: attempt, After: after, Header: header}
		}
		if attempt >= c.Attempts || ctx.Err() != nil || !r.mayRepeat(status, err) {
			return Response{Status: status, Attempts: attempt}, fmt.Errorf("%s %s: %w", r.Method, r.URL.Redacted(), err)
		}
		wait := max(pause, min(after, maxRetryAfter))
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return Response{Status: status, Attempts: attempt}, fmt.Errorf("%s %s: %w, after %w", r.Method, r.URL.Redacted(), ctx.Err(), err)
		}
		pause *= 2
	}
}

func (r Request) mayRepeat(status int, err error) bool {
	var dial *net.OpError
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		return true
	case status == 0 && errors.As(err, &dial) && dial.Op == "dial":
		return true
	}
	return r.Idempotent && (status == 0 || status >= 500)
}

func (c *Client) once(ctx context.Context, r Request) (status int, header http.Header, body []byte, err error) {
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL.String(), bytes.NewReader(r.Body))
	if err != nil {
		return 0, nil, nil, err
	}
	for k, v := range r.Header {
		req.Header[k] = v
	}
	client := http.Client{Transport: c.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // its URL may hold what should not be logged
		}
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	if err != nil {
		return 0, resp.Header, nil, err
	}
	return resp.StatusCode, resp.Header, body, nil
}

// retryAfter is how long the header of that name asks to wait, in seconds or as a date.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(max(0, min(seconds, maxSeconds))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// maxSeconds is a day: more would overflow, or is meant as never.
const maxSeconds = 86_400

func shown(body []byte) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "?")), " ")
	if len(s) > shownAnswer {
		s = strings.ToValidUTF8(s[:shownAnswer], "") + "…"
	}
	return s
}
