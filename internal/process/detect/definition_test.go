package detect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheShippedDetectorsLoad(t *testing.T) {
	defs, err := Load([]string{"../../../examples/broker/detectors/*.yml"})
	if err != nil || len(defs) < 10 {
		t.Errorf("%d detectors, %v", len(defs), err)
	}
}

func TestWhatIsWrongWithADetectorIsNamedWithItsLine(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no YAML", "detectors: [", "f.yml"},
		{"another key", "detector: []", `f.yml:1: want one key, detectors, with a list; got "detector"`},
		{"a misspelt key", "detectors:\n  - name: a\n    expr: up\n    directon: drop", `f.yml:2: unknown key "directon"; did you mean "direction"?`},
		{"no name", "detectors:\n  - expr: up", "f.yml:2: name: must be"},
		{"no PromQL", "detectors:\n  - name: a\n    expr: sum(", "f.yml:2: expr: "},
		{"a range", "detectors:\n  - name: a\n    expr: up[5m]", "must be an instant vector, is a range vector"},
		{"a bare counter", "detectors:\n  - name: a\n    expr: sum(requests_total)", "requests_total is a counter, which only grows and starts again with its process: take rate(requests_total[5m])"},
		{"a kind", "detectors:\n  - {name: a, expr: up, kind: gauge}", "kind: must be level, rate or ratio"},
		{"a rate without a window", "detectors:\n  - {name: a, expr: up, kind: rate}", "window: a rate needs"},
		{"a ratio without events", "detectors:\n  - {name: a, expr: up, kind: ratio}", "events: a ratio needs"},
		{"a direction", "detectors:\n  - {name: a, expr: up, direction: down}", "direction: must be drop, rise or both"},
		{"a sensitivity", "detectors:\n  - {name: a, expr: up, sensitivity: 3}", "sensitivity: must be low, medium or high"},
		{"a season", "detectors:\n  - {name: a, expr: up, season: 2d}", "season: must be 1d, 1w or none"},
		{"a drop by more than everything", "detectors:\n  - {name: a, expr: up, direction: drop, min_change: 1}", "min_change: nothing drops by 100 %"},
		{"a label of its own", "detectors:\n  - {name: a, expr: up, labels: {detector: x}}", `labels: "detector" cannot be`},
		{"a name twice", "detectors:\n  - {name: a, expr: up}\n  - {name: a, expr: up}", `f.yml:3: name: "a" is another detector already`},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "f.yml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Load([]string{file}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if _, err := Load([]string{"/nosuch/f.yml"}); err == nil || !strings.Contains(err.Error(), "/nosuch/f.yml: no such file") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestABadFileKeepsTheDetectorsInForce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.yml")
	put := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{}
	d, err := New(DefaultConfig(), Deps{Querier: w, Appendable: w})
	if err != nil {
		t.Fatal(err)
	}
	put("detectors: [{name: a, expr: up}, {name: b, expr: up}]")
	if err := d.Load([]string{file}); err != nil {
		t.Fatal(err)
	}
	a := d.list[0]
	put("detectors: [{name: a, expr: up(}]")
	if err := d.Load([]string{file}); err == nil || len(d.list) != 2 {
		t.Errorf("%v; %d detectors in force", err, len(d.list))
	}
	put("# a line more\ndetectors: [{name: a, expr: up}, {name: b, expr: up * 2}]")
	if err := d.Load([]string{file}); err != nil || d.list[0] != a || len(d.list) != 2 {
		t.Errorf("%v; the unchanged detector was made anew", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("detectors: [{name: a, expr: up}]")
	f.Add("detectors:\n  - name: a\n    expr: rate(x_total[5m])\n    kind: rate\n    window: 5m\n    labels: {a: b}\n")
	f.Add("---\ndetectors: 1\n---\n- x")
	f.Fuzz(func(t *testing.T, text string) {
		defs, err := Parse("f.yml", []byte(text))
		for _, d := range defs {
			if err == nil && len(d.validate()) > 0 {
				t.Errorf("taken although %v", d.validate())
			}
		}
	})
}
