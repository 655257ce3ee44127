package mask

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/mask/pattern"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Refusal is the error of a question for a field that is masked as a whole.
type Refusal struct {
	Field string
	Rule  string
	Needs access.Permission
}

// Error names the field and what lifts the rule; never a value.
func (e *Refusal) Error() string {
	return fmt.Sprintf("the field %s is masked for you by the rule %s: it cannot be searched, counted or sorted by without the permission %s", e.Field, e.Rule, e.Needs)
}

// BadRequest marks the error as the caller's fault.
func (e *Refusal) BadRequest() {}

// Filter is how an engine is asked what a caller may not know.
type Filter struct {
	// Expr is what the engine is asked: it finds at least what the caller's filter finds of the records as they are shown.
	Expr store.Expr
	// Exact says that it finds just that. Otherwise what it finds must be shown, and then matched with the caller's filter.
	Exact bool
	// Sure finds only what the caller's filter finds of the records as they are shown, and of those all whose values are shown as
	// they are: what Expr finds beside it must be matched, it need not be.
	Sure store.Expr
	// Blind is Expr without all that depends on what is masked: what it finds is more, but tells nothing.
	Blind store.Expr
}

// Kind is a kind of record.
type Kind uint8

// The kinds of record.
const (
	Logs Kind = iota
	Spans
)

// Filter prepares a filter; it refuses one that asks for a field that is masked as a whole.
func (v *View) Filter(kind Kind, e store.Expr) (Filter, error) {
	if v == nil || e == nil {
		return Filter{Expr: e, Exact: true, Sure: e, Blind: e}, nil
	}
	if err := v.refused(kind, e); err != nil {
		return Filter{}, err
	}
	r := relaxing{set: v.all, kind: kind}
	out, exact := r.relax(e, true)
	if exact {
		return Filter{Expr: e, Exact: true, Sure: e, Blind: e}, nil
	}
	certain, _ := r.relax(e, false)
	r.blind = true
	blind, _ := r.relax(e, true)
	return Filter{Expr: out, Sure: certain, Blind: blind}, nil
}

func (v *View) refused(kind Kind, e store.Expr) error {
	var parts []store.Expr
	switch e := e.(type) {
	case store.And:
		parts = e.Exprs
	case store.Or:
		parts = e.Exprs
	case store.Not:
		parts = []store.Expr{e.Expr}
	case store.Compare:
		return v.Refuse(kind, e.Field)
	case store.Exists:
		return v.Refuse(kind, e.Field)
	case store.Regexp:
		if e.Field != "" {
			return v.Refuse(kind, e.Field)
		}
		return v.Refuse(kind, "message")
	case store.Text:
		return v.Refuse(kind, "message")
	}
	for _, p := range parts {
		if err := v.refused(kind, p); err != nil {
			return err
		}
	}
	return nil
}

// Refuse says that a field is masked as a whole, if it is.
func (v *View) Refuse(kind Kind, field string) error {
	if v == nil || field == "" {
		return nil
	}
	for _, about := range v.all.about(kind, field) {
		if about.whole != nil {
			return &Refusal{Field: field, Rule: about.whole.Name, Needs: about.whole.LiftedBy}
		}
	}
	return nil
}

// Plain reports whether a field is shown as it is, whatever it holds.
func (v *View) Plain(kind Kind, field string) bool {
	return v == nil || len(v.all.about(kind, field)) == 0
}

// about is what rules do to what a filter means by a field; nothing where no rule can concern it.
func (s *set) about(kind Kind, field string) []verdict {
	field = store.CanonicalField(field)
	kindOf := store.LogFieldKind
	if kind == Spans {
		kindOf = store.SpanFieldKind
	}
	if kindOf(field) != store.FieldAttr {
		if kind == Spans && field == "message" {
			field = "name"
		}
		own, ok := s.own[field]
		if !ok || own.whole == nil && len(own.within) == 0 && !own.below {
			return nil
		}
		return []verdict{own}
	}
	key := store.AttrKey(field)
	out := []verdict{s.attr(key)}
	for _, link := range []bool{false, true} {
		if rest, ok := strings.CutPrefix(key, store.InnerPrefix(link)); ok && kind == Spans && rest != "" {
			out = append(out, s.attr(rest))
		}
	}
	return out
}

// relaxing makes of a filter over what is shown one over what is there.
type relaxing struct {
	set   *set
	kind  Kind
	blind bool
}

