package suites

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// tools are the reference programs by name, pinned by the module in reference/.
var tools = map[string]string{
	"prometheus": "github.com/prometheus/prometheus/cmd/prometheus",
	"amtool":     "github.com/prometheus/alertmanager/cmd/amtool",
}

var building sync.Mutex

// reference is the path of a reference program. It is built, without discovery of targets and web pages,
// unless the folder that REFERENCE names has it.
func reference(t *testing.T, name string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	dir := os.Getenv("REFERENCE")
	if dir == "" {
		dir = "../../bin/reference"
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.Command("go", "build", "-ldflags", stamp(t), "-tags", "remove_all_sd", "-o", path, tools[name])
	cmd.Dir = "reference"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return path
}

// stamp is the version of Alertmanager, as its release has it: amtool compares its own with the server's.
func stamp(t *testing.T) string {
	t.Helper()
	version := strings.TrimSpace(inDir(t, "reference", "go", "list", "-m", "-f", "{{slice .Version 1}}", "github.com/prometheus/alertmanager"))
	const of = "-X github.com/prometheus/common/version."
	return of + "Version=" + version + " " + of + "Branch=module " + of + "Revision=module"
}
