package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/prometheus/prometheus/tsdb"

	"github.com/signalbox-project/signalbox/internal/store/metrics/spare"
)

// disk keeps the database from writing what it cannot: the TSDB takes the process down where there is no room for
// chunks that it moves out of memory.
type disk struct {
	dir   string
	free  func(string) (uint64, error)
	spare *spare.Disk

	low    atomic.Bool   // compactions rest
	turn   chan struct{} // low changed
	mapped bool          // beginMapped was called; of Open, then of holdBack
}

func newDisk(dir string, free func(string) (uint64, error), log *slog.Logger, encrypted bool) *disk {
	d := &disk{dir: dir, free: free, spare: &spare.Disk{Dir: dir, Free: free, Log: log}, turn: make(chan struct{}, 1)}
	if encrypted {
		d.spare.Others = []string{spare.Memory}
	}
	return d
}

// room is what may still be written for the database, wherever there is least.
func (d *disk) room() (uint64, error) {
	free, err := d.free(d.dir)
	if away := d.spare.Away(); err == nil && away != "" {
		other, err := d.free(away)
		return min(free, other), err
	}
	return free, err
}

// look sets room aside while there is much, and lets it go, with compactions, when there is hardly any.
func (d *disk) look(free, min uint64) {
	d.spare.Keep(free, min)
	low := free < spare.Critical
	if low {
		d.spare.Release()
	}
	if d.low.Swap(low) != low {
		select {
		case d.turn <- struct{}{}:
		default:
		}
	}
}

// begin begins a file of mapped chunks, or puts compactions off where there is no room for one.
func (d *disk) begin(db *tsdb.DB) error {
	if d.mapped {
		return nil
	}
	if free, err := d.room(); err != nil || free < spare.Critical {
		d.low.Store(true)
		db.DisableCompactions()
		return nil //nolint:nilerr // whoever looks at the disk next says so
	}
	d.mapped = true
	return beginMapped(db)
}

// holdBack stops compactions while the disk is full: of late samples they begin with writing chunks.
func (d *disk) holdBack(ctx context.Context, db *tsdb.DB) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.turn:
		}
		if d.low.Load() { // both wait for a compaction that runs
			db.DisableCompactions()
			continue
		}
		if err := d.begin(db); err != nil {
			return err
		}
		db.EnableCompactions()
	}
}

// beforeClose makes room for the chunks that the TSDB writes when it is closed.
func (d *disk) beforeClose() {
	if free, err := d.room(); err == nil && free < spare.Critical {
		d.spare.Release()
	}
}

// checkDisk refuses writes while there is little room. What is still in memory is moved out at once, while that can be
// done: later the TSDB would do it by itself, and panic.
func (s *Store) checkDisk() {
	reason := ""
	free, err := s.disk.room()
	if err == nil {
		s.disk.look(free, s.cfg.MinFreeBytes)
	}
	if broken := s.broken.Load(); broken != nil {
		reason = *broken
	} else if trouble := s.late.trouble(); trouble != "" {
		reason = trouble
	} else if err != nil {
		reason = fmt.Sprintf("free space of %s is unknown: %v", s.dir, err)
	} else if free < s.cfg.MinFreeBytes {
		reason = fmt.Sprintf("%d MiB left on the disk of %s, under min_free_bytes (%d MiB)", free>>20, s.dir, s.cfg.MinFreeBytes>>20)
	}
	was := s.readOnly.Load()
	if reason == "" {
		s.readOnly.Store(nil)
		if was != nil {
			s.log.Info("metrics store takes writes again")
		}
		return
	}
	s.readOnly.Store(&reason)
	if was == nil {
		s.log.Error("metrics store is read-only", "reason", reason)
	}
	if free, err := s.disk.room(); err == nil && free >= spare.Slack && s.broken.Load() == nil {
		s.db.ForceHeadMMap()
	}
}
