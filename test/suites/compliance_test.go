package suites

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// checkout is a suite that cannot be had as a Go module, from the folder that SUITES names.
func checkout(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("SUITES")
	if root == "" || testing.Short() {
		t.Skip("SKIPPED: SUITES names no folder with checkouts of compliance (prometheus/compliance), sloth, oslo and pyrra")
	}
	dir, err := filepath.Abs(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	return dir
}

// built is a program of a checkout.
func built(t *testing.T, dir, pkg string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	inDir(t, dir, "go", "build", "-trimpath", "-o", path, pkg)
	return path
}

// PromQL compliance: the project's own program asks Prometheus and us the same of a made-up history.
func TestPromQLCompliance(t *testing.T) {
	dir := filepath.Join(checkout(t, "compliance"), "promql")
	tester := built(t, dir, "./cmd/promql-compliance-tester")
	ours := start(t, fmt.Sprintf(promqlConfig, ""))
	defer ours.stop()
	theirs := startPrometheus(t, prometheusConfig, nil)
	defer theirs.stop()
	const end = 1767225600
	history(t, end, ours.web, theirs.web)

	config := filepath.Join(t.TempDir(), "servers.yml")
	text := fmt.Sprintf("reference_target_config: {query_url: %q}\ntest_target_config: {query_url: %q}\nquery_time_parameters: {end_time: \"%d\"}\n", theirs.web, ours.web, end-720)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tester, "-config-file", config, "-config-file", queries(t, dir, ours, theirs))
	var complaint strings.Builder
	cmd.Stderr = &complaint // and a bar of progress
	out, err := cmd.Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	t.Log(lines[len(lines)-1])
	if err != nil {
		said := complaint.String()
		t.Errorf("%v\n%s\n%s", err, out, said[max(0, len(said)-1000):])
	}
}

var ofVersion2 = regexp.MustCompile(`(?m)^  - query: '(.*~invalid.*)'\n    should_fail: true\n`)

// queries is the file of queries without those at which the tester gives up, because Prometheus 3 takes a
// name of a label that it wants refused. We must do as Prometheus does.
func queries(t *testing.T, dir string, ours, theirs *server) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "promql-test-queries.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range ofVersion2.FindAllSubmatch(raw, -1) {
		comparing(ours.web, theirs.web, func(difference string) {
			if difference != "" {
				t.Errorf("%s: %s", m[1], difference)
			}
		})("/api/v1/query", url.Values{"query": {string(m[1])}, "time": {"1767225000"}})
	}
	path := filepath.Join(t.TempDir(), "queries.yml")
	if err := os.WriteFile(path, ofVersion2.ReplaceAll(raw, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The receiver's tests of remote write 2.0, once on Prometheus, once on us.
func TestRemoteWriteReceiver(t *testing.T) {
	dir := filepath.Join(checkout(t, "compliance"), "remotewrite", "receiver")
	ours, theirs := start(t, "self_query: {interval: 1h}\n"), startPrometheus(t, "{}\n", nil)
	defer ours.stop()
	defer theirs.stop()
	passed := map[string]map[string]bool{}
	log := ""
	for _, s := range []*server{theirs, ours} {
		config := filepath.Join(t.TempDir(), "receiver.yml")
		if err := os.WriteFile(config, fmt.Appendf(nil, "remote_write: [{name: receiver, url: %s/api/v1/write}]\n", s.web), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("go", "test", "-trimpath", "-count=1", "-v", ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PROMETHEUS_RW2_COMPLIANCE_CONFIG_FILE="+config)
		passed[s.web], log = verdicts(t, cmd)
	}
	judge(t, passed[ours.web], passed[theirs.web], log)
}

// judge compares verdicts and prints the score.
func judge(t *testing.T, ours, theirs map[string]bool, log string) {
	t.Helper()
	count := func(m map[string]bool) (n int) {
		for passed := range maps.Values(m) {
			if passed {
				n++
			}
		}
		return n
	}
	for name := range theirs {
		if !ours[name] && absent[name] != "" {
			t.Logf("%s: %s", name, absent[name])
		}
	}
	if failed := missing(ours, theirs); len(failed) > 0 {
		t.Errorf("only the reference passes %s\n%s", strings.Join(failed, ", "), log)
	}
	t.Logf("Signalbox %d, the reference %d of %d", count(ours), count(theirs), len(theirs))
}
