package gate

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
)

// PayloadType names what an envelope of ours holds: a Record.
const PayloadType = "application/vnd.signalbox.gate-decision.v1+json"

// Record is a decision and everything it rests on: what is signed, and what a
// replay begins with.
type Record struct {
	Decision model.GateDecision `json:"decision"` // without envelope and override
	Input    Input              `json:"input"`
	Policies Set                `json:"policies"`
}

// Replay is what deciding again from a record says.
type Replay struct {
	DecisionID string `json:"decision_id"`
	// Signature is "valid", or why it is not.
	Signature string `json:"signature"`
	KeyID     string `json:"key_id"`
	// Same says that every part of the decision came out alike, not only the verdict.
	Same     bool               `json:"same"`
	Stored   model.Verdict      `json:"stored_verdict" enum:"allow,hold,block,insufficient"`
	Replayed model.Verdict      `json:"replayed_verdict" enum:"allow,hold,block,insufficient"`
	Decision model.GateDecision `json:"decision" doc:"as it comes out now"`
}

// settle brings what a decision is to rest on into the form that is stored, so
// that the decision and its replay begin with the very same values.
func settle(set Set, in Input) (Set, Input, error) {
	in = in.clean()
	r := Record{Input: in, Policies: set.concerning(in)}
	text, err := sign.Canonical(r)
	if err != nil {
		return Set{}, Input{}, fmt.Errorf("encode input: %w", err)
	}
	var back Record
	if err := json.Unmarshal(text, &back); err != nil {
		return Set{}, Input{}, fmt.Errorf("decode input: %w", err)
	}
	return back.Policies, back.Input, nil
}

// seal signs a decision with its input.
func seal(key *sign.Key, d model.GateDecision, set Set, in Input) (model.GateEnvelope, error) {
	payload, err := sign.Canonical(Record{Decision: bare(d), Input: in, Policies: set})
	if err != nil {
		return model.GateEnvelope{}, err
	}
	return key.Sign(PayloadType, payload), nil
}

// bare is a decision without what is not signed.
func bare(d model.GateDecision) model.GateDecision {
	d.Envelope, d.Override, d.Tampered = nil, nil, ""
	return d
}

// errNoEnvelope is about decisions of before there were envelopes.
var errNoEnvelope = errors.New("it was stored without an envelope and cannot be verified or replayed")

// RecordOf is the record inside a decision's envelope, unverified.
func RecordOf(d model.GateDecision) (Record, error) {
	var r Record
	if d.Envelope == nil {
		return r, fmt.Errorf("gate decision %s: %w", d.ID, errNoEnvelope)
	}
	if d.Envelope.PayloadType != PayloadType {
		return r, fmt.Errorf("gate decision %s: its envelope holds %q, not %q", d.ID, d.Envelope.PayloadType, PayloadType)
	}
	if err := json.Unmarshal(d.Envelope.Payload, &r); err != nil {
		return r, fmt.Errorf("gate decision %s: decode its envelope: %w", d.ID, err)
	}
	return r, nil
}

// Verify answers nil when a key signed a decision as it stands here: the
// signature fits, and what is shown is what was signed.
func Verify(public ed25519.PublicKey, d model.GateDecision) error {
	r, err := RecordOf(d)
	if err != nil {
		return err
	}
	if err := sign.Verify(public, *d.Envelope); err != nil {
		return fmt.Errorf("gate decision %s: %w", d.ID, err)
	}
	same, err := alike(bare(d), r.Decision)
	if err != nil {
		return fmt.Errorf("gate decision %s: %w", d.ID, err)
	}
	if !same {
		return fmt.Errorf("gate decision %s: %w: the decision differs from the one that was signed", d.ID, sign.ErrSignature)
	}
	return nil
}

// alike compares two decisions by their canonical JSON.
func alike(a, b model.GateDecision) (bool, error) {
	x, err := sign.Canonical(a)
	if err != nil {
		return false, err
	}
	y, err := sign.Canonical(b)
	return bytes.Equal(x, y), err
}

// Again decides again from a record and compares.
func (r Record) Again() (d model.GateDecision, same bool, err error) {
	d = Decide(r.Policies, r.Input)
	d.ID = r.Decision.ID
	same, err = alike(d, r.Decision)
	return d, same, err
}
