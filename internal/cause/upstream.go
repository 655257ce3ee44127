package cause

import (
	"cmp"
	"slices"

	"github.com/signalbox-project/signalbox/internal/model"
)

// found is an upstream that explains a symptom, with the calls between.
type found struct {
	failing Failing
	path    []string // of services, from the symptom's to the upstream's
}

// upstream finds the service that a symptom comes from: the one that alerting
// names, else a root (one that no other failing service explains), else the nearest, else
// the one that began first.
func upstream(s Symptom, f Facts) (found, bool) {
	g := ways{Calls: NewCalls(f.Edges, minCalls), leads: map[string]map[string]bool{}}
	g.Failed = f.Failed
	all := candidates(s, f, g)
	if len(all) == 0 {
		return found{}, false
	}
	root := func(c found) int {
		if f.Named != "" && c.failing.Service == f.Named {
			return 0
		}
		own := Symptom{Service: c.failing.Service, Environment: c.failing.Environment, Region: c.failing.Region, Since: c.failing.Since, At: s.At, Slow: s.Slow}
		if len(candidates(own, f, g)) == 0 {
			return 1
		}
		return 2
	}
	return slices.MinFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(root(a), root(b)), cmp.Compare(len(a.path), len(b.path)),
			a.failing.Since.Compare(b.failing.Since), cmp.Compare(a.failing.Service, b.failing.Service))
	}), true
}

func candidates(s Symptom, f Facts, g ways) []found {
	var out []found
	for _, c := range f.Failing {
		if c.Service == s.Service || c.Service == "" || !same(s.Environment, c.Environment) || !same(s.Region, c.Region) || c.Since.After(s.Since.Add(startsWithin)) {
			continue
		}
		path := g.Path(s.Service, c.Service, maxHops, func(caller, callee string) bool {
			return s.Slow || g.explain(caller, callee, c.Service)
		})
		if path == nil && c.Service == f.Named {
			path = []string{s.Service, c.Service} // alerting saw the calls
		}
		if path == nil {
			continue
		}
		// Services that call each other explain each other: the one that began first
		// is the cause.
		if g.Path(c.Service, s.Service, maxHops, AnyCall) != nil && !c.Since.Before(s.Since) {
			continue
		}
		out = append(out, found{failing: c, path: path})
	}
	return out
}

// ways are calls with what is known of where failed ones lead.
type ways struct {
	Calls
	leads map[string]map[string]bool // by service: who comes to it by failed calls, itself included
}

// explain says whether a caller's failed call to a callee is on a way to a service, and all its failed calls
// on such ways explain the caller's failed requests: of three callees that fail for one database,
// none explains half by itself.
func (w ways) explain(caller, callee, to string) bool {
	if w.Failed == nil {
		return true
	}
	leads := w.leading(to)
	if !leads[callee] || w.errors[[2]string{caller, callee}] == 0 {
		return false
	}
	failed := 0.0
	for _, other := range w.callees[caller] {
		if leads[other] {
			failed += w.errors[[2]string{caller, other}]
		}
	}
	return failed >= minExplained*w.Failed[caller]
}

func (w ways) leading(to string) map[string]bool {
	if known, ok := w.leads[to]; ok {
		return known
	}
	out := map[string]bool{to: true}
	for range maxHops {
		var more []string
		for caller, callees := range w.callees {
			if !out[caller] && slices.ContainsFunc(callees, func(s string) bool { return out[s] && w.errors[[2]string{caller, s}] > 0 }) {
				more = append(more, caller)
			}
		}
		for _, s := range more {
			out[s] = true
		}
	}
	w.leads[to] = out
	return out
}

// same says whether two places may be the same one; "" is not known.
func same(a, b string) bool { return model.SameEnvironment(a, b) }
