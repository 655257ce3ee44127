package backtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFileBytes bounds one file that is offered to be edited.
const maxFileBytes = 4 << 20

// Files are the glob patterns of the files in force.
type Files struct{ SLOs, Policies, Rules []string }

// BacktestDocuments are the files in force as they stand on disk, to be edited
// and replayed. A file that cannot be read is left out, for it is named among
// the process' problems. Values below connectionDetails are left out: nothing
// here reads them, and they may be secret.
func (r *Room) BacktestDocuments(ctx context.Context) (Set, error) {
	var set Set
	if r.deps.Files == nil {
		return set, nil
	}
	files := r.deps.Files()
	for _, kind := range []struct {
		patterns []string
		into     *[]Document
	}{{files.SLOs, &set.SLOs}, {files.Policies, &set.Policies}, {files.Rules, &set.Rules}} {
		docs, err := readFiles(ctx, kind.patterns)
		if err != nil {
			return set, err
		}
		*kind.into = docs
	}
	return set, nil
}

func readFiles(ctx context.Context, patterns []string) ([]Document, error) {
	docs := []Document{}
	seen := map[string]bool{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", pattern, err)
		}
		slices.Sort(files)
		for _, file := range files {
			if seen[file] || ctx.Err() != nil {
				continue
			}
			seen[file] = true
			st, err := os.Stat(file)
			if err != nil || !st.Mode().IsRegular() || st.Size() > maxFileBytes {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			docs = append(docs, Document{Name: file, Text: withoutConnections(string(text))})
		}
	}
	return docs, ctx.Err()
}

// withoutConnections leaves out the lines below connectionDetails.
func withoutConnections(text string) string {
	if !strings.Contains(text, "connectionDetails") {
		return text
	}
	var out []string
	below := -1 // indentation of the key, -1 outside
	for _, line := range strings.Split(text, "\n") {
		rest := strings.TrimLeft(line, " \t-")
		indent := len(line) - len(rest)
		if below >= 0 && rest != "" && indent <= below {
			below = -1
		}
		if below >= 0 && rest != "" {
			continue
		}
		if key, _, found := strings.Cut(rest, ":"); found && strings.Trim(key, `"'`) == "connectionDetails" {
			below = indent
			line = line[:indent] + "connectionDetails: {}"
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}
