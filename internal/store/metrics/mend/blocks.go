package mend

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

// blocks moves every block that does not open into quarantine/: with it in
// place the database would not open at all, or pass over it in silence.
func (m *mender) blocks() error {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return fmt.Errorf("list metrics folder: %w", err)
	}
	present := map[ulid.ULID]tsdb.BlockMeta{}
	defer func() { m.blocksMissing(present) }()
	for _, e := range entries {
		id, err := ulid.ParseStrict(e.Name())
		if err != nil || !e.IsDir() {
			continue
		}
		path := filepath.Join(m.dir, e.Name())
		meta, cause := m.openable(path, id)
		present[id] = meta // one that is damaged is named as such
		if cause == nil {
			m.wroteLate(id, meta)
			if !meta.Compaction.FromOutOfOrder() && !meta.Compaction.FromStaleSeries() && !meta.Compaction.FromSelectedSeries() {
				m.validFrom = max(m.validFrom, meta.MaxTime)
			}
			continue
		}
		if err := m.lostBlock(path, cause); err != nil {
			return err
		}
	}
	return nil
}

func (m *mender) lostBlock(path string, cause error) error {
	d := Damage{File: m.relative(path), Reason: cause.Error()}
	var meta tsdb.BlockMeta
	if text, err := atomicfile.ReadAtMost(filepath.Join(path, metaFile), maxJSON); err == nil && json.Unmarshal(text, &meta) == nil {
		d.Start, d.End = time.UnixMilli(meta.MinTime).UTC(), time.UnixMilli(meta.MaxTime).UTC()
	}
	_ = filepath.WalkDir(path, func(_ string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if info, err := e.Info(); err == nil {
				d.Bytes += info.Size()
			}
		}
		return nil
	})
	if err := m.moveAside(path); err != nil {
		return err
	}
	m.note(d)
	return nil
}

func (m *mender) moveAside(path string) error {
	dir, err := m.quarantine()
	if err != nil {
		return err
	}
	target := filepath.Join(dir, strings.ReplaceAll(m.relative(path), string(filepath.Separator), "-"))
	if _, err := os.Stat(target); err == nil {
		target += "." + strconv.FormatInt(m.now.UnixNano(), 10)
	}
	if err := os.Rename(path, target); err != nil {
		return fmt.Errorf("set aside %s: %w", path, err)
	}
	return nil
}
