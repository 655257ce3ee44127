package public

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/front"
	"github.com/signalbox-project/signalbox/internal/statuspage"
	"github.com/signalbox-project/signalbox/internal/statuspage/site"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Prefix begins the paths of pages.
const Prefix = "/status/"

// Deps are what a Server is made with.
type Deps struct {
	Logger *slog.Logger
	// Of is what a tenant has until done is called; false if it is not served.
	Of func(tenant string) (s *Sites, done func(), ok bool)
	// Tenants are all, the default one first.
	Tenants func() []string
	Default string // the tenant whose pages are named without it
	// Caller is what the tenant of a request has that was let in with a permission.
	Caller func(*http.Request) *Sites
}

// Server answers readers.
type Server struct {
	deps Deps
	// byHost serves the page of a host at /, beside those below Prefix.
	byHost bool
}

// New makes a Server. byHost is for a listener that serves status pages alone.
func New(deps Deps, byHost bool) *Server { return &Server{deps: deps, byHost: byHost} }

// Path is where a page of a tenant is.
func (d Deps) Path(tenant, page string) string {
	if tenant == d.Default {
		return Prefix + page + "/"
	}
	return Prefix + tenant + "." + page + "/"
}

// found is the page that a request is about.
type found struct {
	sites *Sites
	page  statuspage.Page
	rest  string // the path within the page
	done  func()
}

// find is the public page of a request. done is never nil.
func (s *Server) find(r *http.Request) (f found, ok bool) {
	f.done = func() {}
	rest, below := strings.CutPrefix(r.URL.Path, Prefix)
	if !below {
		return s.ofHost(r)
	}
	key, rest, _ := strings.Cut(rest, "/")
	tenant, name := s.deps.Default, key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		tenant, name = key[:i], key[i+1:]
	}
	sites, done, served := s.deps.Of(tenant)
	if !served {
		return f, false
	}
	p, err := sites.Room.Page(name)
	if err != nil || !p.Public {
		done()
		return f, false
	}
	return found{sites, p, rest, done}, true
}

// ofHost is the page whose own address the request asks for.
func (s *Server) ofHost(r *http.Request) (f found, ok bool) {
	f.done = func() {}
	if !s.byHost {
		return f, false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	for _, tenant := range s.deps.Tenants() {
		sites, done, served := s.deps.Of(tenant)
		if !served {
			continue
		}
		if p, known := sites.Room.ByHost(host); known {
			prefix := "/"
			if u, err := url.Parse(p.URL); err == nil {
				prefix = u.JoinPath("/").Path
			}
			return found{sites, p, strings.TrimPrefix(r.URL.Path, prefix), done}, true
		}
		done()
	}
	return f, false
}

// Needs implements front.Needs: nothing for a page that is public, otherwise the permission, whether the page is there or not.
func (s *Server) Needs(r *http.Request) access.Permission {
	f, public := s.find(r)
	f.done()
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return access.Undeclared
	case public || !strings.HasPrefix(r.URL.Path, Prefix):
		return access.Open
	}
	return access.StatusPagesRead
}

// Methods implements front.Needs.
func (s *Server) Methods(*http.Request) []string { return []string{http.MethodGet, http.MethodHead} }

// Mount makes the pages reachable.
func (s *Server) Mount(port *front.Port) {
	port.Mount(Prefix, front.Mount{Handler: s, Needs: s})
	if s.byHost {
		port.Mount("/", front.Mount{Handler: s, Needs: s})
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, public := s.find(r)
	defer f.done()
	if !public {
		var ok bool
		if f, ok = s.internal(r); !ok {
			http.Error(w, "no such status page\n", http.StatusNotFound)
			return
		}
	}
	files, err := f.sites.Files(r.Context(), f.page)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			s.deps.Logger.ErrorContext(r.Context(), "a status page could not be made", "page", f.page.Name, "err", err)
		}
		w.Header().Set("Retry-After", "30")
		http.Error(w, "the status page cannot be shown now\n", http.StatusServiceUnavailable)
		return
	}
	answer(w, r, f, files, public)
}

// internal is the page of who was let in with the permission.
func (s *Server) internal(r *http.Request) (f found, ok bool) {
	f.done = func() {}
	who := access.From(r.Context())
	if who == nil || who.Needs != access.StatusPagesRead {
		return f, false
	}
	key, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Prefix), "/")
	sites := s.deps.Caller(r)
	if sites == nil {
		return f, false
	}
	p, err := sites.Room.Page(key)
	return found{sites, p, rest, f.done}, err == nil
}

// answer sends one file.
func answer(w http.ResponseWriter, r *http.Request, f found, files map[string]site.File, public bool) {
	name := f.rest
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	}
	file, there := files[name]
	_, folder := files[name+"/index.html"]
	switch {
	case f.rest == "" && !strings.HasSuffix(r.URL.Path, "/"), !there && folder:
		// Relative, so that whatever stands before our path stays.
		w.Header().Set("Location", path.Base(r.URL.Path)+"/")
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	case !there:
		http.Error(w, "the status page has nothing here\n", http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.Type)
	h.Set("ETag", file.ETag)
	if strings.HasPrefix(file.Type, "text/html") {
		h.Set("Content-Security-Policy", site.Policy()+"; frame-ancestors 'none'")
	}
	if public {
		h.Set("Cache-Control", "public, max-age=30, stale-while-revalidate=60, stale-if-error=86400")
		if !strings.HasPrefix(file.Type, "text/html") {
			h.Set("Access-Control-Allow-Origin", "*") // there is no cookie, and everybody may read it
			h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.Body))
}
