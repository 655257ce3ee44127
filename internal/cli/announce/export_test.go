package announce_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const exported = `{"name":"broker","title":"Broker","language":"en","time_zone":"UTC","stale_after_seconds":600,"generated":"2026-12-01T10:00:00Z","state":"operational","components":[],"notices":[NOTICES]}`

// A copy is whole, holds what the page shows now, and is written into no folder of somebody else.
func TestAPageIsWrittenAsFiles(t *testing.T) {
	notices := `{"id":"abc","kind":"incident","title":"Slow","status":"resolved","impact":"minor","components":[],"created":"2026-12-01T09:00:00Z","changed":"2026-12-01T09:30:00Z","updates":[]}`
	address := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/sb/v1/status-pages":
			_, _ = w.Write([]byte(`{"pages":[{"name":"broker","url":"` + address + `"}]}`))
		case "/sb/v1/status-pages/pages/broker":
			_, _ = w.Write([]byte(strings.Replace(exported, "NOTICES", notices, 1)))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	to := filepath.Join(t.TempDir(), "a", "copy")
	export := func(args ...string) (int, string, string) {
		return run(t, append([]string{"export", "broker", "--server", server.URL, "--to", to}, args...)...)
	}
	if status, _, errOut := export(); status != 2 || !strings.Contains(errOut, "--base") {
		t.Errorf("without an address: %d %s", status, errOut)
	}
	address = "https://status.example.com"
	if status, out, errOut := export(); status != 0 || !strings.Contains(out, "files of broker are in") {
		t.Fatalf("%d %s%s", status, out, errOut)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(to, name))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	if index := read("index.html"); !strings.Contains(index, `data-generated="2026-12-01T10:00:00Z" data-stale="600"`) || !strings.Contains(index, "Content-Security-Policy") {
		t.Error(index)
	}
	if !strings.Contains(read("history.atom"), "https://status.example.com/incidents/abc/") || !strings.Contains(read("incidents/abc/index.html"), "Slow") || !strings.Contains(read("api/v2/status.json"), "none") {
		t.Error("the copy is not whole")
	}
	notices = ""
	if status, _, errOut := export("--base", "https://other.example.com/x/"); status != 0 || !strings.Contains(read("history.rss"), "https://other.example.com/x/") {
		t.Errorf("%d %s", status, errOut)
	}
	if _, err := os.Stat(filepath.Join(to, "incidents", "abc")); err == nil {
		t.Error("what was withdrawn is still in the copy")
	}
	notices = `{"id":"../../../outside","title":"x","status":"resolved","updates":[]}`
	if status, _, errOut := export(); status != 3 || !strings.Contains(errOut, "outside the folder") {
		t.Errorf("%d %s", status, errOut)
	}
	to = t.TempDir()
	if err := os.WriteFile(filepath.Join(to, "index.html"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errOut := export(); status != 3 || !strings.Contains(errOut, "something else") || read("index.html") != "mine" {
		t.Errorf("%d %s", status, errOut)
	}
	for _, args := range [][]string{{"--every", "1s"}, {"--base", "javascript:x"}} {
		if status, _, errOut := export(args...); status != 2 {
			t.Errorf("%v: %d %s", args, status, errOut)
		}
	}
}
