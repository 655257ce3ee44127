package part

import (
	"unicode"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// Words calls yield with the hash of each word of text and its place [start,
// end) in bytes, until yield returns false. A word is a run of letters, digits and _ as Unicode knows
// them; the hash is the same for all its spellings in upper and lower case. The
// whole text's words are what block filters hold, so the same function must look
// them up.
func Words(text string, yield func(hash uint64, start, end int) bool) {
	h, start := uint64(fnvOffset), -1
	for i := 0; i < len(text); {
		c := text[i]
		n := 1
		r := rune(asciiWord[c])
		if c >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[i:])
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				r = FoldRune(r)
			} else {
				r = 0
			}
		}
		if r == 0 {
			if start >= 0 {
				if !yield(mix(h), start, i) {
					return
				}
				h, start = fnvOffset, -1
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
		yield(mix(h), start, len(text))
	}
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

// IsWordRune reports whether r belongs to words.
func IsWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 0 && asciiWord[r] != 0
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// FoldRune maps all runes that are equal but for case (Unicode simple folding)
// to one of them; ASCII letters to lower case.
func FoldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if least >= 'A' && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

// mix spreads h's entropy over all bits (the finalizer of MurmurHash3). It is
// never 0, which marks free slots where hashes are collected.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return max(h^h>>33, 1)
}

// FieldHash is what block filters hold for field=value, where value is the text form
// (model.Value.String), for a field without a dictionary in the part.
func FieldHash(field, value string) uint64 {
	return mix(xxhash.Sum64String(field)*fnvPrime ^ xxhash.Sum64String(value))
}

// TraceHash is what the trace filter holds for a trace id.
func TraceHash(id [16]byte) uint64 { return xxhash.Sum64(id[:]) }
