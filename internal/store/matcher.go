package store

import (
	"github.com/signalbox-project/signalbox/internal/model"
)

// Matcher evaluates an expression record by record: the definition of what an
// Expr means, which every engine's search must agree with. It is immutable and
// safe for concurrent use.
type Matcher struct{ root matchNode }

// NewMatcher prepares e; nil matches everything.
func NewMatcher(e Expr) *Matcher {
	if e == nil {
		return &Matcher{root: allNode{}}
	}
	return &Matcher{root: compile(e)}
}

// Log reports whether r matches. The tenant and the range of a query are not
// its concern.
func (m *Matcher) Log(r *model.LogRecord) bool { return m.root.match(logSubject{r}) }

// Span reports whether s matches.
func (m *Matcher) Span(s *model.Span) bool { return m.root.match(spanSubject{s}) }

// Match reports whether a record in any form matches.
func (m *Matcher) Match(s Subject) bool { return m.root.match(s) }

// Subject is a log record or a span as a Matcher looks at it; an engine may have one over
// its own columns.
type Subject interface {
	// Test applies the method of t that fits the kind of the field t.Field.
	Test(t *FieldTest) bool
	// AnyText reports whether one of the texts that Text searches passes.
	AnyText(match func(string) bool) bool
}

type matchNode interface{ match(s Subject) bool }

type (
	allNode  struct{}
	andNode  []matchNode
	orNode   []matchNode
	notNode  struct{ node matchNode }
	textNode struct{ m *TextMatcher }
	bodyNode struct{ pass func(seen string) bool }
	testNode struct{ t *FieldTest }
)

func compile(e Expr) matchNode {
	switch e := e.(type) {
	case And:
		return andNode(compileAll(e.Exprs))
	case Or:
		return orNode(compileAll(e.Exprs))
	case Not:
		return notNode{compile(e.Expr)}
	case Text:
		return textNode{NewTextMatcher(e)}
	case Regexp:
		if e.Field == "" {
			return bodyNode{e.Re.MatchString}
		}
	case Known:
		if pass := e.Body(); pass != nil {
			return bodyNode{pass}
		}
	}
	return testNode{NewFieldTest(e)}
}

func compileAll(exprs []Expr) []matchNode {
	nodes := make([]matchNode, len(exprs))
	for i, e := range exprs {
		nodes[i] = compile(e)
	}
	return nodes
}

func (allNode) match(Subject) bool { return true }

func (n andNode) match(s Subject) bool {
	for _, c := range n {
		if !c.match(s) {
			return false
		}
	}
	return true
}

func (n orNode) match(s Subject) bool {
	for _, c := range n {
		if c.match(s) {
			return true
		}
	}
	return false
}

func (n notNode) match(s Subject) bool  { return !n.node.match(s) }
func (n textNode) match(s Subject) bool { return s.AnyText(n.m.Match) }
func (n bodyNode) match(s Subject) bool {
	return s.AnyText(func(text string) bool { return n.pass(Visible(text)) })
}
func (n testNode) match(s Subject) bool { return s.Test(n.t) }

type logSubject struct{ r *model.LogRecord }

func (s logSubject) AnyText(match func(string) bool) bool { return match(s.r.Message) }

func (s logSubject) Test(t *FieldTest) bool {
	switch LogFieldKind(t.Field) {
	case FieldLevel:
		return t.Level(s.r.Level)
	case FieldTraceID:
		return t.TraceID(s.r.TraceID)
	case FieldSpanID:
		return t.SpanID(s.r.SpanID)
	case FieldTime:
		return t.Int(FieldTime, s.r.Time)
	case FieldText:
		return t.Text(LogField(s.r, t.Field))
	}
	return t.Values(AttrValues(s.r.Attrs, s.r.Resource.Attrs, t.Field))
}

type spanSubject struct{ s *model.Span }

func (s spanSubject) AnyText(match func(string) bool) bool {
	if match(s.s.Name) || match(s.s.StatusMessage) {
		return true
	}
	found := false
	EachInner(s.s.Events, s.s.Links, func(_ bool, key string, v model.Value) {
		text, ok := InnerText(key, v)
		found = found || ok && match(text)
	})
	return found
}

func (s spanSubject) Test(t *FieldTest) bool {
	switch SpanFieldKind(t.Field) {
	case FieldTraceID:
		return t.TraceID(s.s.TraceID)
	case FieldSpanID:
		if t.Field == "parent_id" {
			return t.SpanID(s.s.ParentID)
		}
		return t.SpanID(s.s.SpanID)
	case FieldTime:
		return t.Int(FieldTime, s.s.Start)
	case FieldDuration:
		return t.Int(FieldDuration, s.s.Duration)
	case FieldText:
		return t.Text(spanText(s.s, t.Field))
	}
	return t.Values(SpanAttrValues(s.s, t.Field))
}
