package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	prom "github.com/prometheus/common/model"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Generators of anything that may come: figures that are no numbers, texts that
// are no UTF-8, windows that are not measured, times of no order.

func figure() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.SampledFrom([]float64{0, 0.25, 0.5, 0.75, 1, 6, 14, math.NaN(), math.Inf(1), math.Inf(-1), -1, 1e300, 5e-324}), rapid.Float64())
}

func moment() *rapid.Generator[time.Time] {
	zone := time.FixedZone("", 5*3600+1800)
	return rapid.Map(rapid.Int64Range(-1e18, 1e18), func(ns int64) time.Time {
		if ns%7 == 0 {
			return time.Time{}
		}
		return now.Add(time.Duration(ns)).In(zone)
	})
}

func word() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom([]string{"", "edge", "prod", "alice", "bad \xff\xfe bytes", "a \u2028 <b> \x00"}), rapid.String())
}

func anySLO() *rapid.Generator[model.SLOSnapshot] {
	return rapid.Custom(func(t *rapid.T) model.SLOSnapshot {
		s := model.SLOSnapshot{
			Environment: word().Draw(t, "environment"), LastData: moment().Draw(t, "last data"),
			Age: time.Duration(rapid.Int64().Draw(t, "age")), Loaded: rapid.Bool().Draw(t, "loaded"),
			Status: model.SLOStatus{
				Name: word().Draw(t, "name"), Service: "edge", Objective: figure().Draw(t, "objective"), Window: rapid.SampledFrom([]string{"28d", "30d", ""}).Draw(t, "window"),
				Method: rapid.SampledFrom([]string{"occurrences", "timeslices"}).Draw(t, "method"),
				State:  rapid.SampledFrom([]model.SLOState{model.SLOOK, model.SLOBurning, model.SLOExhausted, model.SLOInsufficient}).Draw(t, "state"),
				Reason: word().Draw(t, "reason"), Time: moment().Draw(t, "time"),
				Labels: rapid.MapOfN(rapid.SampledFrom([]string{"team", "tier", "env"}), word(), 0, 3).Draw(t, "labels"),
				Budget: model.Budget{Total: figure().Draw(t, "total"), UsedRatio: figure().Draw(t, "used"), LeftRatio: figure().Draw(t, "left"), Coverage: 1},
			},
		}
		for _, w := range []string{"5m", "30m", "1h", "6h"} {
			if rapid.IntRange(0, 9).Draw(t, "measured") > 0 {
				s.Status.Burn = append(s.Status.Burn, model.Burn{Window: w, Rate: figure().Draw(t, "rate"), Events: figure().Draw(t, "events"), Coverage: figure().Draw(t, "coverage")})
			}
		}
		return s
	})
}

func anyInput() *rapid.Generator[Input] {
	return rapid.Custom(func(t *rapid.T) Input {
		in := Input{
			Request: model.GateRequest{Service: word().Draw(t, "service"), Environment: word().Draw(t, "environment"), Version: word().Draw(t, "version"), Critical: rapid.Bool().Draw(t, "critical")},
			Time:    now.Add(time.Duration(rapid.Int64Range(0, 1e17).Draw(t, "time"))),
			SLOs:    rapid.SliceOfN(anySLO(), 0, 3).Draw(t, "promises"),
			Unknown: rapid.SliceOfN(rapid.SampledFrom([]string{"open pages: broken", "dependencies: gone"}), 0, 2).Draw(t, "unknown"),
		}
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			in.Changes = append(in.Changes, model.Deploy{ID: "d", Service: "edge", Version: word().Draw(t, "changed to"), Kind: rapid.SampledFrom([]string{"", "deploy", "config"}).Draw(t, "kind"), Time: moment().Draw(t, "changed"), Message: word().Draw(t, "message")})
		}
		for range rapid.IntRange(0, 2).Draw(t, "dependencies") {
			in.Dependencies = append(in.Dependencies, Dependency{
				Service: word().Draw(t, "callee"), SLO: word().Draw(t, "slo"), UsedRatio: figure().Draw(t, "used"), Called: rapid.Bool().Draw(t, "called"),
				State: rapid.SampledFrom([]model.SLOState{model.SLOOK, model.SLOBurning, model.SLOExhausted}).Draw(t, "state"),
			})
		}
		for range rapid.IntRange(0, 2).Draw(t, "pages") {
			in.Pages = append(in.Pages, OpenPage{ID: "p", Title: word().Draw(t, "title"), Severity: rapid.SampledFrom([]string{"critical", "warning"}).Draw(t, "severity"), Since: moment().Draw(t, "since")})
		}
		if rapid.Bool().Draw(t, "override") {
			in.Overrides = []model.GateOverride{{Service: in.Request.Service, Environment: in.Request.Environment, Version: in.Request.Version, Actor: "alice", Time: now, Expires: in.Time.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "expires")))}}
		}
		return in
	})
}

