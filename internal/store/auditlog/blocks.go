package auditlog

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// blockBytes is how much of a file one record of its index stands for: what a search reads for one hit.
const blockBytes = 256 << 10

// block is what the index says of consecutive lines of a file. The index of a file is a list of records: length and
// CRC-32C of what follows, these numbers in this order as little endian, the hash after the last line, and the filter.
type block struct {
	offset, length   int64 // in the file, packed or not
	first, last      int64 // numbers of entries
	earliest, latest int64 // times in Unix nanoseconds
	hash             string
	filter           []byte
	words            *words // while it is made
}

// words are what a filter is to know.
type words struct {
	whole map[uint64]struct{} // actors, actions, tenants, subjects
	seen  [1 << 24 / 64]uint64
	grams []uint32 // those that are set in seen
}

// An empty set of words is two megabytes of zeros.
var emptyWords = sync.Pool{New: func() any { return &words{whole: map[uint64]struct{}{}} }}

func (w *words) add(e model.AuditEntry) {
	for _, f := range [...]struct {
		kind byte
		text string
	}{{ofActor, e.Actor}, {ofAction, e.Action}, {ofTenant, store.AuditQuery{}.TenantOf(e)}, {ofSubject, e.Subject}} {
		w.whole[token(f.kind, f.text)] = struct{}{}
		w.addText(f.text)
	}
	for _, v := range e.Details {
		w.addText(v)
	}
}

func (w *words) addText(s string) {
	for t := range trigrams(s) {
		if bit := uint64(1) << (t % 64); w.seen[t/64]&bit == 0 {
			w.seen[t/64] |= bit
			w.grams = append(w.grams, t)
		}
	}
}

// filter makes the Bloom filter and gives the words back.
func (w *words) filter() []byte {
	out := make([]byte, (len(w.whole)+len(w.grams))*bitsPerWord/8+1)
	set := func(word uint64) {
		for _, bit := range bitsOf(word, len(out)) {
			out[bit/8] |= 1 << (bit % 8)
		}
	}
	for word := range w.whole {
		set(word)
	}
	for _, t := range w.grams {
		set(trigramToken(t))
		w.seen[t/64] = 0
	}
	clear(w.whole)
	w.grams = w.grams[:0]
	emptyWords.Put(w)
	return out
}

const blockFixed = 6*8 + hashLen

// The kinds of what a filter knows.
const (
	ofActor = 'a' + iota
	ofAction
	ofTenant
	ofSubject
	ofText
)

func token(kind byte, s string) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write([]byte{kind, 0})
	_, _ = d.WriteString(s)
	return d.Sum64()
}

// add takes an entry into the block.
func (b *block) add(e model.AuditEntry, hash string) {
	if b.words == nil {
		b.first, b.earliest, b.latest = e.ID, math.MaxInt64, math.MinInt64
		b.words = emptyWords.Get().(*words)
	}
	b.last, b.hash = e.ID, hash
	at := nanos(e.Time)
	b.earliest, b.latest = min(b.earliest, at), max(b.latest, at)
	b.words.add(e)
}

// trigramToken spreads three bytes over a word.
func trigramToken(t uint32) uint64 {
	x := (uint64(t) + ofText<<32) * 0x9e3779b97f4a7c15
	return x ^ x>>29
}

// trigrams are every three bytes that follow each other in s, in lower case.
func trigrams(s string) func(func(uint32) bool) {
	s = strings.ToLower(s)
	return func(yield func(uint32) bool) {
		for i := 0; i+3 <= len(s); i++ {
			if !yield(uint32(s[i])<<16 | uint32(s[i+1])<<8 | uint32(s[i+2])) {
				return
			}
		}
	}
}

// The filter is a Bloom filter with ten bits for each word: about one in a hundred blocks is read in vain.
const (
	bitsPerWord = 10
	probes      = 7
)

// closed is the block with its filter made.
func (b block) closed() block {
	b.filter = []byte{}
	if b.words != nil {
		b.filter, b.words = b.words.filter(), nil
	}
	return b
}

func bitsOf(w uint64, size int) (bits [probes]uint64) {
	step := w>>32 | 1
	for i := range bits {
		bits[i] = (w + uint64(i)*step) % uint64(size*8)
	}
	return bits
}

func (b *block) mayHold(w uint64) bool {
	for _, bit := range bitsOf(w, len(b.filter)) {
		if b.filter[bit/8]&(1<<(bit%8)) == 0 {
			return false
		}
	}
	return true
}

// may says whether the block can hold what is looked for.
func (b *block) may(q store.AuditQuery, words []uint64) bool {
	if q.Before > 0 && b.first >= q.Before || b.last <= q.After ||
		!q.Start.IsZero() && b.latest < nanos(q.Start) || !q.End.IsZero() && b.earliest >= nanos(q.End) {
		return false
	}
	for _, w := range words {
		if !b.mayHold(w) {
			return false
		}
	}
	return true
}

// wordsOf are what a block must hold to have an answer.
func wordsOf(q store.AuditQuery) (out []uint64) {
	for kind, v := range map[byte]string{ofActor: q.Actor, ofAction: q.Action, ofTenant: q.Tenant, ofSubject: q.Subject} {
		if v != "" {
			out = append(out, token(kind, v))
		}
	}
	for t := range trigrams(q.Text) {
		out = append(out, trigramToken(t))
	}
	return out
}

// record is the block as the index keeps it.
func (b *block) record() []byte {
	out := make([]byte, 8, 8+blockFixed+len(b.filter))
	for _, v := range []int64{b.offset, b.length, b.first, b.last, b.earliest, b.latest} {
		out = binary.LittleEndian.AppendUint64(out, uint64(v))
	}
	out = append(append(out, b.hash...), b.filter...)
	binary.LittleEndian.PutUint32(out, uint32(len(out)-8))
	binary.LittleEndian.PutUint32(out[4:], crc32.Checksum(out[8:], castagnoli))
	return out
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errIndex = errors.New("it is no index of an audit log")

// maxRecord is more than the record of a block that holds one longest line.
const maxRecord = 4 << 20

// readBlocks reads an index of a file of size bytes, record by record, until the end or what is no record; good is how
// many bytes of it were.
func readBlocks(r io.Reader, size int64) (out []block, good int64, err error) {
	br := bufio.NewReaderSize(r, 64<<10)
	var end, last int64
	for {
		var head [8]byte
		if _, err := io.ReadFull(br, head[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return out, good, nil
			}
			return out, good, fmt.Errorf("%w: %w", errIndex, err)
		}
		n := binary.LittleEndian.Uint32(head[:])
		if n <= blockFixed || n > maxRecord {
			return out, good, errIndex
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(br, body); err != nil {
			return out, good, fmt.Errorf("%w: %w", errIndex, err)
		}
		if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
			return out, good, errIndex
		}
		b := decodeBlock(body)
		if b.offset < end || b.length <= 0 || b.length > size-b.offset || b.first > b.last || b.first <= last {
			return out, good, errIndex
		}
		end, last = b.offset+b.length, b.last
		out, good = append(out, b), good+8+int64(n)
	}
}

func decodeBlock(body []byte) (b block) {
	for i, v := range []*int64{&b.offset, &b.length, &b.first, &b.last, &b.earliest, &b.latest} {
		*v = int64(binary.LittleEndian.Uint64(body[8*i:]))
	}
	b.hash, b.filter = string(body[6*8:blockFixed]), body[blockFixed:]
	return b
}

// nanos is a time in Unix nanoseconds, as near as those can say it.
func nanos(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, math.MinInt64)):
		return math.MinInt64
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixNano()
}
