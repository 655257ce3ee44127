package auditlog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Actions of the log's own entries.
const (
	actionContinued = "audit.continued" // the last one of the former log
	actionFound     = "audit.found"     // what was wrong at a start
	actionDropped   = "audit.dropped"   // retention let go of a month
	actionLost      = "audit.lost"      // queries that could not be written
	self            = "signalbox"
)

// Open opens or makes a log. What is torn at its end, as a crash leaves it, is repaired; whatever else is odd is left as it
// is. Both are named, by an entry too.
func Open(ctx context.Context, cfg Config, deps Deps) (*Log, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	l := &Log{cfg: cfg, log: instrument.Logger(deps.Logger), now: deps.Now, former: deps.Former, queue: make(chan model.AuditEntry, cfg.Queue)}
	if l.now == nil {
		l.now = time.Now
	}
	var err error
	if l.met, err = newMetrics(deps.Registerer, func() float64 { return float64(len(l.queue)) }); err != nil {
		return nil, err
	}
	found, err := l.open(ctx)
	l.sync.kept.Store(l.sync.done.ID)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("audit log %s: %w; choose another --storage.path or make it writable for this user", cfg.Dir, err), l.closeFiles())
	}
	for _, f := range found {
		l.log.Warn("found in the audit log at the start", "what", f)
		l.notes.found = append(l.notes.found, f)
		if _, err := l.Audit(ctx, model.AuditEntry{Actor: self, Action: actionFound, Details: map[string]string{"what": f}}); err != nil {
			l.log.Error("audit entry not written", "action", actionFound, "err", err)
		}
	}
	return l, nil
}

// open reads what there is; found is what is odd about it.
func (l *Log) open(ctx context.Context) (found []string, err error) {
	if aside, err := atomicfile.MakeDir(l.cfg.Dir, 0o750, l.now()); err != nil {
		return nil, err
	} else if aside != "" {
		found = append(found, fmt.Sprintf("%s was not a folder and is kept as %s", l.cfg.Dir, aside))
	}
	moved, err := clearWay(l.cfg.Dir, l.now())
	if err != nil {
		return nil, err
	}
	found = append(found, moved...)
	parts, bad, err := listPartitions(l.cfg.Dir)
	if err != nil {
		return nil, err
	}
	for _, b := range bad {
		found = append(found, b.Error())
	}
	var known bool
	if l.sync.head, l.sync.done, known, err = openHead(l.cfg.Dir); err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		more, err := l.first(ctx, known)
		if found = append(found, more...); err != nil {
			return found, err
		}
		return found, l.turn(l.now().UTC().Format(monthForm)) // an empty log is one that was emptied
	}
	last := len(parts) - 1
	l.closed = parts[:last]
	synced := l.sync.done.ID
	if !known {
		synced = math.MaxInt64 // nothing is cut where it may have been confirmed
	}
	more, err := l.resume(parts[last], synced)
	found = append(found, more...)
	if err != nil {
		return found, err
	}
	return append(found, l.compareHead(known)...), nil
}

// clearWay sets aside folders that stand where the log has files.
func clearWay(dir string, now time.Time) (found []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := e.Name()
		ours := name == headFile || strings.HasSuffix(name, plainExt) || strings.HasSuffix(name, packedExt) || strings.HasSuffix(name, indexExt)
		if !e.IsDir() || !ours {
			continue
		}
		aside, err := atomicfile.SetAside(filepath.Join(dir, name), now)
		if err != nil {
			return found, err
		}
		found = append(found, fmt.Sprintf("%s was not a file and is kept as %s", name, filepath.Base(aside)))
	}
	return found, nil
}

// compareHead says whether the files end where they were last known to. Where entries were taken from the end the chain
// goes on after the last that was known, so that they are missed for ever.
func (l *Log) compareHead(known bool) (found []string) {
	head := l.sync.done
	switch {
	case !known:
		found = append(found, fmt.Sprintf("the record of the chain's end is missing, so entries after %d may be", l.end.ID))
	case head.ID > l.end.ID:
		found = append(found, fmt.Sprintf("entries %d to %d, which ended the chain, are missing", l.end.ID+1, head.ID))
		l.end = head
	case head.ID == l.end.ID && head.Hash != l.end.Hash:
		found = append(found, fmt.Sprintf("entry %d is not the one that ended the chain", head.ID))
		l.end = head
	}
	return found
}

