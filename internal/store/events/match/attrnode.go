package match

import (
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// attrNode tests an attribute.
type attrNode struct {
	attr *attrColumn
	test *store.FieldTest
	// jsonBlocks are the blocks whose JSON (or events and links) may hold a passing value; nil
	// means any. In the others, JSON is read only if it may hide the resource's value.
	jsonBlocks []bool
	blocks     []bool
	hides      bool
	unequal    bool   // the test is !=: all values must pass
	codes      []bool // the promoted dictionary's passing codes
}

func (p *testPlan) bindAttr(t *Table) (node, error) {
	a, err := t.openAttr(p.test.Field)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return none, nil
	}
	n := &attrNode{attr: a, test: p.test, unequal: p.test.Unequal()}
	for _, list := range a.resource {
		n.hides = n.hides || p.test.Values(list)
	}
	inColumn := a.promoted != nil
	if inColumn && a.promoted.dict != nil {
		inColumn = n.decideCodes()
	}
	if p.forms == nil {
		return n, nil
	}
	n.jsonBlocks = t.anyCandidates(a.key, p.forms)
	// The kind matters, because a field of the same name may be hashed.
	hashed := !inColumn || a.promoted.dict == nil && a.kind == model.KindString && t.IsHashed(a.key)
	if n.jsonBlocks == nil || n.hides || !hashed {
		return n, nil
	}
	n.blocks = n.jsonBlocks
	return narrow(n, n.blocks), nil
}

// decideCodes tests the promoted column's dictionary; it reports whether any value passes.
func (n *attrNode) decideCodes() (found bool) {
	c := n.attr.promoted
	n.codes = make([]bool, c.dict.n)
	for i := range n.codes {
		var v model.Value
		if n.attr.kind == model.KindInt {
			v = model.IntValue(c.dict.ints[i])
		} else {
			v = model.StringValue(c.dict.textAt(i))
		}
		n.codes[i] = n.test.Value(v)
		found = found || n.codes[i]
	}
	return found
}

// anyCandidates are the blocks that may hold field with one of the values; nil means any.
func (t *Table) anyCandidates(field string, values []string) []bool {
	if !t.KnowsWords() {
		return nil
	}
	names := []string{field}
	for _, link := range [...]bool{false, true} {
		if own, ok := strings.CutPrefix(field, store.InnerPrefix(link)); ok && t.Signal == part.Spans {
			names = append(names, own)
		}
	}
	var out []bool
	for _, name := range names {
		for _, v := range values {
			got := t.Candidates(part.FieldHash(name, v))
			if got == nil {
				return nil
			}
			if out == nil {
				out = got
				continue
			}
			for i := range out {
				out[i] = out[i] || got[i]
			}
		}
	}
	return out
}

func (n *attrNode) eval(b *Block) error {
	withJSON := n.hides || n.jsonBlocks == nil || n.jsonBlocks[b.from/part.BlockRows]
	if err := n.attr.load(b.from, withJSON); err != nil {
		return err
	}
	var failed error
	b.sel.keep(func(i int) bool {
		row := b.from + i
		if n.codes != nil {
			if pass, decided := n.byCode(row, withJSON); decided {
				return pass
			}
		}
		list, err := n.attr.values(row, withJSON)
		if err != nil {
			failed = err
			return false
		}
		return n.test.Values(list)
	})
	return failed
}

// byCode decides a row by the promoted column alone, if that suffices.
func (n *attrNode) byCode(row int, withJSON bool) (pass, decided bool) {
	c := n.attr.promoted
	k := c.At(row)
	if k < 0 {
		return false, false
	}
	pass = n.codes[c.codes[k]]
	if pass && !n.unequal {
		return true, true
	}
	empty := n.attr.kind == model.KindString && c.TextAt(k) == ""
	return pass, !empty && (n.attr.inner == nil || !withJSON)
}

func (n *attrNode) candidates() []bool { return n.blocks }
func (*attrNode) cost() int            { return costAttr }
