package store

import (
	"strings"
	"unsafe"

	"github.com/buger/jsonparser"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Fields lie within values: http.status is the member status of the object
// http, tags has every element of the array tags. Nothing is looked into deeper
// than maxNesting.
const maxNesting = 32

// within is what is left of a path behind its first step, if key is that step.
// Keys hold dots themselves, so one path may begin with several keys.
func within(path, key string) (rest string, ok bool) {
	if key == "" || len(path) <= len(key)+1 || path[len(key)] != '.' || path[:len(key)] != key {
		return "", false
	}
	return path[len(key)+1:], true
}

// AppendValuesAt appends the values at path within v, with "" v itself. An
// array is there as itself and as each of its elements, and paths go through arrays.
func AppendValuesAt(dst []model.Value, v model.Value, path string) []model.Value {
	return appendAt(dst, v, path, 0)
}

func appendAt(dst []model.Value, v model.Value, path string, depth int) []model.Value {
	if path == "" && !emptyValue(v) {
		dst = append(dst, v)
	}
	if depth == maxNesting {
		return dst
	}
	elements(v, func(e model.Value) { dst = appendAt(dst, e, path, depth+1) })
	if path == "" {
		return dst
	}
	members(v, func(key string, m model.Value) {
		if key == path {
			dst = appendAt(dst, m, "", depth+1)
		} else if rest, ok := within(path, key); ok {
			dst = appendAt(dst, m, rest, depth+1)
		}
	})
	return dst
}

// EachValueWithin calls f with the path of every value within v that
// AppendValuesAt finds under that path, v itself at key included.
func EachValueWithin(key string, v model.Value, f func(path string, v model.Value)) {
	eachWithin(key, v, 0, f)
}

func eachWithin(path string, v model.Value, depth int, f func(path string, v model.Value)) {
	f(path, v)
	if depth == maxNesting {
		return
	}
	elements(v, func(e model.Value) { eachWithin(path, e, depth+1, f) })
	members(v, func(key string, m model.Value) {
		if key != "" {
			eachWithin(path+"."+key, m, depth+1, f)
		}
	})
}

// elements calls f with the elements of an array.
func elements(v model.Value, f func(model.Value)) {
	if v.Kind() != model.KindJSON || !strings.HasPrefix(v.Str(), "[") {
		return
	}
	// What is not valid JSON has no elements from there on.
	_, _ = jsonparser.ArrayEach(bytesOf(v.Str()), func(raw []byte, t jsonparser.ValueType, _ int, _ error) { f(jsonValue(raw, t)) })
}

// members calls f with the members of an object, whose keys are gone afterwards.
func members(v model.Value, f func(key string, v model.Value)) {
	if v.Kind() != model.KindJSON || !strings.HasPrefix(v.Str(), "{") {
		return
	}
	_ = jsonparser.ObjectEach(bytesOf(v.Str()), func(key, raw []byte, t jsonparser.ValueType, _ int) error {
		f(unsafe.String(unsafe.SliceData(key), len(key)), jsonValue(raw, t))
		return nil
	})
}

// bytesOf aliases s, for readers only.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// jsonValue is a value as the parser cuts it out. It does not outlive the text.
func jsonValue(raw []byte, t jsonparser.ValueType) model.Value {
	text := unsafe.String(unsafe.SliceData(raw), len(raw))
	switch t {
	case jsonparser.String:
		if strings.IndexByte(text, '\\') >= 0 {
			if s, err := jsonparser.ParseString(raw); err == nil {
				text = s
			}
		}
		return model.StringValue(text)
	case jsonparser.Array, jsonparser.Object:
		return model.JSONValue(text)
	case jsonparser.Null, jsonparser.NotExist, jsonparser.Unknown:
		return model.Value{}
	}
	var v model.Value
	if err := v.UnmarshalJSON(raw); err != nil {
		return model.StringValue(text)
	}
	return v
}

// AppendOwn appends the values of the attribute key in attrs: those of the
// key itself, else those within objects on the way to it.
func AppendOwn(dst []model.Value, attrs model.Attrs, key string) []model.Value {
	if v, ok := attrs.Get(key); ok && !emptyValue(v) {
		return AppendValuesAt(dst, v, "")
	}
	if strings.IndexByte(key, '.') < 0 {
		return dst
	}
	for _, a := range attrs {
		if rest, ok := within(key, a.Key); ok && a.Value.Kind() == model.KindJSON {
			dst = AppendValuesAt(dst, a.Value, rest)
		}
	}
	return dst
}

// AttrValues are the values of a field that is an attribute: the record's own, else the resource's.
func AttrValues(own, resource model.Attrs, field string) []model.Value {
	key := AttrKey(field)
	if list := AppendOwn(nil, own, key); len(list) > 0 {
		return list
	}
	return AppendOwn(nil, resource, key)
}

// The fields that an event or a link of a span has beside its attributes.
const (
	EventName   = "event.name"
	LinkTraceID = "link.trace_id"
	LinkSpanID  = "link.span_id"
)

// InnerPrefix begins names that mean an event's or a link's attribute only:
// event.exception.type, link.reason.
func InnerPrefix(link bool) string {
	if link {
		return "link."
	}
	return "event."
}

// EachInner calls f with the fields of a span's events and links, attributes
// under their own keys.
func EachInner(events []model.SpanEvent, links []model.SpanLink, f func(link bool, key string, v model.Value)) {
	for _, e := range events {
		f(false, EventName, model.StringValue(e.Name))
		for _, a := range e.Attrs {
			f(false, a.Key, a.Value)
		}
	}
	for _, l := range links {
		f(true, LinkTraceID, model.StringValue(l.TraceID.String()))
		f(true, LinkSpanID, model.StringValue(l.SpanID.String()))
		for _, a := range l.Attrs {
			f(true, a.Key, a.Value)
		}
	}
}

// EachInnerJSON is EachInner for events and links as JSON arrays: objects with a name or with
// trace_id and span_id, and attributes.
func EachInnerJSON(events, links string, f func(link bool, key string, v model.Value)) {
	eachInnerJSON(events, func(key string, v model.Value) {
		if key == "name" {
			f(false, EventName, v)
		}
	}, func(key string, v model.Value) { f(false, key, v) })
	eachInnerJSON(links, func(key string, v model.Value) {
		if key == "trace_id" || key == "span_id" {
			f(true, InnerPrefix(true)+key, v)
		}
	}, func(key string, v model.Value) { f(true, key, v) })
}

func eachInnerJSON(text string, own, attr func(key string, v model.Value)) {
	if text == "" || text == "[]" {
		return
	}
	elements(model.JSONValue(text), func(e model.Value) {
		members(e, func(key string, v model.Value) {
			if key == "attributes" {
				members(v, attr)
				return
			}
			own(key, v)
		})
	})
}

// AppendInner appends what a field of an event or a link contributes to field.
func AppendInner(dst []model.Value, field string, link bool, key string, v model.Value) []model.Value {
	if emptyValue(v) {
		return dst
	}
	dst = appendInner(dst, field, key, v)
	if rest, ok := strings.CutPrefix(field, InnerPrefix(link)); ok && rest != "" {
		dst = appendInner(dst, rest, key, v)
	}
	return dst
}

func appendInner(dst []model.Value, field, key string, v model.Value) []model.Value {
	if field == key {
		return AppendValuesAt(dst, v, "")
	}
	if rest, ok := within(field, key); ok && v.Kind() == model.KindJSON {
		return AppendValuesAt(dst, v, rest)
	}
	return dst
}

// InnerText is the text in a field of an event or a link that words are
// searched in: names and texts, no ids and numbers.
func InnerText(key string, v model.Value) (string, bool) {
	if key == LinkTraceID || key == LinkSpanID {
		return "", false
	}
	return v.Str(), v.Kind() == model.KindString || v.Kind() == model.KindJSON
}

// SpanAttrValues are the values of a span's field that is an attribute: its own and those of its events and
// links, else the resource's.
func SpanAttrValues(s *model.Span, field string) []model.Value {
	key := AttrKey(field)
	list := AppendOwn(nil, s.Attrs, key)
	EachInner(s.Events, s.Links, func(link bool, k string, v model.Value) { list = AppendInner(list, key, link, k, v) })
	if len(list) > 0 {
		return list
	}
	return AppendOwn(nil, s.Resource.Attrs, key)
}
