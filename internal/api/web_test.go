package api

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/signalbox-project/signalbox/internal/api/events"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

type callersError struct{ error }

func (callersError) BadRequest() {}

func TestErrorsBecomeStatuses(t *testing.T) {
	cases := []struct {
		name   string
		err    error
		status int
		code   string
		retry  string
	}{
		{"not found", fmt.Errorf("x: %w", store.ErrNotFound), 404, "not_found", ""},
		{"read-only", fmt.Errorf("x: %w", store.ErrReadOnly), 503, "read_only", "30"},
		{"overloaded", store.ErrOverloaded, 429, "overloaded", "1"},
		{"out of time", fmt.Errorf("scan: %w", context.DeadlineExceeded), 504, "timeout", ""},
		{"the client left", context.Canceled, 499, "timeout", ""},
		{"the caller's fault", callersError{errBroken}, 400, "bad_request", ""},
		{"anything else", errBroken, 500, "internal", ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			f := filled()
			f.err = tc.err
			a := newAPI(t, f)
			for _, target := range []string{"/sb/v1/logs", "/sb/v1/traces/1", "/sb/v1/slos", "/sb/v1/deploys"} {
				rec := get(a, target)
				var e operation.ErrorBody
				if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil {
					t.Fatalf("%s: %v: %s", target, err, rec.Body)
				}
				if rec.Code != tc.status || e.Error.Code != tc.code || rec.Header().Get("Retry-After") != tc.retry {
					t.Errorf("%s: %d %s, Retry-After %q", target, rec.Code, rec.Body, rec.Header().Get("Retry-After"))
				}
				if tc.code == "internal" && strings.Contains(rec.Body.String(), "rack 7") {
					t.Errorf("an internal error's text is shown: %s", rec.Body)
				}
			}
		})
	}
}

func TestAPanicBecomesA500WithAnID(t *testing.T) {
	a := newAPI(t, filled())
	rec := httptest.NewRecorder()
	a.Guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })).ServeHTTP(rec, httptest.NewRequest("GET", "/x", nil))
	if rec.Code != 500 || !strings.Contains(rec.Body.String(), `"code":"internal","message":"internal error `) || strings.Contains(rec.Body.String(), "boom") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	a := newAPI(t, filled(), func(c *Config) { c.MaxBodyBytes = 100 })
	big := `{"query":"` + strings.Repeat("x", 200) + `"}`
	if rec := do(a, "POST", "/sb/v1/sql", big); rec.Code != 413 || !strings.Contains(rec.Body.String(), `"code":"too_large"`) {
		t.Errorf("known length: %d %s", rec.Code, rec.Body)
	}
	r := httptest.NewRequest("POST", "/sb/v1/sql", io.MultiReader(strings.NewReader(big)))
	r.Header.Set("Content-Type", "application/json")
	r.ContentLength = -1
	rec := httptest.NewRecorder()
	a.Handler().ServeHTTP(rec, r)
	if rec.Code != 413 || !strings.Contains(rec.Body.String(), `"code":"too_large"`) {
		t.Errorf("unknown length: %d %s", rec.Code, rec.Body)
	}
}

