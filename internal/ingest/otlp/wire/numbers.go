package wire

import (
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// literal is the text of a number, which may be quoted.
func (e *encoder) literal(raw []byte) (text string, ok bool) {
	switch jsontext.Value(raw).Kind() {
	case jsontext.KindNumber:
		return string(raw), true
	case jsontext.KindString:
		text := e.unquote(raw)
		v := jsontext.Value(text)
		return string(text), v.Kind() == jsontext.KindNumber && v.IsValid() && strings.TrimSpace(string(text)) == string(text)
	}
	return "", false
}

// double takes numbers, quoted or not, and the three names that JSON lacks.
func (e *encoder) double(raw []byte) (float64, error) {
	if raw[0] == '"' {
		switch string(e.unquote(raw)) {
		case "NaN":
			return math.NaN(), nil
		case "Infinity":
			return math.Inf(1), nil
		case "-Infinity":
			return math.Inf(-1), nil
		}
	}
	text, ok := e.literal(raw)
	if !ok {
		return 0, unexpected(raw, `a number, "NaN", "Infinity" or "-Infinity"`)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, unexpected(raw, "a number of 64 bits")
	}
	return v, nil
}

// integer is the digits of a number that is whole, however it is written: 10, 1e1, 10.0.
func (e *encoder) integer(raw []byte) (string, error) {
	text, ok := e.literal(raw)
	if !ok {
		return "", unexpected(raw, "an integer")
	}
	switch {
	case text == "-0":
		return "0", nil
	case !strings.ContainsAny(text, ".eE"):
		return text, nil
	}
	whole, ok := wholeNumber(text)
	if !ok {
		return "", unexpected(raw, "an integer")
	}
	return whole, nil
}

// wholeNumber is false where a fraction remains, or more digits than any integer has.
func wholeNumber(text string) (string, bool) {
	const maxDigits = 20 // of 64 bits
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.Atoi(text[i+1:])
		if err != nil {
			return "", false
		}
		mantissa, exponent = text[:i], n
	}
	sign := ""
	if rest, negative := strings.CutPrefix(mantissa, "-"); negative {
		sign, mantissa = "-", rest
	}
	before, after, _ := strings.Cut(mantissa, ".")
	digits, point := before+after, len(before)+exponent
	if strings.Trim(digits, "0") == "" {
		return "0", true
	}
	switch {
	case point <= 0, point > len(digits)+maxDigits:
		return "", false
	case point < len(digits):
		if strings.Trim(digits[point:], "0") != "" {
			return "", false
		}
		digits = digits[:point]
	default:
		digits += strings.Repeat("0", point-len(digits))
	}
	digits = strings.TrimLeft(digits, "0")
	return sign + digits, len(digits) <= maxDigits
}
