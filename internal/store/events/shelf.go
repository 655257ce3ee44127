package events

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
	"github.com/signalbox-project/signalbox/internal/store/events/wal"
)

// builder is a head's columns: *head.LogsBuilder or *head.SpansBuilder.
type builder[R, S any] interface {
	Append([]R)
	Snapshot() *S
	Size() (rows, bytes int)
}

// signalOps is what differs between logs and spans.
type signalOps[R, S any] struct {
	signal  part.Signal
	timeOf  func(*R) int64
	newHead func(id uint64) builder[R, S]
	bounds  func(*S) (id uint64, minTime, maxTime int64)
	encode  func([]byte, []R) []byte
	decode  func([]byte) ([]R, error)
	write   func(disk.FS, string, *S, part.Options) (*part.Part, error)
	read    func(keys *cipherfile.Keys, path string, into builder[R, S]) error
}

func logOps() signalOps[model.LogRecord, head.Logs] {
	return signalOps[model.LogRecord, head.Logs]{
		signal:  part.Logs,
		timeOf:  func(r *model.LogRecord) int64 { return r.Time },
		newHead: func(id uint64) builder[model.LogRecord, head.Logs] { return head.NewLogs(id) },
		bounds:  func(l *head.Logs) (uint64, int64, int64) { return l.ID, l.MinTime, l.MaxTime },
		encode:  wal.EncodeLogs, decode: wal.DecodeLogs, write: part.WriteLogs,
		read: func(keys *cipherfile.Keys, path string, into builder[model.LogRecord, head.Logs]) error {
			return part.ReadLogs(keys, path, into.(*head.LogsBuilder))
		},
	}
}

func spanOps() signalOps[model.Span, head.Spans] {
	return signalOps[model.Span, head.Spans]{
		signal:  part.Spans,
		timeOf:  func(s *model.Span) int64 { return s.Start },
		newHead: func(id uint64) builder[model.Span, head.Spans] { return head.NewSpans(id) },
		bounds:  func(s *head.Spans) (uint64, int64, int64) { return s.ID, s.MinTime, s.MaxTime },
		encode:  wal.EncodeSpans, decode: wal.DecodeSpans, write: part.WriteSpans,
		read: func(keys *cipherfile.Keys, path string, into builder[model.Span, head.Spans]) error {
			return part.ReadSpans(keys, path, into.(*head.SpansBuilder))
		},
	}
}

// loggedHead is the head (columns in memory, see package head) of a day together with the segments of the log
// that its rows are in until they are sealed.
type loggedHead[R, S any] struct {
	id    uint64
	day   string
	rows  builder[R, S]
	paths []string // of all its segments
	ids   []uint64
	since time.Time // of the first batch
	last  time.Time // of the latest batch

	seg      *wal.Segment // nil until something is written
	reserved int          // rows, those being written included
	frozen   bool
	writers  sync.WaitGroup // batches between reserve and done
}

// shelf is all of one signal: heads by day, frozen heads, parts.
type shelf[R, S any] struct {
	ops signalOps[R, S]
	db  *DB
	dir string

	appendMu sync.Mutex // which head takes a batch; segment creation
	open     map[string]*loggedHead[R, S]

	mu    sync.Mutex // what views see; see the package comment for the order
	heads []*loggedHead[R, S]
	parts []*part.Part
}

func newShelf[R, S any](db *DB, ops signalOps[R, S]) *shelf[R, S] {
	return &shelf[R, S]{
		ops: ops, db: db, dir: filepath.Join(db.dir, ops.signal.String()),
		open: map[string]*loggedHead[R, S]{},
	}
}

func (s *shelf[R, S]) name() string { return s.ops.signal.String() }

// share is a batch's rows of one day.
type share[R, S any] struct {
	day  string
	rows []R
	into *loggedHead[R, S]
}

// split sorts a batch by day; usually that is one, and nothing is copied.
func (s *shelf[R, S]) split(records []R) []share[R, S] {
	same := true
	first := floorDay(s.ops.timeOf(&records[0]))
	for i := range records {
		if floorDay(s.ops.timeOf(&records[i])) != first {
			same = false
			break
		}
	}
	if same {
		return []share[R, S]{{day: part.DayOf(s.ops.timeOf(&records[0])), rows: records}}
	}
	var out []share[R, S]
	index := map[int64]int{}
	for i := range records {
		t := s.ops.timeOf(&records[i])
		n, ok := index[floorDay(t)]
		if !ok {
			n = len(out)
			index[floorDay(t)] = n
			out = append(out, share[R, S]{day: part.DayOf(t)})
		}
		out[n].rows = append(out[n].rows, records[i])
	}
	return out
}

// floorDay is the number of the UTC day that t, Unix ns, lies in.
func floorDay(t int64) int64 {
	const dayNS = int64(24 * time.Hour)
	if t < 0 {
		return -1 - (-1-t)/dayNS
	}
	return t / dayNS
}

// append makes a batch durable and visible.
func (s *shelf[R, S]) append(ctx context.Context, records []R) error {
	if len(records) == 0 {
		return nil
	}
	err := s.tryAppend(ctx, records)
	switch {
	case err == nil:
		s.db.metrics.rows.WithLabelValues(s.name()).Add(float64(len(records)))
	case errors.Is(err, store.ErrReadOnly):
		s.refuse("read_only", len(records))
	case errors.Is(err, store.ErrOverloaded):
		s.refuse("overloaded", len(records))
	default:
		s.refuse("error", len(records))
	}
	return err
}

