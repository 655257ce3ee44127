package e2e

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryCommandInTheDocsRuns executes the sh blocks of the documentation
// against a running demo, block by block. Lines that start the platform or need the reader's own files are
// held to having valid flags (the same command with --help), make targets to being there.
func TestEveryCommandInTheDocsRuns(t *testing.T) {
	s := start(t, options{sub: "demo"})
	eventually(t, func() error { // what the examples ask for is there
		if status, text, _ := s.request(http.MethodGet, "/sb/v1/explain/Watchdog", "", nil); status != http.StatusOK {
			return fmt.Errorf("%d %s", status, text)
		}
		return nil
	})
	dir := t.TempDir()
	if err := os.Symlink(binary, filepath.Join(dir, "signalbox")); err != nil {
		t.Fatal(err)
	}
	path := dir + ":" + filepath.Dir(peer(t, "promtool")) + ":" + os.Getenv("PATH")
	t.Cleanup(func() {
		for _, written := range []string{"october.md", "audit.jsonl", "pools.yml", "rules.patch"} { // by examples
			_ = os.Remove("../../" + written)
		}
	})
	ran := 0
	for _, file := range documents(t) {
		variables := "" // that earlier blocks of the file set
		for i, block := range shellBlocks(t, file) {
			ran++
			t.Run(fmt.Sprintf("%s block %d", strings.TrimPrefix(file, "../../"), i+1), func(t *testing.T) {
				runBlock(t, s, path, variables, block)
			})
			for line := range strings.Lines(block) {
				if regexp.MustCompile(`^[A-Z_]+=`).MatchString(line) {
					variables += line
				}
			}
		}
	}
	if ran < 15 {
		t.Errorf("found only %d blocks: is the documentation where it was?", ran)
	}
}

// documents lists the Markdown files that users read.
func documents(t *testing.T) (files []string) {
	t.Helper()
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
	return files
}

func shellBlocks(t *testing.T, file string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, strings.ReplaceAll(m[1], "\\\n", " "))
	}
	return blocks
}

var (
	// What runs for long, needs the reader's own folder, files or dates, or somebody who is logged in.
	flagsOnly  = regexp.MustCompile(`(^|/)signalbox (login|logout|whoami|roles|token|user|session|gate check .*--token-file|serve|demo|simulate|bench|purge|slo import|slo backtest|slo export|check rules --backtest|slo correct .*--start|oncall import|oncall swap propose|status-page export .*--every|status-page update \$ID|remedy (approve|refuse|start|stop)|storage)\b`)
	makeTarget = regexp.MustCompile(`^make ([a-z-]+)`)
)

// testable turns one line into one that ends by itself and whose failure is a failure.
func testable(t *testing.T, line string) string {
	t.Helper()
	line = strings.TrimSpace(line)
	if m := makeTarget.FindStringSubmatch(line); m != nil {
		makefile, err := os.ReadFile("../../Makefile")
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`(?m)^\.PHONY:.*\b` + m[1] + `\b`).Match(makefile) {
			t.Errorf("no such target: %s", line)
		}
		return ""
	}
	switch {
	case strings.HasPrefix(line, "git "), strings.HasPrefix(line, "cd "):
		return ""
	case flagsOnly.MatchString(line):
		line, _, _ = strings.Cut(line, " #")
		return line + " --help >/dev/null"
	case strings.Contains(line, "signalbox hash-id"): // needs keys, which the demo has none of
		return "signalbox hash-id --help >/dev/null"
	case strings.Contains(line, "signalbox oncall heartbeat ping"): // needs a heartbeat, which the demo has none of
		return "signalbox oncall heartbeat ping --help >/dev/null"
	case strings.Contains(line, "signalbox channels test"): // needs a service, which the demo has none of
		return "signalbox channels test --help >/dev/null"
	case strings.Contains(line, "gate check"), strings.Contains(line, "gate canary"), strings.Contains(line, "oncall coverage"):
		return withoutComment(line) + " || [ $? -le 2 ]" // it answers with its exit status
	case strings.Contains(line, "/tail"):
		return "timeout 3 " + withoutComment(line) + " || [ $? = 124 ]"
	}
	return line
}

func withoutComment(line string) string {
	line, _, _ = strings.Cut(line, "  #")
	return line
}

func runBlock(t *testing.T, s *server, path, variables, block string) {
	t.Helper()
	var script strings.Builder
	for line := range strings.Lines(variables + block) {
		script.WriteString(testable(t, line) + "\n")
	}
	text := strings.NewReplacer("http://localhost:4300", s.URL, "http://localhost:4318", s.HTTP, "bin/signalbox", "signalbox").Replace(script.String())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-e", "-o", "pipefail", "-c", text)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "PATH="+path, "SIGNALBOX_SERVER="+s.URL)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, text, out)
	}
}
