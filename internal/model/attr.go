package model

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// ValueKind says what a Value holds.
type ValueKind uint8

// The kinds of value. JSON holds arrays, maps and bytes as their JSON text, and numbers that have
// more digits than an integer or a float keeps.
const (
	KindEmpty ValueKind = iota
	KindString
	KindInt
	KindFloat
	KindBool
	KindJSON
)

// Value is an attribute's value; the zero Value is empty. It is comparable.
type Value struct {
	kind ValueKind
	num  uint64
	str  string
}

// StringValue holds s.
func StringValue(s string) Value { return Value{kind: KindString, str: s} }

// IntValue holds i.
func IntValue(i int64) Value { return Value{kind: KindInt, num: uint64(i)} }

// FloatValue holds f.
func FloatValue(f float64) Value { return Value{kind: KindFloat, num: math.Float64bits(f)} }

// BoolValue holds b.
func BoolValue(b bool) Value {
	if b {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// JSONValue holds a valid JSON text (an array, an object or anything else).
func JSONValue(text string) Value { return Value{kind: KindJSON, str: text} }

// Kind says which accessor applies.
func (v Value) Kind() ValueKind { return v.kind }

// Str is the text of a string or JSON value.
func (v Value) Str() string { return v.str }

// Int is the number of an int value.
func (v Value) Int() int64 { return int64(v.num) }

// Float is the number of a float value.
func (v Value) Float() float64 { return math.Float64frombits(v.num) }

// Bool is the truth of a bool value.
func (v Value) Bool() bool { return v.num != 0 }

// Number is the value as a number, if it is one or reads as one.
func (v Value) Number() (float64, bool) {
	switch v.kind {
	case KindInt:
		return float64(v.Int()), true
	case KindFloat:
		return v.Float(), true
	case KindString:
		f, err := strconv.ParseFloat(v.str, 64)
		return f, err == nil
	case KindJSON:
		if !v.IsNumberText() {
			return 0, false
		}
		f, err := strconv.ParseFloat(v.str, 64)
		return f, err == nil
	}
	return 0, false
}

// String is the value as text, as filters and tables show it.
func (v Value) String() string {
	switch v.kind {
	case KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case KindFloat:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case KindBool:
		return strconv.FormatBool(v.Bool())
	}
	return v.str
}

// MarshalJSON writes the value as JSON; NaN and infinities become strings.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case KindEmpty:
		return []byte("null"), nil
	case KindString:
		return json.Marshal(v.str)
	case KindJSON:
		return []byte(v.str), nil
	case KindFloat:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			return json.Marshal(v.String())
		}
	}
	return []byte(v.String()), nil
}

// UnmarshalJSON reads any JSON value.
func (v *Value) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	switch {
	case string(b) == "null":
		*v = Value{}
	case len(b) > 0 && b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*v = StringValue(s)
	case string(b) == "true" || string(b) == "false":
		*v = BoolValue(b[0] == 't')
	case len(b) > 0 && (b[0] == '{' || b[0] == '['):
		*v = JSONValue(string(b))
	default:
		n, err := numberValue(string(b))
		if err != nil {
			return err
		}
		*v = n
	}
	return nil
}

// Attr is one attribute.
type Attr struct {
	Key   string
	Value Value
}

// Attrs is a list of attributes in the order in which they arrived; in JSON it
// is an object. A key that stands twice keeps both here and the last in JSON.
type Attrs []Attr

// Get is the last value of key.
func (as Attrs) Get(key string) (Value, bool) {
	for i := len(as) - 1; i >= 0; i-- {
		if as[i].Key == key {
			return as[i].Value, true
		}
	}
	return Value{}, false
}

// Distinct leaves of each key the last value, in the place of the first; the list is changed.
func (as Attrs) Distinct() Attrs {
	out := as[:0]
	var seen uint64 // a bit for each length and last letter of a key: most lists are looked at once
	for _, a := range as {
		bit := uint64(1) << (len(a.Key) % 64)
		if n := len(a.Key); n > 0 {
			bit = uint64(1) << ((n*7 + int(a.Key[n-1])) % 64)
		}
		if seen&bit != 0 {
			if i := slices.IndexFunc(out, func(b Attr) bool { return b.Key == a.Key }); i >= 0 {
				out[i].Value = a.Value
				continue
			}
		}
		seen |= bit
		out = append(out, a)
	}
	return out
}

// MarshalJSON writes an object, keys in order of arrival.
func (as Attrs) MarshalJSON() ([]byte, error) {
	buf := []byte{'{'}
	for i, a := range slices.Clone(as).Distinct() {
		if i > 0 {
			buf = append(buf, ',')
		}
		key, err := json.Marshal(a.Key)
		if err != nil {
			return nil, err
		}
		val, err := a.Value.MarshalJSON()
		if err != nil {
			return nil, err
		}
		buf = append(append(append(buf, key...), ':'), val...)
	}
	return append(buf, '}'), nil
}

// UnmarshalJSON reads an object, keys in order of the text.
func (as *Attrs) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	open, err := dec.Token()
	if err != nil {
		return err
	}
	*as = nil
	if open == nil { // null
		return nil
	}
	if open != json.Delim('{') {
		return fmt.Errorf("attributes are %.20q, want an object", b)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var v Value
		if err := dec.Decode(&v); err != nil {
			return err
		}
		*as = append(*as, Attr{Key: key.(string), Value: v})
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("attributes do not end: %w", err)
	}
	if rest := bytes.TrimSpace(b[dec.InputOffset():]); len(rest) > 0 {
		return fmt.Errorf("%d bytes follow the attributes", len(rest))
	}
	return nil
}
