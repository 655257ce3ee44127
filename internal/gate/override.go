package gate

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/gate/sign"
	"github.com/signalbox-project/signalbox/internal/model"
)

// Override lets what a decision stopped pass, on somebody's word: later checks
// for the same service, environment and version answer allow by the rule
// override until it expires. It answers the decision with the override on it.
func (g *Gate) Override(ctx context.Context, id, actor, reason string) (model.GateDecision, error) {
	claimed, reason := strings.TrimSpace(actor), strings.TrimSpace(reason)
	if actor = access.SubjectOf(ctx, claimed); actor == "" {
		return model.GateDecision{}, badRequest("gate override: it needs an actor: who answers for it")
	}
	if n := utf8.RuneCountInString(reason); n < g.cfg.OverrideReason {
		return model.GateDecision{}, badRequest("gate override: its reason has %d letters, at least %d are needed: say what will be better for it", n, g.cfg.OverrideReason)
	}
	if g.deps.Overrides == nil {
		return model.GateDecision{}, errors.New("gate override: there is no store for overrides")
	}
	d, err := g.deps.Decisions.Decision(ctx, id)
	if err != nil {
		return d, fmt.Errorf("gate override: %w", err)
	}
	// As with overrides the key of now must have signed it: those of before lie in the database.
	if err := Verify(g.deps.Key.Public(), d); err != nil {
		return d, badRequest("gate override: decision %s is not as the gate of now signed it (%v); ask the gate again and override what it says then", id, err)
	}
	if d.Verdict == model.VerdictAllow {
		return d, badRequest("gate override: decision %s is allow already; there is nothing to override", id)
	}
	key, err := uuid.NewV7()
	if err != nil {
		return d, fmt.Errorf("gate override: %w", err)
	}
	at := g.deps.Now().UTC()
	o := model.GateOverride{
		ID: key.String(), DecisionID: d.ID, Service: d.Request.Service, Environment: d.Request.Environment, Version: d.Request.Version,
		Verdict: d.Verdict, Actor: actor, Reason: reason, Time: at, Expires: at.Add(time.Duration(g.cfg.OverrideFor)),
	}
	if o.Signature, err = signed(g.deps.Key, o); err != nil {
		return d, fmt.Errorf("gate override: %w", err)
	}
	// Audited first: an override that nobody can find later must not be in force.
	entry := model.AuditEntry{
		Time: at, Actor: claimed, Action: "gate.override", Subject: d.ID,
		Details: map[string]string{
			"override": o.ID, "service": o.Service, "environment": o.Environment, "version": o.Version,
			"verdict": string(o.Verdict), "reason": reason, "expires": o.Expires.Format(time.RFC3339),
		},
	}
	record := evidence.OfOverride(d.ID, &o)
	evidence.Note(&entry, record)
	if err := g.audit(ctx, entry); err != nil {
		return d, fmt.Errorf("gate override: %w", err)
	}
	if err := g.deps.Overrides.SaveOverride(ctx, o); err != nil {
		not := model.AuditEntry{Time: at, Actor: claimed, Action: "gate.override.failed", Subject: d.ID, Details: map[string]string{"override": o.ID}}
		evidence.Note(&not, record.Without())
		return d, fmt.Errorf("gate override: %w", errors.Join(err, g.audit(ctx, not)))
	}
	g.deps.Logger.WarnContext(ctx, "gate override", "decision", d.ID, "actor", actor, "service", o.Service, "environment", o.Environment,
		"version", o.Version, "verdict", string(o.Verdict), "reason", reason, "expires", o.Expires)
	d.Override = &o
	return d, nil
}

// Replay decides a stored decision again, from the input and the policies that
// were stored with it.
func (g *Gate) Replay(ctx context.Context, id string) (Replay, error) {
	d, err := g.deps.Decisions.Decision(ctx, id)
	if err != nil {
		return Replay{}, fmt.Errorf("gate replay: %w", err)
	}
	r, err := RecordOf(d)
	if errors.Is(err, errNoEnvelope) {
		return Replay{}, requestError{err}
	}
	if err != nil {
		return Replay{}, fmt.Errorf("gate replay: %w", err)
	}
	again, same, err := r.Again()
	if err != nil {
		return Replay{}, fmt.Errorf("gate replay of %s: %w", id, err)
	}
	signer := g.deps.Key.Signer(d.Envelope)
	out := Replay{DecisionID: id, Signature: "valid", KeyID: sign.KeyID(signer), Same: same, Stored: d.Verdict, Replayed: again.Verdict, Decision: again}
	if err := Verify(signer, d); err != nil {
		out.Signature = err.Error()
		out.Same = out.Same && d.Verdict == again.Verdict
	}
	return out, nil
}

// PublicKey is what decisions are verified with.
type PublicKey struct {
	Algorithm string      `json:"algorithm" enum:"ed25519"`
	KeyID     string      `json:"key_id" doc:"SHA-256 of the raw public key, hex"`
	PublicKey []byte      `json:"public_key" doc:"32 bytes in base64"`
	PEM       string      `json:"pem" doc:"the same as openssl reads it"`
	Former    []PublicKey `json:"former,omitempty" doc:"keys that signed before, oldest first: decisions of their time are verified with them"`
	Tampered  string      `json:"tampered,omitempty" doc:"what is wrong with it: it is not a key that the audit log notes; absent where it is"`
}

// Key is the public key in use, with those of before.
func (g *Gate) Key() (PublicKey, error) {
	out, err := publicKey(g.deps.Key.Public())
	if err != nil {
		return out, err
	}
	for _, f := range g.deps.Key.Former() {
		old, err := publicKey(f.Key)
		if err != nil {
			return out, err
		}
		out.Former = append(out.Former, old)
	}
	return out, nil
}

func publicKey(public ed25519.PublicKey) (PublicKey, error) {
	text, err := sign.PEM(public)
	return PublicKey{Algorithm: "ed25519", KeyID: sign.KeyID(public), PublicKey: public, PEM: text}, err
}
