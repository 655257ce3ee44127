package literal

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func of(t interface{ Fatal(...any) }, re string) []Literal {
	tree, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		t.Fatal(re, err)
	}
	return Of(tree.Simplify())
}

func TestTextsThatEveryMatchHolds(t *testing.T) {
	for _, c := range []struct {
		name, re string
		want     []Literal
	}{
		{"a text", "abc", []Literal{{Text: "abc"}}},
		{"in any case", "(?i)abc", []Literal{{Text: "ABC", Fold: true}}},
		{"neighbours that differ in it are apart", "ab(?i:cd)ef", []Literal{{Text: "ab"}, {Text: "CD", Fold: true}, {Text: "ef"}}},
		{"around what is not known", "ab.*cd", []Literal{{Text: "ab"}, {Text: "cd"}}},
		{"in a group", "x(ab)y", []Literal{{Text: "x"}, {Text: "ab"}, {Text: "y"}}},
		{"text ends are word ends", "^ab$", []Literal{{Text: "ab", StartsWord: true, EndsWord: true}}},
		{"line ends may be within a text", "(?m)^ab$", []Literal{{Text: "ab"}}},
		{"bounds of ASCII words are not bounds of all words", `\bab\b`, []Literal{{Text: "ab"}}},
		{"the end closes only what stands right before", "ab.$", []Literal{{Text: "ab"}}},
		{"what is repeated may go on within a word", "(^ab)+", []Literal{{Text: "ab"}}},
		{"what may be absent", "(ab)?(cd)*", nil},
		{"one of several", "xab|ycd", nil},
		{"a class", "[ab]", nil},
		{"nothing", "", nil},
	} {
		if got := of(t, c.re); !slices.Equal(got, c.want) {
			t.Errorf("%s, %s: %+v, want %+v", c.name, c.re, got, c.want)
		}
	}
}

// drawn is a regular expression and a text that it matches as a whole.
func drawn(t *rapid.T, depth int) (re, text string) {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
		piece := rapid.SampledFrom([][2]string{{"ab", "ab"}, {"k", "k"}, {"(?i:Cd)", "cD"}, {".", "x"}, {`\d+`, "42"}, {"日志", "日志"}, {`\b`, ""}, {" ", " "}}).Draw(t, "piece")
		return piece[0], piece[1]
	}
	a, ta := drawn(t, depth-1)
	switch rapid.IntRange(0, 5).Draw(t, "shape") {
	case 0:
		return "(?:" + a + ")+", ta + ta
	case 1:
		return "(" + a + ")?", rapid.SampledFrom([]string{"", ta}).Draw(t, "taken")
	case 2:
		b, tb := drawn(t, depth-1)
		return "(" + a + "|" + b + ")", rapid.SampledFrom([]string{ta, tb}).Draw(t, "one")
	case 3:
		return "(?:" + a + "){2,3}", ta + ta
	}
	b, tb := drawn(t, depth-1)
	return a + b, ta + tb
}

// A text that a match can do without would hide the match.
func TestNoMatchIsWithoutATextThatIsListed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		re, text := drawn(t, 4)
		for _, whole := range []string{re, "^" + re + "$", "(?m)^" + re + "$"} {
			if !regexp.MustCompile(whole).MatchString(text) {
				continue // a bound of a word that is none
			}
			for _, l := range of(t, whole) {
				has := strings.Contains(text, l.Text)
				if l.Fold {
					has = strings.Contains(strings.ToLower(text), strings.ToLower(l.Text))
				}
				if !has {
					t.Fatalf("%s matches %q, which has no %+v", whole, text, l)
				}
				if (l.StartsWord && !strings.HasPrefix(text, l.Text) || l.EndsWord && !strings.HasSuffix(text, l.Text)) && !l.Fold {
					t.Fatalf("%s: %+v is not at the edge of %q", whole, l, text)
				}
			}
		}
	})
}
