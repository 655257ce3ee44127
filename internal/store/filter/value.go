package filter

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// fieldName is a field as it was written and as it is called.
type fieldName struct {
	written   string
	canonical string
}

// fieldPrefix takes name: when one stands at pos. A field's name begins with a
// letter, _ or @ and has no space, brackets or quotation marks; http://… is text.
func (p *parser) fieldPrefix() (string, bool) {
	var b strings.Builder
	saved := p.pos
	for i := 0; !p.end(); i++ {
		r, n := utf8.DecodeRuneInString(p.text[p.pos:])
		switch {
		case r == ':' && i > 0 && !strings.HasPrefix(p.text[p.pos:], "://"):
			p.pos++
			return b.String(), true
		case i == 0 && !unicode.IsLetter(r) && r != '_' && r != '@',
			r == ':', unicode.IsSpace(r), strings.ContainsRune(`()"*`, r):
			p.pos = saved
			return "", false
		case r == '\\':
			if esc, m := p.escape(); m > 0 {
				b.WriteString(esc)
				p.pos += m
				continue
			}
		}
		b.WriteString(p.text[p.pos : p.pos+n])
		p.pos += n
	}
	p.pos = saved
	return "", false
}

// fieldValue takes what follows name: at pos.
func (p *parser) fieldValue(name string, start int) (store.Expr, error) {
	if name == "" {
		return nil, p.errorAt(start, "a field needs a name", "")
	}
	f := fieldName{written: name, canonical: store.CanonicalField(name)}
	if p.peek() != '(' {
		return p.value(f)
	}
	p.field = &f
	p.pos++
	open := p.pos - 1
	p.space()
	e, err := p.or()
	p.field = nil
	if err != nil {
		return nil, err
	}
	if p.peek() != ')' {
		return nil, p.errorAt(p.pos, fmt.Sprintf("expected ) for the ( at position %d", open), "add a ) after the values")
	}
	p.pos++
	return e, nil
}

// value takes one value of f.
func (p *parser) value(f fieldName) (store.Expr, error) {
	start := p.pos
	if source, ok := p.regexSource(); ok {
		return p.regexp(f.canonical, source, start)
	}
	op, hasOp := p.operator()
	if p.boundary(p.pos) {
		return nil, p.errorAt(p.pos, fmt.Sprintf("expected a value after %q", p.text[start-1:p.pos]),
			fmt.Sprintf("write the value without a space before it, or %s:* for any value", f.written))
	}
	c := store.Compare{Field: f.canonical, Op: op}
	if p.peek() == '"' {
		text, err := p.quoted()
		if err != nil {
			return nil, err
		}
		if text == "" {
			return nil, p.errorAt(start, "an empty value is the same as none", fmt.Sprintf("write -%s:* for records without it", f.written))
		}
		c.Value, c.Prefix = text, p.star()
		return p.compare(c, start)
	}
	w, err := p.bare()
	if err != nil {
		return nil, err
	}
	switch {
	case w.star && w.text == "" && !hasOp:
		return store.Exists{Field: f.canonical}, nil
	case p.isRange(w.text):
		return nil, p.errorAt(start, "ranges in brackets are not known here",
			fmt.Sprintf("write %[1]s:>=… %[1]s:<…", f.written))
	case w.text == "":
		return nil, p.errorAt(p.pos, "expected a value", "quote values that hold brackets, quotation marks or spaces")
	}
	c.Value, c.Prefix = w.text, w.star
	if !w.escaped && !w.star {
		c.Num, c.IsNum = store.ParseNumber(w.text)
	}
	return p.compare(c, start)
}

