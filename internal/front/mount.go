package front

import (
	"errors"
	"maps"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
)

// defaultMaxBody bounds the bodies of mounts that name no bound.
const defaultMaxBody = 1 << 20

// Mount is a handler and what the front does for it.
type Mount struct {
	Handler http.Handler
	// Needs says which permission each request needs; a mount without it is shut.
	Needs Needs
	// MaxBody bounds the body as it is sent, in bytes; 0 is 1 MiB.
	MaxBody int64
	// Sensitive mounts are kept from pages of other origins whatever the method:
	// asking is the harm.
	Sensitive bool
	// CORS says which other origins may call; nil none.
	CORS *CORS
	// Refuse answers a refusal in the mount's own shape; nil answers text.
	Refuse func(http.ResponseWriter, *http.Request, Refusal)
}

// MountInfo names a mount.
type MountInfo struct {
	Port    string
	Pattern string
}

// Refusal is why a request is not handed on.
type Refusal struct {
	Status  int
	Reason  string // for counters
	Message string // names the cure
	// RetryAfter, in seconds, if the same request may be sent again.
	RetryAfter int
	// Header is sent with the answer: WWW-Authenticate, Allow.
	Header http.Header
}

// Port is one listening address; its mounts are those of an http.ServeMux.
type Port struct {
	f    *Front
	name string
	mux  *http.ServeMux
}

// Port makes a port without mounts.
func (f *Front) Port(name string) *Port {
	return &Port{f: f, name: name, mux: http.NewServeMux()}
}

// Mount makes a handler reachable below a pattern of http.ServeMux.
func (p *Port) Mount(pattern string, m Mount) {
	if m.MaxBody == 0 {
		m.MaxBody = defaultMaxBody
	}
	if m.Needs == nil {
		m.Needs = Always(access.Undeclared)
	}
	if m.Refuse == nil {
		m.Refuse = refuseWithText
	}
	info := MountInfo{Port: p.name, Pattern: pattern}
	p.f.mu.Lock()
	p.f.mounts = append(p.f.mounts, info)
	p.f.mu.Unlock()
	p.mux.Handle(pattern, &mounted{p: p, mount: m, info: info})
}

// mounted is a mount as the mux knows it.
type mounted struct {
	p     *Port
	mount Mount
	info  MountInfo
}

// ServeHTTP implements http.Handler.
func (m *mounted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.p.pass(w, r, m.mount, m.info)
}

// ServeHTTP answers one request of the port. What the mux answers by itself,
// that there is nothing here or that the path is written otherwise, passes like the rest.
func (p *Port) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = p.f.before.of(p.below(r))
	h, _ := p.mux.Handler(r)
	if _, ours := h.(*mounted); ours {
		p.mux.ServeHTTP(w, r)
		return
	}
	p.pass(w, r, Mount{Handler: h, Needs: Always(access.Open), MaxBody: defaultMaxBody, Refuse: refuseWithText}, MountInfo{Port: p.name})
}

// pass is the way of every request.
func (p *Port) pass(w http.ResponseWriter, r *http.Request, m Mount, info MountInfo) {
	began := time.Now()
	control := http.NewResponseController(w)
	// From here on, and also when a refusal leaves the body unread. A recorder
	// in a test knows no deadlines.
	_ = control.SetReadDeadline(began.Add(time.Duration(p.f.cfg.BodyTimeout)))
	sw := &writer{ResponseWriter: w, control: control, timeout: time.Duration(p.f.cfg.WriteTimeout)}
	sw.extend()       // for "100 Continue"
	defer sw.extend() // what is still in the buffer goes out after this function
	defer p.recover(sw, r, m)
	secure(w.Header(), r)
	if refusal := p.checkSite(r, m); refusal != nil {
		p.refuse(sw, r, m, *refusal)
		return
	}
	if m.CORS.answer(sw, r) {
		return
	}
	p.admitted(sw, r, m, info, began)
}

// admitted hands a request on for somebody who may ask it.
func (p *Port) admitted(w *writer, r *http.Request, m Mount, info MountInfo, began time.Time) {
	needs := m.Needs.Needs(r)
	who, release, refusal := p.f.hooks.enter(r, needs, info)
	if needs == access.Undeclared {
		refusal = nothingHere(r, m.Needs.Methods(r))
	}
	if p.f.hooks.Audit != nil {
		defer func() {
			p.f.hooks.Audit(Ended{Access: who, Permission: needs, Mount: info, Request: r, Status: w.answered(), Bytes: w.bytes, Refusal: refusal, Began: began})
		}()
	}
	if release != nil {
		defer release()
	}
	if refusal == nil {
		var done func()
		done, refusal = p.f.callers.enter(who, m.Needs, r)
		defer done()
	}
	if refusal != nil {
		p.refuse(w, r, m, *refusal)
		return
	}
	body, refusal := p.f.receive(r, payer(who), m.MaxBody)
	defer body.free()
	if refusal == nil {
		var leave func()
		if leave, refusal = p.f.turn(r, who, m.Needs); leave != nil {
			defer leave()
		}
	}
	if refusal != nil {
		p.refuse(w, r, m, *refusal)
		return
	}
	// The body is here. The server goes on reading for the client's end; a deadline that met it there would cancel the request
	// of a client that waits.
	_ = w.control.SetReadDeadline(time.Time{})
	m.Handler.ServeHTTP(w, body.request(r.WithContext(access.With(r.Context(), who))))
}

// secure sets what every answer tells a browser. An answer that is a page of its own, such as the UI, says more; one that is the same
// for everybody, such as its files, may be kept.
func secure(h http.Header, r *http.Request) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// refuse answers and closes: what is left of the request is not read.
func (p *Port) refuse(w http.ResponseWriter, r *http.Request, m Mount, ref Refusal) {
	p.f.met.refused.WithLabelValues(p.name, ref.Reason).Inc()
	p.f.log.DebugContext(r.Context(), "request refused", "port", p.name, "method", r.Method, "path", r.URL.Path,
		"reason", ref.Reason, "message", ref.Message, "remote", r.RemoteAddr)
	w.Header().Set("Connection", "close")
	maps.Copy(w.Header(), ref.Header)
	if ref.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(ref.RetryAfter))
	}
	m.Refuse(w, r, ref)
}

// recover turns a panic into an answer, and into a log line that says where.
func (p *Port) recover(w *writer, r *http.Request, m Mount) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	p.f.met.panics.Inc()
	p.f.log.ErrorContext(r.Context(), "panic while serving", "port", p.name, "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
	if w.status == 0 {
		p.refuse(w, r, m, Refusal{Status: http.StatusInternalServerError, Reason: "panic", Message: "internal error; the log of Signalbox says more"})
	}
}

func refuseWithText(w http.ResponseWriter, _ *http.Request, ref Refusal) {
	http.Error(w, ref.Message, ref.Status)
}

// writer remembers the status and gives every piece of an answer its time to
// be taken.
type writer struct {
	http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	status  int
	bytes   int64 // of the answer
}

// Unwrap lets a ResponseController find the connection.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) extend() { _ = w.control.SetWriteDeadline(time.Now().Add(w.timeout)) }

func (w *writer) answered() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// WriteHeader implements http.ResponseWriter.
func (w *writer) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.extend()
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *writer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.extend()
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush is there for handlers that look for http.Flusher.
func (w *writer) Flush() {
	w.extend()
	_ = w.control.Flush() // a client that went away is told by the next Write
}
