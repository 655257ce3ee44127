package auditlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

const maintainEvery = time.Hour

// maintain verifies the log once, and looks after months that are over.
func (l *Log) maintain(ctx context.Context) {
	if _, err := l.VerifyAudit(ctx); err != nil && ctx.Err() == nil {
		l.log.Error("the audit log cannot be verified", "err", err)
	}
	tick := time.NewTicker(maintainEvery)
	defer tick.Stop()
	for {
		if err := l.tidy(ctx); err != nil && ctx.Err() == nil {
			l.log.Error("months of the audit log that are over cannot be packed or dropped", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tidy packs months that are over and drops those that are older than retention.
func (l *Log) tidy(ctx context.Context) error {
	for range l.months() {
		months := l.months()
		if !l.old(months[0]) {
			break
		}
		if err := l.drop(ctx, months[0], l.after(months[0])); err != nil {
			return err
		}
	}
	var errs []error
	for _, p := range l.months() {
		if !p.packed && ctx.Err() == nil {
			errs = append(errs, l.pack(p))
		}
	}
	return errors.Join(errs...)
}

// months are the partitions that are over.
func (l *Log) months() []partition {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]partition(nil), l.closed...)
}

// old says whether a month ended before retention, and its entries with it.
func (l *Log) old(p partition) bool {
	before := l.now().Add(-time.Duration(l.cfg.Retention))
	begins, err := time.Parse(monthForm, p.header.Partition)
	if err != nil || !begins.AddDate(0, 1, 0).Before(before) {
		return false
	}
	blocks, err := p.blocks()
	for _, b := range blocks {
		if b.latest >= nanos(before) {
			return false
		}
	}
	return err == nil
}

// after is the header of the partition behind p, which says how p ended.
func (l *Log) after(p partition) header {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, c := range l.closed {
		if c.path == p.path && i+1 < len(l.closed) {
			return l.closed[i+1].header
		}
	}
	if l.cur != nil {
		return l.cur.header
	}
	return header{First: l.end.ID + 1, Prev: l.end.Hash}
}

// drop deletes the oldest month, after an entry says so: the chain stays verifiable, as the next month says which
// hash it goes on from, and the entry says that what ended with it was dropped.
func (l *Log) drop(ctx context.Context, p partition, next header) error {
	if !l.retain.TryLock() {
		return nil // somebody reads; in an hour again
	}
	defer l.retain.Unlock()
	if _, err := l.Audit(ctx, model.AuditEntry{Actor: self, Action: actionDropped, Subject: p.header.Partition, Details: map[string]string{
		"first": strconv.FormatInt(p.header.First, 10), "last": strconv.FormatInt(next.First-1, 10), "hash": next.Prev,
		"retention": l.cfg.Retention.String(),
	}}); err != nil {
		return err
	}
	l.mu.Lock()
	l.closed = l.closed[1:]
	l.mu.Unlock()
	err := errors.Join(os.Remove(p.path), remove(p.index()))
	l.log.Info("a month of the audit log is older than its retention and was dropped", "month", p.header.Partition)
	return errors.Join(err, atomicfile.SyncDir(l.cfg.Dir))
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// pack writes a month that is over as zstd frames, line by line as it is, with its index, and then removes the plain file.
func (l *Log) pack(p partition) error {
	to := partition{path: strings.TrimSuffix(p.path, plainExt) + packedExt, packed: true, header: p.header}
	var blocks []block
	err := atomicfile.Write(to.path, 0o640, func(w io.Writer) (err error) {
		blocks, err = p.packInto(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("pack %s: %w", p.name(), err)
	}
	if err := to.same(p); err != nil {
		return errors.Join(fmt.Errorf("pack %s: %w", p.name(), err), os.Remove(to.path))
	}
	if !l.retain.TryLock() {
		return os.Remove(to.path) // somebody reads; in an hour again
	}
	defer l.retain.Unlock()
	if err := to.writeBlocks(blocks); err != nil {
		return fmt.Errorf("pack %s: %w", p.name(), err)
	}
	l.mu.Lock()
	for i := range l.closed {
		if l.closed[i].path == p.path {
			l.closed[i] = to
		}
	}
	l.mu.Unlock()
	return errors.Join(os.Remove(p.path), atomicfile.SyncDir(l.cfg.Dir))
}

func (p partition) packInto(w io.Writer) (out []block, err error) {
	r, err := p.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b block
	var lines []byte
	flush := func() error {
		frame := packFrame(lines)
		if _, err := w.Write(frame); err != nil {
			return err
		}
		b.length = int64(len(frame))
		out = append(out, b.closed())
		b, lines = block{offset: b.offset + b.length, last: b.last}, lines[:0]
		return nil
	}
	for {
		line, err := r.line()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		lines = append(append(lines, line...), '\n')
		if b.take(line); len(lines) >= blockBytes && b.words != nil {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if len(lines) == 0 {
		return out, nil
	}
	return out, flush()
}

// same compares the lines of two files.
func (p partition) same(other partition) error {
	a, err := p.open()
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := other.open()
	if err != nil {
		return err
	}
	defer b.Close()
	for {
		x, err1 := a.line()
		y, err2 := b.line()
		switch {
		case errors.Is(err1, io.EOF) && errors.Is(err2, io.EOF):
			return nil
		case err1 != nil || err2 != nil || !bytes.Equal(x, y):
			return errors.Join(errors.New("what was written reads otherwise"), err1, err2)
		}
	}
}
