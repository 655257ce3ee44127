package match

import (
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/store"
)

// Slots numbers distinct values. From limit on, further values get the slot of
// none (-1).
type Slots struct {
	values []string
	index  map[string]int32
	limit  int
}

// NewSlots numbers at most limit values.
func NewSlots(limit int) *Slots { return &Slots{index: map[string]int32{}, limit: limit} }

// Of is the number of s, which may be overwritten afterwards.
func (s *Slots) Of(v string) int32 {
	if n, ok := s.index[v]; ok {
		return n
	}
	if len(s.values) >= s.limit {
		return -1
	}
	v = strings.Clone(v)
	n := int32(len(s.values))
	s.values = append(s.values, v)
	s.index[v] = n
	return n
}

// Value is what has a number.
func (s *Slots) Value(n int32) string { return s.values[n] }

// Beyond is the number of v, whether the limit is reached or not.
func (s *Slots) Beyond(v string) int32 {
	if n, ok := s.index[v]; ok {
		return n
	}
	s.limit++
	return s.Of(v)
}

// FieldReader reads a field of a part's rows as numbers of its values.
type FieldReader struct {
	slots *Slots
	col   *Column
	attr  *attrColumn
	text  func(at int) string // of col, where it is no text with a dictionary
	codes []int32             // slot by code; -2 is unknown yet
	fixed int32               // the slot of all rows, where there is neither col nor attr
}

// NewFieldReader prepares reading a field of t. The field "" has the value "" in all rows.
func NewFieldReader(t *Table, field string, to *Slots) (*FieldReader, error) {
	r := &FieldReader{slots: to}
	kind := fieldKind(t.Signal, field)
	var err error
	switch {
	case field == "":
		r.fixed = to.Of("")
		return r, nil
	case kind == store.FieldAttr:
		if r.attr, err = t.openAttr(field); err == nil && r.attr == nil {
			r.fixed = to.Of("")
		}
		return r, err
	}
	if r.col, err = t.Need(columnOf(t.Signal, field)); err != nil {
		return nil, err
	}
	c := r.col
	switch kind {
	case store.FieldTraceID, store.FieldSpanID:
		r.text = func(at int) string { return idText(c.FixedAt(at)) }
	case store.FieldTime:
		r.text = func(at int) string { return store.TimeText(c.IntAt(at)) }
	case store.FieldDuration:
		r.text = func(at int) string { return strconv.FormatInt(c.IntAt(at), 10) }
	default:
		r.text = c.TextAt
	}
	if c.dict != nil {
		r.codes = make([]int32, c.dict.n)
		for i := range r.codes {
			r.codes[i] = -2
		}
	}
	return r, nil
}

// idText is an id as hex; "" for the zero id.
func idText(id []byte) string {
	for _, b := range id {
		if b != 0 {
			return hex.EncodeToString(id)
		}
	}
	return ""
}

// Value is what a number stands for.
func (r *FieldReader) Value(slot int32) string { return r.slots.Value(slot) }

// Each calls f with every selected row of b and its value's slot.
func (r *FieldReader) Each(b *Block, f func(i int, slot int32)) error {
	switch {
	case r.attr != nil:
		return r.eachAttr(b, f)
	case r.col == nil:
		b.sel.each(func(i int) { f(i, r.fixed) })
		return nil
	}
	if err := r.col.Load(b.from); err != nil {
		return err
	}
	base := b.from - r.col.from
	b.sel.each(func(i int) {
		if r.col.codes == nil {
			f(i, r.slots.Of(r.text(base+i)))
			return
		}
		code := r.col.codes[base+i]
		if r.codes[code] == -2 {
			r.codes[code] = r.slots.Of(r.text(base + i))
		}
		f(i, r.codes[code])
	})
	return nil
}

func (r *FieldReader) eachAttr(b *Block, f func(i int, slot int32)) error {
	if err := r.attr.load(b.from, true); err != nil {
		return err
	}
	var failed error
	b.sel.each(func(i int) {
		text, err := r.attr.text(b.from + i)
		if err != nil {
			failed = err
			return
		}
		f(i, r.slots.Of(text))
	})
	return failed
}
