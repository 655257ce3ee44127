package promql

import (
	"net/http"
	"slices"

	"github.com/signalbox-project/signalbox/internal/access"
)

// alertsApart answers rules and their alerts. Who is bound to namespaces sees the alerts whose label is one of them, and the rules that
// say themselves, by a label, that they are of one: a rule without that label is of all namespaces.
func (a *API) alertsApart(w http.ResponseWriter, r *http.Request) {
	scope := access.ScopeOf(r.Context())
	if scope.All {
		a.router.ServeHTTP(w, r)
		return
	}
	r = r.Clone(r.Context())
	q := r.URL.Query()
	q.Del("group_limit") // a page would be of what is left out, too
	q.Del("group_next_token")
	r.URL.RawQuery = q.Encode()
	a.changed(w, r, func(answer any) any {
		top, _ := answer.(map[string]any)
		data, ok := top["data"].(map[string]any)
		if !ok {
			return answer // an error
		}
		if _, ok := data["alerts"]; ok {
			data["alerts"] = labelled(scope, data["alerts"])
		}
		if groups, ok := data["groups"].([]any); ok {
			data["groups"] = groupsOf(scope, groups)
		}
		return answer
	})
}

func groupsOf(scope access.Scope, groups []any) []any {
	return slices.DeleteFunc(groups, func(g any) bool {
		group, ok := g.(map[string]any)
		if !ok {
			return true
		}
		rules := labelled(scope, group["rules"])
		for _, rule := range rules {
			if rule, ok := rule.(map[string]any); ok && rule["alerts"] != nil {
				rule["alerts"] = labelled(scope, rule["alerts"])
			}
		}
		group["rules"] = rules
		return len(rules) == 0
	})
}

// labelled are the objects of a list whose label is a namespace of the scope.
func labelled(scope access.Scope, list any) []any {
	out := []any{}
	all, _ := list.([]any)
	for _, one := range all {
		o, _ := one.(map[string]any)
		ls, _ := o["labels"].(map[string]any)
		if namespace, _ := ls[access.NamespaceLabel].(string); scope.Sees(namespace) {
			out = append(out, one)
		}
	}
	return out
}
