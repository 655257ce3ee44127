package bench

import (
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/loopback"
)

// clockTicks is the unit of /proc/<pid>/stat: USER_HZ is 100 on every
// architecture that Go runs on.
const clockTicks = 100

// cpuSeconds is what a process has used so far; NaN when it cannot be read.
func cpuSeconds(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil || pid == 0 {
		return math.NaN()
	}
	// The command stands in parentheses and may hold blanks.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 13 {
		return math.NaN()
	}
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	if err1 != nil || err2 != nil {
		return math.NaN()
	}
	return (user + system) / clockTicks
}

// rssBytes is a process's resident memory now; 0 when it cannot be read.
func rssBytes(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil || pid == 0 {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// watchRSS samples memory until the returned function is called, which
// answers the greatest value seen.
func watchRSS(pid int) func() int64 {
	stop, peak := make(chan struct{}), make(chan int64)
	go func() {
		most := rssBytes(pid)
		t := time.NewTicker(50 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-stop:
				peak <- max(most, rssBytes(pid))
				return
			case <-t.C:
				most = max(most, rssBytes(pid))
			}
		}
	}()
	return func() int64 { close(stop); return <-peak }
}

// diskUse is what a folder's files occupy; NaN without a folder. Files that
// vanish meanwhile count nothing.
func diskUse(dir string) float64 {
	if dir == "" {
		return math.NaN()
	}
	sum := 0.0
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // the server may remove files meanwhile
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			sum += float64(st.Blocks) * 512
		}
		return nil
	})
	if err != nil {
		return math.NaN()
	}
	return sum
}

// per divides; a figure that is not known stays so.
func per(v, n float64) *float64 {
	if math.IsNaN(v) || n == 0 {
		return nil
	}
	v /= n
	return &v
}

// listener finds the process that listens on the port of a loopback URL; 0 if
// it belongs to somebody else or the system has no /proc.
func listener(base string) int {
	u, err := url.Parse(base)
	if err != nil || !loopback.Host(u.Hostname()) {
		return 0
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return 0
	}
	inodes := listening(port)
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0
	}
	for _, l := range links {
		target, err := os.Readlink(l)
		if err != nil {
			continue
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok && inodes[strings.TrimSuffix(inode, "]")] {
			pid, _ := strconv.Atoi(strings.Split(l, "/")[2])
			return pid
		}
	}
	return 0
}

// listening lists the inodes of sockets that listen on a port.
func listening(port int) map[string]bool {
	out := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			const listen = "0A"
			if len(f) > 9 && f[3] == listen && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				out[f[9]] = true
			}
		}
	}
	return out
}