// relax answers a filter that holds of all for which e holds as it is shown or, without super, of no other; exact where it is both.
func (r relaxing) relax(e store.Expr, super bool) (_ store.Expr, exact bool) {
	switch e := e.(type) {
	case store.And:
		list, exact := r.all(e.Exprs, super)
		return store.And{Exprs: list}, exact
	case store.Or:
		list, exact := r.all(e.Exprs, super)
		return store.Or{Exprs: list}, exact
	case store.Not:
		inner, exact := r.relax(e.Expr, !super)
		return store.Not{Expr: inner}, exact
	case store.Text:
		return r.outcome(r.text(e), no, super)
	case store.Regexp:
		if e.Field == "" && r.kind == Spans { // some of whose texts may be masked as a whole
			return r.outcome(nil, no, super)
		}
		if e.Field == "" {
			return r.outcome(e, no, super)
		}
	}
	return r.outcome(e, r.test(e), super)
}

func (r relaxing) all(list []store.Expr, super bool) (out []store.Expr, exact bool) {
	exact = true
	for _, e := range list {
		one, ok := r.relax(e, super)
		out, exact = append(out, one), exact && ok
	}
	return out, exact
}

// sameness says what a test of what is there tells of what is shown.
type sameness uint8

const (
	no    sameness = iota // nothing; of words, which are another test already, as much as holds
	holds                 // it holds wherever the test holds of what is shown
	same                  // the same
)

func (r relaxing) outcome(e store.Expr, is sameness, super bool) (store.Expr, bool) {
	switch {
	case is == same:
		return e, true
	case e == nil || r.blind || !super && isText(e):
		if super {
			return store.And{}, false
		}
		return store.Or{}, false
	case !super || is == no && !isText(e):
		return store.Known{Expr: e, Sure: r.set.sure, Else: super}, false
	}
	return e, false
}

// sure reports whether a text is shown as it is, whatever its field: all others may be anything. Which they are depends on
// what is masked no more than that something is.
func (s *set) sure(text string) bool {
	if pattern.LooksJSON(text) {
		return false
	}
	seen := store.Visible(text)
	for _, r := range s.rules {
		for _, p := range r.patterns {
			if len(p.Find(seen)) > 0 {
				return false
			}
		}
	}
	return true
}

func isText(e store.Expr) bool {
	switch e.(type) {
	case store.Text, store.And:
		return true
	}
	return false
}

// text is the words of a text that the rules do not write themselves; nil for none.
func (r relaxing) text(t store.Text) store.Expr {
	phrase := store.Visible(t.Phrase)
	words := strings.FieldsFunc(phrase, func(c rune) bool { return !store.IsWordRune(c) })
	var kept []store.Expr
	for i, w := range words {
		prefix := t.Prefix && i == len(words)-1
		if strings.ContainsFunc(w, store.IsLoneRune) || r.says(strings.ToLower(w), prefix) {
			continue
		}
		kept = append(kept, store.Text{Phrase: w, Prefix: prefix})
	}
	if len(kept) == 0 {
		return nil
	}
	return store.And{Exprs: kept}
}

func (r relaxing) says(word string, prefix bool) bool {
	for _, one := range r.set.rules {
		if one.says(word, prefix) {
			return true
		}
	}
	return false
}

// test is what a test of one field tells.
func (r relaxing) test(e store.Expr) sameness {
	out := same
	for _, about := range r.set.about(r.kind, fieldOf(e)) {
		out = min(out, r.one(e, about))
	}
	return out
}

func fieldOf(e store.Expr) string {
	switch e := e.(type) {
	case store.Compare:
		return e.Field
	case store.Exists:
		return e.Field
	case store.Regexp:
		return e.Field
	}
	return ""
}

// one is what a test tells of a field of which this much is known.
func (r relaxing) one(e store.Expr, about verdict) sameness {
	c, ok := e.(store.Compare)
	if !ok {
		if _, exists := e.(store.Exists); exists {
			return same
		}
		return no
	}
	// What is replaced, or holds something that is, begins as a text in brackets does, or holds a mark.
	bracketed := c.Value == "" || strings.ContainsAny(c.Value, "[{\"") || c.Value[0] <= ' ' || c.Value[0] >= utf8.RuneSelf
	switch {
	case bracketed:
		return no
	case len(about.within) == 0 && (c.Prefix || c.Op != store.OpEq && c.Op != store.OpNe):
		return same // what is masked lies within brackets, before and after, and those order and begin alike
	case c.Prefix || c.Op != store.OpEq && c.Op != store.OpNe:
		return no
	case len(hits(about.within, store.Visible(c.Value))) > 0 || c.IsNum && len(about.within) > 0:
		if c.Op == store.OpEq {
			return holds
		}
		return no
	}
	return same
}