func anySet() *rapid.Generator[Set] {
	return rapid.Custom(func(t *rapid.T) Set {
		set := Set{Default: DefaultPolicy()}
		for i := range rapid.IntRange(0, 3).Draw(t, "policies") {
			p := NamedPolicy{Name: fmt.Sprintf("p%d", i), Rules: DefaultPolicy()}
			p.Rules.CautionAbove = rapid.Float64Range(0.1, 0.5).Draw(t, "caution")
			p.Rules.HoldAbove = rapid.Float64Range(0.5, 0.8).Draw(t, "hold")
			p.Rules.Confidence = rapid.SampledFrom([]float64{0, 0.9, 0.99}).Draw(t, "confidence")
			p.Rules.OpenPages = rapid.SampledFrom([]Effect{EffectOff, EffectHold, EffectBlock}).Draw(t, "pages")
			p.Rules.Dependencies = rapid.SampledFrom([]Effect{EffectOff, EffectHold, EffectBlock}).Draw(t, "dependencies")
			p.Rules.BurnFast.Long = prom.Duration(rapid.SampledFrom([]time.Duration{time.Hour, 2 * time.Hour}).Draw(t, "long"))
			p.Match.Services = rapid.SampledFrom([][]string{nil, {"edge"}, {"e*", "x"}}).Draw(t, "services")
			p.Match.Teams = rapid.SampledFrom([][]string{nil, {"alice"}}).Draw(t, "teams")
			p.Match.Environments = rapid.SampledFrom([][]string{nil, {"prod"}}).Draw(t, "environments")
			if rapid.Bool().Draw(t, "freeze") {
				p.Freezes = []Freeze{{Name: "night", Reason: "nobody is there", Weekly: &Weekly{From: "mon 22:00", To: "tue 06:00"}, TimeZone: "Europe/Zurich", Effect: rapid.SampledFrom([]Effect{EffectHold, EffectBlock}).Draw(t, "effect")}}
			}
			set.Named = append(set.Named, p)
		}
		return set
	})
}

func TestEveryDecisionReplaysToItself(t *testing.T) {
	key, err := sign.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		given, in := anySet().Draw(t, "set"), anyInput().Draw(t, "input")
		set, in, err := settle(given, in)
		if err != nil {
			t.Fatal(err)
		}
		d := Decide(set, in)
		d.ID = "id"
		// The policies that were left out have no say.
		if whole := Decide(given, in); whole.Verdict != d.Verdict || whole.Summary != d.Summary || len(whole.Reasons) != len(d.Reasons) {
			t.Fatalf("with all policies %s, with those concerned %s", whole.Summary, d.Summary)
		}
		envelope, err := seal(key, d, set, in)
		if err != nil {
			t.Fatal(err)
		}
		d.Envelope = &envelope
		// As the store keeps it and the API answers it.
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var stored model.GateDecision
		if err := json.Unmarshal(text, &stored); err != nil {
			t.Fatal(err)
		}
		if err := Verify(key.Public(), stored); err != nil {
			t.Fatal(err)
		}
		r, err := RecordOf(stored)
		if err != nil {
			t.Fatal(err)
		}
		again, same, err := r.Again()
		if err != nil || !same || again.Verdict != d.Verdict {
			t.Fatalf("was %s, is %s, same %v, %v", d.Summary, again.Summary, same, err)
		}
	})
}

