package front

import (
	"net/http"
	"strings"
)

// below takes the path of the external URL off a request, as Prometheus and Alertmanager do: a proxy in
// front of us may hand requests on with that path or without it. Where the whole path
// is mounted it is left as it is, so that no endpoint is hidden by an external URL that begins alike.
func (p *Port) below(r *http.Request) *http.Request {
	prefix := p.f.prefix
	rest, ok := strings.CutPrefix(r.URL.Path, prefix)
	if prefix == "" || !ok || rest != "" && rest[0] != '/' {
		return r
	}
	if _, pattern := p.mux.Handler(r); pattern != "" && pattern != "/" {
		return r
	}
	stripped, to := *r, *r.URL
	to.Path, to.RawPath = "/"+strings.TrimPrefix(rest, "/"), ""
	if raw, ok := strings.CutPrefix(r.URL.RawPath, prefix); ok { // the path is escaped otherwise than usual
		to.RawPath = "/" + strings.TrimPrefix(raw, "/")
	}
	stripped.URL = &to
	return &stripped
}
