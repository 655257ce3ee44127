package store

import "regexp"

// Expr is a filter over log records or spans, the outcome of parsing the
// filter language (store/filter). The set of node types is closed.
//
// Field names are those of a log record (timestamp, level, service, namespace, env, region,
// version, instance, tenant, trace_id, span_id, request_id, message) or of a
// span (name, kind, status, status_message, duration, parent_id, scope and the
// identity fields above). Any other name is an attribute's key: the record's own first, then the
// resource's. A field that is absent matches nothing, so Not{Compare{…}} matches it.
// "message" on spans is the span's name.
type Expr interface{ expr() }

// And holds when all of its parts hold; empty holds always.
type And struct{ Exprs []Expr }

// Or holds when one of its parts holds; empty never holds.
type Or struct{ Exprs []Expr }

// Not negates.
type Not struct{ Expr Expr }

// Text is a word or a phrase in a log's message or in a span's name or status
// message. Matching is by whole words (runs of letters, digits and _ as Unicode knows them; each
// letter alone in scripts without spaces, see IsLoneRune), case-insensitive, in the text as it is
// seen (Visible), words of a phrase adjacent and in order with whatever stands between
// them in the pattern. A trailing * on a single word makes it a prefix match (Prefix).
type Text struct {
	Phrase string
	Prefix bool
}

// Compare compares a field. Values compare as numbers where Num is set and the
// field reads as one, otherwise as text: equality is case-sensitive and exact, and a
// trailing * in the source is Prefix. Text that reads as a number is ordered as one but equal
// only to the same text: version 1.10 is not 1.1. Matcher is the exact definition.
type Compare struct {
	Field  string
	Op     Op
	Value  string  // as written, without quotes
	Num    float64 // the value as a number, durations in ns
	IsNum  bool
	Prefix bool
}

// Op is a comparison.
type Op uint8

// The comparisons.
const (
	OpEq Op = iota
	OpNe
	OpGt
	OpGe
	OpLt
	OpLe
)

// Exists holds when the field is present and not empty (field:*).
type Exists struct{ Field string }

// Regexp matches RE2 syntax anywhere in a field; Field "" means the text that Text searches, as it
// is seen. A field is searched as it is stored, escape sequences included.
type Regexp struct {
	Field string
	Re    *regexp.Regexp
}

// Known holds where Expr, a Compare or a Regexp, does of values that are Sure; of all others it is Else. Who asks knows of those
// that are sure alone what they are, as the others are shown otherwise than they are kept.
type Known struct {
	Expr Expr
	Sure func(text string) bool
	Else bool
}

// Body is what it asks of a text as it is seen, where it is about the texts that Text searches; nil where it is about a field.
func (k Known) Body() func(seen string) bool {
	re, ok := k.Expr.(Regexp)
	if !ok || re.Field != "" {
		return nil
	}
	return func(seen string) bool {
		if re.Re.MatchString(seen) == k.Else {
			return k.Else
		}
		return k.Else != k.Sure(seen)
	}
}

func (Known) expr()   {}
func (And) expr()     {}
func (Or) expr()      {}
func (Not) expr()     {}
func (Text) expr()    {}
func (Compare) expr() {}
func (Exists) expr()  {}
func (Regexp) expr()  {}
