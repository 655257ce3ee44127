package front

import (
	"net/http"
	"regexp"
	"strings"
)

// preflightAge is how long a browser may remember an answer, in seconds.
const preflightAge = "7200"

// CORS lets pages of other origins call a mount. A nil CORS allows none.
type CORS struct {
	any     bool
	match   func(origin string) bool
	methods string
	expose  string
}

// NewCORS allows the origins of a list, in which a host may have one * and "*"
// alone means every origin; an empty list allows none. methods are those that the mount has.
func NewCORS(origins []string, methods ...string) *CORS {
	if len(origins) == 0 {
		return nil
	}
	var patterns []string
	c := &CORS{methods: strings.Join(methods, ", "), expose: "Retry-After"}
	for _, o := range origins {
		if o == "*" {
			c.any = true
		}
		// A star stands for labels of a host name, never for a port or a path.
		patterns = append(patterns, strings.ReplaceAll(regexp.QuoteMeta(strings.ToLower(o)), `\*`, `[a-z0-9.-]+`))
	}
	c.match = regexp.MustCompile("^(?:" + strings.Join(patterns, "|") + ")$").MatchString
	return c
}

// MatchCORS allows the origins that match says; the handler sets its own headers.
func MatchCORS(match func(origin string) bool) *CORS { return &CORS{match: match} }

func (c *CORS) allows(origin string) bool {
	return c != nil && origin != "" && (c.any || c.match(strings.ToLower(origin)))
}

func preflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// answer sets the headers that let the page read the answer, whatever it will
// be, and answers a preflight itself.
func (c *CORS) answer(w http.ResponseWriter, r *http.Request) (done bool) {
	origin := r.Header.Get("Origin")
	if c == nil || c.methods == "" {
		return c.unmanaged(w, r)
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !c.allows(origin) {
		return c.unmanaged(w, r)
	}
	if c.any {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		// sendBeacon always sends credentials, and browsers refuse * with them.
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if !preflight(r) {
		h.Set("Access-Control-Expose-Headers", c.expose)
		return false
	}
	h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", c.methods)
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", preflightAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}

// unmanaged leaves the answer to the handler. Where nobody is allowed the handler is not
// told of the origin: some answer every one with a permission.
func (c *CORS) unmanaged(w http.ResponseWriter, r *http.Request) (done bool) {
	if c.allows(r.Header.Get("Origin")) {
		return false
	}
	if preflight(r) {
		w.WriteHeader(http.StatusNoContent) // without a permission the browser stops here
		return true
	}
	r.Header.Del("Origin")
	return false
}
