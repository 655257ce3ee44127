package suites

import (
	"io/fs"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// refusedHere are what import refuses of files that the tool takes.
var refusedHere = regexp.MustCompile(`plugins are code of Sloth's and are not run|is code of Sloth's and is not run|` +
	`unknown function with name "histogram_share"`) // MetricsQL, in Sloth's example for VictoriaMetrics

// takenHere are files that the tool refuses and import takes, with the reason.
var takenHere = map[string]string{
	"bad-multi-k8s.yaml": "Sloth wants a name for each alert that is on; without one it has ours",
}

// Import and the tools' own programs judge the tools' own example files and test data alike.
func TestImportsJudgeAsTheToolsDo(t *testing.T) {
	for _, tool := range []struct {
		name, pkg string
		dirs      []string
		validate  func(dir, file string) []string
	}{
		{"sloth", "./cmd/sloth", []string{"examples", "test/integration"}, func(dir, file string) []string {
			return []string{"validate", "--input", file, "--plugins-path", filepath.Join(dir, "examples", "plugins")}
		}},
		{"oslo", "./cmd/oslo", []string{"test", "internal"}, func(_, file string) []string { return []string{"validate", "-f", file} }},
	} {
		t.Run(tool.name, func(t *testing.T) {
			dir := checkout(t, tool.name)
			program := built(t, dir, tool.pkg)
			alike, refused, taken := 0, 0, 0
			for _, file := range yamls(t, dir, tool.dirs) {
				theirs := exec.Command(program, tool.validate(dir, file)...)
				said, err := theirs.CombinedOutput()
				printed, ours := exec.Command(binary(t), "check", "slos", file).CombinedOutput()
				switch {
				case (ours == nil) == (err == nil):
					alike++
				case ours != nil && refusedHere.Match(printed):
					refused++
				case ours == nil && takenHere[filepath.Base(file)] != "":
					taken++
				default:
					t.Errorf("%s\nSignalbox: %v %s\n%s: %v %s", file, ours, printed, tool.name, err, said)
				}
			}
			t.Logf("%d judged alike, %d refused for a reason, %d taken for a reason", alike, refused, taken)
		})
	}
}

// rendered are what a tool writes and not what it reads.
var rendered = regexp.MustCompile(`/_gen/|/out-|/plugins/|/windows/|\.tpl$|/\.`)

func yamls(t *testing.T, dir string, below []string) (files []string) {
	t.Helper()
	for _, sub := range below {
		err := filepath.WalkDir(filepath.Join(dir, sub), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if ext := filepath.Ext(path); !d.IsDir() && (ext == ".yml" || ext == ".yaml") && !rendered.MatchString(path) {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(files) == 0 {
		t.Fatalf("no files below %v of %s", below, dir)
	}
	return files
}
