package simulate

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// In a filter, tenant is the field of the server's own tenants and hides an
// attribute of that name: the simulated customers have another.
func TestSpansAndLogsNameTheirCustomerWhereAFilterFindsIt(t *testing.T) {
	r, _ := simulated(t, config(5*time.Second), nil)
	if len(r.spans) == 0 || len(r.logs) == 0 {
		t.Fatalf("%d spans and %d logs", len(r.spans), len(r.logs))
	}
	for _, s := range r.spans {
		set := attribute.NewSet(s.Attributes()...)
		if v, ok := set.Value("customer"); !ok || v.AsString() == "" || set.HasValue("tenant") {
			t.Fatalf("span %s: %v", s.Name(), s.Attributes())
		}
	}
	for _, l := range r.logs {
		keys := map[string]string{}
		l.WalkAttributes(func(kv attribute.KeyValue) bool { keys[string(kv.Key)] = kv.Value.String(); return true })
		if _, hidden := keys["tenant"]; hidden || keys["customer"] == "" {
			t.Fatalf("log %q: %v", l.Body(), keys)
		}
	}
}
