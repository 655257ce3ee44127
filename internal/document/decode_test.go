package document

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

type texts struct {
	A string            `yaml:"a"`
	B []string          `yaml:"b"`
	C map[string]string `yaml:"c"`
}

func decodeTexts(text string) (got texts, problems []Problem) {
	r, docs := Parse("a.yaml", []byte(text))
	for _, doc := range docs {
		doc.Decode(&got, "")
	}
	return got, r.Problems()
}

// A text is decoded as it is written, in every form of YAML and wherever it stands.
func TestTextsAreDecodedAsTheyStand(t *testing.T) {
	for form, want := range map[string]string{
		"x\ty": "x\ty", "x\ty # c": "x\ty", "x\ty\n    z\tw\n\n    q": "x\ty z\tw\nq",
		"|\n    x\ty\n    z": "x\ty\nz\n", ">-\n    x\n    y": "x y", "|+\n    x\n": "x\n\n", "'x\ty'": "x\ty", `"x\ty\n"`: "x\ty\n",
	} {
		for text, want := range map[string]texts{
			"a: " + form + "\n":       {A: want},
			"b:\n  - " + form + "\n":  {B: []string{want}},
			"c:\n  k: " + form + "\n": {C: map[string]string{"k": want}},
		} {
			got, problems := decodeTexts(text)
			if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
				t.Errorf("%q: %v %s", text, problems, diff)
			}
		}
	}
}

// What another library writes is read as the same, or refused. No line begins with a tab: there the parser is at fault.
func TestTextsOfAnotherLibraryAreDecodedAlike(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "b c", "x\ty", "\n", " ", ": ", "#", " #", "'", `"`, "-", "0", "true", "é", "{", "]", "|", ">", "%", "\\", "&x", "*"}
	draw := func() string {
		var b strings.Builder
		for range rnd.IntN(7) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		return strings.TrimLeft(b.String(), " \n") // the other library counts those wrong
	}
	refused := 0
	for range 3000 {
		want := texts{A: draw(), B: []string{draw(), draw()}, C: map[string]string{"k": draw()}}
		text, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, problems := decodeTexts(string(text))
		if len(problems) > 0 {
			refused++
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q: %s", text, diff)
		}
	}
	if refused > 300 {
		t.Errorf("%d of 3000 are refused", refused)
	}
}
