package admit

import (
	"fmt"
	"regexp"
	"strings"
)

// pattern finds one kind of secret in running text.
type pattern interface {
	// mask replaces every occurrence; found says whether there was one.
	mask(s string) (out string, found bool)
}

// newPattern reads a setting: email, card, bearer or /expression/.
func newPattern(setting string) (pattern, error) {
	switch setting {
	case "email":
		return rePattern{hint: "@", re: regexp.MustCompile(`[A-Za-z0-9._%+\-]+@[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}`), repl: maskText}, nil
	case "bearer":
		return rePattern{hint: "earer ", hint2: "EARER ", re: regexp.MustCompile(`(?i)\b(bearer) +[A-Za-z0-9\-._~+/]{8,}=*`), repl: "${1} " + maskText}, nil
	case "card":
		return cardPattern{}, nil
	}
	if len(setting) > 2 && setting[0] == '/' && setting[len(setting)-1] == '/' {
		re, err := regexp.Compile(setting[1 : len(setting)-1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", setting, err)
		}
		if re.MatchString("") || re.MatchString(maskText) {
			return nil, fmt.Errorf("%s: must not match the empty text or %s", setting, maskText)
		}
		return rePattern{re: re, repl: maskText}, nil
	}
	return nil, fmt.Errorf("%q is none of email, card, bearer and no /expression/", setting)
}

// rePattern is a regular expression; text without its hints is not searched.
type rePattern struct {
	hint, hint2 string
	re          *regexp.Regexp
	repl        string
}

func (p rePattern) mask(s string) (string, bool) {
	if p.hint != "" && !strings.Contains(s, p.hint) && (p.hint2 == "" || !strings.Contains(s, p.hint2)) {
		return s, false
	}
	out := p.re.ReplaceAllString(s, p.repl)
	return out, out != s
}

// cardPattern finds payment card numbers: 13 to 19 digits, single spaces or
// dashes between them allowed, not part of a longer word, and valid by Luhn's check digit.
type cardPattern struct{}

const (
	minCardDigits = 13
	maxCardDigits = 19
)

func (cardPattern) mask(s string) (string, bool) {
	var out strings.Builder
	done := 0
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
		out.WriteString(s[done:i])
		out.WriteString(maskText)
		i, done = end, end
	}
	if done == 0 {
		return s, false
	}
	out.WriteString(s[done:])
	return out.String(), true
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

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
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
