package match

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// Query is what is asked of every part and head.
type Query struct {
	Signal  part.Signal
	Tenant  string
	Range   store.Range
	Expr    store.Expr
	plan    plan
	Matcher *store.Matcher // for heads
	// wants, if set, says by a row's time whether the collector may still keep it; the
	// answer turns from true to false only.
	wants func(t int64) bool
}

// New prepares a question.
func New(signal part.Signal, tenant string, rng store.Range, expr store.Expr) *Query {
	q := &Query{Signal: signal, Tenant: tenant, Range: rng, Expr: expr, Matcher: store.NewMatcher(expr)}
	q.plan = q.compile(expr)
	return q
}

// Within is the same question about another range.
func (q *Query) Within(rng store.Range) *Query {
	one := *q
	one.Range = rng
	return &one
}

// Wanting is the same question by a collector that may want no more rows: wants says by a row's
// time whether it may still be kept, and its answer turns from true to false only.
func (q *Query) Wanting(wants func(t int64) bool) *Query {
	one := *q
	one.wants = wants
	return &one
}

// All asks for all rows of the tenant at any time.
func (q *Query) All() *Query { return New(q.Signal, q.Tenant, store.Range{}, nil) }

// OfTraces asks for the spans of some traces in parts; of heads it asks for all.
func (q *Query) OfTraces(ids map[model.TraceID]bool) *Query {
	one := q.All()
	one.plan = tracePlan(ids)
	return one
}

// plan is an expression prepared once per query.
type plan interface {
	// bind prepares it for one part.
	bind(t *Table) (node, error)
}

func (q *Query) compile(e store.Expr) plan {
	switch e := e.(type) {
	case nil:
		return everything{}
	case store.And:
		return allPlan(q.compileAll(e.Exprs))
	case store.Or:
		return anyPlan(q.compileAll(e.Exprs))
	case store.Not:
		return notPlan{q.compile(e.Expr)}
	case store.Text:
		if e.Phrase == "" {
			return everything{}
		}
		return &textPlan{m: store.NewTextMatcher(e), hashes: wordHashes(store.Visible(e.Phrase), true, !e.Prefix)}
	case store.Regexp:
		if e.Field == "" {
			return newRegexpPlan(e.Re)
		}
	case store.Known:
		if pass := e.Body(); pass != nil {
			return &regexpPlan{pass: pass}
		}
	}
	test := store.NewFieldTest(e)
	return newTestPlan(q.Signal, test)
}

func (q *Query) compileAll(list []store.Expr) []plan {
	out := make([]plan, len(list))
	for i, e := range list {
		out[i] = q.compile(e)
	}
	return out
}

type (
	everything struct{}
	allPlan    []plan
	anyPlan    []plan
	notPlan    struct{ plan plan }
)

func (everything) bind(*Table) (node, error) { return every, nil }

func (p allPlan) bind(t *Table) (node, error) {
	list, err := bindList(t, p, none)
	return all(list), err
}

func (p anyPlan) bind(t *Table) (node, error) {
	list, err := bindList(t, p, every)
	return anyOf(list), err
}

// bindList binds up to the first that decides.
func bindList(t *Table, list []plan, decides constNode) ([]node, error) {
	out := make([]node, 0, len(list))
	for _, p := range list {
		n, err := p.bind(t)
		if err != nil {
			return nil, err
		}
		if out = append(out, n); n == node(decides) {
			break
		}
	}
	return out, nil
}

func (p notPlan) bind(t *Table) (node, error) {
	n, err := p.plan.bind(t)
	if err != nil {
		return nil, err
	}
	return not(n), nil
}

// textColumns are the columns that words and phrases are searched in.
func textColumns(signal part.Signal) []string {
	if signal == part.Logs {
		return []string{part.ColMessage}
	}
	return []string{part.ColName, part.ColStatusMessage}
}

// textPlan searches words or a phrase.
type textPlan struct {
	m      *store.TextMatcher
	hashes []uint64
}

func (p *textPlan) bind(t *Table) (node, error) {
	n, err := t.bindTextColumns(p.hashes, func(c *Column) node { return searchText(c, p.m, t.Escapes) })
	if err != nil || n == every {
		return n, err
	}
	inner, err := t.bindInnerText(p.hashes, p.m.Match, costInner)
	return anyOf([]node{n, inner}), err
}

