package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/signalbox-project/signalbox/internal/store/metrics/mend"
)

// errDamagedBlock is the warning of answers that lack what could not be read.
var errDamagedBlock = errors.New("data of a block of the metrics store is damaged; the answer lacks it")

// wounds are the places of open blocks that could not be read: a query goes on
// without them, and says so. Methods are safe for concurrent use.
type wounds struct {
	log *slog.Logger

	mu    sync.Mutex
	found map[ulid.ULID]*wound
}

type wound struct {
	damage mend.Damage
	chunks map[chunks.ChunkRef]bool
}

func newWounds(log *slog.Logger) *wounds {
	return &wounds{log: log, found: map[ulid.ULID]*wound{}}
}

// note remembers that a chunk cannot be read, or, with times 0, some of the index.
func (w *wounds) note(block ulid.ULID, c chunks.Meta, cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.found[block]
	if one == nil {
		one = &wound{chunks: map[chunks.ChunkRef]bool{}, damage: mend.Damage{
			File: block.String(), Reason: cause.Error(), Found: time.Now().UTC().Truncate(time.Second),
		}}
		w.found[block] = one
		w.log.Error("a block of the metrics store is damaged; queries go on without what cannot be read", "block", block, "reason", cause,
			"start", time.UnixMilli(c.MinTime).UTC(), "end", time.UnixMilli(c.MaxTime).UTC())
	}
	if c.Ref != 0 {
		one.chunks[c.Ref] = true
	}
	start, end := time.UnixMilli(c.MinTime).UTC(), time.UnixMilli(c.MaxTime).UTC()
	if one.damage.Start.IsZero() || start.Before(one.damage.Start) {
		one.damage.Start = start
	}
	if end.After(one.damage.End) {
		one.damage.End = end
	}
}

func (w *wounds) has(block ulid.ULID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.found[block] != nil
}

func (w *wounds) list() []mend.Damage {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []mend.Damage
	for _, one := range w.found {
		d := one.damage
		d.Reason = fmt.Sprintf("%d chunks cannot be read, %s", len(one.chunks), d.Reason)
		if len(one.chunks) == 0 {
			d.Reason = "the index cannot be read, " + one.damage.Reason
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b mend.Damage) int { return a.Start.Compare(b.Start) })
	return out
}

// use makes the database read blocks through w. Damaged blocks are not compacted:
// that would fail each time.
func (w *wounds) use(o *tsdb.Options) {
	o.BlockQuerierFunc = func(b tsdb.BlockReader, mint, maxt int64) (storage.Querier, error) {
		if _, ok := b.(*tsdb.Block); !ok { // the head
			return tsdb.NewBlockQuerier(b, mint, maxt)
		}
		q, err := tsdb.NewBlockQuerier(tolerant{b, w}, mint, maxt)
		return tolerantQuerier{q, w, b.Meta()}, err
	}
	o.BlockChunkQuerierFunc = func(b tsdb.BlockReader, mint, maxt int64) (storage.ChunkQuerier, error) {
		if _, ok := b.(*tsdb.Block); ok {
			b = tolerant{b, w}
		}
		return tsdb.NewBlockChunkQuerier(b, mint, maxt)
	}
	o.BlockCompactionExcludeFunc = func(meta *tsdb.BlockMeta) bool { return w.has(meta.ULID) }
}

// tolerant is a block whose damaged chunks are empty.
type tolerant struct {
	tsdb.BlockReader
	w *wounds
}

func (t tolerant) Chunks() (tsdb.ChunkReader, error) {
	r, err := t.BlockReader.Chunks()
	return tolerantChunks{r, t.w, t.Meta().ULID}, err
}

type tolerantChunks struct {
	tsdb.ChunkReader
	w     *wounds
	block ulid.ULID
}

