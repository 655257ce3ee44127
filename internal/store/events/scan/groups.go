package scan

import (
	"cmp"
	"slices"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/match"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// counts counts a unit's rows by value.
type counts struct {
	field  string
	slots  *match.Slots
	n      []uint64 // by slot
	reader *match.FieldReader
	attrs  *match.HeadAttrs
}

func newCounts(field string, limit int) *counts {
	return &counts{field: field, slots: match.NewSlots(limit)}
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

func (c *counts) Block(t *match.Table, b *match.Block) (err error) {
	if c.reader == nil {
		if c.reader, err = match.NewFieldReader(t, c.field, c.slots); err != nil {
			return err
		}
	}
	return c.reader.Each(b, func(_ int, slot int32) { c.add(slot, 1) })
}

func (c *counts) Row(u *match.Unit, i int) {
	c.add(c.slots.Of(match.HeadText(u, &c.attrs, i, c.field)), 1)
}

// merge adds o's counts.
func (c *counts) merge(o *counts) {
	for slot, n := range o.n {
		if n > 0 {
			c.add(c.slots.Of(o.slots.Value(int32(slot))), n)
		}
	}
}

// top is the most frequent values that are not empty, at most limit (0: all).
func (c *counts) top(limit int) []store.ValueCount {
	out := []store.ValueCount{}
	for slot, n := range c.n {
		if v := c.slots.Value(int32(slot)); v != "" && n > 0 {
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
	return s.slots.Beyond(otherSeries)
}

func (s *series) Block(t *match.Table, b *match.Block) (err error) {
	if s.reader == nil {
		if s.reader, err = match.NewFieldReader(t, s.field, s.slots); err != nil {
			return err
		}
	}
	times, err := t.Load(part.ColTimestamp, b.RowAt(0))
	if err != nil {
		return err
	}
	return s.reader.Each(b, func(i int, slot int32) { s.add(slot, s.grid.of(times.IntAt(times.At(b.RowAt(i)))), 1) })
}

func (s *series) Row(u *match.Unit, i int) {
	var t int64
	if u.Logs != nil {
		t = u.Logs.Time[i]
	} else {
		t = u.Spans.Start[i]
	}
	s.add(s.slots.Of(match.HeadText(u, &s.attrs, i, s.field)), s.grid.of(t), 1)
}

func (s *series) merge(o *series) {
	for slot, buckets := range o.n {
		if buckets == nil {
			continue
		}
		to := s.slots.Of(o.slots.Value(int32(slot)))
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
		one := store.HistogramSeries{Value: s.slots.Value(int32(slot)), Counts: buckets}
		at, _ := slices.BinarySearchFunc(totals, total, func(have, want uint64) int { return cmp.Compare(want, have) })
		for at < len(totals) && totals[at] == total && h.Series[at].Value < one.Value {
			at++
		}
		totals, h.Series = slices.Insert(totals, at, total), slices.Insert(h.Series, at, one)
	}
	return h
}
