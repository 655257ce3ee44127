package scan

import (
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// innerColumns reads the events and links of a part of spans.
type innerColumns struct {
	events, links *column
	needles       []string // one of them stands in the JSON of a row that matters; empty: any row may matter
}

func (t *table) openInner(needles []string) (*innerColumns, error) {
	events, err := t.need(part.ColEvents)
	if err != nil {
		return nil, err
	}
	links, err := t.need(part.ColLinks)
	return &innerColumns{events: events, links: links, needles: needles}, err
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

func (c *innerColumns) load(row int) error {
	if err := c.events.load(row); err != nil {
		return err
	}
	return c.links.load(row)
}

// at is the JSON of a row's events and links, "" where it does not matter; load came before.
func (c *innerColumns) at(row int) (events, links string) {
	return c.relevant(c.events.textAt(c.events.at(row))), c.relevant(c.links.textAt(c.links.at(row)))
}

func (c *innerColumns) relevant(text string) string {
	if text == "[]" || len(c.needles) > 0 && !holdsAny(text, c.needles) {
		return ""
	}
	return text
}

func (c *innerColumns) appendValues(dst []model.Value, field string, row int) []model.Value {
	events, links := c.at(row)
	store.EachInnerJSON(events, links, func(link bool, key string, v model.Value) {
		dst = store.AppendInner(dst, field, link, key, v)
	})
	return dst
}

// innerTextNode searches the texts of events and links.
type innerTextNode struct {
	inner *innerColumns
	pass  func(string) bool
	price int
}

// bindInnerText searches the texts of events and links, in the blocks that hold the words there.
func (t *table) bindInnerText(hashes []uint64, pass func(string) bool, price int) (node, error) {
	if t.Signal != part.Spans || !t.MayHaveInner("") {
		return none, nil
	}
	inner, err := t.openInner(nil)
	if err != nil {
		return nil, err
	}
	salted := make([]uint64, len(hashes))
	for i, h := range hashes {
		salted[i] = part.InnerWordHash(h)
	}
	return narrow(&innerTextNode{inner: inner, pass: pass, price: price}, t.withWords(salted)), nil
}

func (n *innerTextNode) eval(b *block) error {
	if err := n.inner.load(b.from); err != nil {
		return err
	}
	b.sel.keep(func(i int) bool {
		events, links := n.inner.at(b.from + i)
		return anyInnerText(events, links, n.pass)
	})
	return nil
}
func (*innerTextNode) candidates() []bool { return nil }
func (n *innerTextNode) cost() int        { return n.price }
