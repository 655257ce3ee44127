package head

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/model"
)

// AppendAttrsJSON appends attrs as a JSON object in order, double keys
// included. A float always has a point or an exponent, so that DecodeAttrsJSON gives back the
// kind that went in; NaN and infinities, which JSON lacks, come back as text.
func AppendAttrsJSON(dst []byte, attrs model.Attrs) []byte {
	dst = append(dst, '{')
	for i, a := range attrs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendKeyJSON(dst, a.Key)
		dst = AppendValueJSON(dst, a.Value)
	}
	return append(dst, '}')
}

// AppendKeyJSON appends "key":
func AppendKeyJSON(dst []byte, key string) []byte {
	return append(appendStringJSON(dst, key), ':')
}

// AppendValueJSON appends one value.
func AppendValueJSON(dst []byte, v model.Value) []byte {
	switch v.Kind() {
	case model.KindString:
		return appendStringJSON(dst, v.Str())
	case model.KindJSON:
		if json.Valid([]byte(v.Str())) {
			return append(dst, v.Str()...)
		}
		return appendStringJSON(dst, v.Str())
	case model.KindInt:
		return strconv.AppendInt(dst, v.Int(), 10)
	case model.KindFloat:
		return appendFloatJSON(dst, v.Float())
	case model.KindBool:
		return strconv.AppendBool(dst, v.Bool())
	}
	return append(dst, "null"...)
}

func appendFloatJSON(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strconv.AppendQuote(dst, strconv.FormatFloat(f, 'g', -1, 64))
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
	if !bytes.ContainsAny(dst[n:], ".e") {
		dst = append(dst, ".0"...)
	}
	return dst
}

const hexDigits = "0123456789abcdef"

func appendStringJSON(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += n
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}

// DecodeAttrsJSON reads what AppendAttrsJSON wrote; "" and {} are nil.
func DecodeAttrsJSON(text string) (model.Attrs, error) {
	if text == "" || text == "{}" {
		return nil, nil
	}
	var out model.Attrs
	if err := out.UnmarshalJSON([]byte(text)); err != nil {
		return nil, err
	}
	return out, nil
}

func appendEventsJSON(dst []byte, events []model.SpanEvent) []byte {
	if len(events) == 0 {
		return dst
	}
	dst = append(dst, '[')
	for i, e := range events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"time_unix_nano":`...)
		dst = strconv.AppendInt(dst, e.Time, 10)
		dst = append(dst, `,"name":`...)
		dst = appendStringJSON(dst, e.Name)
		if len(e.Attrs) > 0 {
			dst = append(dst, `,"attributes":`...)
			dst = AppendAttrsJSON(dst, e.Attrs)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendLinksJSON(dst []byte, links []model.SpanLink) []byte {
	if len(links) == 0 {
		return dst
	}
	dst = append(dst, '[')
	for i, l := range links {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, `{"trace_id":"`...), l.TraceID.String()...), '"')
		dst = append(append(append(dst, `,"span_id":"`...), l.SpanID.String()...), '"')
		if len(l.Attrs) > 0 {
			dst = append(dst, `,"attributes":`...)
			dst = AppendAttrsJSON(dst, l.Attrs)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// DecodeEventsJSON reads the events column; "" and [] are nil.
func DecodeEventsJSON(text string) ([]model.SpanEvent, error) {
	var out []model.SpanEvent
	if text == "" || text == "[]" {
		return nil, nil
	}
	err := json.Unmarshal([]byte(text), &out)
	return out, err
}

// DecodeLinksJSON reads the links column; "" and [] are nil.
func DecodeLinksJSON(text string) ([]model.SpanLink, error) {
	var out []model.SpanLink
	if text == "" || text == "[]" {
		return nil, nil
	}
	err := json.Unmarshal([]byte(text), &out)
	return out, err
}
