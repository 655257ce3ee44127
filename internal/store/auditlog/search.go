package auditlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// AuditEntries implements store.AuditLog: entries, newest first, those of the former log behind the others.
func (l *Log) AuditEntries(ctx context.Context, q store.AuditQuery) ([]model.AuditEntry, error) {
	if q.Limit <= 0 {
		q.Limit = store.DefaultStateLimit
	}
	out := []model.AuditEntry{}
	err := l.backward(ctx, q, func(_ string, _ []byte, e model.AuditEntry) bool {
		out = append(out, e)
		return len(out) < q.Limit
	})
	if err != nil || l.former == nil || len(out) >= q.Limit {
		return out, err
	}
	q.Limit -= len(out)
	older, err := l.former.AuditEntries(ctx, q)
	return append(out, older...), err
}

// backward calls with the lines that are selected, newest first, until yield answers false.
func (l *Log) backward(ctx context.Context, q store.AuditQuery, yield func(hash string, text []byte, e model.AuditEntry) bool) error {
	l.retain.RLock()
	defer l.retain.RUnlock()
	words := wordsOf(q)
	parts, current, open := l.toSearch()
	for i, p := range slices.Backward(parts) {
		if q.Before > 0 && p.header.First >= q.Before {
			continue
		}
		blocks, err := l.blocksOf(p, current, open, i == len(parts)-1)
		if err != nil {
			return l.explain(err)
		}
		goOn, err := p.backward(ctx, blocks, q, words, yield)
		if err != nil {
			return l.explain(err)
		}
		if !goOn {
			return nil
		}
	}
	return nil
}

// toSearch is what there is, with what the index of the current partition does not have yet.
func (l *Log) toSearch() (parts []partition, indexed int64, open block) {
	l.mu.Lock()
	defer l.mu.Unlock()
	parts = append(parts, l.closed...)
	if l.cur == nil {
		return parts, -1, open
	}
	open = block{offset: l.cur.open.offset, length: l.cur.size - l.cur.open.offset, first: l.cur.open.first}
	return append(parts, l.cur.partition), l.cur.indexed, open
}

// blocksOf is a partition's index; of the current one, as far as it was written, and the block that is open. Where lines
// are no longer where the index has them, because somebody took one out, it is made from the lines again.
func (l *Log) blocksOf(p partition, indexed int64, open block, last bool) ([]block, error) {
	bs, err := l.indexOf(p, indexed, last)
	if err != nil || !last {
		return bs, err
	}
	if open.length > 0 {
		bs = append(bs, open)
	}
	if p.packed || p.fits(bs) {
		return bs, nil
	}
	st, err := os.Stat(p.path)
	if err != nil {
		return nil, err
	}
	return p.makeBlocks(st.Size())
}

// fits says whether every block begins with the entry that the index says.
func (p partition) fits(bs []block) bool {
	f, err := os.Open(p.path)
	if err != nil {
		return true // reading says what is wrong
	}
	defer f.Close()
	const fixed = len(lineStart) + hashLen + len(lineMid)
	var begins [fixed + 32]byte
	for i, b := range bs {
		if i > 0 && b.first != bs[i-1].last+1 {
			return false
		}
		if b.offset == 0 {
			continue // the file's own first line
		}
		n, _ := f.ReadAt(begins[:], b.offset)
		if id, ok := numberOf(begins[min(n, fixed):n]); !ok || id != b.first {
			return false
		}
	}
	return true
}

