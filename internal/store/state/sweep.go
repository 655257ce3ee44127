package state

import (
	"context"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

// Sweep makes database and copies anew, so that neither holds what was overwritten or deleted. aside are files that an
// earlier start set aside, which still may.
func (s *Store) Sweep(ctx context.Context) (aside []string, err error) {
	if _, err := s.write.ExecContext(ctx, "VACUUM"); err != nil {
		return nil, s.explain("sweep", err)
	}
	s.checkpoint(ctx)
	if _, err := s.write.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return nil, s.explain("sweep", err)
	}
	for range 2 { // of two generations, the older one is kept
		s.newGeneration(ctx)
	}
	return append(atomicfile.Aside(s.path), atomicfile.Aside(s.path+"-wal")...), nil
}
