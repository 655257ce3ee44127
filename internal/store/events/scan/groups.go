package scan

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// slots numbers distinct values. From limit on, further values get the slot of
// none (-1).
type slots struct {
	values []string
	index  map[string]int32
	limit  int
}

func newSlots(limit int) *slots { return &slots{index: map[string]int32{}, limit: limit} }

// of is the number of s, which may be overwritten afterwards.
func (s *slots) of(v string) int32 {
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

// fieldReader reads a field of a part's rows as numbers of its values.
type fieldReader struct {
	slots *slots
	col   *column
	attr  *attrColumn
	text  func(at int) string // of col, where it is no text with a dictionary
	codes []int32             // slot by code; -2 is unknown yet
	fixed int32               // the slot of all rows, where there is neither col nor attr
}

// newFieldReader prepares reading a field of t. The field "" has the value "" in all rows.
func newFieldReader(t *table, field string, to *slots) (*fieldReader, error) {
	r := &fieldReader{slots: to}
	kind := fieldKind(t.Signal, field)
	var err error
	switch {
	case field == "":
		r.fixed = to.of("")
		return r, nil
	case kind == store.FieldAttr:
		if r.attr, err = t.openAttr(field); err == nil && r.attr == nil {
			r.fixed = to.of("")
		}
		return r, err
	}
	if r.col, err = t.need(columnOf(t.Signal, field)); err != nil {
		return nil, err
	}
	c := r.col
	switch kind {
	case store.FieldTraceID, store.FieldSpanID:
		r.text = func(at int) string { return idText(c.fixedAt(at)) }
	case store.FieldTime:
		r.text = func(at int) string { return store.TimeText(c.intAt(at)) }
	case store.FieldDuration:
		r.text = func(at int) string { return strconv.FormatInt(c.intAt(at), 10) }
	default:
		r.text = c.textAt
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

// each calls f with every selected row of b and its value's slot.
func (r *fieldReader) each(b *block, f func(i int, slot int32)) error {
	switch {
	case r.attr != nil:
		return r.eachAttr(b, f)
	case r.col == nil:
		b.sel.each(func(i int) { f(i, r.fixed) })
		return nil
	}
	if err := r.col.load(b.from); err != nil {
		return err
	}
	base := b.from - r.col.from
	b.sel.each(func(i int) {
		if r.col.codes == nil {
			f(i, r.slots.of(r.text(base+i)))
			return
		}
		code := r.col.codes[base+i]
		if r.codes[code] == -2 {
			r.codes[code] = r.slots.of(r.text(base + i))
		}
		f(i, r.codes[code])
	})
	return nil
}

func (r *fieldReader) eachAttr(b *block, f func(i int, slot int32)) error {
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
		f(i, r.slots.of(text))
	})
	return failed
}

// counts counts a unit's rows by value.
type counts struct {
	field  string
	slots  *slots
	n      []uint64 // by slot
	reader *fieldReader
	attrs  *headAttrs
}

func newCounts(field string, limit int) *counts {
	return &counts{field: field, slots: newSlots(limit)}
}

func (c *counts) add(slot int32, n uint64) {
	if slot < 0 {
		return
	}
	for int(slot) >= len(c.n) {
		c.n = append(c.n, 0)
	}
	c.n[slot] += n
}

func (c *counts) block(t *table, b *block) (err error) {
	if c.reader == nil {
		if c.reader, err = newFieldReader(t, c.field, c.slots); err != nil {
			return err
		}
	}
	return c.reader.each(b, func(_ int, slot int32) { c.add(slot, 1) })
}

func (c *counts) row(u *unit, i int) { c.add(c.slots.of(headText(u, &c.attrs, i, c.field)), 1) }

// merge adds o's counts.
func (c *counts) merge(o *counts) {
	for slot, n := range o.n {
		if n > 0 {
			c.add(c.slots.of(o.slots.values[slot]), n)
		}
	}
}

// top is the most frequent values that are not empty, at most limit (0: all).
func (c *counts) top(limit int) []store.ValueCount {
	out := []store.ValueCount{}
	for slot, n := range c.n {
		if v := c.slots.values[slot]; v != "" && n > 0 {
			out = append(out, store.ValueCount{Value: v, Count: n})
		}
	}
	slices.SortFunc(out, func(a, b store.ValueCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}

// series counts a unit's rows by bucket and value.
type series struct {
	counts
	grid grid
	n    [][]uint64 // by slot, by bucket
}

// grid is a histogram's buckets.
type grid struct {
	start, step int64
	buckets     int
}

func (g grid) of(t int64) int { return int((t - g.start) / g.step) }

// maxSeries bounds the values of a histogram; the rows of all further ones are
// counted as otherSeries.
const (
	maxSeries   = 200
	otherSeries = "other"
)

func newSeries(field string, g grid) *series {
	return &series{counts: *newCounts(field, maxSeries), grid: g}
}

func (s *series) add(slot int32, bucket int, n uint64) {
	if slot < 0 {
		slot = s.other()
	}
	for int(slot) >= len(s.n) {
		s.n = append(s.n, nil)
	}
	if s.n[slot] == nil {
		s.n[slot] = make([]uint64, s.grid.buckets)
	}
	if bucket >= 0 && bucket < s.grid.buckets {
		s.n[slot][bucket] += n
	}
}

// other is the slot beyond the limit.
func (s *series) other() int32 {
	if n, ok := s.slots.index[otherSeries]; ok {
		return n
	}
	s.slots.limit++
	return s.slots.of(otherSeries)
}

func (s *series) block(t *table, b *block) (err error) {
	if s.reader == nil {
		if s.reader, err = newFieldReader(t, s.field, s.slots); err != nil {
			return err
		}
	}
	times, err := t.load(part.ColTimestamp, b.from)
	if err != nil {
		return err
	}
	base := b.from - times.from
	return s.reader.each(b, func(i int, slot int32) { s.add(slot, s.grid.of(times.intAt(base+i)), 1) })
}

func (s *series) row(u *unit, i int) {
	var t int64
	if u.logs != nil {
		t = u.logs.Time[i]
	} else {
		t = u.spans.Start[i]
	}
	s.add(s.slots.of(headText(u, &s.attrs, i, s.field)), s.grid.of(t), 1)
}

func (s *series) merge(o *series) {
	for slot, buckets := range o.n {
		if buckets == nil {
			continue
		}
		to := s.slots.of(o.slots.values[slot])
		for i, n := range buckets {
			s.add(to, i, n)
		}
	}
}

// histogram is the result, the value with most rows first.
func (s *series) histogram() store.Histogram {
	h := store.Histogram{Start: s.grid.start, Step: s.grid.step}
	var totals []uint64
	for slot, buckets := range s.n {
		total := uint64(0)
		for _, n := range buckets {
			total += n
		}
		if total == 0 {
			continue
		}
		one := store.HistogramSeries{Value: s.slots.values[slot], Counts: buckets}
		at, _ := slices.BinarySearchFunc(totals, total, func(have, want uint64) int { return cmp.Compare(want, have) })
		for at < len(totals) && totals[at] == total && h.Series[at].Value < one.Value {
			at++
		}
		totals, h.Series = slices.Insert(totals, at, total), slices.Insert(h.Series, at, one)
	}
	return h
}
