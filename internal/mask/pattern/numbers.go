package pattern

import (
	"net/netip"
	"strings"
)

// Payment card numbers are 13 to 19 digits, single spaces or dashes between them allowed, not part of a longer word, and
// valid by their check digit.
const (
	minCardDigits = 13
	maxCardDigits = 19
)

func cards(s string) []Span {
	var out []Span
	for i := 0; i < len(s); {
		if !isDigit(s[i]) || i > 0 && isWord(s[i-1]) {
			i++
			continue
		}
		end := cardEnd(s, i)
		if end < 0 {
			for i < len(s) && isDigit(s[i]) { // a card may begin with the next group
				i++
			}
			continue
		}
		out = append(out, Span{i, end})
		i = end
	}
	return out
}

// cardEnd is where the longest card number that begins at s[i] ends, or -1.
func cardEnd(s string, i int) int {
	var digits [maxCardDigits]byte
	n, found := 0, -1
	for end := i; end < len(s); end++ {
		switch c := s[end]; {
		case isDigit(c):
			if n == maxCardDigits {
				return found
			}
			digits[n] = c
			n++
			last := end+1 == len(s) || !isWord(s[end+1])
			if last && n >= minCardDigits && luhn(digits[:n]) {
				found = end + 1
			}
		case (c == ' ' || c == '-') && end+1 < len(s) && isDigit(s[end+1]):
		default:
			return found
		}
	}
	return found
}

// luhn is ISO/IEC 7812-1's check.
func luhn(digits []byte) bool {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0 && sum > 0
}

// Account numbers of ISO 13616 have 15 to 34 characters, begin with a country and two check digits, and may stand in
// groups of four.
const (
	minAccount = 15
	maxAccount = 34
)

func accounts(s string) []Span {
	var out []Span
	for i := 0; i+minAccount <= len(s); i++ {
		if !isLetter(s[i]) || !isLetter(s[i+1]) || !isDigit(s[i+2]) || !isDigit(s[i+3]) || i > 0 && isWord(s[i-1]) {
			continue
		}
		if end := accountEnd(s, i); end > 0 {
			out = append(out, Span{i, end})
			i = end - 1
		}
	}
	return out
}

// accountEnd is where the longest valid account number that begins at s[i] ends, or -1.
func accountEnd(s string, i int) int {
	var chars [maxAccount]byte
	n, found := 0, -1
	for end := i; end < len(s); end++ {
		switch c := s[end]; {
		case isDigit(c) || isLetter(c):
			if n == maxAccount {
				return found
			}
			chars[n] = c
			n++
			last := end+1 == len(s) || !isWord(s[end+1])
			if last && n >= minAccount && checked(chars[:n]) {
				found = end + 1
			}
		case (c == ' ' || c == '-') && n%4 == 0 && end+1 < len(s) && (isDigit(s[end+1]) || isLetter(s[end+1])):
		default:
			return found
		}
	}
	return found
}

// checked is the check of ISO 7064, modulo 97, with the first four characters moved to the end.
func checked(account []byte) bool {
	rest := 0
	for i := range account {
		switch c := account[(i+4)%len(account)]; {
		case isDigit(c):
			rest = (rest*10 + int(c-'0')) % 97
		default:
			rest = (rest*100 + int(c|0x20-'a') + 10) % 97
		}
	}
	return rest == 1
}

func machines4(s string) []Span {
	var out []Span
	for i := 0; i < len(s); {
		if !isDigit(s[i]) || i > 0 && isWord(s[i-1]) {
			i++
			continue
		}
		end := i
		for end < len(s) && (isDigit(s[end]) || s[end] == '.') {
			end++
		}
		if n := dotted(s[i:end]); n > 0 && (i+n == len(s) || !isWord(s[i+n])) {
			out = append(out, Span{i, i + n})
			i += n
			continue
		}
		i = end
	}
	return out
}

// dotted is the length of the four numbers that s begins with, 0 if it does not. Zeros before a number are let stand: programs print them.
func dotted(s string) int {
	at := 0
	for part := range 4 {
		value, digits := 0, 0
		for at < len(s) && isDigit(s[at]) && digits < 4 {
			value, digits, at = value*10+int(s[at]-'0'), digits+1, at+1
		}
		if digits == 0 || digits > 3 || value > 255 {
			return 0
		}
		if part < 3 {
			if at == len(s) || s[at] != '.' {
				return 0
			}
			at++
		}
	}
	return at
}

func machines6(s string) []Span {
	var out []Span
	if strings.IndexByte(s, ':') < 0 {
		return nil
	}
	for i := 0; i < len(s); {
		if !inAddress(s[i]) || s[i] == '.' {
			i++
			continue
		}
		end := i
		for end < len(s) && inAddress(s[end]) {
			end++
		}
		if end == len(s) || !isWord(s[end]) {
			out = append(out, within(s, i, end)...)
		}
		i = end
	}
	return out
}

// within is the longest address that ends s[start:end]: a name and a colon may stand before it.
func within(s string, start, end int) []Span {
	for at := start; at < end; at++ {
		if at > 0 && isWord(s[at-1]) || at > start && s[at-1] != ':' {
			continue
		}
		if n := address6(s[at:end]); n > 0 {
			return []Span{{at, at + n}}
		}
	}
	return nil
}

func inAddress(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' || c == ':' || c == '.'
}

// address6 is the length of the address that s is but for what ends a sentence behind it, 0 if it is none. "::" alone says nothing.
func address6(s string) int {
	for n := len(s); n > 2 && n >= len(s)-2; n-- {
		if a, err := netip.ParseAddr(s[:n]); err == nil && a.Is6() {
			return n
		}
		if last := s[n-1]; last != ':' && last != '.' {
			return 0
		}
	}
	return 0
}
