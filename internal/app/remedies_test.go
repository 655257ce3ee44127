package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/signalbox-project/signalbox/internal/remedy/contract"
	"github.com/signalbox-project/signalbox/internal/remedy/engine"
)

// Nothing is done to a service that was just deployed, that the gate holds or that has an open incident, and nothing where that cannot be known.
func TestWhatFreezesARemedy(t *testing.T) {
	r := start(t, nil)
	for path, body := range map[string]string{
		"/sb/v1/deploys":   `{"service":"edge","environment":"prod","version":"2.5.0"}`,
		"/sb/v1/gate":      `{"service":"mail","environment":"prod","version":"7"}`,
		"/sb/v1/incidents": `{"title":"Layouts are slow","severity":"P2","services":["layout"],"by":"ann"}`,
	} {
		if status, text := r.do(t, http.MethodPost, path, "application/json", body); status/100 != 2 {
			t.Fatalf("%s: %d %s", path, status, text)
		}
	}
	all := contract.Freeze{Gate: true, Incident: true, DeployWithin: model.Duration(10 * time.Minute)}
	for _, c := range []struct {
		name, service string
		freeze        contract.Freeze
		says          string // "" is not frozen
	}{
		{"a deployment", "edge", all, "2.5.0"},
		{"a deployment that is not asked for", "edge", contract.Freeze{Gate: true, Incident: true}, ""},
		{"a gate that did not allow", "mail", all, "the gate said insufficient"},
		{"an incident", "layout", all, "the open incident"},
		{"nothing of it", "file-server", all, ""},
		{"an alert without a service that nothing is asked of", "", contract.Freeze{}, ""},
	} {
		got, err := r.frozen(t.Context(), c.freeze, engine.Subject{Service: c.service}, time.Now())
		if err != nil || (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
	if got, err := r.frozen(t.Context(), all, engine.Subject{Service: "edge"}, time.Now().Add(11*time.Minute)); got != "" || err != nil {
		t.Errorf("eleven minutes after a deployment: %q, %v", got, err)
	}
	if _, err := r.frozen(t.Context(), all, engine.Subject{}, time.Now()); err == nil {
		t.Error("an alert without a service is not frozen, although nobody can know")
	}
}