func TestTheStrictestReasonDecidesUnlessItWasOverridden(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Decide(anySet().Draw(t, "set"), anyInput().Draw(t, "input"))
		if len(d.Reasons) == 0 {
			t.Fatal("no reason")
		}
		if d.Reasons[0].Rule == RuleOverride {
			if d.Verdict != model.VerdictAllow {
				t.Fatal("an override does not allow")
			}
			return
		}
		for _, r := range d.Reasons {
			if strictness(r.Verdict) > strictness(d.Verdict) {
				t.Fatalf("%s, but %+v", d.Verdict, r)
			}
			if r.Verdict != model.VerdictAllow && r.Rule != RuleData && r.Cure == "" {
				t.Fatalf("no cure: %+v", r)
			}
		}
	})
}

func TestWhatIsShownMustBeWhatWasSigned(t *testing.T) {
	r := &rooms{slos: []model.SLOSnapshot{oneSLO(used(1.2))}}
	g := open(t, r, nil)
	d, err := g.Decide(t.Context(), model.GateRequest{Service: "edge", Environment: "prod", Version: "2"})
	if err != nil {
		t.Fatal(err)
	}
	public := g.deps.Key.Public()
	if err := Verify(public, d); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*model.GateDecision){
		"the verdict":          func(d *model.GateDecision) { d.Verdict = model.VerdictAllow },
		"the version":          func(d *model.GateDecision) { d.Request.Version = "3" },
		"a figure":             func(d *model.GateDecision) { d.Evidence[0].Value = pointer(0) },
		"the id":               func(d *model.GateDecision) { d.ID = "other" },
		"a reason left out":    func(d *model.GateDecision) { d.Reasons = d.Reasons[1:] },
		"the stored input":     func(d *model.GateDecision) { swap(d, `"used_ratio":1.2`, `"used_ratio":0.2`) },
		"the stored policy":    func(d *model.GateDecision) { swap(d, `"freeze_at":1`, `"freeze_at":9`) },
		"no signature at all":  func(d *model.GateDecision) { d.Envelope.Signatures = nil },
		"no envelope":          func(d *model.GateDecision) { d.Envelope = nil },
		"another payload type": func(d *model.GateDecision) { d.Envelope.PayloadType = "text/plain" },
	} {
		var c model.GateDecision
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatal(err)
		}
		change(&c)
		if err := Verify(public, c); err == nil {
			t.Errorf("%s was changed, and nobody noticed", name)
		}
	}
	// What a database administrator changed is told by a replay too.
	r.saved[0].Verdict = model.VerdictAllow
	replay, err := g.Replay(t.Context(), d.ID)
	if err != nil || replay.Same || replay.Signature == "valid" || replay.Replayed != model.VerdictBlock {
		t.Errorf("replay of a changed decision: %+v, %v", replay, err)
	}
	var bad interface{ BadRequest() }
	r.saved[0].Envelope = nil
	if _, err := g.Replay(t.Context(), d.ID); !errors.As(err, &bad) {
		t.Errorf("replay without an envelope: %v", err)
	}
}

// swap changes the payload of an envelope, which must hold what is changed.
func swap(d *model.GateDecision, from, to string) {
	text := strings.Replace(string(d.Envelope.Payload), from, to, 1)
	if text == string(d.Envelope.Payload) {
		text = "nothing was changed"
	}
	d.Envelope.Payload = []byte(text)
}

