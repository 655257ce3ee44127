package match

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// setNode holds for the rows of a set, and knows in which of two blocks they are.
type setNode struct {
	rows  map[int]bool
	knows bool
	price int
	fails error
}

func (n *setNode) eval(b *Block) error {
	b.sel.keep(func(i int) bool { return n.rows[b.RowAt(i)] })
	return n.fails
}

func (n *setNode) candidates() []bool {
	if !n.knows {
		return nil
	}
	out := make([]bool, 2)
	for row := range n.rows {
		out[row/part.BlockRows] = true
	}
	return out
}
func (n *setNode) cost() int { return n.price }

// drawNode is a condition, and what it means row by row.
func drawNode(t *rapid.T, depth int) (node, func(row int) bool) {
	shape := rapid.IntRange(0, 3).Draw(t, "shape")
	if depth == 0 || shape == 0 {
		switch rapid.IntRange(0, 5).Draw(t, "leaf") {
		case 0:
			return every, func(int) bool { return true }
		case 1:
			return none, func(int) bool { return false }
		}
		n := &setNode{rows: map[int]bool{}, knows: rapid.Bool().Draw(t, "knows"), price: rapid.IntRange(0, 9).Draw(t, "price")}
		for _, row := range rapid.SliceOfN(rapid.IntRange(0, 2*part.BlockRows-1), 0, 8).Draw(t, "rows") {
			n.rows[row] = true
		}
		for row := range rapid.IntRange(0, 70).Draw(t, "first") {
			n.rows[row] = true
		}
		holds := func(row int) bool { return n.rows[row] }
		if n.knows && rapid.Bool().Draw(t, "narrowed") {
			return narrow(&setNode{rows: n.rows, price: n.price}, n.candidates()), holds
		}
		return n, holds
	}
	if shape == 1 {
		n, holds := drawNode(t, depth-1)
		return not(n), func(row int) bool { return !holds(row) }
	}
	var list []node
	var means []func(int) bool
	for range rapid.IntRange(0, 4).Draw(t, "parts") {
		n, holds := drawNode(t, depth-1)
		list, means = append(list, n), append(means, holds)
	}
	if shape == 2 {
		return all(list), func(row int) bool {
			return !slices.ContainsFunc(means, func(holds func(int) bool) bool { return !holds(row) })
		}
	}
	return anyOf(list), func(row int) bool {
		return slices.ContainsFunc(means, func(holds func(int) bool) bool { return holds(row) })
	}
}

func TestConditionsJoinAsTheyAreMeant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, holds := drawNode(t, 3)
		candidates := n.candidates()
		for block := range 2 {
			rows := rapid.SampledFrom([]int{part.BlockRows, 1000, 65, 64, 1}).Draw(t, "of the block")
			b := WholeBlock(block*part.BlockRows, rows)
			if err := n.eval(&b); err != nil {
				t.Fatal(err)
			}
			found := map[int]bool{}
			b.Each(func(i int) { found[i] = true })
			for i := range rows {
				if found[i] != holds(b.RowAt(i)) {
					t.Fatalf("row %d: %v, want %v", b.RowAt(i), found[i], holds(b.RowAt(i)))
				}
			}
			if b.Count() != len(found) {
				t.Fatalf("%d rows are counted, %d are there", b.Count(), len(found))
			}
			if len(found) > 0 && candidates != nil && !candidates[block] {
				t.Fatalf("block %d would be passed over, and has %d rows", block, len(found))
			}
		}
	})
}

func TestWhatIsDecidedForAWholePartIsNotEvaluated(t *testing.T) {
	some := &setNode{rows: map[int]bool{1: true}}
	for _, c := range []struct {
		name string
		got  node
		want node
	}{
		{"no condition holds", all(nil), every},
		{"no alternative does not", anyOf(nil), none},
		{"one that never holds decides a conjunction", all([]node{some, none}), none},
		{"one that always holds is left out of it", all([]node{every, some}), some},
		{"one that always holds decides a disjunction", anyOf([]node{some, every}), every},
		{"one that never holds is left out of it", anyOf([]node{none, some}), some},
		{"the opposite of always", not(every), none},
		{"filters that know no block", narrow(some, []bool{false, false}), none},
		{"filters that know every block", narrow(some, []bool{true, true}), some},
		{"filters that say nothing", narrow(some, nil), some},
		{"filters of what never holds", narrow(none, []bool{true, false}), none},
	} {
		if c.got != c.want {
			t.Errorf("%s: %#v, want %#v", c.name, c.got, c.want)
		}
	}
	if list := all([]node{&setNode{price: 9}, &setNode{price: 1}}).(allNodes); list[0].cost() != 1 || list.cost() != 10 {
		t.Errorf("the cheap condition is not the first: %v", list)
	}
}

