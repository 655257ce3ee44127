package openslo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFileBytes bounds one SLO file; a larger one is a mistake.
const maxFileBytes = 4 << 20

// ReadFiles parses the files that glob patterns find, each once.
func ReadFiles(patterns []string) (docs Documents, problems []Problem) {
	seen := map[string]bool{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			problems = append(problems, Problem{File: pattern, Message: "not a valid pattern: " + err.Error()})
			continue
		}
		if len(files) == 0 {
			// A folder may be empty on purpose; a named file is missing.
			problems = append(problems, Problem{
				File: pattern, Message: "there is no such file", Cure: "mend the path in slo_files or create the file",
				Warning: strings.ContainsAny(pattern, `*?[\`),
			})
		}
		slices.Sort(files)
		for _, file := range files {
			if seen[file] {
				continue
			}
			seen[file] = true
			text, err := readFile(file)
			if err != nil {
				problems = append(problems, unreadable(file, err))
				continue
			}
			d, ps := Parse(file, text)
			problems = append(problems, ps...)
			docs.Append(d)
		}
	}
	return docs, problems
}

func readFile(file string) ([]byte, error) {
	st, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("not a regular file")
	}
	if st.Size() > maxFileBytes {
		return nil, errTooLarge
	}
	return os.ReadFile(file)
}

var errTooLarge = fmt.Errorf("it is larger than %d MiB, and so is no SLO file", maxFileBytes>>20)

func unreadable(file string, err error) Problem {
	p := Problem{File: file, Line: 1, Message: err.Error(), Cure: "make it a file that this user may read"}
	if errors.Is(err, errTooLarge) {
		p.Cure = "check the pattern that finds it, or split it into several files"
	}
	return p
}
