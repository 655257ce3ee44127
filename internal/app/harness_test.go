package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/query/sql"
)

// TestMain lets the test program answer SQL as the real one does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == SQLWorkerCommand {
		if err := sql.ServeWorker(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// running is a whole process on ports of its own.
type running struct {
	*Process
	*cell        // of the tenant default
	dir   string // of the configuration
	log   *buffer
	stop  func()
}

// buffer is a log that is read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// options run a process on free ports over folders of the test.
func options(t *testing.T, dir string) Options {
	t.Helper()
	o := DefaultOptions()
	o.StoragePath = filepath.Join(dir, "data")
	o.ListenAddress, o.OTLPGRPCAddress, o.OTLPHTTPAddress = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	o.Version = "1.2.3-test"
	return o
}

// files writes the files of a configuration; signalbox.yml is the one that is loaded.
func files(t *testing.T, dir string, texts map[string]string) {
	t.Helper()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func start(t *testing.T, texts map[string]string, change ...func(*Options)) *running {
	t.Helper()
	return startIn(t, t.TempDir(), texts, change...)
}

func startIn(t *testing.T, dir string, texts map[string]string, change ...func(*Options)) *running {
	t.Helper()
	r := &running{dir: dir, log: &buffer{}}
	o := options(t, dir)
	o.Output = r.log
	files(t, dir, texts)
	if texts["signalbox.yml"] != "" {
		o.ConfigFile = filepath.Join(dir, "signalbox.yml")
	}
	ready := make(chan struct{})
	o.Ready = func(Addresses) { close(ready) }
	for _, c := range change {
		c(&o)
	}
	var err error
	if r.Process, err = Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	r.cell = r.home
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(r.stop)
	select {
	case <-ready:
	case err := <-done:
		done <- err
		t.Fatalf("the process ended before it was ready: %v\n%s", err, r.log)
	case <-time.After(patience):
		t.Fatalf("not ready in %s\n%s", patience, r.log)
	}
	return r
}

// do asks the web port, or an absolute URL.
func (r *running) do(t *testing.T, method, path, contentType, body string, header ...string) (int, string) {
	t.Helper()
	if strings.HasPrefix(path, "/") {
		path = r.Addresses().Web + path
	}
	req, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (r *running) get(t *testing.T, path string) (int, string) {
	t.Helper()
	return r.do(t, "GET", path, "", "")
}

func (r *running) post(t *testing.T, path, body string) (int, string) {
	t.Helper()
	return r.do(t, "POST", path, "application/json", body)
}

// into decodes an answer that must be 200.
func into[T any](t *testing.T, status int, text string) (out T) {
	t.Helper()
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, text)
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

// query answers the values of an instant query by the label that tells them apart.
func (r *running) query(t *testing.T, expr, label string) map[string]string {
	t.Helper()
	type answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	status, text := r.get(t, "/api/v1/query?"+url.Values{"query": {expr}}.Encode())
	out := map[string]string{}
	for _, s := range into[answer](t, status, text).Data.Result {
		out[s.Metric[label]] = fmt.Sprint(s.Value[1])
	}
	return out
}

// patience guards against a test that hangs. It is no claim of how quick the program is: CI runs all of
// this under the race detector on two cores, beside other packages' tests.
const patience = 2 * time.Minute

// until asks again until ok, for as long as a slow machine may need.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

func (r *running) contains(t *testing.T, path string, want ...string) bool {
	t.Helper()
	_, text := r.get(t, path)
	for _, w := range want {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
