package app

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documentedFolders are the patterns in docs/formats/folders.md.
func documentedFolders(t *testing.T) []*regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats", "folders.md"))
	if err != nil {
		t.Fatal(err)
	}
	var out []*regexp.Regexp
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)/`").FindAllStringSubmatch(string(text), -1) {
		pattern := regexp.QuoteMeta(m[1])
		if strings.HasSuffix(m[1], "<name>") {
			pattern = strings.ReplaceAll(pattern, "<name>", ".*") // a copy holds what the folder has
		}
		for name, is := range map[string]string{"<day>": `\d{4}-\d\d-\d\d`, "<block>": `[0-9A-Z]{26}`, "<n>": `\d+`} {
			pattern = strings.ReplaceAll(pattern, name, is)
		}
		out = append(out, regexp.MustCompile("^"+pattern+"$"))
	}
	if len(out) < 10 {
		t.Fatalf("found only %d folders in the table", len(out))
	}
	return out
}

// checkFolders fails for every folder below a storage path that is not documented.
func checkFolders(t *testing.T, storage string) {
	t.Helper()
	known, seen := documentedFolders(t), 0
	err := filepath.WalkDir(storage, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || path == storage {
			return err
		}
		name, err := filepath.Rel(storage, path)
		if err != nil {
			return err
		}
		seen++
		for _, k := range known {
			if k.MatchString(filepath.ToSlash(name)) {
				return nil
			}
		}
		t.Errorf("the folder %s is not in docs/formats/folders.md", name)
		return nil
	})
	if err != nil || seen < 8 {
		t.Errorf("%d folders: %v", seen, err)
	}
}
