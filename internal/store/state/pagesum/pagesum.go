// Package pagesum notices bytes of an SQLite file that changed by themselves: SQLite's own check finds a broken
// structure, but a changed letter in a row is to it another letter.
//
// It decides nothing, and repairs only where one byte of a page changed (Mend). In: a database file, and its write-ahead log, while nobody writes them.
// Out: a file with a checksum of each page, and the pages that do not fit theirs.
//
// The file of sums is Magic, page size and number of pages, a CRC-32C for each page, and one of all of that; integers
// are 4 bytes, little-endian. Pages that are in the log are newer there and are left to it: the log has checksums of
// its own.
//
// Start reading at Write, then Check.
package pagesum

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
)

// Magic begins a file of sums.
const Magic = "SBSUMS1\n"

// ErrNoSums says that there is nothing to compare with.
var ErrNoSums = errors.New("no page sums")

const headerSize = len(Magic) + 8

func table() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func checksum(b []byte) uint32 { return crc32.Checksum(b, table()) }

// Write sums up a database into a file.
func Write(db, sums string) error {
	f, err := os.Open(db)
	if err != nil {
		return err
	}
	defer f.Close()
	size, list, err := sumsOf(f)
	if err != nil {
		return fmt.Errorf("sum up %s: %w", db, err)
	}
	return atomicfile.WriteBytes(sums, 0o600, encode(size, list))
}

// sumsOf reads all pages of a database.
func sumsOf(r io.Reader) (size uint32, list []uint32, err error) {
	head := make([]byte, 100)
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, nil, err
	}
	if size = pageSize(head); size < 512 {
		return 0, nil, errors.New("it is no SQLite database")
	}
	r = io.MultiReader(bytes.NewReader(head), r)
	page := make([]byte, size)
	for {
		n, err := io.ReadFull(r, page)
		if n > 0 {
			list = append(list, checksum(page[:n]))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return size, list, nil
		}
		if err != nil {
			return 0, nil, err
		}
	}
}

// pageSize is what an SQLite header says; 0 if it is none.
func pageSize(head []byte) uint32 {
	if len(head) < 18 || !bytes.HasPrefix(head, []byte("SQLite format 3\x00")) {
		return 0
	}
	size := uint32(binary.BigEndian.Uint16(head[16:]))
	if size == 1 {
		size = 65536
	}
	return size
}

func encode(size uint32, list []uint32) []byte {
	b := make([]byte, 0, headerSize+4*len(list)+4)
	b = append(b, Magic...)
	b = binary.LittleEndian.AppendUint32(b, size)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(list)))
	for _, s := range list {
		b = binary.LittleEndian.AppendUint32(b, s)
	}
	return binary.LittleEndian.AppendUint32(b, checksum(b))
}

func decode(b []byte) (size uint32, list []uint32, err error) {
	if len(b) < headerSize+4 || !bytes.HasPrefix(b, []byte(Magic)) {
		return 0, nil, ErrNoSums
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	size = binary.LittleEndian.Uint32(b[len(Magic):])
	n := binary.LittleEndian.Uint32(b[len(Magic)+4:])
	if checksum(body) != sum || uint64(len(body)) != uint64(headerSize)+4*uint64(n) {
		return 0, nil, ErrNoSums
	}
	for i := headerSize; i < len(body); i += 4 {
		list = append(list, binary.LittleEndian.Uint32(body[i:]))
	}
	return size, list, nil
}

// Check compares a database with its sums and answers the numbers of the pages that do not fit, from 1 as
// SQLite counts; those that the write-ahead log holds are not looked at. It is ErrNoSums when the sums are missing
// or damaged themselves.
func Check(db, sums, wal string) (bad []uint32, err error) {
	text, err := os.ReadFile(sums)
	if err != nil {
		return nil, ErrNoSums
	}
	_, want, err := decode(text)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(db)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_, got, err := sumsOf(f)
	if err != nil { // not even a header: everything is damaged
		got = nil
	}
	logged, _ := os.ReadFile(wal) // a log that cannot be read holds no page
	newer := LogPages(logged)
	for i := range max(len(got), len(want)) {
		n := uint32(i + 1)
		if i < len(got) && i < len(want) && got[i] == want[i] || newer[n] {
			continue
		}
		bad = append(bad, n)
	}
	return bad, nil
}

// LogPages is the pages in a write-ahead log, up to the first frame that does not fit: what SQLite reads from
// it (https://www.sqlite.org/fileformat2.html, section 4).
func LogPages(wal []byte) map[uint32]bool {
	const header, frame = 32, 24
	out := map[uint32]bool{}
	if len(wal) < header {
		return out
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch binary.BigEndian.Uint32(wal) {
	case 0x377f0682:
	case 0x377f0683:
		order = binary.BigEndian
	default:
		return out
	}
	size := int(binary.BigEndian.Uint32(wal[8:]))
	if size < 512 || size > 65536 || size&(size-1) != 0 {
		return out
	}
	s0, s1 := walSum(order, wal[:24], 0, 0)
	if s0 != binary.BigEndian.Uint32(wal[24:]) || s1 != binary.BigEndian.Uint32(wal[28:]) {
		return out
	}
	for rest := wal[header:]; len(rest) >= frame+size; rest = rest[frame+size:] {
		s0, s1 = walSum(order, rest[:8], s0, s1)
		s0, s1 = walSum(order, rest[frame:frame+size], s0, s1)
		if !bytes.Equal(rest[8:16], wal[16:24]) || s0 != binary.BigEndian.Uint32(rest[16:]) || s1 != binary.BigEndian.Uint32(rest[20:]) {
			break
		}
		out[binary.BigEndian.Uint32(rest)] = true
	}
	return out
}

func walSum(order binary.ByteOrder, b []byte, s0, s1 uint32) (uint32, uint32) {
	for i := 0; i+8 <= len(b); i += 8 {
		s0 += order.Uint32(b[i:]) + s1
		s1 += order.Uint32(b[i+4:]) + s0
	}
	return s0, s1
}
