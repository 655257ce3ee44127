package store

import (
	"strings"
	"unicode/utf8"
)

// Terminals draw a log's colours, links and titles from escape sequences. No
// reader sees them, so words, phrases and regular expressions over the text
// take a text as if they were not there: "\x1b[31mERROR\x1b[0m" is the word ERROR.

const (
	escape  = 0x1b
	bell    = 0x07
	csiMark = '[' // ESC [ begins a control sequence, as U+009B does
)

// HasEscapes reports whether s may hold escape sequences. It is quick, and
// false for sure when it is false.
func HasEscapes(s string) bool {
	if strings.IndexByte(s, escape) >= 0 {
		return true
	}
	for i := 0; ; i++ {
		n := strings.IndexByte(s[i:], 0xc2)
		if n < 0 {
			return false
		}
		if i += n; beginsEscape(s, i) {
			return true
		}
	}
}

// Visible is s without its escape sequences: s itself if it has none.
func Visible(s string) string {
	if !HasEscapes(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	from := 0
	for i := 0; i < len(s); {
		if !beginsEscape(s, i) {
			i++
			continue
		}
		end := escapeEnd(s, i)
		if end == i {
			i++
			continue
		}
		b.WriteString(s[from:i])
		from, i = end, end
	}
	b.WriteString(s[from:])
	return b.String()
}

// beginsEscape reports whether s[i] is ESC or a C1 control that begins a
// sequence (in UTF-8, the 8-bit form of ESC and a letter).
func beginsEscape(s string, i int) bool {
	if s[i] == escape {
		return true
	}
	if s[i] != 0xc2 || i+1 >= len(s) {
		return false
	}
	switch s[i+1] {
	case 0x90, 0x98, 0x9b, 0x9d, 0x9e, 0x9f: // DCS SOS CSI OSC PM APC
		return true
	}
	return false
}

// escapeEnd is the position behind the escape sequence that begins at i, where
// beginsEscape holds; i itself when it is none, cut off or malformed. It
// follows ECMA-48.
func escapeEnd(s string, i int) int {
	if s[i] != escape {
		if s[i+1] == 0x9b {
			return sequenceEnd(s, i, i+2, 0x30)
		}
		return stringEnd(s, i, i+2)
	}
	if i+1 >= len(s) {
		return i
	}
	switch c := s[i+1]; {
	case c == csiMark:
		return sequenceEnd(s, i, i+2, 0x30)
	case strings.IndexByte("]PX^_", c) >= 0:
		return stringEnd(s, i, i+2)
	case c >= 0x20 && c < 0x30: // ESC ( B and its like
		return sequenceEnd(s, i, i+2, 0x40)
	case c >= 0x30 && c < 0x7f:
		return i + 2
	}
	return i
}

// sequenceEnd passes parameter bytes (from the given one up to 0x3f),
// intermediate bytes and the final byte of a sequence that began at start.
func sequenceEnd(s string, start, at int, parameters byte) int {
	for at < len(s) && s[at] >= parameters && s[at] < 0x40 {
		at++
	}
	for at < len(s) && s[at] >= 0x20 && s[at] < 0x30 {
		at++
	}
	if at < len(s) && s[at] >= 0x30 && s[at] < 0x7f && (s[at] >= 0x40 || parameters == 0x40) {
		return at + 1
	}
	return start
}

// stringEnd passes a control string (a title, a hyperlink's address) up to BEL
// or ST. Any other control character means that its end was lost. Because
// a further ESC is one too, looking for ends stays linear in the text.
func stringEnd(s string, start, at int) int {
	for at < len(s) {
		switch c := s[at]; {
		case c == bell:
			return at + 1
		case c == escape:
			if at+1 < len(s) && s[at+1] == '\\' {
				return at + 2
			}
			return start
		case c == 0xc2 && at+1 < len(s) && s[at+1] >= 0x80 && s[at+1] < 0xa0:
			if s[at+1] == 0x9c {
				return at + 2
			}
			return start
		case c < 0x20 && c != '\t':
			return start
		case c < utf8.RuneSelf:
			at++
		default:
			_, n := utf8.DecodeRuneInString(s[at:])
			at += n
		}
	}
	return start
}
