package match

import (
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
)

// HeadAttrs reads attributes of a head's rows; it belongs to one goroutine.
type HeadAttrs struct {
	attrs *head.Attrs
	res   *head.Resources
	codes map[string]headKey
	list  []model.Value // of the row asked last
}

// headKey is where an attribute's values may stand in a head.
type headKey struct {
	code int32 // of the key itself, -1 for unknown
	// paths are the objects that the name may lead into, by the code of their key.
	paths map[uint32]string
}

func newHeadAttrs(attrs *head.Attrs, res *head.Resources) *HeadAttrs {
	return &HeadAttrs{attrs: attrs, res: res, codes: map[string]headKey{}}
}

// attrsOf are those of a unit that is a head; nil for a part.
func attrsOf(u *Unit) *HeadAttrs {
	switch {
	case u.Logs != nil:
		return newHeadAttrs(&u.Logs.Attributes, &u.Logs.Resources)
	case u.Spans != nil:
		return newHeadAttrs(&u.Spans.Attributes, &u.Spans.Resources)
	}
	return nil
}

func (h *HeadAttrs) key(field string) headKey {
	k, ok := h.codes[field]
	if ok {
		return k
	}
	k.code = -1
	if c, found := h.attrs.Code(field); found {
		k.code = int32(c)
	}
	for i := 1; i < len(field)-1; i++ {
		if field[i] != '.' {
			continue
		}
		if c, found := h.attrs.Code(field[:i]); found {
			if k.paths == nil {
				k.paths = map[uint32]string{}
			}
			k.paths[c] = field[i+1:]
		}
	}
	h.codes[field] = k
	return k
}

// values are those of store.AttrValues or store.SpanAttrValues for row i, until the next call.
func (h *HeadAttrs) values(i int, field, events, links string) []model.Value {
	field = store.AttrKey(field)
	k := h.key(field)
	h.list = h.list[:0]
	if k.code >= 0 {
		if v, ok := h.attrs.Get(i, uint32(k.code)); ok {
			h.list = store.AppendValuesAt(h.list, v, "")
		}
	}
	if len(h.list) == 0 && k.paths != nil {
		from, to := h.attrs.Cells(i)
		for c := from; c < to; c++ {
			if rest, ok := k.paths[h.attrs.KeyAt(c)]; ok && h.attrs.KindAt(c) == model.KindJSON {
				h.list = store.AppendValuesAt(h.list, h.attrs.ValueAt(c), rest)
			}
		}
	}
	if events == "" && links == "" {
		return h.orResource(i, field)
	}
	store.EachInnerJSON(events, links, func(link bool, key string, v model.Value) {
		h.list = store.AppendInner(h.list, field, link, key, v)
	})
	return h.orResource(i, field)
}

func (h *HeadAttrs) orResource(i int, field string) []model.Value {
	if len(h.list) == 0 {
		h.list = store.AppendOwn(h.list, h.res.At(i).Attrs, field)
	}
	return h.list
}

func (h *HeadAttrs) test(t *store.FieldTest, i int, events, links string) bool {
	return t.Values(h.values(i, t.Field, events, links))
}

// text is the first value as text; "" when there is none.
func (h *HeadAttrs) text(i int, field, events, links string) string {
	if list := h.values(i, field, events, links); len(list) > 0 {
		return list[0].String()
	}
	return ""
}

// anyInnerText reports whether a text of a span's events and links, given as JSON, passes.
func anyInnerText(events, links string, pass func(string) bool) bool {
	if events == "" && links == "" {
		return false
	}
	found := false
	store.EachInnerJSON(events, links, func(_ bool, key string, v model.Value) {
		if text, ok := store.InnerText(key, v); ok && !found {
			found = pass(text)
		}
	})
	return found
}
