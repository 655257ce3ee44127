// Package past tells who counts samples which hours of the past have changed since they were read: samples came later than
// anybody waits for, or were deleted.
//
// It knows hours and, roughly, names of metrics; it reads no sample. Who appends gathers late samples in a Batch, has it
// written to a file before they are committed (Note) and told to the readers after (Tell). The file is there for the
// next run: what came and was not read again before a kill is read again then. A reader is told an hour once, however much came
// into it since it asked last.
//
// In: times and names of late samples. Out: changed hours, each change with a number that grows from run to run. Invariants: a
// commit whose samples are found at the next start has its hours in the file, or the file says that it does not know; the file
// stays below maxBytes. A Log and a Reader are safe for concurrent use, a Batch is not. Lock order: Log.mu only, never held over
// a sync.
//
// Start reading at Open.
package past

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/instrument"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Name is the file's.
const Name = "CHANGED"

// Log is what is known of changed hours.
type Log struct {
	path  string
	log   *slog.Logger
	now   func() time.Time
	fsync func(*os.File) error
	pool  sync.Pool // of *Batch

	mu sync.Mutex
	content
	last    uint64                       // the newest number
	asked   uint64                       // the newest when a reader asked last
	noted   map[int64]*store.MetricNames // by hour: written since a reader asked
	open    map[*Batch]uint64            // those under way: what is noted of them has greater numbers
	readers []*Reader
}

// content is the file.
type content struct {
	file    *os.File // nil: it could not be written
	size    int64
	dirty   bool     // since the last sync
	since   uint64   // all changes with greater numbers are in it
	records []record // as they stand in it
}

// Open reads the file of a folder, or makes one. One that is damaged is made anew: who asks for what it said hears that
// it is not known.
func Open(dir string, log *slog.Logger, now func() time.Time, fsync func(*os.File) error) *Log {
	l := &Log{
		path: filepath.Join(dir, Name), log: instrument.Logger(log), now: now, fsync: fsync,
		pool: sync.Pool{New: func() any { return &Batch{} }}, noted: map[int64]*store.MetricNames{}, open: map[*Batch]uint64{},
	}
	text, err := os.ReadFile(l.path)
	if err == nil {
		if l.since, l.records, err = decode(text); err == nil {
			l.last = l.since
			if n := len(l.records); n > 0 {
				l.last = l.records[n-1].number
			}
			l.size = int64(len(text))
			l.file, err = os.OpenFile(l.path, os.O_RDWR|os.O_APPEND, 0o640)
		}
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.log.Warn("which hours of the past changed is not known; SLOs read all of their history again", "file", l.path, "err", err)
		}
		l.begin()
	}
	l.asked = l.last
	return l
}

// number is one for a change that comes now. It grows though the clock goes back, and as long as the clock does not, though
// the file is lost.
func (l *Log) number() uint64 {
	l.last = max(l.last+1, uint64(max(0, l.now().UnixMilli())))
	return l.last
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	f := l.file
	l.file = nil
	return errors.Join(f.Sync(), f.Close())
}

// Reader is one who is told.
type Reader struct {
	l       *Log
	pending map[int64]*store.MetricNames
}

// Reader is one more who is told, from now on.
func (l *Log) Reader() *Reader {
	r := &Reader{l: l, pending: map[int64]*store.MetricNames{}}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers = append(l.readers, r)
	return r
}

// Changed are the hours that changed since the last call, oldest first. Whoever has read them again knows all changes up to the
// number.
func (r *Reader) Changed() (hours []store.ChangedHour, number uint64) {
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	for _, hour := range slices.Sorted(maps.Keys(r.pending)) {
		hours = append(hours, store.ChangedHour{Start: time.Unix(hour*3600, 0).UTC(), Names: r.pending[hour]})
	}
	r.pending = map[int64]*store.MetricNames{}
	number = r.l.known()
	clear(r.l.noted) // what comes now gets another number
	r.l.asked = r.l.last
	return hours, number
}

// Known are the changes that are remembered of this run and those before it, oldest first: all with numbers greater than since, up
// to last.
func (r *Reader) Known() (changes []store.Change, since, last uint64) {
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	for _, written := range r.l.records {
		c, _ := written.change() // it was read or written before
		one := store.Change{Number: c.number}
		for hour := c.from; hour <= c.to; hour++ {
			one.Hours = append(one.Hours, store.ChangedHour{Start: time.Unix(hour*3600, 0).UTC(), Names: c.names})
		}
		changes = append(changes, one)
	}
	return changes, r.l.since, r.l.known()
}

// known is the number up to which nothing is under way.
func (l *Log) known() uint64 {
	number := l.last
	for _, before := range l.open {
		number = min(number, before)
	}
	return number
}

// Note writes the hours of a batch that is about to be committed.
func (l *Log) Note(b *Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, again := l.open[b]; !again {
		l.open[b] = l.asked
	}
	var text []byte
	b.each(func(from, to int64, names *store.MetricNames) {
		news := false
		for hour := from; hour <= to; hour++ {
			known := l.noted[hour]
			if known == nil {
				known = &store.MetricNames{}
				l.noted[hour] = known
			}
			news = known.Merge(names) || news
		}
		if news {
			one := change{l.number(), from, to, names}.record()
			l.records = append(l.records, one)
			text = append(text, one.text...)
		}
	})
	if len(text) > 0 {
		l.write(text)
	}
}

// Tell tells the readers of a batch that was committed, or may have been, and takes it back.
func (l *Log) Tell(b *Batch) {
	l.mu.Lock()
	b.each(func(from, to int64, names *store.MetricNames) {
		for _, r := range l.readers {
			for hour := from; hour <= to; hour++ {
				known := r.pending[hour]
				if known == nil {
					known = &store.MetricNames{}
					r.pending[hour] = known
				}
				known.Merge(names)
			}
		}
	})
	delete(l.open, b)
	l.mu.Unlock()
	l.Drop(b)
}

// Sync brings what was noted to the disk.
func (l *Log) Sync() error {
	l.mu.Lock()
	f := l.file
	dirty := l.dirty && f != nil
	l.dirty = false
	l.mu.Unlock()
	if !dirty {
		return nil
	}
	if err := l.fsync(f); err != nil && !errors.Is(err, os.ErrClosed) { // it was replaced by one that is on the disk
		return fmt.Errorf("sync %s: %w", l.path, err)
	}
	return nil
}