func (t tolerantChunks) ChunkOrIterable(meta chunks.Meta) (chunkenc.Chunk, chunkenc.Iterable, error) {
	chunk, iterable, err := t.ChunkReader.ChunkOrIterable(meta)
	if err != nil {
		t.w.note(t.block, meta, err)
		return chunkenc.NewXORChunk(), nil, nil
	}
	return chunk, iterable, nil
}

// tolerantQuerier answers without a block whose index cannot be read.
type tolerantQuerier struct {
	storage.Querier
	w    *wounds
	meta tsdb.BlockMeta
}

func (q tolerantQuerier) index(err error, warn annotations.Annotations) (annotations.Annotations, error) {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return warn, err
	}
	q.w.note(q.meta.ULID, chunks.Meta{MinTime: q.meta.MinTime, MaxTime: q.meta.MaxTime}, err)
	return warn.Add(errDamagedBlock), nil
}

func (q tolerantQuerier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	out, warn, err := q.Querier.LabelValues(ctx, name, hints, ms...)
	warn, err = q.index(err, warn)
	return out, warn, err
}

func (q tolerantQuerier) LabelNames(ctx context.Context, hints *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	out, warn, err := q.Querier.LabelNames(ctx, hints, ms...)
	warn, err = q.index(err, warn)
	return out, warn, err
}

func (q tolerantQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	return &tolerantSet{SeriesSet: q.Querier.Select(ctx, sorted, hints, ms...), q: q}
}

type tolerantSet struct {
	storage.SeriesSet
	q tolerantQuerier
}

func (s *tolerantSet) Err() error {
	_, err := s.q.index(s.SeriesSet.Err(), nil)
	return err
}

func (s *tolerantSet) Warnings() annotations.Annotations {
	warn, _ := s.q.index(s.SeriesSet.Err(), s.SeriesSet.Warnings())
	if s.q.w.has(s.q.meta.ULID) {
		return warn.Add(errDamagedBlock)
	}
	return warn
}

// scrubBytes is how much is verified between two pauses.
const scrubBytes = 4 << 20

// scrub reads every chunk of the blocks that are open, so that damage is named before
// somebody asks for what it took. pause is called now and then.
func (s *Store) scrub(ctx context.Context, pause func(context.Context) error) error {
	for _, b := range s.db.Blocks() {
		if err := s.scrubBlock(ctx, b, pause); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			meta := b.Meta()
			s.wounds.note(meta.ULID, chunks.Meta{MinTime: meta.MinTime, MaxTime: meta.MaxTime}, err)
		}
	}
	return nil
}

func (s *Store) scrubBlock(ctx context.Context, b *tsdb.Block, pause func(context.Context) error) error {
	idx, err := b.Index()
	if errors.Is(err, tsdb.ErrClosing) {
		return nil // it was compacted
	}
	if err != nil {
		return err
	}
	defer idx.Close()
	plain, err := b.Chunks()
	if err != nil {
		return err
	}
	defer plain.Close()
	data := tolerantChunks{plain, s.wounds, b.Meta().ULID}
	names, err := idx.LabelNames(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		p := idx.PostingsForAllLabelValues(ctx, name)
		for p.Next() {
		}
		if err := p.Err(); err != nil {
			return err
		}
	}
	name, value := index.AllPostingsKey()
	p, err := idx.Postings(ctx, name, value)
	if err != nil {
		return err
	}
	var builder labels.ScratchBuilder
	var metas []chunks.Meta
	read := 0
	for p.Next() {
		if err := idx.Series(p.At(), &builder, &metas); err != nil {
			return err
		}
		for _, c := range metas {
			chunk, _, _ := data.ChunkOrIterable(c) // notes what is damaged
			read += len(chunk.Bytes())
		}
		if read > scrubBytes {
			read = 0
			if err := pause(ctx); err != nil {
				return err
			}
		}
	}
	return p.Err()
}

// rest lets others have the disk and the processor: a scrub reads at most 40 MiB a second.
func rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(100 * time.Millisecond):
		return nil
	}
}
