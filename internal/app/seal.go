package app

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/seal/envelope"
)

// buildSealer reads the keys that secrets are kept by. Nothing is opened before: what cannot be opened stops the start.
func (p *Process) buildSealer(context.Context) (err error) {
	if p.sealer, err = envelope.Open(p.cfg.Seal, p.outgoing); err != nil {
		return err
	}
	if len(p.cfg.Seal.Keys) == 0 {
		p.component("seal").Info("secrets in the storage folder are kept plain: gate signing key, key of links and logins, hashes of passwords; to seal them, name a key in seal.keys (docs/operations.md)",
			"folder", p.opts.StoragePath)
	}
	return nil
}
