package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// client speaks to the server as any user's script would.
type client struct {
	base string
	http *http.Client
}

func newClient(base string) *client {
	return &client{base: strings.TrimRight(base, "/"), http: &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second},
	}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// maxAnswer bounds what is read of an answer.
const maxAnswer = 16 << 20

func (c *client) do(ctx context.Context, method, path, contentType string, body []byte, headers map[string]string) (int, http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for k, v := range headers {
		req.Header.Set(k, v)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return resp.StatusCode, resp.Header, text, err
}

// json sends in, if any, and reads the answer into out.
func (c *client) json(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	contentType := ""
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
		contentType = "application/json"
	}
	status, _, text, err := c.do(ctx, method, path, contentType, body, nil)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if status/100 != 2 {
		return fmt.Errorf("%s %s: status %d: %s", method, path, status, clip(text))
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return nil
}

func clip(text []byte) string {
	const most = 300
	s := strings.TrimSpace(string(text))
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}

// awaitReady returns when the server is ready, or with ctx's error.
func (c *client) awaitReady(ctx context.Context, log *slog.Logger) error {
	for try := 0; ; try++ {
		status, _, _, err := c.do(ctx, http.MethodGet, "/-/ready", "", nil, nil)
		if err == nil && status == http.StatusOK {
			return nil
		}
		if try%40 == 39 {
			log.Info("waiting for the server to be ready", "url", c.base, "status", status, "error", err)
		}
		if !sleep(ctx, 250*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// pushPatience is how long a remote write is repeated.
const pushPatience = 2 * time.Minute

// push sends one remote-write request and repeats it as long as the server is
// overloaded or out of reach, until its patience ends.
func (c *client) push(ctx context.Context, body []byte) error {
	headers := map[string]string{"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
	var last error
	wait := 100 * time.Millisecond
	for deadline := time.Now().Add(pushPatience); time.Now().Before(deadline); {
		wait = min(2*wait, 5*time.Second)
		status, h, text, err := c.do(ctx, http.MethodPost, "/api/v1/write", "application/x-protobuf", body, headers)
		switch {
		case err == nil && status/100 == 2:
			return nil
		case err != nil:
			last = err
		case status != http.StatusTooManyRequests && status/100 != 5:
			return fmt.Errorf("remote write: status %d: %s", status, clip(text))
		default:
			last = fmt.Errorf("remote write: status %d: %s", status, clip(text))
			if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil {
				wait = min(max(wait, time.Duration(s)*time.Second), 10*time.Second)
			}
		}
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
	}
	return last
}

// exists says whether a PromQL expression answers anything.
func (c *client) exists(ctx context.Context, query string) (bool, error) {
	var out struct {
		Data struct {
			Result []json.RawMessage `json:"result"`
		} `json:"data"`
	}
	err := c.json(ctx, http.MethodGet, "/api/v1/query?query="+url.QueryEscape(query), nil, &out)
	return len(out.Data.Result) > 0, err
}

func (c *client) deploy(ctx context.Context, d model.Deploy) error {
	return c.json(ctx, http.MethodPost, "/sb/v1/deploys", d, &model.Deploy{})
}

func (c *client) gate(ctx context.Context, r model.GateRequest) (model.GateDecision, error) {
	var d model.GateDecision
	err := c.json(ctx, http.MethodPost, "/sb/v1/gate", r, &d)
	return d, err
}

func (c *client) pages(ctx context.Context) ([]model.Page, error) {
	var out struct {
		Pages []model.Page `json:"pages"`
	}
	err := c.json(ctx, http.MethodGet, "/sb/v1/pages?limit=100", nil, &out)
	return out.Pages, err
}

func (c *client) slos(ctx context.Context, service string) ([]model.SLOStatus, error) {
	var out struct {
		SLOs []model.SLOStatus `json:"slos"`
	}
	err := c.json(ctx, http.MethodGet, "/sb/v1/slos?service="+url.QueryEscape(service), nil, &out)
	return out.SLOs, err
}

// sleep waits d and says whether ctx is still on.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
