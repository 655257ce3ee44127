package scan

import (
	"regexp"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

func TestARegexpTellsWhichTextEveryMatchHolds(t *testing.T) {
	for _, c := range []struct {
		name, re, text string
		words          []string
	}{
		{"a literal is searched as it stands, its edges may lie within words", "reset by peer", "reset by peer", []string{"by"}},
		{"literals around a wildcard: the longest", `took \d+ ms rows=9`, " ms rows=9", []string{"ms", "rows"}},
		{"nothing is known of alternatives but how all begin", "reset|refused", "re", nil},
		{"nothing is known of alternatives that begin apart", "reset|timeout", "", nil},
		{"a literal beside alternatives is known", `connection (reset|refused)`, "connection ", nil},
		{"the text's start begins a word", "^fatal: out", "fatal: out", []string{"fatal"}},
		{"the text's end ends a word", "out of memory$", "out of memory", []string{"of", "memory"}},
		{"in any case, where bytes may be folded", "(?i)out of memory", "out of memory", []string{"of"}},
		{"no search of bytes where k and s have other spellings", "(?i)disk is full", "", []string{"is"}},
		{"what may be absent is not required", "(abc)?def(ghi)*", "def", nil},
		{"what comes once at least is", "(abcd)+e", "abcd", nil},
		{"a single byte is not worth it", `a\d`, "", nil},
		{"nothing", `.*`, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			find, hashes := requiredText(regexp.MustCompile(c.re))
			text := ""
			switch f := find.(type) {
			case exact:
				text = string(f)
			case *store.TextMatcher:
				text = c.text
				if start, end := f.Next("x"+c.text, 0); start != 1 || end != len(c.text)+1 {
					t.Errorf("the finder does not find %q", c.text)
				}
			}
			var want []uint64
			for _, w := range c.words {
				want = append(want, wordHashes(w, true, true)...)
			}
			if text != c.text {
				t.Errorf("text %q, want %q", text, c.text)
			}
			if diff := cmp.Diff(want, hashes); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
		})
	}
}

// Block filters may only be asked for a word's hash if all spellings that the
// matcher takes for the same have the same hash.
func TestEveryRuneThatFoldsAlikeHashesAlike(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if store.IsWordRune(r) != part.IsWordRune(r) && r != '\uFFFD' {
			t.Fatalf("%U: a word's rune for one of search and filter only", r)
		}
		if f := store.FoldRune(r); part.FoldRune(f) != part.FoldRune(r) {
			t.Fatalf("%U folds to %U, but its hash is another", r, f)
		}
	}
}

func TestHitsAreFoundInTheRightRows(t *testing.T) {
	offs := []uint32{0, 0, 3, 3, 10, 11, 11, 20}
	for pos := range 20 {
		row := 0
		for int(offs[row+1]) <= pos {
			row++
		}
		for from := 0; from <= row; from++ {
			if got := rowAt(offs, from, pos); got != row {
				t.Fatalf("byte %d from row %d: row %d, want %d", pos, from, got, row)
			}
		}
	}
}
