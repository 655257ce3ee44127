package model

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// decimal is a number as it is written: 0.digits × 10^exp, digits without
// zeros at either end. The zero number has no digits.
type decimal struct {
	negative bool
	digits   string
	exp      int
}

// maxExponent bounds exponents, so that they add up without overflow.
const maxExponent = 1 << 30

func parseDecimal(s string) (d decimal, ok bool) {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		d.negative, s = s[0] == '-', s[1:]
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return d, false
		}
		d.exp, s = min(max(n, -maxExponent), maxExponent), s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if whole+fraction == "" || strings.Trim(whole, "0123456789") != "" || strings.Trim(fraction, "0123456789") != "" {
		return d, false
	}
	d.exp += len(whole)
	all := whole + fraction
	d.digits = strings.TrimLeft(all, "0")
	d.exp -= len(all) - len(d.digits)
	d.digits = strings.TrimRight(d.digits, "0")
	if d.digits == "" {
		d = decimal{}
	}
	return d, true
}

// CompareNumbers compares two decimal numbers by their digits, however many
// they are; false if one of the texts is none.
func CompareNumbers(a, b string) (order int, ok bool) {
	x, okX := parseDecimal(a)
	y, okY := parseDecimal(b)
	if !okX || !okY {
		return 0, false
	}
	return x.compare(y), true
}

func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

func (d decimal) compare(o decimal) int {
	if s := d.sign(); s != o.sign() || s == 0 {
		return s - o.sign()
	}
	size := strings.Compare(d.digits, o.digits)
	if d.exp != o.exp {
		size = d.exp - o.exp
	}
	return size * d.sign()
}

// exactDigits is how many digits of a decimal number every float64 keeps.
const exactDigits = 15

// numberValue is a JSON number: an integer, a float, or, where neither holds
// all of its digits, its text.
func numberValue(text string) (Value, error) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return IntValue(i), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return Value{}, err
	}
	if len(text) > exactDigits || math.IsInf(f, 0) {
		if order, ok := CompareNumbers(strconv.FormatFloat(f, 'g', -1, 64), text); !ok || order != 0 {
			return JSONValue(text), nil
		}
	}
	return FloatValue(f), nil
}

// IsNumberText reports whether v is a JSON value that is a number: one with
// more digits than an integer or a float holds.
func (v Value) IsNumberText() bool {
	return v.kind == KindJSON && v.str != "" && (v.str[0] == '-' || v.str[0] >= '0' && v.str[0] <= '9')
}
