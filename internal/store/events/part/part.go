package part

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
)

// File name endings.
const (
	RowsExt  = ".parquet"
	IndexExt = ".idx"
)

const nameTime = "20060102T150405Z"

// Name makes a part's name (without ending) from its time range, Unix ns, and
// its id. The range is widened to whole seconds.
func Name(minTime, maxTime int64, id uint64) string {
	return fmt.Sprintf("%s-%s-%016x", time.Unix(0, minTime).UTC().Format(nameTime),
		time.Unix(0, maxTime).UTC().Add(time.Second-1).Format(nameTime), id)
}

// RangeOfName reads the time range back from a part's name, with or without folders and ending. A
// name's end is inclusive, a range's is not: an event at that second's very start is within.
func RangeOfName(name string) (store.Range, bool) {
	base := filepath.Base(name)
	from, rest, ok := strings.Cut(base, "-")
	to, _, ok2 := strings.Cut(rest, "-")
	start, err := time.Parse(nameTime, from)
	end, err2 := time.Parse(nameTime, to)
	if !ok || !ok2 || err != nil || err2 != nil {
		return store.Range{}, false
	}
	return store.RangeOf(start, end.Add(1)), true
}

// DayOf is the name of the day folder that t (Unix ns) belongs to.
func DayOf(t int64) string { return time.Unix(0, t).UTC().Format(time.DateOnly) }

// Part is one opened pair of files. Metadata is in memory, everything else is
// read when asked for. It is safe for concurrent use. Whoever uses it beyond its metadata
// holds a reference (a View does).
type Part struct {
	Meta
	// Kept is how the rows and the index stand on the disk.
	Kept cipherfile.Kept
	info indexInfo
	path string // without ending
	keys *cipherfile.Keys

	refs   atomic.Int64 // the store's own reference counts
	doomed atomic.Bool

	mu            sync.Mutex
	file          *cipherfile.File
	rows          *parquet.File
	cols          map[string]int
	used          time.Time
	filters       filters
	onIndexDamage func(*Part, error)
}

// Open opens the pair at path (without ending) far enough to know its
// metadata, and checks the Parquet file's size and footer against it. The caller has the
// first reference. A missing or damaged index is an *IndexError: see Rebuild.
func Open(keys *cipherfile.Keys, path string) (*Part, error) {
	info, index, err := readIndexMeta(keys, path+IndexExt)
	if err != nil {
		return nil, &IndexError{Path: path + IndexExt, Err: err}
	}
	rows, err := checkTail(keys, path+RowsExt, info)
	if err != nil {
		return nil, err
	}
	p := &Part{Meta: info.Meta, Kept: rows.And(index), info: info, path: path, keys: keys}
	p.refs.Store(1)
	return p, nil
}

// ReadMeta reads what an .idx file says, path without ending, whether or not
// its Parquet file is there.
func ReadMeta(keys *cipherfile.Keys, path string) (Meta, error) {
	info, _, err := readIndexMeta(keys, path+IndexExt)
	return info.Meta, err
}

