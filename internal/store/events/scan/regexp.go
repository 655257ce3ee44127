package scan

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"github.com/signalbox-project/signalbox/internal/store"
)

// literal is a text that every match of a regular expression holds.
type literal struct {
	text string
	fold bool // in any case
	// Whether a word of the record begins or ends at the literal's edge for sure.
	startsWord, endsWord bool
}

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
	for _, l := range literals(tree.Simplify()) {
		hashes = append(hashes, wordHashes(l.text, l.startsWord, l.endsWord)...)
		if len(l.text) <= length {
			continue
		}
		if !l.fold {
			best, length = exact(l.text), len(l.text)
		} else if foldsInASCII(l.text) {
			best, length = store.NewTextMatcher(store.Text{Phrase: l.text}), len(l.text)
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

// literals are the texts that every match of re holds, neighbours joined.
func literals(re *syntax.Regexp) []literal {
	switch re.Op {
	case syntax.OpLiteral:
		return []literal{{text: string(re.Rune), fold: re.Flags&syntax.FoldCase != 0}}
	case syntax.OpCapture, syntax.OpPlus:
		out := literals(re.Sub[0])
		if re.Op == syntax.OpPlus {
			for i := range out {
				out[i].startsWord, out[i].endsWord = false, false
			}
		}
		return out
	case syntax.OpConcat:
		return joined(re.Sub)
	}
	return nil
}

// joined are the literals of a concatenation.
func joined(subs []*syntax.Regexp) (out []literal) {
	bound := false // a word bound or the text's start stands right before
	open := false  // out's last literal may be continued
	for _, s := range subs {
		switch s.Op {
		case syntax.OpWordBoundary, syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine:
			// \b knows ASCII words only: it is a bound of our words, too, only if
			// the neighbour on the other side is no letter beyond ASCII. Text ends are sure.
			sure := s.Op == syntax.OpBeginText || s.Op == syntax.OpEndText
			if open && sure {
				out[len(out)-1].endsWord = true
			}
			bound, open = sure, false
			continue
		case syntax.OpLiteral:
			l := literals(s)[0]
			if open && out[len(out)-1].fold == l.fold {
				out[len(out)-1].text += l.text
			} else {
				l.startsWord = bound
				out = append(out, l)
			}
			bound, open = false, true
			continue
		}
		out = append(out, literals(s)...)
		bound, open = false, false
	}
	return out
}
