package api

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/api/health"
	"github.com/signalbox-project/signalbox/internal/probe"
)

type threeProbes struct{}

func (threeProbes) Probes(context.Context) []probe.Probe {
	of := func(name, state, service string) probe.Probe {
		return probe.Probe{Name: name, State: state, Labels: map[string]string{"service": service}}
	}
	return []probe.Probe{of("a", "up", "edge"), of("b", "down", "edge"), of("c", "down", "layout")}
}

func TestProbesAreSelectedByServiceAndState(t *testing.T) {
	a, err := New(DefaultConfig(), Deps{Health: health.Deps{Probes: threeProbes{}}})
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]string{
		"": {"a", "b", "c"}, "?service=edge": {"a", "b"}, "?state=down": {"b", "c"}, "?service=edge&state=down": {"b"}, "?service=nobody": {},
	} {
		rec := get(a, "/sb/v1/probes"+query)
		var list health.ProbesResponse
		if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil || rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s %v", query, rec.Code, rec.Body, err)
		}
		got := []string{}
		for _, p := range list.Probes {
			got = append(got, p.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	if rec := get(a, "/sb/v1/probes?state=asleep"); rec.Code < 400 {
		t.Errorf("a state that there is not: %d", rec.Code)
	}
}
