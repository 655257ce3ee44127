package command

import (
	"fmt"
	"path/filepath"
)

// Expand resolves patterns that the shell left alone.
func Expand(patterns []string) (files []string, err error) {
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err != nil {
			return nil, Usage(fmt.Errorf("pattern %s: %w", p, err))
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: there is no such file", p)
		}
		files = append(files, found...)
	}
	return files, nil
}