func (s *shelf[R, S]) refuse(reason string, n int) {
	s.db.metrics.refused.WithLabelValues(s.name(), reason).Add(float64(n))
}

func (s *shelf[R, S]) tryAppend(ctx context.Context, records []R) error {
	if err := s.db.space.check(); err != nil {
		return err
	}
	if err := s.db.awaitRoom(ctx); err != nil {
		return err
	}
	shares := s.split(records)
	var err error
	for i := range shares {
		if shares[i].into, err = s.reserve(shares[i].day, len(shares[i].rows)); err != nil {
			shares = shares[:i]
			break
		}
	}
	if err == nil {
		err = s.log(shares)
	}
	for _, sh := range shares {
		if err == nil {
			sh.into.rows.Append(sh.rows)
		}
		sh.into.writers.Done()
	}
	if err != nil {
		return s.db.space.judge(err)
	}
	return nil
}

// log writes all shares to their segments, several at the same time.
func (s *shelf[R, S]) log(shares []share[R, S]) error {
	if len(shares) == 1 {
		return s.logOne(shares[0])
	}
	var g errgroup.Group
	g.SetLimit(8)
	for _, sh := range shares {
		g.Go(func() error { return s.logOne(sh) })
	}
	return g.Wait()
}

func (s *shelf[R, S]) logOne(sh share[R, S]) error {
	buf := s.db.buffers.Get().(*[]byte)
	payload := s.ops.encode((*buf)[:0], sh.rows)
	err := sh.into.seg.Append(payload)
	s.db.metrics.walBytes.WithLabelValues(s.name()).Add(float64(len(payload)))
	if cap(payload) <= 4<<20 {
		*buf = payload
		s.db.buffers.Put(buf)
	}
	if err != nil && sh.into.seg.Broken() {
		s.retire(sh.into)
	}
	return err
}

// retire freezes a head whose segment failed: what it acknowledged is sealed,
// the next batch gets a new head and segment.
func (s *shelf[R, S]) retire(h *loggedHead[R, S]) {
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	s.freeze(h)
}

// reserve finds the head for n rows of a day, opening or freezing heads as
// needed. The caller calls writers.Done on it.
func (s *shelf[R, S]) reserve(day string, n int) (*loggedHead[R, S], error) {
	s.appendMu.Lock()
	defer s.appendMu.Unlock()
	h := s.open[day]
	if h != nil {
		_, bytes := h.rows.Size()
		if h.reserved > 0 && (h.reserved+n > s.db.cfg.HeadRows || int64(bytes) > s.db.cfg.HeadBytes) {
			s.freeze(h)
			h = nil
		}
	}
	now := s.db.now()
	if h == nil {
		s.limitOpen()
		h = &loggedHead[R, S]{id: s.db.ids.next(), day: day, since: now}
		h.rows = s.ops.newHead(h.id)
	}
	if h.seg == nil {
		seg, err := wal.Create(s.db.fs, s.db.keys, s.db.walDir(), wal.Name{Signal: s.name(), Day: day, ID: s.db.ids.next()}, s.db.observeSync, s.db.acked)
		if err != nil {
			return nil, fmt.Errorf("open a head for %s: %w", day, err)
		}
		h.seg = seg
		h.ids, h.paths = append(h.ids, seg.Name.ID), append(h.paths, seg.Path())
	}
	if s.open[day] != h {
		s.open[day] = h
		s.mu.Lock()
		s.heads = append(s.heads, h)
		s.mu.Unlock()
	}
	h.reserved += n
	h.last = now
	h.writers.Add(1)
	return h, nil
}

// maxOpen bounds the days that are written at the same time.
const maxOpen = 40

// limitOpen freezes the largest head while there are too many of them.
func (s *shelf[R, S]) limitOpen() {
	if len(s.open) < maxOpen {
		return
	}
	var largest *loggedHead[R, S]
	for _, h := range s.open {
		if largest == nil || h.reserved > largest.reserved {
			largest = h
		}
	}
	s.freeze(largest)
}

// freeze takes a head out of writing; the sealer does the rest. appendMu is held.
func (s *shelf[R, S]) freeze(h *loggedHead[R, S]) {
	if h.frozen {
		return
	}
	h.frozen = true
	delete(s.open, h.day)
	s.db.seal.wakeUp()
}

// view is a consistent picture. Heads outside the range are left out.
func (s *shelf[R, S]) view(r store.Range) (heads []*S, parts []*part.Part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.heads {
		snap := h.rows.Snapshot()
		_, from, to := s.ops.bounds(snap)
		if from <= to && (r == store.Range{} || from < r.End && to >= r.Start) {
			heads = append(heads, snap)
		}
	}
	for _, p := range s.parts {
		if p.Overlaps(r) && p.Acquire() {
			parts = append(parts, p)
		}
	}
	return heads, parts
}

// memory is the rows and bytes of all heads.
func (s *shelf[R, S]) memory() (rows, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.heads {
		r, b := h.rows.Size()
		rows, bytes = rows+r, bytes+b
	}
	return rows, bytes
}
