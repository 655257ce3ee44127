package head

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store/events/bin"
)

// Text is a column of strings in one arena. The zero Text is empty.
type Text struct {
	off []uint32 // end of row i
	buf []byte
}

// At is row i; the string aliases the arena, which is never written again.
func (t *Text) At(i int) string { return bin.Alias(t.Bytes(i)) }

// Bytes is row i; the caller MUST NOT change it.
func (t *Text) Bytes(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = t.off[i-1]
	}
	return t.buf[start:t.off[i]]
}

// Size is the number of bytes of text.
func (t *Text) Size() int { return len(t.buf) }

func (t *Text) append(s string) {
	t.buf = append(t.buf, s...)
	t.off = append(t.off, uint32(len(t.buf)))
}

func (t *Text) appendBytes(b []byte) {
	t.buf = append(t.buf, b...)
	t.off = append(t.off, uint32(len(t.buf)))
}

func (t *Text) memory() int { return 4*len(t.off) + len(t.buf) }

// Dict is a column of strings as codes into a dictionary, for columns with few
// distinct values.
type Dict struct {
	Codes  []uint32
	Values []string
}

// At is row i.
func (d *Dict) At(i int) string { return d.Values[d.Codes[i]] }

func (d *Dict) memory() int { return 4*len(d.Codes) + 48*len(d.Values) }

// interner numbers distinct strings in order of appearance.
type interner map[string]uint32

func (in interner) code(values *[]string, s string) uint32 {
	if c, ok := in[s]; ok {
		return c
	}
	s = strings.Clone(s)
	c := uint32(len(*values))
	*values = append(*values, s)
	in[s] = c
	return c
}

// clean makes s valid UTF-8: readers of the sealed files (DuckDB) refuse
// anything else, and one bad byte must not cost a row.
func clean(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// stored is v as a sealed file gives it back, so that a question has one answer before and after
// sealing: JSON that is one text, number or truth is that (OTLP's bytes arrive as a quoted
// text), what is no JSON is a text. Objects, arrays and numbers of many digits stay as they are.
func stored(v model.Value) model.Value {
	switch v.Kind() {
	case model.KindString:
		return model.StringValue(clean(v.Str()))
	case model.KindJSON:
		text := strings.TrimSpace(clean(v.Str()))
		if !json.Valid([]byte(text)) {
			return model.StringValue(clean(v.Str()))
		}
		if text[0] == '{' || text[0] == '[' {
			return model.JSONValue(text)
		}
		var scalar model.Value
		if err := scalar.UnmarshalJSON([]byte(text)); err != nil {
			return model.StringValue(text)
		}
		return scalar
	}
	return v
}
