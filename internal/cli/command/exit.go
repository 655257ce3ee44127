package command

import (
	"errors"
	"strings"
)

// Exit statuses shared by all commands.
const (
	OK     = 0
	No     = 1 // the question was answered, with no
	Wrong  = 2 // wrong usage
	Failed = 3
)

// exit is an error that was explained already: only its status counts.
type exit int

func (exit) Error() string { return "" }

// Exit ends a command with a status and without a further word; OK is no error.
func Exit(status int) error {
	if status == OK {
		return nil
	}
	return exit(status)
}

type usageError struct{ error }

// Usage marks an error as one of how the command was called.
func Usage(err error) error { return usageError{err} }

// isUsage knows cobra's own complaints by how they begin.
func isUsage(err error) bool {
	var usage usageError
	if errors.As(err, &usage) {
		return true
	}
	text := err.Error()
	for _, prefix := range []string{"unknown command", "unknown flag", "unknown shorthand", "flag needs an argument", "invalid argument", "accepts ", "requires at least", "required flag"} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}
