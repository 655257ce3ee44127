package front

import (
	"net/http"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
)

// Needs says which permission a request needs. access.Undeclared is for what does not exist: nobody may ask
// for it, so that an endpoint that was added and not declared is shut.
type Needs interface {
	Needs(*http.Request) access.Permission
	// Methods are those with which the path of a request may be asked, where that is known.
	Methods(*http.Request) []string
}

// Work is what answering costs, for the limits of each caller.
type Work int

// The kinds of work.
const (
	Light    Work = iota // answered from memory, or a sender's
	Question             // reads telemetry
	Heavy                // reads much of it: a backtest, a report, SQL
)

// worker are Needs that know what a request costs; others are light.
type worker interface{ Work(*http.Request) Work }

// Always needs one permission for everything below a mount.
type Always access.Permission

// Needs implements Needs.
func (a Always) Needs(*http.Request) access.Permission { return access.Permission(a) }

// Methods implements Needs.
func (Always) Methods(*http.Request) []string { return nil }

// Route is one endpoint and the permission that it needs.
type Route struct {
	Pattern    string // of http.ServeMux, with a method: GET /api/v1/query
	Permission access.Permission
	Work       Work
}

// Routes are endpoints below a mount, each with its permission. They are filled before the first request.
type Routes struct {
	mux     *http.ServeMux
	list    []Route
	methods []string
}

// NewRoutes makes Routes of a list.
func NewRoutes(list ...Route) *Routes {
	rs := &Routes{mux: http.NewServeMux()}
	for _, r := range list {
		rs.Add(r)
	}
	return rs
}

// Add declares an endpoint.
func (rs *Routes) Add(r Route) {
	rs.list = append(rs.list, r)
	if method, _, ok := strings.Cut(r.Pattern, " "); ok && !slices.Contains(rs.methods, method) {
		rs.methods = append(rs.methods, method)
	}
	rs.mux.Handle(r.Pattern, declared(r))
}

// List are the endpoints in the order in which they were declared.
func (rs *Routes) List() []Route { return slices.Clone(rs.list) }

// Needs implements Needs: the permission of the endpoint that a request asks. One that asks with a method the endpoint does not have
// is shut like what does not exist, but for OPTIONS, which answers nothing that is stored.
func (rs *Routes) Needs(r *http.Request) access.Permission {
	h, _ := rs.mux.Handler(r)
	if d, ok := h.(declared); ok {
		return d.Permission
	}
	if r.Method == http.MethodOptions && len(rs.Methods(r)) > 0 {
		return access.Open
	}
	return access.Undeclared
}

// Work is what the endpoint of a request costs.
func (rs *Routes) Work(r *http.Request) Work {
	h, _ := rs.mux.Handler(r)
	d, _ := h.(declared)
	return d.Work
}

// Methods implements Needs.
func (rs *Routes) Methods(r *http.Request) []string {
	var out []string
	for _, m := range rs.methods {
		asked := *r
		asked.Method = m
		if h, _ := rs.mux.Handler(&asked); isDeclared(h) {
			out = append(out, m)
		}
	}
	slices.Sort(out)
	return out
}

// declared is an endpoint as a mux finds it; it is never served.
type declared Route

// ServeHTTP implements http.Handler.
func (declared) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

func isDeclared(h http.Handler) bool {
	_, ok := h.(declared)
	return ok
}