// OnIndexDamage sets what is called, at most once, when the index proves
// damaged while it is read. Until it is rebuilt the part answers without filters.
func (p *Part) OnIndexDamage(tell func(*Part, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onIndexDamage = tell
}

// IndexError is the error of an .idx file that is missing or damaged, while
// nothing is known against its Parquet file.
type IndexError struct {
	Path string
	Err  error
}

// Error names the file.
func (e *IndexError) Error() string { return "index " + e.Path + ": " + e.Err.Error() }

// Unwrap is the cause.
func (e *IndexError) Unwrap() error { return e.Err }

// checkTail compares the Parquet file's length, page indexes and footer with what was written.
func checkTail(keys *cipherfile.Keys, path string, info indexInfo) (kept cipherfile.Kept, err error) {
	f, err := keys.Open(path)
	if err != nil {
		return kept, err
	}
	defer f.Close()
	if f.Size() != info.Size || info.tailOffset < 0 || info.tailOffset > info.Size {
		return kept, fmt.Errorf("rows %s: %w: %d bytes long, want %d", path, ErrDamaged, f.Size(), info.Size)
	}
	tail := make([]byte, info.Size-info.tailOffset)
	if _, err := f.ReadAt(tail, info.tailOffset); err != nil {
		return kept, fmt.Errorf("rows %s: %w: %w", path, ErrDamaged, err)
	}
	if crc(tail) != info.tailCRC {
		return kept, fmt.Errorf("rows %s: %w: checksum of the footer", path, ErrDamaged)
	}
	return f.Kept, nil
}

// openRows opens the Parquet file and checks that it is what the index says.
func openRows(f io.ReaderAt, size int64) (*parquet.File, error) {
	rows, err := parquet.OpenFile(f, size, parquet.SkipBloomFilters(true), parquet.FileReadMode(parquet.ReadModeSync))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if n := len(rows.RowGroups()); n != 1 {
		return nil, fmt.Errorf("%w: %d row groups", ErrDamaged, n)
	}
	return rows, nil
}

// Path is the Parquet file's path.
func (p *Part) Path() string { return p.path + RowsExt }

// IndexPath is the .idx file's path.
func (p *Part) IndexPath() string { return p.path + IndexExt }

// Name is the file name without folder and ending.
func (p *Part) Name() string { return filepath.Base(p.path) }

// Overlaps reports whether the part may hold rows in r; the zero Range is all time.
func (p *Part) Overlaps(r store.Range) bool {
	return r == store.Range{} || p.MinTime < r.End && p.MaxTime >= r.Start
}

// File opens the Parquet file, or gives the one that is open: one row group,
// with page index. Callers MUST hold a reference while they use it.
func (p *Part) File() (*parquet.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used = time.Now()
	if p.rows != nil {
		return p.rows, nil
	}
	f, err := p.keys.Open(p.Path())
	if err != nil {
		return nil, err
	}
	rows, err := openRows(f, p.Size)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open part %s: %w", p.Path(), err), f.Close())
	}
	p.file, p.rows, p.cols = f, rows, map[string]int{}
	for i, c := range rows.Root().Columns() {
		p.cols[c.Name()] = i
	}
	return p.rows, nil
}

// Column is the named column's chunk; nil when the part has none of that name.
func (p *Part) Column(name string) (parquet.ColumnChunk, error) {
	rows, err := p.File()
	if err != nil {
		return nil, err
	}
	i, ok := p.cols[name]
	if !ok {
		return nil, nil
	}
	return rows.RowGroups()[0].ColumnChunks()[i], nil
}

// CopyRows writes the Parquet file as it is read, whether or not it is encrypted.
func (p *Part) CopyRows(w io.Writer) error {
	f, err := p.keys.Open(p.Path())
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(w, io.NewSectionReader(f, 0, f.Size()), make([]byte, 1<<20))
	return err
}

// Acquire takes a reference; false when the part is being deleted.
func (p *Part) Acquire() bool {
	for {
		n := p.refs.Load()
		if n <= 0 {
			return false
		}
		if p.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Release gives a reference back. The last one closes the files and, after
// Doom, deletes them.
func (p *Part) Release() {
	if p.refs.Add(-1) > 0 {
		return
	}
	p.closeFiles()
	if p.doomed.Load() {
		_ = Remove(p.path) // what is left is removed at the next start: it is named in Replaces or too old
	}
}

// Doom has the files deleted once nobody reads them any more. The store calls
// it before it gives its own reference back.
func (p *Part) Doom() { p.doomed.Store(true) }

// CloseIdle closes the files when nobody but the store holds the part and it
// was last used before t. They open again by themselves.
func (p *Part) CloseIdle(t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Under the lock: whoever takes a reference now asks for the files after us.
	if p.used.Before(t) && p.refs.Load() == 1 {
		p.closeLocked()
	}
}

func (p *Part) closeFiles() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeLocked()
}

func (p *Part) closeLocked() {
	if p.file != nil {
		_ = p.file.Close() // opened for reading only: nothing can be lost
	}
	if p.filters.f != nil {
		_ = p.filters.f.Close()
	}
	p.file, p.rows, p.cols, p.filters = nil, nil, nil, filters{}
}

// Remove deletes a pair, path without ending; the index goes first (see the
// package comment). Missing files are fine.
func Remove(path string) error {
	var errs []error
	for _, ext := range [...]string{IndexExt, RowsExt} {
		if err := os.Remove(path + ext); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