func (p *parser) isRange(text string) bool {
	rest := strings.TrimLeft(p.text[p.pos:], " ")
	return (strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{")) && strings.HasPrefix(rest, "TO ")
}

// operator takes a comparison sign; none is equality.
func (p *parser) operator() (op store.Op, ok bool) {
	for _, o := range [...]struct {
		sign string
		op   store.Op
	}{{">=", store.OpGe}, {"<=", store.OpLe}, {"!=", store.OpNe}, {">", store.OpGt}, {"<", store.OpLt}, {"=", store.OpEq}} {
		if strings.HasPrefix(p.text[p.pos:], o.sign) {
			p.pos += len(o.sign)
			return o.op, true
		}
	}
	return store.OpEq, false
}

// compare checks values of fields that have a form of their own and brings them
// into it.
func (p *parser) compare(c store.Compare, start int) (store.Expr, error) {
	if c.Prefix && c.Op != store.OpEq && c.Op != store.OpNe {
		return nil, p.errorAt(start, "a prefix cannot be ordered", "leave out the * after "+c.Value)
	}
	if c.Prefix {
		return c, nil
	}
	switch c.Field {
	case "level":
		l, ok := model.ParseLevel(c.Value)
		if !ok || l == model.LevelUnset {
			return nil, p.errorAt(start, fmt.Sprintf("%q is no level", c.Value), "levels are trace, debug, info, warn, error, fatal")
		}
		c.Value, c.Num, c.IsNum = l.String(), 0, false
	case "trace_id":
		id, err := model.ParseTraceID(c.Value)
		if err != nil {
			return nil, p.errorAt(start, "trace "+err.Error(), "a trace id is 32 hex digits; put * after a part of one")
		}
		if id.IsZero() {
			return nil, p.errorAt(start, "the zero id is the same as none", fmt.Sprintf("write -%s:* for records without one", c.Field))
		}
		c.Value, c.Num, c.IsNum = id.String(), 0, false
	case "span_id", "parent_id":
		id, err := model.ParseSpanID(c.Value)
		if err != nil {
			return nil, p.errorAt(start, "span "+err.Error(), "a span id is 16 hex digits; put * after a part of one")
		}
		if id.IsZero() {
			return nil, p.errorAt(start, "the zero id is the same as none", fmt.Sprintf("write -%s:* for records without one", c.Field))
		}
		c.Value, c.Num, c.IsNum = id.String(), 0, false
	case "timestamp":
		if _, err := time.Parse(time.RFC3339Nano, c.Value); err != nil && !c.IsNum {
			return nil, p.errorAt(start, fmt.Sprintf("%q is no time", c.Value), "write 2026-11-21T10:00:00Z or Unix nanoseconds; the time range is given beside the filter")
		}
	}
	return c, nil
}

// regexSource takes /…/ if one stands at pos. Inside, \/ is a slash.
//
// Paths begin with a slash, too (http.route:/login), so it is one only if the
// next slash that is not escaped ends the term; and where spaces are inside, that slash must
// not look like the beginning of another value (http.route:/a OR http.route:/).
func (p *parser) regexSource() (string, bool) {
	if p.peek() != '/' {
		return "", false
	}
	var b strings.Builder
	spaces := false
	for i := p.pos + 1; i < len(p.text); i++ {
		c := p.text[i]
		switch {
		case c == '\\' && i+1 < len(p.text):
			i++
			if p.text[i] != '/' {
				b.WriteByte('\\')
			}
			b.WriteByte(p.text[i])
			continue
		case c == '/':
			if b.Len() == 0 || !p.boundary(i+1) || spaces && strings.IndexByte(" \t\n:(-", p.text[i-1]) >= 0 {
				return "", false
			}
			p.pos = i + 1
			return b.String(), true
		case c == ' ' || c == '\t' || c == '\n':
			spaces = true
		}
		b.WriteByte(c)
	}
	return "", false
}

func (p *parser) regexp(field, source string, start int) (store.Expr, error) {
	re, err := regexp.Compile(source)
	if err != nil {
		msg := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		return nil, p.errorAt(start, "regular expression: "+msg, "the syntax is RE2; quote a path that begins and ends with /")
	}
	return store.Regexp{Field: field, Re: re}, nil
}
