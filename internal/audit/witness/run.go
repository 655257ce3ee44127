package witness

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/signalbox-project/signalbox/internal/evidence"
	"github.com/signalbox-project/signalbox/internal/model"
)

const (
	compareEvery = 6 * time.Hour
	// anewAfter is how old the note of a key may grow: it must not go with a month that retention drops while the key is needed.
	anewAfter = 30 * 24 * time.Hour
	actionKey = "gate.key"
)

// KeyStore keeps the gate's public keys; store/state does.
type KeyStore interface {
	SaveGateKey(ctx context.Context, k model.GateKey) error
	GateKeys(ctx context.Context) ([]model.GateKey, error)
}

// Keys notes the public keys that are saved through it, once Run runs.
type Keys struct {
	KeyStore
	Checker *Checker
}

// SaveGateKey keeps a key.
func (k Keys) SaveGateKey(ctx context.Context, key model.GateKey) error {
	if err := k.KeyStore.SaveGateKey(ctx, key); err != nil {
		return err
	}
	k.Checker.mu.Lock()
	defer k.Checker.mu.Unlock()
	k.Checker.made = append(k.Checker.made, evidence.OfKey(key.ID, key.PEM))
	return nil
}

// Run notes what is to be noted at a start, and then compares all records every few hours, so that the status page says what
// nobody lists. lost says what the database lost when it was opened, "" where nothing.
func (c *Checker) Run(ctx context.Context, log *slog.Logger, kept Kept, lost string) {
	if err := c.start(ctx, kept, lost); err != nil && ctx.Err() == nil {
		log.Error("what is kept for later proof is not noted in the audit log", "err", err)
	}
	tick := time.NewTicker(compareEvery)
	defer tick.Stop()
	for {
		if _, err := c.Compare(ctx, kept); err != nil && ctx.Err() == nil {
			log.Error("what is kept for later proof cannot be compared with the audit log", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (c *Checker) start(ctx context.Context, kept Kept, lost string) error {
	if err := c.begin(ctx, kept); err != nil {
		return err
	}
	if lost != "" {
		if err := c.say(ctx, actionRestored, map[string]string{"what": lost}); err != nil {
			return err
		}
	}
	keys, err := c.dueKeys(ctx, kept)
	if err != nil || len(keys) == 0 {
		return err
	}
	return c.say(ctx, actionKey, nil, keys...)
}

// dueKeys are those that were made with this start, and those whose notes grow old. One that no note tells of is none of
// them: somebody put it into the database.
func (c *Checker) dueKeys(ctx context.Context, kept Kept) (out []evidence.Record, err error) {
	c.mu.Lock()
	made := c.made
	c.mu.Unlock()
	for _, r := range made {
		if _, known := c.ledger.of(key{c.tenant, evidence.Key, r.ID}); !known {
			out = append(out, r)
		}
	}
	keys, err := kept.GateKeys(ctx)
	for _, k := range keys {
		r := evidence.OfKey(k.ID, k.PEM)
		if n, known := c.ledger.of(key{c.tenant, evidence.Key, r.ID}); known && n.digest == r.Digest && c.now().Sub(n.time) > anewAfter {
			out = append(out, r)
		}
	}
	return out, err
}

// Problems names what the newest comparison found.
func (c *Checker) Problems() []model.Problem {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.touched) == 0 {
		return nil
	}
	return []model.Problem{{
		Severity: "critical",
		Message:  fmt.Sprintf("%d records in the database are not what the audit log notes of them; the first is %s.", len(c.touched), c.touched[0]),
		Cure:     "Find out who had access to the database; `signalbox audit verify` names all of them, and a backup has what was there.",
	}}
}
