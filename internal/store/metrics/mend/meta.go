package mend

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/prometheus/prometheus/tsdb/tombstones"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

const metaFile = "meta.json"

// openable opens a block, if need be after what can be made again was: its description
// from its index, and a list of deletions that cannot be read by an empty one.
func (m *mender) openable(path string, id ulid.ULID) (tsdb.BlockMeta, error) {
	if reason := describes(path, id); reason != "" {
		if err := m.describe(path, id); err != nil {
			return tsdb.BlockMeta{}, fmt.Errorf("%s, and cannot be made again: %w", reason, err)
		}
		m.log.Warn("a block's description was made again from its index", "block", id, "reason", reason)
	}
	if err := guarded(func() error { _, _, err := tombstones.ReadTombstones(path); return err }); err != nil {
		if err := m.moveAside(filepath.Join(path, tombstones.TombstonesFilename)); err != nil {
			return tsdb.BlockMeta{}, err
		}
		m.note(Damage{File: m.relative(filepath.Join(path, tombstones.TombstonesFilename)), Reason: "samples that were deleted from this block are there again: " + err.Error()})
	}
	var meta tsdb.BlockMeta
	err := guarded(func() error {
		b, err := tsdb.OpenBlock(instrument.Silent(), path, nil, nil)
		if err != nil {
			return err
		}
		meta = b.Meta()
		return b.Close()
	})
	return meta, err
}

// guarded runs what reads files that may be damaged: the TSDB's readers panic on some, such as a list
// of deletions that is a few bytes long.
func guarded(read func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it cannot be read: %v", p)
		}
	}()
	return read()
}

// describes is why a block's description cannot be relied on, or "".
func describes(path string, id ulid.ULID) string {
	text, err := atomicfile.ReadAtMost(filepath.Join(path, metaFile), maxJSON)
	if err != nil {
		return "its description cannot be read: " + err.Error()
	}
	var fields map[string]json.RawMessage
	var meta tsdb.BlockMeta
	if err := json.Unmarshal(text, &fields); err != nil {
		return "its description is damaged: " + err.Error()
	}
	for _, name := range []string{"ulid", "minTime", "maxTime", "stats", "compaction", "version"} {
		if _, ok := fields[name]; !ok {
			return "its description lacks " + name
		}
	}
	if err := json.Unmarshal(text, &meta); err != nil {
		return "its description is damaged: " + err.Error()
	}
	if meta.ULID != id || meta.MaxTime <= meta.MinTime || meta.Version != 1 {
		return "its description is of another block"
	}
	return ""
}

// describe writes a description made from the index and the chunks. Whether the
// samples came in order is not known any more; that they came late is the assumption from which
// the TSDB concludes less.
func (m *mender) describe(path string, id ulid.ULID) error {
	meta := tsdb.BlockMeta{
		ULID: id, Version: 1, MinTime: math.MaxInt64, MaxTime: math.MinInt64,
		Compaction: tsdb.BlockMetaCompaction{Level: 1, Sources: []ulid.ULID{id}},
	}
	meta.Compaction.SetOutOfOrder()
	err := guarded(func() error {
		return eachChunk(path, func(c chunks.Meta, samples int) {
			meta.MinTime, meta.MaxTime = min(meta.MinTime, c.MinTime), max(meta.MaxTime, c.MaxTime+1)
			meta.Stats.NumChunks++
			meta.Stats.NumSamples += uint64(samples) //nolint:gosec // a count
		}, func() { meta.Stats.NumSeries++ })
	})
	if err != nil {
		return err
	}
	if meta.Stats.NumChunks == 0 {
		return fmt.Errorf("its index names no chunk")
	}
	text, err := json.MarshalIndent(meta, "", "\t")
	if err != nil {
		return err
	}
	target := filepath.Join(path, metaFile)
	if _, err := os.Lstat(target); err == nil {
		if err := m.moveAside(target); err != nil {
			return err
		}
	}
	return os.WriteFile(target, text, 0o640) //nolint:gosec // as the TSDB makes them
}

func eachChunk(path string, chunk func(c chunks.Meta, samples int), series func()) error {
	r, err := index.NewFileReader(filepath.Join(path, "index"), index.DecodePostingsRaw)
	if err != nil {
		return err
	}
	defer r.Close()
	data, err := chunks.NewDirReader(filepath.Join(path, "chunks"), nil)
	if err != nil {
		return err
	}
	defer data.Close()
	name, value := index.AllPostingsKey()
	p, err := r.Postings(context.Background(), name, value)
	if err != nil {
		return err
	}
	var builder labels.ScratchBuilder
	var metas []chunks.Meta
	for p.Next() {
		if err := r.Series(p.At(), &builder, &metas); err != nil {
			return err
		}
		series()
		for _, c := range metas {
			samples := 0
			if found, _, err := data.ChunkOrIterable(c); err == nil {
				samples = found.NumSamples()
			}
			chunk(c, samples)
		}
	}
	return p.Err()
}
