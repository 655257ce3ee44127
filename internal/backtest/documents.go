package backtest

import (
	"context"
	"strings"

	files "github.com/signalbox-project/signalbox/internal/document"
)

// Files are those in force, as they were read.
type Files struct{ SLOs, Policies, Rules []files.File }

// BacktestDocuments are the files in force, to be edited and replayed: as they were read when they were
// put into force, whatever stands on the disk by now. Values below connectionDetails are left out:
// nothing here reads them, and they may be secret.
func (r *Replayer) BacktestDocuments(context.Context) (Set, error) {
	var set Set
	if r.deps.Files == nil {
		return set, nil
	}
	files := r.deps.Files()
	set.SLOs, set.Policies, set.Rules = documents(files.SLOs), documents(files.Policies), documents(files.Rules)
	return set, nil
}

func documents(files []files.File) []Document {
	docs := []Document{}
	for _, f := range files {
		docs = append(docs, Document{Name: f.Path, Text: withoutConnections(string(f.Text))})
	}
	return docs
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
