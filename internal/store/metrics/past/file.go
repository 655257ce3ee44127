package past

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/bits"
	"os"

	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/store"
)

// maxBytes bounds the file. When it is full its older half goes: SLOs whose ledger is older than that read all of their history
// again at a start.
const maxBytes = 1 << 20

// magic begins the file.
const magic = "SBCHG\x00\x01\n"

var errDamaged = errors.New("the file is damaged")

// begin makes the file anew with the changes that are kept. The caller holds mu, or nobody else knows the log yet.
func (l *Log) begin() {
	if len(l.records) == 0 {
		l.since = l.number()
	}
	text := binary.LittleEndian.AppendUint64([]byte(magic), l.since)
	text = binary.LittleEndian.AppendUint32(text, castagnoli(text))
	for _, r := range l.records {
		text = append(text, r.text...)
	}
	err := atomicfile.WriteBytes(l.path, 0o640, text)
	var f *os.File
	if err == nil {
		f, err = os.OpenFile(l.path, os.O_RDWR|os.O_APPEND, 0o640)
	}
	if err != nil {
		l.lose(err)
		return
	}
	l.close()
	l.file, l.size, l.dirty = f, int64(len(text)), false
}

// write appends records, or makes the file anew where it could not be written before or is full. The caller holds mu.
func (l *Log) write(text []byte) {
	switch {
	case l.file == nil:
		l.records = nil // those that could not be written are not known to a next run
		l.begin()
		return
	case l.size+int64(len(text)) > maxBytes:
		half := len(l.records) / 2
		l.since = l.records[max(0, half-1)].number
		l.records = append([]record(nil), l.records[half:]...)
		l.begin()
		return
	}
	n, err := l.file.Write(text)
	l.size += int64(n)
	l.dirty = true
	if err != nil {
		l.lose(err)
	}
}

// lose deletes a file that does not know all: without one the next start reads all history again.
func (l *Log) lose(err error) {
	l.log.Error("changed hours of the past cannot be noted; a start after a kill would read all history of SLOs again", "file", l.path, "err", err)
	l.close()
	l.records = nil
	_ = os.Remove(l.path) // where that fails no sample can be written either
}

func (l *Log) close() {
	if l.file != nil {
		_ = l.file.Close() // it is replaced or given up
		l.file = nil
	}
}

func castagnoli(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

// change is what a record says: consecutive hours with the same names.
type change struct {
	number   uint64
	from, to int64 // Unix hours, the last one included
	names    *store.MetricNames
}

// record is a change as it stands in the file: the length of its body, its checksum, and the body, which is number, hours and
// the places of the names as differences.
type record struct {
	number uint64
	text   []byte
}

const recordHead = 8

func (c change) record() record {
	body := binary.AppendUvarint(make([]byte, recordHead, 32), c.number)
	body = binary.AppendVarint(body, c.from)
	body = binary.AppendUvarint(body, uint64(c.to-c.from))
	count := 0
	for _, w := range c.names.Words() {
		count += bits.OnesCount64(w)
	}
	body = binary.AppendUvarint(body, uint64(count))
	if count < len(c.names.Words())*64 {
		before := 0
		for i, w := range c.names.Words() {
			for ; w != 0; w &= w - 1 {
				at := i*64 + bits.TrailingZeros64(w)
				body = binary.AppendUvarint(body, uint64(at-before))
				before = at
			}
		}
	}
	binary.LittleEndian.PutUint32(body, uint32(len(body)-recordHead))
	binary.LittleEndian.PutUint32(body[4:], castagnoli(body[recordHead:]))
	return record{c.number, body}
}

// decode reads a file: all changes with numbers greater than since.
func decode(text []byte) (since uint64, records []record, err error) {
	const head = len(magic) + 12
	if len(text) < head || string(text[:len(magic)]) != magic || binary.LittleEndian.Uint32(text[head-4:]) != castagnoli(text[:head-4]) {
		return 0, nil, errDamaged
	}
	since = binary.LittleEndian.Uint64(text[len(magic):])
	for text = text[head:]; len(text) > 0; {
		if len(text) < recordHead || uint64(binary.LittleEndian.Uint32(text)) > uint64(len(text)-recordHead) {
			return 0, nil, errDamaged
		}
		r := record{text: text[:recordHead+binary.LittleEndian.Uint32(text)]}
		c, ok := r.change()
		if !ok || castagnoli(r.text[recordHead:]) != binary.LittleEndian.Uint32(r.text[4:]) || c.number <= since {
			return 0, nil, errDamaged
		}
		r.number = c.number
		records = append(records, r)
		text = text[len(r.text):]
	}
	return since, records, nil
}

// maxHours bounds the span of one record: what is longer is no record.
const maxHours = 100 * 366 * 24

func (written record) change() (c change, ok bool) {
	r := numbers{text: written.text[recordHead:], ok: true}
	c.number = r.next()
	from, n := binary.Varint(r.text)
	if n <= 0 {
		return c, false
	}
	r.text = r.text[n:]
	length := r.next()
	c.from, c.to, c.names = from, from+int64(min(length, maxHours)), &store.MetricNames{}
	words := c.names.Words()
	count := r.next()
	if count >= uint64(len(words))*64 {
		c.names.AddAll()
		return c, r.ok && len(r.text) == 0 && length <= maxHours
	}
	at := uint64(0)
	for range count {
		if at += r.next(); at >= uint64(len(words))*64 {
			return c, false
		}
		words[at/64] |= 1 << (at % 64)
	}
	return c, r.ok && len(r.text) == 0 && length <= maxHours
}

// numbers reads one after the other.
type numbers struct {
	text []byte
	ok   bool
}

func (r *numbers) next() uint64 {
	v, n := binary.Uvarint(r.text)
	if n <= 0 {
		r.ok = false
		return 0
	}
	r.text = r.text[n:]
	return v
}
