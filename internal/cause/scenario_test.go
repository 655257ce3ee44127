package cause

import (
	"slices"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// at is a marker of a service, in minutes from the onset.
func at(service string, minutes float64, kind, version string) model.Deploy {
	return model.Deploy{Service: service, Time: onset.Add(time.Duration(minutes * float64(time.Minute))), Kind: kind, Version: version, Status: "succeeded"}
}

// Evenings as they are told afterwards: what was done, what called what, and who was to be named.
func TestWhoIsNamedInAnEvening(t *testing.T) {
	versions := func(service string, vs ...Version) map[string][]Version { return map[string][]Version{service: vs} }
	for _, c := range []struct {
		name   string
		asked  float64 // minutes after the onset
		facts  Facts
		kind   string
		change string // version of the change named
		text   string
	}{
		{
			name: "the version that was rolled back an hour ago is not the culprit, the setting after it is", asked: 30,
			facts: Facts{
				Changes:  []model.Deploy{at("edge", -50, "deploy", "2.5.0"), at("edge", -40, "rollback", "2.4.1"), at("edge", -1, "config", "pool-5")},
				Versions: versions("edge", Version{"2.4.1", 50, 20}),
			},
			kind: model.CauseChange, change: "pool-5", text: ", right after the change pool-5",
		},
		{
			name: "nor is it after the rollback when nothing else was done", asked: 30,
			facts: Facts{
				Changes:  []model.Deploy{at("edge", -1, "deploy", "2.5.0"), at("edge", 5, "rollback", "2.4.1")},
				Versions: versions("edge", Version{"2.4.1", 50, 20}),
			},
			kind: model.CauseUnknown, text: ", not by version 2.5.0, which was rolled back at 14:07 UTC, and it went on",
		},
		{
			name: "an upstream that burns comes first, with what was done to it, not the symptom's own release a moment before", asked: 5,
			facts: Facts{
				Changes: []model.Deploy{at("edge", -0.5, "deploy", "9.9.9"), at("pay", -4, "config", "flag checkout-v2 on")},
				Edges:   []model.Edge{call("edge", "pay", 48)}, Failed: map[string]float64{"edge": 50, "pay": 48},
				Failing: []Failing{{Service: "pay", Since: onset.Add(-3 * time.Minute), What: "pay-availability"}},
			},
			kind: model.CauseUpstream, change: "flag checkout-v2 on",
			text: ", because pay, which edge calls (edge calls pay), has failed since 13:59 UTC, right after the change flag checkout-v2 on",
		},
		{
			name: "an upstream that burns without a change is named without one", asked: 5,
			facts: Facts{
				Changes: []model.Deploy{at("edge", -0.5, "deploy", "9.9.9")}, Edges: []model.Edge{call("edge", "pay", 48)},
				Failed: map[string]float64{"edge": 50, "pay": 48}, Failing: []Failing{{Service: "pay", Since: onset.Add(-3 * time.Minute)}},
			},
			kind: model.CauseUpstream, text: ", because pay, which edge calls (edge calls pay), has failed since 13:59 UTC",
		},
		{
			name: "a flag that was switched is a change of settings, whatever version runs", asked: 10,
			facts: Facts{
				Changes:  []model.Deploy{at("edge", -2, "config", "flag new-cart on")},
				Versions: versions("edge", Version{"1", 10, 5}),
			},
			kind: model.CauseChange, change: "flag new-cart on", text: ", right after the change flag new-cart on",
		},
		{
			name: "a flag that was switched off again is not what goes on", asked: 30,
			facts: Facts{Changes: []model.Deploy{at("edge", -2, "config", "flag new-cart on"), at("edge", 4, "rollback", "flag new-cart off")}},
			kind:  model.CauseUnknown, text: ", not by the change flag new-cart on, which was rolled back at 14:06 UTC, and it went on",
		},
		{
			name: "two changes at once cannot be told apart", asked: 10,
			facts: Facts{Changes: []model.Deploy{at("edge", -1, "deploy", "3.0.0"), at("edge", -1.5, "config", "pool-5")}},
			kind:  model.CauseChange, change: "3.0.0", text: ", right after version 3.0.0, with the change pool-5 at the same time",
		},
		{
			name: "unless the traffic tells them apart", asked: 10,
			facts: Facts{
				Changes:  []model.Deploy{at("edge", -1, "deploy", "3.0.0"), at("edge", -1.5, "config", "pool-5")},
				Versions: versions("edge", Version{"2.9.0", 40, 20}, Version{"3.0.0", 10, 0}),
			},
			kind: model.CauseChange, change: "pool-5", text: ", right after the change pool-5",
		},
		{
			name: "two services released at once: each answers for itself", asked: 10,
			facts: Facts{Changes: []model.Deploy{at("cart", -1, "deploy", "7"), at("edge", -1, "deploy", "8")}},
			kind:  model.CauseChange, change: "8", text: ", right after version 8",
		},
		{
			name: "one rollout told twice is one", asked: 10,
			facts: Facts{Changes: []model.Deploy{at("edge", -1, "deploy", "8"), at("edge", -0.5, "deploy", "8")}},
			kind:  model.CauseChange, change: "8", text: ", right after version 8",
		},
		{
			name: "a release and the rollback of another a minute later: the release", asked: 3,
			facts: Facts{Changes: []model.Deploy{at("edge", -2, "deploy", "8"), at("edge", -1, "rollback", "7")}},
			kind:  model.CauseChange, change: "8", text: ", right after version 8, undone at 14:01 UTC",
		},
		{name: "nobody did anything: nobody is named", asked: 10, kind: model.CauseUnknown},
		{
			name: "only others did something: nobody is named", asked: 10,
			facts: Facts{Changes: []model.Deploy{at("cart", -1, "deploy", "7"), at("pay", -2, "config", "pool-5")}}, kind: model.CauseUnknown,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Symptom{Service: "edge", Since: onset, At: onset.Add(time.Duration(c.asked * float64(time.Minute))), Window: 5 * time.Minute}
			got := Of(s, c.facts)
			named := ""
			if got.Change != nil {
				named = got.Change.Version
			}
			if got.Kind != c.kind || named != c.change || got.Text != c.text {
				t.Errorf("got  %s %q %q\nwant %s %q %q", got.Kind, named, got.Text, c.kind, c.change, c.text)
			}
			// The order in which facts are told is no fact.
			slices.Reverse(c.facts.Changes)
			if again := Of(s, c.facts); again.Text != got.Text {
				t.Errorf("told backwards: %q, and forwards: %q", again.Text, got.Text)
			}
		})
	}
}
