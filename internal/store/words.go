package store

import (
	"unicode"
	"unicode/utf8"
)

// IsWordRune reports whether r belongs to a word: a letter, a digit or _.
func IsWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// IsLoneRune reports whether r is a word of its own: a letter of a script that
// is written without spaces between words (Chinese, Japanese, Thai, Lao,
// Khmer, Burmese) or joins particles to them (Korean). A run of such letters is
// a phrase, so that any part of it is found.
func IsLoneRune(r rune) bool {
	if r < 0x0e00 {
		return false
	}
	return inLoneScript(r) && unicode.IsLetter(r)
}

func inLoneScript(r rune) bool {
	switch {
	case r < 0x0f00: // Thai, Lao
		return true
	case r < 0x2e80:
		return r >= 0x1000 && r < 0x10a0 || // Burmese
			r >= 0x1100 && r < 0x1200 || // Hangul letters
			r >= 0x1780 && r < 0x1800 || // Khmer
			r >= 0x1950 && r < 0x19e0 || r >= 0x1a20 && r < 0x1ab0 // Tai Le, New Tai Lue, Tai Tham
	case r < 0xa000: // radicals, Kana, Bopomofo, Hangul compatibility letters, Han
		return true
	case r < 0x10000:
		return r >= 0xa960 && r < 0xa980 || r >= 0xac00 && r < 0xd800 || // Hangul
			r >= 0xa9e0 && r < 0xaa00 || r >= 0xaa60 && r < 0xaae0 || // Burmese and Tai Viet
			r >= 0xf900 && r < 0xfb00 || r >= 0xff66 && r < 0xffe0 // compatibility Han, half-width Kana and Hangul
	}
	return r >= 0x1aff0 && r < 0x1b170 || r >= 0x20000 && r < 0x40000 // further Kana, Han
}

// joined reports whether a and b, next to each other, lie in one word.
func joined(a, b rune) bool {
	return IsWordRune(a) && IsWordRune(b) && !IsLoneRune(a) && !IsLoneRune(b)
}

// FoldRune maps r to its form in case-insensitive comparisons: lower case. A
// rune beyond ASCII never folds to an ASCII one (the Kelvin sign stays apart
// from k), so that ASCII words can be searched bytewise.
func FoldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	if l := unicode.ToLower(r); l >= utf8.RuneSelf {
		return l
	}
	return r
}

// orbit maps all runes that are equal but for case (Unicode simple folding) to
// one of them; ASCII letters to lower case. It is coarser than FoldRune:
// what a regular expression takes for the same hashes alike, too.
func orbit(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least >= 'A' && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

// AppendFolded appends word to dst in the form in which words are compared.
func AppendFolded(dst []byte, word string) []byte {
	for i := 0; i < len(word); {
		c := word[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(word[i:])
		dst = utf8.AppendRune(dst, FoldRune(r))
		i += n
	}
	return dst
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// Words calls yield with the hash of each word of text and its place [start,
// end) in bytes, until yield returns false. A word is a run of letters, digits
// and _ (IsWordRune), or one letter alone (IsLoneRune); escape sequences are
// passed over, also within a word. The hash is the same for all spellings in
// upper and lower case.
//
// The filters of sealed files hold these hashes, and TextMatcher finds exactly
// these words: whoever changes what a word is raises the files' version.
func Words(text string, yield func(hash uint64, start, end int) bool) {
	h, start := uint64(fnvOffset), -1
	for i := 0; i < len(text); {
		c := text[i]
		n := 1
		r := rune(asciiWord[c])
		lone := false
		if c >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[i:])
			if r, lone = wordRune(r); r == 0 && c == 0xc2 && beginsEscape(text, i) {
				if end := escapeEnd(text, i); end > i {
					i = end
					continue
				}
			}
		}
		if r == 0 || lone {
			if c == escape {
				if end := escapeEnd(text, i); end > i {
					i = end
					continue
				}
			}
			if start >= 0 {
				if !yield(Mix(h), start, i) {
					return
				}
				h, start = fnvOffset, -1
			}
			if lone && !yield(Mix((h^uint64(r))*fnvPrime), i, i+n) {
				return
			}
			i += n
			continue
		}
		if start < 0 {
			start = i
		}
		h = (h ^ uint64(r)) * fnvPrime
		i += n
	}
	if start >= 0 {
		yield(Mix(h), start, len(text))
	}
}

// wordRune is the folded form of a rune beyond ASCII that belongs to a word, 0 for all others.
func wordRune(r rune) (folded rune, lone bool) {
	if IsLoneRune(r) {
		return orbit(r), true
	}
	if r == utf8.RuneError || !unicode.IsLetter(r) && !unicode.IsDigit(r) {
		return 0, false
	}
	return orbit(r), false
}

// asciiWord is the folded form of ASCII word characters, 0 for all others.
var asciiWord = func() (t [256]byte) {
	for c := range utf8.RuneSelf {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '_':
			t[c] = byte(c)
		case c >= 'A' && c <= 'Z':
			t[c] = byte(c) + 'a' - 'A'
		}
	}
	return t
}()

// Mix spreads h's entropy over all bits (the finalizer of MurmurHash3). It is
// never 0, which marks free slots where hashes are collected.
func Mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return max(h^h>>33, 1)
}
