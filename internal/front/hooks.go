package front

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Hooks are asked about every request, in the order of the fields. A nil hook lets everything pass: without
// authentication whoever reaches us is nobody in particular and may do everything.
type Hooks struct {
	// Identify says who asks, or refuses. It is not asked about endpoints that are open.
	Identify func(*http.Request) (access.Identity, *Refusal)
	// Authorize says what an identity may see with a permission, for the tenant that the request names ("" for none),
	// or refuses.
	Authorize func(id access.Identity, tenant string, p access.Permission) (access.Access, *Refusal)
	// Admit holds the caller to its limits; release is called when the request ended.
	Admit func(*access.Access, MountInfo) (release func(), refusal *Refusal)
	// Audit is told of every request that ended.
	Audit func(Ended)
}

// Ended is a request that was answered.
type Ended struct {
	Access     *access.Access // never nil; without a subject where the caller was not identified
	Permission access.Permission
	Mount      MountInfo
	Request    *http.Request
	Status     int
	Refusal    *Refusal // nil where a handler answered
	Began      time.Time
}

// enter asks the hooks. The Access is never nil.
func (h Hooks) enter(r *http.Request, needs access.Permission, info MountInfo) (_ *access.Access, release func(), refusal *Refusal) {
	a := &access.Access{Notes: &access.Notes{}, Remote: RemoteOf(r)}
	if needs == access.Open || needs == access.Undeclared {
		a.Kind = access.Nobody
		return a, nil, nil
	}
	if refusal := h.identify(r, needs, a); refusal != nil {
		return a, nil, refusal
	}
	if h.Admit != nil {
		release, refusal = h.Admit(a, info)
	}
	return a, release, refusal
}

// identify fills a in.
func (h Hooks) identify(r *http.Request, needs access.Permission, a *access.Access) (refusal *Refusal) {
	tenant := r.Header.Get(model.TenantHeader)
	if h.Identify == nil {
		a.Kind, a.Scope, a.Unmasked = access.Nobody, access.Scope{All: true}, true
	} else if a.Identity, refusal = h.Identify(r); refusal != nil {
		return refusal
	}
	if h.Authorize == nil {
		if a.Tenant = tenant; tenant == "" {
			a.Tenant = model.DefaultTenant
		}
		return nil
	}
	got, refusal := h.Authorize(a.Identity, tenant, needs)
	if refusal != nil {
		return refusal
	}
	got.Notes, got.Remote = a.Notes, a.Remote
	*a = got
	return nil
}

// RemoteOf is the address of who asks, without its port.
func RemoteOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// NoSuchTenant refuses a tenant that is not there, and, in the same words, one that the caller may not see.
func NoSuchTenant(name string) *Refusal {
	return &Refusal{
		Status: http.StatusNotFound, Reason: "tenant",
		Message: fmt.Sprintf("tenant %q is not one of this server's, or you may not use it: name another in %s, add it under tenants: in the configuration, or ask for access", name, model.TenantHeader),
	}
}

// nothingHere refuses what no endpoint declares.
func nothingHere(r *http.Request, methods []string) *Refusal {
	if len(methods) == 0 {
		return &Refusal{Status: http.StatusNotFound, Reason: "not_found", Message: "no such endpoint: " + r.URL.Path}
	}
	allow := strings.Join(methods, ", ")
	return &Refusal{
		Status: http.StatusMethodNotAllowed, Reason: "method", Message: r.Method + " is not allowed here; use " + allow,
		Header: http.Header{"Allow": {allow}},
	}
}

// Enter asks the hooks about a request that does not come over HTTP, such as gRPC's, told in HTTP's words. The context
// answered has the Access; done is called when the request ended, with its status in HTTP's words.
func (f *Front) Enter(r *http.Request, needs access.Permission, info MountInfo) (_ context.Context, done func(status int), refusal *Refusal) {
	began := time.Now()
	r = f.before.of(r)
	who, release, refusal := f.hooks.enter(r, needs, info)
	done = func(status int) {
		if release != nil {
			release()
		}
		if f.hooks.Audit != nil {
			f.hooks.Audit(Ended{Access: who, Permission: needs, Mount: info, Request: r, Status: status, Refusal: refusal, Began: began})
		}
	}
	if refusal != nil {
		f.met.refused.WithLabelValues(info.Port, refusal.Reason).Inc()
		done(refusal.Status)
		return nil, nil, refusal
	}
	return access.With(r.Context(), who), done, nil
}
