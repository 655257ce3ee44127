package store

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseNumber reads a number with or without a unit: durations (ns us µs ms s
// m h d w, also joined as in 1h30m) are in ns, sizes (B kB KB MB GB TB PB by
// thousands, KiB MiB GiB TiB PiB by 1,024) in bytes. The sign, the point and an
// exponent are as usual; NaN, infinities and hexadecimal numbers are none.
func ParseNumber(s string) (float64, bool) {
	digits, unit := splitNumber(s)
	n, err := strconv.ParseFloat(digits, 64)
	if digits == "" || err != nil {
		return 0, false
	}
	if unit == "" {
		return n, true
	}
	if f, ok := unitFactor(unit); ok {
		n *= f
		return n, !math.IsInf(n, 0)
	}
	if d, err := time.ParseDuration(s); err == nil {
		return float64(d), true
	}
	return 0, false
}

// splitNumber cuts s behind its leading decimal number.
func splitNumber(s string) (digits, unit string) {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	first := i
	for i < len(s) && (isDigit(s[i]) || s[i] == '.') {
		i++
	}
	if i == first {
		return "", s
	}
	if e := i + 1; i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		if e < len(s) && (s[e] == '-' || s[e] == '+') {
			e++
		}
		if e < len(s) && isDigit(s[e]) {
			for e < len(s) && isDigit(s[e]) {
				e++
			}
			i = e
		}
	}
	return s[:i], s[i:]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func unitFactor(unit string) (float64, bool) {
	switch unit {
	case "ns":
		return 1, true
	case "us", "µs", "μs":
		return 1e3, true
	case "ms":
		return 1e6, true
	case "s":
		return 1e9, true
	case "m":
		return 60e9, true
	case "h":
		return 3600e9, true
	case "d":
		return 86400e9, true
	case "w":
		return 7 * 86400e9, true
	case "B":
		return 1, true
	}
	scale, ok := strings.CutSuffix(unit, "B")
	if !ok {
		return 0, false
	}
	base := 1000.0
	if s, ok := strings.CutSuffix(scale, "i"); ok {
		scale, base = s, 1024
	}
	power := strings.Index("KMGTP", strings.ToUpper(scale)) + 1
	if len(scale) != 1 || power == 0 {
		return 0, false
	}
	return math.Pow(base, float64(power)), true
}
