package mend

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"
)

// blocks moves every block that does not open into quarantine/: with it in
// place the database would not open at all, or pass over it in silence.
func (m *mender) blocks() error {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return fmt.Errorf("list metrics folder: %w", err)
	}
	for _, e := range entries {
		if _, err := ulid.ParseStrict(e.Name()); err != nil || !e.IsDir() {
			continue
		}
		path := filepath.Join(m.dir, e.Name())
		b, cause := tsdb.OpenBlock(slog.New(slog.DiscardHandler), path, nil, nil)
		if cause == nil {
			if err := b.Close(); err != nil {
				return fmt.Errorf("close block %s: %w", path, err)
			}
			continue
		}
		if err := m.lostBlock(path, cause); err != nil {
			return err
		}
	}
	return m.headChunks()
}

func (m *mender) lostBlock(path string, cause error) error {
	d := Damage{File: m.relative(path), Reason: cause.Error()}
	var meta tsdb.BlockMeta
	if text, err := os.ReadFile(filepath.Join(path, "meta.json")); err == nil && json.Unmarshal(text, &meta) == nil {
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

// headChunks moves the mapped chunks of the head away if the TSDB would not open
// them (a gap, a wrong beginning). The log still has their samples, but
// not a snapshot of the head: it goes too.
func (m *mender) headChunks() error {
	dir := filepath.Join(m.dir, "chunks_head")
	reason, size := headChunksDamage(dir)
	if reason == "" {
		return nil
	}
	if err := m.moveAside(dir); err != nil {
		return err
	}
	snapshots, _ := filepath.Glob(filepath.Join(m.dir, "chunk_snapshot.*"))
	for _, path := range snapshots {
		if err := m.moveAside(path); err != nil {
			return err
		}
	}
	m.log.Warn("mapped chunks of the metrics store cannot be read; they are made again from the log", "reason", reason, "bytes", size)
	return nil
}

// headChunkMagic begins every file of mapped chunks (tsdb/docs/format/head_chunks.md).
const headChunkMagic = "\x01\x30\xbc\x91\x01"

func headChunksDamage(dir string) (reason string, size int64) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", 0 // no folder yet
	}
	previous := -1
	for _, e := range entries { // sorted by name, which has a fixed length
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if previous >= 0 && n != previous+1 {
			reason = "file " + segmentName(previous+1) + " is missing"
		}
		previous = n
		info, err := e.Info()
		if err != nil {
			continue
		}
		size += info.Size()
	}
	if reason == "" {
		reason = wrongBeginning(dir, entries, previous)
	}
	return reason, size
}

// wrongBeginning looks at the first bytes of all files; the newest may be empty
// or zero, which the TSDB repairs by itself.
func wrongBeginning(dir string, entries []os.DirEntry, newest int) string {
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		begin := make([]byte, 8)
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			return err.Error()
		}
		got, _ := f.Read(begin)
		_ = f.Close()
		if n == newest && n > 0 && (got < 4 || zeros(begin[:4])) {
			continue
		}
		if got < len(begin) || string(begin[:len(headChunkMagic)]) != headChunkMagic {
			return "file " + e.Name() + " does not begin as it should"
		}
	}
	return ""
}

func (m *mender) moveAside(path string) error {
	dir := filepath.Join(m.dir, QuarantineDir)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make folder %s: %w", dir, err)
	}
	target := filepath.Join(dir, filepath.Base(path))
	if _, err := os.Stat(target); err == nil {
		target += "." + strconv.FormatInt(m.now.UnixNano(), 10)
	}
	if err := os.Rename(path, target); err != nil {
		return fmt.Errorf("set aside %s: %w", path, err)
	}
	return nil
}
