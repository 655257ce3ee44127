package part

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go/bloom"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

// bitsPerHash gives about 1 false positive in 100.
const bitsPerHash = 10

// maxFields bounds the attribute keys listed in an index.
const maxFields = 1000

// hashSet collects the distinct hashes of one block.
type hashSet struct {
	slots   []uint64
	list    []uint64
	escapes bool // a text with words had escape sequences
}

func (s *hashSet) add(h uint64) {
	if 2*len(s.list) >= len(s.slots) {
		s.grow()
	}
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case h:
			return
		case 0:
			s.slots[i] = h
			s.list = append(s.list, h)
			return
		}
	}
}

func (s *hashSet) grow() {
	s.slots = make([]uint64, max(4096, 2*len(s.slots)))
	mask := uint64(len(s.slots) - 1)
	for _, h := range s.list {
		i := h & mask
		for s.slots[i] != 0 {
			i = (i + 1) & mask
		}
		s.slots[i] = h
	}
}

func (s *hashSet) addWords(text string) {
	s.escapes = s.escapes || store.HasEscapes(text)
	store.Words(text, func(h uint64, _, _ int) bool {
		s.add(h)
		return true
	})
}

// addValue adds field=value for a value and all that lies within it.
func (s *hashSet) addValue(field string, v model.Value) {
	if v.Kind() != model.KindJSON {
		s.add(FieldHash(field, v.String()))
		return
	}
	store.EachValueWithin(field, v, func(path string, v model.Value) { s.add(FieldHash(path, v.String())) })
}

// filter makes the block's filter and empties the set.
func (s *hashSet) filter() bloom.SplitBlockFilter {
	f := filterOf(s.list)
	clear(s.slots)
	s.list = s.list[:0]
	return f
}

func filterOf(hashes []uint64) bloom.SplitBlockFilter {
	f := make(bloom.SplitBlockFilter, bloom.NumSplitBlocksOf(int64(len(hashes)), bitsPerHash))
	f.InsertBulk(hashes)
	return f
}

// table is what logs and spans have in common for building an index.
type table struct {
	signal Signal
	rows   int
	order  []int32
	plan   *attrPlan
	enc    encodings
	res    *head.Resources
	time   []int64
	trace  []model.TraceID
	value  func(row int32) uint8 // level or status
	words  func(s *hashSet, row int32)
	hashed func(s *hashSet, row int32) // fields without dictionary, but for attributes
	end    func(row int32) int64
	inner  *innerFields
}

// index computes everything but what the Parquet file's bytes decide.
func (t *table) index(opt Options) *index {
	x := &index{Meta: Meta{
		Signal: t.signal, ID: opt.ID, Rows: t.rows, MinTime: math.MaxInt64, MaxTime: math.MinInt64, MaxEnd: math.MinInt64,
		Segments: opt.Segments, Replaces: opt.Replaces, Promoted: t.plan.promoted,
		Filtered: Filtered{Format: indexFormat, Hashed: t.hashedFields()},
	}}
	var set hashSet
	for from := 0; from < t.rows; from += BlockRows {
		for _, row := range t.order[from:min(from+BlockRows, t.rows)] {
			x.MinTime, x.MaxTime = min(x.MinTime, t.time[row]), max(x.MaxTime, t.time[row])
			x.MaxEnd = max(x.MaxEnd, t.end(row))
			t.words(&set, row)
			t.hashed(&set, row)
			t.hashAttrs(&set, row)
		}
		x.blocks = append(x.blocks, set.filter())
	}
	x.Escapes = set.escapes
	x.Inner = t.inner.names()
	traces := map[model.TraceID]struct{}{}
	var hashes []uint64
	for _, id := range t.trace {
		if _, ok := traces[id]; !ok && !id.IsZero() {
			traces[id] = struct{}{}
			hashes = append(hashes, TraceHash(id))
		}
	}
	x.trace = filterOf(hashes)
	t.rollup(x)
	x.Fields = t.fields()
	return x
}

func (t *table) hashedFields() []string {
	var out []string
	if !t.enc.traceID {
		out = append(out, ColTraceID)
	}
	if t.signal == Logs && !t.enc.requestID {
		out = append(out, ColRequestID)
	}
	for i, p := range t.plan.promoted {
		if p.Kind == model.KindString && !t.plan.dict[i] {
			out = append(out, p.Key)
		}
	}
	return out
}

// hashAttrs adds key=value of the attributes that have no dictionary.
func (t *table) hashAttrs(s *hashSet, row int32) {
	a := t.plan.attrs
	from, to := a.Cells(int(row))
	for c := from; c < to; c++ {
		if t.plan.rest[c] {
			s.addValue(a.Keys[a.KeyAt(c)], a.ValueAt(c))
		}
	}
	for i, p := range t.plan.promoted {
		if c := t.plan.cells[i][row]; c != 0 && p.Kind == model.KindString && !t.plan.dict[i] {
			s.add(FieldHash(p.Key, a.ValueAt(int(c-1)).Str()))
		}
	}
}

// codes numbers the distinct values of a resource field, in order.
func codes(res []*model.Resource, field func(*model.Resource) string) (values []string, of []uint32) {
	for _, r := range res {
		values = append(values, field(r))
	}
	slices.Sort(values)
	values = slices.Compact(values)
	for _, r := range res {
		n, _ := slices.BinarySearch(values, field(r))
		of = append(of, uint32(n))
	}
	return values, of
}

func (t *table) rollup(x *index) {
	var tenantOf, serviceOf []uint32
	x.Tenants, tenantOf = codes(t.res.Values, func(r *model.Resource) string { return r.Tenant })
	x.Services, serviceOf = codes(t.res.Values, func(r *model.Resource) string { return r.Service })
	counts := map[Rollup]uint32{}
	for row := range int32(t.rows) {
		res := t.res.Codes[row]
		counts[Rollup{
			Minute: floorDiv(t.time[row], 60e9), Tenant: tenantOf[res], Service: serviceOf[res], Value: t.value(row),
		}]++
	}
	for r, n := range counts {
		r.Count = n
		x.rollups = append(x.rollups, r)
	}
	slices.SortFunc(x.rollups, func(a, b Rollup) int {
		return cmp.Or(cmp.Compare(a.Minute, b.Minute), cmp.Compare(a.Tenant, b.Tenant),
			cmp.Compare(a.Service, b.Service), cmp.Compare(a.Value, b.Value))
	})
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (t *table) fields() []FieldCount {
	counts := map[string]int{}
	a := t.plan.attrs
	cells := make([]int, len(a.Keys))
	byRes := make([]int, len(t.res.Values))
	for row := range t.rows {
		from, to := a.Cells(row)
		for c := from; c < to; c++ {
			cells[a.KeyAt(c)]++
		}
		byRes[t.res.Codes[row]]++
	}
	maps.Copy(counts, t.inner.counts)
	for i, n := range cells {
		counts[a.Keys[i]] += n
	}
	for i, n := range byRes {
		for _, at := range t.res.Values[i].Attrs {
			counts[at.Key] += n
		}
	}
	var out []FieldCount
	for k, n := range counts {
		if n > 0 {
			out = append(out, FieldCount{Key: k, Count: n})
		}
	}
	slices.SortFunc(out, func(x, y FieldCount) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Key, y.Key))
	})
	return out[:min(len(out), maxFields)]
}
