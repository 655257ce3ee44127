package sign

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Memory keeps public keys; store/state does.
type Memory interface {
	SaveGateKey(ctx context.Context, k model.GateKey) error
	GateKeys(ctx context.Context) ([]model.GateKey, error)
}

// Public is a public key that signed before the one in use.
type Public struct {
	ID    string
	Key   ed25519.PublicKey
	Since time.Time
}

// Remember learns the public keys of before and has the one in use kept with them. A key that is another than
// the last one is named in Problems. It is called once, before the key is used; an error
// leaves the key usable, without what could not be read.
func (k *Key) Remember(ctx context.Context, m Memory, now time.Time) error {
	known, err := m.GateKeys(ctx)
	if err != nil {
		return fmt.Errorf("public keys of the gate: %w", err)
	}
	id := KeyID(k.Public())
	for _, old := range known {
		public, err := ParsePEM([]byte(old.PEM))
		if err != nil || KeyID(public) != old.ID || old.ID == id {
			continue
		}
		k.former = append(k.former, Public{ID: old.ID, Key: public, Since: old.Since})
	}
	if slices.ContainsFunc(known, func(old model.GateKey) bool { return old.ID == id }) {
		return nil
	}
	if len(known) > 0 && len(k.problems) == 0 {
		last := known[len(known)-1]
		k.problems = append(k.problems, model.Problem{
			Severity: "warning",
			Message: fmt.Sprintf("The gate's signing key is another than before: %s signs now, %s did since %s. Decisions signed before stay verifiable by the old public key.",
				id, last.ID, last.Since.UTC().Format(time.RFC3339)),
			Cure: "if nobody changed it, the file was damaged or lost: restore it from a backup, or tell whoever keeps the public key of the new one",
		})
	}
	text, err := PEM(k.Public())
	if err != nil {
		return err
	}
	if err := m.SaveGateKey(ctx, model.GateKey{ID: id, PEM: text, Since: now}); err != nil {
		return fmt.Errorf("public keys of the gate: %w", err)
	}
	return nil
}

// Former lists the keys of before, oldest first.
func (k *Key) Former() []Public { return slices.Clone(k.former) }

// Problems is what was wrong with the key when it was opened.
func (k *Key) Problems() []model.Problem { return slices.Clone(k.problems) }

// Signer is the known public key that an envelope says it was signed by; the one in use when it
// names none that is known.
func (k *Key) Signer(e *model.GateEnvelope) ed25519.PublicKey {
	if e == nil {
		return k.Public()
	}
	for _, s := range e.Signatures {
		for _, p := range k.former {
			if p.ID == s.KeyID {
				return p.Key
			}
		}
	}
	return k.Public()
}
