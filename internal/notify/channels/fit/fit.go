// Package fit makes text fit the limits of services that carry it.
//
// In: text from anywhere, and how much of it a service takes. Out: valid UTF-8 that is no longer, ending in … where something is missing.
// Invariants: no character is cut in two, and a title is one line without marks that control a terminal or turn the direction of
// writing, by which a text could show something else than it says. Start reading at Runes, then Line.
package fit

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/notify"
)

const more = "…"

// Runes is text of at most most characters, counted as Unicode does.
func Runes(s string, most int) string {
	return cut(s, most, 1, func(rune) int { return 1 })
}

// Bytes is text of at most most bytes.
func Bytes(s string, most int) string { return cut(s, most, len(more), utf8.RuneLen) }

// UTF16 is text of at most most units of UTF-16, by which many services count.
func UTF16(s string, most int) string {
	return cut(s, most, 1, func(r rune) int {
		if r > 0xffff {
			return 2
		}
		return 1
	})
}

func cut(s string, most, mark int, size func(rune) int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	n, end := 0, 0 // end is where the mark would stand
	for i, r := range s {
		if n+mark <= most {
			end = i
		}
		if n += size(r); n > most {
			if most < mark {
				return ""
			}
			return whole(s[:end]) + more
		}
	}
	return s
}

// whole is text that does not end in the middle of a character made of several, such as a family or a flag.
func whole(s string) string {
	for {
		r, n := utf8.DecodeLastRuneInString(s)
		if r != joiner {
			return s
		}
		s = s[:len(s)-n]
		_, n = utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
}

// joiner makes one picture of two.
const joiner = '\u200d'

// Line is text in one line.
func Line(s string) string { return strings.Join(strings.Fields(Text(s)), " ") }

// Text is text in lines, of which none controls what shows it.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u0085' || r == '\v' || r == '\f':
			return '\n'
		case unicode.IsControl(r), r == '\ufeff', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\u200e', r == '\u200f', r >= 0xe0000 && r < 0xe0020:
			return -1
		}
		return r
	}, strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), "\uFFFD"))
}

// ID is what a message is called: the same for each try, another for each message.
func ID(m notify.Message) string {
	h := sha256.New()
	for _, part := range []string{m.DedupKey, string(m.Kind), m.To.Channel, m.To.Address, m.Title, m.Text, m.Time.UTC().Format(time.RFC3339Nano)} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
