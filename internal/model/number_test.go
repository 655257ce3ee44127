package model

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestNumbersAreComparedToTheDigit(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"9007199254740993", "9007199254740992", 1}, // 2^53 + 1: a float does not keep it
		{"18446744073709551615", "18446744073709551616", -1},
		{"-18446744073709551616", "-18446744073709551615", -1},
		{"1.10", "1.1", 0},
		{"5e2", "500", 0},
		{"500.0", "+500", 0},
		{"0.1", "1e-1", 0},
		{"-0", "0.000", 0},
		{"0.30000000000000004", "0.3", 1},
		{"1e400", "1e399", 1}, // beyond a float
		{"-1e400", "1", -1},
		{"0", "-1e-400", 1},
	} {
		if got, ok := CompareNumbers(c.a, c.b); !ok || sign(got) != c.want {
			t.Errorf("%s against %s: %d, %t; want %d", c.a, c.b, got, ok, c.want)
		}
		if got, ok := CompareNumbers(c.b, c.a); !ok || sign(got) != -c.want {
			t.Errorf("%s against %s: %d, %t; want %d", c.b, c.a, got, ok, -c.want)
		}
	}
	for _, s := range []string{"", "-", ".", "e5", "1e", "1e+", "0x10", "1_000", "NaN", "Inf", "1.2.3", "12a"} {
		if _, ok := CompareNumbers(s, "1"); ok {
			t.Errorf("%q is taken for a number", s)
		}
	}
}

func TestComparingNumbersAgreesWithRationals(t *testing.T) {
	number := rapid.StringMatching(`[+-]?[0-9]{1,22}(\.[0-9]{0,6})?(e[+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		x, okX := new(big.Rat).SetString(a)
		y, okY := new(big.Rat).SetString(b)
		got, ok := CompareNumbers(a, b)
		if ok != (okX && okY) || ok && sign(got) != x.Cmp(y) {
			t.Fatalf("%s against %s: %d, %t; want %d", a, b, got, ok, x.Cmp(y))
		}
	})
}

func sign(n int) int { return min(max(n, -1), 1) }

func TestJSONNumbersKeepTheirDigits(t *testing.T) {
	for text, want := range map[string]Value{
		"7": IntValue(7), "-9223372036854775808": IntValue(-9223372036854775808), "0.5": FloatValue(0.5), "1e3": FloatValue(1000),
		"18446744073709551615": JSONValue("18446744073709551615"), "0.1000000000000000000001": JSONValue("0.1000000000000000000001"),
		"0.30000000000000004": FloatValue(0.30000000000000004), "1e999": JSONValue("1e999"),
	} {
		var v Value
		if err := v.UnmarshalJSON([]byte(text)); err != nil || v != want {
			t.Errorf("%s is read as %#v, %v; want %#v", text, v, err, want)
		}
		if v.IsNumberText() != (want.Kind() == KindJSON) {
			t.Errorf("%s: a number's text: %t", text, v.IsNumberText())
		}
		if b, err := v.MarshalJSON(); want.Kind() == KindJSON && (err != nil || string(b) != text) {
			t.Errorf("%s is written as %s, %v", text, b, err)
		}
	}
}
