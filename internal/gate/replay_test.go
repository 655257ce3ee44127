package gate

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
)

// measured is an SLO on, or a hair beside, one of the limits, or with
// something missing: what decisions are made of.
func measured() *rapid.Generator[model.SLOSnapshot] {
	hair := func(v float64) float64 { return math.Nextafter(v, math.Inf(1)) }
	below := func(v float64) float64 { return math.Nextafter(v, 0) }
	rates := []float64{0, 1, below(6), 6, hair(6), 13.9999, below(14), 14, hair(14), 21, math.NaN(), math.Inf(1)}
	shares := []float64{0, 0.42, below(0.5), 0.5, hair(0.5), below(0.75), 0.75, hair(0.75), below(1), 1, hair(1), 1.3, math.NaN()}
	return rapid.Custom(func(t *rapid.T) model.SLOSnapshot {
		s := oneSLO(named(rapid.SampledFrom([]string{"edge-ok", "edge-fast", "edge-fresh"}).Draw(t, "name")), used(rapid.SampledFrom(shares).Draw(t, "used")))
		if rapid.Bool().Draw(t, "burns") {
			for _, w := range []string{"5m", "30m", "1h", "6h"} {
				burn(w, rapid.SampledFrom(rates).Draw(t, "rate"))(&s)
			}
		}
		switch rapid.IntRange(0, 11).Draw(t, "odd") {
		case 0: // nothing was ever seen
			s = model.SLOSnapshot{Status: model.SLOStatus{Name: s.Status.Name, Service: "edge"}}
		case 1: // no traffic
			s.Status.Budget.Total, s.Status.Budget.Bad = 0, 0
			for i := range s.Status.Burn {
				s.Status.Burn[i].Events, s.Status.Burn[i].Rate = 0, 0
			}
		case 2: // exactly as many bad events as it takes, and one fewer
			events("1h", rapid.SampledFrom([]float64{5 / (14 * 0.005), 4 / (14 * 0.005)}).Draw(t, "events"), 1)(&s)
		case 3:
			events("1h", 1200, rapid.SampledFrom([]float64{0, 0.2499999, 0.25}).Draw(t, "coverage"))(&s)
		case 4:
			lastData(rapid.SampledFrom([]time.Duration{5 * time.Minute, 5*time.Minute + time.Nanosecond, 0, -time.Hour}).Draw(t, "stale"))(&s)
		case 5:
			s.Loaded = false
		case 6:
			s.Status.State, s.Status.Reason = model.SLOInsufficient, "Too few events."
		case 7:
			s.Status.Burn = s.Status.Burn[:rapid.IntRange(0, 3).Draw(t, "windows")]
		case 8:
			s.Status.Objective = rapid.SampledFrom([]float64{math.NaN(), 0, 1}).Draw(t, "objective")
		}
		return s
	})
}

// calm is an SLO that only its budget speaks of, so that allow and hold come up too.
func calm() *rapid.Generator[model.SLOSnapshot] {
	return rapid.Custom(func(t *rapid.T) model.SLOSnapshot {
		return oneSLO(used(rapid.SampledFrom([]float64{0, 0.42, 0.5, 0.75, 0.76, 0.9}).Draw(t, "used")))
	})
}

// decided asks a gate for a decision about random evidence, as it is stored.
func decided(t *testing.T, rt *rapid.T, key *sign.Key) (*Gate, *rooms, model.GateDecision) {
	rt.Helper()
	r := &rooms{slos: rapid.OneOf(rapid.SliceOfN(measured(), 0, 3), rapid.SliceOfN(calm(), 1, 1)).Draw(rt, "promises")}
	g := open(t, r, func(_ *Config, d *Deps) { d.Key = key })
	d, err := g.Decide(t.Context(), model.GateRequest{
		Service: "edge", Environment: "prod", Version: "2.4.1", Actor: "ci", Critical: rapid.Bool().Draw(rt, "critical"),
	})
	if err != nil {
		rt.Fatal(err)
	}
	return g, r, d
}

// TestWhatTheGateAnsweredReplaysToItself decides through the gate, stores as the
// store does, and replays; every verdict must come up.
func TestWhatTheGateAnsweredReplaysToItself(t *testing.T) {
	key, err := sign.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[model.Verdict]int{}
	rapid.Check(t, func(rt *rapid.T) {
		g, r, d := decided(t, rt, key)
		text, err := json.Marshal(r.saved[0])
		if err != nil {
			rt.Fatal(err)
		}
		var stored model.GateDecision
		if err := json.Unmarshal(text, &stored); err != nil {
			rt.Fatal(err)
		}
		r.saved[0] = stored
		replay, err := g.Replay(t.Context(), d.ID)
		if err != nil || !replay.Same || replay.Signature != "valid" || replay.Stored != d.Verdict || replay.Replayed != d.Verdict || replay.Decision.Summary != d.Summary {
			rt.Fatalf("was %s: %s; replay %+v, %v", d.Verdict, d.Summary, replay, err)
		}
		seen[d.Verdict]++
	})
	for _, v := range []model.Verdict{model.VerdictAllow, model.VerdictHold, model.VerdictBlock, model.VerdictInsufficient} {
		if seen[v] == 0 {
			t.Errorf("no evidence led to %s: %v", v, seen)
		}
	}
}

