package document

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	prom "github.com/prometheus/common/model"
)

// object reads the first document of a text.
func object(t *testing.T, text string) (*Reader, *Object) {
	t.Helper()
	r, nodes := Parse("a.yaml", []byte(text))
	if len(nodes) == 0 {
		t.Fatal(r.Problems())
	}
	return r, nodes[0].Object("")
}

func TestMergeKeysAreLaidInUnderTheOwnOnes(t *testing.T) {
	r, o := object(t, `
base: &base {name: base, env: prod, deep: {x: 1}}
more: &more {team: a, env: dev}
one:
  <<: *base
  name: one
two:
  name: two
  <<: [*base, *more]
`)
	one, two := o.Object("one", true), o.Object("two", true)
	if one.Str("name", true) != "one" || one.Str("env", true) != "prod" || one.Object("deep", true).Str("x", true) != "1" {
		t.Error("the own name and the merged env are expected")
	}
	if two.Str("name", true) != "two" || two.Str("env", true) != "prod" || two.Str("team", true) != "a" {
		t.Error("of several mappings the first that has a key counts")
	}
	if got := fmt.Sprint(two.Keys()); got != "[name env deep team]" {
		t.Errorf("keys %s", got)
	}
	one.End()
	if len(r.Problems()) != 0 {
		t.Error(r.Problems())
	}
}

func TestAnAliasStandsForTheAnchorBeforeItInItsOwnDocument(t *testing.T) {
	_, nodes := Parse("a.yaml", []byte("b: *x\na: &x 1\n---\na: &x 2\nb: *x\n---\nc: {d: [{e: &y deep}]}\nb: *y\n"))
	if nodes[0].Object("").get("b", false) == nil || nodes[1].Object("").Str("b", true) != "2" || nodes[2].Object("").Str("b", true) != "deep" {
		t.Error("aliases of other documents were taken")
	}
	r, _ := Parse("a.yaml", []byte("b: *x\na: &x 1\n"))
	if got := fmt.Sprint(r.Problems()); !strings.Contains(got, "a.yaml:1: *x stands for nothing; set the anchor &x above it") {
		t.Error(got)
	}
}

func TestProblemsHaveLineAndColumn(t *testing.T) {
	r, o := object(t, "name: x\nspec: {size: big, colour: red}\n")
	spec := o.Object("spec", true)
	spec.Number("size")
	spec.End()
	want := []Problem{
		{File: "a.yaml", Line: 2, Column: 8, Message: `spec.size must be a number, got "big"`, Cure: "write digits only, without a unit or %; for example `size: …`"},
		{File: "a.yaml", Line: 2, Column: 19, Message: `spec: unknown key "colour"`, Cure: "known are size"},
	}
	if diff := cmp.Diff(want, r.Problems()); diff != "" {
		t.Error(diff)
	}
}

type settings struct {
	Name    string            `yaml:"name"`
	Every   prom.Duration     `yaml:"every"`
	Labels  map[string]string `yaml:"labels"`
	Rows    []row             `yaml:"rows"`
	Inner   *row              `yaml:"inner"`
	Foreign Raw               `yaml:"foreign"`
}

type row struct {
	Size int `yaml:"size"`
}

func TestStructsAreDecodedWithEveryProblemAtOnce(t *testing.T) {
	s := settings{Name: "kept", Rows: []row{{1}}}
	r, nodes := Parse("a.yaml", []byte(`x: &l {a: b}
every: 5m
name:
labels: *l
rows:
  - {size: 7}
  - {siz: 8}
inner: {size: many}
foreign:
  - job
  # a comment of theirs
`))
	nodes[0].Decode(&s, "")
	want := settings{
		Name: "kept", Every: prom.Duration(5 * time.Minute), Labels: map[string]string{"a": "b"}, Rows: []row{{7}, {}}, Inner: &row{},
		Foreign: Raw{"\n", "\n", "\n", "\n", "\n", "\n", "\n", "\n", "foreign:\n", "  - job\n", "  # a comment of theirs\n", ""},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	r.Invalid("", []error{fmt.Errorf("rows[0].size: too large"), fmt.Errorf("inner.colour: missing")})
	var got []string
	for _, p := range r.Problems() {
		got = append(got, p.Error())
	}
	if diff := cmp.Diff([]string{
		`a.yaml:1: unknown key "x"; known are every, foreign, inner, labels, name, rows`,
		"a.yaml:6: rows[0].size: too large",
		`a.yaml:7: rows[1]: unknown key "siz"; did you mean "size"?`,
		"a.yaml:8: inner.size must be a number, is a text; write digits only, without quotes or a unit",
		"a.yaml:8: inner.colour: missing",
	}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAliasesThatGrowWithoutEndAreRefused(t *testing.T) {
	text := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		text += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), ", "))
	}
	for _, text := range []string{text + "labels: *j\n", "labels: &l {a: *l}\n"} {
		r, nodes := Parse("a.yaml", []byte(text))
		var s struct {
			Labels any `yaml:"labels"`
		}
		nodes[0].Decode(&s, "")
		if got := fmt.Sprint(r.Problems()); !strings.Contains(got, "labels: is nested too deep") && !strings.Contains(got, "labels is nested too deep") {
			t.Error(got)
		}
	}
}

// A colon begins a value only where a space follows it; host:port is one text in every form of list.
func TestHostAndPortInAListAreOneText(t *testing.T) {
	for _, text := range []string{"a: [{b: [h:1, 'g:2', a:b:c, x: 1]}]", "a:\n- b:\n  - h:1\n  - g:2\n  - a:b:c\n  - x: 1\n"} {
		_, nodes := Parse("a.yaml", []byte(text))
		var got struct {
			A []struct{ B []any }
		}
		nodes[0].Decode(&got, "")
		if want := "[h:1 g:2 a:b:c map[x:1]]"; fmt.Sprint(got.A[0].B) != want {
			t.Errorf("%q: %v, want %s", text, got.A[0].B, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"a: {b: [1, 2]}\n", "<<: *x\n", "a: &a\n  <<: *a\n", "- - {", "? [a]\n: b\n", "a: !!str 1\n---\n&x {a: *x}\n", "name: |\n  x\nrows: [{size: 1}]\nlabels: {a: b}\n",
		"\"<<\": {a: 1}\n", "<<: [[{a: 1}]]\n", "a: *\n", "&a : x\n", "rows: &r [*r]\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, nodes := Parse("f.yaml", text)
		for _, n := range nodes {
			var s settings
			n.Decode(&s, "")
			var free map[string]any
			n.Decode(&free, "")
			n.Line()
		}
		lines := strings.Count(string(text), "\n") + strings.Count(string(text), "\r") + 1 // both break lines in YAML
		for _, p := range r.Problems() {
			if p.Message == "" || p.File != "f.yaml" || p.Line < 1 || p.Line > lines+1 {
				t.Errorf("a problem without a message or a place: %+v", p)
			}
		}
	})
}
