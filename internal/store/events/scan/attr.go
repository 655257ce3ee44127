package scan

import (
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// maxListedFields is how many attribute keys a part's metadata lists; a key
// beyond may be there unlisted.
const maxListedFields = 1000

// attrColumn reads one attribute of a part: from its promoted column, else
// from the JSON column, else from the resource.
type attrColumn struct {
	key      string
	needle   string  // "key": as it stands in JSON
	promoted *column // nil if there is none
	kind     model.ValueKind
	json     *column
	jsonDict []attrValue // by code, where json has a dictionary
	res      *column
	resource []attrValue // by code of res
	anyRes   bool

	// The JSON page that was searched for needle last, and the outcome.
	searched parquet.Page
	inPage   bool
}

type attrValue struct {
	value model.Value
	ok    bool // the key is there, perhaps with an empty value
}

// openAttr is nil when the part has no such attribute.
func (t *table) openAttr(key string) (*attrColumn, error) {
	if !t.listsField(key) {
		return nil, nil
	}
	a := &attrColumn{key: key, needle: string(head.AppendKeyJSON(nil, key))}
	var err error
	if kind, ok := t.PromotedKind(key); ok {
		a.kind = kind
		if a.promoted, err = t.need(part.PromotedPrefix + key); err != nil {
			return nil, err
		}
	}
	if a.json, err = t.need(part.ColAttributes); err != nil {
		return nil, err
	}
	if a.res, err = t.need(part.ColResource); err != nil {
		return nil, err
	}
	if a.res.dict == nil {
		return nil, errShape
	}
	if a.resource, err = a.decodeDict(a.res.dict); err != nil {
		return nil, err
	}
	for _, v := range a.resource {
		a.anyRes = a.anyRes || v.ok
	}
	if a.json.dict != nil {
		a.jsonDict, err = a.decodeDict(a.json.dict)
	}
	return a, err
}

func (t *table) listsField(key string) bool {
	if len(t.Fields) >= maxListedFields {
		return true
	}
	return slices.ContainsFunc(t.Fields, func(f part.FieldCount) bool { return f.Key == key })
}

func (a *attrColumn) decodeDict(d *dictionary) ([]attrValue, error) {
	out := make([]attrValue, d.n)
	for i := range out {
		var err error
		if out[i], err = a.decode(d.textAt(i)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// decode takes the attribute out of a JSON object.
func (a *attrColumn) decode(text string) (attrValue, error) {
	if !strings.Contains(text, a.needle) {
		return attrValue{}, nil
	}
	attrs, err := head.DecodeAttrsJSON(text)
	if err != nil {
		return attrValue{}, err
	}
	v, ok := attrs.Get(a.key)
	return attrValue{v, ok}, nil
}

// load makes the pages that hold row the current ones.
func (a *attrColumn) load(row int, withJSON bool) error {
	if a.promoted != nil {
		if err := a.promoted.load(row); err != nil {
			return err
		}
	}
	if withJSON {
		if err := a.json.load(row); err != nil {
			return err
		}
		if a.json.codes != nil {
			a.inPage = true
		} else if a.json.page != a.searched {
			a.searched = a.json.page
			a.inPage = strings.Contains(a.json.text, a.needle)
		}
	}
	if !a.anyRes {
		return nil
	}
	return a.res.load(row)
}

// own is the record's own value in row; its text is gone with the page.
func (a *attrColumn) own(row int, withJSON bool) (attrValue, error) {
	if a.promoted != nil {
		if i := a.promoted.at(row); i >= 0 {
			return attrValue{a.promotedAt(i), true}, nil
		}
	}
	if !withJSON || !a.inPage {
		return attrValue{}, nil
	}
	i := a.json.at(row)
	if a.json.codes != nil {
		return a.jsonDict[a.json.codes[i]], nil
	}
	return a.decode(a.json.textAt(i))
}

func (a *attrColumn) promotedAt(i int) model.Value {
	switch c := a.promoted; a.kind {
	case model.KindInt:
		return model.IntValue(c.intAt(i))
	case model.KindFloat:
		return model.FloatValue(c.nums[i])
	case model.KindBool:
		return model.BoolValue(c.boolAt(i))
	default:
		return model.StringValue(c.textAt(i))
	}
}

// value is the attribute in row as store.AttrField defines it; load came before.
func (a *attrColumn) value(row int, withJSON bool) (model.Value, error) {
	own, err := a.own(row, withJSON)
	if err != nil || own.ok && own.value.String() != "" {
		return own.value, err
	}
	if a.anyRes {
		if v := a.resource[a.res.codes[a.res.at(row)]]; v.ok {
			return v.value, nil
		}
	}
	return model.Value{}, nil
}

// attrNode tests an attribute.
type attrNode struct {
	attr *attrColumn
	test *store.FieldTest
	// jsonBlocks are the blocks whose JSON may hold a passing value; nil means
	// any. In the others, JSON is read only if it may hide the resource's value.
	jsonBlocks []bool
	blocks     []bool
	hides      bool
	codes      []bool // the promoted dictionary's passing codes
}

func (p *testPlan) bindAttr(t *table) (node, error) {
	a, err := t.openAttr(p.test.Field)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return none, nil
	}
	n := &attrNode{attr: a, test: p.test}
	for _, v := range a.resource {
		n.hides = n.hides || v.ok && p.test.Value(v.value)
	}
	inColumn := a.promoted != nil
	if inColumn && a.promoted.dict != nil {
		inColumn = n.decideCodes()
	}
	if p.forms == nil {
		return n, nil
	}
	n.jsonBlocks = t.anyCandidates(p.test.Field, p.forms)
	hashed := !inColumn || a.promoted.dict == nil && t.IsHashed(p.test.Field)
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

// anyCandidates are the blocks that may hold field with one of the values.
func (t *table) anyCandidates(field string, values []string) []bool {
	var out []bool
	for _, v := range values {
		got := t.Candidates(part.FieldHash(field, v))
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
	return out
}

func (n *attrNode) eval(b *block) error {
	withJSON := n.hides || n.jsonBlocks == nil || n.jsonBlocks[b.from/part.BlockRows]
	if err := n.attr.load(b.from, withJSON); err != nil {
		return err
	}
	var failed error
	b.sel.keep(func(i int) bool {
		row := b.from + i
		if n.codes != nil {
			if k := n.attr.promoted.at(row); k >= 0 {
				if code := n.attr.promoted.codes[k]; n.codes[code] || !n.attr.anyRes {
					return n.codes[code]
				}
			}
		}
		v, err := n.attr.value(row, withJSON)
		if err != nil {
			failed = err
			return false
		}
		return n.test.Value(v)
	})
	return failed
}
func (n *attrNode) candidates() []bool { return n.blocks }
func (*attrNode) cost() int            { return costAttr }