// first begins a chain: after the former log's end, where there was one.
func (l *Log) first(ctx context.Context, known bool) (found []string, err error) {
	if known {
		l.end = l.sync.done
		found = append(found, fmt.Sprintf("no file of the log is left: its entries up to %d are missing", l.end.ID))
		return found, nil
	}
	if l.former == nil {
		return nil, nil
	}
	marks, err := l.former.AuditEntries(ctx, store.AuditQuery{Action: actionContinued, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(marks) > 0 {
		found = append(found, fmt.Sprintf("the folder was made at an earlier start, on %s, and is empty: its entries after %d are missing",
			marks[0].Time.Format(time.RFC3339), marks[0].ID))
	} else if _, err := l.former.Audit(ctx, model.AuditEntry{
		Actor: self, Action: actionContinued, Details: map[string]string{"folder": filepath.Base(l.cfg.Dir)},
	}); err != nil {
		return found, err
	}
	v, err := l.former.VerifyAudit(ctx)
	l.end = end{v.Last, v.Hash}
	return found, err
}

// resume opens the newest partition for adding to it.
func (l *Log) resume(p partition, synced int64) (found []string, err error) {
	if p.packed {
		return l.resumePacked(p)
	}
	c := &current{partition: p}
	if c.file, err = os.OpenFile(p.path, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	l.cur = c
	if c.index, err = os.OpenFile(p.index(), os.O_CREATE|os.O_RDWR, 0o640); err != nil {
		return nil, err
	}
	st, err := c.file.Stat()
	if err != nil {
		return nil, err
	}
	blocks, good, err := readBlocks(c.index, st.Size())
	if err != nil {
		l.log.Warn("the end of an audit log's index is damaged and made again", "file", p.index(), "err", err)
	}
	c.indexed = good
	l.end = end{p.header.First - 1, p.header.Prev}
	if n := len(blocks); n > 0 {
		b := blocks[n-1]
		c.size, l.end = b.offset+b.length, end{b.last, b.hash}
	}
	c.open = block{offset: c.size}
	return l.scanEnd(c, st.Size(), synced)
}

// resumePacked finds the end of a file that is not added to: a new one begins after it.
func (l *Log) resumePacked(p partition) (found []string, err error) {
	bs, err := p.blocks()
	l.end = end{p.header.First - 1, p.header.Prev}
	if n := len(bs); n > 0 {
		l.end = end{bs[n-1].last, bs[n-1].hash}
	}
	l.closed = append(l.closed, p)
	if err != nil {
		found = append(found, err.Error())
	}
	return found, nil
}

// scanEnd reads what the index does not have. Behind the last entry that was synced a crash may have left anything:
// from the first line on that does not continue the chain it is cut, and kept beside the file.
func (l *Log) scanEnd(c *current, size, synced int64) (found []string, err error) {
	r, err := c.section(c.file, c.size, size-c.size)
	if err != nil {
		return nil, err
	}
	for {
		line, err := r.line()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err == nil && c.size == 0 && isHeader(line, c.header) {
			c.size = int64(len(line)) + 1 // the first block begins with it
			continue
		}
		e, hash, text, ok := entryOf(line, err)
		if err == nil && l.end.ID < synced && (!ok || e.ID <= synced) {
			// It was on the disk once: whatever became of it stays as it is, for verifying to name.
			if ok && e.ID > l.end.ID {
				l.end = end{e.ID, hash}
				c.grow(e, hash, int64(len(line))+1)
			} else {
				c.size += int64(len(line)) + 1
			}
			continue
		}
		if !ok || e.ID != l.end.ID+1 || hashOf(l.end.Hash, text) != hash {
			return l.cutEnd(c, size)
		}
		l.end = end{e.ID, hash}
		c.grow(e, hash, int64(len(line))+1)
	}
}

func entryOf(line []byte, err error) (e model.AuditEntry, hash string, text []byte, ok bool) {
	if err != nil {
		return e, "", nil, false
	}
	if hash, text, err = parseLine(line); err != nil {
		return e, "", nil, false
	}
	e, err = decodeEntry(text)
	return e, hash, text, err == nil
}

func isHeader(line []byte, h header) bool {
	text, err := json.Marshal(h)
	return err == nil && bytes.Equal(line, text)
}

// cutEnd keeps what is behind the last whole line beside the file, and cuts it off.
func (l *Log) cutEnd(c *current, size int64) (found []string, err error) {
	rest := io.NewSectionReader(c.file, c.size, size-c.size)
	aside := c.path + ".torn-" + strconv.FormatInt(l.now().UTC().Unix(), 10)
	if err := atomicfile.Write(aside, 0o640, func(w io.Writer) error {
		_, err := io.Copy(w, rest)
		return err
	}); err != nil {
		return nil, err
	}
	if err := errors.Join(c.file.Truncate(c.size), c.file.Sync()); err != nil {
		return nil, err
	}
	return []string{fmt.Sprintf("%d bytes behind entry %d of %s were torn and never confirmed; they are kept as %s",
		size-c.size, l.end.ID, c.name(), filepath.Base(aside))}, nil
}

// createCurrent makes the file of a partition, with its first line.
func createCurrent(p partition) (*current, error) {
	line, err := json.Marshal(p.header)
	if err != nil {
		return nil, err
	}
	line = append(line, '\n')
	if err := atomicfile.WriteBytes(p.path, 0o640, line); err != nil {
		return nil, err
	}
	c := &current{partition: p, size: int64(len(line))}
	if c.file, err = os.OpenFile(p.path, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	if c.index, err = os.OpenFile(p.index(), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o640); err != nil {
		return nil, errors.Join(err, c.file.Close())
	}
	return c, nil
}

func (l *Log) closeFiles() error {
	var errs []error
	if l.cur != nil {
		for _, f := range []*os.File{l.cur.file, l.cur.index} {
			if f != nil {
				errs = append(errs, f.Close())
			}
		}
		l.cur = nil
	}
	if l.sync.head != nil {
		errs = append(errs, l.sync.head.Close())
		l.sync.head = nil
	}
	return errors.Join(errs...)
}