func TestTheInFlightLimitAnswers429(t *testing.T) {
	a := newAPI(t, filled(), func(c *Config) { c.MaxInFlight = 1 })
	a.inFlight <- struct{}{}
	rec := get(a, "/sb/v1/status")
	if rec.Code != 429 || rec.Header().Get("Retry-After") != "1" || !strings.Contains(rec.Body.String(), `"code":"overloaded"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	<-a.inFlight
	if rec := get(a, "/sb/v1/status"); rec.Code != 200 {
		t.Errorf("afterwards %d", rec.Code)
	}
}

func TestTenantsAreChecked(t *testing.T) {
	a := newAPI(t, filled())
	for _, name := range []string{"a b", "a|b", "..", ".", strings.Repeat("x", 151), "ä", "a/b"} {
		if rec := get(a, "/sb/v1/logs", model.TenantHeader, name); rec.Code != 400 || !strings.Contains(rec.Body.String(), "bad_request") {
			t.Errorf("%q: %d %s", name, rec.Code, rec.Body)
		}
	}
}

func TestAnswersAreCompressed(t *testing.T) {
	f := filled()
	for range 100 {
		f.logs = append(f.logs, f.logs[0])
	}
	rec := get(newAPI(t, f), "/sb/v1/logs", "Accept-Encoding", "gzip")
	if rec.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("headers %v", rec.Header())
	}
	zr, err := gzip.NewReader(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out events.LogsResponse
	if err := json.NewDecoder(zr).Decode(&out); err != nil || len(out.Logs) != 100 {
		t.Errorf("%d records, %v", len(out.Logs), err)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	srv := httptest.NewServer(newAPI(t, filled()).Handler())
	defer srv.Close()
	for _, path := range []string{"/sb/v1/slos", "/sb/v1/logs/tail", "/jaeger/api/services"} {
		resp, err := http.Head(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
	}
}

func TestOtherOrigins(t *testing.T) {
	a := newAPI(t, filled())
	if rec := get(a, "/sb/v1/slos", "Origin", "https://evil.example"); rec.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("another origin may read by default")
	}
	if rec := do(a, "POST", "/sb/v1/gate", `{"service":"x"}`, "Origin", "https://evil.example"); rec.Code != 403 {
		t.Errorf("another origin may write: %d", rec.Code)
	}
	a = newAPI(t, filled(), func(c *Config) { c.CORSOrigins = []string{"https://portal.example"} })
	if rec := do(a, "POST", "/sb/v1/gate", `{"service":"x"}`, "Origin", "https://portal.example"); rec.Code != 200 || rec.Header().Get("Access-Control-Allow-Origin") != "https://portal.example" {
		t.Errorf("a configured origin: %d %v", rec.Code, rec.Header())
	}
	if rec := do(a, "OPTIONS", "/sb/v1/gate", "", "Origin", "https://portal.example"); rec.Code != 204 {
		t.Errorf("preflight: %d", rec.Code)
	}
}

func TestConfigNamesEveryProblem(t *testing.T) {
	if errs := (Config{CORSOrigins: []string{"*", "portal"}}).Validate(); len(errs) != 5 {
		t.Errorf("got %v", errs)
	}
	if _, err := New(Config{}, Deps{}); err == nil {
		t.Error("an invalid config was taken")
	}
}

// No goroutine outlives the tests.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tail opens a tail and gives its first n lines that are not blank.
func tail(t *testing.T, a *API, query string, n int) (resp *http.Response, lines []string) {
	t.Helper()
	srv := httptest.NewServer(a.Handler())
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+"/sb/v1/logs/tail"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err = http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	sc := bufio.NewScanner(resp.Body)
	for len(lines) < n && sc.Scan() {
		if sc.Text() != "" {
			lines = append(lines, sc.Text())
		}
	}
	return resp, lines
}

func TestTailStreamsEvents(t *testing.T) {
	resp, lines := tail(t, newAPI(t, filled()), "?q=boom", 7)
	if ct := resp.Header.Get("Content-Type"); ct != "text/event-stream" {
		t.Errorf("Content-Type %q", ct)
	}
	if resp.Header.Get("Content-Encoding") != "" {
		t.Error("a stream is compressed")
	}
	if len(lines) != 7 || lines[0] != ": tail" || lines[1] != "event: log" || !strings.Contains(lines[2], `"message":"one"`) ||
		lines[3] != "event: log" || lines[5] != "event: dropped" || lines[6] != `data: {"count":7}` {
		t.Errorf("lines %q", lines)
	}
}

func TestTailTellsErrors(t *testing.T) {
	f := filled()
	f.err = errBroken
	if _, lines := tail(t, newAPI(t, f), "", 3); len(lines) != 3 || lines[1] != "event: error" || !strings.Contains(lines[2], `"code":"internal"`) {
		t.Errorf("lines %q", lines)
	}
	if rec := get(newAPI(t, filled()), "/sb/v1/logs/tail?q=ab+)"); rec.Code != 400 || !strings.Contains(rec.Body.String(), "bad_filter") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	a := newAPI(t, filled(), func(c *Config) { c.MaxTails = 1 })
	a.tails <- struct{}{}
	if rec := get(a, "/sb/v1/logs/tail"); rec.Code != 429 {
		t.Errorf("one tail too many: %d", rec.Code)
	}
}
