// Package webui embeds the built web UI and serves it.
//
// It serves the files of dist, answers every other path with index.html (the
// UI routes in the browser) unless the path is one that programs ask for, and
// sets caching and security headers. It does not
// build the UI, holds no page of its own except the one that says how to build
// it, and proxies nothing. Data in: dist at compile time. Data out: HTTP.
//
// Files below assets/ have a hash in their name and are cached for a year;
// everything else is revalidated by ETag. Compressed forms are made once, on
// first use.
//
// The handler is immutable but for those compressed forms, which are guarded by
// one sync.Once per file. Start reading at Handler.
package webui

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// notBuilt is shown when the binary was built without the UI.
const notBuilt = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Signalbox</title></head>
<body><h1>Signalbox is running; its web UI was not built</h1>
<p>Run <code>make build</code> (or <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>, then build the binary again).</p>
<p>The API is at <a href="/sb/v1/openapi.json">/sb/v1/openapi.json</a>, metrics at <a href="/metrics">/metrics</a>.</p>
</body></html>
`

// contentSecurity lets the UI load from its own origin only. Styles may be
// inline, because components set sizes and colours that way.
const contentSecurity = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
	"font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"

// Handler serves the embedded UI.
func Handler() (http.Handler, error) {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, fmt.Errorf("open embedded ui: %w", err)
	}
	return HandlerOf(sub)
}

// HandlerOf serves the UI in files, which are read once.
func HandlerOf(files fs.FS) (http.Handler, error) {
	u := &ui{files: map[string]*file{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name != "." && strings.HasPrefix(path.Base(name), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		u.files["/"+name] = newFile(name, text)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read embedded ui: %w", err)
	}
	u.index = u.files["/index.html"]
	if u.index == nil {
		u.index = newFile("index.html", []byte(notBuilt))
	}
	return u, nil
}

type ui struct {
	files map[string]*file // by URL path
	index *file
}

func (u *ui) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", contentSecurity)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	f, ok := u.files[path.Clean("/"+r.URL.Path)]
	hashed := strings.HasPrefix(r.URL.Path, "/assets/")
	switch {
	case !ok && (hashed || forPrograms(r.URL.Path)):
		http.NotFound(w, r)
		return
	case !ok:
		f = u.index
	case hashed:
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if !hashed {
		h.Set("Cache-Control", "no-cache")
	}
	f.serve(w, r)
}

// programPaths begin what clients, shippers, probes and browsers ask for by
// themselves. Nothing below them is a page: a script that mistypes one, or
// reloads with GET, must not read a page's 200 as success.
const programPaths = "/-/ /api/ /apm/ /debug/ /elastic/ /federate /favicon.ico /jaeger/ /loki/ /metrics/ /robots.txt /sb/ /v1/ /zipkin/"

func forPrograms(p string) bool {
	for prefix := range strings.FieldsSeq(programPaths) {
		if strings.HasPrefix(p, prefix) {
			return true
		}
	}
	return false
}

// file is one embedded file with its headers and, made on first use, its
// compressed form.
type file struct {
	text        []byte
	contentType string
	etag        string
	compress    bool
	once        sync.Once
	gz          []byte
}

func newFile(name string, text []byte) *file {
	ct := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) {
	case ".js", ".mjs":
		ct = "text/javascript; charset=utf-8" // whatever the machine's mime table says
	case ".html":
		ct = "text/html; charset=utf-8"
	case ".css":
		ct = "text/css; charset=utf-8"
	case ".svg":
		ct = "image/svg+xml"
	case "":
		ct = "application/octet-stream"
	}
	sum := sha256.Sum256(text)
	textual := strings.HasPrefix(ct, "text/") || strings.Contains(ct, "svg") || strings.Contains(ct, "json")
	return &file{
		text: text, contentType: ct, compress: textual && len(text) > 1024,
		etag: base64.RawURLEncoding.EncodeToString(sum[:12]),
	}
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	body, etag := f.text, `"`+f.etag+`"`
	if f.compress {
		h.Set("Vary", "Accept-Encoding")
		if gz := f.gzipped(); gz != nil && acceptsGzip(r) {
			body, etag = gz, `"`+f.etag+`-gz"`
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Type", f.contentType)
	h.Set("ETag", etag)
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body)
}

// gzipped is the compressed text, nil if it cannot be made.
func (f *file) gzipped() []byte {
	f.once.Do(func() {
		var buf bytes.Buffer
		zw, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
		if err != nil {
			return
		}
		if _, err := zw.Write(f.text); err != nil || zw.Close() != nil {
			return
		}
		f.gz = buf.Bytes()
	})
	return f.gz
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if coding == "gzip" || coding == "*" {
			return strings.TrimSpace(params) != "q=0"
		}
	}
	return false
}
