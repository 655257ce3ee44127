package app

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/seal/atrest"
)

// openStorage makes the storage folder ready before anything is opened in it, and shuts it when everything is closed.
func (p *Process) openStorage(context.Context) error {
	opened, err := atrest.Open(p.opts.StoragePath, p.cfg.Storage, p.sealer)
	if err != nil {
		return err
	}
	log := p.component("storage")
	p.data = opened.Dir
	p.run("storage", nil, func() error {
		busy, err := opened.Close()
		if busy {
			log.Warn("files of the encrypted storage folder are still open by another process; what is open stays readable", "folder", opened.Dir)
		}
		return err
	})
	if opened.Behind != nil {
		log.Warn("the key of the encrypted storage folder is not sealed by the first of seal.keys; keep the former ones", "err", opened.Behind)
	}
	return nil
}
