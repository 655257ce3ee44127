package webui

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func built(t *testing.T) http.Handler {
	t.Helper()
	h, err := HandlerOf(fstest.MapFS{
		"index.html":          {Data: []byte("<!doctype html><div id=root></div>")},
		"favicon.svg":         {Data: []byte("<svg/>")},
		"assets/index-C4T.js": {Data: []byte(strings.Repeat("console.log(1);", 200))},
		".gitkeep":            {},
		".vite/manifest.json": {Data: []byte("{}")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func get(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

func TestServing(t *testing.T) {
	h := built(t)
	cases := []struct {
		name, method, target string
		status               int
		body, cache          string
	}{
		{"the root is the page", "GET", "/", 200, "id=root", "no-cache"},
		{"a route of the UI is the page too", "GET", "/slos/edge.availability", 200, "id=root", "no-cache"},
		{"a hashed asset is cached for ever", "GET", "/assets/index-C4T.js", 200, "console.log", "public, max-age=31536000, immutable"},
		{"an unhashed file is revalidated", "GET", "/favicon.svg", 200, "<svg/>", "no-cache"},
		{"a missing asset is not the page", "GET", "/assets/old-123.js", 404, "not found", ""},
		{"hidden files are not served", "GET", "/.vite/manifest.json", 200, "id=root", "no-cache"},
		{"climbing out leads to the page", "GET", "/../../etc/passwd", 200, "id=root", "no-cache"},
		{"a reload by GET is not a page", "GET", "/-/reload", 404, "not found", ""},
		{"an intake that is not there is not a page", "GET", "/loki/api/v1/labels", 404, "not found", ""},
		{"a mistyped API path is not a page", "GET", "/api/v3/query", 404, "not found", ""},
		{"a route that begins like an API is the page", "GET", "/services/api", 200, "id=root", "no-cache"},
		{"nothing can be posted", "POST", "/", 405, "not allowed", ""},
		{"HEAD has no body", "HEAD", "/", 200, "", "no-cache"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			rec := get(h, tc.method, tc.target)
			if rec.Code != tc.status || !strings.Contains(rec.Body.String(), tc.body) {
				t.Fatalf("status %d, body %q", rec.Code, rec.Body)
			}
			if got := rec.Header().Get("Cache-Control"); got != tc.cache {
				t.Errorf("Cache-Control %q, want %q", got, tc.cache)
			}
			if tc.method == "HEAD" && rec.Body.Len() != 0 {
				t.Errorf("HEAD answered %d bytes", rec.Body.Len())
			}
			if csp := rec.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "script-src 'self';") {
				t.Errorf("Content-Security-Policy %q", csp)
			}
		})
	}
}

func TestCompressionIsNegotiated(t *testing.T) {
	h := built(t)
	plain := get(h, "GET", "/assets/index-C4T.js")
	zipped := get(h, "GET", "/assets/index-C4T.js", "Accept-Encoding", "br, gzip;q=0.8")
	if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Body.Len() >= plain.Body.Len() {
		t.Fatalf("encoding %q, %d bytes of %d", zipped.Header().Get("Content-Encoding"), zipped.Body.Len(), plain.Body.Len())
	}
	zr, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(zr); err != nil || string(text) != plain.Body.String() {
		t.Errorf("uncompressed text differs (%v)", err)
	}
	if refused := get(h, "GET", "/assets/index-C4T.js", "Accept-Encoding", "gzip;q=0"); refused.Header().Get("Content-Encoding") != "" {
		t.Error("gzip was sent to a client that refuses it")
	}
	if small := get(h, "GET", "/favicon.svg", "Accept-Encoding", "gzip"); small.Header().Get("Content-Encoding") != "" {
		t.Error("a tiny file was compressed")
	}
}

func TestAnUnchangedFileIsNotSentAgain(t *testing.T) {
	h := built(t)
	etag := get(h, "GET", "/").Header().Get("ETag")
	if rec := get(h, "GET", "/", "If-None-Match", etag); etag == "" || rec.Code != http.StatusNotModified || rec.Body.Len() != 0 {
		t.Errorf("etag %q: status %d, %d bytes", etag, rec.Code, rec.Body.Len())
	}
}

func TestWithoutABuiltUIThePageSaysHowToBuildIt(t *testing.T) {
	h, err := HandlerOf(fstest.MapFS{".gitkeep": {}})
	if err != nil {
		t.Fatal(err)
	}
	if rec := get(h, "GET", "/"); rec.Code != 200 || !strings.Contains(rec.Body.String(), "make build") {
		t.Errorf("status %d, body %q", rec.Code, rec.Body)
	}
}

func TestTheEmbeddedFolderIsServed(t *testing.T) {
	h, err := Handler()
	if err != nil {
		t.Fatal(err)
	}
	if rec := get(h, "GET", "/"); rec.Code != 200 || !strings.Contains(rec.Body.String(), "Signalbox") {
		t.Errorf("status %d, body %q", rec.Code, rec.Body)
	}
}
