package part

import (
	"cmp"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

// attrPlan says for each cell of an attribute column whether it goes to a
// promoted column or to the JSON column.
type attrPlan struct {
	attrs    *head.Attrs
	promoted []Promoted
	cells    [][]int32 // by promoted column: row → cell + 1, or 0
	dict     []bool    // by promoted column
	rest     []bool    // by cell: stays in JSON
}

// minShare is the share of rows, 1 in minShare, from which on a key gets a
// column; below it, a column's fixed cost exceeds what it saves.
const minShare = 50

// planAttrs chooses the keys that get a column.
func planAttrs(a *head.Attrs, rows int) *attrPlan {
	type tally [model.KindJSON + 1]int
	counts := make([]tally, len(a.Keys))
	for row := range rows {
		from, to := a.Cells(row)
		for c := from; c < to; c++ {
			counts[a.KeyAt(c)][a.KindAt(c)]++
		}
	}
	type candidate struct {
		code  uint32
		kind  model.ValueKind
		count int
	}
	var list []candidate
	for code, t := range counts {
		best := candidate{code: uint32(code)}
		for kind := model.KindString; kind <= model.KindBool; kind++ {
			if t[kind] > best.count {
				best.kind, best.count = kind, t[kind]
			}
		}
		if best.count >= max(rows/minShare, 4) && a.Keys[code] != "" {
			list = append(list, best)
		}
	}
	slices.SortStableFunc(list, func(x, y candidate) int { return cmp.Compare(y.count, x.count) })
	p := &attrPlan{attrs: a}
	folded := map[string]bool{}
	var promoted []Promoted
	for _, c := range list {
		key := a.Keys[c.code]
		// SQL ignores the case of column names: of two such keys one stays in JSON.
		if fold := strings.ToLower(key); len(promoted) < MaxPromoted && !folded[fold] {
			folded[fold] = true
			promoted = append(promoted, Promoted{Key: key, Kind: c.kind})
		}
	}
	slices.SortFunc(promoted, func(x, y Promoted) int { return cmp.Compare(x.Key, y.Key) })
	p.use(promoted, rows)
	return p
}

// use places the cells for a given choice of promoted keys.
func (p *attrPlan) use(promoted []Promoted, rows int) {
	p.promoted = promoted
	byCode := make([]int32, len(p.attrs.Keys))
	for i, pr := range promoted {
		if code, ok := p.attrs.Code(pr.Key); ok {
			byCode[code] = int32(i) + 1
		}
	}
	p.place(byCode, rows)
}

// place gives each cell its column. Of a key that stands twice in a row the
// last goes to the column, and only if the kind fits.
func (p *attrPlan) place(byCode []int32, rows int) {
	p.cells = make([][]int32, len(p.promoted))
	for i := range p.cells {
		p.cells[i] = make([]int32, rows)
	}
	n := 0
	if rows > 0 {
		_, n = p.attrs.Cells(rows - 1)
	}
	p.rest = make([]bool, n)
	for row := range rows {
		from, to := p.attrs.Cells(row)
		for c := to - 1; c >= from; c-- {
			i := byCode[p.attrs.KeyAt(c)] - 1
			if i < 0 || p.later(c, to) || p.attrs.KindAt(c) != p.promoted[i].Kind {
				p.rest[c] = true
				continue
			}
			p.cells[i][row] = int32(c) + 1
		}
	}
	p.dict = make([]bool, len(p.promoted))
	for i, pr := range p.promoted {
		p.dict[i] = p.worthDict(i, pr.Kind, rows)
	}
}

// later reports whether the cell's key comes again in the row.
func (p *attrPlan) later(cell, to int) bool {
	for c := cell + 1; c < to; c++ {
		if p.attrs.KeyAt(c) == p.attrs.KeyAt(cell) {
			return true
		}
	}
	return false
}

func (p *attrPlan) worthDict(i int, kind model.ValueKind, rows int) bool {
	switch kind {
	case model.KindString:
		d := newDistinct[string](rows)
		for _, c := range p.cells[i] {
			if c != 0 && !d.add(p.attrs.ValueAt(int(c-1)).Str()) {
				return false
			}
		}
		return true
	case model.KindInt:
		d := newDistinct[int64](min(rows, 4096))
		for _, c := range p.cells[i] {
			if c != 0 && !d.add(p.attrs.ValueAt(int(c-1)).Int()) {
				return false
			}
		}
		return true
	}
	return false
}

// restJSON appends the JSON column's text of a row.
func (p *attrPlan) restJSON(dst []byte, row int) []byte {
	from, to := p.attrs.Cells(row)
	dst = append(dst, '{')
	first := true
	for c := from; c < to; c++ {
		if !p.rest[c] {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = head.AppendKeyJSON(dst, p.attrs.Keys[p.attrs.KeyAt(c)])
		dst = head.AppendValueJSON(dst, p.attrs.ValueAt(c))
	}
	return append(dst, '}')
}

// distinct counts distinct values as long as a dictionary pays: up to half of the rows.
type distinct[T comparable] struct {
	seen  map[T]struct{}
	limit int
}

func newDistinct[T comparable](rows int) distinct[T] {
	return distinct[T]{seen: map[T]struct{}{}, limit: max(rows/2, 16)}
}

func (d *distinct[T]) add(v T) bool {
	if _, ok := d.seen[v]; ok {
		return true
	}
	d.seen[v] = struct{}{}
	return len(d.seen) <= d.limit
}

func fewDistinct[T comparable](rows int, at func(int) T) bool {
	d := newDistinct[T](rows)
	for i := range rows {
		if !d.add(at(i)) {
			return false
		}
	}
	return true
}
