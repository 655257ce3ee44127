// Package filter is the filter language for logs and spans: text to store.Expr
// (Parse) and back (String).
//
// It evaluates nothing: store.Matcher does. The language is described in
// docs/query-language.md. Parse is a pure function.
//
// Invariants: parsing never panics and takes time linear in the text; every
// syntax error says where, what was expected and what to write instead. Start reading at
// Parse, then value.go.
package filter

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/store"
)

const (
	// MaxFilterBytes bounds a filter's text.
	MaxFilterBytes = 16 << 10
	// maxDepth bounds how deeply a filter nests.
	maxDepth = 100
)

// SyntaxError says what is wrong with a filter. Position and Hint are what
// the API shows beside the message.
type SyntaxError struct {
	pos  int
	msg  string
	hint string
}

// Error is the message with its position.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("filter, position %d: %s", e.pos, e.msg)
}

// Position is the byte offset in the filter, from 0.
func (e *SyntaxError) Position() int { return e.pos }

// Hint says what to write instead; it may be "".
func (e *SyntaxError) Hint() string { return e.hint }

// Parse reads a filter. The empty text is nil, which matches everything. Errors
// are *SyntaxError.
func Parse(text string) (store.Expr, error) {
	if len(text) > MaxFilterBytes {
		return nil, &SyntaxError{
			pos: MaxFilterBytes, msg: fmt.Sprintf("the filter has %d bytes, at most %d are allowed", len(text), MaxFilterBytes),
			hint: "shorten it; a long list of values may become a /regex/",
		}
	}
	p := &parser{text: text}
	p.space()
	if p.end() {
		return nil, nil
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.end() {
		// or stops early only at a closing bracket.
		return nil, p.errorAt(p.pos, "unexpected )", "there is no ( before it; write \\) or quote it to search for a bracket")
	}
	return e, nil
}

// parser is a recursive descent over the text. Each method starts at a term's
// first byte and leaves pos after the term and the space behind it.
type parser struct {
	text  string
	pos   int
	depth int
	// field is set inside field:( … ), where terms are values of that field.
	field *fieldName
}

func (p *parser) end() bool { return p.pos >= len(p.text) }

func (p *parser) errorAt(pos int, msg, hint string) error {
	return &SyntaxError{pos: min(pos, len(p.text)), msg: msg, hint: hint}
}

func (p *parser) space() {
	for !p.end() {
		r, n := utf8.DecodeRuneInString(p.text[p.pos:])
		if !unicode.IsSpace(r) {
			return
		}
		p.pos += n
	}
}

// peek is the byte at pos, 0 at the end.
func (p *parser) peek() byte {
	if p.end() {
		return 0
	}
	return p.text[p.pos]
}

// boundary reports whether a term may end at pos: at space, ) or the end.
func (p *parser) boundary(pos int) bool {
	if pos >= len(p.text) || p.text[pos] == ')' {
		return true
	}
	r, _ := utf8.DecodeRuneInString(p.text[pos:])
	return unicode.IsSpace(r)
}

// keyword takes word if it stands at pos as a word of its own.
func (p *parser) keyword(word string) bool {
	after := p.pos + len(word)
	if !strings.HasPrefix(p.text[p.pos:], word) || !p.boundary(after) && p.text[after] != '(' {
		return false
	}
	p.pos = after
	p.space()
	return true
}

func (p *parser) or() (store.Expr, error) {
	if p.depth++; p.depth > maxDepth+1 { // the filter itself is no level
		return nil, p.errorAt(p.pos, fmt.Sprintf("more than %d levels of nesting", maxDepth), "remove brackets that are not needed")
	}
	defer func() { p.depth-- }()
	var parts []store.Expr
	for {
		e, err := p.and()
		if err != nil {
			return nil, err
		}
		if o, ok := e.(store.Or); ok {
			parts = append(parts, o.Exprs...)
		} else {
			parts = append(parts, e)
		}
		if !p.keyword("OR") {
			break
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return store.Or{Exprs: parts}, nil
}

func (p *parser) and() (store.Expr, error) {
	var parts []store.Expr
	explicit := false
	for {
		start := p.pos
		e, err := p.not()
		if err != nil {
			return nil, err
		}
		if err := p.checkValueList(parts, e, explicit, start); err != nil {
			return nil, err
		}
		if a, ok := e.(store.And); ok && len(a.Exprs) > 0 {
			parts = append(parts, a.Exprs...)
		} else {
			parts = append(parts, e)
		}
		if explicit = p.keyword("AND"); explicit {
			continue
		}
		if p.end() || p.peek() == ')' || p.atOr() {
			break
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return store.And{Exprs: parts}, nil
}

func (p *parser) atOr() bool {
	saved := p.pos
	ok := p.keyword("OR")
	p.pos = saved
	return ok
}

// checkValueList refuses field:(a b): no field has two values, so it would
// silently match nothing, where OR was most likely meant.
func (p *parser) checkValueList(before []store.Expr, e store.Expr, explicit bool, pos int) error {
	if p.field == nil || explicit || len(before) == 0 {
		return nil
	}
	if isEqual(before[len(before)-1]) && isEqual(e) {
		return p.errorAt(pos, "two values without an operator between them", "write OR between the values")
	}
	return nil
}

func isEqual(e store.Expr) bool {
	c, ok := e.(store.Compare)
	return ok && c.Op == store.OpEq
}

func (p *parser) not() (store.Expr, error) {
	negated := 0
	for p.negation() {
		if negated++; negated > maxDepth {
			return nil, p.errorAt(p.pos, "too many negations", "two negations cancel each other")
		}
	}
	e, err := p.primary()
	if err != nil {
		return nil, err
	}
	for range negated {
		e = store.Not{Expr: e}
	}
	return e, nil
}

// negation passes over one NOT or -, if that is what comes next.
func (p *parser) negation() bool {
	if p.keyword("NOT") {
		return true
	}
	if p.peek() != '-' || p.boundary(p.pos+1) || p.negativeNumber() {
		return false
	}
	p.pos++
	return true
}

// negativeNumber reports whether the - at pos begins a number among a field's
// values: in field:(-1 OR 1) it is a sign.
func (p *parser) negativeNumber() bool {
	return p.field != nil && p.pos+1 < len(p.text) && p.text[p.pos+1] >= '0' && p.text[p.pos+1] <= '9'
}

func (p *parser) primary() (store.Expr, error) {
	if p.end() {
		return nil, p.errorAt(p.pos, "expected a word, a \"phrase\" or field:value, but the filter ends here", "")
	}
	for _, word := range [...]string{"AND", "OR"} {
		if at := p.pos; p.keyword(word) {
			return nil, p.errorAt(at, "expected a word, a \"phrase\" or field:value before "+word, "quote it to search for the word: \""+word+"\"")
		}
	}
	switch p.peek() {
	case '(':
		return p.group()
	case ')':
		return nil, p.errorAt(p.pos, "expected a word, a \"phrase\" or field:value before )", "")
	}
	var e store.Expr
	var err error
	if p.field != nil {
		e, err = p.value(*p.field)
	} else {
		e, err = p.term()
	}
	if err != nil {
		return nil, err
	}
	if !p.boundary(p.pos) {
		return nil, p.glued()
	}
	p.space()
	return e, nil
}

// glued is the error for text that follows a term without a space.
func (p *parser) glued() error {
	switch p.peek() {
	case '(':
		return p.errorAt(p.pos, "unexpected ( inside a word", "quote text with brackets: \"f(x)\"; write a space before a ( that groups")
	case '"':
		return p.errorAt(p.pos, "unexpected \" inside a word", "quote the whole text, and write \\\" for a quotation mark in it")
	}
	return p.errorAt(p.pos, "expected a space after the term", "quote the whole text if it belongs together")
}

func (p *parser) group() (store.Expr, error) {
	open := p.pos
	p.pos++
	p.space()
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.peek() != ')' {
		return nil, p.errorAt(p.pos, fmt.Sprintf("expected ) for the ( at position %d", open), "add a ) at the end")
	}
	p.pos++
	if !p.boundary(p.pos) {
		return nil, p.errorAt(p.pos, "expected a space after )", "")
	}
	p.space()
	return e, nil
}

// term is a regular expression, a phrase, a word or a field with its value.
func (p *parser) term() (store.Expr, error) {
	start := p.pos
	if source, ok := p.regexSource(); ok {
		return p.regexp("", source, start)
	}
	if p.peek() == '"' {
		phrase, err := p.quoted()
		if err != nil {
			return nil, err
		}
		if p.peek() == ':' {
			p.pos++
			return p.fieldValue(phrase, start)
		}
		return p.text2expr(phrase, p.star(), start)
	}
	if name, ok := p.fieldPrefix(); ok {
		return p.fieldValue(name, start)
	}
	if r, _ := utf8.DecodeRuneInString(p.text[p.pos+1:]); p.peek() == '*' && store.IsLoneRune(r) {
		p.pos++ // *日志* is what 日志 is: each letter is a word, and any part of a run is found
	}
	w, err := p.bare()
	if err != nil {
		return nil, err
	}
	switch {
	case w.text == "" && w.star:
		return store.And{}, nil
	case w.escaped:
	case w.text == "&&" || w.text == "||":
		return nil, p.errorAt(start, w.text+" is no operator", "write "+map[string]string{"&&": "AND", "||": "OR"}[w.text])
	case strings.HasPrefix(w.text, "!"):
		return nil, p.errorAt(start, "! is no operator", "write -term or NOT term")
	}
	return p.text2expr(w.text, w.star, start)
}

func (p *parser) text2expr(phrase string, prefix bool, start int) (store.Expr, error) {
	if phrase == "" {
		return nil, p.errorAt(start, "empty text matches nothing", "remove it, or write * for everything")
	}
	return store.Text{Phrase: phrase, Prefix: prefix}, nil
}

// star takes a * that makes a quoted text a prefix.
func (p *parser) star() bool {
	if p.peek() == '*' && p.boundary(p.pos+1) {
		p.pos++
		return true
	}
	return false
}

// quoted takes a "quoted text", in which \" and \\ are escapes and any
// other backslash stands for itself.
func (p *parser) quoted() (string, error) {
	open := p.pos
	var b strings.Builder
	for i := p.pos + 1; i < len(p.text); i++ {
		c := p.text[i]
		if c == '"' {
			p.pos = i + 1
			return b.String(), nil
		}
		if c == '\\' && i+1 < len(p.text) && (p.text[i+1] == '"' || p.text[i+1] == '\\') {
			i++
			c = p.text[i]
		}
		b.WriteByte(c)
	}
	return "", p.errorAt(open, "this quotation mark has no end", "add a \" at the end, or write \\\" to search for one")
}

// bareText is a word or a value without quotes.
type bareText struct {
	text    string
	star    bool // ends with a * that was not escaped
	escaped bool // has an escape
}

// bare takes text up to space, a bracket or a quotation mark. A backslash before
// anything but a letter or a digit takes away that character's meaning.
func (p *parser) bare() (w bareText, err error) {
	var b strings.Builder
	for !p.end() {
		r, n := utf8.DecodeRuneInString(p.text[p.pos:])
		switch {
		case unicode.IsSpace(r) || r == '(' || r == ')' || r == '"':
			w.text = b.String()
			return w, nil
		case r == '\\':
			if esc, m := p.escape(); m > 0 {
				b.WriteString(esc)
				w.escaped = true
				p.pos += m
				continue
			}
		case r == '*':
			if !p.boundary(p.pos + 1) {
				return w, p.errorAt(p.pos, "* is allowed at the end of a word only", "use "+p.asRegexp()+", or write \\* to search for an asterisk")
			}
			w.star = true
			p.pos++
			w.text = b.String()
			return w, nil
		}
		b.WriteString(p.text[p.pos : p.pos+n])
		p.pos += n
	}
	w.text = b.String()
	return w, nil
}

// asRegexp is what to write for the word around the * at pos.
func (p *parser) asRegexp() string {
	ofWord := func(i int) bool { return p.text[i] == '*' || p.text[i] >= utf8.RuneSelf || plainWord(p.text[i:i+1]) }
	from, to := p.pos, p.pos
	for from > 0 && ofWord(from-1) {
		from--
	}
	for to < len(p.text) && ofWord(to) {
		to++
	}
	return "/" + strings.ReplaceAll(strings.Trim(p.text[from:to], "*"), "*", ".*") + "/"
}

// escape is the character that the backslash at pos escapes and the length of
// both; 0 when the backslash stands for itself.
func (p *parser) escape() (string, int) {
	rest := p.text[p.pos+1:]
	r, n := utf8.DecodeRuneInString(rest)
	if n == 0 || unicode.IsLetter(r) || unicode.IsDigit(r) || r == utf8.RuneError && n == 1 {
		return "", 0
	}
	return rest[:n], 1 + n
}

// plainWord reports whether s needs no quotes as a text.
func plainWord(s string) bool {
	for _, r := range s {
		if !store.IsWordRune(r) {
			return false
		}
	}
	return s != "" && !isKeyword(s)
}

func isKeyword(s string) bool { return s == "AND" || s == "OR" || s == "NOT" }

func printQuoted(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
}
