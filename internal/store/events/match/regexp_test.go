package match

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/signalbox-project/signalbox/internal/store"
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
		hashes := wordHashes(string(r), true, true)
		if store.IsWordRune(r) != (len(hashes) == 1) {
			t.Fatalf("%U: a word's rune for one of search and filter only", r)
		}
		if f := store.FoldRune(r); !slices.Equal(wordHashes(string(f), true, true), hashes) {
			t.Fatalf("%U folds to %U, but its hash is another", r, f)
		}
	}
}

// Whatever text a phrase is found in, its filter holds the words that are asked for.
func TestAFilterIsNeverAskedForAWordThatAMatchDoesNotHave(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{
			"a", "B", "7", "_", " ", "-", "é", "日", "志", "ー", "로", "ข", "้", "\x1b[31m", "\x1b[0m", "\u009b1m", "\x1b(B", "\x1b", "k", "\u212a",
		}), 0, 14).Draw(t, "text")
		text := strings.Join(pieces, "")
		seen := []rune(store.Visible(text))
		from := rapid.IntRange(0, len(seen)).Draw(t, "from")
		phrase := string(seen[from:rapid.IntRange(from, len(seen)).Draw(t, "to")])
		prefix := rapid.Bool().Draw(t, "prefix")
		if !store.NewTextMatcher(store.Text{Phrase: phrase, Prefix: prefix}).Match(text) {
			return
		}
		has := wordHashes(text, true, true)
		for _, h := range wordHashes(phrase, true, !prefix) {
			if !slices.Contains(has, h) {
				t.Fatalf("%q is in %q, but one of its words is not", phrase, text)
			}
		}
	})
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
