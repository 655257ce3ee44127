package memory

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestTheLeastLimitCounts(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int64
		from  string
	}{
		{"nothing is known", nil, math.MaxInt64, ""},
		{"the machine", map[string]string{"proc/meminfo": "MemFree: 3 kB\nMemTotal:       2048 kB\n"}, 2 << 20, "the machine's memory"},
		{
			"a group above the own one",
			map[string]string{
				"proc/meminfo": "MemTotal: 2048 kB\n", "proc/self/cgroup": "0::/a/b\n",
				"sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "1048576\n",
			},
			1 << 20, "the control group",
		},
		{
			"the first version of control groups",
			map[string]string{
				"proc/meminfo": "MemTotal: 2048 kB\n", "proc/self/cgroup": "5:cpu:/x\n7:hugetlb,memory:/x\n",
				"sys/fs/cgroup/memory/x/memory.limit_in_bytes": "4096\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
			},
			4096, "the control group",
		},
		{
			"a group that allows more than the machine has",
			map[string]string{"proc/meminfo": "MemTotal: 1 kB\n", "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1048576\n"},
			1 << 10, "the machine's memory",
		},
		{"nonsense", map[string]string{"proc/meminfo": "MemTotal: x kB\n", "proc/self/cgroup": "0\n0::/\n", "sys/fs/cgroup/memory.max": "?"}, math.MaxInt64, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range c.files {
				if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o750); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got, from := find(root, nil); got != c.want || from != c.from {
				t.Errorf("%d by %q, want %d by %q", got, from, c.want, c.from)
			}
		})
	}
}

func TestWhatIsHeldCountsAsLive(t *testing.T) {
	if n := Live(); n <= 0 || n > 1<<40 {
		t.Errorf("%d bytes live", n)
	}
}
