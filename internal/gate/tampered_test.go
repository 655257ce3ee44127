package gate

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// rows is a database that somebody else may write to; lists come without envelopes.
type rows []model.GateDecision

func (r rows) Decision(_ context.Context, id string) (model.GateDecision, error) {
	for _, d := range r {
		if d.ID == id {
			return d, nil
		}
	}
	return model.GateDecision{}, store.ErrNotFound
}

func (r rows) Decisions(context.Context, store.DecisionQuery) (out []model.GateDecision, _ string, _ error) {
	for _, d := range r {
		d.Envelope = nil
		out = append(out, d)
	}
	return out, "", nil
}

func TestADecisionThatWasEditedSaysSoWhereverItIsShown(t *testing.T) {
	key, err := sign.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(id string) model.GateDecision {
		d := model.GateDecision{ID: id, Time: now, Verdict: model.VerdictBlock, Summary: "Blocked.", Request: model.GateRequest{Service: "edge"}}
		e, err := seal(key, d, Set{}, Input{})
		if err != nil {
			t.Fatal(err)
		}
		d.Envelope = &e
		return d
	}
	whole, verdict, bare, overridden := signed("whole"), signed("verdict"), signed("bare"), signed("overridden")
	verdict.Verdict = model.VerdictAllow
	bare.Envelope = nil
	overridden.Override = &model.GateOverride{Actor: "ann", DecisionID: "overridden"} // which came later, and is not part of what was signed
	c := NewChecked(rows{whole, verdict, bare, overridden}, key)
	list, _, err := c.Decisions(t.Context(), store.DecisionQuery{})
	if err != nil || len(list) != 4 {
		t.Fatal(list, err)
	}
	for _, d := range list {
		one, err := c.Decision(t.Context(), d.ID)
		want := map[string]string{"verdict": "differs from the one that was signed", "bare": "no signed envelope"}[d.ID]
		if err != nil || one.Tampered != d.Tampered || (want == "") != (d.Tampered == "") || !strings.Contains(d.Tampered, want) || d.Envelope != nil {
			t.Errorf("%s: %q in the list, %q alone; %v", d.ID, d.Tampered, one.Tampered, err)
		}
	}
}

// Whoever writes to the database can lengthen an override, move it to another version or put one there.
func TestAnOverrideThatWasEditedIsNotHonouredAndSaysSo(t *testing.T) {
	r := &rooms{slos: []model.SLOSnapshot{oneSLO(used(1.2))}}
	g := open(t, r, nil)
	ask := func() model.GateDecision {
		t.Helper()
		d, err := g.Decide(t.Context(), model.GateRequest{Service: "edge", Environment: "prod", Version: "2"})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	stopped := ask()
	if stopped.Verdict == model.VerdictAllow {
		t.Fatal("there is nothing to override")
	}
	if _, err := g.Override(t.Context(), stopped.ID, "ann", "the release mends the outage"); err != nil {
		t.Fatal(err)
	}
	given := r.overrides[0]
	checked := func(o model.GateOverride) string {
		d := stopped
		d.Override = &o
		d, err := NewChecked(rows{d}, g.deps.Key).Decision(t.Context(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		list, _, _ := NewChecked(rows{d}, g.deps.Key).Decisions(t.Context(), store.DecisionQuery{})
		if list[0].Override.Tampered != d.Override.Tampered {
			t.Errorf("%q in a list, %q alone", list[0].Override.Tampered, d.Override.Tampered)
		}
		return d.Override.Tampered
	}
	if d := ask(); d.Verdict != model.VerdictAllow || checked(given) != "" {
		t.Fatalf("as it was given: %s %q", d.Verdict, checked(given))
	}
	for name, edit := range map[string]func(*model.GateOverride){
		"longer":            func(o *model.GateOverride) { o.Expires = o.Expires.Add(1) },
		"earlier":           func(o *model.GateOverride) { o.Time = o.Time.Add(-1) },
		"another reason":    func(o *model.GateOverride) { o.Reason += "." },
		"somebody else's":   func(o *model.GateOverride) { o.Actor = "bob" },
		"another decision":  func(o *model.GateOverride) { o.DecisionID = "x" },
		"another ID":        func(o *model.GateOverride) { o.ID = "x" },
		"another verdict":   func(o *model.GateOverride) { o.Verdict = model.VerdictInsufficient + "x" },
		"no signature":      func(o *model.GateOverride) { o.Signature = nil },
		"another key named": func(o *model.GateOverride) { s := *o.Signature; s.KeyID = "x"; o.Signature = &s },
		"signed by another": func(o *model.GateOverride) {
			other, err := sign.Open(t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if o.Signature, err = signed(other, *o); err != nil {
				t.Fatal(err)
			}
		},
	} {
		o := given
		edit(&o)
		r.overrides = []model.GateOverride{o}
		d := ask()
		if d.Verdict == model.VerdictAllow {
			t.Errorf("%s: it is honoured", name)
		}
		says := slices.ContainsFunc(d.Reasons, func(r model.GateReason) bool {
			return strings.HasPrefix(r.Message, "An override in the database lets nothing pass: override "+o.ID) && r.Cure != ""
		})
		if !says || d.Summary != stopped.Summary || d.Verdict != stopped.Verdict {
			t.Errorf("%s: it is left out silently, or changes what is said first: %s, %+v", name, d.Summary, d.Reasons)
		}
		if checked(o) == "" {
			t.Errorf("%s: it is not marked", name)
		}
	}
	r.overrides = []model.GateOverride{given}
	if ask().Verdict != model.VerdictAllow {
		t.Error("put back as it was it is not honoured")
	}
}

// oneEdited is a database in which somebody edited a decision.
type oneEdited struct {
	Decisions
	d model.GateDecision
}

func (o oneEdited) Decision(context.Context, string) (model.GateDecision, error) { return o.d, nil }

func TestADecisionThatWasEditedCannotBeOverridden(t *testing.T) {
	r := &rooms{slos: []model.SLOSnapshot{oneSLO(used(1.2))}}
	g := open(t, r, nil)
	d, err := g.Decide(t.Context(), model.GateRequest{Service: "edge", Environment: "prod", Version: "2"})
	if err != nil {
		t.Fatal(err)
	}
	edit := func(change func(*model.GateDecision)) error {
		edited := d
		change(&edited)
		g.deps.Decisions = oneEdited{r, edited}
		_, err := g.Override(t.Context(), d.ID, "ann", "the release mends the outage")
		return err
	}
	for name, change := range map[string]func(*model.GateDecision){
		"service":  func(d *model.GateDecision) { d.Request.Service = "payments" }, // which an override of edge would let pass
		"version":  func(d *model.GateDecision) { d.Request.Version = "3" },
		"verdict":  func(d *model.GateDecision) { d.Verdict = model.VerdictHold },
		"envelope": func(d *model.GateDecision) { d.Envelope = nil },
	} {
		if err := edit(change); err == nil || !strings.Contains(err.Error(), "ask the gate again") || len(r.overrides) != 0 {
			t.Errorf("%s: %v, overrides %v", name, err, r.overrides)
		}
	}
	if err := edit(func(*model.GateDecision) {}); err != nil || len(r.overrides) != 1 {
		t.Errorf("as it was: %v", err)
	}
}
