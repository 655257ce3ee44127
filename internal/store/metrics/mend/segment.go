package mend

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/signalbox-project/signalbox/internal/instrument"
)

// The framing of Prometheus' log (tsdb/docs/format/wal.md): pages of 32 KiB, in
// each fragments of type (1 byte), length (2, big-endian), CRC-32C (4) and data;
// zeros fill the rest of a page.
const (
	pageSize   = 32 << 10
	headerSize = 7

	typeMask   = 7
	snappyMask = 8
	zstdMask   = 16
	full       = 1
	first      = 2
	last       = 4 // 3 is a piece in the middle
)

// hole is a range of a segment that cannot be read.
type hole struct {
	offset, size int64
	reason       string
	torn         bool // reaches the end of the file
}

// fragment is a piece of a record: its place in the segment, header included.
type fragment struct {
	offset int64
	size   int
}

// segment walks the fragments of one file and collects what must be overwritten.
type segment struct {
	file     *os.File
	page     []byte // the current one, shorter at the end of the file
	base     int64  // its offset
	size     int64  // of the file
	table    *crc32.Table
	pending  []fragment // of a record whose last piece has not come
	packed   []byte     // their data, as compressed
	decoder  compression.DecodeBuffer
	blank    []fragment // to become records that nobody reads
	holes    []hole
	foreign  bool  // the records are those of something else
	truncate int64 // the new size, which may be larger, or -1
	visit    func(record []byte) (remove bool)
}

// walk reads the whole segment; nothing is changed yet. A visitor sees each good record and
// may have it removed.
func walk(f *os.File, visit func([]byte) bool) (*segment, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat log segment %s: %w", f.Name(), err)
	}
	s := &segment{file: f, size: info.Size(), table: crc32.MakeTable(crc32.Castagnoli), decoder: compression.NewSyncDecodeBuffer(), truncate: -1, visit: visit}
	buf := make([]byte, pageSize)
	for s.base = 0; s.base < s.size; s.base += pageSize {
		n, err := io.ReadFull(io.NewSectionReader(f, s.base, pageSize), buf)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("read log segment %s at %d: %w", f.Name(), s.base, err)
		}
		s.page = buf[:n]
		s.walkPage()
	}
	if len(s.pending) > 0 {
		s.hole(s.pending[0].offset, s.size-s.pending[0].offset, "a record has no end")
		s.drop()
	}
	return s, nil
}

// walkPage reads the fragments of the current page.
func (s *segment) walkPage() {
	for at := 0; at < len(s.page); {
		rest := s.page[at:]
		if rest[0]&typeMask == 0 {
			s.padding(at)
			return
		}
		size, reason := s.check(rest)
		if reason == "" {
			s.take(at, size)
			at += size
			continue
		}
		s.drop()
		size = s.resume(rest, size)
		s.hole(s.base+int64(at), int64(size), reason)
		s.overwrite(at, size)
		at += size
	}
}

// check reads one fragment; the size includes the header and is 0 where the length makes no sense.
func (s *segment) check(rest []byte) (size int, reason string) {
	if len(rest) < headerSize {
		return 0, "a header is cut short"
	}
	size = headerSize + int(binary.BigEndian.Uint16(rest[1:]))
	if size > len(rest) {
		return 0, "a length exceeds its page"
	}
	if crc32.Checksum(rest[headerSize:size], s.table) != binary.BigEndian.Uint32(rest[3:]) {
		return size, "a checksum is wrong"
	}
	if rest[0]&typeMask > last {
		return size, "a record type is unknown"
	}
	return size, ""
}

// resume decides how much a damaged fragment takes: itself, if another good one or
// the end follows where its length says, else the rest of the page.
func (s *segment) resume(rest []byte, size int) int {
	if size == 0 || size == len(rest) {
		return len(rest)
	}
	after := rest[size:]
	if after[0]&typeMask == 0 && zeros(after) {
		return size
	}
	if _, reason := s.check(after); reason == "" {
		return size
	}
	return len(rest)
}

// padding checks the zeros that end a page. A page without any record is never
// written, unless it is the end that a crash left.
func (s *segment) padding(at int) {
	rest := s.page[at:]
	switch {
	case !zeros(rest):
		s.drop()
		s.hole(s.base+int64(at), int64(len(rest)), "a page's end is not empty")
		s.overwrite(at, len(rest))
	case at == 0:
		s.drop()
		s.hole(s.base, int64(len(rest)), "a page is empty")
		s.overwrite(0, len(rest))
	case s.base+pageSize > s.size:
		s.truncate = s.base + pageSize // the TSDB reads no part of a page's zeros, and would delete all that follows
	}
}

