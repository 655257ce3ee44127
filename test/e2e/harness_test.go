package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program under test; TestMain sets it before any test runs.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if binary = os.Getenv("SIGNALBOX_BINARY"); binary != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "signalbox-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "signalbox")
	args := []string{"build", "-o", binary}
	if raceDetector {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "../../cmd/signalbox")...)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the binary:", err)
		return 1
	}
	return m.Run()
}

// server is one running process.
type server struct {
	URL  string // web
	GRPC string // host:port
	HTTP string // OTLP/HTTP base URL
	Dir  string // storage path

	t    *testing.T
	cmd  *exec.Cmd
	log  *logBuffer
	done chan error
}

// logBuffer collects the process's output and lets a test wait for a line.
type logBuffer struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	grown chan struct{}
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.Write(p)
	close(b.grown)
	b.grown = make(chan struct{})
	return len(p), nil
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// await returns the submatches of re once it matches the output.
func (b *logBuffer) await(ctx context.Context, re *regexp.Regexp) ([]string, error) {
	for {
		b.mu.Lock()
		match, grown := re.FindStringSubmatch(b.buf.String()), b.grown
		b.mu.Unlock()
		if match != nil {
			return match, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, fmt.Errorf("no line like %q: %w", re, ctx.Err())
		}
	}
}

type options struct {
	dir    string
	config string // text of signalbox.yml, "" for none
	args   []string
	env    []string
	sub    string        // subcommand, default serve
	ready  time.Duration // how long a start may take, default patience
}

// start runs the server and waits until it is ready; the test's end stops it.
func start(t *testing.T, o options) *server {
	t.Helper()
	s := launch(t, o)
	ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(o.ready, patience))
	defer cancel()
	ready := make(chan error, 1)
	go func() {
		match, err := s.log.await(ctx, regexp.MustCompile(`msg=ready .*`))
		if err == nil && len(match) == 0 {
			err = errors.New("empty match")
		}
		ready <- err
	}()
	select {
	case err := <-ready:
		if err != nil {
			t.Fatalf("not ready: %v\n%s", err, s.log)
		}
	case err := <-s.done:
		s.done <- err
		t.Fatalf("ended before it was ready: %v\n%s", err, s.log)
	}
	web := mustMatch(t, s.log, `msg="web is listening".* url=(\S+)`)
	otlp := mustMatch(t, s.log, `msg="otlp is listening".* grpc=(\S+) http=(\S+)`)
	s.URL, s.GRPC, s.HTTP = web[1], otlp[1], otlp[2]
	return s
}

func mustMatch(t *testing.T, log *logBuffer, re string) []string {
	t.Helper()
	m := regexp.MustCompile(re).FindStringSubmatch(log.String())
	if m == nil {
		t.Fatalf("no line like %q in\n%s", re, log)
	}
	return m
}

// launch runs the process without waiting for anything.
func launch(t *testing.T, o options) *server {
	t.Helper()
	if o.dir == "" {
		o.dir = t.TempDir()
	}
	sub := o.sub
	if sub == "" {
		sub = "serve"
	}
	args := []string{
		sub, "--storage.path", o.dir, "--web.listen-address", "127.0.0.1:0",
		"--otlp.grpc-address", "127.0.0.1:0", "--otlp.http-address", "127.0.0.1:0",
	}
	if o.config != "" {
		file := filepath.Join(t.TempDir(), "signalbox.yml")
		writeFile(t, file, o.config)
		args = append(args, "--config.file", file)
	}
	s := &server{Dir: o.dir, t: t, log: &logBuffer{grown: make(chan struct{})}, done: make(chan error, 1)}
	s.cmd = exec.Command(binary, append(args, o.args...)...)
	s.cmd.Env = append(os.Environ(), o.env...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { s.done <- s.cmd.Wait() }()
	t.Cleanup(func() {
		s.stop()
		if out := s.log.String(); strings.Contains(out, "DATA RACE") || strings.Contains(out, "panic:") {
			t.Errorf("the server raced or panicked:\n%s", out)
		}
		if t.Failed() {
			t.Logf("server log:\n%s", tail(s.log.String(), 60))
		}
	})
	return s
}

func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// stopWithin is what systemd grants before it kills.
const stopWithin = 90 * time.Second

// stop ends the process as an init system would.
func (s *server) stop() error { return s.end(syscall.SIGTERM) }

// kill ends the process as the out-of-memory killer would.
func (s *server) kill() { _ = s.end(syscall.SIGKILL) }

func (s *server) end(sig os.Signal) error {
	_ = s.cmd.Process.Signal(sig)
	select {
	case err := <-s.done:
		s.done <- err
		return err
	case <-time.After(stopWithin):
		_ = s.cmd.Process.Kill()
		err := <-s.done
		s.done <- err
		return errors.Join(fmt.Errorf("did not stop within %s of %s", stopWithin, sig), err)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// request does one HTTP request and returns status and body.
func (s *server) request(method, path, contentType string, body []byte) (int, string, http.Header) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

// get decodes the JSON answer to a GET into v and fails on any status but 200.
func (s *server) get(path string, params url.Values, v any) {
	s.t.Helper()
	if len(params) > 0 {
		path += "?" + params.Encode()
	}
	status, text, _ := s.request(http.MethodGet, path, "", nil)
	if status != http.StatusOK {
		s.t.Fatalf("GET %s: %d %s", path, status, text)
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		s.t.Fatalf("GET %s: %v in %s", path, err, text)
	}
}

// post sends v as JSON and decodes the answer.
func (s *server) post(path string, v, answer any) {
	s.t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		s.t.Fatal(err)
	}
	status, text, _ := s.request(http.MethodPost, path, "application/json", body)
	if status/100 != 2 {
		s.t.Fatalf("POST %s: %d %s", path, status, text)
	}
	if err := json.Unmarshal([]byte(text), answer); err != nil {
		s.t.Fatalf("POST %s: %v in %s", path, err, text)
	}
}

// value is the single value of a PromQL expression; ok is false without one.
func (s *server) value(expr string) (v float64, ok bool) {
	s.t.Helper()
	var answer struct {
		Data struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	s.get("/api/v1/query", url.Values{"query": {expr}}, &answer)
	if len(answer.Data.Result) == 0 {
		return 0, false
	}
	_, err := fmt.Sscan(answer.Data.Result[0].Value[1].(string), &v)
	if err != nil {
		s.t.Fatal(err)
	}
	return v, true
}

// patience guards against a test that hangs. It is no claim of how quick the program is: CI runs
// all of this under the race detector on two cores, beside other packages' tests.
const patience = 3 * time.Minute

// eventually polls until check returns nil, as a person pressing reload would.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	within(t, patience, check)
}

func within(t *testing.T, limit time.Duration, check func() error) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within %s: %v", limit, err)
		}
	}
}