// bindTextColumns joins a condition over all text columns and narrows it to the
// blocks that hold the words.
func (t *Table) bindTextColumns(hashes []uint64, cond func(c *Column) node) (node, error) {
	var list []node
	for _, name := range textColumns(t.Signal) {
		c, err := t.Need(name)
		if err != nil {
			return nil, err
		}
		list = append(list, cond(c))
	}
	n := anyOf(list)
	if _, decided := n.(constNode); decided || len(hashes) == 0 {
		return n, nil
	}
	return narrow(n, t.withWords(hashes)), nil
}

// withWords are the blocks that may hold all of the words; nil means any.
func (t *Table) withWords(hashes []uint64) []bool {
	if len(hashes) == 0 || !t.KnowsWords() {
		return nil
	}
	return t.Candidates(hashes...)
}

// wordHashes are the filter hashes of the whole words of text, which has no escape sequences. A word
// at the text's start or end counts if that is known to be a word's start or end.
func wordHashes(text string, startsWord, endsWord bool) (hashes []uint64) {
	store.Words(text, func(h uint64, start, end int) bool {
		r, _ := utf8.DecodeRuneInString(text[start:])
		if store.IsLoneRune(r) || (start > 0 || startsWord) && (end < len(text) || endsWord) {
			hashes = append(hashes, h)
		}
		return true
	})
	return hashes
}

// regexpPlan searches a regular expression.
type regexpPlan struct {
	pass   func(seen string) bool
	find   finder // nil: no text is known that every match holds
	hashes []uint64
}

func newRegexpPlan(re *regexp.Regexp) *regexpPlan {
	p := &regexpPlan{pass: re.MatchString}
	p.find, p.hashes = requiredText(re)
	return p
}

func (p *regexpPlan) bind(t *Table) (node, error) {
	pass := func(s string) bool { return p.pass(store.Visible(s)) }
	n, err := t.bindTextColumns(p.hashes, func(c *Column) node { return p.column(c, pass, t.Escapes) })
	if err != nil || n == every {
		return n, err
	}
	inner, err := t.bindInnerText(p.hashes, pass, costInner+costRegex)
	return anyOf([]node{n, inner}), err
}

// column searches the texts of a column for which pass holds. asSeen says that pass looks at
// what is seen of them, which may differ from what is stored.
func (p *regexpPlan) column(c *Column, pass func(string) bool, asSeen bool) node {
	switch {
	case c.dict != nil:
		return bindCodes(c, func(i int) bool { return pass(c.dict.textAt(i)) })
	case p.find == nil:
		return &textNode{col: c, pass: pass}
	}
	return &searchNode{
		col: c, find: p.find, whole: true, asSeen: asSeen, price: costRegex,
		accept: func(s string, _, _ int) bool { return pass(s) },
	}
}

// testPlan tests one field.
type testPlan struct {
	test *store.FieldTest
	kind store.FieldKind
	col  string
	// forms are the texts of which a passing value has one, where they are known: what
	// block filters can be asked for.
	forms  []string
	regexp *regexpPlan // the test's, for the message
}

func newTestPlan(signal part.Signal, test *store.FieldTest) *testPlan {
	p := &testPlan{
		test: test, kind: fieldKind(signal, test.Field),
		col: columnOf(signal, test.Field), forms: equalForms(test),
	}
	if re := test.Regexp(); re != nil {
		p.regexp = newRegexpPlan(re)
	}
	return p
}

// exactDigits is how many digits of a number a float keeps.
const exactDigits = 15

// equalForms are the text forms of the values that an equality accepts; nil if
// it is none or there may be others.
func equalForms(t *store.FieldTest) []string {
	c, ok := t.Compare()
	if !ok || c.Op != store.OpEq || c.Prefix {
		return nil
	}
	forms := []string{c.Value}
	if !c.IsNum {
		return forms
	}
	add := func(s string) {
		if !slices.Contains(forms, s) {
			forms = append(forms, s)
		}
	}
	if c.Num == 0 {
		add("0")
		add("-0")
		return forms
	}
	whole, err := strconv.ParseInt(c.Value, 10, 64)
	switch {
	case len(c.Value) > exactDigits && err != nil:
		return nil // numbers that are equal to the digit may be written in many ways
	case err == nil:
		add(strconv.FormatInt(whole, 10))
	case math.Abs(c.Num) >= 1<<53:
		return nil // several integers round to it
	case c.Num == math.Trunc(c.Num):
		add(strconv.FormatInt(int64(c.Num), 10))
	}
	add(model.FloatValue(c.Num).String())
	return forms
}

