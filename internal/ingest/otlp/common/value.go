package common

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/signalbox-project/signalbox/internal/model"
)

// ValueOf converts an attribute value; arrays, maps and bytes become JSON text.
func ValueOf(v pcommon.Value) model.Value {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return model.StringValue(v.Str())
	case pcommon.ValueTypeInt:
		return model.IntValue(v.Int())
	case pcommon.ValueTypeDouble:
		return model.FloatValue(v.Double())
	case pcommon.ValueTypeBool:
		return model.BoolValue(v.Bool())
	case pcommon.ValueTypeMap, pcommon.ValueTypeSlice, pcommon.ValueTypeBytes:
		return model.JSONValue(string(AppendJSON(nil, v)))
	}
	return model.Value{}
}

// AppendJSON writes a value as JSON: bytes in base 64, numbers that JSON lacks
// (NaN, infinities) as strings, map keys in order of arrival.
func AppendJSON(dst []byte, v pcommon.Value) []byte {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return appendString(dst, v.Str())
	case pcommon.ValueTypeInt:
		return strconv.AppendInt(dst, v.Int(), 10)
	case pcommon.ValueTypeDouble:
		f := v.Double()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return appendString(dst, strconv.FormatFloat(f, 'g', -1, 64))
		}
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	case pcommon.ValueTypeBool:
		return strconv.AppendBool(dst, v.Bool())
	case pcommon.ValueTypeBytes:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, v.Bytes().AsRaw())
		return append(dst, '"')
	case pcommon.ValueTypeSlice:
		dst = append(dst, '[')
		for i, e := range v.Slice().All() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, e)
		}
		return append(dst, ']')
	case pcommon.ValueTypeMap:
		dst = append(dst, '{')
		last := make(map[string]int, v.Map().Len())
		n := 0
		for key := range v.Map().All() {
			last[key] = n
			n++
		}
		n = 0
		for key, e := range v.Map().All() {
			if n++; last[key] != n-1 {
				continue
			}
			if dst[len(dst)-1] != '{' {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, key), ':')
			dst = AppendJSON(dst, e)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

func appendString(dst []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // cannot happen: strings always marshal, invalid UTF-8 as U+FFFD
		return append(dst, `""`...)
	}
	return append(dst, quoted...)
}

// AppendAttrs appends the map's entries. Of a key that stands twice, which OTLP forbids, the last value counts, as it does
// for who searches.
func AppendAttrs(dst model.Attrs, m pcommon.Map) model.Attrs {
	before := len(dst)
	for key, v := range m.All() {
		dst = append(dst, model.Attr{Key: key, Value: ValueOf(v)})
	}
	return dst[:before+len(dst[before:].Distinct())]
}

// AttrsOf is nil for an empty map.
func AttrsOf(m pcommon.Map) model.Attrs {
	if m.Len() == 0 {
		return nil
	}
	return AppendAttrs(make(model.Attrs, 0, m.Len()), m)
}