func TestAnErrorOfAConditionIsNotLost(t *testing.T) {
	broken := &setNode{rows: map[int]bool{0: true}, fails: errors.New("page is damaged")}
	fine := &setNode{rows: map[int]bool{0: true}, price: 1}
	for _, n := range []node{all([]node{broken, fine}), anyOf([]node{fine, broken}), not(broken), narrow(broken, []bool{true, false})} {
		b := WholeBlock(0, 2)
		if err := n.eval(&b); !errors.Is(err, broken.fails) {
			t.Errorf("%#v: %v", n, err)
		}
	}
}

func TestABlocksRowsAreASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, part.BlockRows).Draw(t, "n")
		b := firstRows(n)
		other := blockBits{}
		rows := rapid.SliceOf(rapid.IntRange(0, part.BlockRows-1)).Draw(t, "rows")
		for _, i := range rows {
			other.set(i)
		}
		in := func(i int) bool { return slices.Contains(rows, i) }
		check := func(name string, got blockBits, want func(i int) bool) {
			count := 0
			for i := range part.BlockRows {
				if got.has(i) != want(i) {
					t.Fatalf("%s: row %d is %v", name, i, got.has(i))
				}
				if want(i) {
					count++
				}
			}
			if got.count() != count || got.empty() != (count == 0) {
				t.Fatalf("%s: %d rows, empty %v, want %d", name, got.count(), got.empty(), count)
			}
			last := -1
			got.each(func(i int) {
				if i <= last || !want(i) {
					t.Fatalf("%s: row %d after %d", name, i, last)
				}
				last = i
				count--
			})
			if count != 0 {
				t.Fatalf("%s: %d rows were not told", name, count)
			}
		}
		check("the first", b, func(i int) bool { return i < n })
		joined, without, kept := b, b, b
		joined.join(&other)
		without.without(&other)
		kept.keep(in)
		check("joined", joined, func(i int) bool { return i < n || in(i) })
		check("without", without, func(i int) bool { return i < n && !in(i) })
		check("kept", kept, func(i int) bool { return i < n && in(i) })
	})
}

// Block filters are asked for texts; an equality must name all that a passing value can be.
func TestEveryTextOfAnEqualNumberIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		value string
		want  []string
	}{
		{"500", []string{"500"}},
		{"500.0", []string{"500.0", "500"}},
		{"5e2", []string{"5e2", "500"}},
		{"0.5", []string{"0.5"}},
		{"-0", []string{"-0", "0"}},
		{"1.50", []string{"1.50", "1.5"}},
		{"007", []string{"007", "7"}},
		{"edge", []string{"edge"}},
		{"9007199254740993", []string{"9007199254740993"}},
		{"18446744073709551616", nil},
		{"1e300", nil}, // may be written in many ways
	} {
		n, isNum := store.ParseNumber(c.value)
		got := equalForms(store.NewFieldTest(store.Compare{Field: "k", Value: c.value, Num: n, IsNum: isNum}))
		if c.want == nil {
			if got != nil {
				t.Errorf("%s is asked for as %q", c.value, got)
			}
			continue
		}
		for _, form := range c.want {
			if !slices.Contains(got, form) {
				t.Errorf("%s is not asked for as %s: %q", c.value, form, got)
			}
		}
	}
	for _, op := range []store.Op{store.OpNe, store.OpGt, store.OpGe, store.OpLt, store.OpLe} {
		if got := equalForms(store.NewFieldTest(store.Compare{Field: "k", Op: op, Value: "500"})); got != nil {
			t.Errorf("%d is asked for as %q", op, got)
		}
	}
	if got := equalForms(store.NewFieldTest(store.Compare{Field: "k", Value: "5", Prefix: true})); got != nil {
		t.Errorf("a prefix is asked for as %q", got)
	}
}

func TestAFieldMayLieInObjectsOnTheWayToIt(t *testing.T) {
	for field, want := range map[string][]string{
		"k": {"k"}, "a.b": {"a.b", "a"}, "a.b.c": {"a.b.c", "a", "a.b"}, ".a": {".a"}, "a.": {"a."}, "a..b": {"a..b", "a", "a."},
	} {
		if got := waysTo(field); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
	if !holdsAny(`{"a\"b":1}`, needlesOf([]string{`a"b`})) || holdsAny(`{"ab":1}`, needlesOf([]string{"a"})) {
		t.Error("a key is sought otherwise than it stands in JSON")
	}
}

func TestDistinctValuesAreNumberedUpToALimit(t *testing.T) {
	s := NewSlots(2)
	text := []byte("edge")
	if a, b := s.Of(string(text)), s.Of("pay"); a != 0 || b != 1 {
		t.Errorf("numbers %d, %d", a, b)
	}
	if s.Of("edge") != 0 || s.Of("third") != -1 || s.Of("fourth") != -1 {
		t.Error("a value beyond the limit has a number")
	}
	if n := s.Beyond("other"); n != 2 || s.Beyond("other") != 2 || s.Value(n) != "other" || s.Of("third") != -1 {
		t.Errorf("the rest is number %d", n)
	}
}
