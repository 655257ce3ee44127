package filter

import (
	"strings"
	"unicode"

	"github.com/signalbox-project/signalbox/internal/store"
)

// String writes an expression in the filter language, so that Parse reads the
// same meaning back. nil is "".
func String(e store.Expr) string {
	if e == nil {
		return ""
	}
	var b strings.Builder
	print(&b, e, bindOr)
	return b.String()
}

// How tightly the surroundings bind; a looser expression goes in brackets.
type binding uint8

const (
	bindOr binding = iota
	bindAnd
	bindNot
)

func print(b *strings.Builder, e store.Expr, around binding) {
	switch e := e.(type) {
	case store.And:
		printList(b, e.Exprs, " ", "*", bindAnd, around)
	case store.Or:
		printList(b, e.Exprs, " OR ", "NOT *", bindOr, around)
	case store.Not:
		b.WriteString("NOT ")
		print(b, e.Expr, bindNot)
	case store.Text:
		printText(b, e)
	case store.Compare:
		printField(b, e.Field)
		printCompare(b, e)
	case store.Exists:
		printField(b, e.Field)
		b.WriteByte('*')
	case store.Regexp:
		if e.Field != "" {
			printField(b, e.Field)
		}
		printRegexp(b, e.Re.String())
	}
}

func printList(b *strings.Builder, list []store.Expr, sep, none string, own, around binding) {
	switch {
	case len(list) == 0:
		b.WriteString(none)
		return
	case len(list) == 1:
		print(b, list[0], around)
		return
	}
	if own < around {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	for i, e := range list {
		if i > 0 {
			b.WriteString(sep)
		}
		print(b, e, own+1)
	}
}

func printText(b *strings.Builder, t store.Text) {
	if plainWord(t.Phrase) {
		b.WriteString(t.Phrase)
	} else {
		printQuoted(b, t.Phrase)
	}
	if t.Prefix {
		b.WriteByte('*')
	}
}

func printField(b *strings.Builder, name string) {
	if plainField(name) {
		b.WriteString(name)
	} else {
		printQuoted(b, name)
	}
	b.WriteByte(':')
}

func plainField(name string) bool {
	for i, r := range name {
		if i == 0 && !unicode.IsLetter(r) && r != '_' && r != '@' {
			return false
		}
		if !store.IsWordRune(r) && !strings.ContainsRune("._-/@", r) {
			return false
		}
	}
	return name != ""
}

func printCompare(b *strings.Builder, c store.Compare) {
	b.WriteString([...]string{
		store.OpEq: "", store.OpNe: "!=", store.OpGt: ">", store.OpGe: ">=", store.OpLt: "<", store.OpLe: "<=",
	}[c.Op])
	_, looksNumeric := store.ParseNumber(c.Value)
	switch {
	case c.IsNum && looksNumeric, plainValue(c.Value) && !looksNumeric:
		b.WriteString(c.Value)
	default:
		printQuoted(b, c.Value)
	}
	if c.Prefix {
		b.WriteByte('*')
	}
}

// plainValue reports whether s needs no quotes as a value.
func plainValue(s string) bool {
	for i, r := range s {
		if !store.IsWordRune(r) && (i == 0 || !strings.ContainsRune("._-/@:+%", r)) {
			return false
		}
	}
	return s != "" && !isKeyword(s)
}

func printRegexp(b *strings.Builder, source string) {
	// A source with spaces that ends like the beginning of another value would be
	// read as a path; see regexSource.
	if strings.ContainsAny(source, " \t\n") && strings.ContainsAny(source[len(source)-1:], " \t\n:(-") {
		source = strings.NewReplacer(" ", `\x20`, "\t", `\t`, "\n", `\n`).Replace(source)
	}
	b.WriteByte('/')
	for i := 0; i < len(source); i++ {
		switch {
		case source[i] == '\\' && i+1 < len(source):
			b.WriteByte('\\')
			i++
		case source[i] == '/':
			b.WriteByte('\\')
		}
		b.WriteByte(source[i])
	}
	b.WriteByte('/')
}
