package match

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/match/literal"
)

// exact finds a text as it stands.
type exact string

// Next is strings.Index from an offset.
func (e exact) Next(s string, from int) (start, end int) {
	i := strings.Index(s[from:], string(e))
	if i < 0 {
		return -1, -1
	}
	return from + i, from + i + len(e)
}

// requiredText derives from a regular expression a text that every match
// holds (nil if none is known) and the hashes of words that every matching
// record has.
func requiredText(re *regexp.Regexp) (finder, []uint64) {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil, nil // it is no RE2 source of ours; search without help
	}
	var best finder
	length := 1 // a single byte is not worth a search of its own
	var hashes []uint64
	for _, l := range literal.Of(tree.Simplify()) {
		hashes = append(hashes, wordHashes(l.Text, l.StartsWord, l.EndsWord)...)
		if len(l.Text) <= length {
			continue
		}
		if !l.Fold {
			best, length = exact(l.Text), len(l.Text)
		} else if foldsInASCII(l.Text) {
			best, length = store.NewTextMatcher(store.Text{Phrase: l.Text}), len(l.Text)
		}
	}
	return best, hashes
}

// foldsInASCII reports whether all spellings of s are ASCII: k and s have
// others (the Kelvin sign, the long s), which a search for bytes would miss.
func foldsInASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c|0x20 == 'k' || c|0x20 == 's' {
			return false
		}
	}
	return true
}
