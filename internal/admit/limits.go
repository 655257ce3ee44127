package admit

import (
	"strings"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/model"
)

// truncationMark ends every text that was cut.
const truncationMark = "…[truncated]"

// minLimitBytes is the smallest length limit: room for the mark and some text.
const minLimitBytes = 64

// truncate cuts s to at most limit bytes, the mark included, between runes.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := limit - len(truncationMark)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + truncationMark
}

// repair makes s valid and short enough.
func (b *batch) repair(s string, limit int) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
		b.changes[changeUTF8]++
	}
	if len(s) > limit {
		s = truncate(s, limit)
		b.changes[changeTruncated]++
	}
	return s
}

// text is repair for what people wrote: patterns are masked before it is cut,
// so that a cut cannot hide half of one.
func (b *batch) text(s string, limit int) string {
	s, d := b.mask.text(s)
	b.note(d)
	return b.repair(s, limit)
}

func (b *batch) note(d did) {
	if d.masked {
		b.changes[changeMasked]++
	}
	b.changes[changeHashed] += d.hashed
}

// attrs admits a list in place; surplus attributes are cut off at the end.
func (b *batch) attrs(as model.Attrs) model.Attrs {
	if len(as) > b.cfg.MaxAttributes {
		b.changes[changeAttributes] += len(as) - b.cfg.MaxAttributes
		as = as[:b.cfg.MaxAttributes:b.cfg.MaxAttributes]
	}
	for i := range as {
		as[i].Key = b.repair(as[i].Key, b.cfg.MaxKeyBytes)
		as[i].Value = b.value(as[i].Key, as[i].Value)
	}
	return as
}

func (b *batch) value(key string, v model.Value) model.Value {
	kind := v.Kind()
	if kind == model.KindEmpty {
		return v
	}
	if b.mask.field(key) {
		if kind != model.KindString || v.Str() != maskText {
			b.changes[changeMasked]++
		}
		return model.StringValue(maskText)
	}
	if b.mask.ids.Names(key) {
		return b.identifier(v)
	}
	switch kind {
	case model.KindString:
		if s := b.text(v.Str(), b.cfg.MaxValueBytes); s != v.Str() {
			return model.StringValue(s)
		}
	case model.KindJSON:
		return b.json(v)
	}
	return v
}

// identifier hashes a value whole, before anything cuts it: a number is the same identifier as its text.
func (b *batch) identifier(v model.Value) model.Value {
	if v.Kind() == model.KindJSON {
		text, d := b.mask.hashJSON(v.Str())
		b.note(d)
		if len(text) > b.cfg.MaxValueBytes {
			return model.StringValue(b.repair(text, b.cfg.MaxValueBytes))
		}
		if strings.HasPrefix(text, `"`) { // a single one
			return model.StringValue(strings.Trim(text, `"`))
		}
		return model.JSONValue(text)
	}
	hash, ok := b.mask.ids.Hash(v.String())
	if !ok {
		return v
	}
	b.changes[changeHashed]++
	return model.StringValue(hash)
}

// json keeps a JSON value valid: what has to be cut becomes a plain string.
func (b *batch) json(v model.Value) model.Value {
	text, d := b.mask.json(v.Str())
	b.note(d)
	if s := b.repair(text, b.cfg.MaxValueBytes); len(text) > b.cfg.MaxValueBytes {
		return model.StringValue(s)
	} else if s != v.Str() {
		return model.JSONValue(s)
	}
	return v
}

// attrsSize is the bytes of keys and values, numbers counted as eight.
func attrsSize(as model.Attrs) (n int) {
	for i := range as {
		n += len(as[i].Key) + 8
		if k := as[i].Value.Kind(); k == model.KindString || k == model.KindJSON {
			n += len(as[i].Value.Str())
		}
	}
	return n
}

func spanSize(s *model.Span) int {
	n := len(s.Name) + len(s.StatusMessage) + len(s.TraceState) + attrsSize(s.Attrs)
	for i := range s.Events {
		n += 16 + len(s.Events[i].Name) + attrsSize(s.Events[i].Attrs)
	}
	for i := range s.Links {
		n += 24 + attrsSize(s.Links[i].Attrs)
	}
	return n
}
