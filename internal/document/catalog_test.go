package document

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// words is the value of files whose lines are words: "bad" is an error, a word that stands twice is one of
// the later, and "+word" needs that word somewhere.
func words(files []File) (out []string, problems []Problem) {
	first := map[string]bool{}
	all := ""
	for _, f := range files {
		all += " " + strings.Join(strings.Fields(string(f.Text)), " ") + " "
	}
	for _, f := range files {
		for _, w := range strings.Fields(string(f.Text)) {
			need, needs := strings.CutPrefix(w, "+")
			switch {
			case w == "bad", first[w], needs && !strings.Contains(all, " "+need+" "):
				problems = append(problems, Problem{File: f.Path, Line: 1, Message: w + " is wrong"})
			default:
				first[w] = true
				out = append(out, w)
			}
		}
	}
	return out, problems
}

func commit(t *testing.T, p *Prepared[[]string]) {
	t.Helper()
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestOneBadFileDoesNotHoldUpTheOthers(t *testing.T) {
	f := func(path, text string) File { return File{path, []byte(text)} }
	for _, c := range []struct {
		name        string
		first, then []File
		unread      []Problem
		want, note  string
	}{
		{"a file that got worse", []File{f("a", "one"), f("b", "two")}, []File{f("a", "uno"), f("b", "bad")}, nil, "uno two", "last good version of the file"},
		{"a file that cannot be read", []File{f("a", "one"), f("b", "two")}, []File{f("a", "uno")}, []Problem{{File: "b", Message: "denied"}}, "uno two", "last good version of the file"},
		{"a new file with an error", []File{f("a", "one")}, []File{f("a", "uno"), f("b", "bad due")}, nil, "uno due", "the rest of the file is in force"},
		{"a new file that claims a word of another", []File{f("b", "one")}, []File{f("a", "one"), f("b", "one")}, nil, "one", "files of the last good load"},
		{"a file that others need is gone", []File{f("a", "+one"), f("b", "one")}, []File{f("a", "+one")}, nil, "+one one", "files of the last good load"},
		{"a file that is gone", []File{f("a", "one"), f("b", "two")}, []File{f("a", "one")}, nil, "one", ""},
		{"bad at the first load", nil, []File{f("a", "one"), f("b", "bad two")}, nil, "one two", "the rest of the file is in force"},
	} {
		catalog := NewCatalog[[]string](nil, Options[[]string]{Build: words})
		if c.first != nil {
			p := catalog.prepare(c.first, nil)
			if p.Err() != nil {
				t.Fatalf("%s: %v", c.name, p.Err())
			}
			commit(t, p)
		}
		before := strings.Join(catalog.Value(), " ")
		p := catalog.prepare(c.then, c.unread)
		if got := strings.Join(catalog.Value(), " "); got != before {
			t.Errorf("%s: preparing changed what is in force to %q", c.name, got)
		}
		commit(t, p)
		if got := strings.Join(catalog.Value(), " "); got != c.want {
			t.Errorf("%s: %q is in force, want %q", c.name, got, c.want)
		}
		if (p.Err() == nil) != (c.note == "") || c.note != "" && !strings.Contains(p.Err().Error(), c.note) {
			t.Errorf("%s: %v", c.name, p.Err())
		}
		if n := len(catalog.Problems()); (n == 0) != (c.note == "") {
			t.Errorf("%s: %d problems are shown", c.name, n)
		}
	}
}

func TestTheLastGoodVersionOutlivesSeveralBadOnes(t *testing.T) {
	catalog := NewCatalog[[]string](nil, Options[[]string]{Build: words})
	for _, text := range []string{"one", "bad", "bad again"} {
		commit(t, catalog.prepare([]File{{"a", []byte(text)}}, nil))
	}
	if diff := cmp.Diff([]string{"one"}, catalog.Value()); diff != "" {
		t.Error(diff)
	}
}

func TestFilesAreFoundByPatternsOnceEach(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	b, a := write("b.yaml", "2"), write("a.yaml", "1")
	write("large.txt", strings.Repeat("x", 1<<20+1))
	files, problems := Files{What: "SLO file", Setting: "slo_files", MaxBytes: 1 << 20}.Load([]string{
		filepath.Join(dir, "*.yaml"), a, filepath.Join(dir, "none", "*.yaml"), filepath.Join(dir, "none.yaml"), filepath.Join(dir, "[", "x"), dir, filepath.Join(dir, "large.txt"),
	})
	if diff := cmp.Diff([]File{{a, []byte("1")}, {b, []byte("2")}}, files); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, p := range problems {
		text := strings.ReplaceAll(p.Error(), dir, "DIR")
		if p.Warning {
			text = "warning: " + text
		}
		got = append(got, text)
	}
	if diff := cmp.Diff([]string{
		"warning: DIR/none/*.yaml: there is no such file; mend the path in slo_files or create the file",
		"DIR/none.yaml: there is no such file; mend the path in slo_files or create the file",
		"DIR/[/x: not a valid pattern: syntax error in pattern; mend it in slo_files",
		"DIR:1: not a regular file; make it a file that this user may read",
		"DIR/large.txt:1: it is larger than 1 MiB, and so is no SLO file; check the pattern that finds it, or split it into several files",
	}, got); diff != "" {
		t.Error(diff)
	}
}
