package gate

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"

	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Stored is where decisions are read from; store/state is one.
type Stored interface {
	Decision(ctx context.Context, id string) (model.GateDecision, error)
	Decisions(ctx context.Context, q store.DecisionQuery) (_ []model.GateDecision, next string, _ error)
}

// Checked reads decisions and compares each with what was signed; what is marked already stays so. Thus that one that was edited in the database says so
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
		d.Tampered = cmp.Or(c.tampered(d), d.Tampered)
		c.override(&d)
	}
	return d, err
}

// mostChecked bounds what a list costs, as each decision is read with its envelope. Only SQL lists more at once.
const (
	mostChecked = 1000
	notChecked  = model.Uncompared + " with its signature: a list compares its newest 1,000"
)

// Decisions lists them without their envelopes, each compared with its own.
func (c Checked) Decisions(ctx context.Context, q store.DecisionQuery) ([]model.GateDecision, string, error) {
	list, next, err := c.from.Decisions(ctx, q)
	for i, d := range list {
		c.override(&list[i])
		if d.Tampered != "" {
			continue // it is gone
		}
		if i >= mostChecked {
			list[i].Tampered = notChecked
			continue
		}
		whole, err := c.from.Decision(ctx, d.ID)
		if err != nil {
			list[i].Tampered = "it cannot be read with its envelope"
			continue
		}
		list[i].Tampered = cmp.Or(c.tampered(whole), whole.Tampered)
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

// override says what is wrong with the override of a decision.
func (c Checked) override(d *model.GateDecision) {
	if d.Override == nil || d.Override.ID == "" { // there is none, or it is gone
		return
	}
	o := *d.Override
	if o.DecisionID != d.ID {
		o.Tampered = "it was given to another decision"
	} else if err := verifyOverride(c.key.Signer(&model.GateEnvelope{Signatures: signatures(o)}), o); err != nil {
		o.Tampered = err.Error()
	}
	d.Override = &o
}

// overrideType keeps a signature of an override from being one of anything else.
const overrideType = "application/vnd.signalbox.gate-override+json"

// signed is the gate's signature of an override: whoever writes to the database alone cannot make one.
func signed(key *sign.Key, o model.GateOverride) (*model.GateSignature, error) {
	payload, err := overridePayload(o)
	if err != nil {
		return nil, err
	}
	return &key.Sign(overrideType, payload).Signatures[0], nil
}

func overridePayload(o model.GateOverride) ([]byte, error) {
	o.Signature, o.Tampered = nil, ""
	return sign.Canonical(o)
}

func signatures(o model.GateOverride) []model.GateSignature {
	if o.Signature == nil {
		return nil
	}
	return []model.GateSignature{*o.Signature}
}

var (
	errUnsigned = errors.New("it has no signature of the gate: that was taken away, the override was put there, or it is older than signatures")
	errEdited   = errors.New("it is not what the gate signed: it was changed or put there")
)

func verifyOverride(key ed25519.PublicKey, o model.GateOverride) error {
	if o.Signature == nil {
		return errUnsigned
	}
	payload, err := overridePayload(o)
	if err != nil {
		return err
	}
	if sign.Verify(key, model.GateEnvelope{PayloadType: overrideType, Payload: payload, Signatures: signatures(o)}) != nil {
		return errEdited
	}
	return nil
}