// noticed says whether a change of a stored decision is noticed: it cannot be
// read any more, its signature fails, or it says what it said before.
func noticed(key *sign.Key, before model.GateDecision, text []byte) bool {
	var d model.GateDecision
	if json.Unmarshal(text, &d) != nil {
		return true
	}
	return Verify(key.Public(), d) != nil || reflect.DeepEqual(d, before)
}

// TestAnyChangedByteOfAStoredDecisionIsNoticed changes every byte of one stored
// decision, and some of many. Of some bytes JSON and base64 do not care: then what is read is
// the same to the last field.
func TestAnyChangedByteOfAStoredDecisionIsNoticed(t *testing.T) {
	key, err := sign.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	stored := func(d model.GateDecision) (text []byte, read model.GateDecision) {
		t.Helper()
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatal(err)
		}
		return text, read
	}
	r := &rooms{slos: []model.SLOSnapshot{oneSLO(used(0.8))}}
	d, err := open(t, r, func(_ *Config, d *Deps) { d.Key = key }).Decide(t.Context(), model.GateRequest{Service: "edge", Environment: "prod", Version: "2.4.1"})
	if err != nil || d.Verdict != model.VerdictHold {
		t.Fatal(d.Verdict, err)
	}
	text, before := stored(d)
	for i := range text {
		text[i] ^= 1
		if !noticed(key, before, text) {
			t.Fatalf("byte %d became %q, and nobody noticed: …%s…", i, text[i], text[max(0, i-40):min(len(text), i+40)])
		}
		text[i] ^= 1
	}
	rapid.Check(t, func(rt *rapid.T) {
		_, _, d := decided(t, rt, key)
		text, before := stored(d)
		for range 20 {
			i, by := rapid.IntRange(0, len(text)-1).Draw(rt, "byte"), byte(rapid.IntRange(1, 255).Draw(rt, "by"))
			text[i] ^= by
			if !noticed(key, before, text) {
				rt.Fatalf("byte %d became %q, and nobody noticed: …%s…", i, text[i], text[max(0, i-40):min(len(text), i+40)])
			}
			text[i] ^= by
		}
	})
}

// TestTheStrictestPolicyWinsWhateverItsRule has two policies disagree in every
// way that they can.
func TestTheStrictestPolicyWinsWhateverItsRule(t *testing.T) {
	rules := map[string]string{
		"allow":        "  - {name: calm, match: {services: [edge]}}\n",
		"hold":         "  - {name: careful, match: {services: [ed*]}, rules: {caution_above: 0.2, hold_above: 0.4}}\n",
		"frozen hold":  "  - {name: closed, freezes: [{name: night, reason: nobody is there, start: 2026-03-02, end: 2026-03-03}]}\n",
		"frozen block": "  - {name: shut, freezes: [{name: move, reason: the data centre moves, start: 2026-03-02, end: 2026-03-03, effect: block}]}\n",
		"block":        "  - {name: strict, rules: {freeze_at: 0.42, hold_above: 0.3, caution_above: 0.2}}\n",
		"burn":         "  - {name: impatient, rules: {burn_fast: {long: 1h, short: 5m, factor: 1}}}\n",
		"insufficient": "  - {name: curious, rules: {burn_fast: {long: 2h, short: 5m, factor: 14}}}\n",
		"another's":    "  - {name: foreign, match: {services: [layout]}, rules: {freeze_at: 0.1, hold_above: 0.1, caution_above: 0.1}}\n",
	}
	for _, c := range []struct {
		a, b     string
		critical bool
		want     model.Verdict
		by       string
	}{
		{"allow", "hold", false, model.VerdictHold, "careful"},
		{"allow", "hold", true, model.VerdictAllow, ""},
		{"allow", "another's", false, model.VerdictAllow, "calm"},
		{"hold", "block", false, model.VerdictBlock, "strict"},
		{"hold", "block", true, model.VerdictBlock, "strict"},
		{"hold", "burn", true, model.VerdictBlock, "impatient"},
		{"allow", "insufficient", false, model.VerdictInsufficient, "curious"},
		{"hold", "insufficient", false, model.VerdictHold, "careful"},
		{"hold", "insufficient", true, model.VerdictInsufficient, "curious"},
		{"insufficient", "block", false, model.VerdictBlock, "strict"},
		{"insufficient", "frozen block", false, model.VerdictBlock, "shut"},
		{"allow", "frozen hold", false, model.VerdictHold, "closed"},
		{"allow", "frozen hold", true, model.VerdictAllow, ""},
		{"frozen hold", "frozen block", true, model.VerdictBlock, "shut"},
		{"burn", "frozen block", false, model.VerdictBlock, "impatient"},
	} {
		for _, order := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			named, problems := ParsePolicies("p.yml", []byte("policies:\n"+rules[order[0]]+rules[order[1]]), DefaultPolicy())
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			d := Decide(Set{Default: DefaultPolicy(), Named: named}, Input{
				Request: model.GateRequest{Service: "edge", Environment: "prod", Critical: c.critical}, Time: now, SLOs: []model.SLOSnapshot{oneSLO()},
			})
			if d.Verdict != c.want || c.by != "" && d.Reasons[0].Policy != c.by {
				t.Errorf("%s with %s, critical %v: %s by %s: %s", order[0], order[1], c.critical, d.Verdict, d.Reasons[0].Policy, d.Summary)
			}
		}
	}
}
