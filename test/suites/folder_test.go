package suites

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Suites that cannot be had as Go modules: PromQL compliance, the remote write
// receiver's, Alertmanager's acceptance tests. The folder that SUITES names has one folder for each, with a
// program "run" that ends with 0 if the suite is passed. It is given SERVER, the URL of a
// fresh server, and SIGNALBOX_BINARY, for suites that start their own.
func TestTheSuitesOfAFolder(t *testing.T) {
	dir := os.Getenv("SUITES")
	if dir == "" {
		t.Skip("SUITES names no folder")
	}
	runs, err := filepath.Glob(filepath.Join(dir, "*", "run"))
	if err != nil || len(runs) == 0 {
		t.Fatalf("no */run in %s: %v", dir, err)
	}
	for _, run := range runs {
		t.Run(filepath.Base(filepath.Dir(run)), func(t *testing.T) {
			s := start(t, "{}\n")
			defer s.stop()
			cmd := exec.Command(run)
			cmd.Dir = filepath.Dir(run)
			cmd.Env = append(os.Environ(), "SERVER="+s.web, "SIGNALBOX_BINARY="+binary(t))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
