package sql

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// limitGrowth bounds the process's private writable memory to what it has now
// and more bytes. Address space that is only reserved, as the Go runtime does, does not
// count.
func limitGrowth(more uint64) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	_, rest, _ := bytes.Cut(status, []byte("\nVmData:"))
	line, _, _ := bytes.Cut(rest, []byte(" kB\n"))
	kb, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 10, 54)
	if err != nil {
		return fmt.Errorf("read VmData: %w", err)
	}
	limit := kb<<10 + more
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: limit, Max: limit})
}
