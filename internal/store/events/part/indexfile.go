package part

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/parquet-go/parquet-go/bloom"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/bin"
	"github.com/signalbox-project/signalbox/internal/store/events/cipherfile"
)

// ErrDamaged is the error of a file whose checksums or structure do not hold.
var ErrDamaged = cipherfile.ErrDamaged

const (
	// An index begins with indexMagic, its format's number and a line feed.
	//
	// Format 2: words are what is seen, without escape sequences, and each letter of scripts
	// without spaces alone; the values within objects and arrays are hashed, and the words and fields of
	// spans' events and links.
	indexMagic   = "SBIDX\x00"
	indexFormat  = 2
	oldestIndex  = 1
	indexHeader  = len(indexMagic) + 2 + 8
	maxIndexMeta = 64 << 20
)

func crc(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// index is a whole .idx file in memory, as the writer has it.
type index struct {
	Meta
	tailOffset int64 // of the Parquet file: page indexes and footer
	tailCRC    uint32
	trace      bloom.SplitBlockFilter
	blocks     []bloom.SplitBlockFilter
	rollups    []Rollup
}

// section is where a part of the .idx file lies, counted from the end of the metadata.
type section struct {
	length int64
	crc    uint32
}

// indexInfo is the metadata of an .idx file with its directory.
type indexInfo struct {
	Meta
	tailOffset int64
	tailCRC    uint32
	base       int64    // file offset of the first section
	blockSizes []uint32 // in filter blocks of 32 bytes
	trace      section
	blocks     section
	rollups    section
}

// encode is the whole file:
//
//	magic and format, 8 bytes · length of metadata u32 · its CRC-32C u32 · metadata ·
//	trace filter · block filters · roll-ups
//
// Lengths and CRCs of the three sections stand in the metadata.
func (x *index) encode() []byte {
	var blocks []byte
	for _, b := range x.blocks {
		blocks = append(blocks, b.Bytes()...)
	}
	trace, rollups := x.trace.Bytes(), encodeRollups(x.rollups)
	meta := encodeMeta(&x.Meta)
	meta = binary.AppendUvarint(meta, uint64(x.tailOffset))
	meta = binary.AppendUvarint(meta, uint64(x.tailCRC))
	meta = binary.AppendUvarint(meta, uint64(len(x.blocks)))
	for _, b := range x.blocks {
		meta = binary.AppendUvarint(meta, uint64(len(b)))
	}
	for _, s := range [...][]byte{trace, blocks, rollups} {
		meta = binary.AppendUvarint(meta, uint64(len(s)))
		meta = binary.AppendUvarint(meta, uint64(crc(s)))
	}
	out := append([]byte(indexMagic), indexFormat, '\n')
	out = binary.LittleEndian.AppendUint32(out, uint32(len(meta)))
	out = binary.LittleEndian.AppendUint32(out, crc(meta))
	out = append(out, meta...)
	out = append(out, trace...)
	out = append(out, blocks...)
	return append(out, rollups...)
}

func encodeMeta(m *Meta) []byte {
	dst := []byte{byte(m.Signal)}
	for _, v := range [...]uint64{m.ID, uint64(m.Rows), uint64(m.Size)} {
		dst = binary.AppendUvarint(dst, v)
	}
	for _, v := range [...]int64{m.MinTime, m.MaxTime, m.MaxEnd} {
		dst = binary.AppendVarint(dst, v)
	}
	dst = binary.AppendUvarint(dst, uint64(len(m.Segments)))
	for _, s := range m.Segments {
		dst = binary.AppendUvarint(dst, s)
	}
	for _, list := range [...][]string{m.Replaces, m.Tenants, m.Services, m.Hashed} {
		dst = bin.AppendTexts(dst, list)
	}
	dst = binary.AppendUvarint(dst, uint64(len(m.Promoted)))
	for _, p := range m.Promoted {
		dst = append(bin.AppendText(dst, p.Key), byte(p.Kind))
	}
	dst = binary.AppendUvarint(dst, uint64(len(m.Fields)))
	for _, f := range m.Fields {
		dst = binary.AppendUvarint(bin.AppendText(dst, f.Key), uint64(f.Count))
	}
	escapes := byte(0)
	if m.Escapes {
		escapes = 1
	}
	return bin.AppendTexts(append(dst, escapes), m.Inner)
}

func decodeMeta(r *bin.Reader, format uint8) (m Meta) {
	m.Format = format
	m.Signal = Signal(r.Byte())
	m.ID, m.Rows, m.Size = r.Uint(), int(r.Uint()), int64(r.Uint())
	m.MinTime, m.MaxTime, m.MaxEnd = r.Int(), r.Int(), r.Int()
	for range r.Count(1) {
		m.Segments = append(m.Segments, r.Uint())
	}
	m.Replaces, m.Tenants, m.Services, m.Hashed = r.Texts(), r.Texts(), r.Texts(), r.Texts()
	for range r.Count(2) {
		m.Promoted = append(m.Promoted, Promoted{Key: string([]byte(r.Text())), Kind: model.ValueKind(r.Byte())})
	}
	for range r.Count(2) {
		m.Fields = append(m.Fields, FieldCount{Key: string([]byte(r.Text())), Count: int(r.Uint())})
	}
	m.Escapes = format < 2 || r.Byte() == 1
	if format >= 2 {
		m.Inner = r.Texts()
	}
	return m
}

// decodeIndexMeta reads the metadata of an .idx file of the given format.
func decodeIndexMeta(b []byte, format uint8) (info indexInfo, err error) {
	r := bin.NewReader(b)
	info.Meta = decodeMeta(r, format)
	info.tailOffset, info.tailCRC = int64(r.Uint()), uint32(r.Uint())
	total := int64(0)
	for range r.Count(1) {
		n := r.Uint()
		info.blockSizes = append(info.blockSizes, uint32(n))
		total += int64(uint32(n)) * bloom.BlockSize
	}
	for _, s := range [...]*section{&info.trace, &info.blocks, &info.rollups} {
		s.length, s.crc = int64(r.Uint()), uint32(r.Uint())
	}
	if err := r.Err(); err != nil {
		return info, fmt.Errorf("index metadata: %w: %w", ErrDamaged, err)
	}
	if info.Signal > Spans || info.Rows < 0 || len(info.blockSizes) != info.Blocks() || total != info.blocks.length ||
		info.trace.length%bloom.BlockSize != 0 || info.trace.length < 0 || info.rollups.length < 0 {
		return info, fmt.Errorf("index metadata: %w: figures contradict each other", ErrDamaged)
	}
	return info, nil
}

// readIndexInfo reads and checks the metadata of an open .idx file.
func readIndexInfo(f *cipherfile.File) (indexInfo, error) {
	head := make([]byte, indexHeader)
	if _, err := f.ReadAt(head, 0); err != nil {
		return indexInfo{}, fmt.Errorf("index header: %w: %w", ErrDamaged, err)
	}
	format, lengths := head[len(indexMagic)], head[len(indexMagic)+2:]
	n := binary.LittleEndian.Uint32(lengths)
	if string(head[:len(indexMagic)]) != indexMagic || head[len(indexMagic)+1] != '\n' || format < oldestIndex || format > indexFormat || n > maxIndexMeta {
		return indexInfo{}, fmt.Errorf("index header: %w", ErrDamaged)
	}
	if int64(n) > f.Size() {
		return indexInfo{}, fmt.Errorf("index metadata: %w: cut off", ErrDamaged)
	}
	meta := make([]byte, n)
	if _, err := f.ReadAt(meta, int64(indexHeader)); err != nil {
		return indexInfo{}, fmt.Errorf("index metadata: %w: %w", ErrDamaged, err)
	}
	if crc(meta) != binary.LittleEndian.Uint32(lengths[4:]) {
		return indexInfo{}, fmt.Errorf("index metadata: %w: checksum", ErrDamaged)
	}
	info, err := decodeIndexMeta(meta, format)
	info.base = int64(indexHeader) + int64(n)
	if err == nil && f.Size() != info.base+info.trace.length+info.blocks.length+info.rollups.length {
		return info, fmt.Errorf("index: %w: %d bytes long", ErrDamaged, f.Size())
	}
	return info, err
}

func (s section) read(f io.ReaderAt, at int64) ([]byte, error) {
	b := make([]byte, s.length)
	if _, err := f.ReadAt(b, at); err != nil {
		return nil, fmt.Errorf("index section: %w: %w", ErrDamaged, err)
	}
	if crc(b) != s.crc {
		return nil, fmt.Errorf("index section: %w: checksum", ErrDamaged)
	}
	return b, nil
}

func readIndexMeta(keys *cipherfile.Keys, path string) (indexInfo, cipherfile.Kept, error) {
	f, err := keys.Open(path)
	if err != nil {
		return indexInfo{}, cipherfile.Kept{}, err
	}
	defer f.Close()
	info, err := readIndexInfo(f)
	return info, f.Kept, err
}

func readRollups(keys *cipherfile.Keys, path string) ([]Rollup, error) {
	f, err := keys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := readIndexInfo(f)
	if err != nil {
		return nil, err
	}
	b, err := info.rollups.read(f, info.base+info.trace.length+info.blocks.length)
	if err != nil {
		return nil, err
	}
	return decodeRollups(b, &info.Meta)
}

func encodeRollups(list []Rollup) []byte {
	dst := binary.AppendUvarint(nil, uint64(len(list)))
	last := int64(0)
	for _, r := range list {
		dst = binary.AppendVarint(dst, r.Minute-last)
		last = r.Minute
		dst = binary.AppendUvarint(dst, uint64(r.Tenant))
		dst = binary.AppendUvarint(dst, uint64(r.Service))
		dst = append(dst, r.Value)
		dst = binary.AppendUvarint(dst, uint64(r.Count))
	}
	return dst
}

func decodeRollups(b []byte, m *Meta) ([]Rollup, error) {
	r := bin.NewReader(b)
	out := make([]Rollup, 0, r.Count(5))
	last := int64(0)
	for range cap(out) {
		last += r.Int()
		e := Rollup{Minute: last, Tenant: uint32(r.Uint()), Service: uint32(r.Uint()), Value: r.Byte(), Count: uint32(r.Uint())}
		if int(e.Tenant) >= len(m.Tenants) || int(e.Service) >= len(m.Services) {
			return nil, fmt.Errorf("roll-ups: %w: unknown code", ErrDamaged)
		}
		out = append(out, e)
	}
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("roll-ups: %w: %w", ErrDamaged, err)
	}
	return out, nil
}
