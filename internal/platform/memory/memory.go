// Package memory finds how much memory this process may use: what it was told
// (GOMEMLIMIT), what its control groups allow, its resource limits (RLIMIT_DATA,
// RLIMIT_AS) and what the machine has, whichever is least.
//
// It reads files and does not set anything. Files that are not there, as on other
// systems than Linux, are no limit.
//
// Start reading at Limit.
package memory

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
)

// What of a limit that the kernel enforces Go may take. The rest is for what Go does not
// count, and for what it takes before a garbage collection has caught up; resource limits count
// address space too that was given back, and stacks of threads.
const (
	share         = 0.8
	resourceShare = 0.6
)

// Limit is how many bytes the heap may have, and what says so; math.MaxInt64 and
// "" if nothing does.
func Limit() (bytes int64, from string) {
	if told := debug.SetMemoryLimit(-1); told != math.MaxInt64 {
		return told, "GOMEMLIMIT"
	}
	bytes, from = find("/", map[string]int{"RLIMIT_DATA": syscall.RLIMIT_DATA, "RLIMIT_AS": syscall.RLIMIT_AS})
	if from == "" {
		return math.MaxInt64, ""
	}
	if strings.HasPrefix(from, "RLIMIT") {
		return int64(resourceShare * float64(bytes)), from
	}
	return int64(share * float64(bytes)), from
}

func find(root string, resources map[string]int) (bytes int64, from string) {
	bytes = math.MaxInt64
	less := func(n int64, what string) {
		if n > 0 && n < bytes {
			bytes, from = n, what
		}
	}
	for name, resource := range resources {
		var r syscall.Rlimit
		if syscall.Getrlimit(resource, &r) == nil && r.Cur < math.MaxInt64 {
			less(int64(r.Cur), name) //nolint:gosec // compared right above
		}
	}
	text, _ := os.ReadFile(filepath.Join(root, "proc/meminfo"))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			less(n<<10, "the machine's memory")
		}
	}
	text, _ = os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(parts) != 3:
		case parts[0] == "0":
			less(ofGroup(filepath.Join(root, "sys/fs/cgroup"), parts[2], "memory.max"), "the control group")
		case strings.Contains(","+parts[1]+",", ",memory,"):
			less(ofGroup(filepath.Join(root, "sys/fs/cgroup/memory"), parts[2], "memory.limit_in_bytes"), "the control group")
		}
	}
	return bytes, from
}

// ofGroup is the least limit of a control group and those above it; 0 is none.
func ofGroup(root, group, file string) (least int64) {
	for dir := filepath.Clean("/" + group); ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(root, dir, file))
		if n, perr := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && perr == nil && (least == 0 || n < least) {
			least = n
		}
		if dir == "/" {
			return least
		}
	}
}

// Live is what the last garbage collection left, and what is not heap: the
// least that the process can do with.
func Live() int64 {
	read := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/stacks:bytes"},
		{Name: "/memory/classes/metadata/other:bytes"},
		{Name: "/memory/classes/os-stacks:bytes"},
	}
	metrics.Read(read)
	var sum uint64
	for _, s := range read {
		sum += s.Value.Uint64()
	}
	return int64(sum) //nolint:gosec // no process has so much
}
