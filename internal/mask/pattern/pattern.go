// Package pattern finds personal data and credentials in running text: e-mail addresses, payment cards, bank accounts, addresses
// of machines, tokens, and what a regular expression says.
//
// It replaces nothing: who masks says what stands instead. In: a setting, a text. Out: where in the text something stands. It is
// immutable and safe for concurrent use. Start reading at New.
package pattern

import (
	"fmt"
	"regexp"
	"strings"
)

// Span is where something stands in a text.
type Span struct{ Start, End int }

// Pattern finds one kind of thing.
type Pattern struct {
	find func(s string) []Span // in order, apart from each other, none empty
}

// Find is where it stands, in order.
func (p *Pattern) Find(s string) []Span { return p.find(s) }

// LooksJSON reports whether a text may be a JSON object or array, whose fields are looked at one by one.
func LooksJSON(s string) bool {
	s = strings.TrimSpace(s)
	return len(s) > 1 && (s[0] == '{' && s[len(s)-1] == '}' || s[0] == '[' && s[len(s)-1] == ']')
}

// Names are those that have one.
func Names() []string { return []string{"email", "card", "iban", "ipv4", "ipv6", "bearer", "jwt"} }

// New reads a setting: a name of Names, or a regular expression between slashes, of which the first group is what is found where it has one.
func New(setting string) (*Pattern, error) {
	switch setting {
	case "email":
		return expression(regexp.MustCompile(`[A-Za-z0-9._%+\-]+@[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]{2,}`), "@"), nil
	case "bearer":
		return expression(regexp.MustCompile(`(?i)\bbearer +([A-Za-z0-9\-._~+/]{8,}=*)`), "earer ", "EARER "), nil
	case "jwt":
		return expression(regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?`), "eyJ"), nil
	case "card":
		return &Pattern{cards}, nil
	case "iban":
		return &Pattern{accounts}, nil
	case "ipv4":
		return &Pattern{machines4}, nil
	case "ipv6":
		return &Pattern{machines6}, nil
	}
	if len(setting) > 2 && setting[0] == '/' && setting[len(setting)-1] == '/' {
		re, err := regexp.Compile(setting[1 : len(setting)-1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", setting, err)
		}
		if re.MatchString("") {
			return nil, fmt.Errorf("%s: must not match the empty text", setting)
		}
		return expression(re), nil
	}
	return nil, fmt.Errorf("%q is none of %s and no /expression/", setting, strings.Join(Names(), ", "))
}

// expression finds a regular expression; a text without any of its hints is not searched.
func expression(re *regexp.Regexp, hints ...string) *Pattern {
	return &Pattern{func(s string) []Span {
		if len(hints) > 0 && !holdsAny(s, hints) {
			return nil
		}
		var out []Span
		for _, m := range re.FindAllStringSubmatchIndex(s, -1) {
			found := Span{m[0], m[1]}
			if len(m) > 2 && m[2] >= 0 {
				found = Span{m[2], m[3]}
			}
			if found.End > found.Start {
				out = append(out, found)
			}
		}
		return out
	}}
}

func holdsAny(s string, hints []string) bool {
	for _, h := range hints {
		if strings.Contains(s, h) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isWord(c byte) bool { return isDigit(c) || isLetter(c) || c == '_' }
