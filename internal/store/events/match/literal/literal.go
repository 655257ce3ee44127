// Package literal finds the plain texts that every match of a regular expression holds.
//
// It reads the parsed tree (regexp/syntax) and does not search: package scan does,
// and asks its word filters for the words within the texts.
//
// In: a simplified tree. Out: texts in order of the expression. A text is listed only if no
// match can be without it; that some are missed costs time, never an answer.
//
// Start reading at Of.
package literal

import "regexp/syntax"

// Literal is a text that every match of a regular expression holds.
type Literal struct {
	Text string
	Fold bool // in any case
	// Whether a word of the record begins or ends at the text's edge for sure.
	StartsWord, EndsWord bool
}

// Of lists the texts that every match of re holds, neighbours joined.
func Of(re *syntax.Regexp) []Literal {
	switch re.Op {
	case syntax.OpLiteral:
		return []Literal{{Text: string(re.Rune), Fold: re.Flags&syntax.FoldCase != 0}}
	case syntax.OpCapture, syntax.OpPlus:
		out := Of(re.Sub[0])
		if re.Op == syntax.OpPlus {
			for i := range out {
				out[i].StartsWord, out[i].EndsWord = false, false
			}
		}
		return out
	case syntax.OpConcat:
		return joined(re.Sub)
	}
	return nil
}

// joined are the literals of a concatenation.
func joined(subs []*syntax.Regexp) (out []Literal) {
	bound := false // a word bound or the text's start stands right before
	open := false  // out's last literal may be continued
	for _, s := range subs {
		switch s.Op {
		case syntax.OpWordBoundary, syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine:
			// \b knows ASCII words only: it is a bound of our words, too, only if
			// the neighbour on the other side is no letter beyond ASCII. Text ends are sure.
			sure := s.Op == syntax.OpBeginText || s.Op == syntax.OpEndText
			if open && sure {
				out[len(out)-1].EndsWord = true
			}
			bound, open = sure, false
			continue
		case syntax.OpLiteral:
			l := Of(s)[0]
			if open && out[len(out)-1].Fold == l.Fold {
				out[len(out)-1].Text += l.Text
			} else {
				l.StartsWord = bound
				out = append(out, l)
			}
			bound, open = false, true
			continue
		}
		out = append(out, Of(s)...)
		bound, open = false, false
	}
	return out
}
