package e2e

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestEveryCommandInTheDocsRuns executes the sh blocks of the documentation
// against a running demo. Lines that start the platform, or that would
// run for minutes, are held to having valid flags (the same command with --help).
func TestEveryCommandInTheDocsRuns(t *testing.T) {
	s := start(t, options{sub: "demo"})
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(binary, filepath.Join(dir, "signalbox")); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, c := range documentedCommands(t) {
		name := c.line
		switch {
		case strings.HasPrefix(c.line, "make "):
			target := strings.Fields(c.line)[1]
			if !regexp.MustCompile(`(?m)^([a-z -]* )?` + target + `( [a-z -]*)?:`).Match(makefile) {
				t.Errorf("%s: no such target: %s", c.file, c.line)
			}
			ran++
			continue
		case strings.HasPrefix(c.line, "git "), strings.HasPrefix(c.line, "cd "):
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) {
			c.run(t, s, dir)
		})
	}
	if ran < 20 {
		t.Errorf("found only %d commands: is the documentation where it was?", ran)
	}
}

type command struct{ file, line string }

// documentedCommands reads every sh block; a line ending in \ goes on.
func documentedCommands(t *testing.T) (out []command) {
	t.Helper()
	var files []string
	for _, root := range []string{"../../README.md", "../../docs", "../../examples"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".md") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			block := strings.ReplaceAll(m[1], "\\\n", " ")
			for line := range strings.Lines(block) {
				line = strings.TrimSpace(line)
				if line != "" && !strings.HasPrefix(line, "#") {
					out = append(out, command{file, line})
				}
			}
		}
	}
	return out
}

var startsThePlatform = regexp.MustCompile(`(^|/)signalbox (serve|demo|simulate|bench)\b`)

func (c command) run(t *testing.T, s *server, dir string) {
	t.Helper()
	line := strings.ReplaceAll(c.line, "http://localhost:4300", s.URL)
	line = strings.ReplaceAll(line, "http://localhost:4318", s.HTTP)
	line = strings.ReplaceAll(line, "bin/signalbox", "signalbox")
	if startsThePlatform.MatchString(line) {
		line, _, _ = strings.Cut(line, " #")
		line += " --help"
	}
	path := dir + ":" + os.Getenv("PATH")
	if strings.Contains(line, "promtool") || strings.Contains(line, "amtool") {
		path = filepath.Dir(peer(t, "promtool")) + ":" + path
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", line)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "PATH="+path, "SIGNALBOX_SERVER="+s.URL)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return
	}
	// A gate answers with its exit status.
	if status := cmd.ProcessState.ExitCode(); strings.Contains(line, "gate check") && (status == 1 || status == 2) {
		return
	}
	t.Errorf("%s: %s\n%v\n%s", c.file, line, err, out)
}
