package sql

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// inMemory makes a file that is on no disk, and a path under which the worker opens it while this process has it open.
func inMemory(name string) (*os.File, string, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, "", os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), nil
}
