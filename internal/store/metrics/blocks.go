package metrics

import (
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/signalbox-project/signalbox/internal/store/metrics/acked"
)

// knownBlocks has the list of blocks follow the database, so that one which is deleted by somebody else is missed at the next start.
type knownBlocks struct {
	list *acked.File
	log  *slog.Logger
	keep time.Duration
	now  func() time.Time
	db   atomic.Pointer[tsdb.DB] // nil while it opens
}

// toDelete is asked by the database which blocks go, whenever it has read the folder and before it deletes any. While it opens none goes:
// what is too old goes with the next look.
func (k *knownBlocks) toDelete(blocks []*tsdb.Block) map[ulid.ULID]struct{} {
	gone := map[ulid.ULID]struct{}{}
	if db := k.db.Load(); db != nil {
		gone = tsdb.DefaultBlocksToDelete(db)(blocks)
		// The database counts from its newest block: what is too old would stay when nothing new comes.
		for _, b := range blocks {
			if k.now().Sub(time.UnixMilli(b.MaxTime())) >= k.keep {
				gone[b.Meta().ULID] = struct{}{}
			}
		}
	}
	stay := map[ulid.ULID]acked.Span{}
	for _, b := range blocks {
		stay[b.Meta().ULID] = acked.Span{Min: b.MinTime(), Max: b.MaxTime()}
	}
	for _, b := range blocks {
		for _, parent := range b.Meta().Compaction.Parents { // the database deletes those by itself
			delete(stay, parent.ULID)
		}
	}
	maps.DeleteFunc(stay, func(id ulid.ULID, _ acked.Span) bool { _, is := gone[id]; return is })
	if err := k.list.Blocks(stay); err != nil {
		k.log.Warn("which blocks there are cannot be remembered for now", "err", err)
	}
	return gone
}
