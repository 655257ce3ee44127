package head

import (
	"math"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/bin"
)

// Attrs is a column of attribute lists: rows of (key code, value) cells.
type Attrs struct {
	// Keys is the dictionary of keys, in order of first appearance.
	Keys []string

	end   []uint32 // end of row i in the cell columns
	key   []uint32
	kind  []model.ValueKind
	num   []uint64 // scalar bits; for text: offset << 32 | length
	arena []byte
}

// Code finds a key's number.
func (a *Attrs) Code(key string) (uint32, bool) {
	for i, k := range a.Keys {
		if k == key {
			return uint32(i), true
		}
	}
	return 0, false
}

// Cells is the range of cells [from, to) of row i, for KeyAt and ValueAt.
func (a *Attrs) Cells(i int) (from, to int) {
	if i > 0 {
		from = int(a.end[i-1])
	}
	return from, int(a.end[i])
}

// KeyAt is the key code of a cell.
func (a *Attrs) KeyAt(cell int) uint32 { return a.key[cell] }

// KindAt is the value kind of a cell.
func (a *Attrs) KindAt(cell int) model.ValueKind { return a.kind[cell] }

// ValueAt is the value of a cell; text aliases the arena.
func (a *Attrs) ValueAt(cell int) model.Value {
	switch n := a.num[cell]; a.kind[cell] {
	case model.KindString:
		return model.StringValue(a.text(n))
	case model.KindJSON:
		return model.JSONValue(a.text(n))
	case model.KindInt:
		return model.IntValue(int64(n))
	case model.KindFloat:
		return model.FloatValue(math.Float64frombits(n))
	case model.KindBool:
		return model.BoolValue(n != 0)
	}
	return model.Value{}
}

func (a *Attrs) text(n uint64) string {
	off := n >> 32
	return bin.Alias(a.arena[off : off+n&math.MaxUint32])
}

// Get is the last value of the key with that code in row i.
func (a *Attrs) Get(i int, code uint32) (model.Value, bool) {
	from, to := a.Cells(i)
	for c := to - 1; c >= from; c-- {
		if a.key[c] == code {
			return a.ValueAt(c), true
		}
	}
	return model.Value{}, false
}

// Row is the whole list of row i; nil if it is empty.
func (a *Attrs) Row(i int) model.Attrs {
	from, to := a.Cells(i)
	if from == to {
		return nil
	}
	out := make(model.Attrs, 0, to-from)
	for c := from; c < to; c++ {
		out = append(out, model.Attr{Key: a.Keys[a.key[c]], Value: a.ValueAt(c)})
	}
	return out
}

func (a *Attrs) append(keys interner, list model.Attrs) {
	for _, at := range list {
		a.key = append(a.key, keys.code(&a.Keys, clean(at.Key)))
		v, num := stored(at.Value), uint64(0)
		switch v.Kind() {
		case model.KindString, model.KindJSON:
			num = a.put(v.Str())
		case model.KindInt:
			num = uint64(v.Int())
		case model.KindFloat:
			num = math.Float64bits(v.Float())
		case model.KindBool:
			if v.Bool() {
				num = 1
			}
		}
		a.kind = append(a.kind, v.Kind())
		a.num = append(a.num, num)
	}
	a.end = append(a.end, uint32(len(a.key)))
}

func (a *Attrs) put(s string) uint64 {
	off := uint64(len(a.arena))
	a.arena = append(a.arena, s...)
	return off<<32 | uint64(len(s))
}

func (a *Attrs) memory() int { return 4*len(a.end) + 13*len(a.key) + len(a.arena) + 48*len(a.Keys) }
