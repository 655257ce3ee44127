package document

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// However many empty documents stand between them, before and behind: every document of a file is read, on its line.
func TestNoDocumentIsLostBehindAnEmptyOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end of lines")
		nothing := []string{"", "# nothing", "  # nothing", "null"}
		content := []string{"k: v", "{k: v}", "[v]", "k: |" + end + "  # text" + end, "k: |+" + end + "  text" + end, "k: # v" + end + "- v"}
		var text strings.Builder
		var want []int
		line := 1
		write := func(s string) {
			text.WriteString(s + end)
			line += 1 + strings.Count(s, "\n")
		}
		for i := range rapid.IntRange(1, 6).Draw(t, "documents") {
			if i > 0 || rapid.Bool().Draw(t, "a marker begins the file") {
				write(rapid.SampledFrom([]string{"---", "--- ", "--- # next"}).Draw(t, "marker"))
			}
			if rapid.Bool().Draw(t, "empty") {
				write(rapid.SampledFrom(nothing).Draw(t, "nothing"))
				continue
			}
			want = append(want, line)
			write(rapid.SampledFrom(content).Draw(t, "content"))
		}
		r, docs := Parse("a.yaml", []byte(text.String()))
		var got []int
		for _, d := range docs {
			got = append(got, d.Line())
		}
		if !slices.Equal(got, want) || len(r.Problems()) > 0 {
			t.Fatalf("documents on lines %v, want %v: %v\n%s", got, want, r.Problems(), text.String())
		}
	})
}

// What rendered charts and editors leave in a file.
func TestMarkersOfEveryKindAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"---\n# Source: slos.yaml\n---\na: 1\n":     "a:4",
		"a: 1\n---\n---\nb: 1\n":                    "a:1 b:4",
		"a: |\n  x\n---\n---\nb: |+\n  y\n\n---\n":  "a:1 b:5",
		"%YAML 1.2\n---\na: 1\n...\n---\nb: 1\n":    "a:3 b:6",
		"--- {a: 1}\n--- \n--- {b: 1}\n":            "a:1 b:3",
		"---\n---\n---\n":                           "",
		"a: 'x\n  --- y'\n":                         "a:1",
		"a: 1\n---\n# then\n---\nb: [\n---\nc: 1\n": "a:1 c:7", // and b's bracket is a problem
	} {
		_, docs := Parse("a.yaml", []byte(text))
		var got []string
		for _, d := range docs {
			got = append(got, fmt.Sprintf("%s:%d", strings.Join(d.Object("").Keys(), ""), d.Line()))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: %v, want %s", text, got, want)
		}
	}
}

func TestTabsWithinATextStay(t *testing.T) {
	for text, want := range map[string]string{
		"a: up\tand x\n": "up\tand x", "a: \tup \t # b\tc\n": "up", "a: 'x\ty'\n": "x\ty", "{a: x\ty, b: z}\n": "x\ty", "a: |\n  x\ty\n": "x\ty\n", "a: &x x\ty\n": "x\ty",
	} {
		_, o := object(t, text)
		if got := o.Str("a", true); got != want {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}
}
