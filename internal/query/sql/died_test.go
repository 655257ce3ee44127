package sql

import (
	"errors"
	"log/slog"
	"testing"
)

func TestAWorkerThatASignalEndedIsACrashOfTheQuery(t *testing.T) {
	e := &Engine{log: slog.New(slog.DiscardHandler)}
	for _, tc := range []struct{ err, stderr, want string }{
		{"EOF\nsignal: segmentation fault", "", "crash"},
		{"EOF\nsignal: killed", "", "crash"},
		{"EOF\nexit status 2", "SIGSEGV: segmentation violation\n", "crash"},
		{"EOF\nexit status 2", "runtime: out of memory: cannot allocate\n", "memory"},
		{"EOF\nexit status 1", "", "error"},
	} {
		if got := outcome(e.workerDied(errors.New(tc.err), tc.stderr)); got != tc.want {
			t.Errorf("%q, %q: %s, want %s", tc.err, tc.stderr, got, tc.want)
		}
	}
}
