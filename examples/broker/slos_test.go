package broker_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/gate"
	"github.com/signalbox-project/signalbox/internal/slo"
	"github.com/signalbox-project/signalbox/internal/slo/definition"
	"github.com/signalbox-project/signalbox/internal/store/filter"
)

// The UI's own test makes these filters from the documents in slos; here they
// are read by what answers them.
func TestTheFiltersOfBadTracesAreReadByTheServer(t *testing.T) {
	text, err := os.ReadFile("../../web/src/slo/testdata/demo-bad-traces.json")
	if err != nil {
		t.Fatal(err)
	}
	var links map[string]struct{ Q, Word string }
	if err := json.Unmarshal(text, &links); err != nil {
		t.Fatal(err)
	}
	filters := map[string]string{
		"codes and a class":  "http.response.status_code:(>=500 OR 429)",
		"two ranges":         "-http.response.status_code:((>=200 <300) OR 404 OR >=500)",
		"values and a class": "kind:server -service:a region:(eu-1 OR us-2) error.type:* -error.type:* NOT (-a:>=500 -b:\"/x\")",
	}
	for name, link := range links {
		filters[name] = link.Q
	}
	if len(links) != 18 {
		t.Errorf("%d SLOs have a link, the README says there are 18", len(links))
	}
	for name, text := range filters {
		if _, err := filter.Parse(text); err != nil {
			t.Errorf("%s: %s: %v", name, text, err)
		}
	}
}

// A window that a policy asks for and an SLO does not measure makes each of the
// service's releases "insufficient data", for good.
func TestEverySLOMeasuresTheWindowsThatThePoliciesAskFor(t *testing.T) {
	set, problems := gate.LoadPolicies([]string{"policies/*.yml"}, gate.DefaultPolicy())
	if len(problems) > 0 || len(set.Named) == 0 {
		t.Fatalf("%d policies: %v", len(set.Named), problems)
	}
	defs, wrong := definition.Load([]string{"slos/*.yaml"})
	if len(wrong) > 0 || len(defs) != 18 {
		t.Fatalf("%d SLOs: %v", len(defs), wrong)
	}
	for _, d := range defs {
		measured := d.BurnWindows(slo.DefaultConfig().BurnAlerts)
		for _, p := range set.Named {
			for _, rule := range []gate.BurnRule{p.Rules.BurnFast, p.Rules.BurnSlow} {
				for _, w := range []time.Duration{time.Duration(rule.Long), time.Duration(rule.Short)} {
					if !slices.Contains(measured, w) {
						t.Errorf("%s does not measure %s, which the policy %s asks for; it measures %s", d.Name, w, p.Name, measured)
					}
				}
			}
		}
	}
}
