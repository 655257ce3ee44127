package store

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

// FieldKind says how a field's values are stored and compared.
type FieldKind uint8

// The kinds of field.
const (
	FieldAttr     FieldKind = iota // an attribute: any model.Value
	FieldText                      // text: equality is exact
	FieldLevel                     // a model.Level: ordered by severity
	FieldTraceID                   // a model.TraceID, compared by its hex form
	FieldSpanID                    // a model.SpanID, compared by its hex form
	FieldTime                      // Unix ns
	FieldDuration                  // ns
)

// LogFieldNames are the fields of a log record that are no attributes, in the order in which
// they are listed.
func LogFieldNames() []string {
	return []string{
		"timestamp", "level", "service", "namespace", "env", "region", "version", "instance",
		"tenant", "trace_id", "span_id", "request_id", "message",
	}
}

// SpanFieldNames are the fields of a span that are no attributes.
func SpanFieldNames() []string {
	return []string{
		"timestamp", "service", "name", "kind", "status", "status_message", "duration",
		"namespace", "env", "region", "version", "instance", "tenant", "scope",
		"trace_id", "span_id", "parent_id", "message",
	}
}

// LogFieldKind is the kind of a log record's field.
func LogFieldKind(field string) FieldKind {
	switch field {
	case "service", "namespace", "env", "region", "version", "instance", "tenant",
		"request_id", "message":
		return FieldText
	case "level":
		return FieldLevel
	case "trace_id":
		return FieldTraceID
	case "span_id":
		return FieldSpanID
	case "timestamp":
		return FieldTime
	}
	return FieldAttr
}

// SpanFieldKind is the kind of a span's field.
func SpanFieldKind(field string) FieldKind {
	switch field {
	case "service", "namespace", "env", "region", "version", "instance", "tenant",
		"name", "message", "kind", "status", "status_message", "scope":
		return FieldText
	case "trace_id":
		return FieldTraceID
	case "span_id", "parent_id":
		return FieldSpanID
	case "timestamp":
		return FieldTime
	case "duration":
		return FieldDuration
	}
	return FieldAttr
}

// ResourceField is the text of an identity field; "" when it is absent or
// field is none.
func ResourceField(res *model.Resource, field string) string {
	switch field {
	case "service":
		return res.Service
	case "namespace":
		return res.Namespace
	case "env":
		return res.Env
	case "region":
		return res.Region
	case "version":
		return res.Version
	case "instance":
		return res.Instance
	case "tenant":
		return res.Tenant
	}
	return ""
}

func emptyValue(v model.Value) bool {
	switch v.Kind() {
	case model.KindEmpty:
		return true
	case model.KindString, model.KindJSON:
		return v.Str() == ""
	}
	return false
}

// LogField is a log record's field as text, as tables and value counts show it; "" when absent.
func LogField(r *model.LogRecord, field string) string {
	switch LogFieldKind(field) {
	case FieldLevel:
		return r.Level.String()
	case FieldTraceID:
		return r.TraceID.String()
	case FieldSpanID:
		return r.SpanID.String()
	case FieldTime:
		return TimeText(r.Time)
	case FieldText:
		switch field {
		case "request_id":
			return r.RequestID
		case "message":
			return r.Message
		}
		return ResourceField(r.Resource, field)
	}
	return firstText(AttrValues(r.Attrs, r.Resource.Attrs, field))
}

// firstText is the first of an attribute's values as text; "" when there is none.
func firstText(list []model.Value) string {
	if len(list) == 0 {
		return ""
	}
	return list[0].String()
}

// SpanField is a span's field as text; "" when absent.
func SpanField(s *model.Span, field string) string {
	switch SpanFieldKind(field) {
	case FieldTraceID:
		return s.TraceID.String()
	case FieldSpanID:
		if field == "parent_id" {
			return s.ParentID.String()
		}
		return s.SpanID.String()
	case FieldTime:
		return TimeText(s.Start)
	case FieldDuration:
		return strconv.FormatInt(s.Duration, 10)
	case FieldText:
		return spanText(s, field)
	}
	return firstText(SpanAttrValues(s, field))
}

func spanText(s *model.Span, field string) string {
	switch field {
	case "name", "message":
		return s.Name
	case "kind":
		return s.Kind.String()
	case "status":
		return s.Status.String()
	case "status_message":
		return s.StatusMessage
	case "scope":
		return s.Scope
	}
	return ResourceField(s.Resource, field)
}