// take adds a good fragment to the record under way.
func (s *segment) take(at, size int) {
	f := fragment{offset: s.base + int64(at), size: size}
	typ := s.page[at] & typeMask
	begins := typ == full || typ == first
	if begins == (len(s.pending) > 0) {
		// A beginning while another record is open, or a continuation of nothing.
		s.hole(f.offset, 0, "a record is incomplete")
		s.drop()
		if !begins {
			s.blank = append(s.blank, f)
			return
		}
	}
	s.pending = append(s.pending, f)
	s.packed = append(s.packed, s.page[at+headerSize:at+size]...)
	if typ != full && typ != last {
		return
	}
	data, reason := s.decode(s.page[at])
	switch {
	case reason != "":
		begin := s.pending[0].offset
		s.hole(begin, f.offset+int64(size)-begin, reason)
		s.drop()
	case s.visit != nil && s.visit(data):
		s.drop()
	}
	s.pending, s.packed = s.pending[:0], s.packed[:0]
}

// decode unpacks a whole record, whose first byte must name a kind or, in what
// was mended before, be zero: checksums do not cover the flags of a header.
func (s *segment) decode(flags byte) (data []byte, reason string) {
	typ := compression.None
	switch {
	case flags&snappyMask != 0:
		typ = compression.Snappy
	case flags&zstdMask != 0:
		typ = compression.Zstd
	}
	data, err := compression.Decode(typ, s.packed, s.decoder)
	if err != nil {
		return nil, "a record cannot be unpacked"
	}
	var d record.Decoder
	if len(data) > 0 && data[0] != 0 && d.Type(data) == record.Unknown {
		return nil, "a record's kind is unknown"
	}
	if (s.foreign || d.Type(data) == record.Series) && !readable(data) {
		s.foreign = true
		return nil, "a record is none of this log"
	}
	return data, ""
}

// readable says whether a record of series or samples can be read. Another file under a segment's name has good
// checksums, and the TSDB would delete all that follows it.
func readable(data []byte) bool {
	d := record.NewDecoder(labels.NewSymbolTable(), instrument.Silent())
	var err error
	switch d.Type(data) {
	case record.Series:
		_, err = d.Series(data, nil)
	case record.Samples, record.SamplesV2:
		_, err = d.Samples(data, nil)
	}
	return err == nil
}

// drop gives up the record under way.
func (s *segment) drop() {
	s.blank = append(s.blank, s.pending...)
	s.pending, s.packed = s.pending[:0], s.packed[:0]
}

// overwrite marks a range of the current page; at the end of the file, where
// no record would fit, it is cut off.
func (s *segment) overwrite(at, size int) {
	if size < headerSize && at+size == len(s.page) && len(s.page) < pageSize {
		s.truncate = s.base + int64(at)
		return
	}
	s.blank = append(s.blank, fragment{offset: s.base + int64(at), size: size})
}

// hole notes a range; ranges that touch are one, and one that is only a
// consequence (size 0) of the hole before it is not counted again.
func (s *segment) hole(offset, size int64, reason string) {
	if n := len(s.holes); n > 0 {
		h := &s.holes[n-1]
		if size == 0 && offset-(h.offset+h.size) < 2*pageSize {
			return
		}
		if h.offset+h.size >= offset {
			h.size = max(h.size, offset+size-h.offset)
			h.torn = h.offset+h.size >= s.size
			return
		}
	}
	s.holes = append(s.holes, hole{offset: offset, size: size, reason: reason, torn: offset+size >= s.size})
}

// mend overwrites what was marked. A blank is a full record whose data is
// zeros: the TSDB skips records of a type it does not know.
func (s *segment) mend() error {
	for _, b := range s.blank {
		text := make([]byte, b.size)
		if b.size >= headerSize {
			text[0] = full
			binary.BigEndian.PutUint16(text[1:], uint16(b.size-headerSize)) //nolint:gosec // at most a page
			binary.BigEndian.PutUint32(text[3:], crc32.Checksum(text[headerSize:], s.table))
		}
		if _, err := s.file.WriteAt(text, b.offset); err != nil {
			return fmt.Errorf("mend log segment %s at %d: %w", s.file.Name(), b.offset, err)
		}
	}
	if s.truncate >= 0 {
		if err := s.file.Truncate(s.truncate); err != nil {
			return fmt.Errorf("cut log segment %s to %d bytes: %w", s.file.Name(), s.truncate, err)
		}
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("sync log segment %s: %w", s.file.Name(), err)
	}
	return nil
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
