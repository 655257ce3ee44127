package match

import (
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// InnerColumns reads the events and links of a part of spans.
type InnerColumns struct {
	events, links *Column
	needles       []string // one of them stands in the JSON of a row that matters; empty: any row may matter
}

// OpenInner opens the events and links of a part of spans; with needles, rows without any of them
// in their JSON are passed over.
func (t *Table) OpenInner(needles ...string) (*InnerColumns, error) {
	events, err := t.Need(part.ColEvents)
	if err != nil {
		return nil, err
	}
	links, err := t.Need(part.ColLinks)
	return &InnerColumns{events: events, links: links, needles: needles}, err
}

// innerNeedles are what stands in the JSON of events or links that hold the field.
func innerNeedles(field string) []string {
	needles := needlesOf(waysTo(field))
	for _, link := range [...]bool{false, true} {
		if own, ok := strings.CutPrefix(field, store.InnerPrefix(link)); ok && own != "" {
			needles = append(needles, needlesOf(waysTo(own))...)
		}
	}
	return needles
}

// Load makes the pages that hold row the current ones.
func (c *InnerColumns) Load(row int) error {
	if err := c.events.Load(row); err != nil {
		return err
	}
	return c.links.Load(row)
}

// At is the JSON of a row's events and links, "" where it does not matter; load came before.
func (c *InnerColumns) At(row int) (events, links string) {
	return c.relevant(c.events.TextAt(c.events.At(row))), c.relevant(c.links.TextAt(c.links.At(row)))
}

func (c *InnerColumns) relevant(text string) string {
	if text == "[]" || len(c.needles) > 0 && !holdsAny(text, c.needles) {
		return ""
	}
	return text
}

func (c *InnerColumns) appendValues(dst []model.Value, field string, row int) []model.Value {
	events, links := c.At(row)
	store.EachInnerJSON(events, links, func(link bool, key string, v model.Value) {
		dst = store.AppendInner(dst, field, link, key, v)
	})
	return dst
}

// innerTextNode searches the texts of events and links.
type innerTextNode struct {
	inner *InnerColumns
	pass  func(string) bool
	price int
}

// bindInnerText searches the texts of events and links, in the blocks that hold the words there.
func (t *Table) bindInnerText(hashes []uint64, pass func(string) bool, price int) (node, error) {
	if t.Signal != part.Spans || !t.MayHaveInner("") {
		return none, nil
	}
	inner, err := t.OpenInner()
	if err != nil {
		return nil, err
	}
	salted := make([]uint64, len(hashes))
	for i, h := range hashes {
		salted[i] = part.InnerWordHash(h)
	}
	return narrow(&innerTextNode{inner: inner, pass: pass, price: price}, t.withWords(salted)), nil
}

func (n *innerTextNode) eval(b *Block) error {
	if err := n.inner.Load(b.from); err != nil {
		return err
	}
	b.sel.keep(func(i int) bool {
		events, links := n.inner.At(b.from + i)
		return anyInnerText(events, links, n.pass)
	})
	return nil
}
func (*innerTextNode) candidates() []bool { return nil }
func (n *innerTextNode) cost() int        { return n.price }
