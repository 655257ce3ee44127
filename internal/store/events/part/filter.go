package part

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"time"

	"github.com/parquet-go/parquet-go/bloom"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/seal"
	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
)

// filters is the open .idx file. Filters are probed on disk (in the page
// cache, that is), 32 bytes a probe, and never loaded: they are 185 KB a part. Each section is
// checked against its checksum once per opening.
type filters struct {
	f        *cipherfile.File
	traceOK  bool
	blocksOK bool
}

// Candidates reports for each block whether it may hold rows with all of the hashes
// (word hashes of Words, FieldHash of fields without dictionary). nil means that every block may:
// there is no usable filter. False positives are about 1 in 100, false
// negatives do not happen.
func (p *Part) Candidates(hashes ...uint64) []bool {
	f, err := p.openFilters(func(s *filters) *bool { return &s.blocksOK }, p.info.base+p.info.trace.length, p.info.blocks)
	if err != nil {
		p.indexDamaged(err)
		return nil
	}
	out := make([]bool, len(p.info.blockSizes))
	off := p.info.base + p.info.trace.length
	for i, n := range p.info.blockSizes {
		size := int64(n) * bloom.BlockSize
		if out[i], err = probe(f, off, size, hashes); err != nil {
			p.indexDamaged(err)
			return nil
		}
		off += size
	}
	return out
}

// MayHaveTrace reports whether the part may hold rows of the trace.
func (p *Part) MayHaveTrace(id model.TraceID) bool {
	f, err := p.openFilters(func(s *filters) *bool { return &s.traceOK }, p.info.base, p.info.trace)
	if err != nil {
		p.indexDamaged(err)
		return true
	}
	ok, err := probe(f, p.info.base, p.info.trace.length, []uint64{TraceHash(id)})
	if err != nil {
		p.indexDamaged(err)
		return true
	}
	return ok
}

// Rollups reads the roll-ups, ordered by minute. After an error the rows
// themselves must be counted.
func (p *Part) Rollups() ([]Rollup, error) {
	list, err := readRollups(p.keys, p.IndexPath())
	if err != nil {
		p.indexDamaged(err)
		return nil, fmt.Errorf("read %s: %w", p.IndexPath(), err)
	}
	return list, nil
}

func probe(f io.ReaderAt, off, size int64, hashes []uint64) (bool, error) {
	if size == 0 {
		return len(hashes) == 0, nil
	}
	r := io.NewSectionReader(f, off, size)
	for _, h := range hashes {
		if ok, err := bloom.CheckSplitBlock(r, size, h); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// openFilters opens the .idx file if need be and checks the section on first use.
func (p *Part) openFilters(checked func(*filters) *bool, off int64, s section) (*cipherfile.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used = time.Now()
	if p.filters.f == nil {
		f, err := p.keys.Open(p.IndexPath())
		if err != nil {
			return nil, err
		}
		p.filters.f = f
	}
	if ok := checked(&p.filters); !*ok {
		h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
		n, err := io.Copy(h, io.NewSectionReader(p.filters.f, off, s.length))
		if err == nil && (n != s.length || h.Sum32() != s.crc) {
			err = ErrDamaged
		}
		if err != nil {
			return nil, fmt.Errorf("filters in %s: %w", p.IndexPath(), err)
		}
		*ok = true
	}
	return p.filters.f, nil
}

// indexDamaged tells the store once; the part answers without filters until
// the index is rebuilt.
func (p *Part) indexDamaged(err error) {
	if errors.Is(err, os.ErrClosed) || seal.Locked(err) {
		return
	}
	p.mu.Lock()
	tell := p.onIndexDamage
	p.onIndexDamage = nil
	p.mu.Unlock()
	if tell != nil {
		tell(p, err)
	}
}