func (p *testPlan) bind(t *Table) (node, error) {
	switch p.kind {
	case store.FieldText:
		return p.bindText(t)
	case store.FieldLevel:
		return t.bindText(p.col, func(s string) bool { return p.test.Level(LevelOf(s)) })
	case store.FieldTraceID:
		return p.bindTrace(t)
	case store.FieldSpanID:
		return t.bindFixed(p.col, 8, func(id []byte) bool { return p.test.SpanID(model.SpanID(id)) })
	case store.FieldTime, store.FieldDuration:
		c, err := t.Need(p.col)
		if err != nil {
			return nil, err
		}
		return &intNode{col: c, pass: func(v int64) bool { return p.test.Int(p.kind, v) }}, nil
	}
	return p.bindAttr(t)
}

func (p *testPlan) bindText(t *Table) (node, error) {
	if p.col == part.ColService {
		// The metadata often knows without opening the file.
		if v, ok := p.test.EqualText(); ok && !slices.Contains(t.Services, v) {
			return none, nil
		}
	}
	c, err := t.Need(p.col)
	if err != nil {
		return nil, err
	}
	if p.regexp != nil && c.dict == nil {
		n := p.regexp.column(c, p.test.Text, false)
		// The filters know the words that are seen, the test looks at what is stored.
		if slices.Contains(textColumns(t.Signal), p.col) && !t.Escapes {
			n = narrow(n, t.withWords(p.regexp.hashes))
		}
		return n, nil
	}
	n, err := t.bindText(p.col, p.test.Text)
	if err != nil || n == none || c.dict != nil {
		return n, err
	}
	return narrow(n, p.blocks(t)), nil
}

// blocks are those that may hold a passing value of a column without dictionary.
func (p *testPlan) blocks(t *Table) []bool {
	if c, ok := p.test.Compare(); ok && c.Op == store.OpEq && slices.Contains(textColumns(t.Signal), p.col) {
		if c.Prefix && store.HasEscapes(c.Value) {
			return nil // it may end within a sequence
		}
		if hashes := wordHashes(c.Value, true, !c.Prefix); len(hashes) > 0 {
			return t.withWords(hashes)
		}
	}
	if text, ok := p.test.EqualText(); ok && t.IsHashed(p.col) {
		return t.Candidates(part.FieldHash(p.col, text))
	}
	return nil
}

func (p *testPlan) bindTrace(t *Table) (node, error) {
	id, equal := p.test.EqualTraceID()
	if equal && !t.MayHaveTrace(id) {
		return none, nil
	}
	n, err := t.bindFixed(p.col, 16, func(b []byte) bool { return p.test.TraceID(model.TraceID(b)) })
	if err != nil || !equal || !t.IsHashed(p.col) {
		return n, err
	}
	return narrow(n, t.Candidates(part.FieldHash(p.col, id.String()))), nil
}

// bindFixed tests a column of ids of size bytes.
func (t *Table) bindFixed(name string, size int, pass func([]byte) bool) (node, error) {
	c, err := t.Need(name)
	if err != nil {
		return nil, err
	}
	if c.dict != nil {
		if c.dict.size != size && c.dict.n > 0 {
			return nil, errShape
		}
		return bindCodes(c, func(i int) bool { return pass(c.dict.fixedAt(i)) }), nil
	}
	return &fixedNode{col: c, pass: pass}, nil
}

// tracePlan selects the spans of some traces.
type tracePlan map[model.TraceID]bool

func (p tracePlan) bind(t *Table) (node, error) {
	n, err := t.bindFixed(part.ColTraceID, 16, func(id []byte) bool { return p[model.TraceID(id)] })
	if err != nil || !t.IsHashed(part.ColTraceID) {
		return n, err
	}
	var forms []string
	for id := range p {
		forms = append(forms, id.String())
	}
	return narrow(n, t.anyCandidates(part.ColTraceID, forms)), nil
}
