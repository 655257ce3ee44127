package auditlog

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

const (
	plainExt  = ".jsonl"
	packedExt = ".jsonl.zst"
	indexExt  = ".idx"
)

// partition is one file of the chain.
type partition struct {
	path   string
	packed bool
	header header
}

// index is where its index lies.
func (p partition) index() string {
	return strings.TrimSuffix(strings.TrimSuffix(p.path, packedExt), plainExt) + indexExt
}

func (p partition) name() string { return filepath.Base(p.path) }

// listPartitions are the files of a folder, in the order of the chain, and those whose beginning cannot be read. Of
// a month that was being packed when the process ended, the file that was there before counts.
func listPartitions(dir string) (out []partition, bad []error, err error) {
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("audit log: %w", err)
	}
	for _, n := range names {
		p := partition{path: filepath.Join(dir, n.Name()), packed: strings.HasSuffix(n.Name(), packedExt)}
		if !p.packed && !strings.HasSuffix(n.Name(), plainExt) {
			continue
		}
		if err := p.readHeader(); err != nil {
			bad = append(bad, fmt.Errorf("partition %s: its beginning cannot be read: %w", p.name(), err))
			continue
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b partition) int {
		if c := cmp.Compare(a.header.First, b.header.First); c != 0 {
			return c
		}
		return cmp.Compare(a.path, b.path) // .jsonl before .jsonl.zst
	})
	return slices.CompactFunc(out, func(a, b partition) bool {
		return a.header == b.header && a.index() == b.index()
	}), bad, nil
}

func (p *partition) readHeader() error {
	r, err := p.open()
	if err != nil {
		return err
	}
	defer r.Close()
	line, err := r.line()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, &p.header); err != nil || p.header.First < 1 {
		return errors.Join(errLine, err)
	}
	if !strings.HasPrefix(p.name(), p.header.Partition+".") || !isHeader(line, p.header) {
		return fmt.Errorf("it says that it is %s", line)
	}
	if p.header.Format != format {
		return fmt.Errorf("its format is %d; this version reads %d", p.header.Format, format)
	}
	return nil
}

// reader reads the lines of a partition.
type reader struct {
	*bufio.Reader
	file *os.File
	zstd *zstd.Decoder
}

// open reads the lines of the file.
func (p partition) open() (*reader, error) {
	f, err := os.Open(p.path)
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return newReader(f, f, p.packed)
}

// section reads a part of the file.
func (p partition) section(f *os.File, offset, length int64) (*reader, error) {
	return newReader(io.NewSectionReader(f, offset, length), nil, p.packed)
}

func newReader(from io.Reader, file *os.File, packed bool) (*reader, error) {
	r := &reader{file: file}
	if packed {
		z, err := zstd.NewReader(from, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(4*maxLine))
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		from, r.zstd = z, z
	}
	r.Reader = bufio.NewReaderSize(from, maxLine)
	return r, nil
}

// line is the next line without its end, good until the next call; io.ErrUnexpectedEOF is a line without an end.
func (r *reader) line() ([]byte, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) > 0:
		return line, io.ErrUnexpectedEOF
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, errLine
	case err != nil:
		return nil, err
	}
	return line[:len(line)-1], nil
}

// Close frees what open took.
func (r *reader) Close() error {
	if r.zstd != nil {
		r.zstd.Close()
	}
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// blocks reads the index of a file that is not written any more; one that is missing, damaged or too short is made again.
// Of a file that is gone there are none.
func (p partition) blocks() ([]block, error) {
	st, err := os.Stat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	f, err := os.Open(p.index())
	if err == nil {
		defer f.Close()
		bs, _, err := readBlocks(f, st.Size())
		if n := len(bs); err == nil && n > 0 && bs[0].offset == 0 && bs[n-1].offset+bs[n-1].length == st.Size() {
			return bs, nil
		}
	}
	bs, err := p.makeBlocks(st.Size())
	if err != nil {
		return bs, err
	}
	return bs, p.writeBlocks(bs)
}

// makeBlocks makes the index of a whole file from its lines. A packed file's blocks are its frames, so that of one
// whose index is lost everything is one block.
func (p partition) makeBlocks(size int64) (out []block, err error) {
	r, err := p.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b block
	var at int64
	for {
		line, err := r.line()
		if err != nil {
			break // also where it is damaged: what comes before can be searched, and verifying names it
		}
		at += int64(len(line)) + 1
		if !b.take(line) {
			continue // it is found by verifying, and no answer of a search
		}
		if b.length = at - b.offset; !p.packed && b.length >= blockBytes {
			out, b = append(out, b.closed()), block{offset: at, last: b.last}
		}
	}
	if b.words != nil {
		b.length = size - b.offset
		out = append(out, b.closed())
	}
	return out, nil
}

// take adds a line, if it is an entry's.
func (b *block) take(line []byte) bool {
	hash, text, err := parseLine(line)
	if err != nil {
		return false
	}
	e, err := decodeEntry(text)
	if err != nil || e.ID <= b.last {
		return false
	}
	b.add(e, hash)
	return true
}

func (p partition) writeBlocks(bs []block) error {
	return atomicfile.Write(p.index(), 0o640, func(w io.Writer) error {
		for i := range bs {
			if _, err := w.Write(bs[i].record()); err != nil {
				return err
			}
		}
		return nil
	})
}

// packFrame is a frame of a packed file.
func packFrame(lines []byte) []byte {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // its options are constants
	}
	defer z.Close()
	return z.EncodeAll(lines, nil)
}

// Months are the beginnings of the months that there are files of in a folder. What cannot be read is an error beside the others.
func Months(dir string) ([]time.Time, error) {
	list, bad, err := listPartitions(dir)
	if err != nil {
		return nil, err
	}
	var out []time.Time
	for _, p := range list {
		begins, err := time.Parse(monthForm, p.header.Partition)
		if err != nil {
			bad = append(bad, fmt.Errorf("partition %s: %w", p.name(), err))
			continue
		}
		out = append(out, begins)
	}
	return out, errors.Join(bad...)
}