func (l *Log) indexOf(p partition, indexed int64, last bool) ([]block, error) {
	if !last || indexed < 0 {
		return p.blocks()
	}
	f, err := os.Open(p.index())
	if errors.Is(err, fs.ErrNotExist) {
		return p.blocks()
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := os.Stat(p.path)
	if err != nil {
		return nil, err
	}
	bs, _, err := readBlocks(io.LimitReader(f, indexed), st.Size())
	return bs, err
}

// forward calls with the lines behind an entry that are selected, oldest first, until yield answers false.
func (l *Log) forward(ctx context.Context, after int64, q store.AuditQuery, yield func(Line, model.AuditEntry) bool) error {
	l.retain.RLock()
	defer l.retain.RUnlock()
	words := wordsOf(q)
	parts, current, open := l.toSearch()
	for i, p := range parts {
		last := i == len(parts)-1
		if !last && parts[i+1].header.First <= after+1 {
			continue
		}
		blocks, err := l.blocksOf(p, current, open, last)
		if err != nil {
			return l.explain(err)
		}
		goOn, err := p.forward(ctx, blocks, q, words, after, yield)
		if err != nil {
			return l.explain(err)
		}
		if !goOn {
			return nil
		}
	}
	return nil
}

func (p partition) forward(ctx context.Context, blocks []block, q store.AuditQuery, words []uint64, after int64, yield func(Line, model.AuditEntry) bool) (goOn bool, err error) {
	if len(blocks) == 0 {
		return true, nil
	}
	f, err := os.Open(p.path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	at := p.before()
	for _, b := range blocks {
		before := at
		if at = (end{b.last, b.hash}); b.filter != nil && (b.last <= after || !b.may(q, words)) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		for _, h := range p.hits(f, b, before, q) {
			if h.entry.ID > after && !yield(Line{h.prev, h.hash, h.text}, h.entry) {
				return false, nil
			}
		}
	}
	return true, nil
}

// Lines calls with the entries behind one, as they are kept, oldest first, until yield answers false: those of the former
// log first, which have no hash of this kind.
func (l *Log) Lines(ctx context.Context, after int64, q store.AuditQuery, yield func(Line, model.AuditEntry) bool) error {
	if goOn, err := l.formerLines(ctx, after, q, yield); err != nil || !goOn {
		return err
	}
	return l.forward(ctx, after, q, yield)
}

// mostFormer bounds what is read of the former log, which had no queries in it.
const mostFormer = 1 << 20

func (l *Log) formerLines(ctx context.Context, after int64, q store.AuditQuery, yield func(Line, model.AuditEntry) bool) (goOn bool, err error) {
	if l.former == nil {
		return true, nil
	}
	if parts, _, _ := l.toSearch(); len(parts) > 0 && parts[0].header.First <= after+1 {
		return true, nil
	}
	q.Limit = mostFormer
	list, err := l.former.AuditEntries(ctx, q)
	if err != nil {
		return false, err
	}
	for _, e := range slices.Backward(list) {
		if e.ID <= after {
			continue
		}
		text, err := json.Marshal(e)
		if err != nil {
			return false, err
		}
		if !yield(Line{Entry: text}, e) {
			return false, nil
		}
	}
	return true, nil
}

func (p partition) backward(ctx context.Context, blocks []block, q store.AuditQuery, words []uint64, yield func(string, []byte, model.AuditEntry) bool) (goOn bool, err error) {
	if len(blocks) == 0 {
		return true, nil
	}
	f, err := os.Open(p.path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	for i, b := range slices.Backward(blocks) {
		if b.filter != nil && !b.may(q, words) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		before := p.before()
		if i > 0 {
			before = end{blocks[i-1].last, blocks[i-1].hash}
		}
		for _, h := range slices.Backward(p.hits(f, b, before, q)) {
			if !yield(h.hash, h.text, h.entry) {
				return false, nil
			}
		}
	}
	return true, nil
}

type hit struct {
	prev, hash string
	text       []byte
	entry      model.AuditEntry
}

// before is the end of the chain before a partition.
func (p partition) before() end { return end{p.header.First - 1, p.header.Prev} }

// hits are a block's entries that are selected, each with what is wrong with it; at is the entry before the block. What cannot
// be read is left out: the next entry says that it is missing, and so does verifying.
func (p partition) hits(f *os.File, b block, at end, q store.AuditQuery) (out []hit) {
	r, err := p.section(f, b.offset, b.length)
	if err != nil {
		return nil
	}
	defer r.Close()
	for {
		line, err := r.line()
		if err != nil {
			return out
		}
		e, hash, text, ok := entryOf(line, nil)
		if !ok {
			continue
		}
		e.Tampered = at.fault(e.ID, hash, text)
		if q.Takes(e) {
			out = append(out, hit{at.Hash, hash, slices.Clone(text), e})
		}
		if e.ID > at.ID {
			at = end{e.ID, hash}
		}
	}
}

// fault says what is wrong with the entry that stands behind e; "" is nothing.
func (e end) fault(id int64, hash string, text []byte) string {
	switch {
	case id <= e.ID:
		return fmt.Sprintf("it stands behind entry %d: it was put there", e.ID)
	case id == e.ID+2:
		return fmt.Sprintf("entry %d before it is missing", e.ID+1)
	case id > e.ID+2:
		return fmt.Sprintf("entries %d to %d before it are missing", e.ID+1, id-1)
	case hashOf(e.Hash, text) != hash:
		return fmt.Sprintf("%s after it was written, or is not the one that followed entry %d", store.AuditChanged, e.ID)
	}
	return ""
}