func TestAnOverrideLetsTheSameVersionPassUntilItExpires(t *testing.T) {
	at := now
	r := &rooms{slos: []model.SLOSnapshot{oneSLO(used(1.2))}}
	g := open(t, r, func(_ *Config, d *Deps) { d.Now = func() time.Time { return at } })
	req := model.GateRequest{Service: "edge", Environment: "prod", Version: "2", Actor: "ci"}
	d, err := g.Decide(t.Context(), req)
	if err != nil || d.Verdict != model.VerdictBlock {
		t.Fatalf("%s, %v", d.Verdict, err)
	}
	var bad interface{ BadRequest() }
	for _, c := range [][2]string{{"alice", "  because  "}, {"", "the release mends the outage"}} {
		if _, err := g.Override(t.Context(), d.ID, c[0], c[1]); !errors.As(err, &bad) {
			t.Errorf("%q by %q: %v", c[1], c[0], err)
		}
	}
	if _, err := g.Override(t.Context(), "nothing", "alice", "the release mends the outage"); err == nil {
		t.Error("an unknown decision was overridden")
	}
	over, err := g.Override(t.Context(), d.ID, "alice", "the release mends the outage")
	if err != nil || over.Override == nil || over.Override.Expires != at.Add(time.Hour) {
		t.Fatalf("%+v, %v", over.Override, err)
	}
	last := r.audited[len(r.audited)-1]
	if last.Action != "gate.override" || last.Actor != "alice" || last.Subject != d.ID || last.Details["reason"] != "the release mends the outage" {
		t.Errorf("audit %+v", last)
	}
	at = at.Add(59 * time.Minute)
	passed, err := g.Decide(t.Context(), req)
	if err != nil || passed.Verdict != model.VerdictAllow || passed.Reasons[0].Rule != RuleOverride || !strings.Contains(passed.Summary, "alice") {
		t.Errorf("%s: %s, %v", passed.Verdict, passed.Summary, err)
	}
	if len(passed.Reasons) < 2 || passed.Reasons[1].Verdict != model.VerdictBlock {
		t.Errorf("what was overridden is not shown: %+v", passed.Reasons)
	}
	if replay, err := g.Replay(t.Context(), passed.ID); err != nil || !replay.Same || replay.Signature != "valid" {
		t.Errorf("an overridden decision does not replay: %+v, %v", replay, err)
	}
	if _, err := g.Override(t.Context(), passed.ID, "alice", "once more, to be sure"); !errors.As(err, &bad) {
		t.Errorf("an allow was overridden: %v", err)
	}
	for name, other := range map[string]model.GateRequest{
		"another version":     {Service: "edge", Environment: "prod", Version: "3"},
		"another environment": {Service: "edge", Environment: "staging", Version: "2"},
		"no version":          {Service: "edge", Environment: "prod"},
	} {
		if d, err := g.Decide(t.Context(), other); err != nil || d.Verdict != model.VerdictBlock {
			t.Errorf("%s: %s, %v", name, d.Verdict, err)
		}
	}
	at = at.Add(time.Minute)
	if d, err := g.Decide(t.Context(), req); err != nil || d.Verdict != model.VerdictBlock {
		t.Errorf("after an hour: %s, %v", d.Verdict, err)
	}
}

func FuzzVerify(f *testing.F) {
	key, err := sign.Open(f.TempDir(), nil)
	if err != nil {
		f.Fatal(err)
	}
	d := Decide(Set{Default: DefaultPolicy()}, Input{Request: model.GateRequest{Service: "edge"}, Time: now})
	e, err := seal(key, d, Set{Default: DefaultPolicy()}, Input{Request: d.Request, Time: now})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.Payload, e.Signatures[0].Sig)
	f.Add([]byte("{}"), []byte{})
	f.Fuzz(func(t *testing.T, payload, sig []byte) {
		d := model.GateDecision{Envelope: &model.GateEnvelope{PayloadType: PayloadType, Payload: payload, Signatures: []model.GateSignature{{KeyID: sign.KeyID(key.Public()), Sig: sig}}}}
		if Verify(key.Public(), d) == nil {
			t.Fatalf("%q passes with a signature that the key never made", payload)
		}
		if r, err := RecordOf(d); err == nil {
			if _, _, err := r.Again(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
