package backtest

import (
	"errors"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/gate"
)

// readPolicies reads policy files as the gate does, over the gate section in
// force.
func (r *Replayer) readPolicies(docs []Document) (gate.Set, error) {
	set := gate.Set{Default: r.deps.Policies.Set().Default, Named: []gate.NamedPolicy{}}
	var errs []error
	names := map[string]string{}
	for _, doc := range docs {
		named, problems := gate.ParsePolicies(doc.Name, []byte(doc.Text), set.Default)
		for _, p := range problems {
			errs = append(errs, p)
		}
		for _, n := range named {
			if first, twice := names[n.Name]; twice {
				errs = append(errs, fmt.Errorf("%s: policy %s was defined before, in %s", doc.Name, n.Name, first))
			}
			names[n.Name] = doc.Name
		}
		set.Named = append(set.Named, named...)
	}
	if len(errs) > 0 {
		return set, badRequest{errors.Join(errs...)}
	}
	return set, nil
}
