package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// ring holds the newest slots of one tier, packed: a column of numbers is as wide
// as its widest needs, one byte for counts up to 255, and a column of zeros
// takes no room. Slot k of a tier covers (k × width, (k+1) × width]: samples at a
// boundary belong to the slot that they end, as in PromQL's half-open ranges.
type ring struct {
	n      int
	newest int64 // index of the newest slot that was put, -1 while there is none
	column [3]column
}

// column is n numbers of width bytes: 1, 2 and 4 are whole numbers, 8 is any;
// width 0 is all zeros.
type column struct {
	width uint8
	data  []byte
}

// keeps reports whether slot k is not older than the ring.
func (r *ring) keeps(k int64) bool { return k >= 0 && k > r.newest-int64(r.n) }

func (r *ring) get(k int64) Cell {
	if !r.keeps(k) || k > r.newest {
		return Cell{}
	}
	i := int(k % int64(r.n))
	return Cell{Bad: r.column[0].get(i), Total: r.column[1].get(i), Minutes: r.column[2].get(i)}
}

// set puts slot k, which the ring keeps.
func (r *ring) set(k int64, c Cell) {
	if k > r.newest {
		r.advance(k)
	}
	i := int(k % int64(r.n))
	r.column[0].set(i, r.n, c.Bad)
	r.column[1].set(i, r.n, c.Total)
	r.column[2].set(i, r.n, c.Minutes)
}

// advance makes k the newest slot and forgets those that it drops.
func (r *ring) advance(k int64) {
	if r.newest < 0 || k-r.newest >= int64(r.n) {
		r.column = [3]column{}
		r.newest = k
		return
	}
	for j := r.newest + 1; j <= k; j++ {
		for c := range r.column {
			r.column[c].set(int(j%int64(r.n)), r.n, 0)
		}
	}
	r.newest = k
}

// sum adds slots up by their place in the ring.
func (r *ring) sum(from, to int) Cell {
	return Cell{Bad: r.column[0].sum(from, to), Total: r.column[1].sum(from, to), Minutes: r.column[2].sum(from, to)}
}

func (c *column) sum(from, to int) (sum float64) {
	switch c.width {
	case 0:
	case 1:
		whole := 0
		for _, b := range c.data[from:to] {
			whole += int(b)
		}
		return float64(whole)
	default:
		for i := from; i < to; i++ {
			sum += c.get(i)
		}
	}
	return sum
}

func widthOf(v float64) uint8 {
	switch {
	case v == 0:
		return 0
	case v != math.Trunc(v) || v < 0 || v > math.MaxUint32:
		return 8
	case v <= math.MaxUint8:
		return 1
	case v <= math.MaxUint16:
		return 2
	}
	return 4
}

func (c *column) get(i int) float64 {
	switch c.width {
	case 0:
		return 0
	case 1:
		return float64(c.data[i])
	case 2:
		return float64(binary.LittleEndian.Uint16(c.data[2*i:]))
	case 4:
		return float64(binary.LittleEndian.Uint32(c.data[4*i:]))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(c.data[8*i:]))
}

func (c *column) set(i, n int, v float64) {
	if need := widthOf(v); need > c.width {
		wide := column{width: need, data: make([]byte, n*int(need))}
		for j := range n {
			if c.width > 0 {
				wide.put(j, c.get(j))
			}
		}
		*c = wide
	}
	c.put(i, v)
}

func (c *column) put(i int, v float64) {
	switch c.width {
	case 1:
		c.data[i] = uint8(v)
	case 2:
		binary.LittleEndian.PutUint16(c.data[2*i:], uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(c.data[4*i:], uint32(v))
	case 8:
		binary.LittleEndian.PutUint64(c.data[8*i:], math.Float64bits(v))
	}
}

// formatVersion begins every stored ledger; its last four bytes are a checksum
// of all before them. Version 1 had none.
const formatVersion = 2

func checksum(text []byte) uint32 { return crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)) }

var errDamaged = errors.New("the stored slots are damaged")

// Marshal writes the ledger for Unmarshal.
func (l *Ledger) Marshal() []byte {
	out := []byte{formatVersion}
	out = binary.LittleEndian.AppendUint64(out, uint64(l.sealed))
	for t := range l.tier {
		r := &l.tier[t]
		out = binary.LittleEndian.AppendUint32(out, uint32(r.n))
		out = binary.LittleEndian.AppendUint64(out, uint64(r.newest))
		for _, c := range r.column {
			out = append(append(out, c.width), c.data...)
		}
	}
	return binary.LittleEndian.AppendUint32(out, checksum(out))
}

// Unmarshal reads what Marshal wrote of a ledger of the same window.
func (l *Ledger) Unmarshal(text []byte) error {
	if len(text) < 13 || text[0] != formatVersion {
		return fmt.Errorf("read ledger: %w", errDamaged)
	}
	body := text[:len(text)-4]
	if binary.LittleEndian.Uint32(text[len(body):]) != checksum(body) {
		return fmt.Errorf("read ledger: %w", errDamaged)
	}
	text = body
	next := New(l.window)
	next.sealed = int64(binary.LittleEndian.Uint64(text[1:]))
	text = text[9:]
	for t := range next.tier {
		r := &next.tier[t]
		if len(text) < 12 || int(binary.LittleEndian.Uint32(text)) != r.n {
			return fmt.Errorf("read ledger: %w", errDamaged)
		}
		r.newest = int64(binary.LittleEndian.Uint64(text[4:]))
		text = text[12:]
		for i := range r.column {
			if len(text) < 1 {
				return fmt.Errorf("read ledger: %w", errDamaged)
			}
			width := text[0]
			size := int(width) * r.n
			if width > 8 || width&(width-1) != 0 || len(text) < 1+size {
				return fmt.Errorf("read ledger: %w", errDamaged)
			}
			r.column[i] = column{width: width, data: append([]byte(nil), text[1:1+size]...)}
			text = text[1+size:]
		}
	}
	if len(text) > 0 || next.sealed < 0 || next.sealed > math.MaxInt64/120 {
		return fmt.Errorf("read ledger: %w", errDamaged)
	}
	*l = *next
	return nil
}
