package match

import (
	"slices"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// node is a condition bound to one part.
type node interface {
	// eval drops the rows of b that do not match.
	eval(b *Block) error
	// candidates says which blocks may hold matches; nil means any.
	candidates() []bool
	// cost orders the parts of a conjunction: cheap ones first.
	cost() int
}

type constNode bool

// The conditions that are decided for a whole part.
const (
	every constNode = true
	none  constNode = false
)

func (n constNode) eval(b *Block) error {
	if !n {
		b.sel = blockBits{}
	}
	return nil
}
func (constNode) candidates() []bool { return nil }
func (constNode) cost() int          { return 0 }

type allNodes []node

// all is the conjunction of list, simplified.
func all(list []node) node {
	var out allNodes
	for _, n := range list {
		switch n := n.(type) {
		case constNode:
			if !n {
				return none
			}
		case allNodes:
			out = append(out, n...)
		default:
			out = append(out, n)
		}
	}
	switch len(out) {
	case 0:
		return every
	case 1:
		return out[0]
	}
	slices.SortStableFunc(out, func(a, b node) int { return a.cost() - b.cost() })
	return out
}

func (n allNodes) eval(b *Block) error {
	for _, c := range n {
		if err := c.eval(b); err != nil || b.sel.empty() {
			return err
		}
	}
	return nil
}

func (n allNodes) candidates() []bool {
	var out []bool
	for _, c := range n {
		got := c.candidates()
		switch {
		case got == nil:
		case out == nil:
			out = slices.Clone(got)
		default:
			for i := range out {
				out[i] = out[i] && got[i]
			}
		}
	}
	return out
}

func (n allNodes) cost() (sum int) {
	for _, c := range n {
		sum += c.cost()
	}
	return sum
}

type anyNodes []node

// anyOf is the disjunction of list, simplified.
func anyOf(list []node) node {
	var out anyNodes
	for _, n := range list {
		switch n := n.(type) {
		case constNode:
			if n {
				return every
			}
		default:
			out = append(out, n)
		}
	}
	switch len(out) {
	case 0:
		return none
	case 1:
		return out[0]
	}
	slices.SortStableFunc(out, func(a, b node) int { return a.cost() - b.cost() })
	return out
}

func (n anyNodes) eval(b *Block) error {
	var found blockBits
	rest := Block{from: b.from, n: b.n, sel: b.sel}
	for _, c := range n {
		try := rest
		if err := c.eval(&try); err != nil {
			return err
		}
		found.join(&try.sel)
		rest.sel.without(&try.sel)
		if rest.sel.empty() {
			break
		}
	}
	b.sel = found
	return nil
}

func (n anyNodes) candidates() []bool {
	var out []bool
	for _, c := range n {
		got := c.candidates()
		if got == nil {
			return nil
		}
		if out == nil {
			out = slices.Clone(got)
			continue
		}
		for i := range out {
			out[i] = out[i] || got[i]
		}
	}
	return out
}

func (n anyNodes) cost() int { return allNodes(n).cost() }

type notNode struct{ node node }

// not is the negation of n, simplified.
func not(n node) node {
	if c, ok := n.(constNode); ok {
		return !c
	}
	return notNode{n}
}

func (n notNode) eval(b *Block) error {
	matching := *b
	if err := n.node.eval(&matching); err != nil {
		return err
	}
	b.sel.without(&matching.sel)
	return nil
}
func (notNode) candidates() []bool { return nil }
func (n notNode) cost() int        { return n.node.cost() + 1 }

// filtered narrows a condition to the blocks that a word filter leaves.
type filtered struct {
	node
	blocks []bool
}

// narrow adds a filter's answer to n; nil blocks say nothing.
func narrow(n node, blocks []bool) node {
	if blocks == nil || n == none {
		return n
	}
	if !slices.Contains(blocks, true) {
		return none
	}
	if !slices.Contains(blocks, false) {
		return n
	}
	return &filtered{n, blocks}
}

func (n *filtered) eval(b *Block) error {
	if !n.blocks[b.from/part.BlockRows] {
		b.sel = blockBits{}
		return nil
	}
	return n.node.eval(b)
}
func (n *filtered) candidates() []bool { return n.blocks }

// The costs of conditions, relative to each other.
const (
	costCodes = 1
	costInts  = 2
	costFixed = 2
	costText  = 20
	costRegex = 60
	costAttr  = 30
	costInner = 80
)

// codeNode tests a column with a dictionary: pass[code].
type codeNode struct {
	col  *Column
	pass []bool
}

// bindCodes decides the dictionary's values. A column that is not optional
// and whose values all agree decides for the part.
func bindCodes(col *Column, pass func(i int) bool) node {
	n := &codeNode{col: col, pass: make([]bool, col.dict.n)}
	hits := 0
	for i := range n.pass {
		if n.pass[i] = pass(i); n.pass[i] {
			hits++
		}
	}
	switch hits {
	case 0:
		return none
	case len(n.pass):
		return every
	}
	return n
}

func (n *codeNode) eval(b *Block) error {
	if err := n.col.Load(b.from); err != nil {
		return err
	}
	if n.col.codes == nil {
		return errShape
	}
	codes := n.col.codes[b.from-n.col.from:]
	for w, word := range b.sel {
		if word == 0 {
			continue
		}
		var hit uint64
		base := w * 64
		for i, code := range codes[base:min(base+64, b.n)] {
			if n.pass[code] {
				hit |= 1 << i
			}
		}
		b.sel[w] = word & hit
	}
	return nil
}
func (*codeNode) candidates() []bool { return nil }
func (*codeNode) cost() int          { return costCodes }

// intNode tests an integer column.
type intNode struct {
	col  *Column
	pass func(int64) bool
}

func (n *intNode) eval(b *Block) error {
	if err := n.col.Load(b.from); err != nil {
		return err
	}
	base := b.from - n.col.from
	b.sel.keep(func(i int) bool { return n.pass(n.col.IntAt(base + i)) })
	return nil
}
func (*intNode) candidates() []bool { return nil }
func (*intNode) cost() int          { return costInts }

// fixedNode tests a column of ids.
type fixedNode struct {
	col  *Column
	pass func([]byte) bool
}

func (n *fixedNode) eval(b *Block) error {
	if err := n.col.Load(b.from); err != nil {
		return err
	}
	base := b.from - n.col.from
	b.sel.keep(func(i int) bool { return n.pass(n.col.FixedAt(base + i)) })
	return nil
}
func (*fixedNode) candidates() []bool { return nil }
func (*fixedNode) cost() int          { return costFixed }

// textNode tests a column of text value by value.
type textNode struct {
	col  *Column
	pass func(string) bool
}

func (n *textNode) eval(b *Block) error {
	if err := n.col.Load(b.from); err != nil {
		return err
	}
	base := b.from - n.col.from
	b.sel.keep(func(i int) bool { return n.pass(n.col.TextAt(base + i)) })
	return nil
}
func (*textNode) candidates() []bool { return nil }
func (*textNode) cost() int          { return costText }

// finder finds a text in a longer one, at or after from; -1 if it is not there.
type finder interface {
	Next(s string, from int) (start, end int)
}

// searchNode searches a column of text: find finds places in the texts of a
// whole block at once, accept judges one row with such a place in it.
type searchNode struct {
	col    *Column
	find   finder
	accept func(text string, start, end int) bool
	// whole says that one rejected place decides for its row.
	whole bool
	// asSeen says that accept looks at what is seen of a text and that there may be texts in
	// which more is stored; see store.Visible.
	asSeen bool
	price  int
}

// fewRows is how many selected rows are searched one by one.
const fewRows = 24

func (n *searchNode) eval(b *Block) error {
	if err := n.col.Load(b.from); err != nil {
		return err
	}
	base := b.from - n.col.from
	offs := n.col.offs[base : base+b.n+1]
	text := n.col.text[:offs[b.n]]
	if n.asSeen && store.HasEscapes(text[offs[0]:]) {
		b.sel.keep(func(i int) bool { return n.row(store.Visible(n.col.TextAt(base + i))) })
		return nil
	}
	if b.sel.count() <= fewRows {
		b.sel.keep(func(i int) bool { return n.row(n.col.TextAt(base + i)) })
		return nil
	}
	var found blockBits
	row := 0
	for at := int(offs[0]); ; {
		start, end := n.find.Next(text, at)
		if start < 0 {
			break
		}
		row = rowAt(offs, row, start)
		from, to := int(offs[row]), int(offs[row+1])
		ok := end <= to && b.sel.has(row) && n.accept(text[from:to], start-from, end-from)
		if ok {
			found.set(row)
		}
		if ok || end <= to && (n.whole || !b.sel.has(row)) {
			at = to
		} else {
			at = start + 1
		}
	}
	b.sel = found
	return nil
}

func (n *searchNode) row(text string) bool {
	for at := 0; ; {
		start, end := n.find.Next(text, at)
		if start < 0 {
			return false
		}
		if n.accept(text, start, end) {
			return true
		}
		if n.whole {
			return false
		}
		at = start + 1
	}
}

// rowAt is the row, from row on, in which the byte at pos lies: by doubling
// steps, because the next hit is usually near.
func rowAt(offs []uint32, row, pos int) int {
	step := 1
	for row+step < len(offs)-1 && int(offs[row+step]) <= pos {
		row += step
		step *= 2
	}
	hi := min(row+step, len(offs)-1)
	for row+1 < hi {
		mid := (row + hi) / 2
		if int(offs[mid]) <= pos {
			row = mid
		} else {
			hi = mid
		}
	}
	return row
}

func (*searchNode) candidates() []bool { return nil }
func (n *searchNode) cost() int        { return n.price }

// bindText tests a column of text that every part has.
func (t *Table) bindText(name string, pass func(string) bool) (node, error) {
	c, err := t.Need(name)
	if err != nil {
		return nil, err
	}
	if c.dict != nil {
		return bindCodes(c, func(i int) bool { return pass(c.dict.textAt(i)) }), nil
	}
	return &textNode{col: c, pass: pass}, nil
}

// searchText finds words or a phrase in a column of text.
func searchText(c *Column, m *store.TextMatcher, escapes bool) node {
	if c.dict != nil {
		return bindCodes(c, func(i int) bool { return m.Match(c.dict.textAt(i)) })
	}
	return &searchNode{col: c, find: m, accept: m.Bounded, asSeen: escapes, price: costText}
}