// TimeText is a time of Unix ns as filters and tables write it.
func TimeText(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// FieldTest is a Compare, an Exists or a Regexp over one field, prepared for
// many values. It is immutable. Each method tests the value of one kind of field; an
// absent value (the zero id, the empty text) fails every test.
type FieldTest struct {
	Field string

	exists  bool
	re      *regexp.Regexp
	cmp     Compare
	level   model.Level
	isLevel bool
	traceID model.TraceID
	spanID  model.SpanID
	isID    bool
	whole   int64 // the value as an integer, exactly
	isWhole bool
	known   *Known // nil where all values are sure
	isExact bool   // the value is a number of more digits than a float keeps
	time    int64
	isTime  bool
}

// NewFieldTest prepares e, which MUST be a Compare, an Exists, or a Regexp with a field, or a Known of one.
func NewFieldTest(e Expr) *FieldTest {
	switch e := e.(type) {
	case Known:
		t := NewFieldTest(e.Expr)
		t.known = &e
		return t
	case Exists:
		return &FieldTest{Field: e.Field, exists: true}
	case Regexp:
		return &FieldTest{Field: e.Field, re: e.Re}
	case Compare:
		t := &FieldTest{Field: e.Field, cmp: e}
		t.prepare()
		return t
	}
	return &FieldTest{}
}

func (t *FieldTest) prepare() {
	v := t.cmp.Value
	t.level, t.isLevel = model.ParseLevel(v)
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		t.whole, t.isWhole = n, t.cmp.IsNum
		t.time, t.isTime = n, true
	}
	_, plain := model.CompareNumbers(v, "0")
	t.isExact = t.cmp.IsNum && plain && len(v) > exactDigits
	if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
		t.time, t.isTime = at.UnixNano(), true
	}
	var errTrace, errSpan error
	switch {
	case v == "":
		return
	case t.Field == "trace_id":
		t.traceID, errTrace = model.ParseTraceID(v)
		t.isID = errTrace == nil
	case t.Field == "span_id" || t.Field == "parent_id":
		t.spanID, errSpan = model.ParseSpanID(v)
		t.isID = errSpan == nil
	}
	if t.cmp.Prefix && (t.Field == "trace_id" || t.Field == "span_id" || t.Field == "parent_id") {
		t.cmp.Value = strings.ToLower(v)
	}
}

// EqualText is the only text that passes, if there is exactly one such text.
func (t *FieldTest) EqualText() (string, bool) {
	return t.cmp.Value, t.plain() && t.cmp.Op == OpEq && !t.cmp.Prefix
}

// EqualTraceID is the only trace id that passes, if there is exactly one.
func (t *FieldTest) EqualTraceID() (model.TraceID, bool) {
	return t.traceID, t.isEqualID()
}

func (t *FieldTest) isEqualID() bool {
	return t.isID && t.plain() && t.cmp.Op == OpEq && !t.cmp.Prefix
}

// Compare is the comparison that the test makes, if it is one.
func (t *FieldTest) Compare() (Compare, bool) {
	return t.cmp, t.plain()
}

// plain reports whether the test is a comparison, and all that passes does by that.
func (t *FieldTest) plain() bool { return !t.exists && t.re == nil && t.known == nil }

// Regexp is the expression that the test searches for; nil if it is no such test.
func (t *FieldTest) Regexp() *regexp.Regexp {
	if t.known != nil {
		return nil
	}
	return t.re
}

// Text tests a field of kind FieldText.
func (t *FieldTest) Text(s string) bool {
	switch {
	case s == "":
		return false
	case t.exists:
		return true
	case t.known != nil && !t.known.Sure(s):
		return t.known.Else
	case t.re != nil:
		return t.re.MatchString(s)
	case t.cmp.Prefix:
		return strings.HasPrefix(s, t.cmp.Value) == (t.cmp.Op != OpNe)
	case t.cmp.Op == OpEq:
		return s == t.cmp.Value
	case t.cmp.Op == OpNe:
		return s != t.cmp.Value
	}
	if t.cmp.IsNum {
		if t.isExact || len(s) > exactDigits {
			if order, ok := model.CompareNumbers(s, t.cmp.Value); ok {
				return ordered(order, 0, t.cmp.Op)
			}
		}
		if n, ok := model.StringValue(s).Number(); ok {
			return ordered(n, t.cmp.Num, t.cmp.Op)
		}
		if n, ok := ParseNumber(s); ok { // with a unit, as the filter's may have one
			return ordered(n, t.cmp.Num, t.cmp.Op)
		}
		return false // what is no number has no place in the order of numbers
	}
	return ordered(s, t.cmp.Value, t.cmp.Op)
}

