package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
)

// maxRead bounds what is read of an answer before it is refused as too long.
const maxRead = 8 << 20

// carried are the headers of a request for a tool that say who asks, for which tenant, and from which page.
func carried() []string {
	return []string{"Authorization", "Cookie", "Origin", "Sec-Fetch-Site", model.TenantHeader}
}

// as asks the web port in this process as whoever sent r.
func as(web http.Handler, r *http.Request) Ask {
	return func(ctx context.Context, q Question) (json.RawMessage, error) {
		inner, err := request(ctx, r, q)
		if err != nil {
			return nil, err
		}
		answer := &answer{header: http.Header{}}
		web.ServeHTTP(answer, inner)
		if answer.dropped {
			return nil, tooLong(maxRead, "ask for less")
		}
		if answer.status/100 != 2 {
			return nil, errors.New(said(answer.status, answer.body.Bytes()))
		}
		return answer.body.Bytes(), nil
	}
}

// request is a question as r's sender would send it, to the address that r arrived at. What proxies say of the sender was read already: it
// is in RemoteAddr.
func request(ctx context.Context, r *http.Request, q Question) (*http.Request, error) {
	var body []byte
	if q.Body != nil {
		var err error
		if body, err = json.Marshal(q.Body); err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
	}
	inner, err := http.NewRequestWithContext(context.WithValue(ctx, http.LocalAddrContextKey, r.Context().Value(http.LocalAddrContextKey)), q.Method, q.Address(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for _, name := range carried() {
		if v := r.Header.Values(name); len(v) > 0 {
			inner.Header[http.CanonicalHeaderKey(name)] = v
		}
	}
	if q.Body != nil {
		inner.Header.Set("Content-Type", "application/json")
	}
	inner.Host, inner.RemoteAddr, inner.TLS, inner.RequestURI = r.Host, r.RemoteAddr, r.TLS, q.Address()
	return inner, nil
}

// said is the reason in an error answer.
func said(status int, body []byte) string {
	var ours struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &ours) == nil && len(ours.Error) > 0 {
		var text string
		var full struct {
			Message string `json:"message"`
		}
		switch {
		case json.Unmarshal(ours.Error, &text) == nil && text != "":
			return text
		case json.Unmarshal(ours.Error, &full) == nil && full.Message != "":
			return full.Message
		}
	}
	if text := strings.TrimSpace(string(body)); text != "" {
		return text
	}
	return fmt.Sprintf("%d %s", status, http.StatusText(status))
}

// answer holds what the web port answers.
type answer struct {
	header  http.Header
	status  int
	body    bytes.Buffer
	dropped bool // it was longer than is read
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
}

// Write implements io.Writer.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	if a.body.Len()+len(b) > maxRead {
		a.dropped = true
		return 0, http.ErrContentLength
	}
	return a.body.Write(b)
}
