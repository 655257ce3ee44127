package gate

import (
	"context"
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
	key, err := sign.Open(t.TempDir())
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
	overridden.Override = &model.GateOverride{Actor: "ann"} // which came later, and is not part of what was signed
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
