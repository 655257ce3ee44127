package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/signalbox-project/signalbox/internal/seal/envelope"
)

// buildSealer reads the keys that secrets are kept by. Nothing is opened before: what cannot be opened stops the start.
func (p *Process) buildSealer(context.Context) (err error) {
	for i, k := range p.cfg.Seal.Keys {
		if k.File != "" && liesIn(k.File, p.opts.StoragePath) {
			return fmt.Errorf("seal.keys[%d]: file %s lies in the storage folder that it is to protect, and in its backups: move it out", i, k.File)
		}
	}
	if p.sealer, err = envelope.Open(p.cfg.Seal, p.outgoing); err != nil {
		return err
	}
	if len(p.cfg.Seal.Keys) == 0 {
		p.component("seal").Info("secrets in the storage folder are kept plain: gate signing key, key of links and logins, hashes of passwords; to seal them, name a key in seal.keys (docs/operations.md)",
			"folder", p.opts.StoragePath)
	}
	return nil
}

// liesIn says whether a file is below a folder, wherever links lead.
func liesIn(file, folder string) bool {
	real := func(path string) string {
		if followed, err := filepath.EvalSymlinks(path); err == nil {
			path = followed
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return path
		}
		return abs
	}
	rel, err := filepath.Rel(real(folder), real(file))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
