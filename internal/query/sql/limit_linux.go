package sql

import "syscall"

// limitData bounds the process's private writable memory. Address space that is only
// reserved, as the Go runtime does, does not count.
func limitData(bytes uint64) error {
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: bytes, Max: bytes})
}
