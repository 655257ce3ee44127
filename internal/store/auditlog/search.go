package auditlog

import (
	"context"
	"encoding/json"
	"errors"
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
		blocks, err := l.blocksOf(p, current, i == len(parts)-1)
		if err != nil {
			return l.explain(err)
		}
		if i == len(parts)-1 && open.length > 0 {
			blocks = append(blocks, open)
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
	open = block{offset: l.cur.open.offset, length: l.cur.size - l.cur.open.offset}
	return append(parts, l.cur.partition), l.cur.indexed, open
}

// blocksOf is a partition's index; of the current one, as far as it was written.
func (l *Log) blocksOf(p partition, indexed int64, last bool) ([]block, error) {
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
		blocks, err := l.blocksOf(p, current, last)
		if err != nil {
			return l.explain(err)
		}
		if last && open.length > 0 {
			blocks = append(blocks, open)
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
	prev := p.header.Prev
	for _, b := range blocks {
		before := prev
		if prev = b.hash; b.filter != nil && (b.last <= after || !b.may(q, words)) {
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
	for _, b := range slices.Backward(blocks) {
		if b.filter != nil && !b.may(q, words) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
		for _, h := range slices.Backward(p.hits(f, b, "", q)) {
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

// hits are a block's entries that are selected; prev is the hash before the block, where somebody wants to know. What cannot
// be read is left out: verifying names it.
func (p partition) hits(f *os.File, b block, prev string, q store.AuditQuery) (out []hit) {
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
		if ok && q.Takes(e) {
			out = append(out, hit{prev, hash, slices.Clone(text), e})
		}
		if hash != "" {
			prev = hash
		}
	}
}
