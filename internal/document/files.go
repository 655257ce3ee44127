package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File is one file as it was read.
type File struct {
	Path string
	Text []byte
}

// Unreadable is what keeps every reader of text from a file, nil when nothing does.
func (f File) Unreadable() *Problem {
	line := notUTF8(bytes.TrimPrefix(f.Text, []byte("\uFEFF")))
	if line == 0 {
		return nil
	}
	return &Problem{File: f.Path, Line: line, Message: "not valid UTF-8", Cure: "save the file as UTF-8"}
}

// Files says which files of one kind are read.
type Files struct {
	What     string // one of them: SLO file
	Setting  string // that names the patterns: slo_files
	MaxBytes int64  // a larger file is a mistake
}

// Load reads the files that glob patterns find, each once, sorted by pattern and path. A pattern
// that finds nothing is a warning; a file that is named and is not there is an error.
//
// All of them are of one moment where whoever writes them sees to it: a volume of a Kubernetes ConfigMap is
// replaced by moving a link, and what was read partly before and partly after is read again.
func (k Files) Load(patterns []string) (files []File, problems []Problem) {
	for range rereads {
		var moved bool
		if files, problems, moved = k.load(patterns); !moved {
			break
		}
	}
	return files, problems
}

// rereads bounds how often files are read again that are replaced all the time.
const rereads = 5

func (k Files) load(patterns []string) (files []File, problems []Problem, moved bool) {
	behind := map[string]string{} // what each path stands for, links followed
	for _, pattern := range patterns {
		wild := strings.ContainsAny(pattern, `*?[\`)
		found, err := filepath.Glob(pattern)
		if err != nil {
			problems = append(problems, Problem{File: pattern, Message: "not a valid pattern: " + err.Error(), Cure: "mend it in " + k.Setting})
			continue
		}
		if len(found) == 0 {
			// A folder may be empty on purpose; a named file is missing.
			problems = append(problems, Problem{
				File: pattern, Message: "there is no such file", Cure: "mend the path in " + k.Setting + " or create the file", Warning: wild,
			})
		}
		slices.Sort(found)
		for _, path := range found {
			if _, seen := behind[path]; seen || wild && strings.HasPrefix(filepath.Base(path), "..") {
				continue // of Kubernetes, behind the links to files
			}
			target, err := filepath.EvalSymlinks(path)
			if err != nil {
				target = path // which says what is wrong
			}
			behind[path] = target
			text, problem := k.read(target)
			if problem != nil {
				problem.File = path
				problem.Warning = wild && isFolder(target)
				problems = append(problems, *problem)
				continue
			}
			files = append(files, File{path, text})
		}
	}
	for path, target := range behind {
		if now, err := filepath.EvalSymlinks(path); err == nil && now != target {
			return files, problems, true
		}
	}
	return files, problems, false
}

func isFolder(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// Read reads one file that a setting names.
func (k Files) Read(path string) (File, *Problem) {
	text, problem := k.read(path)
	return File{path, text}, problem
}

func (k Files) read(path string) ([]byte, *Problem) {
	refuse := func(message, cure string) *Problem {
		return &Problem{File: path, Line: 1, Message: message, Cure: cure}
	}
	const readable = "make it a file that this user may read"
	st, err := os.Stat(path)
	if err == nil && !st.Mode().IsRegular() {
		return nil, refuse("not a regular file", readable)
	}
	if err != nil {
		return nil, refuse(cause(err), readable)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, refuse(cause(err), readable)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, k.MaxBytes+1))
	switch {
	case err != nil:
		return nil, refuse(cause(err), readable)
	case int64(len(text)) > k.MaxBytes:
		return nil, refuse(fmt.Sprintf("it is larger than %d MiB, and so is no %s", k.MaxBytes>>20, k.What), "check the pattern that finds it, or split it into several files")
	}
	return text, nil
}

// cause is what the system says of a file, without the path: the problem has it.
func cause(err error) string {
	var at *os.PathError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}
