package mend

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/fileutil"
)

// The files of mapped chunks (tsdb/docs/format/head_chunks.md): a header, then
// chunks of series (8 bytes), first and last time (8 each), encoding (1), length (uvarint),
// data, CRC-32C; zeros fill a file up to its first allocation.
const (
	mappedMagic  = "\x01\x30\xbc\x91\x01"
	mappedHeader = 8
	mappedFixed  = 8 + 8 + 8 + 1
	mappedCRC    = 4
	lateMask     = chunks.OutOfOrderMask
)

// mappedChunks is what is known of chunks_head after it was checked.
type mappedChunks struct {
	validFrom int64                          // the TSDB passes over chunks that end before
	last      map[chunks.HeadSeriesRef]int64 // the end of the newest chunk in order
	files     map[int]*mappedContent
	table     *crc32.Table
}

// headChunks checks the mapped chunks as the TSDB would read them, and cuts off
// what begins with the first that is wrong: the log has those samples. A snapshot of the
// head that relies on them goes, too.
func (m *mender) headChunks() error {
	m.mapped = mappedChunks{
		validFrom: m.validFrom, table: crc32.MakeTable(crc32.Castagnoli),
		last: map[chunks.HeadSeriesRef]int64{}, files: map[int]*mappedContent{},
	}
	dir := filepath.Join(m.dir, "chunks_head")
	numbers, err := m.plainFiles(dir)
	if err != nil {
		return err
	}
	for i, n := range numbers {
		path := filepath.Join(dir, mappedName(n))
		m.mapped.files[n] = &mappedContent{}
		end, reason, err := m.mappedFile(path, i == len(numbers)-1, m.mapped.files[n])
		if err != nil {
			return err
		}
		if reason == "" && i > 0 && numbers[i-1]+1 != n {
			end, reason = 0, "the file before it is missing"
		}
		if reason == "" {
			continue
		}
		m.log.Warn("mapped chunks of the metrics store cannot be read; they are made again from the log", "file", m.relative(path), "offset", end, "reason", reason)
		if err := m.cutMapped(dir, numbers[i:], end); err != nil {
			return err
		}
		break
	}
	return nil
}

// cutMapped leaves the beginning of the first file, up to end, and moves the others away.
func (m *mender) cutMapped(dir string, numbers []int, end int) error {
	gone := numbers[1:]
	if end > mappedHeader {
		if err := os.Truncate(filepath.Join(dir, mappedName(numbers[0])), int64(end)); err != nil {
			return fmt.Errorf("cut mapped chunks: %w", err)
		}
	} else {
		gone = numbers
	}
	for _, n := range gone {
		if err := m.moveAside(filepath.Join(dir, mappedName(n))); err != nil {
			return err
		}
	}
	return m.dropSnapshots("mapped chunks that it relies on cannot be read")
}

// mappedFile checks one file; the reason is empty if all is well, else end is where the
// good chunks end.
func (m *mender) mappedFile(path string, newest bool, content *mappedContent) (end int, reason string, err error) {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		if err == nil && !newest {
			reason = "the file is empty"
		}
		return 0, reason, err // an empty newest file is how a crash looks: the TSDB removes it
	}
	f, err := fileutil.OpenMmapFile(path)
	if err != nil {
		return 0, "", fmt.Errorf("map %s: %w", path, err)
	}
	defer f.Close()
	data := f.Bytes()
	if newest && zeros(data[:min(4, len(data))]) {
		return 0, "", nil // likewise
	}
	if len(data) < mappedHeader || string(data[:len(mappedMagic)]) != mappedMagic {
		return 0, "it does not begin as it should", nil
	}
	for end = mappedHeader; end < len(data); {
		size, reason := m.mapped.chunk(data[end:])
		if reason != "" {
			return end, reason, nil
		}
		if size == 0 {
			break
		}
		content.add(end, end+size, spareChunk(data[end+mappedFixed-1]))
		end += size
	}
	switch {
	case !zeros(data[end:]):
		return end, "zeros stand between chunks", nil
	case !newest && end < len(data) && len(data) > chunks.MinWriteBufferSize*2:
		return end, "it ends early", nil // only the first allocation is filled up with zeros
	}
	return end, "", nil
}

// spareChunk says of an encoding that nobody needs its chunk: of late samples, which their log has, or of none, with which the store
// begins a file.
func spareChunk(encoding byte) bool {
	return encoding&lateMask != 0 || encoding == byte(chunkenc.EncNone)
}

// chunk checks one chunk and notes what it holds; size 0 is the end of the file.
func (c *mappedChunks) chunk(b []byte) (size int, reason string) {
	if len(b) < chunks.MaxHeadChunkMetaSize { // the TSDB wants as many bytes before it looks
		if zeros(b) {
			return 0, ""
		}
		return 0, "a chunk is cut short"
	}
	if zeros(b[:24]) {
		return 0, ""
	}
	length, n := binary.Uvarint(b[mappedFixed:])
	if n <= 0 || length < 2 || length > uint64(len(b)-mappedFixed-n) {
		return 0, "a length exceeds the file"
	}
	begin := mappedFixed + n
	size = begin + int(length) + mappedCRC //nolint:gosec // bounded above
	if size > len(b) {
		return 0, "a chunk is cut short"
	}
	if crc32.Checksum(b[:size-mappedCRC], c.table) != binary.BigEndian.Uint32(b[size-mappedCRC:]) {
		return 0, "a checksum is wrong"
	}
	return size, c.note(b[:begin])
}

// note reports what is wrong with a chunk beside those before it.
func (c *mappedChunks) note(head []byte) (reason string) {
	ref := chunks.HeadSeriesRef(binary.BigEndian.Uint64(head))
	first, last := int64(binary.BigEndian.Uint64(head[8:])), int64(binary.BigEndian.Uint64(head[16:])) //nolint:gosec // as it was written
	encoding := head[24]
	if encoding&lateMask != 0 || last < c.validFrom || !chunkenc.IsValidEncoding(chunkenc.Encoding(encoding)) {
		return ""
	}
	if before, ok := c.last[ref]; ok && before >= first {
		return "chunks of a series overlap"
	}
	c.last[ref] = last
	return ""
}

// plainFiles lists the numbered files of a folder, ascending; what bears such a name
// and is not a file is moved away.
func (m *mender) plainFiles(dir string) ([]int, error) {
	entries, err := m.folder(dir)
	if err != nil {
		return nil, err
	}
	var out []int
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil || n < 0 || n > math.MaxInt32 {
			continue
		}
		if !e.Type().IsRegular() || e.Name() != mappedName(n) {
			if err := m.moveAside(filepath.Join(dir, e.Name())); err != nil {
				return nil, err
			}
			continue
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return out, nil
}

func mappedName(n int) string { return fmt.Sprintf("%06d", n) }