// exactDigits is how many digits of a decimal number every float64 keeps.
const exactDigits = 15

// Values tests an attribute that may have several values (the elements of an
// array, the events of a span): one of them must pass, or all, where the test is !=.
func (t *FieldTest) Values(list []model.Value) bool {
	all := t.Unequal()
	for _, v := range list {
		if t.Value(v) != all {
			return !all
		}
	}
	return all && len(list) > 0
}

// Unequal reports whether all of several values must pass.
func (t *FieldTest) Unequal() bool { return !t.exists && t.re == nil && t.cmp.Op == OpNe }

// orders reports whether the test is one of more or less.
func (t *FieldTest) orders() bool {
	return !t.exists && t.re == nil && t.cmp.Op != OpEq && t.cmp.Op != OpNe
}

// Value tests one value of an attribute.
func (t *FieldTest) Value(v model.Value) bool {
	if emptyValue(v) {
		return false
	}
	if t.exists {
		return true
	}
	if t.known != nil && (v.Kind() == model.KindJSON || !t.known.Sure(v.String())) {
		return t.known.Else
	}
	if t.orders() && v.Kind() == model.KindJSON && !v.IsNumberText() {
		return false // only what is within an array or an object has an order
	}
	if t.re == nil && !t.cmp.Prefix && t.cmp.IsNum {
		switch {
		case v.Kind() == model.KindInt && t.isWhole:
			return ordered(v.Int(), t.whole, t.cmp.Op)
		case v.IsNumberText() || t.isExact && v.Kind() != model.KindString:
			if order, ok := model.CompareNumbers(v.String(), t.cmp.Value); ok {
				return ordered(order, 0, t.cmp.Op)
			}
		}
		switch {
		case v.Kind() == model.KindInt:
			return ordered(float64(v.Int()), t.cmp.Num, t.cmp.Op)
		case v.Kind() == model.KindFloat:
			return ordered(v.Float(), t.cmp.Num, t.cmp.Op)
		}
	}
	return t.Text(v.String())
}

// Int tests a field of kind FieldTime or FieldDuration.
func (t *FieldTest) Int(kind FieldKind, n int64) bool {
	if t.exists {
		return true
	}
	if t.re == nil && !t.cmp.Prefix {
		switch {
		case kind == FieldTime && t.isTime:
			return ordered(n, t.time, t.cmp.Op)
		case kind == FieldDuration && t.isWhole:
			return ordered(n, t.whole, t.cmp.Op)
		case kind == FieldDuration && t.cmp.IsNum:
			return ordered(float64(n), t.cmp.Num, t.cmp.Op)
		}
	}
	if kind == FieldTime {
		return t.Text(TimeText(n))
	}
	return t.Text(strconv.FormatInt(n, 10))
}

// Level tests a log record's level. A value that names a level compares by severity.
func (t *FieldTest) Level(l model.Level) bool {
	if l == model.LevelUnset {
		return false
	}
	if !t.exists && t.re == nil && !t.cmp.Prefix && t.isLevel {
		return ordered(l, t.level, t.cmp.Op)
	}
	return t.Text(l.String())
}

// TraceID tests a trace id.
func (t *FieldTest) TraceID(id model.TraceID) bool {
	if id.IsZero() || t.exists {
		return !id.IsZero()
	}
	if t.re == nil && !t.cmp.Prefix && t.isID {
		if t.cmp.Op == OpEq || t.cmp.Op == OpNe {
			return (id == t.traceID) == (t.cmp.Op == OpEq)
		}
		return ordered(id.String(), t.traceID.String(), t.cmp.Op)
	}
	return t.Text(id.String())
}

// SpanID tests a span id.
func (t *FieldTest) SpanID(id model.SpanID) bool {
	if id.IsZero() || t.exists {
		return !id.IsZero()
	}
	if t.re == nil && !t.cmp.Prefix && t.isID {
		if t.cmp.Op == OpEq || t.cmp.Op == OpNe {
			return (id == t.spanID) == (t.cmp.Op == OpEq)
		}
		return ordered(id.String(), t.spanID.String(), t.cmp.Op)
	}
	return t.Text(id.String())
}

func ordered[T string | int | int64 | float64 | model.Level](a, b T, op Op) bool {
	switch op {
	case OpEq:
		return a == b
	case OpNe:
		return a != b
	case OpGt:
		return a > b
	case OpGe:
		return a >= b
	case OpLt:
		return a < b
	case OpLe:
		return a <= b
	}
	return false
}
