package document

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// volume is a folder as Kubernetes mounts a ConfigMap: the files are links through ..data, which is a link too.
type volume struct {
	dir string
	n   int
}

// put replaces all files at once: a folder of its own, and one link that is moved.
func (v *volume) put(t *testing.T, texts map[string]string) {
	t.Helper()
	v.n++
	next := fmt.Sprintf("..%d", v.n)
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	must(os.Mkdir(filepath.Join(v.dir, next), 0o750))
	for name, text := range texts {
		must(os.WriteFile(filepath.Join(v.dir, next, name), []byte(text), 0o600))
		if _, err := os.Lstat(filepath.Join(v.dir, name)); err != nil {
			must(os.Symlink(filepath.Join("..data", name), filepath.Join(v.dir, name)))
		}
	}
	must(os.Symlink(next, filepath.Join(v.dir, "..data_tmp")))
	must(os.Rename(filepath.Join(v.dir, "..data_tmp"), filepath.Join(v.dir, "..data")))
	if v.n > 1 {
		must(os.RemoveAll(filepath.Join(v.dir, fmt.Sprintf("..%d", v.n-1))))
	}
}

func TestAConfigMapIsReadByItsFilesAlone(t *testing.T) {
	v := &volume{dir: t.TempDir()}
	v.put(t, map[string]string{"a.yaml": "1", "b.yaml": "1"})
	for _, pattern := range []string{"*", "*.yaml", "?.yaml"} {
		files, problems := Files{What: "file", Setting: "files", MaxBytes: 10}.Load([]string{filepath.Join(v.dir, pattern)})
		if diff := cmp.Diff([]File{{filepath.Join(v.dir, "a.yaml"), []byte("1")}, {filepath.Join(v.dir, "b.yaml"), []byte("1")}}, files); diff != "" || len(problems) > 0 {
			t.Errorf("%s: %s %v", pattern, diff, problems)
		}
	}
}

// While a ConfigMap is replaced all the time, what is read is never partly the one and partly the other.
func TestFilesOfAConfigMapAreOfOneMoment(t *testing.T) {
	v := &volume{dir: t.TempDir()}
	texts := func(n int) map[string]string {
		out := map[string]string{}
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			out[name+".yaml"] = fmt.Sprint(n)
		}
		return out
	}
	v.put(t, texts(0))
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 1; n < 400; n++ {
			select {
			case <-stop:
				return
			default:
				v.put(t, texts(n))
			}
		}
	})
	defer func() { close(stop); writer.Wait() }()
	whole := 0
	for range 200 {
		files, problems, moved := Files{What: "file", Setting: "files", MaxBytes: 10}.load([]string{filepath.Join(v.dir, "*.yaml")})
		if moved {
			continue
		}
		whole++
		for _, f := range files {
			if string(f.Text) != string(files[0].Text) {
				t.Fatalf("%s and %s of two moments, and nobody noticed", files[0].Text, f.Text)
			}
		}
		if len(files) != 6 || len(problems) > 0 {
			t.Fatalf("%d files, %v", len(files), problems)
		}
	}
	if whole == 0 {
		t.Error("never read as a whole")
	}
}

func TestWhatIsNoFileIsNamedAndHoldsUpNobody(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, err := range []error{
		os.WriteFile(path("good.yaml"), []byte("x"), 0o600), os.WriteFile(path("large.yaml"), []byte(strings.Repeat("x", 10<<20)), 0o600),
		os.Mkdir(path("folder.yaml"), 0o750), os.Symlink("nowhere", path("dangling.yaml")), os.Symlink("loop.yaml", path("loop.yaml")),
		syscall.Mkfifo(path("pipe.yaml"), 0o600), os.Symlink("good.yaml", path("link.yaml")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	k := Files{What: "SLO file", Setting: "slo_files", MaxBytes: 4 << 20}
	files, problems := k.Load([]string{path("*.yaml"), path("good.yaml"), dir + "/./good.yaml/../good.yaml"})
	var got []string
	for _, f := range files {
		got = append(got, filepath.Base(f.Path))
	}
	for _, p := range problems {
		text := strings.ReplaceAll(p.Error(), dir+"/", "")
		if p.Warning {
			text = "warning: " + text
		}
		got = append(got, text)
	}
	const readable = "; make it a file that this user may read"
	if diff := cmp.Diff([]string{
		"good.yaml", "link.yaml",
		"dangling.yaml:1: no such file or directory" + readable,
		"warning: folder.yaml:1: not a regular file" + readable,
		"large.yaml:1: it is larger than 4 MiB, and so is no SLO file; check the pattern that finds it, or split it into several files",
		"loop.yaml:1: too many levels of symbolic links" + readable,
		"pipe.yaml:1: not a regular file" + readable,
		"./good.yaml/../good.yaml: there is no such file; mend the path in slo_files or create the file",
	}, got); diff != "" {
		t.Error(diff)
	}
	if _, problem := k.Read(path("large.yaml")); problem == nil || problem.Line != 1 {
		t.Errorf("a single large file: %v", problem)
	}
}

func TestErrorsOfOtherLibrariesBecomeProblems(t *testing.T) {
	f := Foreign{File: File{"r.yml", []byte("groups:\n- name: a\n- name: b\n- name: a\n")}, Names: []string{"name", "rules"}, Line: 1}
	for text, want := range map[string]string{
		"yaml: line 3: could not find expected ':'":                                     "r.yml:3: could not find expected ':'",
		"yaml: unmarshal errors:\n  line 2: field nam not found in type config.plain\n": `r.yml:2: unknown key "nam"; did you mean "name"?`,
		"yaml: unmarshal errors:\n  line 2: field x not found in type config.plain":     `r.yml:2: unknown key "x"; mend its name or its place`,
		"line 2: field name already set in type config.plain":                           `r.yml:2: "name" stands here twice; keep one`,
		`yaml: line 4: mapping key "name" already defined at line 2`:                    `r.yml:4: "name" stands here twice; keep one`,
		"line 2: cannot unmarshal !!str `SECRET` into int":                              "r.yml:2: must be a number, is a text",
		"line 2: cannot unmarshal !!seq into config.BasicAuth":                          "r.yml:2: must be a mapping of keys to values, is a list",
		"line 2: cannot unmarshal !!map into []string":                                  "r.yml:2: must be a list, is a mapping",
		"line 2: cannot unmarshal !!int `5` into bool":                                  "r.yml:2: must be true or false, is a number",
		`2:3: group "a", rule 1, "x": could not parse expression`:                       `r.yml:2: group "a", rule 1, "x": could not parse expression`,
		`2:3: 4:5: group "a", rule 1, "x": field expr must be set`:                      `r.yml:4: group "a", rule 1, "x": field expr must be set`,
		`groupname: "a" is repeated in the same file`:                                   `r.yml:4: groupname: "a" is repeated in the same file`,
		`undefined name "b" used`:                                                       `r.yml:3: undefined name "b" used`,
		"no place at all":                                                               "r.yml:1: no place at all",
		`parse "http://bob:SECRET@h": invalid port`:                                     `r.yml:1: parse "http://bob:xxxxx@h": invalid port`,
	} {
		var got []string
		for _, p := range f.Problems(fmt.Errorf("%s", text)) {
			got = append(got, p.Error())
		}
		if diff := cmp.Diff([]string{want}, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	if got := f.Problems(nil); got != nil {
		t.Errorf("no error is %v", got)
	}
}
