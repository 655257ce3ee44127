package front

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
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
	Bytes      int64    // of the answer, where it went over HTTP
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
	a.Needs = needs
	if h.Admit != nil {
		release, refusal = h.Admit(a, info)
	}
	return a, release, refusal
}

// identify fills a in.
func (h Hooks) identify(r *http.Request, needs access.Permission, a *access.Access) (refusal *Refusal) {
	tenants, refusal := tenantsOf(r.Header.Get(model.TenantHeader), needs)
	if refusal != nil {
		return refusal
	}
	if h.Identify == nil {
		a.Kind, a.Scope, a.Unmasked = access.Nobody, access.Scope{All: true}, true
	} else if a.Identity, refusal = h.Identify(r); refusal != nil {
		return refusal
	}
	if len(tenants) == 1 {
		return h.authorize(a, tenants[0], needs)
	}
	asked := *a
	a.Tenant, a.Scope, a.Unmasked = strings.Join(tenants, severalTenants), access.Scope{}, true
	for _, t := range tenants {
		one := asked
		if refusal := h.authorize(&one, t, needs); refusal != nil {
			return refusal
		}
		a.Across, a.Unmasked = append(a.Across, &one), a.Unmasked && one.Unmasked
	}
	return nil
}

func (h Hooks) authorize(a *access.Access, tenant string, needs access.Permission) *Refusal {
	if h.Authorize == nil {
		a.Tenant = cmp.Or(tenant, model.DefaultTenant)
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

// severalTenants stands between the names of tenants that one request reads, as in Mimir and Loki.
const severalTenants = "|"

// maxAcross bounds how many tenants one request reads.
const maxAcross = 64

// tenantsOf are the tenants that a header names, each once and in order. Several are read only, and by that which tells whose each
// row is.
func tenantsOf(header string, needs access.Permission) ([]string, *Refusal) {
	if !strings.Contains(header, severalTenants) {
		return []string{header}, nil
	}
	bad := func(message string) ([]string, *Refusal) {
		return nil, &Refusal{Status: http.StatusBadRequest, Reason: "tenant", Message: model.TenantHeader + ": " + message}
	}
	names := strings.Split(header, severalTenants)
	slices.Sort(names)
	names = slices.Compact(names)
	switch {
	case names[0] == "":
		return bad("a name between two | is empty")
	case len(names) > maxAcross:
		return bad(fmt.Sprintf("more than %d tenants", maxAcross))
	case len(names) > 1 && needs == access.SQLQuery:
		return bad("names several tenants, and SQL reads the files of one alone: ask each by itself, or search logs and traces of several together")
	case len(names) > 1 && !readsAcross(needs):
		return bad("names several tenants, which only PromQL, the search of logs and traces, and the lists of SLOs and services read together: name one")
	}
	return names, nil
}

func readsAcross(p access.Permission) bool {
	switch p {
	case access.MetricsRead, access.LogsRead, access.TracesRead, access.SLOsRead, access.ServicesRead:
		return true
	}
	return false
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
