//go:build !linux

package sql

import (
	"errors"
	"os"
)

// inMemory does not work: only Linux has files that are on no disk.
func inMemory(string) (*os.File, string, error) {
	return nil, "", errors.New("SQL over an encrypted event store needs Linux")
}
