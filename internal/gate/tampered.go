package gate

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Stored is where decisions are read from; store/state is one.
type Stored interface {
	Decision(ctx context.Context, id string) (model.GateDecision, error)
	Decisions(ctx context.Context, q store.DecisionQuery) (_ []model.GateDecision, next string, _ error)
}

// Checked reads decisions and compares each with what was signed, so that one that was edited in the database says so
// wherever it is shown.
type Checked struct {
	from Stored
	key  *sign.Key
}

// NewChecked checks with the gate's key, and with those of before that it knows.
func NewChecked(from Stored, key *sign.Key) Checked { return Checked{from, key} }

// Decision is one, with its envelope.
func (c Checked) Decision(ctx context.Context, id string) (model.GateDecision, error) {
	d, err := c.from.Decision(ctx, id)
	if err == nil {
		d.Tampered = c.tampered(d)
	}
	return d, err
}

// Decisions lists them without their envelopes, each compared with its own.
func (c Checked) Decisions(ctx context.Context, q store.DecisionQuery) ([]model.GateDecision, string, error) {
	list, next, err := c.from.Decisions(ctx, q)
	for i, d := range list {
		whole, err := c.from.Decision(ctx, d.ID)
		if err != nil {
			list[i].Tampered = "it cannot be read with its envelope"
			continue
		}
		list[i].Tampered = c.tampered(whole)
	}
	return list, next, err
}

// tampered says what is wrong with a decision; "" is nothing.
func (c Checked) tampered(d model.GateDecision) string {
	if d.Envelope == nil {
		return "it has no signed envelope: that was taken away, or the decision is older than envelopes"
	}
	if err := Verify(c.key.Signer(d.Envelope), d); err != nil {
		return err.Error()
	}
	return ""
}
