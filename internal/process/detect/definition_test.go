package detect

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signalbox-project/signalbox/internal/document"
)

func TestTheShippedDetectorsLoad(t *testing.T) {
	defs, problems := Load([]string{"../../../examples/broker/detectors/*.yml"})
	if len(problems) > 0 || len(defs) < 10 {
		t.Errorf("%d detectors, %v", len(defs), problems)
	}
}

func TestWhatIsWrongWithADetectorIsNamedWithItsLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no YAML", "detectors: [", "f.yml"},
		{"another key", "detector: []", `f.yml:1: unknown key "detector"; did you mean "detectors"?`},
		{"a misspelt key", "detectors:\n  - name: a\n    expr: up\n    directon: drop", `f.yml:4: detectors[0]: unknown key "directon"; did you mean "direction"?`},
		{"no name", "detectors:\n  - expr: up", "f.yml:2: detectors[0].name: must be"},
		{"no PromQL", "detectors:\n  - name: a\n    expr: sum(", "f.yml:3: detectors[0].expr: "},
		{"a range", "detectors:\n  - name: a\n    expr: up[5m]", "must be an instant vector, is a range vector"},
		{"a bare counter", "detectors:\n  - name: a\n    expr: sum(requests_total)", "requests_total is a counter, which only grows and starts again with its process: take rate(requests_total[5m])"},
		{"a kind", "detectors:\n  - {name: a, expr: up, kind: gauge}", "kind: must be level, rate or ratio"},
		{"a rate without a window", "detectors:\n  - {name: a, expr: up, kind: rate}", "window: a rate needs"},
		{"a ratio without events", "detectors:\n  - {name: a, expr: up, kind: ratio}", "events: a ratio needs"},
		{"a direction", "detectors:\n  - {name: a, expr: up, direction: down}", "direction: must be drop, rise or both"},
		{"a sensitivity", "detectors:\n  - {name: a, expr: up, sensitivity: 3}", "sensitivity: must be low, medium or high"},
		{"a season", "detectors:\n  - {name: a, expr: up, season: 2d}", "season: must be 1d, 1w or none"},
		{"a drop by more than everything", "detectors:\n  - {name: a, expr: up, direction: drop, min_change: 1}", "min_change: nothing drops by 100 %"},
		{"a number that is none", "detectors:\n  - name: a\n    expr: up\n    min_change: much", "f.yml:4: detectors[0].min_change must be a number, is a text; write digits only"},
		{"no list", "detectors: {a: up}", "f.yml:1: detectors must be a list; begin each entry with"},
		{"an alias of nothing", "detectors: *d", "f.yml:1: *d stands for nothing; set the anchor &d above it"},
		{"a label of its own", "detectors:\n  - {name: a, expr: up, labels: {detector: x}}", `labels: "detector" cannot be`},
		{"a name twice", "detectors:\n  - {name: a, expr: up}\n  - {name: a, expr: up}", `f.yml:3: name: "a" is another detector already`},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "f.yml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, problems := Load([]string{file}); !strings.Contains(fmt.Sprint(document.Err(problems)), c.want) {
				t.Errorf("%v, want %q", problems, c.want)
			}
		})
	}
	if _, problems := Load([]string{"/nosuch/f.yml"}); !strings.Contains(fmt.Sprint(document.Err(problems)), "/nosuch/f.yml: there is no such file; mend the path in detector_files") {
		t.Errorf("a missing file: %v", problems)
	}
}

func TestABadFileKeepsItsDetectorsInForceAndHoldsUpNoOther(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{}
	d, err := New(DefaultConfig(), Deps{Querier: w, Appendable: w})
	if err != nil {
		t.Fatal(err)
	}
	names := func() string {
		var out []string
		for _, one := range d.list {
			out = append(out, one.def.Name)
		}
		return strings.Join(out, " ")
	}
	all := []string{filepath.Join(dir, "*.yml")}
	put("f.yml", "detectors: [{name: a, expr: up}, {name: b, expr: up}]")
	put("g.yml", "detectors: [{name: c, expr: up}]")
	if err := d.Reload(all); err != nil || names() != "a b c" {
		t.Fatalf("%v; in force: %s", err, names())
	}
	a := d.list[0]
	put("f.yml", "detectors: [{name: a, expr: up(}]")
	put("g.yml", "detectors: [{name: d, expr: up}]")
	if err := d.Reload(all); err == nil || names() != "a b d" || d.list[0] != a {
		t.Errorf("%v; in force: %s", err, names())
	}
	if problems := d.Problems(); len(problems) != 1 || !strings.Contains(problems[0].Message, "f.yml:1: detectors[0].expr: ") || !strings.Contains(problems[0].Message, "the last good version of the file stays in force") {
		t.Errorf("problems shown: %v", problems)
	}
	put("f.yml", "# a line more\ndetectors: [{name: a, expr: up}, {name: b, expr: up * 2}]")
	if err := d.Reload(all); err != nil || d.list[0] != a || names() != "a b d" || len(d.Problems()) != 0 {
		t.Errorf("%v; the unchanged detector was made anew", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("detectors: [{name: a, expr: up}]")
	f.Add("detectors:\n  - name: a\n    expr: rate(x_total[5m])\n    kind: rate\n    window: 5m\n    labels: {a: b}\n")
	f.Add("---\ndetectors: 1\n---\n- x")
	f.Fuzz(func(t *testing.T, text string) {
		defs, _ := Parse("f.yml", []byte(text))
		for _, d := range defs {
			if len(d.validate()) > 0 {
				t.Errorf("taken although %v", d.validate())
			}
		}
	})
}
