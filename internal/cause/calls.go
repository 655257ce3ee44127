package cause

import (
	"slices"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Calls is who calls whom, and what of it fails.
type Calls struct {
	callees map[string][]string
	errors  map[[2]string]float64 // failed calls, by caller and callee
	// Failed is the number of failed requests by who served them; nil when not known.
	Failed map[string]float64
}

// NewCalls takes every call that was made at least so often. Who sends messages
// does not wait for those who take them, so queues are left out.
func NewCalls(edges []model.Edge, least uint64) Calls {
	c := Calls{callees: map[string][]string{}, errors: map[[2]string]float64{}}
	for _, e := range edges {
		if e.Kind == "queue" || e.Calls < least || e.Client == e.Server {
			continue
		}
		if !slices.Contains(c.callees[e.Client], e.Server) { // one calls another in several ways
			c.callees[e.Client] = append(c.callees[e.Client], e.Server)
		}
		c.errors[[2]string{e.Client, e.Server}] += float64(e.Errors)
	}
	return c
}

// Explained says whether failed calls make up so great a share of the caller's
// failed requests; it does where nothing is known of requests.
func (c Calls) Explained(caller, callee string, share float64) bool {
	if c.Failed == nil || share == 0 {
		return true
	}
	failed := c.errors[[2]string{caller, callee}]
	return failed > 0 && failed >= share*c.Failed[caller]
}

// AnyCall takes every call for a dependency.
func AnyCall(string, string) bool { return true }

// Path is a shortest way between two services of at most hops calls that
// count, both included; nil when there is none.
func (c Calls) Path(from, to string, hops int, counts func(caller, callee string) bool) []string {
	came := map[string]string{from: ""}
	for at := []string{from}; len(at) > 0 && hops > 0; hops-- {
		var next []string
		for _, s := range at {
			for _, callee := range c.callees[s] {
				if _, seen := came[callee]; seen || !counts(s, callee) {
					continue
				}
				came[callee] = s
				if callee == to {
					return back(came, to)
				}
				next = append(next, callee)
			}
		}
		at = next
	}
	return nil
}

func back(came map[string]string, to string) []string {
	var out []string
	for s := to; s != ""; s = came[s] {
		out = append(out, s)
	}
	slices.Reverse(out)
	return out
}
